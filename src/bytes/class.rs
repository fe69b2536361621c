//! Byte classes: 256 bytes in 64 groups, so that one word says which groups a value contains.
//!
//! The letters are folded to one case (class 0 to 25), the digits share a class, every ASCII
//! punctuation mark has its own, blanks and controls fall into a few, and all bytes from 0x80 on
//! share the last. A transformation reads from this word that it cannot change a value, and the
//! prefilter that a rule cannot match it.

/// A set of byte classes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ClassSet(pub u64);

/// Class of `0` to `9`.
const DIGITS: u8 = 26;
/// First of the 32 punctuation classes, in ASCII order.
const PUNCTUATION: u8 = 27;
/// Class of the space.
const SPACE: u8 = 59;
/// Class of tab, vertical tab and form feed.
const TAB: u8 = 60;
/// Class of carriage return and line feed.
const LINE_END: u8 = 61;
/// Class of NUL, the other controls and DEL.
const CONTROL: u8 = 62;
/// Class of the bytes 0x80 to 0xFF.
const HIGH: u8 = 63;

#[expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "evaluated at compile time; all values stay below 256"
)]
const CLASS_OF: [u8; 256] = {
    let mut table = [CONTROL; 256];
    let mut punctuation = PUNCTUATION;
    let mut byte = 0usize;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = match b {
            b'a'..=b'z' => b - b'a',
            b'A'..=b'Z' => b - b'A',
            b'0'..=b'9' => DIGITS,
            b' ' => SPACE,
            b'\t' | 0x0B | 0x0C => TAB,
            b'\r' | b'\n' => LINE_END,
            0x80..=0xFF => HIGH,
            0x21..=0x7E => {
                let class = punctuation;
                punctuation += 1;
                class
            }
            _ => CONTROL,
        };
        byte += 1;
    }
    table
};

/// Set for upper-case letters.
const UPPER: u8 = 0x80;

#[expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "evaluated at compile time; all values stay below 256"
)]
const CLASS_AND_CASE: [u8; 256] = {
    let mut table = CLASS_OF;
    let mut byte = b'A';
    while byte <= b'Z' {
        table[byte as usize] |= UPPER;
        byte += 1;
    }
    table
};

impl ClassSet {
    /// No class.
    pub const EMPTY: Self = Self(0);
    /// Every class.
    pub const ALL: Self = Self(u64::MAX);
    /// Space, tab, vertical tab, form feed, carriage return, line feed: C's `isspace`.
    pub const SPACES: Self = Self(1 << SPACE | 1 << TAB | 1 << LINE_END);
    /// NUL and the other control bytes that are not blanks, and DEL.
    pub const CONTROLS: Self = Self(1 << CONTROL);
    /// The bytes 0x80 to 0xFF.
    pub const HIGH: Self = Self(1 << HIGH);
    /// The letters, of either case.
    pub const LETTERS: Self = Self((1 << DIGITS) - 1);
    /// The digits.
    pub const DIGITS: Self = Self(1 << DIGITS);

    /// The class of one byte (0 to 63).
    #[expect(
        clippy::as_conversions,
        clippy::indexing_slicing,
        reason = "a u8 indexes 256 entries"
    )]
    pub const fn class_of(byte: u8) -> u8 {
        CLASS_OF[byte as usize]
    }

    /// The class of one byte in the lower six bits, and [`UPPER`] above them.
    #[expect(
        clippy::as_conversions,
        clippy::indexing_slicing,
        reason = "a u8 indexes 256 entries"
    )]
    const fn class_and_case(byte: u8) -> u8 {
        CLASS_AND_CASE[byte as usize]
    }

    /// The classes of some bytes.
    #[expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "the index stays below the length"
    )]
    pub const fn of(bytes: &[u8]) -> Self {
        let mut set = 0u64;
        let mut at = 0;
        while at < bytes.len() {
            set |= 1 << Self::class_of(bytes[at]);
            at += 1;
        }
        Self(set)
    }

    /// The classes in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The classes of this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a class is in both sets.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every class of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::fmt::Debug for ClassSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClassSet({:#018x})", self.0)
    }
}

/// What one pass over a value tells: the classes it contains, and whether a letter is upper case.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Profile {
    /// The classes the value contains.
    pub classes: ClassSet,
    /// Whether an ASCII upper-case letter stands in it.
    pub upper: bool,
}

impl Profile {
    /// Reads a value once.
    pub fn of(bytes: &[u8]) -> Self {
        let mut set = 0u64;
        let mut seen = 0u8;
        for &byte in bytes {
            let class = ClassSet::class_and_case(byte);
            set |= 1u64.wrapping_shl(u32::from(class));
            seen |= class;
        }
        Self {
            classes: ClassSet(set),
            upper: seen & UPPER != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_fold_case_and_part_punctuation() {
        assert_eq!(ClassSet::class_of(b'a'), ClassSet::class_of(b'A'));
        assert_ne!(ClassSet::class_of(b'%'), ClassSet::class_of(b'&'));
        assert_eq!(ClassSet::class_of(b'!'), PUNCTUATION);
        assert_eq!(ClassSet::class_of(b'~'), SPACE - 1);
        assert_eq!(ClassSet::class_of(0x7F), CONTROL);
        assert_eq!(ClassSet::class_of(0xFF), HIGH);
    }

    #[test]
    fn profile_sees_upper_case() {
        assert!(Profile::of(b"aBc").upper);
        assert!(!Profile::of(b"abc1").upper);
        assert!(Profile::of(b"a c").classes.intersects(ClassSet::SPACES));
    }
}
