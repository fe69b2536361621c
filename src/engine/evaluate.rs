//! The loop: the rules of a phase, in order, against the values of their targets.
//!
//! seclang.md has no say here; ModSecurity 2.9 has: every value is tried, non-disruptive actions
//! run at each match of each link at once, and the starter of a chain decides and logs once the
//! last link matches.

use std::sync::Arc;

use super::scratch::{Candidacy, Scratch};
use super::state::State;
use super::store::Entry;
use super::target::Subject;
use super::values::ValueId;
use crate::action::{AllowScope, Phase};
use crate::operator::{Capture, Eval};
use crate::program::{Decision, EngineMode, Flow, Program, Rule, RuleIndex, Test};
use crate::transform::Context;
use crate::variable::{KeySlot, Variable};

/// What came of one rule with its chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    NoMatch,
    Match,
    /// The transaction is over, or the phase: an interruption, or `allow`.
    Stop,
}

impl State {
    /// Runs the rules of a phase, unless the transaction is decided or the engine is off.
    pub(super) fn run_phase(&mut self, phase: Phase, scratch: &mut Scratch) {
        self.phase = phase;
        if !self.runs(phase) {
            return;
        }
        if self.allowed == Some(AllowScope::Phase) {
            self.allowed = None;
        }
        let program = Arc::clone(&self.program);
        let Some(rules) = program.phases.get(phase.index()) else {
            return;
        };
        scratch.candidacy.begin(phase);
        let mut at = 0usize;
        while let Some(&starter) = rules.entries.get(at) {
            at = at.saturating_add(1);
            if self.removed.binary_search(&starter).is_ok() {
                continue;
            }
            match self.chain(&program, starter, scratch) {
                Outcome::NoMatch => {}
                Outcome::Stop => return,
                Outcome::Match => match program.meta(starter).map(|meta| meta.flow) {
                    None | Some(Flow::Next) => {}
                    Some(Flow::Skip(count)) => {
                        at = at.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
                    }
                    Some(Flow::Goto(entry)) => at = usize::try_from(entry).unwrap_or(usize::MAX),
                    Some(Flow::EndOfPhase) => return,
                },
            }
            if self.switches.engine == EngineMode::Off {
                return;
            }
        }
    }

    /// Whether rules of a phase run at all. Phase 5 always does, unless the engine is off.
    pub(super) fn runs(&self, phase: Phase) -> bool {
        if self.switches.engine == EngineMode::Off {
            return false;
        }
        if phase == Phase::Logging {
            return true;
        }
        let allowed = match self.allowed {
            Some(AllowScope::All) => true,
            Some(AllowScope::Request) => phase <= Phase::RequestBody,
            Some(AllowScope::Phase) | None => false,
        };
        self.interruption.is_none() && !allowed
    }

    /// One rule, and the links of its chain as long as each matches.
    fn chain(&mut self, program: &Program, starter: RuleIndex, scratch: &mut Scratch) -> Outcome {
        self.current = Some(starter);
        self.store.clear(Variable::MatchedVars);
        let mut at = starter;
        loop {
            let Some(rule) = program.rule(at) else {
                return Outcome::NoMatch;
            };
            match self.rule(program, starter, at, rule, scratch) {
                Outcome::Match if rule.chained => at = at.next(),
                outcome => return outcome,
            }
        }
    }

    /// One rule of a chain against all its values.
    fn rule(
        &mut self,
        program: &Program,
        starter: RuleIndex,
        at: RuleIndex,
        rule: &Rule,
        scratch: &mut Scratch,
    ) -> Outcome {
        let Some(test) = &rule.test else {
            return self.on_match(program, starter, rule, None, scratch);
        };
        let mut argument = std::mem::take(&mut scratch.argument);
        let mut subjects = std::mem::take(&mut scratch.subjects);
        self.subjects(at, rule, &mut subjects);
        let mut outcome = Outcome::NoMatch;
        if !subjects.is_empty() {
            argument.clear();
            test.argument.expand(self, &mut argument);
        }
        for subject in &subjects {
            outcome = match self.subject(program, starter, rule, test, subject, &argument, scratch)
            {
                Outcome::NoMatch => outcome,
                found => found,
            };
            if outcome == Outcome::Stop {
                break;
            }
        }
        scratch.argument = argument;
        scratch.subjects = subjects;
        outcome
    }

