//! `t:base64Decode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::base64::{decode_sextets, sextet};

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
    makes: Makes::ANYTHING,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    decode_sextets(input.iter().map_while(|&byte| sextet(byte)), output);
    parts::compare(input, output)
}
