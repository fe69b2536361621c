//! `t:hexDecode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};

pub(super) const DEF: Def = Def {
    name: "hexDecode",
    aliases: &[],
    summary: "Turns each two bytes, taken for hexadecimal digits, into one.",
    spec: "v2's code: nobody checks that the bytes are digits, so that other bytes give garbage by \
        v2's arithmetic (a byte from A on counts as a letter, the others by their distance from \
        0); an odd last byte is dropped. Coraza leaves a malformed value as it is.",
    examples: &[example(b"416A00ff", b"Aj\0\xFF"), example(b"0z1", b"#")],
    acts_on: ActsOn::NOT_EMPTY,
    makes: Makes::ANYTHING,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    output.extend(input.chunks_exact(2).map(|pair| match pair {
        [high, low] => nibble(*high).wrapping_mul(16).wrapping_add(nibble(*low)),
        _ => 0,
    }));
    parts::compare(input, output)
}

/// What v2 takes a byte's value to be; right for digits, defined for all.
fn nibble(digit: u8) -> u8 {
    if digit >= b'A' {
        // Clearing bit 5 folds the case of letters.
        (digit & 0xDF).wrapping_sub(b'A').wrapping_add(10)
    } else {
        digit.wrapping_sub(b'0')
    }
}
