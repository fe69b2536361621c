//! `t:replaceComments`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};

pub(super) const DEF: Def = Def {
    name: "replaceComments",
    aliases: &[],
    summary: "Replaces each C-style comment by a space.",
    spec: "ModSecurity manual, v2: runs are not compressed; an unterminated comment, to the end of \
        the value, is one space too; the end mark of a comment alone is kept.",
    examples: &[
        example(b"a/* x */b /**//*y", b"a b   "),
        example(b"a */ b", b"a */ b"),
    ],
    acts_on: ActsOn::bytes(b"/"),
    makes: Makes::also(b" "),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        rest = match parts::copy_until(rest, output, |byte| byte == b'/') {
            [] => return parts::compare(input, output),
            [_, b'*', comment @ ..] => {
                output.push(b' ');
                after_end(comment)
            }
            [slash, after @ ..] => {
                output.push(*slash);
                after
            }
        };
    }
}

/// What follows the end of the comment; nothing if it does not end.
fn after_end(mut comment: &[u8]) -> &[u8] {
    loop {
        comment = match comment {
            [] => return comment,
            [b'*', b'/', after @ ..] => return after,
            [_, after @ ..] => after,
        };
    }
}
