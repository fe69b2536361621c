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
mod idle;
mod marks;
mod program;
mod step;

#[cfg(test)]
mod tests;

pub(in crate::matching) use cache::Cache;
pub(in crate::matching) use step::Workspace;

use cache::{Entry, Row};
use program::{NodeId, Program};
use regex_automata::nfa::thompson::NFA;
use regex_automata::util::look::{Look, LookSet};

/// The automaton of a pattern. What searches build is kept elsewhere, in a [`Cache`] of its own.
#[derive(Debug)]
pub(in crate::matching) struct LazyDfa {
    program: Program,
    direction: Direction,
    /// Bytes that no part of the pattern tells apart have one column.
    column_of: Box<[u8; 256]>,
    /// The last one stands for the edge of the value.
    columns: Box<[Column]>,
    /// Where a match begins: nodes that are no forks.
    beginnings: Box<[NodeId]>,
    /// A match can only begin at the edge of the value.
    anchored: bool,
    looks: LookSet,
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

/// Bytes that are not told apart.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// One of them; none for the edge of the value.
    byte: Option<u8>,
    context: Context,
}

/// What conditions have to know of a byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Context {
    /// There is none: the edge of the value.
    Edge,
    /// A letter, a digit or an underscore.
    Word,
    LineFeed,
    Other,
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
    /// The automaton of an NFA, which is compiled for the same direction. `None` if it asks for a
    /// condition that is not known here.
    pub(super) fn new(nfa: &NFA, direction: Direction) -> Option<Self> {
        let looks = nfa.look_set_any();
        let is_known = |look| holds(look, Context::Other, Context::Other).is_some();
        if !looks.iter().all(is_known) {
            return None;
        }
        let classes = nfa.byte_classes();
        let mut column_of = Box::new([0; 256]);
        for (byte, column) in (0..=u8::MAX).zip(column_of.iter_mut()) {
            *column = classes.get(byte);
        }
        let column = |byte| Column {
            byte: Some(byte),
            context: Context::of(byte),
        };
        let edge = Column {
            byte: None,
            context: Context::Edge,
        };
        let representatives = classes.representatives(..).filter_map(|unit| unit.as_u8());
        let columns = representatives.map(column).chain([edge]).collect();
        let program = Program::new(nfa);
        let beginnings = step::beginnings(&program, nfa.start_anchored().into());
        let mut dfa = Self {
            program,
            direction,
            column_of,
            columns,
            beginnings,
            anchored: nfa.is_always_start_anchored(),
            looks,
            rousing: None,
        };
        dfa.rousing = dfa.rousing_bytes();
        Some(dfa)
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
        let column = behind.map_or(self.edge(), |&byte| self.column(byte));
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
            let column = self.column(byte);
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
            Direction::Forward => cache.state(&[], self.kept(before), true),
            Direction::Backward => cache.state(&self.beginnings, self.kept(before), false),
        }
    }

    /// The column of a byte.
    fn column(&self, byte: u8) -> usize {
        let column = self.column_of.get(usize::from(byte));
        usize::from(column.copied().unwrap_or_default())
    }

    /// The column of the edge of the value.
    fn edge(&self) -> usize {
        self.columns.len().saturating_sub(1)
    }

    /// What the pattern's conditions have to know of the byte before.
    fn kept(&self, before: Context) -> Context {
        let matters = match before {
            Context::Edge => self.looks.contains_anchor(),
            Context::Word => self.looks.contains_word(),
            Context::LineFeed => self.looks.contains_anchor_line(),
            Context::Other => true,
        };
        if matters { before } else { Context::Other }
    }
}

impl Context {
    const fn of(byte: u8) -> Self {
        match byte {
            b'\n' => Self::LineFeed,
            b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => Self::Word,
            _ => Self::Other,
        }
    }

    fn is_line_edge(self) -> bool {
        matches!(self, Self::Edge | Self::LineFeed)
    }
}

/// Whether a condition holds between two bytes. `None`: it is not known here.
fn holds(look: Look, before: Context, after: Context) -> Option<bool> {
    let word = |context| context == Context::Word;
    Some(match look {
        Look::Start => before == Context::Edge,
        Look::End => after == Context::Edge,
        Look::StartLF => before.is_line_edge(),
        Look::EndLF => after.is_line_edge(),
        Look::WordAscii => word(before) != word(after),
        Look::WordAsciiNegate => word(before) == word(after),
        Look::WordStartAscii => !word(before) && word(after),
        Look::WordEndAscii => word(before) && !word(after),
        _ => return None,
    })
}
