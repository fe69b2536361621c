//! What the five comparisons of numbers share.

use super::Match;
use super::text::Line;

pub(super) use super::text::leading_integer;

/// The source they follow.
pub(super) const SPEC: &str = "ModSecurity manual; version 2 reads both sides as C's atoi does: \
    blanks, sign, digits, the rest ignored, 0 without digits. Here numbers are 64 bits wide and \
    stop at their limits.";

/// The number to compare with: fixed, or known only when it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Number(Option<i64>);

impl Number {
    /// Reads the argument unless macros stand in it.
    pub(super) fn new(argument: &[u8], has_macros: bool) -> Self {
        Self((!has_macros).then(|| leading_integer(argument)))
    }

    /// The number.
    pub(super) fn get(&self, argument: &[u8]) -> i64 {
        self.0.unwrap_or_else(|| leading_integer(argument))
    }

    /// Says that the comparison held.
    pub(super) fn explain(&self, name: &str, found: &Match<'_>) -> Vec<u8> {
        Line::new("Operator ")
            .text(name)
            .text(" matched ")
            .number(self.get(found.argument))
            .at(found.target)
    }
}
