//! What is known of TX at a place of the rules, whatever the request is.

use std::collections::BTreeMap;

use crate::limits::SET_VALUES;
use crate::program::ConstantId;
use crate::template::{Lookup, Macro, Template};
use crate::variable::{CAPTURE_SLOTS, KeySlot, KeyTable, LIMIT_NAMES};

/// Longest value that is followed, in bytes.
const LONGEST: usize = 8192;
/// Bytes that all values which are followed may take: every transaction keeps those that are set.
const MOST_BYTES: usize = 32 * 1024;

/// What is known of a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fact {
    /// Nothing, whatever rules do: the engine sets it at any time.
    Engines,
    /// Nothing.
    Unknown,
    /// It has no value.
    Unset,
    /// It has this value.
    Value(ConstantId),
}

impl Fact {
    /// Whether that is something.
    pub(super) const fn is_known(self) -> bool {
        matches!(self, Self::Unset | Self::Value(_))
    }

    /// What is known where either of two may hold.
    fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Unknown }
    }
}

/// What is known of all variables.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// By slot; of those beyond nothing is known.
    slots: Vec<Fact>,
    /// Bytes that long values of `setvar` and `setenv` took so far, at most; none if that has no
    /// bound. Beyond [`SET_VALUES`] a long value is not set.
    long_bytes: Option<usize>,
    /// What slots and `long_bytes` were before the rule that is being looked at.
    journal: Vec<(usize, Fact)>,
    long_bytes_before: Option<usize>,
}

impl Facts {
    /// When a transaction begins. Nothing is known of what the engine sets by itself: captures, and
    /// that a limit was reached.
    pub(super) fn at_start(keys: &KeyTable) -> Self {
        let is_engines = |slot: KeySlot| {
            let own = |name: &&[u8]| name.eq_ignore_ascii_case(keys.name(slot));
            slot.0 < CAPTURE_SLOTS || LIMIT_NAMES.iter().any(own)
        };
        let fact = |slot| match is_engines(slot) {
            true => Fact::Engines,
            false => Fact::Unset,
        };
        Self {
            slots: keys.slots().map(fact).collect(),
            long_bytes: Some(0),
            ..Self::default()
        }
    }

    /// What is known of a variable.
    pub(super) fn get(&self, slot: KeySlot) -> Fact {
        let at = usize::try_from(slot.0).ok();
        at.and_then(|at| self.slots.get(at))
            .copied()
            .unwrap_or(Fact::Unknown)
    }

    /// A variable becomes something else for certain.
    pub(super) fn set(&mut self, slot: KeySlot, fact: Fact) {
        if let Ok(at) = usize::try_from(slot.0)
            && let Some(known) = self.slots.get_mut(at)
            && *known != Fact::Engines
            && *known != fact
        {
            self.journal.push((at, *known));
            *known = fact;
        }
    }

    /// A variable may have become something else.
    pub(super) fn may_set(&mut self, slot: KeySlot, fact: Fact) {
        let either = self.get(slot).or(fact);
        self.set(slot, either);
    }

    /// Some variable whose name begins like this may have become something else.
    pub(super) fn forget_like(&mut self, prefix: &[u8], keys: &KeyTable) {
        for slot in keys.slots() {
            let start = keys.name(slot).get(..prefix.len());
            if start.is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
                self.set(slot, Fact::Unknown);
            }
        }
    }

    /// Whether there is room for a long value for certain.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.long_bytes
            .is_some_and(|taken| taken.saturating_add(bytes) <= SET_VALUES)
    }

    /// A long value was set, if there was room.
    pub(super) fn take_room(&mut self, bytes: usize) {
        self.long_bytes = self.long_bytes.map(|taken| taken.saturating_add(bytes));
    }

    /// Long values were set, nobody knows how many.
    pub(super) fn take_any_room(&mut self) {
        self.long_bytes = None;
    }

    /// Begins with a rule.
    pub(super) fn begin(&mut self) {
        self.journal.clear();
        self.long_bytes_before = self.long_bytes;
    }

    /// Forgets what was noted since [`Self::begin`].
    pub(super) fn undo(&mut self) {
        while let Some((at, fact)) = self.journal.pop() {
            if let Some(known) = self.slots.get_mut(at) {
                *known = fact;
            }
        }
        self.long_bytes = self.long_bytes_before;
    }

    /// How many variables are followed.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// What is known where evaluation comes to from here as well as from elsewhere.
    pub(super) fn join(&mut self, other: &Self) {
        self.slots.truncate(other.slots.len());
        for (known, other) in self.slots.iter_mut().zip(&other.slots) {
            *known = known.or(*other);
        }
        self.long_bytes = self
            .long_bytes
            .zip(other.long_bytes)
            .map(|(one, other)| one.max(other));
    }
}

/// The values that are followed, each once.
#[derive(Debug)]
pub(super) struct Pool {
    values: Vec<Box<[u8]>>,
    index: BTreeMap<Box<[u8]>, ConstantId>,
    bytes: usize,
}

impl Pool {
    /// The empty value alone.
    pub(super) fn new() -> Self {
        let empty: Box<[u8]> = Box::default();
        Self {
            index: BTreeMap::from([(empty.clone(), ConstantId::EMPTY)]),
            values: vec![empty],
            bytes: 0,
        }
    }

    /// The number of a value; none if it cannot be followed.
    pub(super) fn add(&mut self, value: &[u8]) -> Option<ConstantId> {
        if let Some(&known) = self.index.get(value) {
            return Some(known);
        }
        let bytes = self.bytes.saturating_add(value.len());
        if value.len() > LONGEST || bytes > MOST_BYTES {
            return None;
        }
        self.bytes = bytes;
        let id = ConstantId(u32::try_from(self.values.len()).ok()?);
        self.values.push(value.into());
        self.index.insert(value.into(), id);
        Some(id)
    }

    /// A value.
    pub(super) fn get(&self, id: ConstantId) -> &[u8] {
        self.values.get(id.index()).map_or(&[], |value| value)
    }

    /// The text of a template, if it is known, and no longer than any value that is followed.
    pub(super) fn text(&self, template: &Template, facts: &Facts) -> Option<Vec<u8>> {
        let is_known =
            |what: &Macro| matches!(what, Macro::Tx(slot) if facts.get(*slot).is_known());
        if !template.macros().all(is_known) {
            return None;
        }
        let mut text = Vec::new();
        template.expand_within(&Known(self, facts), LONGEST.saturating_add(1), &mut text);
        (text.len() <= LONGEST).then_some(text)
    }
}

/// Gives macros the values that are known.
struct Known<'a>(&'a Pool, &'a Facts);

impl Lookup for Known<'_> {
    fn expand(&self, what: &Macro, out: &mut Vec<u8>) {
        if let Macro::Tx(slot) = what
            && let Fact::Value(value) = self.1.get(*slot)
        {
            out.extend_from_slice(self.0.get(value));
        }
    }
}
