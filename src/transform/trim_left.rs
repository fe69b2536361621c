//! `t:trimLeft`.

use super::def::example;
use super::trim;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "trimLeft",
    aliases: &[],
    summary: "Cuts blanks off the start.",
    spec: "ModSecurity manual, v2; a blank is C's isspace.",
    examples: &[example(b"\t a b ", b"a b ")],
    acts_on: ActsOn::classes(ClassSet::SPACES),
    makes: Makes::SAME,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    trim::cut(input, trim::trim_start(input), output)
}
