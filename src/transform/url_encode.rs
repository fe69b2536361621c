//! `t:urlEncode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::{ClassSet, hex_digits};

pub(super) const DEF: Def = Def {
    name: "urlEncode",
    aliases: &[],
    summary: "Writes a space as + and every byte but letters, digits and * as %hh.",
    spec: "ModSecurity manual, v2; lower-case digits.",
    examples: &[example(b"a b/*\xFF", b"a+b%2f*%ff")],
    acts_on: ActsOn::classes(
        ClassSet::ALL
            .without(ClassSet::LETTERS)
            .without(ClassSet::DIGITS)
            .without(ClassSet::of(b"*")),
    ),
    makes: Makes {
        adds: ClassSet::LETTERS.union(ClassSet::DIGITS).union(ClassSet::of(b"%+")),
        ..Makes::SAME
    },
    growth: Growth::factor(3),
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    for &byte in input {
        match byte {
            b' ' => output.push(b'+'),
            b'*' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => output.push(byte),
            _ => {
                let [high, low] = hex_digits(byte);
                output.extend_from_slice(&[b'%', high, low]);
            }
        }
    }
    parts::compare(input, output)
}
