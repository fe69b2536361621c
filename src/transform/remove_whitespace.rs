//! `t:removeWhitespace`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::{ClassSet, is_space};

pub(super) const DEF: Def = Def {
    name: "removeWhitespace",
    aliases: &[],
    summary: "Deletes blanks.",
    spec: "ModSecurity manual, v2: C's isspace and the byte 0xA0 (v3 deletes 0xC2 as well).",
    examples: &[example(b" a\x0B b\xC2\xA0c\r\n", b"ab\xC2c")],
    acts_on: ActsOn::classes(ClassSet::SPACES.union(ClassSet::HIGH)),
    makes: Makes {
        loses: ClassSet::SPACES,
        ..Makes::SAME
    },
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    parts::delete(input, output, is_blank)
}

/// A blank of C's `isspace`, or the no-break space of ISO 8859-1.
pub(super) fn is_blank(byte: u8) -> bool {
    is_space(byte) || byte == 0xA0
}
