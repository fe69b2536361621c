//! What all plugins of one VM share, in all their generations: one memory, one set of counters.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use super::collections::SharedCollections;
use super::host::Host;
use super::metrics::Metrics;
use super::packed::Packed;
use super::programs::Programs;
use crate::engine::{CollectionStore, MemoryCollections};

/// One per VM.
#[derive(Debug, Default)]
pub struct Vm {
    /// Counters in the host.
    pub metrics: Metrics,
    /// Rules in service.
    pub programs: Programs,
    /// The configuration that the module was packed with.
    pub packed: OnceCell<Packed>,
    /// The host, whose shared data hold persistent collections; without it each rule set has them in
    /// memory.
    host: Option<Rc<dyn Host>>,
    in_flight: Cell<usize>,
    /// What the host was told of it, if anything: a gauge that says 0 is better than none.
    told_in_flight: Cell<Option<usize>>,
    memory: Cell<u64>,
    randoms: RefCell<Randoms>,
}

/// Random bytes for transactions to come. They are drawn for many at once: the host takes as long
/// for one.
#[derive(Debug, Default)]
struct Randoms {
    drawn: [[u8; 16]; Self::DRAWN],
    /// How many of them nobody has got yet.
    left: usize,
}

impl Randoms {
    const DRAWN: usize = 32;
}

impl Vm {
    /// One whose persistent collections stand in the shared data of a host.
    pub fn sharing(host: Rc<dyn Host>) -> Self {
        Self {
            host: Some(host),
            ..Self::default()
        }
    }

    /// A place for persistent collections: of the rules that decide, or of a shadow.
    pub(super) fn collections(self: &Rc<Self>, shadow: Option<&str>) -> Rc<dyn CollectionStore> {
        match &self.host {
            Some(host) => {
                let (host, vm) = (Rc::clone(host), Rc::clone(self));
                Rc::new(SharedCollections::new(host, vm, shadow))
            }
            None => Rc::new(MemoryCollections::default()),
        }
    }

    /// Bytes that all transactions under way hold.
    pub fn bytes_in_flight(&self) -> usize {
        self.in_flight.get()
    }

    /// Tells the host what all transactions hold, in steps of [`IN_FLIGHT_STEP`]: most requests come and
    /// go within one.
    pub fn note_in_flight(&self, host: &dyn Host) {
        let now = self.in_flight.get();
        let now = now.saturating_sub(now % IN_FLIGHT_STEP);
        let before = self.told_in_flight.replace(Some(now));
        if before != Some(now) {
            let grown = signed(now).saturating_sub(signed(before.unwrap_or(0)));
            self.metrics.add_in_flight(host, grown);
        }
    }

    /// Bytes nobody can foretell, which nobody else gets.
    pub fn random(&self, host: &dyn Host) -> [u8; 16] {
        let Ok(mut randoms) = self.randoms.try_borrow_mut() else {
            let mut bytes = [0; 16];
            host.random(&mut bytes);
            return bytes;
        };
        if randoms.left == 0 {
            host.random(randoms.drawn.as_flattened_mut());
            randoms.left = Randoms::DRAWN;
        }
        randoms.left = randoms.left.saturating_sub(1);
        let at = randoms.left;
        // Given away: what was drawn for one is of no use to whoever reads memory later.
        randoms
            .drawn
            .get_mut(at)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Tells the host how large the VM's memory is now, in bytes, if that has changed.
    pub fn note_memory(&self, host: &dyn Host, bytes: u64) {
        let before = self.memory.replace(bytes);
        if before == bytes {
            return;
        }
        let grown = signed(bytes).saturating_sub(signed(before));
        self.metrics.add_memory(host, grown);
    }
}

/// By how much the gauge of what transactions hold moves at a time.
const IN_FLIGHT_STEP: usize = 64 << 10;

fn signed(bytes: impl TryInto<i64>) -> i64 {
    bytes.try_into().unwrap_or(i64::MAX)
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

#[cfg(test)]
mod tests {
    use super::super::fake::FakeHost;
    use super::Vm;

    #[test]
    fn vms_share_the_gauge_of_memory() {
        let host = FakeHost::default();
        let (one, other) = (Vm::default(), Vm::default());
        for (vm, bytes) in [(&one, 100), (&other, 50), (&one, 100), (&one, 170)] {
            vm.note_memory(&host, bytes);
        }
        assert_eq!(host.metric("parapet.vm_memory_bytes"), 220);
        assert_eq!(host.calls("increment_metric"), 3);
    }
}
