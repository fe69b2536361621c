//! What the rules of a phase share: candidates of values, values of targets, candidates of groups.
//!
//! All of it is found when a rule first asks. It is forgotten with the phase, since the bits of the
//! prefilter are the phase's; lists and groups also when a rule changes a variable that they look
//! at, which hardly any does.

use std::ops::Range;

use super::scratch::Scratch;
use super::state::State;
use super::target::{Looking, Subject};
use super::values::{ValueId, Values};
use crate::matching::{Candidates, Prefilter};
use crate::program::{Group, Program, Rule};
use crate::transform::Context;

/// Most values of targets that are kept. Beyond, rules look for theirs again.
const MOST_SUBJECTS: usize = 16_384;

/// What is kept; one per VM, used by one phase of one transaction after the other.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    /// The generation of the variables that lists and groups were made from.
    generation: u64,
    /// Where the candidates of a value begin in `bits`, by value; none where it was not scanned.
    rows: Vec<Option<usize>>,
    bits: Vec<u64>,
    /// What the prefilter writes.
    found: Candidates,
    /// By [`crate::program::ListId`]: where its values stand in `subjects`.
    lists: Vec<Option<(usize, usize)>>,
    subjects: Vec<Subject>,
    /// By [`crate::program::GroupId`]: where the candidates of all its values together begin in
    /// `unions`.
    groups: Vec<Option<usize>>,
    unions: Vec<u64>,
    /// The values of a list that is not kept.
    passing: Vec<Subject>,
}

impl Sharing {
    /// Forgets the phase, or transaction, before.
    pub(super) fn begin(&mut self) {
        self.rows.clear();
        self.bits.clear();
        self.forget_targets();
    }

    fn forget_targets(&mut self) {
        self.lists.clear();
        self.subjects.clear();
        self.groups.clear();
        self.unions.clear();
    }

    /// Forgets what was made from variables that have changed since.
    fn follow(&mut self, generation: u64) {
        if self.generation != generation {
            self.generation = generation;
            self.forget_targets();
        }
    }

    /// Whether the rule of a slot can match a value: one scan per value and phase.
    pub(super) fn candidate(
        &mut self,
        prefilter: &Prefilter,
        slot: u32,
        value: ValueId,
        values: &Values,
    ) -> bool {
        let row = self.row(prefilter, value, values);
        Candidates::contained(self.bits.get(row..).unwrap_or_default(), slot)
    }

    /// Where the candidates of a value begin.
    fn row(&mut self, prefilter: &Prefilter, value: ValueId, values: &Values) -> usize {
        if let Some(&Some(row)) = self.rows.get(value.index()) {
            return row;
        }
        if value.index() >= self.rows.len() {
            self.rows.resize(values.len(), None);
        }
        prefilter.candidates(values.get(value), values.profile(value), &mut self.found);
        let row = self.bits.len();
        self.bits.extend_from_slice(self.found.bits());
        if let Some(entry) = self.rows.get_mut(value.index()) {
            *entry = Some(row);
        }
        row
    }

    /// Adds the candidates of a value to those of a group.
    fn unite(&mut self, union: usize, row: usize, words: usize) {
        let row = self.bits.get(row..).unwrap_or_default();
        let union = self.unions.get_mut(union..).unwrap_or_default();
        for (all, one) in union.iter_mut().zip(row).take(words) {
            *all |= one;
        }
    }
}

impl State {
    /// Whether the prefilter knows that no value of the rule's targets can match. What `ctl`
    /// excludes for the rule only makes fewer of them.
    pub(super) fn cannot_match(
        &mut self,
        program: &Program,
        rule: &Rule,
        scratch: &mut Scratch,
    ) -> bool {
        let Some(group) = rule.group else {
            return false;
        };
        let slot = rule.test.as_ref().and_then(|test| test.slot);
        let (Some(slot), false) = (slot, scratch.ablation.sharing || scratch.ablation.prefilter)
        else {
            return false;
        };
        scratch.sharing.follow(self.store.generation());
        let known = scratch.sharing.groups.get(group.index()).copied().flatten();
        let union = match known {
            Some(union) => union,
            None => {
                let Some(parts) = program.groups.group(group) else {
                    return false;
                };
                let Some(union) = self.unite_group(program, parts, scratch) else {
                    return false;
                };
                keep(&mut scratch.sharing.groups, group.index(), union);
                union
            }
        };
        let bits = scratch.sharing.unions.get(union..).unwrap_or_default();
        !Candidates::contained(bits, slot)
    }

