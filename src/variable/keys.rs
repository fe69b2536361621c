//! Names of TX variables, resolved to numbers when rules are loaded.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::FixedState;

/// The number of a TX name in a [`KeyTable`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KeySlot(pub u32);

impl KeySlot {
    /// From one number to before another.
    pub fn range(numbers: Range<usize>) -> impl Iterator<Item = Self> {
        let number = |at| u32::try_from(at).unwrap_or(u32::MAX);
        (number(numbers.start)..number(numbers.end)).map(Self)
    }
}

/// Number of the slots that stand for the captures TX.0 to TX.9; they come first.
pub const CAPTURE_SLOTS: u32 = 10;

/// What the engine sets in TX once a pattern came to its limit, as v2 does.
pub const PCRE_LIMITS_EXCEEDED: &[u8] = b"MSC_PCRE_LIMITS_EXCEEDED";
/// What it sets there once the work is spent: the name begins as those of the limits of v2 do.
pub const WORK_LIMIT_EXCEEDED: &[u8] = b"MSC_WORK_LIMIT_EXCEEDED";
/// All that it sets there besides captures; rules may be under way when it does.
pub const LIMIT_NAMES: [&[u8]; 2] = [PCRE_LIMITS_EXCEEDED, WORK_LIMIT_EXCEEDED];

/// Every TX name that a rule set mentions, in lower case.
#[derive(Clone, Debug)]
pub struct KeyTable {
    names: Vec<Box<[u8]>>,
    /// Clients choose names that are looked up, not those that are here: no key is needed.
    index: HashMap<Box<[u8]>, KeySlot, FixedState>,
}

impl Default for KeyTable {
    fn default() -> Self {
        let mut table = Self {
            names: Vec::new(),
            index: HashMap::default(),
        };
        for capture in 0..CAPTURE_SLOTS {
            table.slot(capture.to_string().as_bytes());
        }
        table
    }
}

impl KeyTable {
    /// The slot of a name, new if it was not there.
    pub fn slot(&mut self, name: &[u8]) -> KeySlot {
        let name: Box<[u8]> = name.to_ascii_lowercase().into();
        if let Some(&slot) = self.index.get(&name) {
            return slot;
        }
        let slot = KeySlot(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.clone());
        self.index.insert(name, slot);
        slot
    }

    /// The slot of a name in lower case, if rules mention it.
    pub fn find(&self, lower_name: &[u8]) -> Option<KeySlot> {
        self.index.get(lower_name).copied()
    }

    /// The name of a slot; empty for an unknown one.
    pub fn name(&self, slot: KeySlot) -> &[u8] {
        usize::try_from(slot.0)
            .ok()
            .and_then(|at| self.names.get(at))
            .map_or(&[], |name| name)
    }

    /// All slots.
    pub fn slots(&self) -> impl Iterator<Item = KeySlot> + use<> {
        KeySlot::range(0..self.len())
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Never: the captures are always there.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}
