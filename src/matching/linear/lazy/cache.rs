//! The states that searches have built.

use hashbrown::HashTable;

use super::condition::Context;
use super::program::NodeId;
use crate::matching::hash;

/// Most memory of the states of one automaton, in bytes. Smaller caches thrash on the largest
/// patterns of the Core Rule Set.
pub(super) const LIMIT: usize = 1 << 20;

/// States and where they lead.
#[derive(Debug)]
pub(in crate::matching) struct Cache {
    /// A row for each state, an entry for each column of it.
    entries: Vec<Entry>,
    columns: usize,
    /// Most memory, in bytes.
    limit: usize,
    states: Vec<State>,
    /// The sets of the states, one after the other.
    members: Vec<NodeId>,
    /// Numbers of states by what they are.
    index: HashTable<u32>,
    /// The state of a search that is in no match and knows nothing of the byte before.
    idle: Option<Row>,
    /// The tag of transitions that were taken in a phase, and which phase that is.
    taken: (Tag, u64),
}

/// A state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct State {
    /// Where its set begins, and how many are in it.
    first: u32,
    count: u32,
    /// The same on every machine.
    pub(super) hash: u64,
    /// What the byte before was.
    pub(super) before: Context,
    /// A match may begin here.
    pub(super) open: bool,
}

/// Where a byte leads from a state: flags, a [`Tag`] and the place of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry(u32);

/// Whether a transition was taken, see [`super::visits`]: some bits of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tag(u32);

/// Where the row of a state begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row(u32);

/// The rows of all states.
#[derive(Clone, Copy)]
pub(super) struct Entries<'a>(&'a [Entry]);

impl Entry {
    /// Nobody has looked yet.
    const UNKNOWN: Self = Self(1 << 31);
    /// No match is under way, and none can begin.
    pub(super) const DEAD: Self = Self(1 << 30);
    /// A match ended before the byte.
    const MATCH: u32 = 1 << 29;
    /// More places than a cache has entries.
    const ROW: u32 = (1 << 20) - 1;

    /// The same, with a match that ended before the byte.
    pub(super) const fn with_match(self, matched: bool) -> Self {
        if matched {
            Self(self.0 | Self::MATCH)
        } else {
            self
        }
    }

    /// The same with another tag.
    pub(super) const fn with_tag(self, tag: Tag) -> Self {
        Self(self.0 & !Tag::BITS | tag.0)
    }

    /// The row that it leads to, if that is all; where visits are counted, if it has the tag as well.
    #[inline]
    pub(super) fn plain<const COUNTS: bool>(self, tag: Tag) -> Option<Row> {
        if COUNTS {
            let row = self.0 ^ tag.0;
            (row <= Self::ROW).then_some(Row(row))
        } else {
            (self.0 < Self::MATCH).then_some(self.row())
        }
    }

    pub(super) const fn has_tag(self, tag: Tag) -> bool {
        self.0 & Tag::BITS == tag.0
    }

    pub(super) const fn is_unknown(self) -> bool {
        self.0 == Self::UNKNOWN.0
    }

    pub(super) const fn is_dead(self) -> bool {
        self.0 & Self::DEAD.0 != 0
    }

    pub(super) const fn is_match(self) -> bool {
        self.0 & Self::MATCH != 0
    }

    pub(super) const fn row(self) -> Row {
        Row(self.0 & Self::ROW)
    }
}

impl Tag {
    const BITS: u32 = Entry::MATCH - 1 - Entry::ROW;
    /// Of transitions that were never taken while visits were counted.
    pub(super) const NONE: Self = Self(0);
    /// No transition has it.
    pub(super) const NEVER: Self = Self(Self::BITS);

    /// The next one, if there is one.
    fn next(self) -> Option<Self> {
        let next = Self(self.0.saturating_add(Entry::ROW).saturating_add(1));
        (next != Self::NEVER).then_some(next)
    }
}

impl Entries<'_> {
    /// Where a column leads from a row.
    #[inline]
    pub(super) fn get(self, row: Row, column: usize) -> Entry {
        // What no state has is beyond all rows.
        let at = row.index().wrapping_add(column);
        self.0.get(at).copied().unwrap_or(Entry::UNKNOWN)
    }
}

impl State {
    /// What it takes in a cache with so many columns, in bytes, and how many members it has.
    pub(super) fn size(self, columns: usize) -> (usize, usize) {
        let members = usize::try_from(self.count).unwrap_or(usize::MAX);
        let bytes = columns
            .saturating_mul(size_of::<Entry>())
            .saturating_add(members.saturating_mul(size_of::<NodeId>()))
            .saturating_add(size_of::<Self>());
        (bytes, members)
    }
}

