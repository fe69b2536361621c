//! `t:hexEncode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::{ClassSet, hex_digits};

pub(super) const DEF: Def = Def {
    name: "hexEncode",
    aliases: &[],
    summary: "Writes each byte as two lower-case hexadecimal digits.",
    spec: "ModSecurity manual, v2.",
    examples: &[example(b"Aj\0\xFF", b"416a00ff")],
    acts_on: ActsOn::NOT_EMPTY,
    makes: Makes::only(ClassSet::LETTERS.union(ClassSet::DIGITS)),
    growth: Growth::factor(2),
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    output.extend(input.iter().flat_map(|&byte| hex_digits(byte)));
    parts::compare(input, output)
}
