//! `t:trimRight`.

use super::def::example;
use super::trim;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "trimRight",
    aliases: &[],
    summary: "Cuts blanks off the end.",
    spec: "ModSecurity manual, v2; a blank is C's isspace.",
    examples: &[example(b" a b \r\n", b" a b")],
    acts_on: ActsOn::classes(ClassSet::SPACES),
    makes: Makes::SAME,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    trim::cut(input, trim::trim_end(input), output)
}
