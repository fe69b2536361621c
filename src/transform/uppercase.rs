//! `t:uppercase`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "uppercase",
    aliases: &[],
    summary: "Turns the letters a to z to upper case.",
    spec: "v3 (v2 has none); ASCII only.",
    examples: &[example(b"abc\xE3 1", b"ABC\xE3 1")],
    acts_on: ActsOn::classes(ClassSet::LETTERS),
    makes: Makes::SAME,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    parts::map(input, output, |byte| byte.to_ascii_uppercase())
}
