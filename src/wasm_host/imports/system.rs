//! Log, clocks, contexts, properties.

use super::super::guest::{self, Fault, Guest, answer, status};
use super::super::properties;
use super::super::settings::LogLevel;

/// `proxy_log`
pub(super) fn log(mut guest: Guest<'_>, level: u32, text: u32, length: u32) -> u32 {
    let result = (|| {
        let level = LogLevel::from_abi(level).ok_or(Fault(status::BAD_ARGUMENT))?;
        let text = guest::read(&mut guest, text, length)?;
        guest.data_mut().log(level, text);
        Ok(())
    })();
    answer(result)
}

/// `proxy_get_log_level`
pub(super) fn log_level(mut guest: Guest<'_>, level_at: u32) -> u32 {
    let level = guest.data().settings.log_level.abi();
    answer(guest::write_u32(&mut guest, level_at, level))
}

/// `proxy_get_current_time_nanoseconds`
pub(super) fn current_time(mut guest: Guest<'_>, time_at: u32) -> u32 {
    let now = guest.data().settings.clock.wall();
    answer(guest::write_u64(&mut guest, time_at, now))
}

/// `proxy_set_tick_period_milliseconds`
pub(super) fn set_tick_period(mut guest: Guest<'_>, period: u32) -> u32 {
    guest.data_mut().tick_period = period;
    status::OK
}

/// `proxy_set_effective_context`
pub(super) fn set_effective_context(mut guest: Guest<'_>, context: u32) -> u32 {
    let state = guest.data_mut();
    if context != super::super::plugin::ROOT && !state.streams.contains_key(&context) {
        return status::BAD_ARGUMENT;
    }
    state.context = context;
    status::OK
}

/// `proxy_done`
pub(super) fn done(mut guest: Guest<'_>) -> u32 {
    guest.data_mut().done = true;
    status::OK
}

/// `proxy_get_property`
pub(super) fn property(
    mut guest: Guest<'_>,
    path: u32,
    length: u32,
    value_at: u32,
    size_at: u32,
) -> wasmtime::Result<u32> {
    let path = match guest::read(&mut guest, path, length) {
        Ok(path) => path,
        Err(fault) => return Ok(fault.0),
    };
    match properties::lookup(guest.data(), &path) {
        Some(value) => Ok(answer(guest::give(&mut guest, &value, value_at, size_at)?)),
        None => Ok(status::NOT_FOUND),
    }
}

/// `proxy_set_property`: Envoy keeps it as filter state under `wasm.` and the path.
pub(super) fn set_property(
    mut guest: Guest<'_>,
    path: u32,
    path_length: u32,
    value: u32,
    value_length: u32,
) -> u32 {
    let result = (|| {
        let path = guest::read(&mut guest, path, path_length)?;
        let value = guest::read(&mut guest, value, value_length)?;
        let stream = guest
            .data_mut()
            .stream_mut()
            .ok_or(Fault(status::NOT_FOUND))?;
        let mut key = b"wasm.".to_vec();
        key.extend(path.iter().map(|&byte| if byte == 0 { b'.' } else { byte }));
        stream.filter_state.insert(key, value);
        Ok(())
    })();
    answer(result)
}

/// `proxy_get_status`: the status of the last gRPC call, of which there was none.
pub(super) fn call_status(
    mut guest: Guest<'_>,
    code_at: u32,
    message_at: u32,
    size_at: u32,
) -> wasmtime::Result<u32> {
    if let Err(fault) = guest::write_u32(&mut guest, code_at, 0) {
        return Ok(fault.0);
    }
    Ok(answer(guest::give(&mut guest, &[], message_at, size_at)?))
}

/// `proxy_call_foreign_function`: none is registered.
pub(super) fn foreign_function(
    _guest: Guest<'_>,
    _name: u32,
    _name_length: u32,
    _arguments: u32,
    _arguments_length: u32,
    _results_at: u32,
    _results_length_at: u32,
) -> u32 {
    status::NOT_FOUND
}
