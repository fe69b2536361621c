//! Why a transaction was decided as it was: which rules were asked what, and what they answered.

use std::sync::Arc;

use super::state::State;
use super::target::Subject;
use super::values::ValueId;
use crate::program::{Rule, RuleIndex};
use crate::transform::Transformation;

/// Most evaluations kept for one transaction; those beyond are forgotten.
const MAX_EVALUATIONS: usize = 10_000;
/// From this level on the debug log tells of rules.
const TRACED: u8 = 4;
/// Most bytes of a value that the debug log gets: more than it shows, so that a secret at the cut is
/// known.
const LONGEST_IN_LOG: usize = 1024;
/// Most evaluations and values of one transaction in the debug log.
const MAX_LINES: usize = 20_000;
/// Most values kept for one evaluation.
const MAX_ASKED: usize = 1000;

/// One rule, or one link of a chain, that was evaluated. Rules that were removed or skipped leave
/// none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The rule's (for a chain: the starter's) id.
    pub rule_id: u64,
    /// File and line of the starter.
    pub file: Arc<str>,
    /// See `file`.
    pub line: u32,
    /// The place in the chain, from 0.
    pub link: u32,
    /// 1 to 5.
    pub phase: u8,
    /// The operator's name and its argument with macros expanded; none for SecAction. The argument
    /// is empty where there was no value to ask about.
    pub operator: Option<(&'static str, Vec<u8>)>,
    /// The operator is negated.
    pub negated: bool,
    /// What happens to values first.
    pub transformations: Vec<Transformation>,
    /// The values, in the order asked.
    pub asked: Vec<Asked>,
    /// Whether the rule or link matched.
    pub matched: bool,
}

/// One value that an operator was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The target's name, such as `ARGS:x` or `&ARGS`.
    pub target: Vec<u8>,
    /// The value after transformation.
    pub value: Vec<u8>,
    /// The answer, negation included.
    pub matched: bool,
    /// The value is one that no log shows ([`crate::program::SensitiveNames`]).
    pub sensitive: bool,
}

/// A trace in the making.
#[derive(Debug)]
pub(super) struct Trace {
    pub done: Vec<Evaluation>,
    /// Most bytes of a value.
    longest: usize,
    /// How many evaluations and values there is room for, over the whole transaction.
    room: usize,
    /// There was no more room, until that is told.
    is_full: bool,
    /// The rule or link being evaluated.
    open: Option<Evaluation>,
}

impl Default for Trace {
    /// One that keeps values whole.
    fn default() -> Self {
        Self {
            done: Vec::new(),
            longest: usize::MAX,
            room: usize::MAX,
            is_full: false,
            open: None,
        }
    }
}

impl Trace {
    /// One for the debug log.
    fn for_log() -> Self {
        Self {
            longest: LONGEST_IN_LOG,
            room: MAX_LINES,
            ..Self::default()
        }
    }

    /// What was evaluated since this was asked last, and whether that is not all.
    pub(super) fn take(&mut self) -> (Vec<Evaluation>, bool) {
        let is_full = std::mem::take(&mut self.is_full);
        (std::mem::take(&mut self.done), is_full)
    }
}

impl State {
    /// Begins or ends what the debug log wants to know, by its level.
    pub(super) fn set_debug_log_level(&mut self, level: u8) {
        self.switches.debug_log_level = level;
        if self
            .trace
            .as_ref()
            .is_some_and(|trace| trace.room == usize::MAX)
        {
            // Somebody else wants all of it.
            return;
        }
        if level < TRACED {
            self.trace = None;
        } else if self.trace.is_none() {
            self.trace = Some(Trace::for_log());
            self.takes_its_course = false;
        }
    }

    /// Begins the trace of one rule or link.
    pub(super) fn trace_rule(&mut self, starter: RuleIndex, at: RuleIndex, rule: &Rule) {
        let (Some(trace), Some(meta)) = (&mut self.trace, self.program.meta(starter)) else {
            return;
        };
        trace.open = Some(Evaluation {
            rule_id: meta.id,
            file: Arc::clone(&meta.file),
            line: meta.line,
            link: at.0.saturating_sub(starter.0),
            phase: self.phase.number(),
            operator: rule
                .test
                .as_ref()
                .map(|test| (test.operator.def().name, Vec::new())),
            negated: rule.test.as_ref().is_some_and(|test| test.negated),
            transformations: self
                .program
                .chains
                .steps(rule.transformations)
                .iter()
                .map(|(_, transformation)| *transformation)
                .collect(),
            asked: Vec::new(),
            matched: false,
        });
    }

    /// Notes the expanded argument of the rule being traced.
    pub(super) fn trace_argument(&mut self, argument: &[u8]) {
        let Some(trace) = &mut self.trace else {
            return;
        };
        let longest = trace.longest;
        let open = trace.open.as_mut();
        if let Some((_, noted)) = open.and_then(|open| open.operator.as_mut()) {
            *noted = argument.get(..longest).unwrap_or(argument).to_vec();
        }
    }

    /// Notes an answer of the rule being traced.
    pub(super) fn trace_asked(&mut self, subject: &Subject, value: ValueId, matched: bool) {
        let Some(longest) = self.trace.as_ref().map(|trace| trace.longest) else {
            return;
        };
        let value = self.values.get(value);
        let asked = Asked {
            target: self.subject_name(subject),
            value: value.get(..longest).unwrap_or(value).to_vec(),
            matched,
            sensitive: self.is_sensitive(subject),
        };
        let Some(trace) = &mut self.trace else {
            return;
        };
        if let Some(open) = trace
            .open
            .as_mut()
            .filter(|open| open.asked.len() < MAX_ASKED)
        {
            match trace.room.checked_sub(1) {
                Some(room) => {
                    trace.room = room;
                    open.asked.push(asked);
                }
                None => trace.is_full = true,
            }
        }
    }

    /// Ends the trace of one rule or link.
    pub(super) fn trace_outcome(&mut self, matched: bool) {
        let Some(trace) = &mut self.trace else {
            return;
        };
        if let Some(mut evaluation) = trace.open.take() {
            evaluation.matched = matched;
            match trace.room.checked_sub(1) {
                Some(room) if trace.done.len() < MAX_EVALUATIONS => {
                    trace.room = room;
                    trace.done.push(evaluation);
                }
                _ => trace.is_full = true,
            }
        }
    }
}
