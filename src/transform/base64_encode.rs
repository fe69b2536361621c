//! `t:base64Encode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::{ClassSet, base64};

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
    base64::encode(input, output);
    parts::compare(input, output)
}
