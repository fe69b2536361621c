//! Sorted tables of text: a line each, looked up by halving.
//!
//! The tables stay text in the program: nothing is built when it starts, and there is no array of
//! pointers beside them.

/// Which keys a table can have: a bit for the hash of each. Most words that are looked up are in no
/// table, and need not be looked for.
pub(super) struct Sieve<const WORDS: usize>([u64; WORDS]);

/// FNV-1a: where it begins, and what it multiplies by.
const OFFSET: u32 = 0x811C_9DC5;
const PRIME: u32 = 0x0100_0193;

impl<const WORDS: usize> Sieve<WORDS> {
    /// The sieve of a table.
    #[expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "evaluated at compile time"
    )]
    pub(super) const fn of(table: &[u8]) -> Self {
        let mut words = [0u64; WORDS];
        let mut hash = OFFSET;
        let mut in_key = true;
        let mut at = 0;
        while at < table.len() {
            let byte = table[at];
            if in_key && (byte == b'\t' || byte == b'\n') {
                let (word, bit) = Self::place(hash);
                words[word] |= bit;
            }
            in_key = byte == b'\n' || (in_key && byte != b'\t');
            hash = if byte == b'\n' {
                OFFSET
            } else {
                step(hash, byte)
            };
            at += 1;
        }
        Self(words)
    }

    /// Whether the key may be in the table; if not, it is not.
    pub(super) fn may_have(&self, key: impl Iterator<Item = u8>) -> bool {
        let (word, bit) = Self::place(key.fold(OFFSET, step));
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    #[expect(
        clippy::as_conversions,
        clippy::arithmetic_side_effects,
        reason = "`usize` has 32 bits at least, and there are words"
    )]
    const fn place(hash: u32) -> (usize, u64) {
        // The upper bits are mixed best.
        let hash = hash ^ (hash >> 15);
        ((hash >> 6) as usize % WORDS, 1 << (hash & 63))
    }
}

const fn step(hash: u32, byte: u8) -> u32 {
    #[expect(clippy::as_conversions, reason = "`From` is not for constants")]
    (hash ^ byte as u32).wrapping_mul(PRIME)
}

/// The value behind a key.
///
/// A line is a key, and behind a tab its value if there is one. The lines are sorted by key and
/// each ends with a line feed; neither keys nor values contain a tab or a line feed.
pub(super) fn find(table: &[u8], key: impl Iterator<Item = u8> + Clone) -> Option<&[u8]> {
    let (found, value) = floor(table, key.clone())?;
    key.eq(found.iter().copied()).then_some(value)
}

/// The last line whose key is not behind `key`: key and value.
pub(super) fn floor(table: &[u8], key: impl Iterator<Item = u8> + Clone) -> Option<(&[u8], &[u8])> {
    let mut rest = table;
    let mut floor = None;
    while !rest.is_empty() {
        // The line around the middle: from behind the line feed before it.
        let (before, behind) = rest.split_at_checked(rest.len() / 2)?;
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at.saturating_add(1));
        let length = memchr::memchr(b'\n', behind)?;
        let end = before.len().saturating_add(length);
        let line = rest.get(start..end)?;
        let tab = memchr::memchr(b'\t', line);
        let (line_key, value) = line.split_at_checked(tab.unwrap_or(line.len()))?;
        if key.clone().lt(line_key.iter().copied()) {
            rest = rest.get(..start)?;
        } else {
            floor = Some((line_key, value.get(1..).unwrap_or(&[])));
            rest = rest.get(end.saturating_add(1)..)?;
        }
    }
    floor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sieve_lets_every_key_through_and_few_others() {
        let sieve = Sieve::<4>::of(b"SELECT\tk\nUNION ALL\tU\n1UE\n");
        for key in ["SELECT", "UNION ALL", "1UE"] {
            assert!(sieve.may_have(key.bytes()), "{key}");
        }
        let others = (0..1000).filter(|number| sieve.may_have(format!("W{number}").bytes()));
        assert!(others.count() < 100);
    }

    #[test]
    fn every_line_is_found() {
        let table = b"a\t1\nbb\nccc\t3\nd\t4\nee\t5\n";
        let find = |key: &'static str| find(table, key.bytes());
        assert_eq!(find("a"), Some(&b"1"[..]));
        assert_eq!(find("bb"), Some(&b""[..]));
        assert_eq!(find("ccc"), Some(&b"3"[..]));
        assert_eq!(find("d"), Some(&b"4"[..]));
        assert_eq!(find("ee"), Some(&b"5"[..]));
        assert_eq!(floor(table, "dog".bytes()), Some((&b"d"[..], &b"4"[..])));
        for missing in ["", "A", "b", "bbb", "cc", "f"] {
            assert_eq!(find(missing), None, "{missing}");
        }
    }
}
