//! A pattern seen through byte classes, restricted to an alphabet.

use super::super::syntax::{Assertion, ByteSet, Node};
use crate::bytes::ClassSet;

/// What is left of a pattern when bytes are only known by class and values hold no class outside
/// an alphabet. It matches at least what the pattern matches in such values.
///
/// Branches that need another class vanish and optional parts become empty. Evasion fillers such
/// as `["'\\]*` between letters go that way, and the letters come together to long literals.
#[derive(Debug)]
pub(super) enum Shape {
    /// Reads nothing.
    Empty,
    /// The start of the value.
    Start,
    /// The end of the value.
    End,
    /// One byte of these classes, at least one.
    Set(ClassSet),
    /// One after the other.
    Concat(Vec<Shape>),
    /// One of them.
    Alternation(Vec<Shape>),
    /// Again and again.
    Repeat {
        shape: Box<Shape>,
        min: u32,
        max: Option<u32>,
    },
}

impl Shape {
    /// Restricts a pattern; `None`, if no value of the alphabet can match.
    pub(super) fn restrict(node: &Node, alphabet: ClassSet) -> Option<Self> {
        let one_line = !alphabet.intersects(ClassSet::of(b"\n"));
        Some(match node {
            Node::Empty => Self::Empty,
            Node::Set(set) => {
                let classes = ClassSet(classes(set).0 & alphabet.0);
                if classes == ClassSet::EMPTY {
                    return None;
                }
                Self::Set(classes)
            }
            Node::Assert(assertion, _) => match assertion {
                Assertion::Start => Self::Start,
                Assertion::End => Self::End,
                Assertion::StartLine if one_line => Self::Start,
                Assertion::EndLine | Assertion::FinalEnd if one_line => Self::End,
                // Conditions on the bytes around: taken for true.
                _ => Self::Empty,
            },
            Node::Group(_, node) | Node::Atomic(node, _) => Self::restrict(node, alphabet)?,
            // What is seen around a match is no part of it.
            Node::Look { .. } | Node::Back(_) => Self::Empty,
            // Any text, for the group is anywhere.
            Node::BackReference { .. } => Self::Repeat {
                shape: Box::new(Self::Set(alphabet)),
                min: 0,
                max: None,
            },
            Node::Conditional { yes, no, .. } => {
                Self::one_of([&**yes, &**no].into_iter(), alphabet)?
            }
            Node::Concat(parts) => Self::Concat(
                parts
                    .iter()
                    .map(|part| Self::restrict(part, alphabet))
                    .collect::<Option<Vec<_>>>()?,
            ),
            Node::Alternation(branches) => Self::one_of(branches.iter(), alphabet)?,
            Node::Repeat { node, min, max, .. } => match Self::restrict(node, alphabet) {
                _ if *max == Some(0) => Self::Empty,
                Some(shape) => Self::Repeat {
                    shape: Box::new(shape),
                    min: *min,
                    max: *max,
                },
                None if *min == 0 => Self::Empty,
                None => return None,
            },
        })
    }

