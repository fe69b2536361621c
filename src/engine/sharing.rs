//! What the rules of a phase share: what the prefilter says of values, and the values of targets.
//!
//! All of it is found when a rule first asks. It is forgotten with the phase, since the bits of the
//! prefilter are the phase's; targets also when a rule changes a variable that they look at, which
//! hardly any does.

use super::known::Known;
use super::prospects::KnownProspects;
use super::rows::Row;
use super::scans::Scans;
use super::scratch::{Ablation, Scratch, bytes, relax};
use super::state::State;
use super::target::Subject;
use super::values::{ValueId, Values};
use crate::bytes::set_bits;
use crate::program::{
    ChainTable, Flag, Gate, ListId, PhaseProgram, Plan, Program, Rule, RuleIndex, SharedTargetId,
};
use crate::transform::Context;
use crate::work::{Work, cost};

/// Most values of targets that are kept. Beyond, rules look for theirs again.
const MOST_SUBJECTS: usize = 32_768;

/// What is kept; one per VM, used by one phase of one transaction after the other.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    /// The generation of the variables that targets were made from.
    generation: u64,
    /// The rules that can match a value as it stands: one scan per value and phase.
    pub scans: Scans,
    /// By value: the row of the rules that can match what they make of it, and behind it a
    /// bit for each plan that was carried out, or need not be.
    transformed: Known<Row>,
    /// Which need not; none where all are carried out.
    prospects: Option<KnownProspects>,
    /// By [`SharedTargetId`].
    targets: Known<Listed>,
    /// The same: the row of the rules that can match what they make of some value there, once a rule
    /// has asked.
    unions: Known<Row>,
    /// The values of all targets.
    pub subjects: Vec<Subject>,
    /// By [`crate::program::ListId`]: the row of the rules that can match some value of its targets.
    lists: Known<Row>,
}

/// The values of a target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    /// Where they stand in [`Sharing::subjects`]; none if they are too many to be kept.
    kept: Option<(usize, usize)>,
}

impl Listed {
    /// The values, if they are kept.
    pub(super) fn of(self, subjects: &[Subject]) -> Option<&[Subject]> {
        let (start, end) = self.kept?;
        subjects.get(start..end)
    }
}

/// What the rules of a phase do with values.
#[derive(Clone, Copy)]
struct Rules<'a> {
    phase: &'a PhaseProgram,
    chains: &'a ChainTable,
    context: Context<'a>,
    /// A bit for each plan of those that are asked.
    asked: &'a [u64],
}

impl Sharing {
    /// Forgets the phase, or transaction, before. What is found out about values is kept for later
    /// ones unless that is switched off.
    pub(super) fn begin(&mut self, ablation: Ablation) {
        if !ablation.repeats {
            self.scans.repeats.get_or_insert_default();
        }
        if !ablation.prospects {
            self.prospects.get_or_insert_default().begin();
        }
        self.scans.clear();
        self.transformed.clear();
        self.forget_targets();
    }

    /// Gives buffers back that have grown too large. What is kept is forgotten with the phase anyway.
    pub(super) fn relax(&mut self) {
        self.scans.relax();
        self.transformed.relax();
        self.targets.relax();
        self.unions.relax();
        relax(&mut self.subjects);
        self.lists.relax();
    }

