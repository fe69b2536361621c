//! Rows of bits: which rules can match something.

use super::scratch::{bytes, relax};
use crate::matching::Candidates;

/// Rows of a phase, one after the other.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<u64>);

/// Where a row begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row(u32);

impl Row {
    /// What begins behind this one.
    pub(super) fn behind(self, words: usize) -> Self {
        Self(
            self.0
                .saturating_add(u32::try_from(words).unwrap_or(u32::MAX)),
        )
    }

    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Rows {
    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Gives the buffer back if it has grown too large.
    pub(super) fn relax(&mut self) {
        relax(&mut self.0);
    }

    /// Bytes of memory that the rows take.
    pub(super) fn held_bytes(&self) -> usize {
        bytes(&self.0)
    }

    /// A new row.
    pub(super) fn add(&mut self, bits: &[u64]) -> Row {
        let row = self.next();
        self.0.extend_from_slice(bits);
        row
    }

    /// A new row without any bit.
    pub(super) fn empty(&mut self, words: usize) -> Row {
        let row = self.next();
        self.0.resize(self.0.len().saturating_add(words), 0);
        row
    }

    /// A new row, like another.
    pub(super) fn copy(&mut self, row: Row, words: usize) -> Row {
        let new = self.next();
        let end = row.index().saturating_add(words);
        if end <= self.0.len() {
            self.0.extend_from_within(row.index()..end);
        }
        new
    }

    /// Whether the bit of a rule is set.
    pub(super) fn contains(&self, row: Row, slot: u32) -> bool {
        Candidates::contained(self.0.get(row.index()..).unwrap_or_default(), slot)
    }

    /// Sets bits of one word of a row, and tells which of them were not set.
    pub(super) fn fill(&mut self, row: Row, word: usize, bits: u64) -> u64 {
        match self.0.get_mut(row.index().saturating_add(word)) {
            Some(word) => {
                let new = bits & !*word;
                *word |= bits;
                new
            }
            None => 0,
        }
    }

    /// Clears some bits of a row.
    pub(super) fn clear_all(&mut self, row: Row, mask: &[u64]) {
        let words = self.0.get_mut(row.index()..).unwrap_or_default();
        for (word, mask) in words.iter_mut().zip(mask) {
            *word &= !mask;
        }
    }

    /// Sets those of some bits of a row to what they are in another.
    pub(super) fn replace(&mut self, row: Row, from: Row, mask: &[u64]) {
        let mask = mask.iter().copied();
        self.change(row, from, mask, |old, new, mask| old & !mask | new & mask);
    }

    /// Adds those of some bits that are set in another row.
    pub(super) fn unite(&mut self, row: Row, from: Row, mask: &[u64]) {
        let mask = mask.iter().copied();
        self.change(row, from, mask, |old, new, mask| old | new & mask);
    }

    /// Adds all bits that are set in another row.
    pub(super) fn unite_all(&mut self, row: Row, from: Row, words: usize) {
        let all = std::iter::repeat_n(u64::MAX, words);
        self.change(row, from, all, |old, new, _| old | new);
    }

    fn change(
        &mut self,
        row: Row,
        from: Row,
        mask: impl Iterator<Item = u64>,
        with: impl Fn(u64, u64, u64) -> u64,
    ) {
        for (at, mask) in mask.enumerate() {
            let new = self.0.get(from.index().saturating_add(at)).copied();
            if let (Some(new), Some(old)) = (new, self.0.get_mut(row.index().saturating_add(at))) {
                *old = with(*old, new, mask);
            }
        }
    }

    fn next(&self) -> Row {
        Row(u32::try_from(self.0.len()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_what_they_are_told() {
        let mut rows = Rows::default();
        let members = |rows: &Rows, row| -> Vec<u32> {
            (0..128).filter(|&slot| rows.contains(row, slot)).collect()
        };
        let one = rows.add(&[0b0110, 1]);
        let two = rows.copy(one, 2);
        let known = rows.empty(1);
        assert_eq!(known, two.behind(2));
        let other = rows.add(&[0b1001, 0]);
        rows.replace(two, other, &[0b0011, 0]);
        assert_eq!(members(&rows, two), [0, 2, 64]);
        assert_eq!(members(&rows, one), [1, 2, 64]);
        rows.clear_all(two, &[0b0001, 1]);
        assert_eq!(members(&rows, two), [2]);
        rows.unite(one, other, &[0b0111, 0]);
        assert_eq!(members(&rows, one), [0, 1, 2, 64]);
        rows.unite_all(one, other, 2);
        assert_eq!(members(&rows, one), [0, 1, 2, 3, 64]);
        assert_eq!(rows.fill(known, 0, 0b11), 0b11);
        assert_eq!(rows.fill(known, 0, 0b110), 0b100);
        assert_eq!(rows.fill(Row(u32::MAX), 0, 1), 0);
    }
}
