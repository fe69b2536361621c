//! What one value of the host's shared data holds: a few records, of one collection.

use std::borrow::Cow;

use crate::bytes::{push_sized, take_sized, take_u64};
use crate::engine::{Retention, StoredRecord};

/// Most bytes of a bucket. A host copies the whole of it with every read and write.
pub(super) const MAX_BYTES: usize = 32 * 1024;

/// The form that [`Bucket::encode`] writes.
const VERSION: u8 = 1;

/// The records of a bucket, in the order they were last written. What was read stays where the host
/// put it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Bucket<'a> {
    records: Vec<Placed<'a>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Placed<'a> {
    key: &'a [u8],
    record: Cow<'a, [u8]>,
    retention: Retention,
}

impl<'a> Bucket<'a> {
    /// Reads what [`Bucket::encode`] wrote. Of bytes that are anything else, what can be read.
    pub(super) fn decode(bytes: &'a [u8]) -> Self {
        let mut records = Vec::new();
        if let Some((&VERSION, mut rest)) = bytes.split_first() {
            while let Some((placed, after)) = Placed::take(rest) {
                records.push(placed);
                rest = after;
            }
        }
        Self { records }
    }

    /// A version and the records, all numbers little-endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        out.push(VERSION);
        for placed in &self.records {
            placed.push_to(&mut out);
        }
        out
    }

    /// The record of a key.
    pub(super) fn find(&self, key: &[u8]) -> Option<&[u8]> {
        let placed = self.records.iter().find(|placed| placed.key == key)?;
        Some(&placed.record)
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Writes the record of a key. Those that have expired go; where there is no room then, others go,
    /// by [`Retention::standing`] at this moment, then what would expire first. `false` for a record
    /// that has no room even alone.
    pub(super) fn put(&mut self, key: &'a [u8], record: StoredRecord) -> bool {
        let StoredRecord { bytes, retention } = record;
        let record = Cow::Owned(bytes);
        let placed = Placed {
            key,
            record,
            retention,
        };
        let now = retention.written;
        if placed.size().saturating_add(1) > MAX_BYTES {
            return false;
        }
        self.records
            .retain(|old| old.key != key && old.retention.expires > now);
        while self.size().saturating_add(placed.size()) > MAX_BYTES {
            let standings = self.records.iter().map(|old| {
                let retention = old.retention;
                (retention.standing(now), retention.expires)
            });
            let first = standings.enumerate().min_by_key(|&(_, standing)| standing);
            let Some((place, _)) = first else {
                break;
            };
            self.records.remove(place);
        }
        self.records.push(placed);
        true
    }

    fn size(&self) -> usize {
        let sizes = self.records.iter().map(Placed::size);
        sizes.fold(1, usize::saturating_add)
    }
}

impl<'a> Placed<'a> {
    fn push_to(&self, out: &mut Vec<u8>) {
        let Retention {
            expires,
            written,
            blocks_until,
            updates,
        } = self.retention;
        for number in [expires, written, blocks_until, updates] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        push_sized(out, self.key);
        push_sized(out, &self.record);
    }

    fn take(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (expires, rest) = take_u64(bytes)?;
        let (written, rest) = take_u64(rest)?;
        let (blocks_until, rest) = take_u64(rest)?;
        let (updates, rest) = take_u64(rest)?;
        let (key, rest) = take_sized(rest)?;
        let (record, rest) = take_sized(rest)?;
        let record = Cow::Borrowed(record);
        let retention = Retention {
            expires,
            written,
            blocks_until,
            updates,
        };
        let placed = Self {
            key,
            record,
            retention,
        };
        Some((placed, rest))
    }

    /// Bytes in the encoded bucket: four numbers of eight bytes, two of four.
    fn size(&self) -> usize {
        let texts = self.key.len().saturating_add(self.record.len());
        texts.saturating_add(40)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: usize, written: u64) -> StoredRecord {
        StoredRecord {
            bytes: vec![b'x'; length],
            retention: Retention {
                expires: written.saturating_add(100),
                written,
                blocks_until: 0,
                updates: 1,
            },
        }
    }

    #[test]
    fn records_come_back_as_they_were_written() {
        let mut bucket = Bucket::default();
        assert!(bucket.put(b"a", record(3, 10)));
        assert!(bucket.put(b"", record(0, 20)));
        let bytes = bucket.encode();
        assert_eq!(bytes.len(), bucket.size());
        assert_eq!(Bucket::decode(&bytes), bucket);
        assert_eq!(bucket.find(b"a"), Some(&b"xxx"[..]));
        assert_eq!(bucket.find(b"b"), None);
        for end in 0..bytes.len() {
            assert!(Bucket::decode(&bytes[..end]).len() < 2);
        }
        assert_eq!(Bucket::decode(b"\x07nothing of ours").len(), 0);
    }

    #[test]
    fn what_has_expired_goes_first_then_what_is_stale() {
        let mut bucket = Bucket::default();
        let third = MAX_BYTES / 3 - 100;
        for (key, written) in [(b"a", 50), (b"b", 0), (b"c", 60)] {
            assert!(bucket.put(key, record(third, written)));
        }
        assert!(bucket.put(b"d", record(third, 100)));
        assert_eq!(bucket.find(b"b"), None, "it has expired");
        assert!(bucket.put(b"e", record(third, 110)));
        assert_eq!(bucket.find(b"a"), None, "it is the oldest");
        assert_eq!(bucket.len(), 3);
        assert!(!bucket.put(b"f", record(MAX_BYTES, 110)));
        assert_eq!(bucket.len(), 3);
    }

    #[test]
    fn keys_made_up_do_not_wash_out_what_blocks_or_is_counted() {
        let mut bucket = Bucket::default();
        let mut blocking = record(100, 1_000);
        blocking.retention.blocks_until = 2_000;
        let mut counted = record(100, 1_000);
        counted.retention.updates = 5;
        assert!(bucket.put(b"blocked", blocking));
        assert!(bucket.put(b"counted", counted));
        // The mark is over before the record is.
        let made_up: Vec<_> = (0..10_000_u32).map(u32::to_le_bytes).collect();
        for key in &made_up {
            assert!(bucket.put(key, record(100, 1_000)));
            assert!(bucket.size() <= MAX_BYTES);
        }
        assert!(bucket.find(b"blocked").is_some());
        assert!(bucket.find(b"counted").is_some());
    }
}
