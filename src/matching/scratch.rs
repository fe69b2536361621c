//! What searches write.
//!
//! Lazy DFAs build their states while they search, so every search needs memory that outlives it.
//! Patterns stay immutable by keeping that memory here, by the pattern's number. One budget covers
//! all of it: beyond the budget, the caches that were used longest ago are dropped, and built anew
//! when their patterns come again. Wasm memory never shrinks, so this bounds what a worker pays.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use regex_automata::nfa::thompson::{backtrack, pikevm};
use regex_automata::util::primitives::NonMaxUsize;

use super::backtracking::Machine;
use super::linear::{Linear, lazy};
use crate::work::{Work, cost};

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
    /// What engines write, for all patterns alike: `None` while it is lent.
    filling: Option<Box<Filling>>,
    /// What the rules of a phase have met: `None` while it is lent.
    visits: Option<Box<lazy::Visits>>,
    /// What patterns met in this phase whose caches were dropped since.
    dropped: HashMap<u64, lazy::Footprint, BuildHasherDefault<NumberHasher>>,
    /// Whose searches these are.
    work: Rc<Work>,
}

/// The caches of one pattern.
#[derive(Debug, Default)]
pub(super) struct Caches {
    pub(super) forward: Option<lazy::Cache>,
    pub(super) backward: Option<lazy::Cache>,
    /// Here for the time of a search.
    pub(super) filling: Option<Box<Filling>>,
    /// Here for the time of a search whose visits are counted.
    pub(super) visits: Option<Box<lazy::Visits>>,
    pub(super) footprint: lazy::Footprint,
    /// Bytes that automata went over since they were counted last.
    pub(super) scanned: usize,
    /// The same of the engines that fill groups, by what they do with each.
    pub(super) spanned: usize,
    size: usize,
    last_use: u64,
}

/// What engines write that does not outlive a search, so that one serves all patterns, each resetting
/// it for itself.
#[derive(Debug, Default)]
pub(super) struct Filling {
    pub(super) workspace: lazy::Workspace,
    pub(super) backtracker: Option<backtrack::Cache>,
    pub(super) pikevm: Option<pikevm::Cache>,
    pub(super) slots: Vec<Option<NonMaxUsize>>,
}

/// Memory of [`Filling`] that is kept from search to search, in bytes.
const KEPT_FILLING: usize = 256 << 10;

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// Most steps in one value, whatever is configured: what takes about 12 ms in wasm.
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
            filling: None,
            visits: None,
            dropped: HashMap::default(),
            work: Rc::new(Work::unlimited()),
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

    /// Charges the searches from now on to an account. Once it is spent every search ends at once,
    /// without a match: the caller has to ask the account before it believes that there is none. What
    /// was searched before makes nothing cheaper.
    pub fn set_work(&mut self, work: Rc<Work>) {
        self.work = work;
        self.visits.get_or_insert_default().clear();
        self.dropped.clear();
    }

    /// The account that searches are charged to.
    pub fn work(&self) -> &Work {
        &self.work
    }

    /// The machine for patterns that need backtracking, and the account.
    pub(super) fn machine(&mut self) -> (&mut Machine, &Work) {
        (&mut self.machine, &self.work)
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
        let visits = self.visits.as_ref();
        self.used
            .saturating_add(self.machine.held_bytes())
            .saturating_add(visits.map_or(0, |visits| visits.memory_usage()))
    }

    /// Lends the caches of a pattern to a search of so many bytes, charges it, and keeps to the budget
    /// of memory after it. `None` if the work of the transaction is spent.
    pub(super) fn with_caches<T>(
        &mut self,
        pattern: u64,
        linear: &Linear,
        length: usize,
        search: impl FnOnce(&mut Caches) -> T,
    ) -> Option<T> {
        if self.work.is_spent() {
            return None;
        }
        self.searches = self.searches.wrapping_add(1);
        let visits = self.visits.get_or_insert_default();
        let caches = self.caches.entry(pattern).or_default();
        if caches.footprint.phase != visits.phase() {
            caches.footprint = self.dropped.remove(&pattern).unwrap_or_default();
            caches.footprint.phase = visits.phase();
        }
        caches.filling = self.filling.take();
        if caches.footprint.counts(length) || linear.wide {
            visits.begin(self.work.left());
            caches.visits = self.visits.take();
        }
        let answer = search(caches);
        if let Some(visits) = caches.visits.take() {
            self.work.charge(visits.end());
            self.visits = Some(visits);
        } else {
            self.work
                .charge_each(caches.scanned, cost::SEARCH_COLD_BYTE);
        }
        self.filling = caches.filling.take().filter(|one| one.is_small());
        let scanned = std::mem::take(&mut caches.scanned);
        let spanned = std::mem::take(&mut caches.spanned);
        self.work.charge(cost::SEARCH);
        self.work.charge_each(scanned, cost::SEARCH_BYTE);
        if spanned > 0 {
            self.work.charge(cost::GROUPS);
            self.work.charge_each(spanned, cost::GROUPS_BYTE);
        }
        let scanned = u64::try_from(scanned).unwrap_or(u64::MAX);
        self.scanned = self.scanned.saturating_add(scanned);
        caches.last_use = self.searches;
        let size = caches.measure();
        self.used = self.used.saturating_sub(caches.size).saturating_add(size);
        caches.size = size;
        if self.used > self.budget {
            self.evict();
        }
        Some(answer)
    }

    /// Charges a search that only compares so many bytes; `false` if the work is spent.
    pub(super) fn charge_comparison(&mut self, bytes: usize) -> bool {
        if self.work.is_spent() {
            return false;
        }
        self.work.charge(cost::VALUE);
        self.work.charge_each(bytes, cost::SEARCH_BYTE);
        self.scanned = self
            .scanned
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        true
    }

    /// Drops the oldest caches until a quarter of the budget is free, so that this is rare.
    fn evict(&mut self) {
        let target = self.budget.saturating_sub(self.budget / 4);
        let phase = self.visits.as_ref().map(|visits| visits.phase());
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
                if Some(caches.footprint.phase) == phase {
                    self.dropped.insert(pattern, caches.footprint);
                }
            }
        }
    }
}

impl Caches {
    fn measure(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.forward.as_ref().map_or(0, lazy::Cache::memory_usage))
            .saturating_add(self.backward.as_ref().map_or(0, lazy::Cache::memory_usage))
    }
}

impl Filling {
    fn is_small(&self) -> bool {
        let backtracker = &self.backtracker;
        let pikevm = &self.pikevm;
        let size = backtracker
            .as_ref()
            .map_or(0, backtrack::Cache::memory_usage)
            .saturating_add(pikevm.as_ref().map_or(0, pikevm::Cache::memory_usage))
            .saturating_add(self.workspace.memory_usage());
        size <= KEPT_FILLING
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
