//! `t:removeCommentsChar`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};

pub(super) const DEF: Def = Def {
    name: "removeCommentsChar",
    aliases: &[],
    summary: "Deletes the marks of comments, not what stands in them.",
    spec: "v2's code: the begin and end marks of C-style and HTML comments, -- and #; one pass, so \
        that marks which come together by a deletion stay.",
    examples: &[
        example(b"a/* b */<!--c-->--d#", b"a b cd"),
        example(b"/-- *", b"/ *"),
    ],
    acts_on: ActsOn::bytes(b"/<-#"),
    makes: Makes::SAME,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        rest = match parts::copy_until(rest, output, |byte| {
            matches!(byte, b'/' | b'*' | b'<' | b'-' | b'#')
        }) {
            [] => return parts::compare(input, output),
            [b'<', b'!', b'-', b'-', after @ ..]
            | [b'-', b'-', b'>', after @ ..]
            | [b'/', b'*', after @ ..]
            | [b'*', b'/', after @ ..]
            | [b'-', b'-', after @ ..]
            | [b'#', after @ ..] => after,
            [byte, after @ ..] => {
                output.push(*byte);
                after
            }
        };
    }
}
