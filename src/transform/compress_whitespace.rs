//! `t:compressWhitespace`.

use super::def::example;
use super::parts;
use super::remove_whitespace::is_blank;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "compressWhitespace",
    aliases: &[],
    summary: "Turns each run of blanks, and each single blank, into one space.",
    spec: "v2's code: blanks are C's isspace and the byte 0xA0 (v3 leaves 0xA0 out).",
    examples: &[example(b"a \t\r\n b\xA0c", b"a b c"), example(b"\t", b" ")],
    acts_on: ActsOn::classes(ClassSet::SPACES.union(ClassSet::HIGH)),
    makes: Makes::also(b" "),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut after_blank = false;
    let changes = |byte: &u8| {
        let blank = is_blank(*byte);
        let changes = blank && (after_blank || *byte != b' ');
        after_blank = blank;
        changes
    };
    if !input.iter().any(changes) {
        return Outcome::Unchanged;
    }
    let mut rest = parts::copy_until(input, output, is_blank);
    while !rest.is_empty() {
        output.push(b' ');
        let (_, after) = parts::split_while(rest, is_blank);
        rest = parts::copy_until(after, output, is_blank);
    }
    Outcome::Changed
}
