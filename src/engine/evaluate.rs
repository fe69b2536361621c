//! The loop: the rules of a phase, in order, against the values of their targets.
//!
//! As in ModSecurity 2.9: every value is tried, non-disruptive actions run at each match of each
//! link at once, and the starter of a chain decides and logs once the last link matches.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::scratch::Scratch;
use super::state::State;
use super::store::Entry;
use super::target::Subject;
use super::values::ValueId;
use crate::action::{AllowScope, Phase};
use crate::operator::{Capture, Eval, Product};
use crate::program::{Constants, Decision, EngineMode, Flow, Fold, Program, Rule, RuleIndex, Test};
use crate::transform::Context;
use crate::variable::{KeySlot, PCRE_LIMITS_EXCEEDED, Variable};
use crate::work::cost;

/// What came of one rule with its chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    NoMatch,
    Match,
    /// The transaction is over, or the phase: an interruption, `allow`, or work that is spent.
    Stop,
}

impl Outcome {
    /// What two questions of one rule come to: one match is enough.
    fn and_then(self, next: Self) -> Self {
        if next == Self::NoMatch { self } else { next }
    }
}

/// What a rule asks of each of its values.
#[derive(Clone, Copy)]
struct Question<'a> {
    program: &'a Program,
    /// The rule, or the first of its chain.
    starter: RuleIndex,
    rule: &'a Rule,
    test: &'a Test,
    /// The operator's argument with its macros expanded.
    argument: &'a [u8],
    /// Where in it the text of macros stands.
    macros: &'a [Range<usize>],
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
        match phase {
            Phase::RequestHeaders => {
                self.takes_its_course = self.trace.is_none() && !scratch.ablation.folding;
            }
            Phase::Logging => self.begin_logging_work(),
            _ => {}
        }
        scratch.matching.set_work(Rc::clone(&self.work));
        if !scratch.ablation.repeats {
            scratch.names.get_or_insert_default();
        }
        self.names.exchange_repeats(&mut scratch.names);
        self.run_rules(phase, scratch);
        self.names.exchange_repeats(&mut scratch.names);
        if self.work.is_spent() {
            self.takes_its_course = false;
            self.work_is_spent();
        }
    }

    /// Does at once what the rules of a run do one after the other.
    fn carry_out(&mut self, fold: &Fold, constants: &Constants) {
        let assignments = constants.assignments(fold);
        self.work.charge_each(assignments.len(), cost::ENTRY);
        for assignment in assignments {
            match assignment.value {
                Some(value) => {
                    let value = self.values.constant(value);
                    self.store.tx.set(assignment.variable, value);
                }
                None => self.store.tx.unset(assignment.variable),
            }
        }
        self.set_bytes = self.set_bytes.saturating_add(fold.long_bytes);
    }

    /// The rules of a phase, in order, until one decides or the work is spent.
    fn run_rules(&mut self, phase: Phase, scratch: &mut Scratch) {
        let program = Arc::clone(&self.program);
        let Some(rules) = program.phases.get(phase.index()) else {
            return;
        };
        scratch.sharing.begin(scratch.ablation);
        scratch
            .matching
            .set_step_limit(program.settings.pcre_match_limit);
        // A trace tells of every rule that was asked.
        let has_gates = self.trace.is_none();
        let mut at = 0usize;
        while let Some(entry) = rules.entries.get(at) {
            let starter = entry.starter;
            at = at.saturating_add(1);
            self.work.charge(cost::RULE);
            if self.work.is_spent() {
                return;
            }
            if self.takes_its_course
                && let Some(fold) = &entry.fold
            {
                self.carry_out(fold, &program.constants);
                at = usize::try_from(fold.next).unwrap_or(usize::MAX);
                continue;
            }
            if !self.removed.is_empty() && self.removed.binary_search(&starter).is_ok() {
                continue;
            }
            if has_gates
                && let Some(gate) = entry.gate
                && self.cannot_match(&program, starter, gate, scratch)
            {
                continue;
            }
            let begun = self.begin_rule();
            let outcome = self.chain(&program, starter, scratch);
            self.end_rule(begun, starter);
            match outcome {
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
        self.matched.unlisted.clear();
        let mut at = starter;
        loop {
            let Some(rule) = program.rule(at) else {
                return Outcome::NoMatch;
            };
            self.trace_rule(starter, at, rule);
            let outcome = self.rule(program, starter, at, rule, scratch);
            self.trace_outcome(outcome != Outcome::NoMatch);
            match outcome {
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
            self.captures.clear();
            return self.on_match(program, starter, rule, None);
        };
        let mut argument = std::mem::take(&mut scratch.argument);
        let mut macros = std::mem::take(&mut scratch.macros);
        let mut subjects = std::mem::take(&mut scratch.subjects);
        self.list_removed_targets(at);
        self.subjects(program, rule, scratch, &mut subjects);
        let mut outcome = Outcome::NoMatch;
        if !subjects.is_empty() {
            argument.clear();
            macros.clear();
            test.argument
                .expand_marked(self, &mut argument, &mut macros);
            self.trace_argument(&argument);
            let question = Question {
                program,
                starter,
                rule,
                test,
                argument: &argument,
                macros: &macros,
            };
            for subject in &subjects {
                outcome = outcome.and_then(self.subject(&question, subject, scratch));
                if outcome == Outcome::Stop {
                    break;
                }
            }
        }
        scratch.argument = argument;
        scratch.macros = macros;
        scratch.subjects = subjects;
        outcome
    }

    /// One value: transformed, asked, and with `multiMatch` asked after every step that changes it.
    fn subject(
        &mut self,
        question: &Question<'_>,
        subject: &Subject,
        scratch: &mut Scratch,
    ) -> Outcome {
        let Question { program, rule, .. } = *question;
        let context = Context {
            unicode_map: program.settings.unicode_map.as_ref(),
        };
        let chains = &program.chains;
        if !rule.multi_match {
            let (value, chain) = (subject.value, rule.transformations);
            let value = if scratch.ablation.transformations {
                self.values.transform_anew(value, chain, chains, context)
            } else {
                self.values.transform(value, chain, chains, context)
            };
            return self.ask(question, subject, value, scratch);
        }
        let mut value = subject.value;
        let mut outcome = self.ask(question, subject, value, scratch);
        for &(chain, step) in chains.steps(rule.transformations) {
            if outcome == Outcome::Stop {
                return outcome;
            }
            let next = if scratch.ablation.transformations {
                self.values.apply(value, step, context)
            } else {
                self.values.transform(subject.value, chain, chains, context)
            };
            if next != value {
                value = next;
                outcome = outcome.and_then(self.ask(question, subject, value, scratch));
            }
        }
        outcome
    }

    /// Asks the operator about one transformed value.
    fn ask(
        &mut self,
        question: &Question<'_>,
        subject: &Subject,
        value: ValueId,
        scratch: &mut Scratch,
    ) -> Outcome {
        let Question {
            program,
            starter,
            rule,
            test,
            argument,
            macros,
        } = *question;
        let candidate = match (test.slot, program.phases.get(self.phase.index())) {
            (Some(slot), Some(phase)) if !scratch.ablation.prefilter => scratch
                .sharing
                .scans
                .can_match(&phase.prefilter, slot, value, &self.values, &self.work),
            _ => true,
        };
        self.captures.clear();
        self.work.charge(cost::VALUE);
        let mut product = Product::Nothing;
        let found = candidate && {
            let mut eval = Eval {
                scratch: &mut scratch.matching,
                rx_cache: &mut scratch.rx_cache,
                capture: test.capture,
                captures: &mut self.captures,
                macros,
                geography: program.settings.geography.as_deref(),
                product: &mut product,
            };
            let value = self.values.get(value);
            // Patterns and phrases charge what they read.
            if test.operator.pattern().is_none() && test.operator.phrases().is_none() {
                let compared = value.len().saturating_add(argument.len());
                self.work.charge_each(compared, 1);
            }
            test.operator.eval(value, argument, &mut eval)
        };
        let exceeded = scratch.matching.take_limit_exceeded();
        let malformed = scratch.rx_cache.take_error().is_some();
        if self.work.is_spent() {
            // What was left unfinished is no answer.
            return Outcome::Stop;
        }
        if exceeded {
            self.pcre_limit_exceeded();
        } else if malformed {
            self.set(Variable::MscPcreError, b"1");
        }
        if exceeded || malformed || product.is_failure(subject.variable) {
            // An operator that fails does not match, negated or not (v2 without
            // SecInterceptOnError).
            product = Product::Nothing;
            if !program.settings.intercept_on_error {
                self.trace_asked(subject, value, false);
                return Outcome::NoMatch;
            }
        } else if found == test.negated {
            self.take_place(product);
            self.trace_asked(subject, value, false);
            return Outcome::NoMatch;
        }
        self.trace_asked(subject, value, true);
        if found && test.capture != Capture::None {
            self.store_captures(value, subject);
        }
        let value = match product {
            Product::Text(text) => self.replace_stream(subject.variable, &text),
            product => {
                self.take_place(product);
                value
            }
        };
        self.matched.value = value;
        self.matched.subject = Some(*subject);
        self.matched.unlisted.push((*subject, value));
        if program.expands_matched {
            self.list_matched();
        }
        self.on_match(program, starter, rule, Some((test, argument)))
    }

    /// Fills MATCHED_VARS with what was left until somebody looks there.
    pub(super) fn list_matched(&mut self) {
        for (subject, value) in std::mem::take(&mut self.matched.unlisted) {
            let name = self.subject_name(&subject);
            let name = self.values.intern(&name);
            self.store
                .push(Variable::MatchedVars, Entry { name, value });
        }
    }

    /// Fills GEO with what a lookup found; one that found nothing empties it, as in v2.
    fn take_place(&mut self, product: Product) {
        let Product::Place(place) = product else {
            return;
        };
        self.store.clear(Variable::Geo);
        for (name, value) in place {
            self.push(Variable::Geo, name.as_bytes(), &value);
        }
    }

    /// Says that a pattern came to its limit: in a variable, as v3 does, and in TX, as v2 does.
    pub(super) fn pcre_limit_exceeded(&mut self) {
        self.set(Variable::MscPcreError, b"1");
        self.set(Variable::MscPcreLimitsExceeded, b"1");
        self.raise(PCRE_LIMITS_EXCEEDED);
    }

    /// Sets a variable of TX to 1.
    pub(super) fn raise(&mut self, name: &[u8]) {
        if let Some(slot) = self.tx_slot(&mut name.to_vec()) {
            let one = self.values.intern(b"1");
            self.store.tx.set(slot, one);
        }
    }

    /// TX.0 to TX.9: all are forgotten first, as v2 does.
    fn store_captures(&mut self, value: ValueId, subject: &Subject) {
        self.store.tx.clear_captures();
        let sensitive = self.is_sensitive(subject);
        let mut copy = std::mem::take(&mut self.text);
        for number in 0..crate::variable::CAPTURE_SLOTS {
            let index = usize::try_from(number).unwrap_or(usize::MAX);
            let whole = self.values.get(value);
            let Some(text) = self.captures.get(index, whole) else {
                continue;
            };
            let text = if text == whole {
                value
            } else {
                copy.clear();
                copy.extend_from_slice(text);
                self.values.intern(&copy)
            };
            self.store.tx.set(KeySlot(number), text);
            if sensitive {
                self.derive(subject, text);
            }
        }
        self.text = copy;
    }

    /// A match of one link: its effects now; the starter's log line and decision if it is the last.
    fn on_match(
        &mut self,
        program: &Program,
        starter: RuleIndex,
        rule: &Rule,
        test: Option<(&Test, &[u8])>,
    ) -> Outcome {
        self.work.charge(cost::MATCH);
        for effect in &rule.effects {
            self.effect(effect);
        }
        if rule.chained {
            return Outcome::Match;
        }
        let Some(meta) = program.meta(starter) else {
            return Outcome::Match;
        };
        if let Some(severity) = meta.severity {
            self.matched.highest_severity = self.matched.highest_severity.min(severity);
        }
        let interruption = self.decide(meta);
        self.relevant |= meta.audit;
        if meta.log || meta.audit || interruption.is_some() {
            self.record_match(meta, test, interruption.clone());
        }
        if interruption.is_some() {
            self.interruption = interruption;
            self.pause = self.pause_of(meta);
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

impl Product {
    /// Whether it stands for no answer: a body can only be changed where it is one.
    fn is_failure(&self, variable: Variable) -> bool {
        match self {
            Self::Failure => true,
            Self::Text(_) => !variable.is_stream(),
            Self::Nothing | Self::Place(_) => false,
        }
    }
}
