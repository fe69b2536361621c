//! Values that come again from request to request, and what the prefilter said of them: most headers
//! of a browser and most names of fields are the same every time.

use std::cell::Cell;

use super::scratch::bytes;

/// The prefilter's answers about values that were met at least twice: in each VM one for
/// values, and one for names of entries.
///
/// Nothing but time depends on it: an answer counts as much work as the scan that gave it, and the
/// whole value is compared. Places are found by the hashes of [`super::values::Values`], which have a
/// random key. A new value takes the place of one that was not asked about since another did so.
#[derive(Debug)]
pub(super) struct Repeats {
    /// Marks of values that were met once.
    met: Box<[u32]>,
    /// By a part of the hash: the places that a value may stand in.
    kept: Box<[[Repeat; WAYS]]>,
}

/// A value and the answer.
#[derive(Debug, Default)]
struct Repeat {
    /// See [`Question::mixed`].
    mixed: u64,
    prefilter: u64,
    text: Vec<u8>,
    bits: Vec<u64>,
    reports: usize,
    /// Whether it was asked about since a new value came to its places. A place that has no value was
    /// not.
    asked: Cell<bool>,
}

/// What was asked: a prefilter, and a value with its hash.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub prefilter: u64,
    pub hash: u64,
    pub text: &'a [u8],
}

/// How many values are kept whose hashes have the same part: so that those that come with every request
/// do not push each other out.
const WAYS: usize = 4;
/// How many parts of hashes there are; a power of two.
const PLACES: usize = 128;
/// How many values that were met once are remembered; a power of two.
const MARKS: usize = 2048;
/// Longer values seldom come again, and would take much memory.
const LONGEST: usize = 256;

impl Default for Repeats {
    fn default() -> Self {
        Self {
            met: vec![0; MARKS].into(),
            kept: std::iter::repeat_with(Default::default)
                .take(PLACES)
                .collect(),
        }
    }
}

impl Repeats {
    /// The bits of the prefilter, and what it came upon.
    pub(super) fn get(&self, asked: Question<'_>) -> Option<(&[u64], usize)> {
        let mixed = asked.mixed();
        let mut places = self.kept.get(asked.place(PLACES))?.iter();
        let repeat = places.find(|repeat| {
            repeat.mixed == mixed
                && repeat.prefilter == asked.prefilter
                && repeat.text == asked.text
                && !repeat.bits.is_empty()
        })?;
        repeat.asked.set(true);
        Some((repeat.bits.as_slice(), repeat.reports))
    }

    /// Keeps an answer if its value was met before.
    pub(super) fn offer(&mut self, asked: Question<'_>, bits: &[u64], reports: usize) {
        if asked.text.len() > LONGEST {
            return;
        }
        let Some(met) = self.met.get_mut(asked.place(MARKS)) else {
            return;
        };
        if *met != asked.mark() {
            *met = asked.mark();
            return;
        }
        let Some(places) = self.kept.get_mut(asked.place(PLACES)) else {
            return;
        };
        let free = places.iter().position(|repeat| !repeat.asked.get());
        if free.is_none() {
            places.iter().for_each(|repeat| repeat.asked.set(false));
        }
        if let Some(repeat) = places.get_mut(free.unwrap_or_default()) {
            repeat.mixed = asked.mixed();
            repeat.prefilter = asked.prefilter;
            write_over(&mut repeat.text, asked.text);
            write_over(&mut repeat.bits, bits);
            repeat.reports = reports;
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        let tables = size_of_val(&*self.met).saturating_add(size_of_val(&*self.kept));
        let kept = self.kept.as_flattened().iter();
        kept.fold(tables, |sum, repeat| {
            sum.saturating_add(bytes(&repeat.text))
                .saturating_add(bytes(&repeat.bits))
        })
    }
}

/// In place, with no more memory than the longest took.
fn write_over<T: Copy>(old: &mut Vec<T>, new: &[T]) {
    old.clear();
    old.reserve_exact(new.len());
    old.extend_from_slice(new);
}

impl Question<'_> {
    fn mixed(self) -> u64 {
        self.hash ^ self.prefilter.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// A place in a table.
    fn place(self, places: usize) -> usize {
        let low = usize::try_from(self.mixed() & 0xFFFF_FFFF).unwrap_or_default();
        low & places.saturating_sub(1)
    }

    /// Tells values of one place apart, more or less. Never 0.
    fn mark(self) -> u32 {
        u32::try_from(self.mixed() >> 32).unwrap_or_default() | 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(prefilter: u64, text: &[u8]) -> Question<'_> {
        Question {
            prefilter,
            hash: 7,
            text,
        }
    }

    #[test]
    fn what_is_met_twice_is_kept() {
        let mut repeats = Repeats::default();
        let asked = question(1, b"a");
        assert_eq!(repeats.get(asked), None);
        repeats.offer(asked, &[5], 3);
        assert_eq!(repeats.get(asked), None);
        repeats.offer(asked, &[5], 3);
        assert_eq!(repeats.get(asked), Some((&[5][..], 3)));
    }

    #[test]
    fn neither_hash_nor_prefilter_is_taken_for_another() {
        let mut repeats = Repeats::default();
        for _ in 0..2 {
            repeats.offer(question(1, b"a"), &[5], 3);
        }
        assert_eq!(repeats.get(question(1, b"b")), None);
        assert_eq!(repeats.get(question(2, b"a")), None);
    }

    #[test]
    fn what_is_asked_about_stays() {
        let mut repeats = Repeats::default();
        let keep = |repeats: &mut Repeats, text: &[u8]| {
            for _ in 0..2 {
                repeats.offer(question(1, text), &[5], 3);
            }
        };
        // All of one hash: as many as there are places for, and then others.
        let lasting = [b"a", b"b", b"c"];
        for text in lasting {
            keep(&mut repeats, text);
            assert!(repeats.get(question(1, text)).is_some());
        }
        for other in 0..100u8 {
            for text in lasting {
                let known = repeats.get(question(1, text));
                assert_eq!(known, Some((&[5][..], 3)), "{other}");
            }
            keep(&mut repeats, &[b'z', other]);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut repeats = Repeats::default();
        let empty = repeats.held_bytes();
        let texts: Vec<Vec<u8>> = (0..5000u32)
            .map(|number| number.to_le_bytes().repeat(64))
            .collect();
        for text in texts.iter().chain(&texts) {
            let hash = u64::from(text[0]) << 33 | u64::from(text[1]) << 41 | u64::from(text[0]);
            let asked = Question {
                prefilter: 1,
                hash,
                text,
            };
            for _ in 0..2 {
                repeats.offer(asked, &[0; 8], 0);
            }
        }
        let long = [b'x'; LONGEST + 1];
        for _ in 0..2 {
            repeats.offer(question(1, &long), &[0; 8], 0);
        }
        assert_eq!(repeats.get(question(1, &long)), None);
        let grown = repeats.held_bytes() - empty;
        assert!(
            (10_000..=PLACES * WAYS * (LONGEST + 64)).contains(&grown),
            "{grown}"
        );
    }
}
