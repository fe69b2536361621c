//! Which selector patterns match which names.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::values::{ValueId, Values};
use crate::matching::{Candidates, Scratch};
use crate::program::{KeyPatterns, PatternId};
use crate::work::{Work, cost};

/// What is known in one transaction. Most names are scanned once for all patterns and match none.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Where the candidates of a name begin in `bits`, by value.
    rows: Vec<Option<usize>>,
    bits: Vec<u64>,
    /// What the prefilter writes.
    found: Candidates,
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
        if !self.may_match(patterns, id, name, values, work) {
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

    fn may_match(
        &mut self,
        patterns: &KeyPatterns,
        id: PatternId,
        name: ValueId,
        values: &Values,
        work: &Work,
    ) -> bool {
        let place = name.index();
        let row = match self.rows.get(place) {
            Some(&Some(row)) => row,
            _ => {
                let text = values.get(name);
                let profile = values.profile(name);
                patterns
                    .prefilter()
                    .candidates(text, profile, &mut self.found);
                work.charge(cost::SCAN);
                work.charge_each(text.len(), cost::SCAN_BYTE);
                let row = self.bits.len();
                self.bits.extend_from_slice(self.found.bits());
                if place >= self.rows.len() {
                    self.rows.resize(values.len(), None);
                }
                if let Some(entry) = self.rows.get_mut(place) {
                    *entry = Some(row);
                }
                row
            }
        };
        Candidates::contained(self.bits.get(row..).unwrap_or_default(), id.0)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.bits.clear();
        self.known.clear();
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        let rows = self
            .rows
            .capacity()
            .saturating_mul(size_of::<Option<usize>>());
        let bits = self.bits.capacity().saturating_mul(size_of::<u64>());
        let known = self.known.capacity().saturating_mul(KNOWN);
        rows.saturating_add(bits).saturating_add(known)
    }
}

/// Bytes of an entry of [`Names::known`].
const KNOWN: usize = 16;
