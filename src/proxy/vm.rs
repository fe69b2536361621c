//! What all plugins of one VM share, in all their generations: one memory, one set of counters.

use std::cell::Cell;
use std::rc::Rc;

use super::metrics::Metrics;
use super::programs::Programs;

/// One per VM.
#[derive(Debug, Default)]
pub struct Vm {
    /// Counters in the host.
    pub metrics: Metrics,
    /// Rules in service.
    pub programs: Programs,
    in_flight: Cell<usize>,
}

impl Vm {
    /// Bytes that all transactions under way hold.
    pub fn bytes_in_flight(&self) -> usize {
        self.in_flight.get()
    }
}

/// What one stream holds; given back when it goes.
#[derive(Debug)]
pub(super) struct Claim {
    vm: Rc<Vm>,
    bytes: usize,
}

impl Claim {
    /// A claim of nothing.
    pub(super) fn new(vm: Rc<Vm>) -> Self {
        Self { vm, bytes: 0 }
    }

    /// From now on it is so many bytes.
    pub(super) fn set(&mut self, bytes: usize) {
        let others = self.vm.in_flight.get().saturating_sub(self.bytes);
        self.vm.in_flight.set(others.saturating_add(bytes));
        self.bytes = bytes;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.set(0);
    }
}