impl Row {
    /// No state has it.
    pub(super) const NONE: Self = Self(u32::MAX);

    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Cache {
    pub(super) const fn new(columns: usize) -> Self {
        Self::with_limit(columns, LIMIT)
    }

    /// One that is full beyond so many bytes.
    pub(super) const fn with_limit(columns: usize, limit: usize) -> Self {
        Self {
            entries: Vec::new(),
            columns,
            limit,
            states: Vec::new(),
            members: Vec::new(),
            index: HashTable::new(),
            idle: None,
            taken: (Tag::NONE, 0),
        }
    }

    /// The tag of transitions that were taken in a phase.
    pub(super) fn tag(&mut self, phase: u64) -> Tag {
        let (tag, of) = self.taken;
        if tag == Tag::NONE || of != phase {
            let next = tag.next().unwrap_or_else(|| {
                for entry in self.entries.iter_mut().filter(|entry| !entry.is_unknown()) {
                    *entry = entry.with_tag(Tag::NONE);
                }
                Tag::NONE.next().unwrap_or(Tag::NEVER)
            });
            self.taken = (next, phase);
        }
        self.taken.0
    }

    /// Where rows lead.
    pub(super) fn entries(&self) -> Entries<'_> {
        Entries(&self.entries)
    }

    /// Says where a column leads from a row.
    pub(super) fn set(&mut self, row: Row, column: usize, entry: Entry) {
        if let Some(place) = self.entries.get_mut(row.index().saturating_add(column)) {
            *place = entry;
        }
    }

    /// The state of a row.
    pub(super) fn state_of(&self, row: Row) -> Option<State> {
        let number = row.index().checked_div(self.columns)?;
        self.states.get(number).copied()
    }

    /// The set of a state.
    pub(super) fn members(&self, state: State) -> &[NodeId] {
        members(&self.members, state)
    }

    /// The state with this set, new if it is not there.
    pub(super) fn state(&mut self, set: &[NodeId], before: Context, open: bool) -> Entry {
        if set.is_empty() && !open {
            return Entry::DEAD;
        }
        let hash = hash_of(set, before, open);
        let found = self.index.find(hash, |&number| {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            self.states.get(number).is_some_and(|state| {
                state.hash == hash
                    && state.before == before
                    && state.open == open
                    && members(&self.members, *state) == set
            })
        });
        let number = found.copied().unwrap_or_else(|| {
            let number = |length| u32::try_from(length).unwrap_or(u32::MAX);
            let state = State {
                first: number(self.members.len()),
                count: number(set.len()),
                hash,
                before,
                open,
            };
            let new = number(self.states.len());
            self.members.extend_from_slice(set);
            self.states.push(state);
            self.add_row();
            let states = &self.states;
            self.index.insert_unique(hash, new, |&number| {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                states.get(number).map_or(0, |state| state.hash)
            });
            new
        });
        let columns = u32::try_from(self.columns).unwrap_or(u32::MAX);
        let entry = Entry(number.saturating_mul(columns));
        if set.is_empty() && before == Context::Other {
            self.idle = Some(entry.row());
        }
        entry
    }

    /// The row of a search that is in no match and knows nothing of the byte before, once there is
    /// one.
    pub(super) const fn idle(&self) -> Option<Row> {
        self.idle
    }

    /// Adds a row. Buffers do not double here, for the limit is on what is reserved.
    fn add_row(&mut self) {
        let length = self.entries.len();
        let end = length.saturating_add(self.columns);
        if end > self.entries.capacity() {
            let more = self.columns.saturating_mul(4).max(length / 4);
            self.entries.reserve_exact(more);
        }
        self.entries.resize(end, Entry::UNKNOWN);
    }

    /// Forgets all states but that of a row, and returns its new row.
    #[cold]
    pub(super) fn keep_only(&mut self, row: Row) -> Row {
        let old = std::mem::replace(self, Self::with_limit(self.columns, self.limit));
        self.taken = old.taken;
        let same = old.state_of(row).map_or(Entry::DEAD, |state| {
            self.state(old.members(state), state.before, state.open)
        });
        same.row()
    }

    /// Whether the states take too much memory.
    pub(super) fn is_full(&self) -> bool {
        self.memory_usage() > self.limit
    }

    /// Memory of its buffers, in bytes.
    pub(in crate::matching) fn memory_usage(&self) -> usize {
        [
            self.index.allocation_size(),
            self.entries.capacity().saturating_mul(size_of::<Entry>()),
            self.states.capacity().saturating_mul(size_of::<State>()),
            self.members.capacity().saturating_mul(size_of::<NodeId>()),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}

/// Hashes what a state is: the same on every machine. States come from patterns, so that values can
/// hardly be made to collide; if they do, a cache is slow within its limit.
fn hash_of(set: &[NodeId], before: Context, open: bool) -> u64 {
    let start = u64::from(open).wrapping_add(match before {
        Context::Edge => 2,
        Context::Word => 4,
        Context::LineFeed => 6,
        Context::Other => 8,
    });
    let ids = set.iter().map(|id| id.number());
    let mixed = ids.fold(start, hash::mix);
    // The table looks at the upper bits and at the lower ones.
    (mixed ^ mixed >> 32)
        .wrapping_mul(hash::SPREAD)
        .rotate_left(26)
}

fn members(all: &[NodeId], state: State) -> &[NodeId] {
    let first = usize::try_from(state.first).unwrap_or(usize::MAX);
    let count = usize::try_from(state.count).unwrap_or(usize::MAX);
    all.get(first..first.saturating_add(count))
        .unwrap_or_default()
}
