//! `t:lowercase`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "lowercase",
    aliases: &[],
    summary: "Turns the letters A to Z to lower case.",
    spec: "ModSecurity manual; ASCII only, as v2 and v3.",
    examples: &[example(b"ABC\xC3 1", b"abc\xC3 1")],
    acts_on: ActsOn {
        classes: ClassSet::EMPTY,
        alone: ClassSet::EMPTY,
        upper: true,
        empty: false,
    },
    makes: Makes::SAME,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    parts::map(input, output, |byte| byte.to_ascii_lowercase())
}
