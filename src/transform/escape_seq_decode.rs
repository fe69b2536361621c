//! `t:escapeSeqDecode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::hex_byte;

pub(super) const DEF: Def = Def {
    name: "escapeSeqDecode",
    aliases: &[],
    summary: "Decodes the escapes of C strings.",
    spec: "v2's code: the control letters a b f n r t v; \\xHH and \\XHH; octal of up to three \
        digits, its low byte; of any other escape the backslash is dropped; a backslash at the end \
        is kept.",
    examples: &[
        example(b"\\x41\\102\\n\\\\\\?", b"AB\n\\?"),
        example(b"\\777\\xg\\", b"\xFFxg\\"),
    ],
    acts_on: ActsOn::bytes(b"\\"),
    makes: Makes::decodes(b"\\"),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        let byte;
        (byte, rest) = match parts::copy_until(rest, output, |byte| byte == b'\\') {
            [] => return parts::compare(input, output),
            [_, escape @ ..] => decode(escape),
        };
        output.push(byte);
    }
}

/// What the text after a backslash stands for, and what follows the escape.
fn decode(escape: &[u8]) -> (u8, &[u8]) {
    match escape {
        [b'x' | b'X', high, low, after @ ..] if let Some(byte) = hex_byte(*high, *low) => {
            (byte, after)
        }
        [b'0'..=b'7', ..] => parts::octal(escape, 3),
        [letter, after @ ..] => (parts::control_letter(*letter).unwrap_or(*letter), after),
        [] => (b'\\', escape),
    }
}
