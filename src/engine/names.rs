//! Which selector patterns match which names.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::repeats::Repeats;
use super::scans::Scans;
use super::values::{ValueId, Values};
use crate::matching::Scratch;
use crate::program::{KeyPatterns, PatternId};
use crate::work::Work;

/// What is known in one transaction. Most names are scanned once for all patterns and match none.
#[derive(Debug, Default)]
pub(super) struct Names {
    scans: Scans,
    /// Answers about candidates.
    known: HashMap<(PatternId, ValueId), bool, FixedState>,
}

impl Names {
    /// Whether a pattern matches a name.
    pub(super) fn matches(
        &mut self,
        patterns: &KeyPatterns,
        id: PatternId,
        name: ValueId,
        values: &Values,
        scratch: &mut Scratch,
        work: &Work,
    ) -> bool {
        if let Some(pattern) = patterns.get(id).filter(|pattern| pattern.is_quick()) {
            return pattern.is_match(values.get(name), scratch);
        }
        let prefilter = patterns.prefilter();
        if !self.scans.can_match(prefilter, id.0, name, values, work) {
            return false;
        }
        if let Some(&known) = self.known.get(&(id, name)) {
            return known;
        }
        let found = patterns
            .get(id)
            .is_some_and(|pattern| pattern.is_match(values.get(name), scratch));
        if !work.is_spent() {
            self.known.insert((id, name), found);
        }
        found
    }

    /// Takes over, or gives back, what was found out about names in earlier transactions: that is kept
    /// once per VM.
    pub(super) fn exchange_repeats(&mut self, repeats: &mut Option<Repeats>) {
        std::mem::swap(&mut self.scans.repeats, repeats);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.scans.clear();
        self.known.clear();
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        let known = self.known.capacity().saturating_mul(KNOWN);
        self.scans.held_bytes().saturating_add(known)
    }
}

/// Bytes of an entry of [`Names::known`].
const KNOWN: usize = 16;
