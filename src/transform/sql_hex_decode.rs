//! `t:sqlHexDecode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::hex_byte;

pub(super) const DEF: Def = Def {
    name: "sqlHexDecode",
    aliases: &[],
    summary: "Decodes hexadecimal literals of SQL such as 0x414243.",
    spec: "v2's code: 0x or 0X and at least one pair of digits; an odd last digit stays. v2 stops \
        at NUL, here decoding goes on.",
    examples: &[
        example(b"0x414243", b"ABC"),
        example(b"id=0X4142c or 0xg", b"id=ABc or 0xg"),
    ],
    acts_on: ActsOn::bytes(b"x"),
    makes: Makes::decodes(b"x"),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        rest = match parts::copy_until(rest, output, |byte| byte == b'0') {
            [] => break,
            [b'0', b'x' | b'X', digits @ ..] if pair(digits).is_some() => {
                let mut digits = digits;
                while let Some((byte, after)) = pair(digits) {
                    output.push(byte);
                    digits = after;
                }
                digits
            }
            [first, after @ ..] => {
                output.push(*first);
                after
            }
        };
    }
    parts::compare(input, output)
}

fn pair(digits: &[u8]) -> Option<(u8, &[u8])> {
    match digits {
        [high, low, after @ ..] => Some((hex_byte(*high, *low)?, after)),
        _ => None,
    }
}
