//! What must not be shown, and where a text shows it.

use std::cell::OnceCell;
use std::ops::Range;

/// A stretch of a secret of this many bytes gives it away; shorter secrets count as a whole.
const GRAM: usize = 8;
/// How far from a byte one looks to tell whether it gives something away: a short secret, and the
/// byte that it must not join.
pub(super) const REACH: usize = GRAM;
/// What is looked up in the filter first.
const SEED: usize = 4;
/// Any stretch of [`GRAM`] bytes holds a seed that begins at a multiple of this.
const STRIDE: usize = GRAM - SEED + 1;
/// Shorter values are found by their place alone: to cover each `1` of a text would tell nothing.
const SHORTEST: usize = 3;
/// A secret up to this length is only found where it stands alone: `123` is not in `941230`.
const WORD: usize = 5;
/// Most bytes of secrets of one transaction that are told apart. With more, every text is secret.
const MOST: usize = 65_536;
/// Slots of the filter, a power of two.
const SLOTS: u32 = 1 << 15;

/// The secrets of a transaction. Letter case does not count.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// The long ones, in lower case.
    long: Vec<Vec<u8>>,
    /// The seeds of them.
    filter: Vec<u64>,
    /// All stretches of [`GRAM`] bytes of them, sorted; made when the filter first says maybe.
    grams: OnceCell<Vec<u64>>,
    /// The short ones, sorted: how long, and the bytes.
    short: Vec<(usize, u64)>,
    /// What they begin with.
    beginnings: u64,
    bytes: usize,
}

impl Secrets {
    /// Adds a secret.
    pub(super) fn add(&mut self, secret: &[u8]) {
        let secret = secret.trim_ascii();
        if secret.len() < SHORTEST || self.is_too_much() {
            return;
        }
        if let Some(key) = short_key(secret) {
            if let Err(place) = self.short.binary_search(&(secret.len(), key)) {
                self.bytes = self.bytes.saturating_add(SHORT_COST);
                self.short.insert(place, (secret.len(), key));
                if let [first, second, ..] = *secret {
                    self.beginnings |= beginning(first, second);
                }
            }
            return;
        }
        self.bytes = self.bytes.saturating_add(secret.len());
        if self.is_too_much() {
            return;
        }
        let secret = secret.to_ascii_lowercase();
        self.filter
            .resize(usize::try_from(SLOTS / u64::BITS).unwrap_or(0), 0);
        for seed in secret.windows(SEED).filter_map(<[u8]>::first_chunk) {
            let (word, bit) = slot(*seed);
            if let Some(word) = self.filter.get_mut(word) {
                *word |= bit;
            }
        }
        self.grams = OnceCell::new();
        self.long.push(secret);
    }

    /// Whether there is nothing to hide.
    pub(super) fn is_empty(&self) -> bool {
        self.long.is_empty() && self.short.is_empty() && !self.is_too_much()
    }

    /// Whether there are more than can be told apart.
    pub(super) fn is_too_much(&self) -> bool {
        self.bytes > MOST
    }

    /// Appends the places of a text that give something away.
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        if self.is_too_much() {
            found.push(0..text.len());
            return;
        }
        if !self.long.is_empty() {
            self.find_long(text, found);
        }
        if !self.short.is_empty() {
            self.find_short(text, found);
        }
    }

    fn find_long(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        for at in (0..text.len()).step_by(STRIDE) {
            let Some(seed) = text.get(at..).and_then(<[u8]>::first_chunk) else {
                return;
            };
            let (word, bit) = slot(*seed);
            if self.filter.get(word).is_none_or(|word| word & bit == 0) {
                continue;
            }
            for start in at.saturating_sub(STRIDE.saturating_sub(1))..=at {
                let gram = text.get(start..).and_then(<[u8]>::first_chunk);
                if gram.is_some_and(|gram| self.grams().binary_search(&key(gram)).is_ok()) {
                    found.push(start..start.saturating_add(GRAM));
                }
            }
        }
    }

    fn find_short(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        let pairs = text.iter().zip(text.iter().skip(1));
        for (start, (&first, &second)) in pairs.enumerate() {
            if self.beginnings & beginning(first, second) == 0 {
                continue;
            }
            for length in SHORTEST..GRAM {
                let end = start.saturating_add(length);
                let window = text.get(start..end);
                let Some((window, key)) = window.and_then(|all| Some((all, short_key(all)?)))
                else {
                    break;
                };
                if self.short.binary_search(&(length, key)).is_err() {
                    continue;
                }
                let before = start.checked_sub(1).and_then(|at| text.get(at));
                let alone = !joins(before, window.first()) && !joins(window.last(), text.get(end));
                if length > WORD || alone {
                    found.push(start..end);
                }
            }
        }
    }

    fn grams(&self) -> &[u64] {
        self.grams.get_or_init(|| {
            let windows = self.long.iter().flat_map(|secret| secret.windows(GRAM));
            let mut grams: Vec<u64> = windows
                .filter_map(|window| window.first_chunk())
                .map(key)
                .collect();
            grams.sort_unstable();
            grams.dedup();
            grams
        })
    }
}

