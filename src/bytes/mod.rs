//! Bytes and what is known about them at a glance.
//!
//! HTTP data is not UTF-8: nothing here assumes a text encoding, and letter case is ASCII only.

mod class;
mod glob;

pub use class::{ClassSet, Profile};
pub use glob::glob_matches;
