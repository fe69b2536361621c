//! `t:urlDecodeUni`.

use super::def::example;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome, UnicodeMap};
use super::{parts, url_decode};
use crate::bytes::{ClassSet, hex_byte};

pub(super) const DEF: Def = Def {
    name: "urlDecodeUni",
    aliases: &[],
    summary: "Decodes %HH and Microsoft's %uHHHH, and turns + into a space.",
    spec: "ModSecurity manual, v2: %u is looked up in the map of SecUnicodeMapFile; without an \
        entry there it is the low byte, and a full-width form (FF01 to FF5E) its ASCII \
        counterpart. %u without four hexadecimal digits is kept.",
    examples: &[
        example(b"a+b%20c%u0053%U0061", b"a b cSa"),
        example(b"%uff21%u1141%u00g0%2", b"AA%u00g0%2"),
    ],
    acts_on: ActsOn::bytes(b"%+"),
    makes: Makes {
        adds: ClassSet::of(b" "),
        ..Makes::decodes(b"%")
    },
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, context: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        rest = match parts::copy_until(rest, output, url_decode::is_special) {
            [] => return parts::compare(input, output),
            [percent @ b'%', u @ (b'u' | b'U'), after @ ..] => match after {
                [a, b, c, d, after @ ..]
                    if let Some(byte) = decode([*a, *b, *c, *d], context.unicode_map) =>
                {
                    output.push(byte);
                    after
                }
                _ => {
                    output.extend_from_slice(&[*percent, *u]);
                    after
                }
            },
            text => url_decode::step(text, output),
        };
    }
}

fn decode(digits: [u8; 4], map: Option<&UnicodeMap>) -> Option<u8> {
    let low_byte = parts::code_unit(digits)?;
    let mapped = map.and_then(|map| {
        let [a, b, c, d] = digits;
        map.byte(u16::from_be_bytes([hex_byte(a, b)?, hex_byte(c, d)?]))
    });
    Some(mapped.unwrap_or(low_byte))
}

#[cfg(test)]
mod tests {
    use super::super::Transformation;
    use super::*;

    #[test]
    fn the_map_comes_before_the_low_byte() {
        let map = UnicodeMap::new([(0x0101, b'a'), (0xFF21, b'x')]);
        let mut output = Vec::new();
        let context = Context {
            unicode_map: Some(&map),
        };
        let outcome = Transformation::UrlDecodeUni.apply(
            b"%u0101%uff21%uFF22%u3002%u0142%u01g1",
            &mut output,
            context,
        );
        assert_eq!(outcome, Outcome::Changed);
        assert_eq!(output, b"axB.B%u01g1");
    }
}