    /// The candidates of all values of a group together.
    fn unite_group(
        &mut self,
        program: &Program,
        group: Group,
        scratch: &mut Scratch,
    ) -> Option<usize> {
        let prefilter = &program.phases.get(group.phase.index())?.prefilter;
        let rule = program.rule(program.groups.list(group.list)?)?;
        let looking = Looking { at: None, rule };
        let context = Context {
            unicode_map: program.settings.unicode_map.as_ref(),
        };
        let kept = self.kept_subjects(looking, scratch);
        let passing = std::mem::take(&mut scratch.sharing.passing);
        let union = scratch.sharing.unions.len();
        let words = prefilter.words();
        scratch
            .sharing
            .unions
            .resize(union.saturating_add(words), 0);
        let mut at = kept.as_ref().map_or(0, |kept| kept.start);
        loop {
            let subject = match &kept {
                Some(kept) if at < kept.end => scratch.sharing.subjects.get(at),
                Some(_) => None,
                None => passing.get(at),
            };
            let Some(subject) = subject else { break };
            at = at.saturating_add(1);
            let (value, chain) = (subject.value, group.transformations);
            let value = self.values.transform(value, chain, &program.chains, context);
            let row = scratch.sharing.row(prefilter, value, &self.values);
            scratch.sharing.unite(union, row, words);
        }
        scratch.sharing.passing = passing;
        Some(union)
    }

    /// The values of a rule's targets; `out` is emptied first. Rules with the same targets share
    /// them.
    pub(super) fn shared_subjects(
        &mut self,
        looking: Looking<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        let excluding = |(of, _): &(_, _)| Some(*of) == looking.at;
        if looking.rule.list.is_none()
            || scratch.ablation.sharing
            || self.removed_targets.iter().any(excluding)
        {
            self.subjects(looking, &mut scratch.matching, out);
            return;
        }
        scratch.sharing.follow(self.store.generation());
        out.clear();
        match self.kept_subjects(looking, scratch) {
            Some(kept) => {
                out.extend_from_slice(scratch.sharing.subjects.get(kept).unwrap_or_default());
            }
            None => out.extend_from_slice(&scratch.sharing.passing),
        }
    }

    /// Where the values of a list stand; in `passing`, if they are not kept.
    fn kept_subjects(
        &mut self,
        looking: Looking<'_>,
        scratch: &mut Scratch,
    ) -> Option<Range<usize>> {
        let list = looking.rule.list.map_or(usize::MAX, |list| list.index());
        if let Some(&Some((start, end))) = scratch.sharing.lists.get(list) {
            return Some(start..end);
        }
        let mut passing = std::mem::take(&mut scratch.sharing.passing);
        let all = Looking {
            at: None,
            ..looking
        };
        self.subjects(all, &mut scratch.matching, &mut passing);
        let sharing = &mut scratch.sharing;
        sharing.passing = passing;
        let start = sharing.subjects.len();
        let end = start.saturating_add(sharing.passing.len());
        if end > MOST_SUBJECTS {
            return None;
        }
        sharing.subjects.extend_from_slice(&sharing.passing);
        keep(&mut sharing.lists, list, (start, end));
        Some(start..end)
    }
}

/// Remembers something at a place.
fn keep<T: Copy>(known: &mut Vec<Option<T>>, at: usize, what: T) {
    if at >= known.len() && at < usize::MAX {
        known.resize(at.saturating_add(1), None);
    }
    if let Some(place) = known.get_mut(at) {
        *place = Some(what);
    }
}
