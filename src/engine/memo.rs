//! What transformations made of values.

use super::known::Known;
use super::scratch::bytes;
use super::values::ValueId;
use crate::transform::Transformation;

/// Results by value: a list for each, the newest first. It is short, for hardly any value is changed
/// by more than a few transformations, and there are fewer than 64.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// By value: its newest result.
    newest: Known<usize>,
    results: Vec<Result>,
}

/// One result.
#[derive(Clone, Copy, Debug)]
struct Result {
    step: Transformation,
    value: ValueId,
    /// The one before it in the list.
    older: Option<usize>,
}

impl Memo {
    /// What a transformation made of a value, if that is known.
    pub(super) fn get(&self, value: ValueId, step: Transformation) -> Option<ValueId> {
        let mut next = self.newest.get(value.index());
        while let Some(result) = next.and_then(|at| self.results.get(at)) {
            if result.step == step {
                return Some(result.value);
            }
            next = result.older;
        }
        None
    }

    /// Remembers what a transformation made of a value. It is asked for before.
    pub(super) fn insert(&mut self, value: ValueId, step: Transformation, result: ValueId) {
        let older = self.newest.get(value.index());
        self.newest.keep(value.index(), self.results.len());
        self.results.push(Result {
            step,
            value: result,
            older,
        });
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.newest.clear();
        self.results.clear();
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        self.newest
            .held_bytes()
            .saturating_add(bytes(&self.results))
    }
}

#[cfg(test)]
mod tests {
    use super::super::values::{HashKey, Values};
    use super::*;
    use Transformation::{Lowercase, Trim, TrimLeft};

    #[test]
    fn keeps_what_it_was_told() {
        let mut values = Values::new(HashKey::default(), std::iter::empty());
        let ids: Vec<ValueId> = (0..500u32)
            .map(|number| values.intern(&number.to_le_bytes()))
            .collect();
        let mut memo = Memo::default();
        assert_eq!(memo.get(ValueId::EMPTY, Trim), None);
        for three in ids.windows(3) {
            memo.insert(three[0], Trim, three[1]);
            memo.insert(three[0], Lowercase, three[2]);
        }
        for three in ids.windows(3) {
            assert_eq!(memo.get(three[0], Trim), Some(three[1]));
            assert_eq!(memo.get(three[0], Lowercase), Some(three[2]));
            assert_eq!(memo.get(three[0], TrimLeft), None);
        }
        memo.clear();
        assert_eq!(memo.get(ids[0], Trim), None);
    }
}
