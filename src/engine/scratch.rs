//! What evaluation writes and forgets: one per VM, shared by all its transactions.

use super::sharing::Sharing;
use super::target::Subject;
use crate::matching;
use crate::operator::RxCache;

/// Buffers and search state.
#[derive(Default)]
pub(super) struct Scratch {
    /// Lazy DFA states and the like.
    pub matching: matching::Scratch,
    /// Patterns whose text has macros.
    pub rx_cache: RxCache,
    /// What the rules of the phase share.
    pub sharing: Sharing,
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
    /// Look for the values of every rule anew, and ask it about each.
    pub sharing: bool,
}

impl Ablation {
    /// The names of the parts.
    pub const NAMES: [&'static str; 3] = ["prefilter", "transformations", "sharing"];

    /// Switches a part off by name; `false` if there is none of that name.
    pub fn switch_off(&mut self, name: &str) -> bool {
        match name {
            "prefilter" => self.prefilter = true,
            "transformations" => self.transformations = true,
            "sharing" => self.sharing = true,
            _ => return false,
        }
        true
    }
}
