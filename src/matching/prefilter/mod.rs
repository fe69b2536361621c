//! Which of many patterns can match a value at all, from one scan of it.

use super::{Pattern, PhraseSet};
use crate::bytes::Profile;

/// Collects patterns and phrase sets, each in a slot.
#[derive(Debug, Default)]
pub struct PrefilterBuilder {
    slots: u32,
}

impl PrefilterBuilder {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pattern and returns its slot.
    pub fn add_pattern(&mut self, _pattern: &Pattern) -> u32 {
        let slot = self.slots;
        self.slots = self.slots.saturating_add(1);
        slot
    }

    /// Adds a phrase set and returns its slot.
    pub fn add_phrases(&mut self, _phrases: &PhraseSet) -> u32 {
        let slot = self.slots;
        self.slots = self.slots.saturating_add(1);
        slot
    }

    /// Builds the tables.
    pub fn build(self) -> Prefilter {
        Prefilter { slots: self.slots }
    }
}

/// The tables: immutable.
#[derive(Debug)]
pub struct Prefilter {
    slots: u32,
}

impl Prefilter {
    /// Writes which slots can match the value of this profile. A slot whose bit is clear cannot.
    pub fn candidates(&self, _hay: &[u8], _profile: Profile, out: &mut Candidates) {
        out.slots = self.slots;
    }
}

/// A set of slots, reused from value to value.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    slots: u32,
}

impl Candidates {
    /// Whether the slot can match.
    pub fn contains(&self, slot: u32) -> bool {
        slot < self.slots
    }
}
