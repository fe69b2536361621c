//! Which windows occur in a value, in one scan.
//!
//! Aho and Corasick's automaton over byte classes, as a table. Windows are at most three classes
//! long, so a state is just the last two classes, as far as they begin a window; a third class is
//! never a state, it is reported on the way to one. That keeps the table small: a row for each
//! beginning, not for each window.

use super::{Surroundings, Window};
use crate::bytes::{ClassSet, set_bits};

/// Most windows of one automaton (65 rows for each first class and its second are the most there
/// are), so that the entries of the table fit in 16 bits.
pub(in crate::matching) const WINDOW_LIMIT: usize = 60_000;

/// The table.
#[derive(Debug)]
pub(in crate::matching) struct Automaton {
    /// Byte to column.
    columns: Box<[u8; 256]>,
    /// log₂ of the row length.
    shift: u32,
    /// One row for each state. Entries below the number of rows are states, others are events.
    entries: Box<[u16]>,
    rows: u16,
    events: Box<[Event]>,
    /// What the events report, one list after the other.
    reports: Box<[u32]>,
}

/// Windows end here.
#[derive(Clone, Copy, Debug)]
struct Event {
    next: u16,
    first: u32,
    count: u32,
    surroundings: Surroundings,
}

impl Automaton {
    /// Builds the table for values of an alphabet, from windows, where they matter and what to report
    /// then. Single classes are not for the automaton. `None` without windows, or if they are too
    /// many.
    pub(in crate::matching) fn new(
        windows: &mut Vec<(Window, Surroundings, u32)>,
        alphabet: ClassSet,
    ) -> Option<Self> {
        windows.sort_unstable();
        windows.dedup();
        if windows.is_empty() {
            return None;
        }
        let mut table = Table::new(alphabet, windows)?;
        for occurrences in windows.chunk_by(|one, other| one.0 == other.0) {
            table.add(occurrences)?;
        }
        Some(Self {
            columns: table.columns_of_bytes(),
            shift: table.shift,
            entries: table.entries.into(),
            rows: table.rows,
            events: table.events.into(),
            reports: table.reports.into(),
        })
    }

    /// Scans a value and hands over where a window ends and what it reports, repeatedly where it
    /// repeats. The answer may say where to stop instead of at the end.
    pub(in crate::matching) fn scan(
        &self,
        hay: &[u8],
        mut report: impl FnMut(usize, u32) -> Option<usize>,
    ) {
        let mut state = 0u16;
        let mut stop = hay.len();
        let mut bytes = hay.iter();
        while let Some(&byte) = bytes.next() {
            let column = self
                .columns
                .get(usize::from(byte))
                .copied()
                .unwrap_or_default();
            let at = usize::from(state).wrapping_shl(self.shift) | usize::from(column);
            state = self.entries.get(at).copied().unwrap_or_default();
            let Some(event) = state.checked_sub(self.rows) else {
                continue;
            };
            let Some(event) = self.events.get(usize::from(event)) else {
                return;
            };
            state = event.next;
            let end = stop.saturating_sub(bytes.len());
            if !event.surroundings.admit(hay, end) {
                continue;
            }
            for &number in self.reports_of(event) {
                if let Some(earlier) = report(end, number)
                    && earlier < stop
                {
                    stop = earlier;
                    bytes = hay.get(end..stop).unwrap_or_default().iter();
                }
            }
        }
    }

    fn reports_of(&self, event: &Event) -> &[u32] {
        let first = usize::try_from(event.first).unwrap_or(usize::MAX);
        let count = usize::try_from(event.count).unwrap_or(usize::MAX);
        self.reports
            .get(first..first.saturating_add(count))
            .unwrap_or_default()
    }

    /// Memory of the table, in bytes.
    pub(in crate::matching) fn memory_usage(&self) -> usize {
        size_of_val(&*self.entries)
            .saturating_add(size_of_val(&*self.events))
            .saturating_add(size_of_val(&*self.reports))
            .saturating_add(size_of_val(&*self.columns))
    }
}

/// The table under construction.
struct Table {
    /// Class to column.
    columns: [u16; 64],
    shift: u32,
    entries: Vec<u16>,
    rows: u16,
    /// Class to the row where it was read last; 0, if no window begins with it.
    ones: [u16; 64],
    /// Two classes and the row where they were read last, sorted.
    twos: Vec<((u8, u8), u16)>,
    events: Vec<Event>,
    reports: Vec<u32>,
}

