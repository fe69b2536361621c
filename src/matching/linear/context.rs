//! Parts whose meaning hangs on what follows them.
//!
//! An automaton explores all ways at once, so it cannot forget one. Yet many atomic parts never
//! had a second way that could lead anywhere: in `\s*+x` a shorter run of blanks is followed by a
//! blank, never by `x`. Where that is proven from the bytes that can follow, an atomic part is
//! the plain one. Where it is not, the pattern is left to an engine that backtracks: dropping the
//! mark would change what matches.
//!
//! The same knowledge serves `^` with several lines, which in PCRE does not match after a final
//! line feed (it does for the automaton: the same unless nothing more is read), and `\Z`, which
//! looks ahead over a final line feed (an automaton reads it: the same if the pattern ends there).

use super::super::syntax::{Assertion, ByteSet, Construct, Node};

/// Accepts a pattern whose contextual parts an automaton carries out exactly.
///
/// # Errors
/// The first part that needs backtracking.
pub(super) fn check(root: &Node) -> Result<(), Construct> {
    let end = Follow {
        first: ByteSet::EMPTY,
        empty: Empty::Free,
        looped: false,
    };
    check_part(root, &end)
}

/// What can come after a part, up to the end of the pattern.
#[derive(Clone)]
struct Follow {
    /// The bytes it can start with (or more).
    first: ByteSet,
    /// What holds if it reads nothing.
    empty: Empty,
    /// The part is repeated.
    looped: bool,
}

/// How something can match without reading a byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Empty {
    /// Not at all.
    Never,
    /// Only at the end of the value.
    AtEnd,
    /// Only where some condition holds.
    Sometimes,
    /// Everywhere, whatever else it can do.
    Free,
}

/// How a part starts.
pub(in crate::matching) struct Head {
    /// The bytes it can start with (or more).
    first: ByteSet,
    empty: Empty,
}

impl Head {
    /// The bytes it can start with (or more), if it reads at least one.
    pub(in crate::matching) fn required(&self) -> Option<ByteSet> {
        (self.empty == Empty::Never).then_some(self.first)
    }
}

/// How a part starts.
pub(in crate::matching) fn head(node: &Node) -> Head {
    match node {
        Node::Empty => Head {
            first: ByteSet::EMPTY,
            empty: Empty::Free,
        },
        Node::Set(set) => Head {
            first: *set,
            empty: Empty::Never,
        },
        Node::Assert(Assertion::End, _) => Head {
            first: ByteSet::EMPTY,
            empty: Empty::AtEnd,
        },
        Node::Assert(..) | Node::Look { .. } | Node::Back(_) => Head {
            first: ByteSet::EMPTY,
            empty: Empty::Sometimes,
        },
        Node::BackReference { .. } => Head {
            first: ByteSet::ALL,
            empty: Empty::Free,
        },
        Node::Conditional { yes, no, .. } => {
            let (yes, no) = (head(yes), head(no));
            Head {
                first: yes.first.union(&no.first),
                empty: yes.empty.max(no.empty),
            }
        }
        Node::Group(_, node) | Node::Atomic(node, _) => head(node),
        Node::Concat(parts) => {
            let mut whole = Head {
                first: ByteSet::EMPTY,
                empty: Empty::Free,
            };
            for part in parts {
                if whole.empty == Empty::Never {
                    break;
                }
                let part = head(part);
                whole.first = whole.first.union(&part.first);
                whole.empty = in_sequence(whole.empty, part.empty);
            }
            whole
        }
        Node::Alternation(branches) => branches.iter().map(head).fold(
            Head {
                first: ByteSet::EMPTY,
                empty: Empty::Never,
            },
            |whole, branch| Head {
                first: whole.first.union(&branch.first),
                empty: whole.empty.max(branch.empty),
            },
        ),
        Node::Repeat { node, min, .. } => {
            let body = head(node);
            let empty = if *min == 0 { Empty::Free } else { body.empty };
            Head {
                first: body.first,
                empty,
            }
        }
    }
}

/// How two things in sequence match without reading a byte.
fn in_sequence(one: Empty, other: Empty) -> Empty {
    one.min(other)
}

/// What follows the part that stands before `node`, when `follow` follows `node`.
fn before(node: &Node, follow: &Follow) -> Follow {
    let head = head(node);
    if head.empty == Empty::Never {
        return Follow {
            first: head.first,
            empty: Empty::Never,
            looped: follow.looped,
        };
    }
    Follow {
        first: head.first.union(&follow.first),
        empty: in_sequence(head.empty, follow.empty),
        looped: follow.looped,
    }
}

