//! `t:length`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "length",
    aliases: &[],
    summary: "Replaces the value by its length in bytes, in decimal.",
    spec: "ModSecurity manual, v2.",
    examples: &[example(b"", b"0"), example(b"0123456789abcdef", b"16")],
    acts_on: ActsOn::ANY,
    makes: Makes::only(ClassSet::DIGITS),
    growth: Growth {
        factor: 1,
        extra: 1,
    },
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    output.extend_from_slice(input.len().to_string().as_bytes());
    parts::compare(input, output)
}
