//! `t:trim`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::{ClassSet, is_space};

pub(super) const DEF: Def = Def {
    name: "trim",
    aliases: &[],
    summary: "Cuts blanks off both ends.",
    spec: "ModSecurity manual, v2; a blank is C's isspace.",
    examples: &[example(b"\t a b \r\n", b"a b"), example(b"\x0B\x0C", b"")],
    acts_on: ActsOn::classes(ClassSet::SPACES),
    makes: Makes::SAME,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    cut(input, trim_start(trim_end(input)), output)
}

/// Writes what was left of the input if a blank was cut off.
pub(super) fn cut(input: &[u8], left: &[u8], output: &mut Vec<u8>) -> Outcome {
    if left.len() == input.len() {
        return Outcome::Unchanged;
    }
    output.extend_from_slice(left);
    Outcome::Changed
}

pub(super) fn trim_start(text: &[u8]) -> &[u8] {
    parts::split_while(text, is_space).1
}

pub(super) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text
        && is_space(*last)
    {
        text = rest;
    }
    text
}
