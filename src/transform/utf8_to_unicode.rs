//! `t:utf8toUnicode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::{ClassSet, hex_digit};

pub(super) const DEF: Def = Def {
    name: "utf8toUnicode",
    aliases: &[],
    summary: "Writes each character of UTF-8 beyond ASCII as %uhhhh.",
    spec: "v2's code: at least four lower-case digits, more beyond U+FFFF; of an invalid sequence \
        the lead byte is dropped if continuation bytes are missing, and the others are copied; an \
        overlong form or a surrogate gives its code point, then its lead byte; a lead byte from F5 \
        on is copied, then decoded if it can be; NUL is dropped.",
    examples: &[
        example(
            b"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80",
            b"%u00e9 %u20ac %u1f600",
        ),
        example(b"\xC3a\x80\xFF\xC0\xAF", b"a\x80\xFF%u002f\xC0"),
        example(b"etc/pass\0wd\0", b"etc/passwd"),
    ],
    acts_on: ActsOn::classes(ClassSet::HIGH.union(ClassSet::CONTROLS)),
    makes: Makes {
        marks: ClassSet::HIGH,
        decoded: ClassSet::LETTERS
            .union(ClassSet::DIGITS)
            .union(ClassSet::of(b"%")),
        ..Makes::SAME
    },
    growth: Growth::factor(4),
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        rest = match parts::copy_until(rest, output, |byte| byte == 0 || !byte.is_ascii()) {
            [] => return parts::compare(input, output),
            [0, after @ ..] => after,
            [lead, after @ ..] => decode(*lead, after, output),
        };
    }
}

/// Writes the sequence that starts with this lead byte and returns what follows it.
fn decode<'a>(lead: u8, after: &'a [u8], output: &mut Vec<u8>) -> &'a [u8] {
    // The number of continuation bytes, the bits of the lead, and the lowest code point that needs
    // so many bytes.
    let (count, bits, lowest) = match lead {
        0xC0..=0xDF => (1, lead & 0x1F, 0x80),
        0xE0..=0xEF => (2, lead & 0x0F, 0x800),
        0xF0..=0xF7 => (3, lead & 0x07, 0x1_0000),
        _ => {
            output.push(lead);
            return after;
        }
    };
    if lead >= 0xF5 {
        output.push(lead);
    }
    let Some((continuation, next)) = after.split_at_checked(count) else {
        return after;
    };
    if !continuation.iter().all(|byte| matches!(byte, 0x80..=0xBF)) {
        return after;
    }
    let code_point = continuation.iter().fold(u32::from(bits), |value, byte| {
        value << 6 | u32::from(byte & 0x3F)
    });
    write(code_point, output);
    if code_point < lowest || matches!(code_point, 0xD800..=0xDFFF) {
        output.push(lead);
    }
    next
}

/// Writes a code point (21 bits) as `%u` and its hexadecimal digits, at least four.
fn write(code_point: u32, output: &mut Vec<u8>) {
    output.extend_from_slice(b"%u");
    let [_, plane, high, low] = code_point.to_be_bytes();
    if plane > 0x0F {
        output.push(hex_digit(plane >> 4));
    }
    if plane > 0 {
        output.push(hex_digit(plane));
    }
    for byte in [high, low] {
        output.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_have_four_digits_or_more() {
        for code_point in [
            0, 0x2F, 0x7FF, 0xFFFF, 0x1_0000, 0xF_FFFF, 0x10_FFFF, 0x1F_FFFF,
        ] {
            let mut output = Vec::new();
            write(code_point, &mut output);
            assert_eq!(output, format!("%u{code_point:04x}").into_bytes());
        }
    }
}