    /// Restricts branches.
    fn one_of<'n>(nodes: impl Iterator<Item = &'n Node>, alphabet: ClassSet) -> Option<Self> {
        let mut left: Vec<Self> = nodes
            .filter_map(|node| Self::restrict(node, alphabet))
            .collect();
        match left.len() {
            0 => None,
            1 => left.pop(),
            _ => Some(Self::Alternation(left)),
        }
    }

    /// The fewest bytes it reads (saturating).
    pub(super) fn min_length(&self) -> usize {
        match self {
            Self::Empty | Self::Start | Self::End => 0,
            Self::Set(_) => 1,
            Self::Concat(parts) => parts
                .iter()
                .map(Self::min_length)
                .fold(0, usize::saturating_add),
            Self::Alternation(branches) => branches.iter().map(Self::min_length).min().unwrap_or(0),
            Self::Repeat { shape, min, .. } => shape.min_length().saturating_mul(count(*min)),
        }
    }

    /// The most bytes it reads; `None` without limit.
    pub(super) fn max_length(&self) -> Option<usize> {
        match self {
            Self::Empty | Self::Start | Self::End => Some(0),
            Self::Set(_) => Some(1),
            Self::Concat(parts) => parts
                .iter()
                .try_fold(0usize, |sum, part| sum.checked_add(part.max_length()?)),
            Self::Alternation(branches) => branches
                .iter()
                .try_fold(0usize, |most, branch| Some(most.max(branch.max_length()?))),
            Self::Repeat { shape, max, .. } => match shape.max_length()? {
                0 => Some(0),
                length => length.checked_mul(count((*max)?)),
            },
        }
    }

    /// Whether every match lies at this end of the value.
    pub(super) fn is_anchored(&self, edge: Edge) -> bool {
        match self {
            Self::Start => edge == Edge::Start,
            Self::End => edge == Edge::End,
            Self::Empty | Self::Set(_) => false,
            Self::Concat(parts) => {
                for part in edge.order(parts) {
                    if part.is_anchored(edge) {
                        return true;
                    }
                    if part.max_length() != Some(0) {
                        return false;
                    }
                }
                false
            }
            Self::Alternation(branches) => branches.iter().all(|branch| branch.is_anchored(edge)),
            Self::Repeat { shape, min, .. } => *min > 0 && shape.is_anchored(edge),
        }
    }

    /// The classes of the byte that a match has at this end; all, if a match can be empty.
    pub(super) fn outermost(&self, edge: Edge) -> ClassSet {
        match self.outermost_or_empty(edge) {
            (classes, false) => classes,
            (_, true) => ClassSet::ALL,
        }
    }

    /// The classes at this end, and whether nothing may be read.
    fn outermost_or_empty(&self, edge: Edge) -> (ClassSet, bool) {
        match self {
            Self::Empty | Self::Start | Self::End => (ClassSet::EMPTY, true),
            Self::Set(classes) => (*classes, false),
            Self::Concat(parts) => {
                let mut classes = ClassSet::EMPTY;
                for part in edge.order(parts) {
                    let (more, empty) = part.outermost_or_empty(edge);
                    classes = classes.union(more);
                    if !empty {
                        return (classes, false);
                    }
                }
                (classes, true)
            }
            Self::Alternation(branches) => {
                branches
                    .iter()
                    .fold((ClassSet::EMPTY, false), |(classes, empty), branch| {
                        let (more, also_empty) = branch.outermost_or_empty(edge);
                        (classes.union(more), empty || also_empty)
                    })
            }
            Self::Repeat { shape, min, .. } => {
                let (classes, empty) = shape.outermost_or_empty(edge);
                (classes, empty || *min == 0)
            }
        }
    }

    /// All classes a match can contain.
    pub(super) fn possible(&self) -> ClassSet {
        match self {
            Self::Empty | Self::Start | Self::End => ClassSet::EMPTY,
            Self::Set(classes) => *classes,
            Self::Concat(parts) | Self::Alternation(parts) => parts
                .iter()
                .map(Self::possible)
                .fold(ClassSet::EMPTY, ClassSet::union),
            Self::Repeat { shape, .. } => shape.possible(),
        }
    }

    /// Classes every match contains.
    pub(super) fn required(&self) -> ClassSet {
        match self {
            Self::Empty | Self::Start | Self::End => ClassSet::EMPTY,
            Self::Set(classes) if classes.0.is_power_of_two() => *classes,
            Self::Set(_) => ClassSet::EMPTY,
            Self::Concat(parts) => parts
                .iter()
                .map(Self::required)
                .fold(ClassSet::EMPTY, ClassSet::union),
            Self::Alternation(branches) => branches
                .iter()
                .map(Self::required)
                .reduce(|one, other| ClassSet(one.0 & other.0))
                .unwrap_or_default(),
            Self::Repeat { min: 0, .. } => ClassSet::EMPTY,
            Self::Repeat { shape, .. } => shape.required(),
        }
    }
}

/// An end of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Edge {
    Start,
    End,
}

impl Edge {
    /// The parts, from this end on.
    fn order(self, parts: &[Shape]) -> impl Iterator<Item = &Shape> {
        let (forward, backward) = match self {
            Self::Start => (Some(parts.iter()), None),
            Self::End => (None, Some(parts.iter().rev())),
        };
        forward
            .into_iter()
            .flatten()
            .chain(backward.into_iter().flatten())
    }
}

/// The classes of some bytes.
fn classes(set: &ByteSet) -> ClassSet {
    let mut classes = ClassSet::EMPTY;
    for byte in set.iter() {
        classes.0 |= 1u64.wrapping_shl(u32::from(ClassSet::class_of(byte)));
    }
    classes
}

fn count(times: u32) -> usize {
    usize::try_from(times).unwrap_or(usize::MAX)
}
