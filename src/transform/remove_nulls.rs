//! `t:removeNulls`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};

pub(super) const DEF: Def = Def {
    name: "removeNulls",
    aliases: &[],
    summary: "Deletes NUL bytes.",
    spec: "ModSecurity manual, v2.",
    examples: &[example(b"a\0b\0", b"ab")],
    acts_on: ActsOn::bytes(b"\0"),
    makes: Makes::SAME,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    parts::delete(input, output, |byte| byte == 0)
}
