//! Sets of bytes.

use crate::bytes::set_bits;

/// A set of bytes: what one position of a pattern accepts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(in crate::matching) struct ByteSet([u64; 4]);

impl ByteSet {
    /// No byte: a position that never matches.
    pub(in crate::matching) const EMPTY: Self = Self([0; 4]);
    /// Every byte.
    pub(in crate::matching) const ALL: Self = Self([u64::MAX; 4]);

    /// One byte.
    pub(in crate::matching) fn of(byte: u8) -> Self {
        let mut set = Self::EMPTY;
        set.insert(byte);
        set
    }

    /// The bytes of the given inclusive ranges.
    pub(in crate::matching) fn of_ranges(ranges: &[(u8, u8)]) -> Self {
        let mut set = Self::EMPTY;
        for &(low, high) in ranges {
            set.insert_range(low, high);
        }
        set
    }

    /// Adds a byte.
    pub(in crate::matching) fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1u64.wrapping_shl(u32::from(byte));
        }
    }

    /// Adds the bytes from `low` to `high`, both included.
    pub(in crate::matching) fn insert_range(&mut self, low: u8, high: u8) {
        for byte in low..=high {
            self.insert(byte);
        }
    }

    /// Whether a byte is in it.
    pub(in crate::matching) fn contains(&self, byte: u8) -> bool {
        self.0
            .get(usize::from(byte >> 6))
            .is_some_and(|word| word & 1u64.wrapping_shl(u32::from(byte)) != 0)
    }

    /// Whether nothing is in it.
    pub(in crate::matching) fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The bytes of either set.
    pub(in crate::matching) fn union(&self, other: &Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a | e, b | f, c | g, d | h])
    }

    /// Whether a byte is in both sets.
    pub(in crate::matching) fn intersects(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .any(|(own, others)| own & others != 0)
    }

    /// The bytes that are not in it.
    pub(in crate::matching) fn negated(&self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// With every ASCII letter, its other case.
    pub(in crate::matching) fn case_folded(&self) -> Self {
        /// The upper-case letters in the word of `@` to DEL; the lower-case ones stand 32 higher.
        const UPPER: u64 = 0x07FF_FFFE;
        let [first, letters, third, fourth] = self.0;
        let either = (letters | letters >> 32) & UPPER;
        Self([first, letters | either | either << 32, third, fourth])
    }

    /// The bytes of which one of this and of the byte below is in it, and the other is not. Nothing
    /// is below 0.
    pub(in crate::matching) fn edges(&self) -> Self {
        let mut below = 0;
        Self(self.0.map(|word| {
            let shifted = word << 1 | below;
            below = word >> 63;
            word ^ shifted
        }))
    }

    /// The only range of its bytes, both ends included; none if there are several or no bytes.
    pub(in crate::matching) fn as_range(&self) -> Option<(u8, u8)> {
        let edges = self.edges();
        let words = edges.0.iter().map(|word| word.count_ones());
        if words.sum::<u32>() > 2 {
            return None;
        }
        let mut edges = edges.iter();
        let low = edges.next()?;
        let high = edges.next().map_or(u8::MAX, |end| end.saturating_sub(1));
        Some((low, high))
    }

    /// Its bytes in ascending order.
    pub(in crate::matching) fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        [0u8, 64, 128, 192]
            .into_iter()
            .zip(self.0)
            .flat_map(|(base, word)| set_bits(word).map(move |bit| base | bit))
    }

    /// Its bytes as inclusive ranges, ascending and apart.
    pub(in crate::matching) fn ranges(&self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in self.iter() {
            match ranges.last_mut() {
                Some((_, high)) if high.checked_add(1) == Some(byte) => *high = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        ranges
    }
}

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[")?;
        for (low, high) in self.ranges() {
            write!(f, "{}", low.escape_ascii())?;
            if low != high {
                write!(f, "-{}", high.escape_ascii())?;
            }
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_arithmetic() {
        let set = ByteSet::of_ranges(&[(b'a', b'c'), (0, 0), (255, 255)]);
        assert_eq!(set.ranges(), [(0, 0), (b'a', b'c'), (255, 255)]);
        assert_eq!(set.negated().negated(), set);
        assert!(!set.negated().intersects(&set));
        assert_eq!(set.union(&set.negated()), ByteSet::ALL);
        assert!(set.case_folded().contains(b'B'));
        assert!(!set.case_folded().contains(b'D'));
        assert_eq!(ByteSet::ALL.ranges(), [(0, 255)]);
        let edges: Vec<u8> = set.edges().iter().collect();
        assert_eq!(edges, [0, 1, b'a', b'd', 255]);
    }

    #[test]
    fn one_range_is_told_from_several() {
        for (low, high) in [(0, 0), (0, 255), (255, 255), (63, 64), (5, 200)] {
            let mut set = ByteSet::of_ranges(&[(low, high)]);
            assert_eq!(set.as_range(), Some((low, high)));
            if high < 254 {
                set.insert(high + 2);
                assert_eq!(set.as_range(), None);
            }
        }
        assert_eq!(ByteSet::EMPTY.as_range(), None);
    }
}
