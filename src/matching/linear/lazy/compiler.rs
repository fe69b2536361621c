//! From the tree of a pattern to a program.
//!
//! A part is compiled for the node that comes after it, from the end of the pattern to its beginning,
//! so that only loops are closed later. Branches that begin alike share their beginning, as in a trie,
//! as long as none of them would be preferred to one it is not preferred to now; branches that no byte
//! can begin together become one node. What building states of a DFA pays for is how many nodes a byte
//! can lead to, and long lists of words would otherwise lead to one for each word.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::super::context::head;
use super::Direction;
use super::condition::{Condition, Known};
use super::program::{List, Node, NodeId, SetId, Way};
use crate::matching::syntax::{Assertion, ByteSet, Node as Part};

/// How deep branches share beginnings: what is recursive here stays small.
const SHARED: usize = 48;
/// How many kinds of beginnings a branch is compared with.
const COMPARED: usize = 256;

/// What is compiled.
pub(super) struct Compiled {
    pub(super) nodes: Vec<Node>,
    pub(super) sets: Vec<ByteSet>,
    pub(super) ways: Vec<Way>,
    /// Where forks lead, which may be other forks: all are [`Node::Tree`].
    pub(super) targets: Vec<NodeId>,
    pub(super) start: NodeId,
    pub(super) known: Known,
    /// The bytes that are told from others.
    pub(super) told_apart: Vec<ByteSet>,
}

/// Compiles a checked tree.
pub(super) fn compile(root: &Part, direction: Direction) -> Compiled {
    let mut compiler = Compiler {
        direction,
        nodes: vec![Node::Match],
        sets: Vec::new(),
        ways: Vec::new(),
        targets: Vec::new(),
        known: Known::default(),
        told_apart: HashMap::default(),
        readers: HashMap::default(),
        shared: 0,
    };
    let start = compiler.part(root, NodeId::FIRST);
    let told_apart = compiler.told_apart.into_keys();
    Compiled {
        start,
        told_apart: told_apart.chain(compiler.known.sets()).collect(),
        nodes: compiler.nodes,
        sets: compiler.sets,
        ways: compiler.ways,
        targets: compiler.targets,
        known: compiler.known,
    }
}

struct Compiler {
    direction: Direction,
    nodes: Vec<Node>,
    sets: Vec<ByteSet>,
    ways: Vec<Way>,
    targets: Vec<NodeId>,
    known: Known,
    /// The sets that nodes read, and the numbers of those that are no ranges.
    told_apart: HashMap<ByteSet, Option<SetId>, FixedState>,
    /// Nodes that read and lead to one place: what ends alike shares its end.
    readers: HashMap<Node, NodeId, FixedState>,
    /// How many beginnings the branches share that are being compiled.
    shared: usize,
}

/// Branches that begin with the same byte.
struct Bundle<'t> {
    /// That byte; none for a branch that begins otherwise, which is alone.
    first: Option<ByteSet>,
    /// What is behind it; all of the branch, if there is no such byte.
    rests: Vec<&'t [Part]>,
}

impl Compiler {
    /// Compiles a part that `next` comes after.
    fn part(&mut self, part: &Part, next: NodeId) -> NodeId {
        match part {
            Part::Empty => next,
            Part::Set(set) => self.read(set, next),
            Part::Assert(assertion, _) => self.assertion(*assertion, next),
            // That a part is atomic makes no difference: this was proven before.
            Part::Group(_, part) | Part::Atomic(part, _) => self.part(part, next),
            Part::Concat(parts) => self.sequence(parts, next),
            Part::Alternation(branches) => {
                let branches: Vec<&[Part]> = branches.iter().map(sequence).collect();
                self.branches(&branches, next)
            }
            Part::Repeat {
                node,
                min,
                max,
                greedy,
            } => self.repetition(node, *min, *max, *greedy, next),
            // Patterns with these never come here.
            Part::Look { .. }
            | Part::Back(_)
            | Part::BackReference { .. }
            | Part::Conditional { .. } => self.add(Node::Fail),
        }
    }

    fn sequence(&mut self, parts: &[Part], next: NodeId) -> NodeId {
        match self.direction {
            Direction::Forward => {
                let last_first = parts.iter().rev();
                last_first.fold(next, |next, part| self.part(part, next))
            }
            Direction::Backward => parts.iter().fold(next, |next, part| self.part(part, next)),
        }
    }

    fn assertion(&mut self, assertion: Assertion, next: NodeId) -> NodeId {
        let Some(condition) = Condition::of(assertion) else {
            return match assertion {
                Assertion::FinalEnd => {
                    let end = Part::Assert(Assertion::End, 0);
                    let line_feed = Part::Set(ByteSet::of(b'\n'));
                    let either = [end.clone(), Part::Concat(vec![line_feed, end])];
                    self.part(&Part::Alternation(either.into()), next)
                }
                Assertion::Keep => next,
                // Patterns with it never come here.
                _ => self.add(Node::Fail),
            };
        };
        self.known.add(condition);
        let condition = match self.direction {
            Direction::Forward => condition,
            Direction::Backward => condition.reversed(),
        };
        self.add(Node::Look { condition, next })
    }

    fn repetition(
        &mut self,
        part: &Part,
        min: u32,
        max: Option<u32>,
        greedy: bool,
        next: NodeId,
    ) -> NodeId {
        let either = |again, on| if greedy { [again, on] } else { [on, again] };
        let mut start = next;
        let mut copies = min;
        if let Some(max) = max {
            for _ in min..max {
                let again = self.part(part, start);
                start = self.fork(&either(again, next));
            }
        } else {
            let end = self.add(Node::Fail);
            let again = self.part(part, end);
            let fork = self.forks_to(&either(again, next));
            self.set(end, fork);
            start = if min > 0 {
                copies = min.saturating_sub(1);
                again
            } else if head(part).required().is_some() {
                end
            } else {
                // What can match nothing is entered as `(part+)?`: in a plain loop the way that reads
                // nothing would come back to the fork first, and be preferred less than leaving.
                self.fork(&either(again, next))
            };
        }
        (0..copies).fold(start, |next, _| self.part(part, next))
    }

