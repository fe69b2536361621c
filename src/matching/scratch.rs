//! What searches write.

/// All mutable state of searches: one per virtual machine or thread, lent to every search.
#[derive(Debug, Default)]
pub struct Scratch {}

impl Scratch {
    /// Empty state; it grows as patterns are searched for.
    pub fn new() -> Self {
        Self::default()
    }
}
