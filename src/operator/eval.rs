//! What an operator writes while it is asked: captures, and patterns made from macros.

use std::ops::Range;

use super::geography::{Geography, Place};
use crate::matching::{Dialect, Pattern, PatternError, Scratch};
use crate::work::cost;

/// What an operator may write to.
#[derive(Debug)]
pub struct Eval<'a> {
    /// State of searches.
    pub scratch: &'a mut Scratch,
    /// Patterns whose text came from macros.
    pub rx_cache: &'a mut RxCache,
    /// What to capture.
    pub capture: Capture,
    /// Where captures go. The caller clears it first; after a "no" it may hold anything.
    pub captures: &'a mut Captures,
    /// Where in the expanded argument text from macros stands, in order.
    pub macros: &'a [Range<usize>],
    /// The database of SecGeoLookupDb.
    pub geography: Option<&'a Geography>,
    /// What it makes besides an answer.
    pub product: &'a mut Product,
}

impl Eval<'_> {
    /// The pattern of a text from macros. It is charged as if it were made now, whether it is in the
    /// cache or not. `None` leaves an error behind.
    pub(super) fn pattern(&mut self, text: &[u8], dialect: Dialect) -> Option<Pattern> {
        let pattern = self.rx_cache.pattern(text, dialect);
        let work = self.scratch.work();
        work.charge_each(text.len(), cost::COMPILED_BYTE);
        let size = pattern.as_ref().map_or(0, Pattern::compiled_size);
        work.charge_each(size, cost::AUTOMATON_BYTE);
        pattern
    }
}

/// What an operator makes besides an answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Product {
    /// Nothing.
    #[default]
    Nothing,
    /// What `@rsub` made of the value.
    Text(Vec<u8>),
    /// What `@geoLookup` found, if it found something: names and values of GEO.
    Place(Place),
    /// It could not answer: its "no" is none, whether the rule negates it or not.
    Failure,
}

/// How much of a match is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Capture {
    /// Only the answer.
    None,
    /// TX.0 as well.
    Whole,
    /// All groups as well.
    Groups,
}

/// What matched: entry 0 is the whole match, the others are groups.
#[derive(Clone, Debug, Default)]
pub struct Captures {
    entries: Vec<Entry>,
    /// The bytes of entries that do not stand in the value.
    owned: Vec<u8>,
    /// Kept from search to search, so that none allocates.
    slots: Vec<Option<Range<usize>>>,
}

#[derive(Clone, Debug)]
enum Entry {
    InValue(Range<usize>),
    Owned(Range<usize>),
}

impl Captures {
    /// Largest number of entries. Only `@rxGlobal` comes beyond ten.
    pub const LIMIT: usize = 100;

    /// No captures.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.owned.clear();
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An entry's bytes; `value` is the value that was asked about.
    pub fn get<'a>(&'a self, index: usize, value: &'a [u8]) -> Option<&'a [u8]> {
        match self.entries.get(index)? {
            Entry::InValue(span) => value.get(span.clone()),
            Entry::Owned(span) => self.owned.get(span.clone()),
        }
    }

    /// Adds a part of the value, unless the limit is reached.
    pub fn push_span(&mut self, span: Range<usize>) {
        if self.entries.len() < Self::LIMIT {
            self.entries.push(Entry::InValue(span));
        }
    }

    /// Adds bytes that do not stand in the value, unless the limit is reached.
    pub fn push_owned(&mut self, bytes: &[u8]) {
        if self.entries.len() < Self::LIMIT {
            let start = self.owned.len();
            self.owned.extend_from_slice(bytes);
            self.entries.push(Entry::Owned(start..self.owned.len()));
        }
    }

    /// Searches with groups and adds the match to the entries, at most ten. As in version 2, a
    /// group without part in the match is empty if a later one has a part, and missing otherwise.
    pub(super) fn push_groups(
        &mut self,
        pattern: &Pattern,
        value: &[u8],
        scratch: &mut Scratch,
    ) -> bool {
        let mut slots = std::mem::take(&mut self.slots);
        let found = pattern.captures(value, scratch, &mut slots);
        if found {
            self.push_slots(slots.get(..10).unwrap_or(&slots));
        }
        self.slots = slots;
        found
    }

