//! What is known of things that have small numbers.

use super::scratch::{bytes, relax};

/// By number: what is known, if anything is.
#[derive(Debug)]
pub(super) struct Known<T>(Vec<Option<T>>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Known<T> {
    /// What is known of a number.
    pub(super) fn get(&self, number: usize) -> Option<T> {
        self.0.get(number).copied().flatten()
    }

    /// Remembers something.
    pub(super) fn keep(&mut self, number: usize, what: T) {
        if number >= self.0.len() && number < usize::MAX {
            self.0.resize(number.saturating_add(1), None);
        }
        if let Some(place) = self.0.get_mut(number) {
            *place = Some(what);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Gives the buffer back if it has grown too large.
    pub(super) fn relax(&mut self) {
        relax(&mut self.0);
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        bytes(&self.0)
    }
}
