//! `t:cssDecode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::{hex_byte, is_space};

pub(super) const DEF: Def = Def {
    name: "cssDecode",
    aliases: &[],
    summary: "Decodes the escapes of style sheets.",
    spec: "v2's code: a backslash and one to six hexadecimal digits give the byte of the last two, \
        a full-width form (FF01 to FF5E, also with zeros before it) its ASCII counterpart, and one \
        blank after the digits is eaten; an escaped line feed vanishes; any other escaped byte \
        stands for itself; a backslash at the end is dropped. Unlike v2, but as the SecLang \
        language tests have it, an escaped NUL eats a blank too. Coraza gives the code point in \
        UTF-8.",
    examples: &[
        example(b"\\41 \\00ff22\\00004 3", b"AB\x043"),
        example(b"a\\\nb\\z\\", b"abz"),
        example(b"\\\0  a", b"\0 a"),
    ],
    acts_on: ActsOn::bytes(b"\\"),
    makes: Makes::decodes(b"\\"),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        let escape = match parts::copy_until(rest, output, |byte| byte == b'\\') {
            [] => return parts::compare(input, output),
            [_, escape @ ..] => escape,
        };
        let count = escape
            .iter()
            .take(6)
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let (digits, after) = escape.split_at_checked(count).unwrap_or((&[], escape));
        rest = match (digits, after) {
            ([], []) => after,
            ([], [b'\n', after @ ..]) => after,
            // Written out, the escape of NUL is `\0` and a blank: one goes with the raw one too.
            ([], [0, after @ ..]) => {
                output.push(0);
                skip_blank(after)
            }
            ([], [byte, after @ ..]) => {
                output.push(*byte);
                after
            }
            (digits, after) => {
                output.push(value(digits));
                skip_blank(after)
            }
        };
    }
}

/// What follows the blank that ends an escape, if one is there.
fn skip_blank(text: &[u8]) -> &[u8] {
    match text {
        [blank, after @ ..] if is_space(*blank) => after,
        _ => text,
    }
}

/// The byte that one to six hexadecimal digits stand for.
fn value(digits: &[u8]) -> u8 {
    let byte = match digits {
        [low] => hex_byte(b'0', *low),
        [a, b, c, d] | [b'0', a, b, c, d] | [b'0', b'0', a, b, c, d] => {
            parts::code_unit([*a, *b, *c, *d])
        }
        [.., high, low] => hex_byte(*high, *low),
        [] => None,
    };
    byte.unwrap_or_default()
}
