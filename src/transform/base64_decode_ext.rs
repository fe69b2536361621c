//! `t:base64DecodeExt`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::base64::{decode_sextets, sextet};

pub(super) const DEF: Def = Def {
    name: "base64DecodeExt",
    aliases: &[],
    summary: "Decodes base64 and skips every byte that is no digit of it.",
    spec: "v2: padding and foreign bytes are skipped wherever they stand. v2 stops at NUL, which \
        is skipped here. Coraza reads - and _ for + and /.",
    examples: &[
        example(b"P.HNj\0cm lw=dD4=", b"<script>"),
        example(b"!", b""),
    ],
    acts_on: ActsOn::NOT_EMPTY,
    makes: Makes::ANYTHING,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    decode_sextets(input.iter().filter_map(|&byte| sextet(byte)), output);
    parts::compare(input, output)
}
