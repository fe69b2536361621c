//! What searches cost beyond their bytes: the transitions they take, each counted once.
//!
//! A transition that a cache knows costs a byte; one that it does not know is worked out, which takes
//! as many steps as the state has members. What is charged must not depend on what a cache happens to
//! hold, so that every transition is charged as worked out when the rules of a phase take it first.
//! Known transitions carry a tag for that, which tells those that were taken since from those that were
//! not: searches look at nothing else as long as they meet the tag. What was taken is known by its
//! fingerprint, for caches forget.
//!
//! A pattern whose states do not fit into half a cache may forget and work out again and again. It is
//! charged for every byte from there on.

use super::cache::{self, State};
use crate::matching::hash;
use crate::work::cost;

/// Bits of the table of fingerprints. Two that share one are charged once.
const FINGERPRINTS: u64 = 1 << 19;
/// Bytes that an automaton goes over in a phase before its visits are counted: most values are short,
/// and counting takes longer than taking a transition.
const UNCOUNTED: usize = 256;
/// Memory of the states of one automaton that are certainly kept, in bytes.
const KEPT: usize = cache::LIMIT / 2;

/// The transitions that were taken since the rules of a phase began.
#[derive(Debug, Default)]
pub(in crate::matching) struct Visits {
    /// A bit for each fingerprint that was met; nothing before the first was.
    met: Box<[u64]>,
    /// The words of it that are not 0.
    touched: Vec<usize>,
    /// Tells the rules of one phase from those before.
    phase: u64,
    /// What the search under way has to be charged, in steps, and the most that can be.
    charge: u64,
    affordable: u64,
}

/// What the automata of a pattern met since the rules of a phase began.
#[derive(Clone, Copy, Default, Debug)]
pub(in crate::matching) struct Footprint {
    /// Which phase.
    pub(in crate::matching) phase: u64,
    /// Bytes that were gone over while visits were not counted.
    uncounted: usize,
    /// Memory of the states that were met, in bytes.
    pub(super) states: [usize; 2],
}

impl Visits {
    /// Forgets all: the rules of a phase begin.
    pub(in crate::matching) fn clear(&mut self) {
        self.phase = self.phase.wrapping_add(1);
        for word in self.touched.drain(..) {
            if let Some(word) = self.met.get_mut(word) {
                *word = 0;
            }
        }
    }

    /// Tells the rules of one phase from those before.
    pub(in crate::matching) const fn phase(&self) -> u64 {
        self.phase
    }

    /// Begins to count, up to so many steps.
    pub(in crate::matching) fn begin(&mut self, affordable: u64) {
        self.affordable = affordable;
        self.charge = 0;
        if self.met.is_empty() {
            let words = usize::try_from(FINGERPRINTS / 64).unwrap_or_default();
            self.met = vec![0; words].into();
        }
    }

    /// Ends counting. Returns what has to be charged, in steps.
    pub(in crate::matching) const fn end(&self) -> u64 {
        self.charge
    }

    /// Counts a transition of an automaton from a state that has so many members and is kept in so many
    /// bytes. `states` is the memory of those it met. Says whether the search can be afforded so far.
    pub(super) fn take(
        &mut self,
        automaton: u64,
        (state, column): (State, usize),
        (bytes, members): (usize, usize),
        states: &mut usize,
    ) -> bool {
        let column = u64::try_from(column).unwrap_or(u64::MAX);
        let whose = state.hash ^ automaton;
        if are_kept(*states) {
            if !self.meet(whose, column) {
                return true;
            }
            if self.meet(whose, u64::MAX) {
                *states = states.saturating_add(bytes);
            }
        }
        let members = u64::try_from(members).unwrap_or(u64::MAX);
        let steps = members.saturating_mul(cost::SEARCH_MEMBER);
        let steps = steps.saturating_add(cost::SEARCH_TRANSITION);
        self.charge = self.charge.saturating_add(steps);
        self.charge <= self.affordable
    }

    /// Whether something is met for the first time.
    fn meet(&mut self, state: u64, column: u64) -> bool {
        let mixed = (state ^ column.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(hash::SPREAD);
        let number = (mixed >> 32) % FINGERPRINTS;
        let bit = 1u64.wrapping_shl(u32::try_from(number % 64).unwrap_or_default());
        let at = usize::try_from(number / 64).unwrap_or(usize::MAX);
        self.met.get_mut(at).is_some_and(|word| {
            if *word == 0 {
                self.touched.push(at);
            }
            let first = *word & bit == 0;
            *word |= bit;
            first
        })
    }

    /// Memory of its buffers, in bytes.
    pub(in crate::matching) fn memory_usage(&self) -> usize {
        let touched = self.touched.capacity().saturating_mul(size_of::<usize>());
        size_of_val(&*self.met).saturating_add(touched)
    }
}

impl Footprint {
    /// Takes note that so many bytes are gone over. Says whether visits are counted: not as long as the
    /// bytes are few, which are charged as if each led to a new state.
    pub(in crate::matching) const fn counts(&mut self, bytes: usize) -> bool {
        self.uncounted = self.uncounted.saturating_add(bytes);
        self.uncounted > UNCOUNTED
    }
}

/// Whether states of so many bytes are certainly kept.
pub(super) const fn are_kept(states: usize) -> bool {
    states <= KEPT
}
