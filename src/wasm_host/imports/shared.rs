//! Data and queues shared between VMs.

use std::collections::VecDeque;

use super::super::guest::{self, Fault, Guest, answer, status};
use super::super::state::Queue;

/// `proxy_get_shared_data`
pub(super) fn get(
    mut guest: Guest<'_>,
    key: u32,
    key_length: u32,
    value_at: u32,
    size_at: u32,
    cas_at: u32,
) -> wasmtime::Result<u32> {
    let found = guest::read(&mut guest, key, key_length).and_then(|key| {
        let shared = guest.data().shared.borrow();
        shared
            .data
            .get(&key)
            .cloned()
            .ok_or(Fault(status::NOT_FOUND))
    });
    match found {
        Ok((value, cas)) => {
            let given = guest::give(&mut guest, &value, value_at, size_at)?;
            Ok(answer(
                given.and_then(|()| guest::write_u32(&mut guest, cas_at, cas)),
            ))
        }
        Err(fault) => Ok(fault.0),
    }
}

/// `proxy_set_shared_data`: a number other than 0 must be the current one, if there is a value.
pub(super) fn set(
    mut guest: Guest<'_>,
    key: u32,
    key_length: u32,
    value: u32,
    value_length: u32,
    cas: u32,
) -> u32 {
    let result = (|| {
        let key = guest::read(&mut guest, key, key_length)?;
        let value = guest::read(&mut guest, value, value_length)?;
        let mut shared = guest.data().shared.borrow_mut();
        let known = shared.data.get(&key).map(|(_, cas)| *cas);
        if known.is_some_and(|current| cas != 0 && cas != current) {
            return Err(Fault(status::CAS_MISMATCH));
        }
        let current = known.unwrap_or(0);
        shared
            .data
            .insert(key, (value, current.checked_add(1).unwrap_or(1)));
        Ok(())
    })();
    answer(result)
}

/// `proxy_register_shared_queue`: a name registered again keeps its number.
pub(super) fn register_queue(mut guest: Guest<'_>, name: u32, name_length: u32, id_at: u32) -> u32 {
    let result = (|| {
        let name = guest::read(&mut guest, name, name_length)?;
        let vm_id = guest.data().settings.vm_id.clone().into_bytes();
        let id = {
            let mut shared = guest.data().shared.borrow_mut();
            let known = shared
                .queues
                .iter()
                .position(|queue| queue.vm_id == vm_id && queue.name == name);
            let index = known.unwrap_or_else(|| {
                shared.queues.push(Queue {
                    vm_id,
                    name,
                    messages: VecDeque::new(),
                });
                shared.queues.len().saturating_sub(1)
            });
            number(index)?
        };
        guest::write_u32(&mut guest, id_at, id)
    })();
    answer(result)
}

/// `proxy_resolve_shared_queue`
pub(super) fn resolve_queue(
    mut guest: Guest<'_>,
    vm_id: u32,
    vm_id_length: u32,
    name: u32,
    name_length: u32,
    id_at: u32,
) -> u32 {
    let result = (|| {
        let vm_id = guest::read(&mut guest, vm_id, vm_id_length)?;
        let name = guest::read(&mut guest, name, name_length)?;
        let id = {
            let shared = guest.data().shared.borrow();
            let known = shared
                .queues
                .iter()
                .position(|queue| queue.vm_id == vm_id && queue.name == name);
            number(known.ok_or(Fault(status::NOT_FOUND))?)?
        };
        guest::write_u32(&mut guest, id_at, id)
    })();
    answer(result)
}

/// `proxy_enqueue_shared_queue`. This host does not wake the VM that registered the queue.
pub(super) fn enqueue(mut guest: Guest<'_>, id: u32, value: u32, value_length: u32) -> u32 {
    let result = (|| {
        let value = guest::read(&mut guest, value, value_length)?;
        let mut shared = guest.data().shared.borrow_mut();
        let queue = index(id).and_then(|index| shared.queues.get_mut(index));
        queue
            .ok_or(Fault(status::NOT_FOUND))?
            .messages
            .push_back(value);
        Ok(())
    })();
    answer(result)
}

/// `proxy_dequeue_shared_queue`
pub(super) fn dequeue(
    mut guest: Guest<'_>,
    id: u32,
    value_at: u32,
    size_at: u32,
) -> wasmtime::Result<u32> {
    let taken = {
        let mut shared = guest.data().shared.borrow_mut();
        match index(id).and_then(|index| shared.queues.get_mut(index)) {
            None => Err(status::NOT_FOUND),
            Some(queue) => queue.messages.pop_front().ok_or(status::EMPTY),
        }
    };
    match taken {
        Ok(value) => Ok(answer(guest::give(&mut guest, &value, value_at, size_at)?)),
        Err(status) => Ok(status),
    }
}

fn number(index: usize) -> Result<u32, Fault> {
    u32::try_from(index.saturating_add(1)).map_err(|_| Fault(status::INTERNAL_FAILURE))
}

fn index(id: u32) -> Option<usize> {
    usize::try_from(id).ok()?.checked_sub(1)
}
