//! `t:base64Encode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "base64Encode",
    aliases: &[],
    summary: "Encodes to base64, padded.",
    spec: "ModSecurity manual, v2; RFC 4648.",
    examples: &[
        example(b"a\0", b"YQA="),
        example(b"TestCase1", b"VGVzdENhc2Ux"),
    ],
    acts_on: ActsOn::NOT_EMPTY,
    makes: Makes::only(ClassSet::LETTERS.union(ClassSet::DIGITS).union(ClassSet::of(b"+/="))),
    growth: Growth {
        factor: 2,
        extra: 2,
    },
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    for group in input.chunks(3) {
        let (bytes, digits) = match *group {
            [a, b, c] => ([0, a, b, c], 4),
            [a, b] => ([0, a, b, 0], 3),
            [a] => ([0, a, 0, 0], 2),
            _ => continue,
        };
        let bits = u32::from_be_bytes(bytes);
        let sextets = [bits >> 18, bits >> 12, bits >> 6, bits].map(digit);
        output.extend_from_slice(sextets.get(..digits).unwrap_or_default());
        output.extend(std::iter::repeat_n(b'=', 4_usize.saturating_sub(digits)));
    }
    parts::compare(input, output)
}

/// The digit for the low six bits.
fn digit(bits: u32) -> u8 {
    const DIGITS: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    usize::try_from(bits & 0x3F)
        .ok()
        .and_then(|at| DIGITS.get(at))
        .copied()
        .unwrap_or_default()
}
