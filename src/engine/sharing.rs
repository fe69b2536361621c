//! What the rules of a phase share: candidates of values, values of targets, candidates of groups.
//!
//! All of it is found when a rule first asks. It is forgotten with the phase, since the bits of the
//! prefilter are the phase's; lists and groups also when a rule changes a variable that they look
//! at, which hardly any does.

use super::scratch::{Scratch, bytes, relax};
use super::state::State;
use super::target::Subject;
use super::values::{ValueId, Values};
use crate::matching::{Candidates, Prefilter};
use crate::program::{Group, Program, Rule};
use crate::transform::Context;
use crate::work::{Work, cost};

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
}

impl Sharing {
    /// Forgets the phase, or transaction, before.
    pub(super) fn begin(&mut self) {
        self.rows.clear();
        self.bits.clear();
        self.forget_targets();
    }

    /// Gives buffers back that have grown too large. What is kept is forgotten with the phase anyway.
    pub(super) fn relax(&mut self) {
        relax(&mut self.rows);
        relax(&mut self.bits);
        relax(&mut self.lists);
        relax(&mut self.subjects);
        relax(&mut self.groups);
        relax(&mut self.unions);
    }

    /// Bytes of memory that all of it takes.
    pub(super) fn held_bytes(&self) -> usize {
        [
            bytes(&self.rows),
            bytes(&self.bits),
            bytes(&self.lists),
            bytes(&self.subjects),
            bytes(&self.groups),
            bytes(&self.unions),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
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
        work: &Work,
    ) -> bool {
        let row = self.row(prefilter, value, values, work);
        Candidates::contained(self.bits.get(row..).unwrap_or_default(), slot)
    }

    /// Where the candidates of a value begin.
    fn row(
        &mut self,
        prefilter: &Prefilter,
        value: ValueId,
        values: &Values,
        work: &Work,
    ) -> usize {
        if let Some(&Some(row)) = self.rows.get(value.index()) {
            return row;
        }
        if value.index() >= self.rows.len() {
            self.rows.resize(values.len(), None);
        }
        let text = values.get(value);
        prefilter.candidates(text, values.profile(value), &mut self.found);
        work.charge(cost::SCAN);
        work.charge_each(text.len(), cost::SCAN_BYTE);
        work.charge_each(self.found.reports(), cost::REPORT);
        let row = self.bits.len();
        self.bits.extend_from_slice(self.found.bits());
        if let Some(entry) = self.rows.get_mut(value.index()) {
            *entry = Some(row);
        }
        row
    }

    /// The values of a list, if they are kept.
    fn list(&self, list: usize) -> Option<&[Subject]> {
        let (start, end) = self.lists.get(list).copied().flatten()?;
        self.subjects.get(start..end)
    }

    fn keep_list(&mut self, list: usize, subjects: &[Subject]) {
        let start = self.subjects.len();
        let end = start.saturating_add(subjects.len());
        if end <= MOST_SUBJECTS {
            self.subjects.extend_from_slice(subjects);
            keep(&mut self.lists, list, (start, end));
        }
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
        let context = Context {
            unicode_map: program.settings.unicode_map.as_ref(),
        };
        // The union is for every rule of the group, whatever `ctl` excludes for one of them.
        self.removed_targets.clear();
        let mut subjects = std::mem::take(&mut scratch.subjects);
        self.shared_subjects(rule, scratch, &mut subjects);
        let union = scratch.sharing.unions.len();
        let words = prefilter.words();
        scratch
            .sharing
            .unions
            .resize(union.saturating_add(words), 0);
        for subject in &subjects {
            self.work.charge(cost::ENTRY);
            if self.work.is_spent() {
                break;
            }
            let (value, chain) = (subject.value, group.transformations);
            let value = self
                .values
                .transform(value, chain, &program.chains, context);
            let row = scratch
                .sharing
                .row(prefilter, value, &self.values, &self.work);
            scratch.sharing.unite(union, row, words);
        }
        scratch.subjects = subjects;
        Some(union)
    }

    /// The values of a rule's targets; `out` is emptied first. Rules with the same targets share
    /// them, but for those that `ctl` excludes something for.
    pub(super) fn shared_subjects(
        &mut self,
        rule: &Rule,
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        let list = match rule.list {
            Some(list) if !scratch.ablation.sharing && self.removed_targets.is_empty() => {
                list.index()
            }
            _ => return self.subjects(rule, &mut scratch.matching, out),
        };
        scratch.sharing.follow(self.store.generation());
        if let Some(kept) = scratch.sharing.list(list) {
            out.clear();
            out.extend_from_slice(kept);
        } else {
            self.subjects(rule, &mut scratch.matching, out);
            scratch.sharing.keep_list(list, out);
        }
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