    /// Compiles branches, the preferred first.
    fn branches(&mut self, branches: &[&[Part]], next: NodeId) -> NodeId {
        if self.shared >= SHARED {
            let each = branches.iter();
            let each: Vec<NodeId> = each.map(|branch| self.sequence(branch, next)).collect();
            return self.fork(&each);
        }
        self.shared = self.shared.saturating_add(1);
        let bundles = self.bundles(branches);
        let mut targets = Vec::with_capacity(bundles.len());
        // Sets without a byte in common, and where they lead.
        let mut apart: Vec<(ByteSet, NodeId)> = Vec::new();
        let mut all_apart = ByteSet::EMPTY;
        for bundle in bundles {
            let behind = match bundle.rests.as_slice() {
                [rest] => self.sequence(rest, next),
                rests => self.branches(rests, next),
            };
            let Some(first) = bundle.first else {
                targets.extend(self.any_of(&std::mem::take(&mut apart)));
                all_apart = ByteSet::EMPTY;
                targets.push(behind);
                continue;
            };
            if all_apart.intersects(&first) {
                targets.extend(self.any_of(&std::mem::take(&mut apart)));
                all_apart = ByteSet::EMPTY;
            }
            all_apart = all_apart.union(&first);
            apart.push((first, behind));
        }
        targets.extend(self.any_of(&apart));
        self.shared = self.shared.saturating_sub(1);
        self.fork(&targets)
    }

    /// Puts branches together that begin alike, in order of preference. A branch goes to those before
    /// it only where none of what it passes can begin with the same byte.
    fn bundles<'t>(&self, branches: &[&'t [Part]]) -> Vec<Bundle<'t>> {
        let mut bundles: Vec<Bundle<'t>> = Vec::with_capacity(branches.len());
        for branch in branches {
            let split = match self.direction {
                Direction::Forward => branch.split_first(),
                Direction::Backward => branch.split_last(),
            };
            let Some((Part::Set(first), rest)) = split else {
                bundles.push(Bundle {
                    first: None,
                    rests: vec![branch],
                });
                continue;
            };
            let mut passed = bundles.iter_mut().rev().take(COMPARED);
            let alike = passed.find(|bundle| {
                // The longest match is the same whatever is preferred.
                let passes = self.direction == Direction::Backward;
                bundle.first.map_or(!passes, |other| {
                    other == *first || !passes && other.intersects(first)
                })
            });
            match alike {
                Some(bundle) if bundle.first == Some(*first) => bundle.rests.push(rest),
                _ => bundles.push(Bundle {
                    first: Some(*first),
                    rests: vec![rest],
                }),
            }
        }
        bundles
    }

    /// A node that reads a byte of one of some sets that have none in common.
    fn any_of(&mut self, apart: &[(ByteSet, NodeId)]) -> Option<NodeId> {
        let (first, rest) = apart.split_first()?;
        if rest.iter().all(|(_, next)| *next == first.1) {
            let set = rest.iter().fold(first.0, |all, (set, _)| all.union(set));
            return Some(self.read(&set, first.1));
        }
        let mut ways = Vec::with_capacity(apart.len());
        for &(set, next) in apart {
            self.told_apart.entry(set).or_default();
            let ranges = set.ranges().into_iter();
            ways.extend(ranges.map(|(low, high)| Way { low, high, next }));
        }
        ways.sort_unstable_by_key(|way| way.low);
        let ways = List::add(&mut self.ways, ways);
        Some(self.add(Node::Ways(ways)))
    }

    /// A node that reads a byte of a set.
    fn read(&mut self, set: &ByteSet, next: NodeId) -> NodeId {
        let known = self.told_apart.entry(*set).or_default();
        let node = match set.as_range() {
            Some((low, high)) => Node::Range { low, high, next },
            None if set.is_empty() => Node::Fail,
            None => {
                let set = *known.get_or_insert_with(|| {
                    self.sets.push(*set);
                    SetId::new(self.sets.len().saturating_sub(1))
                });
                Node::Set { set, next }
            }
        };
        let nodes = &mut self.nodes;
        *self.readers.entry(node).or_insert_with(|| {
            nodes.push(node);
            NodeId::new(nodes.len().saturating_sub(1))
        })
    }

    /// A node that goes on at any of some, the preferred first.
    fn fork(&mut self, targets: &[NodeId]) -> NodeId {
        match targets {
            [] => self.add(Node::Fail),
            [only] => *only,
            _ => {
                let fork = self.forks_to(targets);
                self.add(fork)
            }
        }
    }

    fn forks_to(&mut self, targets: &[NodeId]) -> Node {
        Node::Tree(List::add(&mut self.targets, targets.iter().copied()))
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId::new(self.nodes.len().saturating_sub(1))
    }

    fn set(&mut self, id: NodeId, node: Node) {
        if let Some(place) = self.nodes.get_mut(id.index()) {
            *place = node;
        }
    }
}

/// A part as the parts it is made of, one after the other.
fn sequence(part: &Part) -> &[Part] {
    match part {
        Part::Concat(parts) => parts,
        Part::Empty => &[],
        Part::Group(_, part) | Part::Atomic(part, _) => sequence(part),
        part => std::slice::from_ref(part),
    }
}