    /// One value: transformed, asked, and with `multiMatch` asked after every step that changes it.
    #[expect(clippy::too_many_arguments, reason = "the parts of one question")]
    fn subject(
        &mut self,
        program: &Program,
        starter: RuleIndex,
        rule: &Rule,
        test: &Test,
        subject: &Subject,
        argument: &[u8],
        scratch: &mut Scratch,
    ) -> Outcome {
        let context = Context {
            unicode_map: program.settings.unicode_map.as_ref(),
        };
        if !rule.multi_match {
            let value = self.values.transform(
                subject.value,
                rule.transformations,
                &program.chains,
                context,
            );
            return self.ask(
                program, starter, rule, test, subject, value, argument, scratch,
            );
        }
        let mut value = subject.value;
        let mut outcome = self.ask(
            program, starter, rule, test, subject, value, argument, scratch,
        );
        for &(_, step) in program.chains.steps(rule.transformations) {
            if outcome == Outcome::Stop {
                return outcome;
            }
            let next = self.values.step(value, step, context);
            if next == value {
                continue;
            }
            value = next;
            match self.ask(
                program, starter, rule, test, subject, value, argument, scratch,
            ) {
                Outcome::NoMatch => {}
                found => outcome = found,
            }
        }
        outcome
    }

    /// Asks the operator about one transformed value.
    #[expect(clippy::too_many_arguments, reason = "the parts of one question")]
    fn ask(
        &mut self,
        program: &Program,
        starter: RuleIndex,
        rule: &Rule,
        test: &Test,
        subject: &Subject,
        value: ValueId,
        argument: &[u8],
        scratch: &mut Scratch,
    ) -> Outcome {
        let candidate = match (test.slot, program.phases.get(self.phase.index())) {
            (Some(slot), Some(phase)) => {
                scratch
                    .candidacy
                    .candidate(&phase.prefilter, slot, value, &self.values)
            }
            _ => true,
        };
        self.captures.clear();
        let found = candidate && {
            let mut eval = Eval {
                scratch: &mut scratch.matching,
                rx_cache: &mut scratch.rx_cache,
                capture: test.capture,
                captures: &mut self.captures,
            };
            test.operator
                .eval(self.values.get(value), argument, &mut eval)
        };
        if scratch.rx_cache.take_error().is_some() {
            // An operator that fails does not match, negated or not (v2 without
            // SecInterceptOnError).
            self.set(Variable::MscPcreError, b"1");
            if !program.settings.intercept_on_error {
                return Outcome::NoMatch;
            }
        } else if found == test.negated {
            return Outcome::NoMatch;
        }
        if found && test.capture != Capture::None {
            self.store_captures(value);
        }
        let name = self.subject_name(subject);
        let name = self.values.intern(&name);
        self.matched.value = value;
        self.matched.name = name;
        self.store
            .push(Variable::MatchedVars, Entry { name, value });
        self.on_match(program, starter, rule, Some((test, argument)), scratch)
    }

    /// TX.0 to TX.9: all are forgotten first, as v2 does.
    fn store_captures(&mut self, value: ValueId) {
        self.store.tx.clear_captures();
        for number in 0..crate::variable::CAPTURE_SLOTS {
            let index = usize::try_from(number).unwrap_or(usize::MAX);
            let text = self
                .captures
                .get(index, self.values.get(value))
                .map(<[u8]>::to_vec);
            if let Some(text) = text {
                let text = self.values.intern(&text);
                self.store.tx.set(KeySlot(number), text);
            }
        }
    }

    /// A match of one link: its effects now; the starter's log line and decision if it is the last.
    fn on_match(
        &mut self,
        program: &Program,
        starter: RuleIndex,
        rule: &Rule,
        test: Option<(&Test, &[u8])>,
        _scratch: &mut Scratch,
    ) -> Outcome {
        for effect in &rule.effects {
            self.effect(effect);
        }
        if rule.chained {
            return Outcome::Match;
        }
        let Some(meta) = program.meta(starter) else {
            return Outcome::Match;
        };
        if let Some(severity) = meta.severity.filter(|&severity| severity > 0) {
            self.matched.highest_severity = self.matched.highest_severity.min(severity);
        }
        let interruption = self.decide(meta);
        self.relevant |= meta.audit;
        if meta.log || meta.audit || interruption.is_some() {
            self.record_match(meta, test, interruption.clone());
        }
        if interruption.is_some() {
            self.interruption = interruption;
            return Outcome::Stop;
        }
        match &meta.decision {
            Decision::Allow(scope) if self.switches.engine == EngineMode::On => {
                self.allowed = Some(*scope);
                Outcome::Stop
            }
            _ => Outcome::Match,
        }
    }
}

impl Candidacy {
    /// Whether the rule of a slot can match a value: one scan per value and phase.
    fn candidate(
        &mut self,
        prefilter: &crate::matching::Prefilter,
        slot: u32,
        value: ValueId,
        values: &super::values::Values,
    ) -> bool {
        let at = value.index();
        if at >= self.known.len() {
            self.known.resize_with(values.len(), || None);
        }
        let Some(entry) = self.known.get_mut(at) else {
            return true;
        };
        entry
            .get_or_insert_with(|| {
                let mut found = crate::matching::Candidates::default();
                prefilter.candidates(values.get(value), values.profile(value), &mut found);
                found
            })
            .contains(slot)
    }
}
