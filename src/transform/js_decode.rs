//! `t:jsDecode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::hex_byte;

pub(super) const DEF: Def = Def {
    name: "jsDecode",
    aliases: &[],
    summary: "Decodes the escapes of JavaScript strings.",
    spec: "v2's code: \\uHHHH gives the low byte, a full-width form (FF01 to FF5E) its ASCII \
        counterpart; \\xHH; octal of up to three digits, of two where three would exceed a byte; \
        the control letters a b f n r t v; any other escaped byte stands for itself; a backslash \
        at the end is kept.",
    examples: &[
        example(b"\\x41\\u0042\\uff23\\104\\n\\/", b"ABCD\n/"),
        example(b"\\4011\\x4\\u004\\", b" 11x4u004\\"),
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
        [b'u', a, b, c, d, after @ ..] if let Some(byte) = parts::code_unit([*a, *b, *c, *d]) => {
            (byte, after)
        }
        [b'x', high, low, after @ ..] if let Some(byte) = hex_byte(*high, *low) => (byte, after),
        [b'0'..=b'3', ..] => parts::octal(escape, 3),
        // A third digit would not fit the byte.
        [b'4'..=b'7', ..] => parts::octal(escape, 2),
        [letter, after @ ..] => (parts::control_letter(*letter).unwrap_or(*letter), after),
        [] => (b'\\', escape),
    }
}