impl Table {
    /// A row for nothing read, one for each first class of a window and one for each first two
    /// classes of a longer one. They lead to each other, without events.
    fn new(alphabet: ClassSet, windows: &[(Window, Surroundings, u32)]) -> Option<Self> {
        let mut columns = [0; 64];
        let mut column = 0u16;
        for class in set_bits(alphabet.0) {
            *columns.get_mut(usize::from(class))? = column;
            column = column.saturating_add(1);
        }
        let mut ones = [0; 64];
        let mut twos: Vec<((u8, u8), u16)> = Vec::new();
        let mut rows = 1u16;
        for (window, ..) in windows {
            let (Window::One(first) | Window::Two(first, _) | Window::Three(first, ..)) = *window;
            let row = ones.get_mut(usize::from(first))?;
            if *row == 0 {
                *row = rows;
                rows = rows.checked_add(1)?;
            }
            if let Window::Three(first, second, _) = *window
                && twos.last().is_none_or(|(last, _)| *last != (first, second))
            {
                twos.push(((first, second), rows));
                rows = rows.checked_add(1)?;
            }
        }
        let mut table = Self {
            columns,
            shift: column.next_power_of_two().trailing_zeros(),
            entries: Vec::new(),
            rows,
            ones,
            twos,
            events: Vec::new(),
            reports: Vec::new(),
        };
        table.connect()?;
        Some(table)
    }

    fn connect(&mut self) -> Option<()> {
        let length = 1usize.checked_shl(self.shift)?;
        self.entries
            .resize(length.checked_mul(usize::from(self.rows))?, 0);
        for class in 0..64 {
            let row = self.ones.get(usize::from(class)).copied()?;
            if row != 0 {
                *self.entry(0, class)? = row;
            }
        }
        let nothing = self.entries.get(..length)?.to_vec();
        for row in self.ones.into_iter().filter(|&row| row != 0) {
            self.row(row)?.copy_from_slice(&nothing);
        }
        let twos = std::mem::take(&mut self.twos);
        for &((first, second), row) in &twos {
            *self.entry(*self.ones.get(usize::from(first))?, second)? = row;
        }
        // After two classes it goes on as after the second alone: their third makes no row.
        for &((_, second), row) in &twos {
            let after_second = *self.ones.get(usize::from(second))?;
            let copied = self.row(after_second)?.to_vec();
            self.row(row)?.copy_from_slice(&copied);
        }
        self.twos = twos;
        Some(())
    }

    /// Adds the reports of a window. Shorter windows come before the longer that end with them.
    fn add(&mut self, occurrences: &[(Window, Surroundings, u32)]) -> Option<()> {
        let (window, ..) = *occurrences.first()?;
        match window {
            Window::One(_) => {}
            Window::Two(first, second) => {
                let row = *self.ones.get(usize::from(first))?;
                self.report(row, second, occurrences)?;
                // The rows that go on as this one.
                let twos = std::mem::take(&mut self.twos);
                let event = *self.entry(row, second)?;
                for &((_, last), row) in twos.iter().filter(|((_, last), _)| *last == first) {
                    debug_assert_eq!(last, first, "filtered");
                    *self.entry(row, second)? = event;
                }
                self.twos = twos;
            }
            Window::Three(first, second, third) => {
                let at = self
                    .twos
                    .binary_search_by_key(&(first, second), |(two, _)| *two)
                    .ok()?;
                let (_, row) = *self.twos.get(at)?;
                self.report(row, third, occurrences)?;
            }
        }
        Some(())
    }

