//! Phrase lists.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// A list of phrases, searched for all at once in either ASCII letter case.
#[derive(Clone)]
pub struct PhraseSet {
    inner: Arc<Inner>,
}

struct Inner {
    phrases: Box<[Box<[u8]>]>,
    automaton: AhoCorasick,
}

/// Why a list of phrases cannot be used: it is too large for the automaton.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhraseSetError {
    /// What is wrong, in a phrase without a final stop.
    pub message: String,
}

impl fmt::Display for PhraseSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PhraseSetError {}

impl PhraseSet {
    /// Builds the automaton of a list.
    ///
    /// # Errors
    /// The list is too large (above 2 GiB of states).
    pub fn new<P: AsRef<[u8]>>(
        phrases: impl IntoIterator<Item = P>,
    ) -> Result<Self, PhraseSetError> {
        let phrases: Box<[Box<[u8]>]> = phrases
            .into_iter()
            .map(|phrase| phrase.as_ref().into())
            .collect();
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(phrases.iter())
            .map_err(|error| PhraseSetError {
                message: error.to_string(),
            })?;
        Ok(Self {
            inner: Arc::new(Inner { phrases, automaton }),
        })
    }

    /// The phrases, as given.
    pub fn phrases(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.inner.phrases.iter().map(|phrase| &**phrase)
    }

    /// The occurrence of a phrase that ends first.
    pub fn find(&self, hay: &[u8]) -> Option<Range<usize>> {
        self.inner.automaton.find(hay).map(|found| found.range())
    }
}

impl fmt::Debug for PhraseSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhraseSet({} phrases)", self.inner.phrases.len())
    }
}

/// Phrase sets by content, so that rules with equal lists share one automaton.
#[derive(Debug, Default)]
pub struct PhrasePool {
    sets: HashMap<Box<[Box<[u8]>]>, PhraseSet>,
}

impl PhrasePool {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set of a list, built on first sight.
    ///
    /// # Errors
    /// As for [`PhraseSet::new`].
    pub fn set<P: AsRef<[u8]>>(
        &mut self,
        phrases: impl IntoIterator<Item = P>,
    ) -> Result<PhraseSet, PhraseSetError> {
        let key: Box<[Box<[u8]>]> = phrases
            .into_iter()
            .map(|phrase| phrase.as_ref().into())
            .collect();
        if let Some(set) = self.sets.get(&key) {
            return Ok(set.clone());
        }
        let set = PhraseSet::new(key.iter())?;
        self.sets.insert(key, set.clone());
        Ok(set)
    }
}
