//! Why a transaction was decided as it was: which rules were asked what, and what they answered.

use std::sync::Arc;

use super::state::State;
use super::target::Subject;
use super::values::ValueId;
use crate::program::{RuleIndex, Test};

/// Most evaluations kept for one transaction; those beyond are forgotten.
const MAX_EVALUATIONS: usize = 10_000;
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
}

/// A trace in the making.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub done: Vec<Evaluation>,
    /// The rule or link being evaluated.
    open: Option<Evaluation>,
}

impl State {
    /// Begins the trace of one rule or link.
    pub(super) fn trace_rule(&mut self, starter: RuleIndex, at: RuleIndex, test: Option<&Test>) {
        let (Some(trace), Some(meta)) = (&mut self.trace, self.program.meta(starter)) else {
            return;
        };
        trace.open = Some(Evaluation {
            rule_id: meta.id,
            file: Arc::clone(&meta.file),
            line: meta.line,
            link: at.0.saturating_sub(starter.0),
            phase: self.phase.number(),
            operator: test.map(|test| (test.operator.def().name, Vec::new())),
            asked: Vec::new(),
            matched: false,
        });
    }

    /// Notes the expanded argument of the rule being traced.
    pub(super) fn trace_argument(&mut self, argument: &[u8]) {
        let open = self.trace.as_mut().and_then(|trace| trace.open.as_mut());
        if let Some((_, noted)) = open.and_then(|open| open.operator.as_mut()) {
            *noted = argument.to_vec();
        }
    }

    /// Notes an answer of the rule being traced.
    pub(super) fn trace_asked(&mut self, subject: &Subject, value: ValueId, matched: bool) {
        if self.trace.is_none() {
            return;
        }
        let asked = Asked {
            target: self.subject_name(subject),
            value: self.values.get(value).to_vec(),
            matched,
        };
        let open = self.trace.as_mut().and_then(|trace| trace.open.as_mut());
        if let Some(open) = open.filter(|open| open.asked.len() < MAX_ASKED) {
            open.asked.push(asked);
        }
    }

    /// Ends the trace of one rule or link.
    pub(super) fn trace_outcome(&mut self, matched: bool) {
        let Some(trace) = &mut self.trace else {
            return;
        };
        if let Some(mut evaluation) = trace.open.take() {
            evaluation.matched = matched;
            if trace.done.len() < MAX_EVALUATIONS {
                trace.done.push(evaluation);
            }
        }
    }
}
