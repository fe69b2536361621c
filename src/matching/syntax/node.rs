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
    /// Lookaround: whether the part matches here, or, negated, does not. Reads nothing.
    Look {
        /// For lookbehind, branches that start with [`Node::Back`].
        node: Box<Node>,
        /// Holds where the part does not match.
        negated: bool,
    },
    /// Goes back so many bytes: the start of a branch of lookbehind, nowhere else.
    Back(usize),
    /// What a group matched before.
    BackReference {
        /// The groups: an index into [`Parsed::references`](super::Parsed::references).
        reference: usize,
        /// ASCII letters match in either case.
        caseless: bool,
    },
    /// One of two parts.
    Conditional {
        /// Says which.
        condition: Condition,
        /// Where it holds.
        yes: Box<Node>,
        /// Where it does not.
        no: Box<Node>,
    },
}

/// What a conditional group asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::matching) enum Condition {
    /// Whether one of the groups has matched: an index as in [`Node::BackReference`].
    Group(usize),
    /// Whether the part matches here, or, negated, does not.
    Look {
        /// As in [`Node::Look`].
        node: Box<Node>,
        /// Holds where the part does not match.
        negated: bool,
    },
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
    /// Where the search started: `\G`.
    SearchStart,
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

    /// The number of bytes it reads, if that is the same for all it matches.
    pub(in crate::matching) fn fixed_length(&self) -> Option<usize> {
        match self {
            Self::Empty | Self::Assert(..) | Self::Look { .. } | Self::Back(_) => Some(0),
            Self::Set(_) => Some(1),
            Self::BackReference { .. } => None,
            Self::Group(_, node) | Self::Atomic(node, _) => node.fixed_length(),
            Self::Concat(parts) => parts
                .iter()
                .try_fold(0usize, |sum, part| sum.checked_add(part.fixed_length()?)),
            Self::Alternation(branches) => {
                let (first, rest) = branches.split_first()?;
                let length = first.fixed_length()?;
                rest.iter()
                    .all(|branch| branch.fixed_length() == Some(length))
                    .then_some(length)
            }
            Self::Conditional { yes, no, .. } => {
                let length = yes.fixed_length()?;
                (no.fixed_length()? == length).then_some(length)
            }
            Self::Repeat { node, min, max, .. } => {
                let length = node.fixed_length()?;
                if length != 0 && *max != Some(*min) {
                    return None;
                }
                length.checked_mul(usize::try_from(*min).ok()?)
            }
        }
    }
}
