//! Matching: regular expressions and phrase lists on bytes, in linear time; what linear time cannot
//! do, under a limit of steps.
//!
//! A [`Pattern`] is immutable and shared; what a search writes (lazy DFA states, captures) lives in
//! the caller's [`Scratch`]. A [`Prefilter`] over many patterns answers in one scan of a value
//! which of them can match at all.

mod backtracking;
mod beginning;
mod hash;
mod linear;
mod pattern;
mod phrases;
mod prefilter;
mod scratch;
mod syntax;
#[cfg(test)]
mod tests;
mod windows;

pub use pattern::Pattern;
pub use phrases::{PhrasePool, PhraseSet, PhraseSetError};
pub use prefilter::{Candidates, Prefilter, PrefilterBuilder};
pub use scratch::Scratch;
pub use syntax::{Construct, Dialect, PatternError};
