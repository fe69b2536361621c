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
    let (before, after) = split_while(rest, |byte| !stop(byte));
    output.extend_from_slice(before);
    after
}

/// The bytes at the start that are of a kind, and the rest.
pub(super) fn split_while(text: &[u8], is_kind: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|&byte| !is_kind(byte))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

/// Deletes some bytes.
pub(super) fn delete(input: &[u8], output: &mut Vec<u8>, doomed: impl Fn(u8) -> bool) -> Outcome {
    let rest = copy_until(input, output, &doomed);
    if rest.is_empty() {
        return Outcome::Unchanged;
    }
    // Every byte is written, the doomed ones are written over: no branch for each.
    let before = output.len();
    output.extend_from_slice(rest);
    let mut end = before;
    for &byte in rest {
        if let Some(place) = output.get_mut(end) {
            *place = byte;
        }
        end = end.saturating_add(usize::from(!doomed(byte)));
    }
    output.truncate(end);
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
    let low = hex_byte(c, d)?;
    Some(match (hex_byte(a, b)?, low) {
        (0xFF, 0x01..=0x5E) => low.wrapping_add(0x20),
        _ => low,
    })
}

/// The low byte of the number that the octal digits at the start of a text spell, at most so many,
/// and what follows them.
pub(super) fn octal(text: &[u8], most: usize) -> (u8, &[u8]) {
    let mut rest = text;
    let mut value = 0;
    for _ in 0..most {
        let [first, after @ ..] = rest else { break };
        let Some(digit) = octal_digit(*first) else {
            break;
        };
        value = value << 3 | digit;
        rest = after;
    }
    (value, rest)
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
