//! Bytes and what is known about them at a glance.
//!
//! HTTP data is not UTF-8: nothing here assumes a text encoding, and letter case is ASCII only.

mod ascii;
pub mod base64;
mod bits;
mod class;
mod glob;
mod number;
mod sized;

pub use ascii::{hex_byte, hex_digit, hex_digits, hex_nibble, is_space, octal_digit};
pub use bits::set_bits;
pub use class::{ClassSet, Profile};
pub use glob::glob_matches;
pub use number::{Decimal, leading_integer};
pub use sized::{push_sized, take_sized, take_u64};
