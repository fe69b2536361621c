//! What the plans of a phase can come to for values of some byte classes, worked out once.
//!
//! Most of what transformations make of plain values cannot match anything: without its spaces a
//! sentence is letters, and the rules that delete spaces look for brackets. Classes tell so before
//! anything is transformed or scanned. Letters are taken for all letters, so that few sets of classes
//! come up.

use crate::bytes::ClassSet;
use crate::program::{PhaseProgram, Prospects};

/// One per VM, for all its rules. Nothing but time depends on what it holds.
#[derive(Debug)]
pub(super) struct KnownProspects(Box<[Option<Box<Entry>>]>);

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
        Self(std::iter::repeat_with(|| None).take(PLACES).collect())
    }
}

impl KnownProspects {
    /// What the plans of a phase can come to for a value of these classes.
    pub(super) fn of(&mut self, phase: &PhaseProgram, classes: ClassSet) -> Option<&Prospects> {
        let classes = if classes.intersects(ClassSet::LETTERS) {
            classes.union(ClassSet::LETTERS)
        } else {
            classes
        };
        let prefilter = phase.prefilter.id();
        let place = self.0.get_mut(place(prefilter, classes))?;
        let known = place
            .as_ref()
            .is_some_and(|entry| entry.prefilter == prefilter && entry.classes == classes);
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
        let entries = self.0.iter().flatten();
        entries.fold(size_of_val(&*self.0), |sum, entry| {
            let Prospects { hopeless, slots } = &entry.prospects;
            sum.saturating_add(size_of::<Entry>())
                .saturating_add(size_of_val(&**hopeless))
                .saturating_add(size_of_val(&**slots))
        })
    }
}

fn place(prefilter: u64, classes: ClassSet) -> usize {
    const LAST: u32 = u64::BITS.saturating_sub(PLACES.trailing_zeros());
    // The upper bits of a product depend on all bits of the factor.
    let mixed = (classes.0 ^ prefilter).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from(mixed.wrapping_shr(LAST)).unwrap_or_default()
}
