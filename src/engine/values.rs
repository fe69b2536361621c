//! The byte strings of a transaction, each distinct one once.
//!
//! A request's rules meet thousands of (rule, value) pairs but few distinct strings: most
//! transformations change nothing. A value is a number; its bytes, its byte classes and the
//! results of transformations on it are kept with it.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroU32;
use std::rc::Rc;

use foldhash::quality::FixedState;

use super::memo::Memo;

use crate::bytes::Profile;
use crate::limits::KEPT_VALUES;
use crate::program::{ChainId, ChainTable, ConstantId};
use crate::transform::{Context, Outcome, Transformation, TransformationSet};
use crate::work::{Work, cost};

/// A byte string of [`Values`]: its place, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct ValueId(NonZeroU32);

impl ValueId {
    /// The empty string, which is always there.
    pub(super) const EMPTY: Self = Self(NonZeroU32::MIN);

    /// As an index.
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0.get().saturating_sub(1)).unwrap_or(usize::MAX)
    }
}

/// What values are hashed with: drawn at random, so that a client cannot choose values that collide.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashKey(u64);

impl Default for HashKey {
    /// Another one each time.
    #[expect(
        clippy::disallowed_methods,
        reason = "transactions are never packed: this is the seed of a VM at work"
    )]
    fn default() -> Self {
        Self(RandomState::new().hash_one(0u8))
    }
}

/// All byte strings of one transaction. The default is no place for any: see [`Values::new`].
#[derive(Debug, Default)]
pub(super) struct Values {
    bytes: Vec<u8>,
    infos: Vec<Info>,
    /// Open addressing: a value's place, or 0.
    table: Vec<u32>,
    /// See [`HashKey`].
    hasher: FixedState,
    /// Results of transformations.
    transformed: Memo,
    /// Output of a transformation before it is interned.
    buffer: Vec<u8>,
    /// The account of the transaction, while there is one.
    work: Option<Rc<Work>>,
    /// How many values are there from the beginning: the constants of the program.
    constants: usize,
    /// Bytes of them.
    constant_bytes: usize,
}

#[derive(Clone, Debug)]
struct Info {
    start: usize,
    length: usize,
    hash: u64,
    /// Its place in the table.
    slot: usize,
    /// What is in it, once somebody has asked: of many values nobody does.
    contents: Cell<Option<Contents>>,
    /// A value that differs in letter case alone, or this one.
    either_case: ValueId,
}

/// What bytes a value is made of.
#[derive(Clone, Copy, Debug, Default)]
struct Contents {
    profile: Profile,
    /// The transformations that can change it.
    acting: TransformationSet,
    /// Those that can change more than the case of letters.
    reshaping: TransformationSet,
}

/// The table begins with this many slots; always a power of two.
const FIRST_SLOTS: usize = 256;

