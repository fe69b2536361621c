//! What transformations made of values.

use super::values::ValueId;
use crate::transform::Transformation;

/// Results by value and transformation. Both are small numbers that the engine gives out itself, so
/// that a fixed multiplication spreads them and no client can make them meet.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Open addressing: a key, or 0; always a power of two, at most half of it used.
    keys: Vec<u64>,
    results: Vec<ValueId>,
    used: usize,
}

/// The table begins with this many places.
const FIRST_PLACES: usize = 128;

impl Memo {
    /// What a transformation made of a value, if that is known.
    pub(super) fn get(&self, value: ValueId, step: Transformation) -> Option<ValueId> {
        let place = self.place(key(value, step)).ok()?;
        self.results.get(place).copied()
    }

    /// Remembers what a transformation made of a value.
    pub(super) fn insert(&mut self, value: ValueId, step: Transformation, result: ValueId) {
        if self.used.saturating_mul(2) >= self.keys.len() {
            self.grow();
        }
        let key = key(value, step);
        if let Err(place) = self.place(key) {
            self.put(place, key, result);
            self.used = self.used.saturating_add(1);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.keys.fill(0);
        self.used = 0;
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        let place = size_of::<u64>().saturating_add(size_of::<ValueId>());
        self.keys.capacity().saturating_mul(place)
    }

    /// Where a key stands, or where it belongs.
    fn place(&self, key: u64) -> Result<usize, usize> {
        let mask = self.keys.len().wrapping_sub(1);
        let spread = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut place = usize::try_from(spread).unwrap_or_default() & mask;
        // The table is never more than half full, so a free place ends the search.
        loop {
            match self.keys.get(place) {
                Some(&found) if found == key => return Ok(place),
                Some(&found) if found != 0 => place = place.wrapping_add(1) & mask,
                _ => return Err(place),
            }
        }
    }

    fn put(&mut self, place: usize, key: u64, result: ValueId) {
        if let (Some(at), Some(to)) = (self.keys.get_mut(place), self.results.get_mut(place)) {
            *at = key;
            *to = result;
        }
    }

    fn grow(&mut self) {
        let size = self.keys.len().saturating_mul(2).max(FIRST_PLACES);
        let keys = std::mem::replace(&mut self.keys, vec![0; size]);
        let results = std::mem::replace(&mut self.results, vec![ValueId::EMPTY; size]);
        for (key, result) in keys.into_iter().zip(results).filter(|(key, _)| *key != 0) {
            if let Err(place) = self.place(key) {
                self.put(place, key, result);
            }
        }
    }
}

/// Never 0.
fn key(value: ValueId, step: Transformation) -> u64 {
    let value = u64::try_from(value.index()).unwrap_or(u64::MAX);
    value.wrapping_add(1).wrapping_shl(8) | u64::from(step.number())
}

#[cfg(test)]
mod tests {
    use super::super::values::Values;
    use super::*;

    #[test]
    fn keeps_what_it_was_told() {
        let mut values = Values::new();
        let ids: Vec<ValueId> = (0..500u32)
            .map(|number| values.intern(&number.to_le_bytes()))
            .collect();
        let mut memo = Memo::default();
        assert_eq!(memo.get(ValueId::EMPTY, Transformation::Trim), None);
        for pair in ids.windows(2) {
            memo.insert(pair[0], Transformation::Trim, pair[1]);
        }
        for pair in ids.windows(2) {
            assert_eq!(memo.get(pair[0], Transformation::Trim), Some(pair[1]));
            assert_eq!(memo.get(pair[0], Transformation::TrimLeft), None);
        }
        memo.clear();
        assert_eq!(memo.get(ids[0], Transformation::Trim), None);
    }
}