/// What a short secret counts for in [`MOST`]: looking for many of them takes time.
const SHORT_COST: usize = 256;

/// Whether two neighbours belong to one word.
fn joins(one: Option<&u8>, other: Option<&u8>) -> bool {
    let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    letter(one) && letter(other)
}

/// Where a seed stands in the filter.
fn slot(seed: [u8; SEED]) -> (usize, u64) {
    let mixed = (u32::from_le_bytes(seed) | CASE).wrapping_mul(0x9e37_79b1);
    let slot = (mixed ^ (mixed >> 16)) % SLOTS;
    let word = usize::try_from(slot / u64::BITS).unwrap_or(0);
    (word, 1 << (slot % u64::BITS))
}

/// The bit of the first two bytes of a short secret.
fn beginning(first: u8, second: u8) -> u64 {
    let (first, second) = (u32::from(first | 0x20), u32::from(second | 0x20));
    1 << (((first << 2) ^ second) % u64::BITS)
}

/// The bits that make letters small. Other bytes that differ in them alone share a place.
const CASE: u32 = 0x2020_2020;

/// The bytes of a stretch as a number.
fn key(gram: &[u8; GRAM]) -> u64 {
    u64::from_le_bytes(gram.map(|byte| byte.to_ascii_lowercase()))
}

/// The bytes of a short text as a number; none for a long one.
fn short_key(text: &[u8]) -> Option<u64> {
    let mut bytes = [0; GRAM];
    if text.len() >= GRAM {
        return None;
    }
    for (place, byte) in bytes.iter_mut().zip(text) {
        *place = byte.to_ascii_lowercase();
    }
    Some(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a text when each byte found is a star.
    fn starred(secrets: &[&str], text: &str) -> String {
        let mut all = Secrets::default();
        for secret in secrets {
            all.add(secret.as_bytes());
        }
        let mut found = Vec::new();
        all.find(text.as_bytes(), &mut found);
        let mut bytes = text.as_bytes().to_vec();
        for range in found {
            bytes[range].fill(b'*');
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn long_secrets_are_found_anywhere_and_in_any_case() {
        let secret = "Correct-Horse-Battery";
        for before in ["", "a", "ab", "abc", "abcd", "abcde"] {
            let shown = starred(
                &[secret],
                &format!("{before}{secret} {}", secret.to_uppercase()),
            );
            let stars = "*".repeat(secret.len());
            assert_eq!(shown, format!("{before}{stars} {stars}"));
        }
    }

    #[test]
    fn any_eight_bytes_of_them_are_found() {
        let secret = "abcdefghijklmnopqrstuvwxyz";
        for start in 0..=18 {
            for before in 0..5 {
                let text = format!(
                    "{}{}",
                    "-".repeat(before),
                    secret.get(start..start + 8).unwrap()
                );
                let shown = starred(&[secret], &text);
                assert_eq!(shown, "-".repeat(before) + "********", "{text}");
            }
        }
        assert_eq!(starred(&[secret], "abcdefg hijklmn"), "abcdefg hijklmn");
    }

    #[test]
    fn short_secrets_stand_alone() {
        assert_eq!(starred(&["123"], "cvv=123 id 941230"), "cvv=*** id 941230");
        assert_eq!(starred(&["hunter2"], "xHunter2x"), "x*******x");
        assert_eq!(starred(&["p@s"], "ap@sb p@s"), "ap@sb ***");
        assert_eq!(starred(&["1", "no"], "1 no"), "1 no");
    }

    #[test]
    fn too_many_secrets_make_everything_one() {
        let many: Vec<String> = (0..9000)
            .map(|number| format!("secret{number:08}"))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(starred(&many, "harmless"), "********");
    }

    #[test]
    fn nothing_is_found_where_nothing_is_secret() {
        assert!(Secrets::default().is_empty());
        assert_eq!(starred(&[], "harmless text"), "harmless text");
    }
}
