//! An NFA in the form in which building states of a DFA reads it fastest.

use regex_automata::nfa::thompson::{NFA, State, Transition};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;

use super::super::super::syntax::ByteSet;
use super::marks::Marks;

/// The nodes of an NFA: the same as its states, under the same numbers.
#[derive(Debug)]
pub(super) struct Program {
    nodes: Box<[Node]>,
    sets: Box<[ByteSet]>,
    ways: Box<[Way]>,
    targets: Box<[NodeId]>,
}

/// The number of a node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct NodeId(u32);

/// What to do at a place of the pattern.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    /// Read a byte of a range.
    Range { low: u8, high: u8, next: NodeId },
    /// Read a byte of a set.
    Set { set: u32, next: NodeId },
    /// Read a byte, which decides where to go on.
    Ways(List),
    /// Go on if a condition holds.
    Look { look: Look, next: NodeId },
    /// Go on at each of some nodes, which are no forks; the first is preferred.
    Fork(List),
    /// The same with forks among them.
    Tree(List),
    /// This is a match.
    Match,
    /// Give up.
    Fail,
}

/// Places in one of the program's lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    first: u32,
    count: u32,
}

/// Bytes and where they lead.
#[derive(Clone, Copy, Debug)]
struct Way {
    low: u8,
    high: u8,
    next: NodeId,
}

/// Forks that lead to more nodes than that, with themselves and forks on the way, are not written
/// out.
const WRITTEN_OUT: usize = 24;

impl NodeId {
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl From<StateID> for NodeId {
    fn from(id: StateID) -> Self {
        Self(id.as_u32())
    }
}

impl Program {
    pub(super) fn new(nfa: &NFA) -> Self {
        let mut builder = Builder {
            nfa,
            marks: Marks::default(),
            sets: Vec::new(),
            ways: Vec::new(),
            targets: Vec::new(),
        };
        let states = nfa.states().iter().enumerate();
        let nodes = states.map(|(number, state)| builder.node(number, state));
        let nodes = nodes.collect();
        Self {
            nodes,
            sets: builder.sets.into(),
            ways: builder.ways.into(),
            targets: builder.targets.into(),
        }
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id.index()).copied().unwrap_or(Node::Fail)
    }

    /// Whether a byte is in a set.
    pub(super) fn set_contains(&self, set: u32, byte: u8) -> bool {
        let set = usize::try_from(set).unwrap_or(usize::MAX);
        self.sets.get(set).is_some_and(|set| set.contains(byte))
    }

    /// Which of some ways a byte goes.
    pub(super) fn way(&self, ways: List, byte: u8) -> Option<NodeId> {
        let ways = ways.of(&self.ways).iter();
        let mut ways = ways.filter(|way| (way.low..=way.high).contains(&byte));
        ways.next().map(|way| way.next)
    }

    /// Whether a node reads a byte.
    pub(super) fn reads(&self, node: Node, byte: u8) -> bool {
        match node {
            Node::Range { low, high, .. } => (low..=high).contains(&byte),
            Node::Set { set, .. } => self.set_contains(set, byte),
            Node::Ways(ways) => self.way(ways, byte).is_some(),
            _ => false,
        }
    }

    /// Where a fork leads, the preferred first.
    pub(super) fn targets(&self, fork: List) -> &[NodeId] {
        fork.of(&self.targets)
    }
}

impl List {
    fn of<T>(self, all: &[T]) -> &[T] {
        let first = usize::try_from(self.first).unwrap_or(usize::MAX);
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        all.get(first..first.saturating_add(count))
            .unwrap_or_default()
    }

    /// Puts more behind others.
    fn add<T>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) -> Self {
        let number = |length| u32::try_from(length).unwrap_or(u32::MAX);
        let first = all.len();
        all.extend(more);
        Self {
            first: number(first),
            count: number(all.len().saturating_sub(first)),
        }
    }
}

