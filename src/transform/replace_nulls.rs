//! `t:replaceNulls`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};

pub(super) const DEF: Def = Def {
    name: "replaceNulls",
    aliases: &[],
    summary: "Replaces NUL bytes by spaces.",
    spec: "ModSecurity manual, v2.",
    examples: &[example(b"a\0b\0", b"a b ")],
    acts_on: ActsOn::bytes(b"\0"),
    makes: Makes::also(b" "),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    parts::map(input, output, |byte| if byte == 0 { b' ' } else { byte })
}
