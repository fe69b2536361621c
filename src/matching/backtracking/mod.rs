//! The engine for patterns beyond regular languages: lookaround, back references, conditional
//! groups, and atomic parts that are more than a hint.
//!
//! Such a pattern is compiled to a small program that a machine with an explicit stack runs, one
//! way after the other, as PCRE does. That can take exponential time, so every search has a limit
//! of steps, and the stack one of frames. A search that comes to a limit ends without a match and
//! leaves a mark in the [`Scratch`](super::Scratch).
//!
//! Spans and groups are PCRE's, corner cases included: a round of a repetition that reads nothing is
//! the last one, a group keeps what it matched in an earlier round, and a back reference to a group
//! that has not matched fails.

mod compiler;
mod machine;
mod program;
mod search;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests take time")]
mod tests;

use std::ops::Range;

use super::PatternError;
use super::syntax::{Construct, Parsed};
use crate::work::Work;
pub(super) use machine::Machine;
use program::Program;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Backtracking {
    program: Program,
    groups: usize,
    /// Why the linear engine did not take it.
    pub(super) construct: Construct,
}

impl Backtracking {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// It is too large.
    pub(super) fn new(parsed: &Parsed, construct: Construct) -> Result<Self, PatternError> {
        let program = compiler::compile(parsed).ok_or_else(|| PatternError {
            message: "pattern is too large".to_owned(),
            offset: None,
        })?;
        Ok(Self {
            program,
            groups: parsed.groups,
            construct,
        })
    }

    /// The leftmost match from `start` on.
    pub(super) fn find(
        &self,
        hay: &[u8],
        start: usize,
        machine: &mut Machine,
        work: &Work,
    ) -> Option<Range<usize>> {
        let end = machine.search(&self.program, hay, start, work)?;
        Some(machine.start().min(end)..end)
    }

    /// The groups of the leftmost match from `start` on; none, if there is no match.
    pub(super) fn groups(
        &self,
        hay: &[u8],
        start: usize,
        machine: &mut Machine,
        work: &Work,
        groups: &mut Vec<Option<Range<usize>>>,
    ) {
        groups.clear();
        if let Some(whole) = self.find(hay, start, machine, work) {
            groups.push(Some(whole));
            groups.extend((1..=self.groups).map(|group| machine.group(group)));
        }
    }
}
