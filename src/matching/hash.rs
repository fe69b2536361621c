//! Hashes that are the same on every machine, unlike those of the crates for it: what a request is
//! charged depends on them. They are no protection from whoever chooses what is hashed.

/// Spreads the bits of a number over all of a hash.
pub(super) const SPREAD: u64 = 0xF135_7AEA_2E62_A9C5;

/// The hash of what was hashed before and one more number.
pub(super) const fn mix(hash: u64, number: u64) -> u64 {
    (hash.rotate_left(5) ^ number).wrapping_mul(SPREAD)
}
