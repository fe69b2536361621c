//! Which windows occur in a value, in one scan.
//!
//! Aho and Corasick's automaton over byte classes, as a table. Windows are at most three classes
//! long, so a state is just the last two classes, as far as they begin a window; a third class is
//! never a state, it is reported on the way to one. That keeps the table small: a row for each
//! beginning, not for each window.

use std::collections::BTreeMap;

use super::literals::Window;
use crate::bytes::ClassSet;

/// Most windows of one automaton, so that its entries fit in 16 bits.
pub(super) const WINDOW_LIMIT: usize = 50_000;

/// The table.
#[derive(Debug)]
pub(super) struct Automaton {
    /// Byte to column.
    columns: Box<[u8; 256]>,
    /// log₂ of the row length.
    shift: u32,
    /// One row for each state. Entries below the number of rows are states, others are events.
    entries: Box<[u16]>,
    rows: u16,
    events: Box<[Event]>,
    /// What the events report, one list after the other.
    reports: Box<[u16]>,
}

/// Windows end here.
#[derive(Clone, Copy, Debug)]
struct Event {
    next: u16,
    first: u32,
    count: u32,
}

/// Windows and what to report when they occur. Single classes are not for the automaton.
pub(super) type Windows = BTreeMap<Window, Vec<u16>>;

impl Automaton {
    /// Builds the table for values of an alphabet; `None` without windows.
    pub(super) fn new(windows: &Windows, alphabet: ClassSet) -> Option<Self> {
        if windows.is_empty() {
            return None;
        }
        let members: Vec<u8> = super::frequency::members(alphabet).collect();
        // A column for each class of the alphabet; column 0 would do for all others, which no
        // value has.
        let shift = members.len().next_power_of_two().trailing_zeros();
        let mut columns = Box::new([0u8; 256]);
        for (byte, column) in (0u8..=u8::MAX).zip(columns.iter_mut()) {
            let class = ClassSet::class_of(byte);
            let at = members
                .iter()
                .position(|&member| member == class)
                .unwrap_or(0);
            *column = u8::try_from(at).unwrap_or(0);
        }
        let states = States::of(windows);
        let mut table = Table {
            states: &states,
            windows,
            events: Vec::new(),
            reports: Vec::new(),
            known: BTreeMap::new(),
        };
        let row_length = 1usize.checked_shl(shift)?;
        let mut entries = Vec::with_capacity(states.list.len().saturating_mul(row_length));
        for &state in &states.list {
            let row = members.iter().map(|&class| table.entry(state, class));
            let row: Vec<u16> = row.collect::<Option<_>>()?;
            entries.extend(row.into_iter().chain(std::iter::repeat(0)).take(row_length));
        }
        Some(Self {
            columns,
            shift,
            entries: entries.into(),
            rows: u16::try_from(states.list.len()).ok()?,
            events: table.events.into(),
            reports: table.reports.into(),
        })
    }

    /// Scans a value and hands over what its windows report, repeatedly where they repeat.
    pub(super) fn scan(&self, hay: &[u8], mut report: impl FnMut(u16)) {
        let mut state = 0u16;
        for &byte in hay {
            let column = self
                .columns
                .get(usize::from(byte))
                .copied()
                .unwrap_or_default();
            let at = usize::from(state).wrapping_shl(self.shift) | usize::from(column);
            state = self.entries.get(at).copied().unwrap_or_default();
            if let Some(event) = state.checked_sub(self.rows) {
                state = self.event(event, &mut report);
            }
        }
    }

    #[inline(never)]
    fn event(&self, event: u16, report: &mut impl FnMut(u16)) -> u16 {
        let Some(event) = self.events.get(usize::from(event)) else {
            return 0;
        };
        let first = usize::try_from(event.first).unwrap_or(usize::MAX);
        let count = usize::try_from(event.count).unwrap_or(usize::MAX);
        for &condition in self.reports.iter().skip(first).take(count) {
            report(condition);
        }
        event.next
    }

    /// Memory of the table, in bytes.
    pub(super) fn memory_usage(&self) -> usize {
        size_of_val(&*self.entries)
            .saturating_add(size_of_val(&*self.events))
            .saturating_add(size_of_val(&*self.reports))
            .saturating_add(size_of_val(&*self.columns))
    }
}

/// Up to two classes that begin a window.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum State {
    Nothing,
    One(u8),
    Two(u8, u8),
}

/// The states, in the order of their rows; the first is that of nothing read.
struct States {
    list: Vec<State>,
}

impl States {
    fn of(windows: &Windows) -> Self {
        let mut list = vec![State::Nothing];
        for window in windows.keys() {
            match *window {
                Window::One(_) => {}
                Window::Two(a, _) => list.push(State::One(a)),
                Window::Three(a, b, _) => list.extend([State::One(a), State::Two(a, b)]),
            }
        }
        list.sort_unstable();
        list.dedup();
        Self { list }
    }

    fn row(&self, state: State) -> Option<u16> {
        u16::try_from(self.list.binary_search(&state).ok()?).ok()
    }

    /// The row after reading a class.
    fn next(&self, state: State, class: u8) -> u16 {
        let longest = match state {
            State::Nothing => None,
            State::One(last) | State::Two(_, last) => self.row(State::Two(last, class)),
        };
        longest
            .or_else(|| self.row(State::One(class)))
            .unwrap_or_default()
    }
}

/// The table under construction.
struct Table<'a> {
    states: &'a States,
    windows: &'a Windows,
    events: Vec<Event>,
    reports: Vec<u16>,
    /// Events by next row and windows, for sharing.
    known: BTreeMap<(u16, Option<Window>, Option<Window>), u16>,
}

impl Table<'_> {
    /// The entry for a state and a class; `None`, if the numbers run out.
    fn entry(&mut self, state: State, class: u8) -> Option<u16> {
        let next = self.states.next(state, class);
        let (three, two) = match state {
            State::Nothing => (None, None),
            State::One(last) => (None, Some(Window::Two(last, class))),
            State::Two(a, b) => (
                Some(Window::Three(a, b, class)),
                Some(Window::Two(b, class)),
            ),
        };
        let known = |window: &Window| self.windows.contains_key(window);
        let (three, two) = (three.filter(known), two.filter(known));
        if three.is_none() && two.is_none() {
            return Some(next);
        }
        let rows = u16::try_from(self.states.list.len()).ok()?;
        if let Some(&event) = self.known.get(&(next, three, two)) {
            return rows.checked_add(event);
        }
        let first = u32::try_from(self.reports.len()).ok()?;
        for window in [three, two].iter().flatten() {
            self.reports
                .extend(self.windows.get(window).into_iter().flatten());
        }
        let count = u32::try_from(self.reports.len()).ok()?.checked_sub(first)?;
        let event = u16::try_from(self.events.len()).ok()?;
        self.events.push(Event { next, first, count });
        self.known.insert((next, three, two), event);
        rows.checked_add(event)
    }
}
