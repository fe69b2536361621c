//! Bodies and configurations.

use super::super::guest::{self, Fault, Guest, answer, status};
use super::super::state::State;
use super::super::stream::Direction;

/// `proxy_get_buffer_bytes`: reading past the end gives fewer bytes, or none.
pub(super) fn get(
    mut guest: Guest<'_>,
    buffer: u32,
    start: u32,
    length: u32,
    data_at: u32,
    size_at: u32,
) -> wasmtime::Result<u32> {
    let bytes = match contents(guest.data_mut(), buffer) {
        Ok(bytes) => bytes,
        Err(fault) => return Ok(fault.0),
    };
    let skip = usize::try_from(start).unwrap_or(usize::MAX);
    let take = usize::try_from(length).unwrap_or(usize::MAX);
    let bytes: Vec<u8> = bytes.iter().skip(skip).take(take).copied().collect();
    Ok(answer(guest::give(&mut guest, &bytes, data_at, size_at)?))
}

/// `proxy_get_buffer_status`
pub(super) fn status_of(mut guest: Guest<'_>, buffer: u32, size_at: u32, flags_at: u32) -> u32 {
    let result = contents(guest.data_mut(), buffer)
        .map(<[u8]>::len)
        .and_then(|length| u32::try_from(length).map_err(|_| Fault(status::INTERNAL_FAILURE)))
        .and_then(|length| guest::write_u32(&mut guest, size_at, length))
        .and_then(|()| guest::write_u32(&mut guest, flags_at, 0));
    answer(result)
}

/// `proxy_set_buffer_bytes`: (0, 0) puts in front, (0, everything) replaces, (end, any) appends;
/// Envoy refuses the middle.
pub(super) fn set(
    mut guest: Guest<'_>,
    buffer: u32,
    start: u32,
    length: u32,
    data: u32,
    size: u32,
) -> u32 {
    let result = (|| {
        let data = guest::read(&mut guest, data, size)?;
        let body = body(guest.data_mut(), buffer)?;
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if start >= body.len() && start > 0 {
            body.extend_from_slice(&data);
        } else if start == 0 && length == 0 {
            body.splice(0..0, data);
        } else if start == 0 && length >= body.len() {
            *body = data;
        } else {
            return Err(Fault(status::BAD_ARGUMENT));
        }
        Ok(())
    })();
    answer(result)
}

fn contents(state: &mut State, buffer: u32) -> Result<&[u8], Fault> {
    match buffer {
        6 => Ok(&state.settings.vm_configuration),
        7 => Ok(&state.configuration),
        _ => body(state, buffer).map(|body| body.as_slice()),
    }
}

fn body(state: &mut State, buffer: u32) -> Result<&mut Vec<u8>, Fault> {
    let direction = match buffer {
        0 => Direction::Request,
        1 => Direction::Response,
        _ => return Err(Fault(status::BAD_ARGUMENT)),
    };
    state
        .stream_mut()
        .and_then(|stream| stream.buffer_mut(direction))
        .ok_or(Fault(status::NOT_FOUND))
}
