# shellcheck shell=bash
# Starting and stopping Envoy for scripts. Source it after common.sh.

# A port of the loopback where nobody listens.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { printf '%s\n' "$port" && return; }
    done
    die "no free port"
}

# `envoy_is_live ADMIN_PORT`: whether it takes requests.
envoy_is_live() {
    (
        exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
        printf 'GET /ready HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n' >&3
        timeout 2 cat <&3 | grep -q '^LIVE'
    ) 2>/dev/null
}

# `wait_for_envoy PID ADMIN_PORT [LOG]` waits until it takes requests.
wait_for_envoy() {
    local deadline=$((SECONDS + 120))
    until envoy_is_live "$2"; do
        kill -0 "$1" 2>/dev/null || {
            [ -z "${3:-}" ] || tail -n 20 "$3" >&2
            die "Envoy did not start; its messages are above"
        }
        [ "$SECONDS" -lt "$deadline" ] || die "Envoy is not ready after two minutes"
        sleep 0.2
    done
}

# `stop_processes PID...` ends processes and waits for them; empty arguments do not matter.
stop_processes() {
    local pid
    for pid in "$@"; do
        [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null || true
}

# `gateway_configuration PORT BACKEND_PORT ADMIN_PORT WASM` prints envoy/gateway.yaml with these, and
# with the rules that the filter holds.
gateway_configuration() {
    local crs=()
    [ -d rules/crs ] || crs=(-e '/"Include @crs-setup-conf",/d' -e 's/@owasp_crs/@baseline/')
    sed -e "s/port_value: 8080\b/port_value: $1/" \
        -e "s/port_value: 8081\b/port_value: $2/" \
        -e "s/port_value: 9901\b/port_value: $3/" \
        -e "s|target/parapet.wasm|$4|" \
        "${crs[@]}" envoy/gateway.yaml
}

# `start_envoy NAME PORT FILTER LEVEL [SED...]` starts the binary $envoy with one worker, in front of
# $backend_port, with files in $folder and the gateway's configuration changed by sed; LEVEL is what it logs
# of the filter. Adds its process to `pids`.
start_envoy() {
    local admin_port name=$1 port=$2 filter=$3 level=$4
    shift 4
    admin_port=$(free_port)
    # shellcheck disable=SC2154 # the caller's
    gateway_configuration "$port" "$backend_port" "$admin_port" "$filter" |
        sed "$@" -e '' >"$folder/$name.yaml"
    # shellcheck disable=SC2154
    "$envoy" --config-path "$folder/$name.yaml" --disable-hot-restart --concurrency 1 \
        --log-level error --component-log-level "wasm:$level" \
        >/dev/null 2>"$folder/$name.log" </dev/null &
    pids+=($!)
    wait_for_envoy "$!" "$admin_port" "$folder/$name.log"
}
