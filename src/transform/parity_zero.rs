//! `t:parityZero7bit`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "parityZero7bit",
    aliases: &[],
    summary: "Clears the eighth bit of each byte.",
    spec: "ModSecurity manual, v2.",
    examples: &[example(b"a\xE1\x80", b"aa\0")],
    acts_on: ActsOn::classes(ClassSet::HIGH),
    makes: Makes::decodes(b"\xFF"),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    parts::map(input, output, |byte| byte & 0x7F)
}
