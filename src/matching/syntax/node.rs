//! The tree of a pattern.

use super::ByteSet;

/// A pattern or a part of one. Its depth is bounded by the nesting limit of the parser.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::matching) enum Node {
    /// Matches without reading a byte.
    Empty,
    /// One byte of a set; never, if the set is empty.
    Set(ByteSet),
    /// A condition on the place.
    Assert(Assertion, usize),
    /// A capturing group, numbered from 1. Two may share a number (`(?|…)`).
    Group(usize, Box<Node>),
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that leads to a match.
    Alternation(Vec<Node>),
    /// Again and again.
    Repeat {
        /// What is repeated.
        node: Box<Node>,
        /// Least number of times.
        min: u32,
        /// Largest number of times.
        max: Option<u32>,
        /// Prefers more.
        greedy: bool,
    },
    /// Never tries a second way once it matched: `(?>…)`, possessive quantifiers, `\R`. With the
    /// offset of the construct.
    Atomic(Box<Node>, usize),
}

/// A condition on a place in the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::matching) enum Assertion {
    /// The start of the value.
    Start,
    /// The end of the value.
    End,
    /// The start of the value, or after a line feed that is not its last byte.
    StartLine,
    /// The end of the value, or before a line feed.
    EndLine,
    /// The end of the value, or before a line feed that is its last byte: `\Z`.
    FinalEnd,
    /// Not a condition: the match that is reported starts here, `\K`.
    Keep,
    /// Between a word byte and another: `\b`.
    WordBoundary,
    /// Not there: `\B`.
    NotWordBoundary,
    /// Before a word: `[[:<:]]`.
    WordStart,
    /// After a word: `[[:>:]]`.
    WordEnd,
}

impl Node {
    /// The parts one after the other, without needless wrapping.
    pub(in crate::matching) fn concat(mut parts: Vec<Self>) -> Self {
        match parts.len() {
            0 => Self::Empty,
            1 => parts.pop().unwrap_or(Self::Empty),
            _ => Self::Concat(parts),
        }
    }

    /// One of the branches, without needless wrapping.
    pub(in crate::matching) fn alternation(mut branches: Vec<Self>) -> Self {
        match branches.len() {
            0 => Self::Empty,
            1 => branches.pop().unwrap_or(Self::Empty),
            _ => Self::Alternation(branches),
        }
    }

    /// The fewest bytes a match reads (saturating). `usize::MAX` may mean that none exists.
    pub(in crate::matching) fn min_length(&self) -> usize {
        match self {
            Self::Empty | Self::Assert(..) => 0,
            Self::Set(set) if set.is_empty() => usize::MAX,
            Self::Set(_) => 1,
            Self::Group(_, node) | Self::Atomic(node, _) => node.min_length(),
            Self::Concat(parts) => parts
                .iter()
                .fold(0, |sum, part| sum.saturating_add(part.min_length())),
            Self::Alternation(branches) => branches.iter().map(Self::min_length).min().unwrap_or(0),
            Self::Repeat { min: 0, .. } => 0,
            Self::Repeat { node, min, .. } => node
                .min_length()
                .saturating_mul(usize::try_from(*min).unwrap_or(usize::MAX)),
        }
    }
}