    /// Bytes of memory that all of it takes.
    pub(super) fn held_bytes(&self) -> usize {
        [
            self.scans.held_bytes(),
            self.transformed.held_bytes(),
            self.prospects
                .as_ref()
                .map_or(0, KnownProspects::held_bytes),
            self.targets.held_bytes(),
            self.unions.held_bytes(),
            bytes(&self.subjects),
            self.lists.held_bytes(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    fn forget_targets(&mut self) {
        self.targets.clear();
        self.unions.clear();
        self.subjects.clear();
        self.lists.clear();
    }

    /// Forgets what was made from variables that have changed since.
    fn follow(&mut self, generation: u64) {
        if self.generation != generation {
            self.generation = generation;
            self.forget_targets();
        }
    }

    /// The rules that can match what they make of a value, among those that are asked.
    fn transformed(
        &mut self,
        rules: Rules<'_>,
        value: ValueId,
        values: &mut Values,
        work: &Work,
    ) -> Row {
        let plans = &rules.phase.plans;
        let words = rules.phase.prefilter.words();
        let prefilter = &rules.phase.prefilter;
        let row = self.transformed.get(value.index()).unwrap_or_else(|| {
            let plain = self.scans.row(prefilter, value, values, work);
            let rows = &mut self.scans.rows;
            let row = rows.copy(plain, words);
            let classes = values.profile(value).classes;
            let known = self.prospects.as_mut();
            let known = match known.and_then(|known| known.of(rules.phase, classes, work)) {
                Some(prospects) => {
                    rows.clear_all(row, &prospects.slots);
                    rows.add(&prospects.hopeless)
                }
                None => rows.empty(plans.bits()),
            };
            debug_assert_eq!(known, row.behind(words), "one behind the other");
            self.transformed.keep(value.index(), row);
            row
        });
        // The prefilter does not tell letter cases apart: to change them alone comes to nothing.
        let reshaping = values.reshaping(value);
        let known = row.behind(words);
        for (at, &asked) in rules.asked.iter().enumerate() {
            let missing = self.scans.rows.fill(known, at, asked);
            for bit in set_bits(missing).map(usize::from) {
                let plan = plans.get(at.saturating_mul(64).saturating_add(bit));
                if let Some(plan) = plan.filter(|plan| plan.members.intersects(reshaping)) {
                    self.carry_out(rules, plan, value, row, values, work);
                }
            }
        }
        row
    }

    /// Puts into the row of a value what the prefilter says of what a plan makes of it.
    fn carry_out(
        &mut self,
        rules: Rules<'_>,
        plan: &Plan,
        value: ValueId,
        row: Row,
        values: &mut Values,
        work: &Work,
    ) {
        work.charge(cost::ENTRY);
        if work.is_spent() {
            return;
        }
        if !plan.multi_match {
            let end = values.transform(value, plan.transformations, rules.chains, rules.context);
            if end != value {
                let of_end = self.made(rules, plan, end, values, work);
                self.scans.rows.replace(row, of_end, &plan.slots);
            }
            return;
        }
        let mut stage = value;
        for &step in &plan.steps {
            let next = values.step(stage, step, rules.context);
            if next != stage && next != value {
                let of_stage = self.made(rules, plan, next, values, work);
                self.scans.rows.unite(row, of_stage, &plan.slots);
            }
            stage = next;
        }
    }

    /// The row of what can match something that a plan made.
    fn made(
        &mut self,
        rules: Rules<'_>,
        plan: &Plan,
        made: ValueId,
        values: &Values,
        work: &Work,
    ) -> Row {
        let PhaseProgram {
            prefilter, decoded, ..
        } = rules.phase;
        if plan.decodes {
            self.scans.decoded_row(decoded, made, values, work)
        } else {
            self.scans.row(prefilter, made, values, work)
        }
    }
}

impl State {
    /// Whether no value of a rule's targets can match. What `ctl` excludes for the rule only makes
    /// fewer of them.
    pub(super) fn cannot_match(
        &mut self,
        program: &Program,
        rule: RuleIndex,
        gate: Gate,
        scratch: &mut Scratch,
    ) -> bool {
        match gate {
            Gate::Flag(flag) => !scratch.ablation.flags && self.flag_is_down(flag),
            Gate::Comparison(_) if scratch.ablation.flags || scratch.ablation.sharing => false,
            Gate::Comparison(compared) => self.compares_in_vain(program, rule, compared, scratch),
            Gate::Prefilter { .. } if scratch.ablation.sharing || scratch.ablation.prefilter => {
                false
            }
            Gate::Prefilter { slot, list } => {
                scratch.sharing.follow(self.store.generation());
                let known = scratch.sharing.lists.get(list.index());
                known
                    .or_else(|| self.unite(program, program.rule(rule)?, list, scratch))
                    .is_some_and(|union| !scratch.sharing.scans.rows.contains(union, slot))
            }
        }
    }

    /// Whether the answer to a question about a variable of TX is no.
    fn flag_is_down(&self, flag: Flag) -> bool {
        let stored = self.store.tx.get(flag.variable);
        let value = match stored {
            // What `ctl` excludes is not counted either.
            _ if flag.count && !self.target_removals.is_empty() => return false,
            Some(_) if flag.count => b"1",
            None if flag.count => b"0",
            Some(value) => self.values.get(value),
            None => return true,
        };
        flag.comparison.holds(value, i64::from(flag.number)) == flag.negated
    }

    /// The row of the rules that can match some value of a list of targets.
    fn unite(
        &mut self,
        program: &Program,
        rule: &Rule,
        list: ListId,
        scratch: &mut Scratch,
    ) -> Option<Row> {
        let words = program.phases.get(self.phase.index())?.prefilter.words();
        let mut targets = rule.shared.iter().flatten();
        let first = self.union(program, *targets.next()?, scratch)?;
        // That of a list with one target is that of the target.
        let mut union = first;
        for target in targets {
            let of_target = self.union(program, *target, scratch)?;
            let rows = &mut scratch.sharing.scans.rows;
            if union == first {
                union = rows.copy(first, words);
            }
            rows.unite_all(union, of_target, words);
        }
        scratch.sharing.lists.keep(list.index(), union);
        Some(union)
    }

    /// The values of a rule's targets, without those that `ctl` excludes for it and those that the
    /// prefilter knows it cannot match; `out` is emptied first.
    pub(super) fn subjects(
        &mut self,
        program: &Program,
        rule: &Rule,
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        out.clear();
        // What is kept is for every rule, whatever `ctl` excludes for one of them.
        let shares = !scratch.ablation.sharing && self.removed_targets.is_empty();
        // A trace tells of every value that was asked about.
        let slot = rule
            .decisive_slot()
            .filter(|_| shares && !scratch.ablation.prefilter && self.trace.is_none());
        for (target, shared) in rule.targets.iter().zip(&rule.shared) {
            match (shared, slot) {
                (Some(shared), None) if shares => self.list_shared(program, *shared, scratch, out),
                (Some(shared), Some(slot)) => {
                    self.list_candidates(program, *shared, slot, scratch, out);
                }
                _ => self.list(target, &rule.exclusions, &mut scratch.matching, out),
            }
        }
    }

    /// The values of a target.
    fn list_shared(
        &mut self,
        program: &Program,
        target: SharedTargetId,
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        let listed = self.listed(program, target, scratch);
        match listed.and_then(|listed| listed.of(&scratch.sharing.subjects)) {
            Some(kept) => out.extend_from_slice(kept),
            None => self.list_anew(program, target, scratch, out),
        }
    }

    /// The values of a target that the rule of a slot can match.
    fn list_candidates(
        &mut self,
        program: &Program,
        target: SharedTargetId,
        slot: u32,
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        let union = self.union(program, target, scratch);
        if union.is_some_and(|union| !scratch.sharing.scans.rows.contains(union, slot)) {
            return;
        }
        let before = out.len();
        self.list_shared(program, target, scratch, out);
        let sharing = &scratch.sharing;
        let mut at = 0usize;
        out.retain(|subject| {
            at = at.saturating_add(1);
            let row = sharing.transformed.get(subject.value.index());
            // One that is not known has to be asked about.
            at <= before || row.is_none_or(|row| sharing.scans.rows.contains(row, slot))
        });
    }

    /// What is known of a target.
    pub(super) fn listed(
        &mut self,
        program: &Program,
        target: SharedTargetId,
        scratch: &mut Scratch,
    ) -> Option<Listed> {
        scratch.sharing.follow(self.store.generation());
        let known = scratch.sharing.targets.get(target.index());
        if known.is_some() {
            return known;
        }
        let mut subjects = std::mem::take(&mut scratch.listed);
        subjects.clear();
        self.list_anew(program, target, scratch, &mut subjects);
        let sharing = &mut scratch.sharing;
        let start = sharing.subjects.len();
        let end = start.saturating_add(subjects.len());
        let keeps = end <= MOST_SUBJECTS;
        if keeps {
            sharing.subjects.extend_from_slice(&subjects);
        }
        let listed = Listed {
            kept: keeps.then_some((start, end)),
        };
        sharing.targets.keep(target.index(), listed);
        scratch.listed = subjects;
        Some(listed)
    }

    /// The row of the rules that can match what they make of some value of a target.
    #[inline]
    fn union(
        &mut self,
        program: &Program,
        target: SharedTargetId,
        scratch: &mut Scratch,
    ) -> Option<Row> {
        scratch.sharing.follow(self.store.generation());
        let known = scratch.sharing.unions.get(target.index());
        known.or_else(|| self.unite_values(program, target, scratch))
    }

    /// Apart from [`State::union`], which is asked much more often than it has to find something out.
    #[inline(never)]
    fn unite_values(
        &mut self,
        program: &Program,
        target: SharedTargetId,
        scratch: &mut Scratch,
    ) -> Option<Row> {
        let phase = program.phases.get(self.phase.index())?;
        let rules = Rules {
            phase,
            chains: &program.chains,
            context: Context {
                unicode_map: program.settings.unicode_map.as_ref(),
            },
            asked: phase.plans.asked_of(target),
        };
        // Before the buffer is taken that it uses too.
        self.listed(program, target, scratch)?;
        let mut subjects = std::mem::take(&mut scratch.listed);
        subjects.clear();
        self.list_shared(program, target, scratch, &mut subjects);
        let sharing = &mut scratch.sharing;
        let words = phase.prefilter.words();
        let union = sharing.scans.rows.empty(words);
        for subject in &subjects {
            self.work.charge(cost::ENTRY);
            if self.work.is_spent() {
                break;
            }
            let row = sharing.transformed(rules, subject.value, &mut self.values, &self.work);
            sharing.scans.rows.unite_all(union, row, words);
        }
        sharing.unions.keep(target.index(), union);
        scratch.listed = subjects;
        Some(union)
    }

    /// Looks for the values of a target.
    fn list_anew(
        &mut self,
        program: &Program,
        target: SharedTargetId,
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        if let Some(shared) = program.shared.get(target) {
            // What `ctl` excludes is for one rule, the values are for all.
            self.removed_targets.clear();
            self.list(
                &shared.target,
                &shared.exclusions,
                &mut scratch.matching,
                out,
            );
        }
    }
}
