//! `t:base64Decode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Outcome};

pub(super) const DEF: Def = Def {
    name: "base64Decode",
    aliases: &[],
    summary: "Decodes base64 up to the first byte that is no digit of it.",
    spec: "v2: padding, blanks and NUL end the text like any other foreign byte; a last group of \
        two or three digits gives one or two bytes. v3 takes the whole value or nothing.",
    examples: &[
        example(b"VGVzdENhc2U=", b"TestCase"),
        example(b"VGVz dA==", b"Tes"),
        example(b"-", b""),
    ],
    acts_on: ActsOn::NOT_EMPTY,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    decode(input.iter().map_while(|&byte| sextet(byte)), output);
    parts::compare(input, output)
}

/// Writes the bytes that the six-bit groups make up; bits that fill no byte are dropped.
pub(super) fn decode(sextets: impl Iterator<Item = u8>, output: &mut Vec<u8>) {
    // The bits not yet written, a marker bit above them.
    let mut pending = 1_u16;
    for sextet in sextets {
        pending = pending << 6 | u16::from(sextet);
        let left = match pending {
            0x100..=0x1FF => 0,
            0x400..=0x7FF => 2,
            0x1000..=0x1FFF => 4,
            _ => continue,
        };
        let [_, byte] = (pending >> left).to_be_bytes();
        output.push(byte);
        // The marker moves down above the bits that are left.
        pending = match left {
            4 => 0x10 | pending & 0x0F,
            2 => 0x04 | pending & 0x03,
            _ => 1,
        };
    }
}

/// The value of a digit of base64.
pub(super) const fn sextet(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit.wrapping_sub(b'A'),
        b'a'..=b'z' => digit.wrapping_sub(b'a' - 26),
        b'0'..=b'9' => digit.wrapping_add(52 - b'0'),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}
