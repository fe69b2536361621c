//! The variables of one transaction.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::values::{ValueId, Values};
use crate::variable::{CAPTURE_SLOTS, KeySlot, KeyTable, Part, Variable};

/// One entry of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: ValueId,
    pub value: ValueId,
}

impl Entry {
    /// As a view shows it: for one of names, the value of an entry is its name.
    pub(super) fn shown(&self, part: Part) -> Self {
        match part {
            Part::Value => *self,
            Part::Name => Self {
                name: self.name,
                value: self.name,
            },
        }
    }
}

/// What v2 and Coraza call a member of a JSON document.
pub(super) type OtherNames = [ValueId; 2];

/// Everything rules can look at, except what is computed when asked for. The default is no place for
/// any of it: see [`Store::new`].
#[derive(Debug, Default)]
pub(super) struct Store {
    /// By [`Variable::index`].
    scalars: Box<[Option<ValueId>]>,
    /// Those that have a value.
    set: Vec<Variable>,
    /// By [`Variable::index`].
    collections: Box<[Vec<Entry>]>,
    /// Those that have memory: most never do.
    allocated: Vec<Variable>,
    /// How many entries that is room for.
    room: usize,
    pub tx: TxVariables,
    /// Bytes of names and values of all arguments.
    pub args_size: usize,
    /// Counts the changes of settled variables.
    generation: u64,
    /// The other names of what stands in ARGS, ARGS_NAMES and RESPONSE_ARGS themselves, which are the
    /// members of a JSON document; empty where there is no document or nobody asks.
    members: Members,
}

#[derive(Debug, Default)]
struct Members {
    arguments: Vec<OtherNames>,
    containers: Vec<OtherNames>,
    response: Vec<OtherNames>,
}

impl Store {
    /// One without any value.
    pub(super) fn new() -> Self {
        Self {
            scalars: vec![None; Variable::ALL.len()].into(),
            collections: vec![Vec::new(); Variable::ALL.len()].into(),
            ..Self::default()
        }
    }

    /// Forgets everything.
    pub(super) fn clear_all(&mut self) {
        for variable in self.set.drain(..) {
            if let Some(slot) = self.scalars.get_mut(variable.index()) {
                *slot = None;
            }
        }
        for variable in &self.allocated {
            if let Some(entries) = self.collections.get_mut(variable.index()) {
                entries.clear();
            }
        }
        self.tx.clear();
        self.args_size = 0;
        self.generation = 0;
        self.members.arguments.clear();
        self.members.containers.clear();
        self.members.response.clear();
    }

    /// Bytes of memory that all of it takes, without the values themselves.
    pub(super) fn held_bytes(&self) -> usize {
        let members = [
            &self.members.arguments,
            &self.members.containers,
            &self.members.response,
        ]
        .into_iter()
        .fold(0, |sum: usize, names| sum.saturating_add(names.capacity()))
        .saturating_mul(size_of::<OtherNames>());
        let heads = size_of::<Option<ValueId>>().saturating_add(size_of::<Vec<Entry>>());
        self.scalars
            .len()
            .saturating_mul(heads)
            .saturating_add(self.room.saturating_mul(size_of::<Entry>()))
            .saturating_add(members)
            .saturating_add(self.tx.held_bytes())
    }

    /// Notes the other names of the member that was added last to one of these.
    pub(super) fn push_other_names(&mut self, variable: Variable, names: OtherNames) {
        let entries = self.collections.get(variable.index());
        let list = match variable {
            Variable::Args => &mut self.members.arguments,
            Variable::ResponseArgs => &mut self.members.response,
            _ => &mut self.members.containers,
        };
        // What came without other names has none but its own.
        let before = entries.map_or(&[][..], |entries| {
            entries.split_last().map_or(&[], |(_, before)| before)
        });
        list.extend(before.iter().skip(list.len()).map(|one| [one.name; 2]));
        list.push(names);
    }

    /// How many of the last entries that a variable shows may have other names.
    pub(super) fn members(&self, variable: Variable) -> usize {
        let own = self.collection(variable).len();
        match variable {
            Variable::Args if !self.members.arguments.is_empty() => own,
            Variable::ResponseArgs if !self.members.response.is_empty() => own,
            Variable::ArgsNames
                if !(self.members.arguments.is_empty() && self.members.containers.is_empty()) =>
            {
                own.saturating_add(self.collection(Variable::Args).len())
            }
            _ => 0,
        }
    }

    /// The other names of one of these entries.
    pub(super) fn other_names(&self, variable: Variable, at: usize) -> Option<OtherNames> {
        let arguments = self.collection(Variable::Args).len();
        let (list, at) = match variable {
            Variable::ResponseArgs => (&self.members.response, at),
            Variable::ArgsNames if at >= arguments => {
                (&self.members.containers, at.saturating_sub(arguments))
            }
            _ => (&self.members.arguments, at),
        };
        list.get(at).copied()
    }