    /// Puts an event into an entry, which reports what the entry reported and more.
    fn report(&mut self, row: u16, class: u8, more: &[(Window, Surroundings, u32)]) -> Option<()> {
        let rows = self.rows;
        let before = *self.entry(row, class)?;
        let first = self.reports.len();
        let mut next = before;
        let mut surroundings = Surroundings::NONE;
        if let Some(event) = before.checked_sub(rows) {
            let event = *self.events.get(usize::from(event))?;
            next = event.next;
            surroundings = event.surroundings;
            let from = usize::try_from(event.first).ok()?;
            let to = from.checked_add(usize::try_from(event.count).ok()?)?;
            self.reports.extend_from_within(from..to);
        }
        self.reports.extend(more.iter().map(|(.., number)| *number));
        for (_, more, _) in more {
            surroundings = surroundings.or(*more);
        }
        let count = self.reports.len().checked_sub(first)?;
        let event = u16::try_from(self.events.len()).ok()?;
        self.events.push(Event {
            next,
            first: u32::try_from(first).ok()?,
            count: u32::try_from(count).ok()?,
            surroundings,
        });
        *self.entry(row, class)? = rows.checked_add(event)?;
        Some(())
    }

    fn entry(&mut self, row: u16, class: u8) -> Option<&mut u16> {
        let column = *self.columns.get(usize::from(class))?;
        self.entries
            .get_mut(usize::from(row).checked_shl(self.shift)? | usize::from(column))
    }

    fn row(&mut self, row: u16) -> Option<&mut [u16]> {
        let length = 1usize.checked_shl(self.shift)?;
        let start = usize::from(row).checked_mul(length)?;
        self.entries.get_mut(start..start.checked_add(length)?)
    }

    fn columns_of_bytes(&self) -> Box<[u8; 256]> {
        let mut columns = Box::new([0u8; 256]);
        for (byte, column) in (0u8..=u8::MAX).zip(columns.iter_mut()) {
            let class = usize::from(ClassSet::class_of(byte));
            let of_class = self.columns.get(class).copied().unwrap_or_default();
            *column = u8::try_from(of_class).unwrap_or_default();
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::super::Around;
    use super::*;

    /// Windows of letters, and what a value reports.
    fn reports(windows: &[&str], hay: &str) -> Vec<u32> {
        let class = |byte| ClassSet::class_of(byte);
        let mut list: Vec<(Window, Surroundings, u32)> = windows
            .iter()
            .zip(0..)
            .map(|(text, number)| match *text.as_bytes() {
                [a, b] => (
                    Window::Two(class(a), class(b)),
                    Around::default().nearest(),
                    number,
                ),
                [a, b, c] => (
                    Window::Three(class(a), class(b), class(c)),
                    Around::default().nearest(),
                    number,
                ),
                _ => panic!("{text}"),
            })
            .collect();
        let automaton = Automaton::new(&mut list, ClassSet::ALL).unwrap();
        let mut found = Vec::new();
        automaton.scan(hay.as_bytes(), |_, number| {
            found.push(number);
            None
        });
        found.sort_unstable();
        found
    }

    #[test]
    fn finds_windows_inside_each_other() {
        let windows = ["abc", "bc", "bcd", "cd", "xab", "aaa", "bc"];
        assert_eq!(reports(&windows, "xabcd"), [0, 1, 2, 3, 4, 6]);
        assert_eq!(reports(&windows, "aBC"), [0, 1, 6]);
        assert_eq!(reports(&windows, "bbcc"), [1, 6]);
        assert_eq!(reports(&windows, "aaaa"), [5, 5]);
        assert_eq!(reports(&windows, "ab"), [0u32; 0]);
        assert_eq!(reports(&windows, ""), [0u32; 0]);
    }

    #[test]
    fn agrees_with_a_naive_search() {
        let mut seed = 1u32;
        let mut letter = |count: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b"abcd"[usize::try_from(seed >> 20).unwrap() % count])
        };
        for round in 2..5 {
            for _ in 0..200 {
                let windows: Vec<String> = (0..6)
                    .map(|at| (0..2 + at % 2).map(|_| letter(round)).collect())
                    .collect();
                let windows: Vec<&str> = windows.iter().map(String::as_str).collect();
                let hay: String = (0..12).map(|_| letter(round)).collect();
                let mut naive: Vec<u32> = Vec::new();
                for (window, number) in windows.iter().zip(0u32..) {
                    let places = hay.as_bytes().windows(window.len());
                    naive.extend(
                        places
                            .filter(|place| *place == window.as_bytes())
                            .map(|_| number),
                    );
                }
                naive.sort_unstable();
                assert_eq!(reports(&windows, &hay), naive, "{windows:?} in {hay}");
            }
        }
    }
}
