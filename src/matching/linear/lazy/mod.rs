//! A lazy DFA: an automaton whose states are built when a search first comes to them.
//!
//! Its states are sets of an NFA's, in order of preference, as in every such automaton, but for one
//! thing. A search for a match that can begin anywhere begins a new one at every byte, so that the
//! places where one can begin would be in every set, and be gone through for every state. They are
//! left out: a state says that matches may begin here, and where the beginnings lead on each byte is
//! worked out once, for all states. What is left are the matches under way: building a state takes
//! as many steps as there are, whatever the size of the pattern.
//!
//! Whether a condition such as `\b` holds depends on the bytes on both sides: states keep such
//! conditions until the byte behind is read, and what is to be known of the byte before.

mod cache;
mod columns;
mod compiler;
mod condition;
mod idle;
mod marks;
mod program;
mod step;

#[cfg(test)]
mod tests;

pub(in crate::matching) use cache::Cache;
pub(in crate::matching) use step::Workspace;

use super::super::syntax;
use cache::{Entry, Row};
use columns::Columns;
use condition::{Condition, Context, Known};
use program::{Node, NodeId, Program};

/// The automaton of a pattern. What searches build is kept elsewhere, in a [`Cache`] of its own.
#[derive(Debug)]
pub(in crate::matching) struct LazyDfa {
    program: Program,
    direction: Direction,
    columns: Columns,
    /// Where a match begins: nodes that are no forks.
    beginnings: Box<[NodeId]>,
    /// A match can only begin at the edge of the value.
    anchored: bool,
    /// What its conditions have to know of the byte before.
    known: Known,
    /// By byte: whether a search that is in no match has to look at it; none if most bytes are such.
    rousing: Option<Box<[bool; 256]>>,
}

/// How a search goes over a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    /// From a place on: the leftmost match, the one that is preferred, and where it ends.
    Forward,
    /// From the end of a match back to where the longest one begins.
    Backward,
}

/// How far a search came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    /// How many bytes were read before the place where the match ends.
    pub(super) end: Option<usize>,
    /// How many bytes were read.
    pub(super) read: usize,
}

impl LazyDfa {
    /// The automaton of a checked tree.
    pub(super) fn new(root: &syntax::Node, direction: Direction) -> Self {
        let compiled = compiler::compile(root, direction);
        let known = compiled.known;
        let columns = Columns::new(&compiled.told_apart);
        let (program, start) = Program::new(compiled);
        let beginnings = step::beginnings(&program, start);
        let is_edge = |&node: &NodeId| {
            let condition = match program.node(node) {
                Node::Look { condition, .. } => Some(condition),
                _ => None,
            };
            condition == Some(Condition::Start)
        };
        let mut dfa = Self {
            anchored: beginnings.iter().all(is_edge),
            columns,
            program,
            direction,
            beginnings,
            known,
            rousing: None,
        };
        dfa.rousing = dfa.rousing_bytes();
        dfa
    }

    /// Whether a match can only begin where the search does.
    pub(super) fn is_anchored(&self) -> bool {
        self.anchored
    }

    /// An empty cache.
    pub(super) fn cache(&self) -> Cache {
        Cache::new(self.columns.len())
    }

    /// Where the leftmost match from a place on ends, or, if any match will do, where one is found
    /// first.
    pub(super) fn end(
        &self,
        hay: &[u8],
        start: usize,
        earliest: bool,
        cache: &mut Cache,
        workspace: &mut Workspace,
    ) -> Found {
        let before = start.checked_sub(1).and_then(|at| hay.get(at));
        let bytes = hay.get(start..).unwrap_or_default().iter();
        self.search(before, bytes, None, earliest, cache, workspace)
    }

    /// How long the longest match is that ends at a place and does not begin before another.
    pub(super) fn start(
        &self,
        hay: &[u8],
        start: usize,
        end: usize,
        cache: &mut Cache,
        workspace: &mut Workspace,
    ) -> Found {
        let bytes = hay.get(start..end).unwrap_or_default().iter().rev();
        let behind = start.checked_sub(1).and_then(|at| hay.get(at));
        self.search(hay.get(end), bytes, behind, false, cache, workspace)
    }

    /// Reads bytes that stand between two others.
    fn search<'h>(
        &self,
        before: Option<&u8>,
        mut bytes: impl ExactSizeIterator<Item = &'h u8>,
        behind: Option<&u8>,
        earliest: bool,
        cache: &mut Cache,
        workspace: &mut Workspace,
    ) -> Found {
        let mut end = None;
        let length = bytes.len();
        let start = self.begin(before, cache);
        if start.is_dead() {
            return Found { end, read: 0 };
        }
        let mut row = start.row();
        while let Some((column, mut entry)) = self.glide(cache, &mut row, &mut bytes) {
            let read = length.saturating_sub(bytes.len()).saturating_sub(1);
            if entry.is_unknown() {
                entry = self.step(row, column, cache, workspace);
            }
            if entry.is_match() {
                end = Some(read);
            }
            if entry.is_dead() || entry.is_match() && earliest {
                return Found { end, read };
            }
            row = entry.row();
        }
        let column = behind.map_or(self.columns.edge(), |&byte| self.columns.of(byte));
        let mut entry = cache.entries().get(row, column);
        if entry.is_unknown() {
            entry = self.step(row, column, cache, workspace);
        }
        if entry.is_match() {
            end = Some(length);
        }
        Found { end, read: length }
    }

    /// Goes from row to row until a byte leads to something that has to be looked at. Here searches
    /// spend their time.
    #[inline]
    fn glide<'h>(
        &self,
        cache: &Cache,
        row: &mut Row,
        bytes: &mut impl Iterator<Item = &'h u8>,
    ) -> Option<(usize, Entry)> {
        let entries = cache.entries();
        let idle = self.rousing.as_deref().zip(cache.idle());
        let (rousing, idle) = idle.unwrap_or((&[true; 256], Row::NONE));
        loop {
            let &byte = if *row == idle {
                bytes.find(|byte| rousing.get(usize::from(**byte)) != Some(&false))?
            } else {
                bytes.next()?
            };
            let column = self.columns.of(byte);
            let entry = entries.get(*row, column);
            match entry.plain() {
                Some(next) => *row = next,
                None => return Some((column, entry)),
            }
        }
    }

    /// The state before the first byte.
    fn begin(&self, before: Option<&u8>, cache: &mut Cache) -> Entry {
        let before = before.map_or(Context::Edge, |&byte| Context::of(byte));
        match self.direction {
            Direction::Forward if self.anchored && before != Context::Edge => Entry::DEAD,
            Direction::Forward => cache.state(&[], self.known.kept(before), true),
            Direction::Backward => cache.state(&self.beginnings, self.known.kept(before), false),
        }
    }
}
