//! What the five comparisons of numbers share.

use super::Match;
use super::text::Line;

use super::text::leading_integer;

/// The source they follow.
pub(super) const SPEC: &str = "ModSecurity manual; version 2 reads both sides as C's atoi does: \
    blanks, sign, digits, the rest ignored, 0 without digits. Here numbers are 64 bits wide and \
    stop at their limits.";

/// How a number compares with that of the argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `@eq`
    Eq,
    /// `@ge`
    Ge,
    /// `@gt`
    Gt,
    /// `@le`
    Le,
    /// `@lt`
    Lt,
}

impl Comparison {
    /// Whether the number in a value compares so with another.
    pub fn holds(self, value: &[u8], other: i64) -> bool {
        let number = leading_integer(value);
        match self {
            Self::Eq => number == other,
            Self::Ge => number >= other,
            Self::Gt => number > other,
            Self::Le => number <= other,
            Self::Lt => number < other,
        }
    }
}

/// The number to compare with: fixed, or known only when it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Number(Option<i64>);

impl Number {
    /// Reads the argument unless macros stand in it.
    pub(super) fn new(argument: &[u8], has_macros: bool) -> Self {
        Self((!has_macros).then(|| leading_integer(argument)))
    }

    /// The number, if it is fixed.
    pub(super) const fn fixed(&self) -> Option<i64> {
        self.0
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
