//! The WASI functions that every proxy has.

use super::super::guest::{self, Fault, Guest};
use super::super::settings::LogLevel;

const SUCCESS: u32 = 0;
const BAD_DESCRIPTOR: u32 = 8;
const FAULT: u32 = 21;
const INVALID: u32 = 28;
/// Envoy hands out no more random bytes in one go.
const RANDOM_LIMIT: u32 = 64 << 10;

/// `fd_write`: standard output goes to the log at info, standard error at error.
pub(super) fn fd_write(
    mut guest: Guest<'_>,
    descriptor: u32,
    vectors: u32,
    count: u32,
    written_at: u32,
) -> u32 {
    let level = match descriptor {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return BAD_DESCRIPTOR,
    };
    errno((|| {
        let table = guest::read(&mut guest, vectors, count.saturating_mul(8))?;
        let mut text = Vec::new();
        for vector in table.chunks_exact(8) {
            let (address, length) = vector.split_at_checked(4).unwrap_or_default();
            text.extend(guest::read(&mut guest, number(address), number(length))?);
        }
        let written = u32::try_from(text.len()).unwrap_or(u32::MAX);
        while text.last() == Some(&b'\n') {
            text.pop();
        }
        guest.data_mut().log(level, text);
        guest::write_u32(&mut guest, written_at, written)
    })())
}

/// `clock_time_get`: real time and monotonic time.
pub(super) fn clock_time(mut guest: Guest<'_>, clock: u32, _precision: u64, time_at: u32) -> u32 {
    let clocks = &guest.data().settings.clock;
    let now = match clock {
        0 => clocks.wall(),
        1 => clocks.monotonic(),
        _ => return INVALID,
    };
    errno(guest::write_u64(&mut guest, time_at, now))
}

/// `random_get`
pub(super) fn random(mut guest: Guest<'_>, at: u32, length: u32) -> u32 {
    if length > RANDOM_LIMIT {
        return INVALID;
    }
    let state = guest.data_mut();
    let bytes: Vec<u8> = (0..length).map(|_| state.random_byte()).collect();
    errno(guest::write(&mut guest, at, &bytes))
}

/// `environ_sizes_get`
pub(super) fn environment_sizes(mut guest: Guest<'_>, count_at: u32, size_at: u32) -> u32 {
    let entries = entries(&guest);
    let size: usize = entries.iter().map(Vec::len).sum();
    errno(
        guest::write_u32(&mut guest, count_at, short(entries.len()))
            .and_then(|()| guest::write_u32(&mut guest, size_at, short(size))),
    )
}

/// `environ_get`
pub(super) fn environment(mut guest: Guest<'_>, mut pointers: u32, mut texts: u32) -> u32 {
    for entry in entries(&guest) {
        let written = guest::write_u32(&mut guest, pointers, texts)
            .and_then(|()| guest::write(&mut guest, texts, &entry));
        if written.is_err() {
            return FAULT;
        }
        pointers = pointers.saturating_add(4);
        texts = texts.saturating_add(short(entry.len()));
    }
    SUCCESS
}

/// `args_sizes_get`: there are none.
pub(super) fn arguments_sizes(mut guest: Guest<'_>, count_at: u32, size_at: u32) -> u32 {
    errno(
        guest::write_u32(&mut guest, count_at, 0)
            .and_then(|()| guest::write_u32(&mut guest, size_at, 0)),
    )
}

/// `args_get`
pub(super) fn arguments(_guest: Guest<'_>, _pointers: u32, _texts: u32) -> u32 {
    SUCCESS
}

/// `proc_exit`: ends the VM as a trap does.
pub(super) fn exit(_guest: Guest<'_>, code: u32) -> wasmtime::Result<()> {
    Err(wasmtime::Error::msg(format!(
        "the filter ended itself with exit code {code}"
    )))
}

fn entries(guest: &Guest<'_>) -> Vec<Vec<u8>> {
    let environment = &guest.data().settings.environment;
    environment
        .iter()
        .map(|(name, value)| format!("{name}={value}\0").into_bytes())
        .collect()
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk::<4>()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn errno(result: Result<(), Fault>) -> u32 {
    result.map_or(FAULT, |()| SUCCESS)
}
