//! Sets that are emptied at once.

/// A set of small numbers.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// By number: when it was added last.
    times: Vec<u32>,
    now: u32,
}

impl Marks {
    /// Empties it, and makes room for numbers below a bound.
    pub(super) fn clear(&mut self, bound: usize) {
        if self.times.len() < bound {
            self.times.resize(bound, 0);
        }
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.times.fill(0);
            self.now = 1;
        }
    }

    /// Adds a number. Says whether it was not there.
    pub(super) fn mark(&mut self, number: usize) -> bool {
        match self.times.get_mut(number) {
            Some(time) if *time != self.now => {
                *time = self.now;
                true
            }
            _ => false,
        }
    }

    /// Memory of it, in bytes.
    pub(super) fn memory_usage(&self) -> usize {
        self.times.capacity().saturating_mul(size_of::<u32>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_new_once_until_the_set_is_emptied() {
        let mut marks = Marks::default();
        for now in [0, 1, u32::MAX - 1, u32::MAX] {
            marks.now = now;
            marks.clear(3);
            assert!(marks.mark(2) && !marks.mark(2) && marks.mark(0));
            assert!(!marks.mark(3));
        }
    }
}
