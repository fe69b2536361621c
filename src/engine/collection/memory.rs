//! Records in memory: of one process, or one VM of a proxy.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::record::MAX_BYTES;
use super::{CollectionStore, Standing, StoredRecord};

/// Bytes of keys and records that are kept unless told otherwise: 8 MiB.
const DEFAULT_LIMIT: usize = 8 * 1024 * 1024;

/// Persistent collections in memory. When there is no more room, what has expired goes first, then by
/// [`Retention::standing`](super::Retention::standing), then what would expire first.
#[derive(Debug)]
pub struct MemoryCollections {
    limit: usize,
    records: RefCell<Records>,
}

#[derive(Debug, Default)]
struct Records {
    by_key: HashMap<Rc<[u8]>, StoredRecord>,
    by_expiry: BTreeSet<(u64, Rc<[u8]>)>,
    by_standing: BTreeSet<(Standing, u64, Rc<[u8]>)>,
    bytes: usize,
}

impl Default for MemoryCollections {
    fn default() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }
}

impl MemoryCollections {
    /// A store that keeps so many bytes of keys and records.
    pub fn with_limit(bytes: usize) -> Self {
        Self {
            limit: bytes,
            records: RefCell::default(),
        }
    }
}

impl CollectionStore for MemoryCollections {
    fn load(&self, key: &[u8]) -> Option<Vec<u8>> {
        let records = self.records.try_borrow().ok()?;
        Some(records.by_key.get(key)?.bytes.clone())
    }

    fn update(&self, key: &[u8], change: &mut dyn FnMut(Option<&[u8]>) -> StoredRecord) -> bool {
        let Ok(mut records) = self.records.try_borrow_mut() else {
            return false;
        };
        let stored = records.by_key.get(key).map(|old| old.bytes.as_slice());
        let record = change(stored);
        records.remove(key);
        let size = size(key, &record);
        if record.bytes.len() > MAX_BYTES || size > self.limit {
            return false;
        }
        while records.bytes.saturating_add(size) > self.limit {
            let Some(first) = records.first_to_go(record.retention.written) else {
                break;
            };
            records.remove(&first);
        }
        records.insert(key, record);
        true
    }
}

impl Records {
    fn first_to_go(&self, now: u64) -> Option<Rc<[u8]>> {
        let (expires, key) = self.by_expiry.first()?;
        if *expires <= now {
            return Some(Rc::clone(key));
        }
        let (_, _, key) = self.by_standing.first()?;
        Some(Rc::clone(key))
    }

    fn insert(&mut self, key: &[u8], record: StoredRecord) {
        let key: Rc<[u8]> = key.into();
        self.bytes = self.bytes.saturating_add(size(&key, &record));
        let expires = record.retention.expires;
        self.by_expiry.insert((expires, Rc::clone(&key)));
        let standing = record.retention.standing(record.retention.written);
        self.by_standing
            .insert((standing, expires, Rc::clone(&key)));
        self.by_key.insert(key, record);
    }

    fn remove(&mut self, key: &[u8]) {
        if let Some((key, old)) = self.by_key.remove_entry(key) {
            self.bytes = self.bytes.saturating_sub(size(&key, &old));
            let expires = old.retention.expires;
            self.by_expiry.remove(&(expires, Rc::clone(&key)));
            let standing = old.retention.standing(old.retention.written);
            self.by_standing.remove(&(standing, expires, key));
        }
    }
}

/// Bytes that a record takes, without the tables around it.
fn size(key: &[u8], record: &StoredRecord) -> usize {
    key.len().saturating_add(record.bytes.len())
}

#[cfg(test)]
mod tests {
    use super::super::Retention;
    use super::*;

    fn put(store: &MemoryCollections, key: &str, length: usize, expires: u64) -> bool {
        store.update(key.as_bytes(), &mut |_| StoredRecord {
            bytes: vec![b'x'; length],
            retention: until(expires),
        })
    }

    fn until(expires: u64) -> Retention {
        Retention {
            expires,
            written: 0,
            blocks_until: 0,
            updates: 1,
        }
    }

    #[test]
    fn changes_start_from_what_is_stored() {
        let store = MemoryCollections::default();
        assert_eq!(store.load(b"k"), None);
        for expected in 1..4 {
            let mut seen = None;
            assert!(store.update(b"k", &mut |old| {
                let mut bytes = old.unwrap_or_default().to_vec();
                bytes.push(b'x');
                seen = Some(bytes.len());
                StoredRecord {
                    bytes,
                    retention: until(9),
                }
            }));
            assert_eq!(seen, Some(expected));
        }
        assert_eq!(store.load(b"k"), Some(b"xxx".to_vec()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let store = MemoryCollections::with_limit(100);
        assert!(put(&store, "a", 30, 20));
        assert!(put(&store, "b", 30, 10));
        assert!(put(&store, "c", 30, 30));
        assert!(put(&store, "d", 30, 40));
        // The one that would have gone first made room.
        assert_eq!(store.load(b"b"), None);
        assert!(store.load(b"a").is_some());
        assert!(!put(&store, "e", 200, 50));
        for number in 0..1000 {
            assert!(put(&store, &format!("key{number}"), 20, number));
        }
        let records = store.records.borrow();
        assert!(records.bytes <= 100);
        assert_eq!(records.by_key.len(), records.by_expiry.len());
    }

    #[test]
    fn a_record_too_large_is_not_kept() {
        let store = MemoryCollections::default();
        assert!(!put(&store, "k", MAX_BYTES + 1, 10));
        assert_eq!(store.load(b"k"), None);
    }
}