    /// A scalar, if it has a value.
    pub(super) fn scalar(&self, variable: Variable) -> Option<ValueId> {
        self.scalars.get(variable.index()).copied().flatten()
    }

    /// Another number after each change of a settled variable.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    fn note_change(&mut self, variable: Variable) {
        if variable.is_settled() {
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// Sets a scalar.
    pub(super) fn set(&mut self, variable: Variable, value: ValueId) {
        self.note_change(variable);
        if let Some(slot) = self.scalars.get_mut(variable.index())
            && slot.replace(value).is_none()
        {
            self.set.push(variable);
        }
    }

    /// The entries of a collection with data of its own.
    pub(super) fn collection(&self, variable: Variable) -> &[Entry] {
        self.collections
            .get(variable.index())
            .map_or(&[], Vec::as_slice)
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, variable: Variable, entry: Entry) {
        self.note_change(variable);
        let Some(entries) = self.collections.get_mut(variable.index()) else {
            return;
        };
        let before = entries.capacity();
        entries.push(entry);
        let grown = entries.capacity().saturating_sub(before);
        if grown > 0 {
            self.room = self.room.saturating_add(grown);
            if before == 0 {
                self.allocated.push(variable);
            }
        }
    }

    /// Removes all entries.
    pub(super) fn clear(&mut self, variable: Variable) {
        self.note_change(variable);
        if let Some(entries) = self.collections.get_mut(variable.index()) {
            entries.clear();
        }
    }

    /// Keeps the entries that pass.
    pub(super) fn retain(&mut self, variable: Variable, keep: impl FnMut(&Entry) -> bool) {
        self.note_change(variable);
        if let Some(entries) = self.collections.get_mut(variable.index()) {
            entries.retain(keep);
        }
    }

    /// Sets the entry of a name, or adds it.
    pub(super) fn set_entry(&mut self, variable: Variable, entry: Entry) {
        self.note_change(variable);
        let Some(entries) = self.collections.get_mut(variable.index()) else {
            return;
        };
        match entries.iter_mut().find(|old| old.name == entry.name) {
            Some(old) => old.value = entry.value,
            None => self.push(variable, entry),
        }
    }

    /// Adds an argument, and counts its bytes.
    pub(super) fn push_argument(&mut self, variable: Variable, entry: Entry, values: &Values) {
        self.args_size = self
            .args_size
            .saturating_add(values.get(entry.name).len())
            .saturating_add(values.get(entry.value).len());
        self.push(variable, entry);
    }

    /// Where the entries that a collection shows stand: its own, or those it is a view of.
    pub(super) fn lists(&self, variable: Variable) -> impl Iterator<Item = &[Entry]> {
        let of = variable.source().of;
        let own = of.is_empty().then(|| self.collection(variable));
        own.into_iter()
            .chain(of.iter().map(|&of| self.collection(of)))
    }

    /// The entries a collection shows. For a view of names the value of an entry is its name.
    pub(super) fn entries(&self, variable: Variable) -> impl Iterator<Item = Entry> {
        let part = variable.source().part;
        let entries = self.lists(variable).flatten();
        entries.map(move |entry| entry.shown(part))
    }

    /// The entry at a place of a collection with data of its own, as a view shows it: to go
    /// through them while something else changes.
    pub(super) fn entry(&self, of: Variable, at: usize, part: Part) -> Option<Entry> {
        self.collection(of).get(at).map(|entry| entry.shown(part))
    }
}

/// TX: an array by slot; names that no rule mentions get slots of their own.
#[derive(Debug, Default)]
pub(super) struct TxVariables {
    slots: Vec<TxSlot>,
    /// Those that had a value.
    used: Vec<KeySlot>,
    /// Slots of names made at run time, such as `tx.%{rule.id}-x`; in lower case.
    dynamic: HashMap<ValueId, KeySlot, FixedState>,
    dynamic_names: Vec<ValueId>,
    /// How many slots the program gave.
    fixed: usize,
    /// Counts up with every new variable.
    sequence: u32,
}

/// A variable that has a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct TxEntry {
    sequence: u32,
    pub slot: KeySlot,
    pub value: ValueId,
}

#[derive(Clone, Copy, Debug, Default)]
struct TxSlot {
    value: Option<ValueId>,
    /// When it was set, the order of the collection; 0 where it never was.
    sequence: u32,
}

/// Most names that a transaction may make at run time.
const MAX_DYNAMIC: usize = 4096;

impl TxVariables {
    /// Gives the names of rules their slots.
    pub(super) fn begin(&mut self, keys: &KeyTable) {
        self.clear();
        self.fixed = keys.len();
        self.slots.resize(self.fixed, TxSlot::default());
    }

