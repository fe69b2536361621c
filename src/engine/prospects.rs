//! What the plans of a phase can come to for values of some byte classes, worked out once.
//!
//! Most of what transformations make of plain values cannot match anything: without its spaces a
//! sentence is letters, and the rules that delete spaces look for brackets. Classes tell so before
//! anything is transformed or scanned. Letters are taken for all letters, so that few sets of classes
//! come up.

use crate::bytes::ClassSet;
use crate::program::{PhaseProgram, Prospects};
use crate::work::{Work, cost};

/// One per VM, for all its rules. Nothing but time depends on what it holds: what is worked out is
/// charged when a phase comes to it first, whether it is known from others or not.
#[derive(Debug)]
pub(super) struct KnownProspects {
    known: Box<[Option<Box<Entry>>]>,
    /// A bit for each place that the phase came to.
    met: [u64; PLACES.div_ceil(64)],
}

#[derive(Debug)]
struct Entry {
    /// Whose phase.
    prefilter: u64,
    classes: ClassSet,
    prospects: Prospects,
}

/// How many are kept; a power of two.
const PLACES: usize = 1024;

impl Default for KnownProspects {
    fn default() -> Self {
        Self {
            known: std::iter::repeat_with(|| None).take(PLACES).collect(),
            met: [0; _],
        }
    }
}

impl KnownProspects {
    /// Begins with a phase.
    pub(super) fn begin(&mut self) {
        self.met = [0; _];
    }

    /// What the plans of a phase can come to for a value of these classes.
    pub(super) fn of(
        &mut self,
        phase: &PhaseProgram,
        classes: ClassSet,
        work: &Work,
    ) -> Option<&Prospects> {
        let classes = if classes.intersects(ClassSet::LETTERS) {
            classes.union(ClassSet::LETTERS)
        } else {
            classes
        };
        let prefilter = phase.prefilter.id();
        let number = place(phase.prefilter.slots(), classes);
        let bit = 1u64.wrapping_shl(u32::try_from(number % 64).unwrap_or_default());
        let place = self.known.get_mut(number)?;
        let known = place
            .as_ref()
            .is_some_and(|entry| entry.prefilter == prefilter && entry.classes == classes);
        // Two that share a place push each other out: both are charged again then.
        let met = self.met.get_mut(number / 64)?;
        if *met & bit == 0 || !known {
            work.charge(cost::PROSPECTS);
        }
        *met |= bit;
        if !known {
            *place = Some(Box::new(Entry {
                prefilter,
                classes,
                prospects: phase.plans.prospects(classes, &phase.prefilter),
            }));
        }
        place.as_ref().map(|entry| &entry.prospects)
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        let entries = self.known.iter().flatten();
        entries.fold(size_of_val(&*self.known), |sum, entry| {
            let Prospects { hopeless, slots } = &entry.prospects;
            sum.saturating_add(size_of::<Entry>())
                .saturating_add(size_of_val(&**hopeless))
                .saturating_add(size_of_val(&**slots))
        })
    }
}

/// The same in every process, for what is charged depends on it: phases are told apart by how many
/// slots they have.
fn place(slots: usize, classes: ClassSet) -> usize {
    const LAST: u32 = u64::BITS.saturating_sub(PLACES.trailing_zeros());
    let salt = u64::try_from(slots).unwrap_or_default();
    // The upper bits of a product depend on all bits of the factor.
    let mixed = (classes.0 ^ salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from(mixed.wrapping_shr(LAST)).unwrap_or_default()
}
