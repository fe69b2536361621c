//! Memory that one transaction leaves for the next.

use std::cell::RefCell;
use std::rc::Rc;

use super::names::Names;
use super::store::Store;
use super::values::{HashKey, Values};
use crate::program::Constants;
use crate::work::Work;

/// What transactions that are over took, emptied: one per VM and set of rules.
#[derive(Debug, Default)]
pub(super) struct Spares {
    kept: RefCell<Vec<Spare>>,
    /// One for all transactions, so that what is kept by hash is found by the next.
    key: HashKey,
}

/// The parts of a transaction that grow with what it inspects.
#[derive(Debug)]
pub(super) struct Spare {
    pub values: Values,
    pub store: Store,
    pub names: Names,
    /// Whoever still holds it charges nothing any more.
    pub work: Rc<Work>,
}

/// Most transactions whose memory is kept: about as many as wait for a backend at once. Beyond,
/// memory is given back.
const MOST: usize = 8;
/// Most bytes that are kept of one. Hardly any transaction needs more.
const MOST_BYTES: usize = 96 * 1024;

impl Spares {
    /// Memory for a transaction; new if there is none. All transactions have the same constants.
    pub(super) fn take(&self, constants: &Constants) -> Spare {
        let spare = self
            .kept
            .try_borrow_mut()
            .ok()
            .and_then(|mut all| all.pop());
        spare.unwrap_or_else(|| Spare::new(self.key, constants))
    }

    /// Takes back what a transaction has used, unless it is much.
    pub(super) fn give_back(&self, mut spare: Spare) {
        if let Ok(mut all) = self.kept.try_borrow_mut()
            && all.len() < MOST
            && spare.held_bytes() <= MOST_BYTES
        {
            spare.clear();
            all.push(spare);
        }
    }

    /// Bytes of memory that wait for transactions.
    pub(super) fn held_bytes(&self) -> usize {
        self.kept.try_borrow().map_or(0, |all| {
            all.iter()
                .map(Spare::held_bytes)
                .fold(0, usize::saturating_add)
        })
    }
}

impl Spare {
    fn new(key: HashKey, constants: &Constants) -> Self {
        Self {
            values: Values::new(key, constants.values()),
            store: Store::new(),
            names: Names::default(),
            work: Rc::default(),
        }
    }

    fn clear(&mut self) {
        self.values.clear();
        self.store.clear_all();
        self.names.clear();
    }

    fn held_bytes(&self) -> usize {
        [
            self.values.held_bytes(),
            self.store.held_bytes(),
            self.names.held_bytes(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}