    /// Adds the groups of a match.
    pub(super) fn push_slots(&mut self, slots: &[Option<Range<usize>>]) {
        let last = slots.iter().rposition(Option::is_some);
        for slot in slots
            .iter()
            .take(last.map_or(0, |last| last.saturating_add(1)))
        {
            self.push_span(slot.clone().unwrap_or(0..0));
        }
    }
}

/// Patterns whose text came from macros, by text: a bounded number, the least lately used leave.
#[derive(Debug, Default)]
pub struct RxCache {
    entries: Vec<Cached>,
    turn: u64,
    error: Option<PatternError>,
}

#[derive(Debug)]
struct Cached {
    dialect: Dialect,
    text: Box<[u8]>,
    pattern: Result<Pattern, PatternError>,
    last_use: u64,
}

impl RxCache {
    /// Largest number of patterns kept.
    pub const ENTRIES: usize = 32;
    /// Longest pattern taken, in bytes. Text that a client can choose should not cost more.
    pub const LONGEST: usize = 4096;

    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the error of the last pattern that could not be used. An operator answers "no" then;
    /// the engine treats the rule as not matching, whether it is negated or not.
    pub fn take_error(&mut self) -> Option<PatternError> {
        self.error.take()
    }

    /// The pattern of a text. `None` leaves an error behind.
    fn pattern(&mut self, text: &[u8], dialect: Dialect) -> Option<Pattern> {
        self.turn = self.turn.saturating_add(1);
        let known = self
            .entries
            .iter_mut()
            .find(|entry| entry.dialect == dialect && *entry.text == *text);
        let pattern = match known {
            Some(entry) => {
                entry.last_use = self.turn;
                entry.pattern.clone()
            }
            None => self.add(text, dialect),
        };
        pattern.map_err(|error| self.error = Some(error)).ok()
    }

    fn add(&mut self, text: &[u8], dialect: Dialect) -> Result<Pattern, PatternError> {
        if text.len() > Self::LONGEST {
            return Err(PatternError {
                message: format!("pattern of {} bytes after macro expansion", text.len()),
                offset: None,
            });
        }
        let pattern = Pattern::new(text, dialect);
        if self.entries.len() >= Self::ENTRIES {
            let oldest = self.entries.iter().map(|entry| entry.last_use).min();
            self.entries.retain(|entry| Some(entry.last_use) != oldest);
        }
        self.entries.push(Cached {
            dialect,
            text: text.into(),
            pattern: pattern.clone(),
            last_use: self.turn,
        });
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_read_spans_and_owned_bytes() {
        let mut captures = Captures::new();
        captures.push_span(1..3);
        captures.push_owned(b"own");
        captures.push_owned(b"ed");
        assert_eq!(captures.get(0, b"value"), Some(&b"al"[..]));
        assert_eq!(captures.get(1, b"value"), Some(&b"own"[..]));
        assert_eq!(captures.get(2, b"value"), Some(&b"ed"[..]));
        assert_eq!(captures.get(3, b"value"), None);
        assert_eq!(captures.get(0, b""), None);
    }

    #[test]
    fn captures_stop_at_their_limit() {
        let mut captures = Captures::new();
        for _ in 0..Captures::LIMIT * 2 {
            captures.push_owned(b"x");
            captures.push_span(0..1);
        }
        assert_eq!(captures.len(), Captures::LIMIT);
    }

    #[test]
    fn cache_keeps_what_is_used() {
        let mut cache = RxCache::new();
        assert!(cache.pattern(b"kept", Dialect::default()).is_some());
        for number in 0..RxCache::ENTRIES * 3 {
            assert!(
                cache
                    .pattern(format!("p{number}").as_bytes(), Dialect::default())
                    .is_some()
            );
            assert!(cache.pattern(b"kept", Dialect::default()).is_some());
        }
        assert_eq!(cache.entries.len(), RxCache::ENTRIES);
        assert!(cache.entries.iter().any(|entry| *entry.text == *b"kept"));
    }

    #[test]
    fn cache_tells_of_bad_patterns() {
        let mut cache = RxCache::new();
        for _ in 0..2 {
            assert!(cache.pattern(b"(", Dialect::default()).is_none());
            assert!(cache.take_error().is_some());
            assert!(cache.take_error().is_none());
        }
        assert!(
            cache
                .pattern(&vec![b'a'; RxCache::LONGEST + 1], Dialect::default())
                .is_none()
        );
        assert!(cache.take_error().is_some());
    }
}
