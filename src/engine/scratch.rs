//! What evaluation writes and forgets: one per VM, shared by all its transactions.

use super::repeats::Repeats;
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
    /// What was found out about names of entries in earlier transactions, while none is at work; none
    /// where that is not kept.
    pub names: Option<Repeats>,
    /// The argument of the operator, expanded.
    pub argument: Vec<u8>,
    /// Where in it the text of macros stands.
    pub macros: Vec<std::ops::Range<usize>>,
    /// The values of the rule being evaluated.
    pub subjects: Vec<Subject>,
    /// The values of a target that is being listed.
    pub listed: Vec<Subject>,
    /// What is switched off.
    pub ablation: Ablation,
}

/// Bytes that one buffer may keep from phase to phase. Hardly any request needs more; what one that
/// does took is given back, for wasm memory is never returned to the host, only used again.
const KEPT: usize = 256 * 1024;

impl Scratch {
    /// Gives back what a large transaction took beyond what others need.
    pub(super) fn relax(&mut self) {
        relax(&mut self.argument);
        relax(&mut self.macros);
        relax(&mut self.subjects);
        relax(&mut self.listed);
        self.sharing.relax();
        self.matching.relax(KEPT);
    }

    /// Bytes of memory that are kept for the next transaction, without patterns made of macros.
    pub(super) fn held_bytes(&self) -> usize {
        bytes(&self.argument)
            .saturating_add(bytes(&self.macros))
            .saturating_add(bytes(&self.subjects))
            .saturating_add(bytes(&self.listed))
            .saturating_add(self.sharing.held_bytes())
            .saturating_add(self.names.as_ref().map_or(0, Repeats::held_bytes))
            .saturating_add(self.matching.held_bytes())
    }
}

/// Gives a buffer back that has grown too large.
pub(super) fn relax<T>(buffer: &mut Vec<T>) {
    if bytes(buffer) > KEPT {
        *buffer = Vec::new();
    }
}

/// Bytes that a buffer takes.
pub(super) fn bytes<T>(buffer: &Vec<T>) -> usize {
    buffer.capacity().saturating_mul(size_of::<T>())
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
    /// Transform and scan values also where their byte classes tell that nothing comes of it.
    pub prospects: bool,
    /// Keep nothing that was found out about values for later transactions.
    pub repeats: bool,
    /// Evaluate rules that compare what one target holds like all others.
    pub flags: bool,
    /// Evaluate rules whose outcome is known like all others.
    pub folding: bool,
}

impl Ablation {
    /// The names of the parts.
    pub const NAMES: [&'static str; 7] = [
        "prefilter",
        "transformations",
        "sharing",
        "prospects",
        "repeats",
        "flags",
        "folding",
    ];

    /// Switches a part off by name; `false` if there is none of that name.
    pub fn switch_off(&mut self, name: &str) -> bool {
        match name {
            "prefilter" => self.prefilter = true,
            "transformations" => self.transformations = true,
            "sharing" => self.sharing = true,
            "prospects" => self.prospects = true,
            "repeats" => self.repeats = true,
            "flags" => self.flags = true,
            "folding" => self.folding = true,
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_buffers_are_given_back() {
        let mut buffer = vec![0u8; KEPT];
        relax(&mut buffer);
        assert_eq!(buffer.capacity(), KEPT);
        buffer.reserve_exact(1 + KEPT);
        buffer.clear();
        relax(&mut buffer);
        assert_eq!(buffer.capacity(), 0);
        let mut wide = vec![0u64; KEPT / 8 + 1];
        relax(&mut wide);
        assert_eq!(bytes(&wide), 0);
    }
}
