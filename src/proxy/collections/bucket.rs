//! What one value of the host's shared data holds: a few records, of one collection.

use crate::engine::StoredRecord;

/// Most bytes of a bucket. A host copies the whole of it with every read and write.
pub(super) const MAX_BYTES: usize = 32 * 1024;

/// The form that [`Bucket::encode`] writes.
const VERSION: u8 = 1;

/// The records of a bucket, in the order they were first written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Bucket {
    records: Vec<(Vec<u8>, StoredRecord)>,
}

impl Bucket {
    /// Reads what [`Bucket::encode`] wrote. Of bytes that are anything else, what can be read.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let mut records = Vec::new();
        if let Some((&VERSION, mut rest)) = bytes.split_first() {
            while let Some((key, record, after)) = take_record(rest) {
                records.push((key, record));
                rest = after;
            }
        }
        Self { records }
    }

    /// A version and the records, all numbers little-endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        out.push(VERSION);
        for (key, record) in &self.records {
            for number in [
                record.expires,
                record.written,
                record.blocks_until,
                record.updates,
            ] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            for part in [key, &record.bytes] {
                let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&length.to_le_bytes());
                out.extend_from_slice(part);
            }
        }
        out
    }

    /// The record of a key.
    pub(super) fn find(&self, key: &[u8]) -> Option<&[u8]> {
        let (_, record) = self.records.iter().find(|(known, _)| known == key)?;
        Some(&record.bytes)
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Writes the record of a key. Those that have expired go; where there is no room then, others go,
    /// by [`StoredRecord::standing`] at this moment, then what would expire first. `false` for a record
    /// that has no room even alone.
    pub(super) fn put(&mut self, key: &[u8], record: StoredRecord) -> bool {
        let now = record.written;
        let taken = taken(key, &record);
        if taken.saturating_add(1) > MAX_BYTES {
            return false;
        }
        self.records
            .retain(|(known, old)| known != key && old.expires > now);
        while self.size().saturating_add(taken) > MAX_BYTES {
            let records = self.records.iter().enumerate();
            let first = records.min_by_key(|(_, (_, old))| (old.standing(now), old.expires));
            let Some((place, _)) = first else {
                break;
            };
            self.records.remove(place);
        }
        self.records.push((key.to_vec(), record));
        true
    }

    fn size(&self) -> usize {
        let sizes = self.records.iter().map(|(key, record)| taken(key, record));
        sizes.fold(1, usize::saturating_add)
    }
}

/// Bytes that a record takes in the encoded bucket: four numbers of eight bytes, two of four.
fn taken(key: &[u8], record: &StoredRecord) -> usize {
    key.len()
        .saturating_add(record.bytes.len())
        .saturating_add(40)
}

fn take_record(bytes: &[u8]) -> Option<(Vec<u8>, StoredRecord, &[u8])> {
    let (expires, rest) = take_u64(bytes)?;
    let (written, rest) = take_u64(rest)?;
    let (blocks_until, rest) = take_u64(rest)?;
    let (updates, rest) = take_u64(rest)?;
    let (key, rest) = take_bytes(rest)?;
    let (bytes, rest) = take_bytes(rest)?;
    let record = StoredRecord {
        bytes: bytes.to_vec(),
        expires,
        written,
        blocks_until,
        updates,
    };
    Some((key.to_vec(), record, rest))
}

fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}

fn take_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: usize, written: u64) -> StoredRecord {
        StoredRecord {
            bytes: vec![b'x'; length],
            expires: written.saturating_add(100),
            written,
            blocks_until: 0,
            updates: 1,
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
        let blocking = StoredRecord {
            blocks_until: 2_000,
            ..record(100, 1_000)
        };
        let counted = StoredRecord {
            updates: 5,
            expires: 1_600,
            ..record(100, 1_000)
        };
        assert!(bucket.put(b"blocked", blocking));
        assert!(bucket.put(b"counted", counted));
        // The mark is over before the record is.
        for number in 0..10_000_u32 {
            assert!(bucket.put(&number.to_le_bytes(), record(100, 1_000)));
            assert!(bucket.size() <= MAX_BYTES);
        }
        assert!(bucket.find(b"blocked").is_some());
        assert!(bucket.find(b"counted").is_some());
    }
}
