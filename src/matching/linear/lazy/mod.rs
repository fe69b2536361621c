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
mod visits;

#[cfg(test)]
mod tests;

pub(in crate::matching) use cache::Cache;
pub(in crate::matching) use step::Workspace;
pub(in crate::matching) use visits::{Footprint, Visits};

use super::super::syntax;
use cache::{Entry, Row, Tag};
use columns::Columns;
use condition::{Condition, Context, Known};
use program::{Node, NodeId, Program};

/// The automaton of a pattern. What searches build is kept elsewhere, in a [`Cache`] of its own.
#[derive(Debug)]
pub(in crate::matching) struct LazyDfa {
    program: Program,
    direction: Direction,
    /// Tells it from other automata, on every machine alike.
    id: u64,
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

/// What a search writes besides its cache.
pub(super) struct Notes<'a> {
    /// While it works transitions out.
    pub(super) workspace: &'a mut Workspace,
    /// What it counts its visits with, if it does.
    pub(super) counter: Option<(&'a mut Visits, &'a mut Footprint)>,
}

/// A search under way.
struct Way<'a> {
    row: Row,
    /// How many bytes were read before the place where the match ends.
    end: Option<usize>,
    /// The tag of transitions that were counted.
    taken: Tag,
    cache: &'a mut Cache,
    workspace: &'a mut Workspace,
    /// What visits are counted with, and the memory of the states that were met.
    counter: Option<(&'a mut Visits, &'a mut usize)>,
}

impl Way<'_> {
    /// The tag of transitions that need not be looked at.
    fn tag(&self) -> Tag {
        match &self.counter {
            Some((_, states)) if !visits::are_kept(**states) => Tag::NEVER,
            _ => self.taken,
        }
    }
}

impl LazyDfa {
    /// The automaton of a checked tree. The number tells the pattern from others.
    pub(super) fn new(root: &syntax::Node, direction: Direction, pattern: u64) -> Self {
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
            id: match direction {
                Direction::Forward => pattern,
                Direction::Backward => !pattern,
            },
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
    /// first. Visits are counted, if there is something to count them with; a search that cannot be
    /// afforded finds nothing.
    pub(super) fn end(
        &self,
        hay: &[u8],
        start: usize,
        earliest: bool,
        cache: &mut Cache,
        notes: Notes<'_>,
    ) -> Found {
        let before = start.checked_sub(1).and_then(|at| hay.get(at));
        let bytes = hay.get(start..).unwrap_or_default().iter();
        self.search(before, bytes, None, earliest, cache, notes)
    }

    /// How long the longest match is that ends at a place and does not begin before another.
    pub(super) fn start(
        &self,
        hay: &[u8],
        start: usize,
        end: usize,
        cache: &mut Cache,
        notes: Notes<'_>,
    ) -> Found {
        let bytes = hay.get(start..end).unwrap_or_default().iter().rev();
        let behind = start.checked_sub(1).and_then(|at| hay.get(at));
        self.search(hay.get(end), bytes, behind, false, cache, notes)
    }

    /// Reads bytes that stand between two others.
    fn search<'h>(
        &self,
        before: Option<&u8>,
        bytes: impl ExactSizeIterator<Item = &'h u8>,
        behind: Option<&u8>,
        earliest: bool,
        cache: &mut Cache,
        notes: Notes<'_>,
    ) -> Found {
        let length = bytes.len();
        let start = self.begin(before, cache);
        if start.is_dead() {
            return Found { end: None, read: 0 };
        }
        let counts = notes.counter.is_some();
        let counter = notes.counter.map(|(visits, footprint)| {
            let [forward, backward] = &mut footprint.states;
            let states = match self.direction {
                Direction::Forward => forward,
                Direction::Backward => backward,
            };
            (visits, states)
        });
        let phase = counter.as_ref().map(|(visits, _)| visits.phase());
        let mut way = Way {
            row: start.row(),
            end: None,
            taken: phase.map_or(Tag::NONE, |phase| cache.tag(phase)),
            cache,
            workspace: notes.workspace,
            counter,
        };
        let read = if counts {
            self.read::<true>(&mut way, bytes, earliest)
        } else {
            self.read::<false>(&mut way, bytes, earliest)
        };
        if let Some(read) = read {
            return Found { end: way.end, read };
        }
        let column = behind.map_or(self.columns.edge(), |&byte| self.columns.of(byte));
        let entry = way.cache.entries().get(way.row, column);
        self.take(&mut way, column, entry, length);
        Found {
            end: way.end,
            read: length,
        }
    }

    /// Reads bytes. Returns how many, unless all were read and it goes on behind them.
    fn read<'h, const COUNTS: bool>(
        &self,
        way: &mut Way<'_>,
        mut bytes: impl ExactSizeIterator<Item = &'h u8>,
        earliest: bool,
    ) -> Option<usize> {
        let length = bytes.len();
        while let Some((column, entry)) = self.glide::<COUNTS>(way, &mut bytes) {
            let read = length.saturating_sub(bytes.len()).saturating_sub(1);
            let entry = self.take(way, column, entry, read);
            if entry.is_dead() || entry.is_match() && earliest {
                return Some(read);
            }
            way.row = entry.row();
        }
        None
    }

    /// Goes from row to row until a byte leads to something that has to be looked at. Here searches
    /// spend their time.
    #[inline]
    fn glide<'h, const COUNTS: bool>(
        &self,
        way: &mut Way<'_>,
        bytes: &mut impl Iterator<Item = &'h u8>,
    ) -> Option<(usize, Entry)> {
        let entries = way.cache.entries();
        let tag = way.tag();
        let mut row = way.row;
        let idle = self.rousing.as_deref().zip(way.cache.idle());
        let (rousing, idle) = idle.unwrap_or((&[true; 256], Row::NONE));
        loop {
            let byte = if row == idle {
                bytes.find(|byte| rousing.get(usize::from(**byte)) != Some(&false))
            } else {
                bytes.next()
            };
            let Some(&byte) = byte else {
                way.row = row;
                return None;
            };
            let column = self.columns.of(byte);
            let entry = entries.get(row, column);
            match entry.plain::<COUNTS>(tag) {
                Some(next) => row = next,
                None => {
                    way.row = row;
                    return Some((column, entry));
                }
            }
        }
    }

    /// Takes a transition that has to be looked at: it is counted, worked out, and ends a match in
    /// front of it. One that cannot be afforded leads nowhere.
    fn take(&self, way: &mut Way<'_>, column: usize, mut entry: Entry, read: usize) -> Entry {
        let is_new = way.counter.is_some() && !entry.has_tag(way.tag());
        if is_new && !self.count(way, column) {
            way.end = None;
            return Entry::DEAD;
        }
        if entry.is_unknown() {
            entry = self.step(way.row, column, way.taken, way.cache, way.workspace);
        } else if is_new {
            entry = entry.with_tag(way.taken);
            way.cache.set(way.row, column, entry);
        }
        if entry.is_match() {
            way.end = Some(read);
        }
        entry
    }

    /// Counts a transition. Says whether it can be afforded.
    fn count(&self, way: &mut Way<'_>, column: usize) -> bool {
        let (Some((visits, states)), Some(state)) = (&mut way.counter, way.cache.state_of(way.row))
        else {
            return true;
        };
        let (bytes, members) = state.size(self.columns.len());
        // Those of a state that is in no match are its beginnings.
        let members = match members {
            0 => self.beginnings.len(),
            members => members,
        };
        visits.take(self.id, (state, column), (bytes, members), states)
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
