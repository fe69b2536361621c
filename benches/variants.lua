-- Sends the requests of a directory (0000.http, 0001.http, ...) one after the other, as they are:
--     wrk -s benches/variants.lua URL -- DIRECTORY
-- The last line of the output is `exchanges REQUESTS MICROSECONDS ERRORS MEDIAN`: how many, in which
-- time, how many connections broke or timed out, and the median time of one in microseconds.

local requests, last = {}, 0

function init(arguments)
    while true do
        local file = io.open(string.format("%s/%04d.http", arguments[1], #requests), "rb")
        if not file then break end
        requests[#requests + 1] = file:read("*a")
        file:close()
    end
    if #requests == 0 then error("no requests in " .. tostring(arguments[1])) end
end

function request()
    last = last % #requests + 1
    return requests[last]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("exchanges %d %d %d %d\n", summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50)))
end