fn check_part(node: &Node, follow: &Follow) -> Result<(), Construct> {
    match node {
        Node::Empty | Node::Set(_) => Ok(()),
        Node::Assert(Assertion::StartLine, at) if follow.empty != Empty::Never => Err(Construct {
            name: "`^` at line starts before what can match nothing",
            offset: *at,
        }),
        Node::Assert(Assertion::FinalEnd, at)
            if follow.looped || follow.empty != Empty::Free || !follow.first.is_empty() =>
        {
            Err(Construct {
                name: "`\\Z` before the end of the pattern",
                offset: *at,
            })
        }
        Node::Assert(..) => Ok(()),
        Node::Group(_, node) => check_part(node, follow),
        Node::Concat(parts) => {
            let mut follow = follow.clone();
            for part in parts.iter().rev() {
                check_part(part, &follow)?;
                follow = before(part, &follow);
            }
            Ok(())
        }
        Node::Alternation(branches) => branches
            .iter()
            .try_for_each(|branch| check_part(branch, follow)),
        Node::Repeat {
            node, max: Some(1), ..
        } => check_part(node, follow),
        Node::Repeat { node, min, .. } => {
            // Once more, or on.
            let again = before(node, follow);
            let mut empty = again.empty.max(follow.empty);
            if *min > 1 && empty == Empty::Free {
                empty = Empty::Sometimes;
            }
            let first = again.first.union(&head(node).first).union(&follow.first);
            check_part(
                node,
                &Follow {
                    first,
                    empty,
                    looped: true,
                },
            )
        }
        Node::Atomic(node, at) => {
            if follow.empty != Empty::Free && !is_atomic_anyway(node, follow) {
                return Err(Construct {
                    name: "an atomic group or possessive quantifier",
                    offset: *at,
                });
            }
            check_part(node, follow)
        }
        // Patterns with these were refused before.
        Node::Look { .. }
        | Node::Back(_)
        | Node::BackReference { .. }
        | Node::Conditional { .. } => Ok(()),
    }
}

/// Whether no second way through a part can be followed by what follows.
fn is_atomic_anyway(node: &Node, follow: &Follow) -> bool {
    match node {
        Node::Group(_, node) | Node::Atomic(node, _) => is_atomic_anyway(node, follow),
        Node::Repeat {
            node, greedy: true, ..
        } => single(node).is_some_and(|set| cannot_give_back(&set, follow)),
        Node::Concat(parts) => parts.split_last().is_some_and(|(last, firsts)| {
            firsts.iter().all(|part| sequence(part).is_some()) && is_atomic_anyway(last, follow)
        }),
        Node::Alternation(branches) => {
            let Some(branches) = branches.iter().map(sequence).collect::<Option<Vec<_>>>() else {
                return false;
            };
            branches.iter().enumerate().all(|(at, one)| {
                branches.iter().skip(at.saturating_add(1)).all(|other| {
                    let exclusive = one.iter().zip(other).any(|(a, b)| !a.intersects(b));
                    exclusive
                        || one
                            .get(other.len())
                            .is_some_and(|next| cannot_give_back(next, follow))
                })
            })
        }
        _ => sequence(node).is_some(),
    }
}

/// Whether what follows cannot match in front of a byte of the set.
fn cannot_give_back(next: &ByteSet, follow: &Follow) -> bool {
    matches!(follow.empty, Empty::Never | Empty::AtEnd) && !follow.first.intersects(next)
}

/// The set of a part that reads exactly one byte.
fn single(node: &Node) -> Option<ByteSet> {
    match sequence(node)?.as_slice() {
        [set] => Some(*set),
        _ => None,
    }
}

/// The sets of a part that can match in one way only.
fn sequence(node: &Node) -> Option<Vec<ByteSet>> {
    match node {
        Node::Empty => Some(Vec::new()),
        Node::Set(set) => Some(vec![*set]),
        Node::Group(_, node) | Node::Atomic(node, _) => sequence(node),
        Node::Concat(parts) => {
            let parts = parts.iter().map(sequence).collect::<Option<Vec<_>>>()?;
            Some(parts.concat())
        }
        Node::Assert(..)
        | Node::Alternation(_)
        | Node::Repeat { .. }
        | Node::Look { .. }
        | Node::Back(_)
        | Node::BackReference { .. }
        | Node::Conditional { .. } => None,
    }
}