impl Values {
    /// The empty string and some constants, which are distinct; hashes have this key.
    pub(super) fn new<'a>(key: HashKey, constants: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut values = Self {
            table: vec![0; FIRST_SLOTS],
            hasher: FixedState::with_seed(key.0),
            ..Self::default()
        };
        values.intern(b"");
        for constant in constants {
            values.intern(constant);
        }
        values.constants = values.infos.len();
        values.constant_bytes = values.bytes.len();
        values
    }

    /// A constant of the program.
    pub(super) const fn constant(&self, constant: ConstantId) -> ValueId {
        ValueId(NonZeroU32::MIN.saturating_add(constant.0))
    }

    /// Charges the account of a transaction from now on.
    pub(super) fn set_work(&mut self, work: Rc<Work>) {
        self.work = Some(work);
    }

    /// Forgets all values but those that are there from the beginning.
    pub(super) fn clear(&mut self) {
        self.work = None;
        self.bytes.truncate(self.constant_bytes);
        // Constants went into the table before all others, so none of them stands where it does
        // because of what is taken out.
        for info in self.infos.drain(self.constants..) {
            if let Some(entry) = self.table.get_mut(info.slot) {
                *entry = 0;
            }
        }
        self.transformed.clear();
    }

    /// The number of a string, new if it was not there.
    pub(super) fn intern(&mut self, text: &[u8]) -> ValueId {
        self.charge(text.len(), cost::INTERN, cost::INTERN_BYTE);
        let hash = self.hash_of(text);
        let slot = match self.find(text, hash) {
            Ok(found) => return found,
            Err(slot) => slot,
        };
        // There is no room for so many that the places run out.
        let place = u32::try_from(self.infos.len().saturating_add(1)).unwrap_or(u32::MAX);
        let value = NonZeroU32::new(place).map_or(ValueId::EMPTY, ValueId);
        let info = Info {
            start: self.bytes.len(),
            length: text.len(),
            hash,
            slot,
            contents: Cell::new(None),
            either_case: value,
        };
        self.bytes.extend_from_slice(text);
        if self.bytes.len() > KEPT_VALUES
            && let Some(work) = &self.work
        {
            work.exhaust();
        }
        self.infos.push(info);
        if let Some(entry) = self.table.get_mut(slot) {
            *entry = place;
        }
        if self.infos.len().saturating_mul(2) > self.table.len() {
            self.grow();
        }
        value
    }

    /// The bytes of a value.
    pub(super) fn get(&self, value: ValueId) -> &[u8] {
        self.infos
            .get(value.index())
            .and_then(|info| {
                self.bytes
                    .get(info.start..info.start.saturating_add(info.length))
            })
            .unwrap_or_default()
    }

    /// Whether a value is this text but for the case of letters. Most are not, and have another length.
    pub(super) fn is_in_some_case(&self, value: ValueId, text: &[u8]) -> bool {
        let info = self.infos.get(value.index());
        info.is_some_and(|info| info.length == text.len())
            && self.get(value).eq_ignore_ascii_case(text)
    }

    /// The hash of a value, by the key of the VM.
    pub(super) fn hash(&self, value: ValueId) -> u64 {
        self.infos.get(value.index()).map_or(0, |info| info.hash)
    }

    /// The byte classes of a value.
    pub(super) fn profile(&self, value: ValueId) -> Profile {
        self.contents(value).profile
    }

    /// The transformations that can change a value.
    pub(super) fn acting(&self, value: ValueId) -> TransformationSet {
        self.contents(value).acting
    }

    fn contents(&self, value: ValueId) -> Contents {
        let Some(info) = self.infos.get(value.index()) else {
            return Contents::default();
        };
        if let Some(known) = info.contents.get() {
            return known;
        }
        let profile = Profile::of(self.get(value));
        let contents = Contents {
            profile,
            acting: TransformationSet::acting_on(profile),
            reshaping: TransformationSet::reshaping(profile),
        };
        info.contents.set(Some(contents));
        contents
    }

    /// Those that can change more than the case of its letters.
    pub(super) fn reshaping(&self, value: ValueId) -> TransformationSet {
        self.contents(value).reshaping
    }

    /// One of the values that differ from this one in letter case alone: itself, or the one it was
    /// made from.
    pub(super) fn in_either_case(&self, value: ValueId) -> ValueId {
        self.infos
            .get(value.index())
            .map_or(value, |info| info.either_case)
    }

    /// Bytes of memory that all of it takes.
    pub(super) fn held_bytes(&self) -> usize {
        [
            self.bytes.capacity(),
            self.infos.capacity().saturating_mul(size_of::<Info>()),
            self.table.capacity().saturating_mul(size_of::<u32>()),
            self.transformed.held_bytes(),
            self.buffer.capacity(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// How many distinct strings there are.
    pub(super) fn len(&self) -> usize {
        self.infos.len()
    }

    /// A value at the end of a chain of transformations.
    pub(super) fn transform(
        &mut self,
        value: ValueId,
        chain: ChainId,
        chains: &ChainTable,
        context: Context<'_>,
    ) -> ValueId {
        if !chains.members(chain).intersects(self.acting(value)) {
            return value;
        }
        chains
            .steps(chain)
            .iter()
            .fold(value, |current, &(_, step)| {
                self.step(current, step, context)
            })
    }

    /// The same without any knowledge of earlier results.
    pub(super) fn transform_anew(
        &mut self,
        value: ValueId,
        chain: ChainId,
        chains: &ChainTable,
        context: Context<'_>,
    ) -> ValueId {
        chains
            .steps(chain)
            .iter()
            .fold(value, |current, &(_, step)| {
                self.apply(current, step, context)
            })
    }

    /// One transformation; the value itself if it changes nothing.
    pub(super) fn step(
        &mut self,
        value: ValueId,
        step: Transformation,
        context: Context<'_>,
    ) -> ValueId {
        if !self.acting(value).contains(step) {
            return value;
        }
        if let Some(known) = self.transformed.get(value, step) {
            return known;
        }
        let result = self.apply(value, step, context);
        self.transformed.insert(value, step, result);
        result
    }

    /// The same, whatever is known of the value.
    pub(super) fn apply(
        &mut self,
        value: ValueId,
        step: Transformation,
        context: Context<'_>,
    ) -> ValueId {
        let length = self.get(value).len();
        self.charge(length, cost::TRANSFORM, cost::TRANSFORM_BYTE);
        let mut buffer = std::mem::take(&mut self.buffer);
        let known = self.len();
        let result = match step.apply(self.get(value), &mut buffer, context) {
            Outcome::Unchanged => value,
            Outcome::Changed => self.intern(&buffer),
        };
        self.buffer = buffer;
        if result.index() == known
            && matches!(step, Transformation::Lowercase | Transformation::Uppercase)
        {
            let same = self.in_either_case(value);
            if let Some(info) = self.infos.get_mut(known) {
                info.either_case = same;
            }
        }
        result
    }

    /// Charges something that is done with so many bytes.
    fn charge(&self, bytes: usize, steps: u64, steps_a_byte: u64) {
        if let Some(work) = &self.work {
            work.charge(steps);
            work.charge_each(bytes, steps_a_byte);
        }
    }

    fn hash_of(&self, text: &[u8]) -> u64 {
        // Nothing but single byte strings is hashed, so no length need be mixed in to tell two apart.
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        hasher.finish()
    }

    /// The value, or the slot it belongs in.
    fn find(&self, text: &[u8], hash: u64) -> Result<ValueId, usize> {
        let mask = self.table.len().saturating_sub(1);
        let mut slot = usize::try_from(hash & 0xFFFF_FFFF).unwrap_or(0) & mask;
        // The table is never more than half full, so an empty slot ends the search.
        loop {
            let place = self.table.get(slot).copied().and_then(NonZeroU32::new);
            let Some(value) = place.map(ValueId) else {
                return Err(slot);
            };
            let same = self
                .infos
                .get(value.index())
                .is_some_and(|info| info.hash == hash);
            if same && self.get(value) == text {
                return Ok(value);
            }
            slot = slot.wrapping_add(1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = self.table.len().saturating_mul(2);
        let mask = size.saturating_sub(1);
        self.table = vec![0; size];
        for (at, info) in self.infos.iter_mut().enumerate() {
            let mut slot = usize::try_from(info.hash & 0xFFFF_FFFF).unwrap_or(0) & mask;
            while self.table.get(slot).is_some_and(|&entry| entry != 0) {
                slot = slot.wrapping_add(1) & mask;
            }
            info.slot = slot;
            if let Some(entry) = self.table.get_mut(slot) {
                *entry = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_have_one_number() {
        let mut values = Values::new(HashKey::default(), std::iter::empty());
        assert_eq!(values.intern(b""), ValueId::EMPTY);
        let numbers: Vec<ValueId> = (0..2000u32)
            .map(|number| values.intern(&number.to_le_bytes()))
            .collect();
        for (number, &value) in (0..2000u32).zip(&numbers) {
            assert_eq!(values.intern(&number.to_le_bytes()), value);
            assert_eq!(values.get(value), number.to_le_bytes());
        }
        assert_eq!(values.len(), 2001);
    }

    #[test]
    fn what_is_forgotten_is_not_found_and_constants_stay() {
        let constants = [&b"one"[..], b"two"];
        let mut values = Values::new(HashKey::default(), constants.into_iter());
        let kept = constants.map(|constant| values.intern(constant));
        for count in [1, 5000, 3u32] {
            let found: Vec<ValueId> = (0..count)
                .map(|number| values.intern(&number.to_le_bytes()))
                .collect();
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{count}");
            assert_eq!(values.len(), 3 + usize::try_from(count).unwrap());
            values.clear();
            assert_eq!(values.len(), 3);
            assert_eq!(constants.map(|constant| values.intern(constant)), kept);
        }
    }

    #[test]
    fn transformations_are_shared() {
        let mut chains = ChainTable::default();
        let chain = chains.intern(&[Transformation::Lowercase]);
        let mut values = Values::new(HashKey::default(), std::iter::empty());
        let upper = values.intern(b"ABC");
        let lower = values.intern(b"abc");
        let context = Context::default();
        assert_eq!(values.transform(upper, chain, &chains, context), lower);
        assert_eq!(values.transform(lower, chain, &chains, context), lower);
        assert_eq!(
            values.transform(upper, ChainId::EMPTY, &chains, context),
            upper
        );
    }
}
