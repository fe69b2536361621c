//! Header maps. A map that cannot be read in the current callback answers `BadArgument`.

use super::super::Pairs;
use super::super::guest::{self, Fault, Guest, answer, status};
use super::super::pairs as encoding;
use super::super::state::State;
use super::super::stream::{Map, alias, first};

/// `proxy_get_header_map_pairs`
pub(super) fn pairs(
    mut guest: Guest<'_>,
    map: u32,
    data_at: u32,
    size_at: u32,
) -> wasmtime::Result<u32> {
    let encoded = match readable(guest.data(), map) {
        Ok(pairs) => encoding::encode(pairs),
        Err(fault) => return Ok(fault.0),
    };
    Ok(answer(guest::give(&mut guest, &encoded, data_at, size_at)?))
}

/// `proxy_get_header_map_size`
pub(super) fn size(mut guest: Guest<'_>, map: u32, size_at: u32) -> u32 {
    let result = readable(guest.data(), map)
        .map(|pairs| encoding::encode(pairs).len())
        .and_then(|length| u32::try_from(length).map_err(|_| Fault(status::INTERNAL_FAILURE)))
        .and_then(|length| guest::write_u32(&mut guest, size_at, length));
    answer(result)
}

/// `proxy_set_header_map_pairs`
pub(super) fn set_pairs(mut guest: Guest<'_>, map: u32, data: u32, size: u32) -> u32 {
    let result = (|| {
        let data = guest::read(&mut guest, data, size)?;
        *writable(guest.data_mut(), map)? = encoding::decode(&data);
        Ok(())
    })();
    answer(result)
}

/// `proxy_get_header_map_value`: the first value of the name.
pub(super) fn value(
    mut guest: Guest<'_>,
    map: u32,
    name: u32,
    name_length: u32,
    value_at: u32,
    size_at: u32,
) -> wasmtime::Result<u32> {
    let found = guest::read(&mut guest, name, name_length).and_then(|name| {
        let pairs = readable(guest.data(), map)?;
        first(pairs, &name)
            .map(<[u8]>::to_vec)
            .ok_or(Fault(status::NOT_FOUND))
    });
    match found {
        Ok(value) => Ok(answer(guest::give(&mut guest, &value, value_at, size_at)?)),
        Err(fault) => Ok(fault.0),
    }
}

/// `proxy_add_header_map_value`
pub(super) fn add(
    mut guest: Guest<'_>,
    map: u32,
    name: u32,
    name_length: u32,
    value: u32,
    value_length: u32,
) -> u32 {
    let result = (|| {
        let name = guest::read(&mut guest, name, name_length)?;
        let value = guest::read(&mut guest, value, value_length)?;
        writable(guest.data_mut(), map)?.push((alias(&name).to_ascii_lowercase(), value));
        Ok(())
    })();
    answer(result)
}

/// `proxy_replace_header_map_value`: one pair is left of all with the name.
pub(super) fn replace(
    mut guest: Guest<'_>,
    map: u32,
    name: u32,
    name_length: u32,
    value: u32,
    value_length: u32,
) -> u32 {
    let result = (|| {
        let name = guest::read(&mut guest, name, name_length)?;
        let value = guest::read(&mut guest, value, value_length)?;
        let pairs = writable(guest.data_mut(), map)?;
        let name = alias(&name).to_ascii_lowercase();
        match pairs
            .iter_mut()
            .find(|(key, _)| key.eq_ignore_ascii_case(&name))
        {
            Some(pair) => {
                pair.1 = value;
                let mut seen = false;
                pairs.retain(|(key, _)| {
                    let same = key.eq_ignore_ascii_case(&name);
                    !same || !std::mem::replace(&mut seen, true)
                });
            }
            None => pairs.push((name, value)),
        }
        Ok(())
    })();
    answer(result)
}

/// `proxy_remove_header_map_value`: removing what is not there is fine.
pub(super) fn remove(mut guest: Guest<'_>, map: u32, name: u32, name_length: u32) -> u32 {
    let result = (|| {
        let name = guest::read(&mut guest, name, name_length)?;
        let name = alias(&name);
        writable(guest.data_mut(), map)?.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        Ok(())
    })();
    answer(result)
}

fn readable(state: &State, map: u32) -> Result<&Pairs, Fault> {
    let map = Map::from_abi(map).ok_or(Fault(status::BAD_ARGUMENT))?;
    state
        .stream()
        .and_then(|stream| stream.map(map))
        .ok_or(Fault(status::BAD_ARGUMENT))
}

fn writable(state: &mut State, map: u32) -> Result<&mut Pairs, Fault> {
    let map = Map::from_abi(map).ok_or(Fault(status::BAD_ARGUMENT))?;
    state
        .stream_mut()
        .and_then(|stream| stream.map_mut(map))
        .ok_or(Fault(status::BAD_ARGUMENT))
}
