//! How often classes occur in the values of requests.
//!
//! Only the order matters: the rarer what a prefilter waits for, the fewer values pass it. The
//! numbers are rounded counts over addresses, browser headers, forms and JSON.

use crate::bytes::ClassSet;

/// Edges of values, beside 1024 bytes.
const OF_EDGES: u64 = 24;

/// Occurrences of a class in 1024 bytes, or of what is no class: an edge.
pub(super) fn of_class(class: u8) -> u64 {
    const OF_CLASSES: [u8; CLASSES] = of_classes();
    let often = OF_CLASSES.get(usize::from(class));
    often.map_or(OF_EDGES, |&often| u64::from(often))
}

/// Classes there are.
const CLASSES: usize = 64;

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "evaluated by the compiler, which refuses what is out of bounds"
)]
const fn of_classes() -> [u8; CLASSES] {
    const LETTERS: [u8; 26] = [
        70, 14, 38, 32, 96, 16, 18, 24, 64, 4, 8, 42, 28, 60, 66, 28, 3, 60, 54, 76, 28, 10, 12, 6,
        16, 4,
    ];
    // Control bytes are rare, but the edges of a value pass for one.
    const OTHERS: [(u8, u8); 25] = [
        (0, 24),
        (b'0', 150),
        (b' ', 60),
        (b'\n', 6),
        (0x80, 6),
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
    let mut often = [1; CLASSES];
    let mut letter = 0;
    while letter < LETTERS.len() {
        often[letter] = LETTERS[letter];
        letter += 1;
    }
    let mut at = 0;
    while at < OTHERS.len() {
        let (byte, count) = OTHERS[at];
        often[ClassSet::class_of(byte) as usize] = count;
        at += 1;
    }
    often
}

/// How much more often, or more rarely, a letter follows another than it would by chance: 16 is by
/// chance. Classes that are no letters follow anything by chance.
///
/// Counted over English prose, licences, change logs and source code, 15 million bytes: without it
/// `ing` would be taken for a rare thing to wait for.
pub(super) fn affinity(class: u8, next: u8) -> u64 {
    #[rustfmt::skip]
    const OF_LETTERS: [[u8; 26]; 26] = [
        [1, 37, 21, 23, 1, 4, 22, 1, 9, 7, 41, 38, 29, 53, 0, 16, 6, 33, 19, 33, 16, 29, 4, 8, 16, 9],
        [13, 5, 7, 4, 19, 6, 11, 4, 39, 94, 2, 59, 4, 0, 16, 4, 5, 13, 10, 2, 94, 1, 1, 36, 86, 41],
        [19, 6, 11, 2, 18, 3, 1, 73, 6, 7, 115, 26, 4, 0, 62, 3, 10, 9, 3, 18, 17, 20, 1, 2, 43, 10],
        [19, 8, 3, 18, 39, 5, 2, 3, 29, 12, 8, 4, 3, 1, 17, 2, 3, 6, 6, 1, 11, 5, 2, 1, 5, 1],
        [10, 21, 16, 36, 3, 12, 6, 1, 1, 5, 3, 14, 17, 29, 1, 11, 79, 36, 28, 8, 1, 27, 20, 65, 7, 5],
        [11, 3, 2, 3, 8, 30, 1, 0, 56, 1, 0, 9, 1, 1, 47, 1, 4, 26, 5, 13, 20, 1, 0, 1, 16, 0],
        [6, 2, 12, 2, 38, 3, 5, 42, 13, 3, 0, 9, 9, 18, 6, 14, 2, 16, 8, 3, 19, 2, 4, 1, 1, 24],
        [44, 1, 0, 1, 64, 1, 0, 1, 25, 2, 3, 2, 2, 1, 24, 1, 1, 5, 1, 17, 13, 0, 2, 0, 4, 1],
        [14, 46, 30, 11, 5, 20, 32, 0, 0, 7, 11, 32, 23, 61, 24, 8, 8, 6, 28, 26, 7, 24, 0, 71, 0, 80],
        [64, 7, 13, 7, 28, 4, 3, 2, 10, 11, 7, 2, 6, 2, 36, 23, 108, 1, 13, 4, 102, 2, 28, 1, 1, 3],
        [28, 3, 2, 3, 43, 5, 24, 5, 20, 3, 5, 16, 5, 3, 11, 6, 6, 2, 24, 4, 12, 1, 22, 2, 5, 10],
        [21, 2, 2, 19, 34, 8, 4, 1, 53, 2, 4, 37, 2, 1, 24, 4, 1, 1, 10, 7, 17, 15, 2, 1, 41, 17],
        [48, 18, 3, 4, 34, 0, 1, 0, 23, 4, 5, 8, 25, 1, 27, 58, 1, 0, 9, 1, 12, 1, 1, 4, 8, 1],
        [10, 2, 25, 47, 13, 15, 74, 2, 8, 8, 22, 3, 2, 2, 15, 2, 4, 0, 27, 24, 15, 12, 1, 1, 18, 5],
        [2, 8, 13, 14, 1, 52, 9, 1, 2, 13, 17, 13, 45, 55, 5, 34, 1, 55, 11, 10, 31, 54, 44, 4, 1, 9],
        [33, 1, 4, 12, 22, 2, 9, 8, 9, 0, 21, 36, 2, 1, 25, 30, 8, 37, 16, 14, 23, 2, 1, 1, 85, 1],
        [1, 1, 1, 2, 2, 3, 0, 0, 3, 3, 0, 39, 1, 1, 0, 3, 17, 3, 3, 9, 255, 4, 1, 1, 0, 1],
        [20, 3, 11, 7, 38, 4, 46, 0, 26, 1, 24, 3, 18, 5, 22, 5, 3, 7, 15, 11, 11, 10, 5, 0, 35, 5],
        [6, 1, 8, 2, 27, 2, 2, 18, 18, 1, 11, 4, 5, 1, 13, 10, 32, 3, 14, 35, 19, 4, 4, 1, 21, 12],
        [19, 1, 7, 2, 21, 2, 1, 126, 29, 8, 8, 4, 3, 1, 23, 7, 1, 17, 9, 6, 10, 0, 22, 3, 27, 15],
        [4, 32, 11, 12, 7, 5, 23, 0, 12, 4, 8, 33, 41, 33, 1, 57, 0, 37, 35, 30, 1, 1, 0, 22, 0, 24],
        [33, 1, 5, 0, 98, 1, 4, 0, 39, 0, 2, 1, 12, 1, 7, 1, 3, 1, 2, 0, 2, 1, 0, 4, 1, 0],
        [53, 1, 1, 1, 16, 1, 3, 67, 64, 0, 14, 3, 1, 5, 17, 0, 2, 10, 7, 1, 1, 0, 30, 1, 0, 2],
        [9, 4, 35, 3, 18, 8, 2, 4, 11, 1, 6, 3, 19, 0, 2, 70, 3, 1, 5, 31, 4, 5, 2, 32, 8, 61],
        [4, 2, 3, 1, 2, 1, 3, 1, 3, 6, 2, 5, 16, 3, 15, 32, 6, 23, 17, 9, 3, 1, 4, 0, 2, 18],
        [31, 4, 2, 5, 54, 3, 3, 14, 26, 11, 5, 28, 20, 4, 22, 1, 0, 1, 4, 1, 7, 1, 4, 3, 18, 255],
    ];
    let row = OF_LETTERS.get(usize::from(class));
    let entry = row.and_then(|row| row.get(usize::from(next)));
    // A pair that was never counted may still occur.
    entry.map_or(CHANCE, |&entry| u64::from(entry.max(1)))
}

/// What [`affinity`] is where one class says nothing about the next.
pub(super) const CHANCE: u64 = 16;
