//! The filter's linear memory, seen from an import.

use wasmtime::{Caller, Memory};

use super::state::State;

/// Answers of the ABI's functions.
pub(super) mod status {
    pub(crate) const OK: u32 = 0;
    pub(crate) const NOT_FOUND: u32 = 1;
    pub(crate) const BAD_ARGUMENT: u32 = 2;
    pub(crate) const PARSE_FAILURE: u32 = 4;
    pub(crate) const INVALID_MEMORY_ACCESS: u32 = 6;
    pub(crate) const EMPTY: u32 = 7;
    pub(crate) const CAS_MISMATCH: u32 = 8;
    pub(crate) const INTERNAL_FAILURE: u32 = 10;
}

/// The calling filter.
pub(super) type Guest<'a> = Caller<'a, State>;

/// Why an import could not do its work; each answers its own status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault(pub(super) u32);

/// The memory of the calling filter.
pub(super) fn memory(guest: &mut Guest<'_>) -> Result<Memory, Fault> {
    if let Some(memory) = guest.data().memory {
        return Ok(memory);
    }
    guest
        .get_export("memory")
        .and_then(wasmtime::Extern::into_memory)
        .ok_or(Fault(status::INVALID_MEMORY_ACCESS))
}

/// Copies bytes out of the filter.
pub(super) fn read(guest: &mut Guest<'_>, at: u32, length: u32) -> Result<Vec<u8>, Fault> {
    let memory = memory(guest)?;
    let start = index(at)?;
    let end = start
        .checked_add(index(length)?)
        .ok_or(Fault(status::INVALID_MEMORY_ACCESS))?;
    let bytes = memory.data(&*guest).get(start..end);
    bytes
        .map(<[u8]>::to_vec)
        .ok_or(Fault(status::INVALID_MEMORY_ACCESS))
}

/// Copies bytes into the filter.
pub(super) fn write(guest: &mut Guest<'_>, at: u32, bytes: &[u8]) -> Result<(), Fault> {
    let memory = memory(guest)?;
    memory
        .write(guest, index(at)?, bytes)
        .map_err(|_| Fault(status::INVALID_MEMORY_ACCESS))
}

/// Writes a 32-bit number.
pub(super) fn write_u32(guest: &mut Guest<'_>, at: u32, value: u32) -> Result<(), Fault> {
    write(guest, at, &value.to_le_bytes())
}

/// Writes a 64-bit number.
pub(super) fn write_u64(guest: &mut Guest<'_>, at: u32, value: u64) -> Result<(), Fault> {
    write(guest, at, &value.to_le_bytes())
}

/// Hands bytes over in memory that the filter allocates, and stores address and length. Empty
/// bytes are a null address, as in Envoy.
///
/// # Errors
///
/// A trap of the filter's allocator, which kills the VM.
pub(super) fn give(
    guest: &mut Guest<'_>,
    bytes: &[u8],
    address_at: u32,
    length_at: u32,
) -> wasmtime::Result<Result<(), Fault>> {
    let Ok(length) = u32::try_from(bytes.len()) else {
        return Ok(Err(Fault(status::INTERNAL_FAILURE)));
    };
    let address = if length == 0 {
        0
    } else {
        let Some(allocate) = guest.data().allocate.clone() else {
            return Ok(Err(Fault(status::INTERNAL_FAILURE)));
        };
        allocate.call(&mut *guest, length)?
    };
    Ok(write(guest, address, bytes)
        .and_then(|()| write_u32(guest, address_at, address))
        .and_then(|()| write_u32(guest, length_at, length)))
}

/// The status of a finished import.
pub(super) fn answer(result: Result<(), Fault>) -> u32 {
    result.map_or_else(|fault| fault.0, |()| status::OK)
}

fn index(value: u32) -> Result<usize, Fault> {
    usize::try_from(value).map_err(|_| Fault(status::INVALID_MEMORY_ACCESS))
}
