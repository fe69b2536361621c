//! Matching as a whole: against the Core Rule Set, against another engine, at its worst.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::string_slice,
    reason = "tests read data from a directory, take time and may panic"
)]

mod adversarial;
mod corpus;
mod crs;
mod random;

use std::ops::Range;

use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

/// A generator of test data that gives the same on every run (xorshift64*).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit.max(1)
    }

    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Another reading of a pattern, for those whose text means the same to regex-automata: its own
/// parser and its plainest engine.
struct Reference(PikeVM);

impl Reference {
    fn new(source: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(source).ok()?;
        let syntax = syntax::Config::new()
            .unicode(false)
            .utf8(false)
            .dot_matches_new_line(true);
        let builder = PikeVM::builder().syntax(syntax).build(text);
        Some(Self(builder.ok()?))
    }

    /// The whole match and `groups` groups; those inside `{0}` are none for it.
    fn captures(&self, hay: &[u8], groups: usize) -> Option<Vec<Option<Range<usize>>>> {
        let mut cache = self.0.create_cache();
        let mut captures = self.0.create_captures();
        self.0.captures(
            &mut cache,
            Input::new(hay).anchored(Anchored::No),
            &mut captures,
        );
        let spans = captures.iter().map(|span| span.map(|span| span.range()));
        captures.is_match().then(|| {
            spans
                .chain(std::iter::repeat(None))
                .take(groups + 1)
                .collect()
        })
    }
}
