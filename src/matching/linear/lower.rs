//! From the tree of a pattern to the representation that regex-automata compiles.

use regex_syntax::hir::{self, Class, ClassBytes, ClassBytesRange, Hir};

use super::super::syntax::{Assertion, ByteSet, Node};

/// A pattern ready for compiling.
pub(super) struct Lowered {
    pub(super) hir: Hir,
    /// The hidden group that starts where `\Z` held.
    pub(super) final_end: Option<usize>,
    /// The hidden group that stands where `\K` did.
    pub(super) keep: Option<usize>,
}

/// Lowers a checked tree with so many groups.
pub(super) fn lower(root: &Node, groups: usize) -> Lowered {
    let mut lowering = Lowering {
        final_end: groups.saturating_add(1),
        keep: groups.saturating_add(2),
        ..Lowering::default()
    };
    let hir = lowering.part(root);
    Lowered {
        hir,
        final_end: lowering.has_final_end.then_some(lowering.final_end),
        keep: lowering.has_keep.then_some(lowering.keep),
    }
}

#[derive(Default)]
struct Lowering {
    final_end: usize,
    keep: usize,
    has_final_end: bool,
    has_keep: bool,
}

impl Lowering {
    fn part(&mut self, node: &Node) -> Hir {
        match node {
            Node::Empty => Hir::empty(),
            Node::Set(set) => byte(set),
            Node::Assert(assertion, _) => self.assertion(*assertion),
            Node::Group(index, node) => capture(*index, self.part(node)),
            Node::Concat(parts) => Hir::concat(parts.iter().map(|part| self.part(part)).collect()),
            Node::Alternation(branches) => {
                Hir::alternation(branches.iter().map(|branch| self.part(branch)).collect())
            }
            Node::Repeat {
                node,
                min,
                max,
                greedy,
            } => Hir::repetition(hir::Repetition {
                min: *min,
                max: *max,
                greedy: *greedy,
                sub: Box::new(self.part(node)),
            }),
            // Proven to be the same.
            Node::Atomic(node, _) => self.part(node),
            // Patterns with these never come here.
            Node::Look { .. }
            | Node::Back(_)
            | Node::BackReference { .. }
            | Node::Conditional { .. } => Hir::fail(),
        }
    }

    fn assertion(&mut self, assertion: Assertion) -> Hir {
        Hir::look(match assertion {
            Assertion::Start => hir::Look::Start,
            Assertion::End => hir::Look::End,
            Assertion::StartLine => hir::Look::StartLF,
            Assertion::EndLine => hir::Look::EndLF,
            Assertion::WordBoundary => hir::Look::WordAscii,
            Assertion::NotWordBoundary => hir::Look::WordAsciiNegate,
            Assertion::WordStart => hir::Look::WordStartAscii,
            Assertion::WordEnd => hir::Look::WordEndAscii,
            // Patterns with it never come here.
            Assertion::SearchStart => return Hir::fail(),
            Assertion::FinalEnd => {
                self.has_final_end = true;
                let line_feed = Hir::concat(vec![Hir::literal(*b"\n"), Hir::look(hir::Look::End)]);
                let either = Hir::alternation(vec![Hir::look(hir::Look::End), line_feed]);
                return capture(self.final_end, either);
            }
            Assertion::Keep => {
                self.has_keep = true;
                return capture(self.keep, Hir::empty());
            }
        })
    }
}

fn byte(set: &ByteSet) -> Hir {
    let ranges = set.ranges();
    match ranges.as_slice() {
        [(low, high)] if low == high => Hir::literal([*low]),
        _ => Hir::class(Class::Bytes(ClassBytes::new(
            ranges
                .iter()
                .map(|&(low, high)| ClassBytesRange::new(low, high)),
        ))),
    }
}

fn capture(index: usize, sub: Hir) -> Hir {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    Hir::capture(hir::Capture {
        index,
        name: None,
        sub: Box::new(sub),
    })
}

/// What a state of an automaton takes, in bytes.
const STATE: usize = 48;

/// The memory that the PikeVM takes for the groups of a pattern, in bytes: two ends of each group
/// for each state, now and at the next byte. `size` is [`compiled_size`]. The same on every machine.
pub(super) fn slots_size(size: usize, groups: usize) -> usize {
    const SLOT: usize = 8;
    // The whole match, and the hidden groups of `\K` and `\Z`.
    let groups = groups.saturating_add(3);
    size.div_euclid(STATE)
        .saturating_mul(groups)
        .saturating_mul(2 * 2 * SLOT)
}

/// The memory that the automaton of a part takes, in bytes, rather too much than too little.
pub(super) fn compiled_size(node: &Node) -> usize {
    const RANGE: usize = 12;
    match node {
        Node::Empty
        | Node::Look { .. }
        | Node::Back(_)
        | Node::BackReference { .. }
        | Node::Conditional { .. } => STATE,
        Node::Set(set) => set
            .ranges()
            .len()
            .saturating_mul(RANGE)
            .saturating_add(STATE),
        Node::Assert(..) => STATE.saturating_mul(8),
        Node::Group(_, node) => compiled_size(node).saturating_add(STATE.saturating_mul(2)),
        Node::Atomic(node, _) => compiled_size(node),
        Node::Concat(parts) | Node::Alternation(parts) => parts
            .iter()
            .map(|part| compiled_size(part).saturating_add(RANGE))
            .fold(STATE, usize::saturating_add),
        Node::Repeat { node, min, max, .. } => {
            let copies = max.unwrap_or_else(|| (*min).max(1));
            compiled_size(node)
                .saturating_add(STATE)
                .saturating_mul(usize::try_from(copies).unwrap_or(usize::MAX))
                .saturating_add(STATE)
        }
    }
}
