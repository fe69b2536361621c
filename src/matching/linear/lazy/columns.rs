//! Which bytes a program tells apart.

use super::super::super::syntax::ByteSet;
use super::condition::Context;

/// Bytes that no part of the pattern tells apart have one column.
#[derive(Debug)]
pub(super) struct Columns {
    of: Box<[u8; 256]>,
    /// The last one stands for the edge of the value.
    all: Box<[Column]>,
}

/// Bytes that are not told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// One of them; none for the edge of the value.
    pub(super) byte: Option<u8>,
    pub(super) context: Context,
}

impl Columns {
    /// The columns of bytes that these sets tell apart.
    pub(super) fn new(sets: &[ByteSet]) -> Self {
        // Bytes between two places where a set begins or ends are alike; what is alike elsewhere,
        // such as the cases of a letter, is found by which sets it is in.
        let starts = starts_of_runs(sets);
        let words = sets.len().div_ceil(64).max(1);
        let mut signatures = vec![0u64; words.saturating_mul(starts.len())];
        for (signature, &byte) in signatures.chunks_mut(words).zip(&starts) {
            for (word, sets) in signature.iter_mut().zip(sets.chunks(64)) {
                for (bit, set) in (0u32..).zip(sets) {
                    *word |= u64::from(set.contains(byte)).wrapping_shl(bit);
                }
            }
        }
        let mut known: Vec<(&[u64], u8)> = Vec::new();
        let mut of = Box::new([0u8; 256]);
        let mut ends = starts.iter().skip(1).map(|&start| usize::from(start));
        for (signature, &start) in signatures.chunks(words).zip(&starts) {
            let same = known.iter().position(|(other, _)| *other == signature);
            let column = same.unwrap_or_else(|| {
                known.push((signature, start));
                known.len().saturating_sub(1)
            });
            let run = usize::from(start)..ends.next().unwrap_or(256);
            let column = u8::try_from(column).unwrap_or(u8::MAX);
            of.get_mut(run).unwrap_or_default().fill(column);
        }
        let bytes = known.iter().map(|&(_, byte)| Column {
            byte: Some(byte),
            context: Context::of(byte),
        });
        let edge = Column {
            byte: None,
            context: Context::Edge,
        };
        Self {
            of,
            all: bytes.chain([edge]).collect(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The column of a byte.
    #[inline]
    pub(super) fn of(&self, byte: u8) -> usize {
        usize::from(self.of.get(usize::from(byte)).copied().unwrap_or_default())
    }

    /// The column of the edge of the value.
    pub(super) fn edge(&self) -> usize {
        self.all.len().saturating_sub(1)
    }

    /// A column.
    pub(super) fn get(&self, column: usize) -> Option<Column> {
        self.all.get(column).copied()
    }
}

/// The bytes, ascending, that are in other sets than the byte below them; the first one among them.
fn starts_of_runs(sets: &[ByteSet]) -> Vec<u8> {
    let differs = sets.iter().map(ByteSet::edges);
    let mut differs = differs.fold(ByteSet::EMPTY, |all, edges| all.union(&edges));
    differs.insert(0);
    differs.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_the_same_sets_share_a_column() {
        let sets = [
            ByteSet::of_ranges(&[(b'a', b'a'), (b'A', b'A')]),
            ByteSet::of_ranges(&[(b'a', b'z'), (b'A', b'Z')]),
            ByteSet::of(255),
        ];
        let columns = Columns::new(&sets);
        assert_eq!(columns.len(), 5);
        assert_eq!(columns.edge(), 4);
        for one in 0..=u8::MAX {
            for other in 0..=u8::MAX {
                let alike = sets
                    .iter()
                    .all(|set| set.contains(one) == set.contains(other));
                assert_eq!(columns.of(one) == columns.of(other), alike, "{one} {other}");
            }
            let column = columns.get(columns.of(one)).unwrap();
            assert_eq!(columns.of(column.byte.unwrap()), columns.of(one));
        }
        assert!(columns.get(4).unwrap().byte.is_none());
    }

    #[test]
    fn hundreds_of_sets_tell_all_bytes_apart() {
        let sets: Vec<ByteSet> = (0..=u8::MAX).map(ByteSet::of).collect();
        let columns = Columns::new(&sets);
        assert_eq!(columns.len(), 257);
        assert!((0..=u8::MAX).all(|byte| columns.of(byte) == usize::from(byte)));
        assert_eq!(Columns::new(&[]).len(), 2);
    }
}
