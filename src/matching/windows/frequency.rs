//! How often classes occur in the values of requests.
//!
//! Only the order matters: the rarer what a prefilter waits for, the fewer values pass it. The
//! numbers are rounded counts over addresses, browser headers, forms and JSON.

use crate::bytes::ClassSet;

/// Occurrences of a class in 1024 bytes.
pub(super) fn of_class(class: u8) -> u64 {
    const LETTERS: [u8; 26] = [
        70, 14, 38, 32, 96, 16, 18, 24, 64, 4, 8, 42, 28, 60, 66, 28, 3, 60, 54, 76, 28, 10, 12, 6,
        16, 4,
    ];
    const PUNCTUATION: [(u8, u8); 20] = [
        (b'.', 24),
        (b'-', 20),
        (b'_', 16),
        (b'/', 28),
        (b'"', 24),
        (b'=', 14),
        (b',', 14),
        (b':', 14),
        (b';', 8),
        (b'&', 8),
        (b'%', 8),
        (b'+', 6),
        (b'(', 4),
        (b')', 4),
        (b'{', 3),
        (b'}', 3),
        (b'\'', 3),
        (b'?', 3),
        (b'[', 2),
        (b']', 2),
    ];
    if let Some(&letter) = LETTERS.get(usize::from(class)) {
        return u64::from(letter);
    }
    let is = |byte: u8| ClassSet::class_of(byte) == class;
    if is(b'0') {
        return 150;
    }
    if is(b' ') {
        return 60;
    }
    if is(b'\n') || is(0x80) {
        return 6;
    }
    PUNCTUATION
        .iter()
        .find(|(byte, _)| is(*byte))
        .map_or(1, |(_, often)| u64::from(*often))
}
