//! What searches write.
//!
//! Lazy DFAs build their states while they search, so every search needs memory that outlives it.
//! Patterns stay immutable by keeping that memory here, by the pattern's number. One budget covers
//! all of it: beyond the budget, the caches that were used longest ago are dropped, and built anew
//! when their patterns come again. Wasm memory never shrinks, so this bounds what a worker pays.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson::{backtrack, pikevm};
use regex_automata::util::primitives::NonMaxUsize;

use super::backtracking::Machine;

/// Memory of all caches together, in bytes, if nothing else is said.
const DEFAULT_BUDGET: usize = 6 << 20;

/// All mutable state of searches: one per virtual machine or thread, lent to every search.
#[derive(Debug)]
pub struct Scratch {
    caches: HashMap<u64, Box<Caches>, BuildHasherDefault<NumberHasher>>,
    budget: usize,
    used: usize,
    /// Counts searches: the age of a cache.
    searches: u64,
    /// See [`Scratch::scanned`].
    scanned: u64,
    /// Runs the patterns that need backtracking.
    machine: Machine,
}

/// The caches of one pattern.
#[derive(Debug, Default)]
pub(super) struct Caches {
    pub(super) forward: Option<dfa::Cache>,
    pub(super) backward: Option<dfa::Cache>,
    pub(super) backtracker: Option<backtrack::Cache>,
    pub(super) pikevm: Option<pikevm::Cache>,
    pub(super) slots: Vec<Option<NonMaxUsize>>,
    /// Bytes gone over since they were counted last.
    pub(super) scanned: usize,
    size: usize,
    last_use: u64,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// Most steps in one value, whatever is configured: what takes about 50 ms in wasm.
    pub const MAX_STEPS: usize = 500_000;

    /// Empty state with the default budget of 6 MiB; it grows as patterns are searched for.
    pub fn new() -> Self {
        Self::with_budget(DEFAULT_BUDGET)
    }

    /// Empty state whose caches take no more than `bytes` together once a search is over. A search
    /// under way may exceed it by what one pattern's caches take (2 MiB).
    pub fn with_budget(bytes: usize) -> Self {
        Self {
            caches: HashMap::default(),
            budget: bytes,
            used: 0,
            searches: 0,
            scanned: 0,
            machine: Machine::new(Self::MAX_STEPS),
        }
    }

    /// Limits the steps that patterns which need backtracking may take in one value
    /// (SecPcreMatchLimit), to [`Scratch::MAX_STEPS`] at most. A step is about what PCRE counts as
    /// one: a way that is tried, or sixteen bytes of a run. Searches that start inside a value
    /// share the steps of the search that started at its first byte.
    pub fn set_step_limit(&mut self, steps: usize) {
        self.machine.set_limit(steps.min(Self::MAX_STEPS));
    }

    /// Whether a search came to its limit since this was asked last. Such a search found no match,
    /// and says nothing about whether there is one.
    pub fn take_limit_exceeded(&mut self) -> bool {
        self.machine.take_exceeded()
    }

    /// Bytes that the linear engine went over since this scratch was made, as far as they were
    /// counted: what an operator that searches again and again measures its work by.
    pub fn scanned(&self) -> u64 {
        self.scanned
    }

    /// The machine for patterns that need backtracking.
    pub(super) fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Bytes the caches take now, as the engines count them.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Gives the machine's buffers back where one has grown beyond so many bytes. Caches have their
    /// own budget.
    pub fn relax(&mut self, kept: usize) {
        self.machine.relax(kept);
    }

    /// Bytes of memory that are kept for the next search.
    pub fn held_bytes(&self) -> usize {
        self.used.saturating_add(self.machine.held_bytes())
    }

    /// Lends the caches of a pattern to a search, and keeps to the budget after it.
    pub(super) fn with_caches<T>(
        &mut self,
        pattern: u64,
        search: impl FnOnce(&mut Caches) -> T,
    ) -> T {
        self.searches = self.searches.wrapping_add(1);
        let caches = self.caches.entry(pattern).or_default();
        let answer = search(caches);
        let scanned = u64::try_from(std::mem::take(&mut caches.scanned)).unwrap_or(u64::MAX);
        self.scanned = self.scanned.saturating_add(scanned);
        caches.last_use = self.searches;
        let size = caches.measure();
        self.used = self.used.saturating_sub(caches.size).saturating_add(size);
        caches.size = size;
        if self.used > self.budget {
            self.evict();
        }
        answer
    }

    /// Drops the oldest caches until a quarter of the budget is free, so that this is rare.
    fn evict(&mut self) {
        let target = self.budget.saturating_sub(self.budget / 4);
        let mut by_age: Vec<(u64, u64)> = self
            .caches
            .iter()
            .map(|(&pattern, caches)| (caches.last_use, pattern))
            .collect();
        by_age.sort_unstable();
        for (_, pattern) in by_age {
            if self.used <= target {
                break;
            }
            if let Some(caches) = self.caches.remove(&pattern) {
                self.used = self.used.saturating_sub(caches.size);
            }
        }
    }
}

impl Caches {
    fn measure(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.forward.as_ref().map_or(0, dfa::Cache::memory_usage))
            .saturating_add(self.backward.as_ref().map_or(0, dfa::Cache::memory_usage))
            .saturating_add(
                self.backtracker
                    .as_ref()
                    .map_or(0, backtrack::Cache::memory_usage),
            )
            .saturating_add(self.pikevm.as_ref().map_or(0, pikevm::Cache::memory_usage))
    }
}

/// Pattern numbers are counted up: spreading their bits is hash enough.
#[derive(Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(32);
    }
}
