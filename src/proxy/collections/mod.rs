//! Persistent collections in the host's shared data: what rules count is the same for all workers,
//! and outlives a new configuration.
//!
//! The host never forgets a key and sets no limit. So there is a fixed number of keys for each
//! collection, and each has a bucket of records: memory is bounded by construction, whatever clients
//! make up. Which bucket a record stands in follows from a hash with a key that nobody outside can
//! know; the VMs agree on it through the shared data.

mod bucket;

use std::cell::OnceCell;
use std::hash::Hasher as _;
use std::rc::Rc;

use siphasher::sip::SipHasher13;

use super::host::{Host, HostError, Level};
use super::log;
use super::metrics::{Count, Labels};
use super::vm::Vm;
use crate::engine::{CollectionStore, MemoryCollections, StoredRecord};
use bucket::Bucket;

/// How many buckets a collection has: 8 MiB of records at most, in the host, for each collection that
/// rules open.
const BUCKETS: u64 = 256;

/// How often a write is tried while others come between. Each time one of them has succeeded.
const TRIES: usize = 256;

/// After how many tries both kinds of hosts have been asked (see [`absent`]).
const TRIES_OF_HOST: usize = 4;

/// Where the key of the hash stands in the shared data.
const HASH_KEY: &[u8] = b"parapet.collections";

/// The collections of one space: those of all rules of a VM that decide are one, as with v2's
/// SecDataDir; each shadow has its own.
#[derive(Debug)]
pub(super) struct SharedCollections {
    host: Rc<dyn Host>,
    vm: Rc<Vm>,
    space: Box<str>,
    /// What tells buckets apart; none where the host shares no data.
    hash_key: OnceCell<Option<[u8; 16]>>,
    /// Where the host shares no data.
    own: MemoryCollections,
}

impl SharedCollections {
    /// The collections of a shadow, or of the rules that decide. Nothing is asked of the host before a
    /// rule opens one.
    pub(super) fn new(host: Rc<dyn Host>, vm: Rc<Vm>, shadow: Option<&str>) -> Self {
        Self {
            host,
            vm,
            space: shadow.unwrap_or_default().into(),
            hash_key: OnceCell::new(),
            own: MemoryCollections::default(),
        }
    }

    /// The host's key of the bucket that a record stands in, which begins with its collection's name.
    fn place(&self, key: &[u8]) -> Option<Vec<u8>> {
        let agreed = || match self.agree() {
            Ok(hash_key) => Some(hash_key),
            Err(error) => {
                let text = format!(
                    "the host shares no data ({error:?}): persistent collections are those of one \
                     worker"
                );
                log::line(&*self.host, Level::Warn, &text);
                None
            }
        };
        let hash_key = (*self.hash_key.get_or_init(agreed))?;
        let mut hasher = SipHasher13::new_with_key(&hash_key);
        hasher.write(key);
        let number = hasher.finish().checked_rem(BUCKETS).unwrap_or(0);
        let parts = [
            HASH_KEY,
            self.space.as_bytes(),
            collection_of(key),
            &number.to_le_bytes(),
        ];
        Some(parts.join(&0))
    }

    /// The key of the hash: the first VM draws it.
    fn agree(&self) -> Result<[u8; 16], HostError> {
        let mut refused = HostError::CasMismatch;
        for tried in 0..=TRIES_OF_HOST {
            match self.host.shared_data(HASH_KEY) {
                Ok((bytes, _)) => {
                    return <[u8; 16]>::try_from(bytes).map_err(|_| HostError::Malformed);
                }
                Err(HostError::NotFound) => {}
                Err(other) => return Err(other),
            }
            let mut drawn = [0; 16];
            // Where there are none, the bytes are only as hard to guess as the time.
            let _ = self.host.random(&mut drawn);
            // Another VM may be first: what is there then is read again.
            if let Err(error) = self.host.set_shared_data(HASH_KEY, &drawn, absent(tried)) {
                refused = error;
            }
        }
        Err(refused)
    }

    /// One try to write; `None` if somebody else came between.
    fn try_update(
        &self,
        place: &[u8],
        key: &[u8],
        tried: usize,
        change: &mut dyn FnMut(Option<&[u8]>) -> StoredRecord,
    ) -> Option<bool> {
        let (stored, cas) = match self.host.shared_data(place) {
            Ok(found) => found,
            Err(HostError::NotFound) => (Vec::new(), absent(tried)),
            Err(_) => return Some(false),
        };
        let mut bucket = Bucket::decode(&stored);
        let before = bucket.len();
        let record = change(bucket.find(key));
        if !bucket.put(key, record) {
            return Some(false);
        }
        match self.host.set_shared_data(place, &bucket.encode(), cas) {
            Ok(()) => {
                self.note_keys(key, before, bucket.len());
                Some(true)
            }
            Err(HostError::CasMismatch) => None,
            Err(_) => Some(false),
        }
    }

    /// Keeps the gauge of a collection's keys.
    fn note_keys(&self, key: &[u8], before: usize, after: usize) {
        let signed = |keys: usize| i64::try_from(keys).unwrap_or(i64::MAX);
        let grown = signed(after).saturating_sub(signed(before));
        if grown != 0 {
            let collection = String::from_utf8_lossy(collection_of(key));
            self.vm.metrics.add_keys(&*self.host, &collection, grown);
        }
    }
}

impl CollectionStore for SharedCollections {
    fn load(&self, key: &[u8]) -> Option<Vec<u8>> {
        let Some(place) = self.place(key) else {
            return self.own.load(key);
        };
        let (bytes, _) = self.host.shared_data(&place).ok()?;
        Bucket::decode(&bytes).find(key).map(<[u8]>::to_vec)
    }

    fn update(&self, key: &[u8], change: &mut dyn FnMut(Option<&[u8]>) -> StoredRecord) -> bool {
        let Some(place) = self.place(key) else {
            return self.own.update(key, change);
        };
        for tried in 0..TRIES {
            if let Some(written) = self.try_update(&place, key, tried, change) {
                if !written {
                    break;
                }
                return true;
            }
            self.vm
                .metrics
                .count(&*self.host, Count::CollectionConflict, &Labels::default());
        }
        self.vm
            .metrics
            .count(&*self.host, Count::CollectionLost, &Labels::default());
        false
    }
}

/// The name of the collection that a record's key begins with.
fn collection_of(key: &[u8]) -> &[u8] {
    key.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The number to write a value with that was not there. One that no write ever has lets the host refuse
/// it if the value is there by now; a host that refuses it in any case takes 0, now and then.
const fn absent(tried: usize) -> u32 {
    if tried % TRIES_OF_HOST == TRIES_OF_HOST - 1 {
        0
    } else {
        u32::MAX
    }
}

#[cfg(test)]
mod tests;
