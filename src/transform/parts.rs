//! Moves that several transformations share.

use super::Outcome;
use crate::bytes::{hex_byte, octal_digit};

/// The outcome of a transformation that wrote its whole output: changed if it differs.
pub(super) fn compare(input: &[u8], output: &[u8]) -> Outcome {
    if input == output {
        Outcome::Unchanged
    } else {
        Outcome::Changed
    }
}

/// Copies what stands before the first byte that `stop` wants to see; the rest starts with that
/// byte or is empty.
pub(super) fn copy_until<'a>(
    rest: &'a [u8],
    output: &mut Vec<u8>,
    stop: impl Fn(u8) -> bool,
) -> &'a [u8] {
    let at = rest
        .iter()
        .position(|&byte| stop(byte))
        .unwrap_or(rest.len());
    let (before, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
    output.extend_from_slice(before);
    after
}

/// Deletes some bytes.
pub(super) fn delete(input: &[u8], output: &mut Vec<u8>, doomed: impl Fn(u8) -> bool) -> Outcome {
    let rest = copy_until(input, output, &doomed);
    if rest.is_empty() {
        return Outcome::Unchanged;
    }
    output.extend(rest.iter().copied().filter(|&byte| !doomed(byte)));
    Outcome::Changed
}

/// Replaces each byte by the one that a function has for it.
pub(super) fn map(input: &[u8], output: &mut Vec<u8>, to: impl Fn(u8) -> u8) -> Outcome {
    if input.iter().all(|&byte| to(byte) == byte) {
        return Outcome::Unchanged;
    }
    output.extend(input.iter().map(|&byte| to(byte)));
    Outcome::Changed
}

/// The byte that four hexadecimal digits stand for: the low one of the two they spell; for a
/// full-width form (U+FF01 to U+FF5E) its ASCII counterpart, as v2 and v3 do.
pub(super) fn code_unit([a, b, c, d]: [u8; 4]) -> Option<u8> {
    Some(narrow(hex_byte(a, b)?, hex_byte(c, d)?))
}

/// The ASCII counterpart of a full-width form, else the low byte.
pub(super) fn narrow(high: u8, low: u8) -> u8 {
    match (high, low) {
        (0xFF, 0x01..=0x5E) => low.wrapping_add(0x20),
        _ => low,
    }
}

/// The octal digits, at most three, at the start of a text.
pub(super) fn octal_digits(text: &[u8]) -> &[u8] {
    let count = text
        .iter()
        .take(3)
        .take_while(|&&byte| octal_digit(byte).is_some())
        .count();
    text.get(..count).unwrap_or_default()
}

/// The value of octal digits, its low eight bits.
pub(super) fn octal_value(digits: &[u8]) -> u8 {
    digits
        .iter()
        .filter_map(|&digit| octal_digit(digit))
        .fold(0, |value, digit| value << 3 | digit)
}

/// The byte that an escape letter of C stands for (`\a`, `\b`, `\f`, `\n`, `\r`, `\t`, `\v`).
pub(super) fn control_letter(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0C,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0B,
        _ => return None,
    })
}
