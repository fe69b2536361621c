//! Work: how much of it one transaction may do, counted in steps.
//!
//! A step is about a nanosecond of what an operation takes at worst in wasm, on a machine of today.
//! What is charged depends on the input and the rules alone, never on the clock, on what
//! caches hold or on the machine: the same request spends the same everywhere. An operation whose
//! time does depend on caches, such as a search by a lazy automaton, is charged what it takes while
//! they are filled.
//!
//! Whoever does work charges it, and whoever loops over work stops when all is spent. An operation
//! that was left unfinished for this gives no answer: neither a match nor the lack of one.
//!
//! Reading a body is not charged, what is kept of it is: reading takes time in proportion to the
//! bytes, piece by piece as they come, and has limits of its own.

use std::cell::Cell;

/// The account of one transaction.
#[derive(Clone, Debug)]
pub struct Work {
    limit: Cell<u64>,
    spent: Cell<u64>,
}

impl Default for Work {
    /// An account that is never spent.
    fn default() -> Self {
        Self::unlimited()
    }
}

impl Work {
    /// An account with so many steps to spend.
    pub fn new(limit: u64) -> Self {
        Self {
            limit: Cell::new(limit),
            spent: Cell::new(0),
        }
    }

    /// An account that is never spent.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// Charges steps, which may be more than are left.
    #[inline]
    pub fn charge(&self, steps: u64) {
        self.spent.set(self.spent.get().saturating_add(steps));
    }

    /// Charges so many steps for each of some bytes, or of anything else.
    #[inline]
    pub fn charge_each(&self, count: usize, steps: u64) {
        self.charge(product(count, steps));
    }

    /// Steps left.
    #[inline]
    pub fn left(&self) -> u64 {
        self.limit.get().saturating_sub(self.spent.get())
    }

    /// Whether more than the limit was asked for.
    #[inline]
    pub fn is_spent(&self) -> bool {
        self.spent.get() > self.limit.get()
    }

    /// Spends what is left, and more.
    pub fn exhaust(&self) {
        let beyond = self.limit.get().saturating_add(1);
        self.spent.set(self.spent.get().max(beyond));
    }

    /// Sets the limit so that so many steps are left. An account without limit stays so.
    pub fn grant(&self, steps: u64) {
        if self.limit.get() != u64::MAX {
            self.limit.set(self.spent.get().saturating_add(steps));
        }
    }

    /// Begins the account of another transaction.
    pub fn renew(&self, limit: u64) {
        self.limit.set(limit);
        self.spent.set(0);
    }

    /// Takes the limit off, for good.
    pub fn lift_limit(&self) {
        self.limit.set(u64::MAX);
    }

    /// Steps charged so far.
    pub fn spent(&self) -> u64 {
        self.spent.get()
    }
}

fn product(count: usize, steps: u64) -> u64 {
    u64::try_from(count)
        .unwrap_or(u64::MAX)
        .saturating_mul(steps)
}

/// What operations cost, in steps. Measured with `parapet worst`.
pub mod cost {
    /// Passing one rule in the loop of a phase.
    pub const RULE: u64 = 12;
    /// Asking one rule about one value, whatever the operator.
    pub const VALUE: u64 = 50;
    /// Going over an entry of a collection to see whether a target means it.
    pub const ENTRY: u64 = 10;
    /// A match: its effects and what is kept of it.
    pub const MATCH: u64 = 1500;
    /// Keeping a value, besides its bytes.
    pub const INTERN: u64 = 180;
    /// A byte of a value that is kept.
    pub const INTERN_BYTE: u64 = 3;
    /// A scan by the prefilter, besides its bytes.
    pub const SCAN: u64 = 200;
    /// A byte scanned by the prefilter.
    pub const SCAN_BYTE: u64 = 4;
    /// Something that a scan came upon: a rule woken, a phrase compared.
    pub const REPORT: u64 = 7;
    /// Working out what comes of values of some byte classes, for the first one in a phase.
    pub const PROSPECTS: u64 = 4000;
    /// A transformation, besides its bytes.
    pub const TRANSFORM: u64 = 140;
    /// A byte that goes through a transformation.
    pub const TRANSFORM_BYTE: u64 = 3;
    /// A search for a pattern, besides its bytes.
    pub const SEARCH: u64 = 180;
    /// A byte of a search whose state the automaton knows.
    pub const SEARCH_BYTE: u64 = 2;
    /// What a byte of a search costs besides, if it is not counted which transitions are taken.
    pub const SEARCH_COLD_BYTE: u64 = 200;
    /// A transition of an automaton that is taken for the first time.
    pub const SEARCH_TRANSITION: u64 = 180;
    /// A member of the state from which it is taken.
    pub const SEARCH_MEMBER: u64 = 19;
    /// Filling the groups of a match, besides its bytes.
    pub const GROUPS: u64 = 1000;
    /// A byte of a match whose groups are filled.
    pub const GROUPS_BYTE: u64 = 40;
    /// An instruction of the machine that backtracks.
    pub const INSTRUCTION: u64 = 8;
    /// A byte of the text of a pattern that is made while rules run.
    pub const COMPILED_BYTE: u64 = 400;
    /// A byte of the automaton of such a pattern.
    pub const AUTOMATON_BYTE: u64 = 4;
    /// A byte scanned for phrases.
    pub const PHRASE_BYTE: u64 = 3;
    /// A place where a phrase might stand.
    pub const PHRASE_PLACE: u64 = 100;
    /// A byte read by `@detectSQLi` or `@detectXSS`.
    pub const INJECTION_BYTE: u64 = 8;
    /// A byte that macros expand to.
    pub const EXPANDED_BYTE: u64 = 2;
    /// A node of an XML document that a path is tried on.
    pub const NODE: u64 = 40;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_spent_beyond_the_limit() {
        let work = Work::new(10);
        work.charge(10);
        assert!(!work.is_spent());
        work.charge_each(1, 1);
        assert!(work.is_spent());
        work.grant(5);
        assert_eq!((work.left(), work.is_spent(), work.spent()), (5, false, 11));
        work.charge_each(5, 1);
        assert!(!work.is_spent());
        work.exhaust();
        assert!(work.is_spent());
        assert_eq!(work.left(), 0);
    }

    #[test]
    fn no_limit_is_never_reached() {
        let work = Work::unlimited();
        work.charge(u64::MAX);
        work.charge(u64::MAX);
        assert!(!work.is_spent());
    }
}
