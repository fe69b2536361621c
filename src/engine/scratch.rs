//! What evaluation writes and forgets: one per VM, shared by all its transactions.

use super::target::Subject;
use crate::action::Phase;
use crate::matching::{self, Candidates};
use crate::operator::RxCache;

/// Buffers and search state.
#[derive(Default)]
pub(super) struct Scratch {
    /// Lazy DFA states and the like.
    pub matching: matching::Scratch,
    /// Patterns whose text has macros.
    pub rx_cache: RxCache,
    pub candidacy: Candidacy,
    /// The argument of the operator, expanded.
    pub argument: Vec<u8>,
    /// Where in it the text of macros stands.
    pub macros: Vec<std::ops::Range<usize>>,
    /// The values of the rule being evaluated.
    pub subjects: Vec<Subject>,
    /// What is switched off.
    pub ablation: Ablation,
}

/// Parts of the engine that can be switched off to show that they change no verdict. For tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ablation {
    /// Ask every rule about every value.
    pub prefilter: bool,
    /// Transform every value anew for every rule, whether it can change or not.
    pub transformations: bool,
}

impl Ablation {
    /// The names of the parts.
    pub const NAMES: [&'static str; 2] = ["prefilter", "transformations"];

    /// Switches a part off by name; `false` if there is none of that name.
    pub fn switch_off(&mut self, name: &str) -> bool {
        match name {
            "prefilter" => self.prefilter = true,
            "transformations" => self.transformations = true,
            _ => return false,
        }
        true
    }
}

/// Which rules of the phase each value can match.
#[derive(Default)]
pub(super) struct Candidacy {
    /// By value number; none where the value was not scanned yet.
    pub known: Vec<Option<Candidates>>,
}

impl Candidacy {
    /// Forgets the phase, or transaction, before.
    pub(super) fn begin(&mut self, _: Phase) {
        self.known.clear();
    }
}