/// A program under construction.
struct Builder<'a> {
    nfa: &'a NFA,
    marks: Marks,
    sets: Vec<ByteSet>,
    ways: Vec<Way>,
    targets: Vec<NodeId>,
}

impl Builder<'_> {
    fn node(&mut self, number: usize, state: &State) -> Node {
        match state {
            State::ByteRange { trans } => Node::Range {
                low: trans.start,
                high: trans.end,
                next: trans.next.into(),
            },
            State::Sparse(sparse) => self.reader(&sparse.transitions),
            State::Dense(dense) => {
                let ways = (0..=u8::MAX).zip(&dense.transitions);
                let ways = ways.filter(|(_, next)| **next != StateID::ZERO);
                let ways = ways.map(|(byte, &next)| Transition {
                    start: byte,
                    end: byte,
                    next,
                });
                self.reader(&ways.collect::<Vec<_>>())
            }
            State::Look { look, next } => Node::Look {
                look: *look,
                next: (*next).into(),
            },
            State::Match { .. } => Node::Match,
            State::Fail => Node::Fail,
            fork => self.fork(number, fork),
        }
    }

    fn reader(&mut self, ways: &[Transition]) -> Node {
        let Some(first) = ways.first() else {
            return Node::Fail;
        };
        if ways.iter().any(|way| way.next != first.next) {
            let ways = ways.iter().map(|way| Way {
                low: way.start,
                high: way.end,
                next: way.next.into(),
            });
            return Node::Ways(List::add(&mut self.ways, ways));
        }
        let mut set = ByteSet::EMPTY;
        for way in ways {
            set.insert_range(way.start, way.end);
        }
        let known = self.sets.iter().position(|known| *known == set);
        let number = known.unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len().saturating_sub(1)
        });
        Node::Set {
            set: u32::try_from(number).unwrap_or(u32::MAX),
            next: first.next.into(),
        }
    }

    fn fork(&mut self, number: usize, fork: &State) -> Node {
        if let Some(written_out) = self.written_out(number) {
            let targets = written_out.into_iter().map(NodeId::from);
            return Node::Fork(List::add(&mut self.targets, targets));
        }
        let mut targets = Vec::new();
        push_targets(fork, &mut targets);
        let preferred_first = targets.into_iter().rev().map(NodeId::from);
        Node::Tree(List::add(&mut self.targets, preferred_first))
    }

    /// The states that a fork leads to in the end, if they and the forks on the way are few. Then so
    /// are those of all forks on the way: order of preference is only kept where a fork that leads
    /// back to one that is not written out is not written out either.
    fn written_out(&mut self, number: usize) -> Option<Vec<StateID>> {
        self.marks.clear(self.nfa.states().len());
        let mut left = WRITTEN_OUT;
        let mut found = Vec::new();
        let mut stack = vec![StateID::new(number).ok()?];
        while let Some(id) = stack.pop() {
            if !self.marks.mark(id.as_usize()) {
                continue;
            }
            left = left.checked_sub(1)?;
            match self.nfa.states().get(id.as_usize()) {
                None | Some(State::Fail) => {}
                Some(State::Union { alternates }) if alternates.len() > WRITTEN_OUT => return None,
                Some(fork) if is_fork(fork) => push_targets(fork, &mut stack),
                Some(_) => found.push(id),
            }
        }
        Some(found)
    }
}

fn is_fork(state: &State) -> bool {
    matches!(
        state,
        State::Union { .. } | State::BinaryUnion { .. } | State::Capture { .. }
    )
}

/// Puts on a stack where a fork leads, the preferred one on top.
fn push_targets(fork: &State, stack: &mut Vec<StateID>) {
    match fork {
        State::Union { alternates } => stack.extend(alternates.iter().rev()),
        State::BinaryUnion { alt1, alt2 } => stack.extend([*alt2, *alt1]),
        State::Capture { next, .. } => stack.push(*next),
        _ => {}
    }
}