    /// Forgets everything. The slots of rules stay, empty: there are many, and few were used.
    fn clear(&mut self) {
        for slot in self.used.drain(..) {
            if let Some(place) = place(&mut self.slots, slot) {
                *place = TxSlot::default();
            }
        }
        self.slots.truncate(self.fixed);
        self.dynamic.clear();
        self.dynamic_names.clear();
        self.sequence = 0;
    }

    fn held_bytes(&self) -> usize {
        let slots = self.slots.capacity().saturating_mul(size_of::<TxSlot>());
        // Each name stands in the table and in the list.
        let name = size_of::<(ValueId, KeySlot)>().saturating_add(size_of::<ValueId>());
        slots.saturating_add(self.dynamic_names.capacity().saturating_mul(name))
    }

    /// The value in a slot.
    pub(super) fn get(&self, slot: KeySlot) -> Option<ValueId> {
        self.slot(slot).value
    }

    /// Sets a slot.
    pub(super) fn set(&mut self, slot: KeySlot, value: ValueId) {
        let Some(place) = place(&mut self.slots, slot) else {
            return;
        };
        if place.value.replace(value).is_some() {
            return;
        }
        if place.sequence == 0 {
            self.used.push(slot);
        }
        self.sequence = self.sequence.saturating_add(1);
        place.sequence = self.sequence;
    }

    /// Empties a slot.
    pub(super) fn unset(&mut self, slot: KeySlot) {
        if let Some(place) = place(&mut self.slots, slot) {
            place.value = None;
        }
    }

    /// The slot of a name made at run time, in lower case; none once there are too many.
    pub(super) fn dynamic_slot(&mut self, name: ValueId) -> Option<KeySlot> {
        if let Some(&slot) = self.dynamic.get(&name) {
            return Some(slot);
        }
        if self.dynamic.len() >= MAX_DYNAMIC {
            return None;
        }
        let slot = KeySlot(u32::try_from(self.slots.len()).ok()?);
        self.slots.push(TxSlot::default());
        self.dynamic_names.push(name);
        self.dynamic.insert(name, slot);
        Some(slot)
    }

    /// Empties TX.0 to TX.9.
    pub(super) fn clear_captures(&mut self) {
        for slot in 0..CAPTURE_SLOTS {
            self.unset(KeySlot(slot));
        }
    }

    /// All variables that have a value, in the order they were first set.
    pub(super) fn iter<'a>(
        &'a self,
        keys: &'a KeyTable,
        values: &'a Values,
    ) -> impl Iterator<Item = (&'a [u8], ValueId)> {
        self.in_order(self.all_slots())
            .into_iter()
            .map(move |found| (self.name(found.slot, keys, values), found.value))
    }

    /// Those of some slots that have a value, in the order they were first set.
    pub(super) fn in_order(&self, slots: impl Iterator<Item = KeySlot>) -> Vec<TxEntry> {
        let entry = |slot| {
            let TxSlot { value, sequence } = self.slot(slot);
            Some(TxEntry {
                sequence,
                slot,
                value: value?,
            })
        };
        let mut found: Vec<TxEntry> = slots.filter_map(entry).collect();
        found.sort_unstable_by_key(|entry| entry.sequence);
        found
    }

    /// All slots.
    pub(super) fn all_slots(&self) -> impl Iterator<Item = KeySlot> + use<> {
        KeySlot::range(0..self.slots.len())
    }

    /// The slots of names made at run time.
    pub(super) fn dynamic_slots(&self) -> impl Iterator<Item = KeySlot> + use<> {
        KeySlot::range(self.fixed..self.slots.len())
    }

    /// The name of a slot, if it was made at run time.
    pub(super) fn dynamic_name(&self, slot: KeySlot) -> Option<ValueId> {
        let place = usize::try_from(slot.0).ok()?.checked_sub(self.fixed)?;
        self.dynamic_names.get(place).copied()
    }

    /// The name of a slot.
    pub(super) fn name<'a>(
        &self,
        slot: KeySlot,
        keys: &'a KeyTable,
        values: &'a Values,
    ) -> &'a [u8] {
        match self.dynamic_name(slot) {
            Some(name) => values.get(name),
            None => keys.name(slot),
        }
    }

    fn slot(&self, slot: KeySlot) -> TxSlot {
        let place = usize::try_from(slot.0).ok();
        place
            .and_then(|place| self.slots.get(place))
            .copied()
            .unwrap_or_default()
    }
}

fn place(slots: &mut [TxSlot], slot: KeySlot) -> Option<&mut TxSlot> {
    slots.get_mut(usize::try_from(slot.0).ok()?)
}
