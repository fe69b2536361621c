//! `t:removeComments`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};

pub(super) const DEF: Def = Def {
    name: "removeComments",
    aliases: &[],
    summary: "Deletes comments of C, HTML, SQL and shells.",
    spec: "v2's code: a C-style or HTML comment ends at the first end mark of either kind, and an \
        unterminated one becomes a space; -- and # cut off the rest; a comment at the very end of \
        the value leaves a NUL. v2 copies the byte after a comment unseen, so that a second \
        comment right behind the first one survives: here it is looked at.",
    examples: &[
        example(b"a/* x */b <!-- y --> c -- d", b"ab  c "),
        example(b"a/*", b"a "),
        example(b"a/**/", b"a\0"),
        example(b"/**//**/#", b""),
    ],
    acts_on: ActsOn::bytes(b"/<-#"),
    makes: Makes::also(b" \0"),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        rest = match parts::copy_until(rest, output, |byte| {
            matches!(byte, b'/' | b'<' | b'-' | b'#')
        }) {
            [] | [b'#', ..] | [b'-', b'-', ..] => return parts::compare(input, output),
            [b'/', b'*', comment @ ..] | [b'<', b'!', b'-', b'-', comment @ ..] => {
                let after = after_end(comment);
                match after {
                    None => output.push(b' '),
                    // v2 copies the terminator of the string.
                    Some([]) => output.push(0),
                    Some(_) => {}
                }
                after.unwrap_or_default()
            }
            [byte, after @ ..] => {
                output.push(*byte);
                after
            }
        };
    }
}

/// What follows the end of the comment, if it ends.
fn after_end(mut comment: &[u8]) -> Option<&[u8]> {
    loop {
        comment = match comment {
            [] => return None,
            [b'*', b'/', after @ ..] | [b'-', b'-', b'>', after @ ..] => return Some(after),
            [_, after @ ..] => after,
        };
    }
}
