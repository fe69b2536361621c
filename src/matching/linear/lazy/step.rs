//! Building the state that a byte leads to.

use super::cache::{Cache, Entry, Row, Tag};
use super::columns::Column;
use super::condition::Context;
use super::marks::Marks;
use super::program::{Node, NodeId, Program};
use super::{Direction, LazyDfa};

/// What building a state writes. Nothing of it outlives that, so one serves all patterns.
#[derive(Debug, Default)]
pub(in crate::matching) struct Workspace {
    /// The set that is being made.
    next: Vec<NodeId>,
    /// The nodes that are in it, and forks that led there.
    reached: Marks,
    /// The nodes that were asked about the byte, behind conditions.
    asked: Marks,
    stack: Vec<NodeId>,
}

impl LazyDfa {
    /// Works out where a column leads from a row, and tags it. A full cache forgets all other states before.
    pub(super) fn step(
        &self,
        row: Row,
        column: usize,
        tag: Tag,
        cache: &mut Cache,
        workspace: &mut Workspace,
    ) -> Entry {
        let row = if cache.is_full() {
            cache.keep_only(row)
        } else {
            row
        };
        self.work_out(row, column, tag, cache, workspace)
    }

    /// The same, whatever memory it takes.
    fn work_out(
        &self,
        row: Row,
        column: usize,
        tag: Tag,
        cache: &mut Cache,
        workspace: &mut Workspace,
    ) -> Entry {
        let (Some(state), Some(read)) = (cache.state_of(row), self.columns.get(column)) else {
            return Entry::DEAD;
        };
        // A state of nothing but beginnings. Where these lead is known from it to all others.
        let idle = cache.members(state).is_empty();
        let begun = if state.open && !idle {
            self.begun(state.before, column, cache, workspace)
        } else {
            Entry::DEAD
        };
        workspace.begin(self.program.len());
        let set = if idle {
            &self.beginnings
        } else {
            cache.members(state)
        };
        let forward = self.direction == Direction::Forward;
        let mut matched = false;
        for &member in set {
            matched |= self.advance(member, state.before, read, workspace);
            // What is preferred less than a match is given up.
            if matched && forward {
                break;
            }
        }
        let mut open = false;
        if !(matched && forward) {
            open = idle && !self.anchored;
            matched |= begun.is_match();
            if let Some(target) = cache.state_of(begun.row()).filter(|_| !begun.is_dead()) {
                workspace.add(cache.members(target));
                open = target.open;
            }
        }
        let entry = if read.byte.is_some() {
            cache.state(&workspace.next, self.known.kept(read.context), open)
        } else {
            Entry::DEAD
        };
        let entry = entry.with_match(matched).with_tag(tag);
        cache.set(row, column, entry);
        entry
    }

    /// Where a column leads from where a match begins.
    fn begun(
        &self,
        before: Context,
        column: usize,
        cache: &mut Cache,
        workspace: &mut Workspace,
    ) -> Entry {
        let idle = cache.state(&[], before, true).row();
        let known = cache.entries().get(idle, column);
        if known.is_unknown() {
            self.work_out(idle, column, Tag::NONE, cache, workspace)
        } else {
            known
        }
    }

    /// Adds what a node leads to. Says whether it is a match before the byte.
    fn advance(
        &self,
        member: NodeId,
        before: Context,
        read: Column,
        workspace: &mut Workspace,
    ) -> bool {
        let program = &self.program;
        let next = match (program.node(member), read.byte) {
            (Node::Range { low, high, next }, Some(byte)) => {
                (low..=high).contains(&byte).then_some(next)
            }
            (Node::Set { set, next }, Some(byte)) => {
                program.set_contains(set, byte).then_some(next)
            }
            (Node::Ways(ways), Some(byte)) => program.way(ways, byte),
            (Node::Match, _) => return true,
            (Node::Look { .. }, _) => return self.ask(member, before, read, workspace),
            _ => None,
        };
        if let Some(next) = next {
            workspace.reach(program, next);
        }
        false
    }

    /// The same for a condition: what is behind it reads the same byte.
    fn ask(
        &self,
        member: NodeId,
        before: Context,
        read: Column,
        workspace: &mut Workspace,
    ) -> bool {
        let bottom = workspace.stack.len();
        let mut matched = false;
        workspace.stack.push(member);
        while workspace.stack.len() > bottom {
            let top = workspace.stack.pop();
            let Some(id) = top.filter(|id| workspace.asked.mark(id.index())) else {
                continue;
            };
            match self.program.node(id) {
                Node::Look { condition, next } => {
                    if condition.holds(before, read.context) {
                        workspace.stack.push(next);
                    }
                }
                Node::Fork(targets) | Node::Tree(targets) => {
                    let targets = self.program.targets(targets);
                    workspace.stack.extend(targets.iter().rev());
                }
                _ => {
                    matched |= self.advance(id, before, read, workspace);
                    if matched && self.direction == Direction::Forward {
                        workspace.stack.truncate(bottom);
                    }
                }
            }
        }
        matched
    }
}

impl Workspace {
    fn begin(&mut self, nodes: usize) {
        self.next.clear();
        self.stack.clear();
        self.reached.clear(nodes);
        self.asked.clear(nodes);
    }

    /// Adds nodes that are no forks.
    fn add(&mut self, more: &[NodeId]) {
        for &id in more {
            if self.reached.mark(id.index()) {
                self.next.push(id);
            }
        }
    }

    /// Adds the nodes that one leads to without reading, in order of preference.
    fn reach(&mut self, program: &Program, target: NodeId) {
        match program.node(target) {
            Node::Fail => {}
            Node::Fork(targets) => {
                if self.reached.mark(target.index()) {
                    self.add(program.targets(targets));
                }
            }
            Node::Tree(_) => self.climb(program, target),
            _ => self.add(&[target]),
        }
    }

    /// The same for a fork that leads to others.
    fn climb(&mut self, program: &Program, tree: NodeId) {
        let bottom = self.stack.len();
        self.stack.push(tree);
        while self.stack.len() > bottom {
            let Some(id) = self.stack.pop() else { return };
            match program.node(id) {
                Node::Tree(targets) => {
                    if self.reached.mark(id.index()) {
                        let targets = program.targets(targets);
                        self.stack.extend(targets.iter().rev());
                    }
                }
                _ => self.reach(program, id),
            }
        }
    }

    /// What a match can begin with if all conditions hold: nodes that read, and matches.
    pub(super) fn readers(&mut self, program: &Program, beginnings: &[NodeId]) -> Vec<Node> {
        self.begin(program.len());
        self.add(beginnings);
        let mut readers = Vec::new();
        let mut at = 0usize;
        while let Some(&id) = self.next.get(at) {
            at = at.saturating_add(1);
            match program.node(id) {
                Node::Look { next, .. } => self.reach(program, next),
                node => readers.push(node),
            }
        }
        readers
    }

    /// Memory of its buffers, in bytes.
    pub(in crate::matching) fn memory_usage(&self) -> usize {
        let lists = self.next.capacity().saturating_add(self.stack.capacity());
        lists
            .saturating_mul(size_of::<NodeId>())
            .saturating_add(self.reached.memory_usage())
            .saturating_add(self.asked.memory_usage())
    }
}

/// The nodes at which a match begins, in order of preference.
pub(super) fn beginnings(program: &Program, start: NodeId) -> Box<[NodeId]> {
    let mut workspace = Workspace::default();
    workspace.begin(program.len());
    workspace.reach(program, start);
    workspace.next.into()
}
