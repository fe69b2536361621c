//! A pattern in the form in which building states of a DFA reads it fastest.

use std::ops::Range;

use super::compiler::Compiled;
use super::condition::Condition;
use super::marks::Marks;
use crate::matching::syntax::ByteSet;

/// The nodes of a pattern.
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
///
/// It takes eight bytes: large rule sets have a hundred thousand of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Node {
    /// Read a byte of a range.
    Range { low: u8, high: u8, next: NodeId },
    /// Read a byte of a set.
    Set { set: SetId, next: NodeId },
    /// Read a byte, which decides where to go on. The ranges ascend.
    Ways(List),
    /// Go on if a condition holds.
    Look { condition: Condition, next: NodeId },
    /// Go on at each of some nodes, which are no forks; the first is preferred.
    Fork(List),
    /// The same with forks among them.
    Tree(List),
    /// This is a match.
    Match,
    /// Give up.
    Fail,
}

/// The number of a set: a pattern that is compiled at all has far less than 2²⁴ nodes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct SetId([u8; 3]);

/// Places in one of the program's lists: where they begin, and how many they are, of which there are
/// less than 2²⁴ as well. Bytes, so that a node has no padding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct List {
    first: [u8; 4],
    count: [u8; 3],
}

/// Bytes and where they lead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) low: u8,
    pub(super) high: u8,
    pub(super) next: NodeId,
}

/// Forks that lead to more nodes than that, with themselves and forks on the way, are not written
/// out.
const WRITTEN_OUT: usize = 24;

impl NodeId {
    /// The first node.
    pub(super) const FIRST: Self = Self(0);

    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(super) fn number(self) -> u64 {
        u64::from(self.0)
    }

    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Compiled {
    fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id.index()).copied().unwrap_or(Node::Fail)
    }
}

impl Program {
    /// What was compiled, in its final form, and where it begins.
    pub(super) fn new(compiled: Compiled) -> (Self, NodeId) {
        Linker::new(compiled).link()
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id.index()).copied().unwrap_or(Node::Fail)
    }

    /// Whether a byte is in a set.
    pub(super) fn set_contains(&self, set: SetId, byte: u8) -> bool {
        let set = self.sets.get(index(set.0));
        set.is_some_and(|set| set.contains(byte))
    }

    /// Which of some ways a byte goes.
    pub(super) fn way(&self, ways: List, byte: u8) -> Option<NodeId> {
        let ways = ways.of(&self.ways);
        let way = ways.get(ways.partition_point(|way| way.high < byte))?;
        (way.low <= byte).then_some(way.next)
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

impl SetId {
    pub(super) fn new(index: usize) -> Self {
        Self(short(index))
    }
}

/// A small number in three bytes.
fn short(number: usize) -> [u8; 3] {
    let [a, b, c, rest @ ..] = number.to_le_bytes();
    if rest.iter().all(|&byte| byte == 0) {
        [a, b, c]
    } else {
        [u8::MAX; 3]
    }
}

/// The number again.
fn index([a, b, c]: [u8; 3]) -> usize {
    usize::try_from(u32::from_le_bytes([a, b, c, 0])).unwrap_or(usize::MAX)
}

impl List {
    fn of<T>(self, all: &[T]) -> &[T] {
        all.get(self.range()).unwrap_or_default()
    }

    fn range(self) -> Range<usize> {
        let first = u32::from_le_bytes(self.first);
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        first..first.saturating_add(index(self.count))
    }

    /// Puts more behind others.
    pub(super) fn add<T>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) -> Self {
        let first = all.len();
        all.extend(more);
        Self {
            first: u32::try_from(first).unwrap_or(u32::MAX).to_le_bytes(),
            count: short(all.len().saturating_sub(first)),
        }
    }
}

/// Writes out the forks of what was compiled, and leaves out what nothing leads to.
struct Linker {
    compiled: Compiled,
    marks: Marks,
    /// By old number: the new one.
    numbers: Vec<Option<NodeId>>,
    /// Old numbers in the order of the new ones.
    order: Vec<NodeId>,
    targets: Vec<NodeId>,
}

impl Linker {
    fn new(compiled: Compiled) -> Self {
        Self {
            numbers: vec![None; compiled.nodes.len()],
            marks: Marks::default(),
            order: Vec::new(),
            targets: Vec::new(),
            compiled,
        }
    }

    fn link(mut self) -> (Program, NodeId) {
        let start = self.number(self.compiled.start);
        let mut nodes = Vec::new();
        while let Some(&old) = self.order.get(nodes.len()) {
            let node = match self.compiled.node(old) {
                Node::Range { low, high, next } => Node::Range {
                    low,
                    high,
                    next: self.number(next),
                },
                Node::Set { set, next } => Node::Set {
                    set,
                    next: self.number(next),
                },
                Node::Look { condition, next } => Node::Look {
                    condition,
                    next: self.number(next),
                },
                Node::Ways(ways) => {
                    for at in ways.range() {
                        if let Some(next) = self.compiled.ways.get(at).map(|way| way.next) {
                            let next = self.number(next);
                            if let Some(way) = self.compiled.ways.get_mut(at) {
                                way.next = next;
                            }
                        }
                    }
                    Node::Ways(ways)
                }
                Node::Tree(targets) | Node::Fork(targets) => self.fork(old, targets),
                node @ (Node::Match | Node::Fail) => node,
            };
            nodes.push(node);
        }
        let program = Program {
            nodes: nodes.into(),
            sets: self.compiled.sets.into(),
            ways: self.compiled.ways.into(),
            targets: self.targets.into(),
        };
        (program, start)
    }

    fn number(&mut self, old: NodeId) -> NodeId {
        let Some(number) = self.numbers.get_mut(old.index()) else {
            return old;
        };
        *number.get_or_insert_with(|| {
            self.order.push(old);
            NodeId::new(self.order.len().saturating_sub(1))
        })
    }

    fn fork(&mut self, old: NodeId, targets: List) -> Node {
        let (found, node): (_, fn(List) -> Node) = match self.written_out(old) {
            Some(found) => (found, Node::Fork),
            None => (targets.of(&self.compiled.targets).to_vec(), Node::Tree),
        };
        let found: Vec<NodeId> = found.into_iter().map(|old| self.number(old)).collect();
        node(List::add(&mut self.targets, found))
    }

    /// The nodes that a fork leads to in the end, if they and the forks on the way are few. Then so
    /// are those of all forks on the way: order of preference is only kept where a fork that leads
    /// back to one that is not written out is not written out either.
    fn written_out(&mut self, fork: NodeId) -> Option<Vec<NodeId>> {
        self.marks.clear(self.compiled.nodes.len());
        let mut left = WRITTEN_OUT;
        let mut found = Vec::new();
        let mut stack = vec![fork];
        while let Some(id) = stack.pop() {
            if !self.marks.mark(id.index()) {
                continue;
            }
            left = left.checked_sub(1)?;
            match self.compiled.node(id) {
                Node::Fail => {}
                Node::Tree(targets) => {
                    let targets = targets.of(&self.compiled.targets);
                    if targets.len() > WRITTEN_OUT {
                        return None;
                    }
                    stack.extend(targets.iter().rev());
                }
                _ => found.push(id),
            }
        }
        Some(found)
    }
}
