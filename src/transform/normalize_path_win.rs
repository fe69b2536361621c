//! `t:normalizePathWin`.

use super::def::example;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;
use super::{normalize_path, parts};

pub(super) const DEF: Def = Def {
    name: "normalizePathWin",
    aliases: &["normalisePathWin"],
    summary: "Turns backslashes into slashes, then resolves the path as t:normalizePath does.",
    spec: "ModSecurity manual, v2. Coraza strips stream names and trailing dots as well.",
    examples: &[
        example(b"\\a\\..\\b/c\\\\", b"/b/c/"),
        example(b"..\\x", b"../x"),
    ],
    acts_on: ActsOn {
        alone: ClassSet::of(b"."),
        ..ActsOn::bytes(b"/\\")
    },
    makes: Makes::also(b"/."),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    normalize_path::resolve(input, output, |byte| matches!(byte, b'/' | b'\\'));
    parts::compare(input, output)
}
