//! `t:urlDecode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::{ClassSet, hex_byte};

pub(super) const DEF: Def = Def {
    name: "urlDecode",
    aliases: &[],
    summary: "Decodes %HH and turns + into a space.",
    spec: "ModSecurity manual, v2: a percent sign without two hexadecimal digits is kept, and \
        decoding goes on at the byte after it.",
    examples: &[
        example(b"a+b%20c%2F", b"a b c/"),
        example(b"%%20%0g%", b"% %0g%"),
    ],
    acts_on: ActsOn::bytes(b"%+"),
    makes: Makes {
        adds: ClassSet::of(b" "),
        ..Makes::decodes(b"%")
    },
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        rest = step(parts::copy_until(rest, output, is_special), output);
        if rest.is_empty() {
            return parts::compare(input, output);
        }
    }
}

/// The bytes that [`step`] wants to see.
pub(super) fn is_special(byte: u8) -> bool {
    matches!(byte, b'%' | b'+')
}

/// Decodes the plus or percent sign that the text starts with and returns what follows it.
pub(super) fn step<'a>(text: &'a [u8], output: &mut Vec<u8>) -> &'a [u8] {
    let (byte, after) = match text {
        [] => return text,
        [b'+', after @ ..] => (b' ', after),
        [first, after @ ..] => match after {
            [high, low, after @ ..] if let Some(byte) = hex_byte(*high, *low) => (byte, after),
            _ => (*first, after),
        },
    };
    output.push(byte);
    after
}
