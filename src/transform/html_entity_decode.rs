//! `t:htmlEntityDecode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::hex_nibble;

pub(super) const DEF: Def = Def {
    name: "htmlEntityDecode",
    aliases: &[],
    summary: "Decodes numeric character references and the entities quot, amp, lt, gt and nbsp.",
    spec: "v2's code: any number of digits, of which the low byte counts (0xFF for values from \
        2^63 on); names in any letter case, up to the first byte that is no letter or digit; the \
        semicolon may be missing; other entities are kept. v3 reads two or three digits only and \
        takes &ltfoo for <; Coraza decodes all of HTML5 to UTF-8.",
    examples: &[
        example(b"&#65&#x42;&#X00000143&lt;&NBSP", b"ABC<\xA0"),
        example(b"&#;&#x;&#xg&foo;&ltx&&amp;", b"&#;&#x;&#xg&foo;&ltx&&"),
    ],
    acts_on: ActsOn::bytes(b"&"),
    makes: Makes::decodes(b"&"),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        let text = parts::copy_until(rest, output, |byte| byte == b'&');
        let (byte, after) = match text {
            [] => return parts::compare(input, output),
            [_, b'#', b'x' | b'X', after @ ..] => {
                let (digits, after) = parts::split_while(after, |byte| byte.is_ascii_hexdigit());
                (number(digits, 16), after)
            }
            [_, b'#', after @ ..] => {
                let (digits, after) = parts::split_while(after, |byte| byte.is_ascii_digit());
                (number(digits, 10), after)
            }
            [_, after @ ..] => {
                let (name, after) = parts::split_while(after, |byte| byte.is_ascii_alphanumeric());
                (named(name), after)
            }
        };
        rest = match (byte, after) {
            (Some(byte), [b';', after @ ..] | after) => {
                output.push(byte);
                after
            }
            (None, _) => {
                let copied = text.len().saturating_sub(after.len());
                output.extend_from_slice(text.get(..copied).unwrap_or_default());
                after
            }
        };
    }
}

/// The low byte of a number, which saturates as C's `strtol` does on 64 bits.
fn number(digits: &[u8], base: u64) -> Option<u8> {
    if digits.is_empty() {
        return None;
    }
    let value = digits
        .iter()
        .filter_map(|&digit| hex_nibble(digit))
        .fold(0_u64, |value, digit| {
            value.saturating_mul(base).saturating_add(u64::from(digit))
        });
    let [low, ..] = value.min(i64::MAX.cast_unsigned()).to_le_bytes();
    Some(low)
}

fn named(name: &[u8]) -> Option<u8> {
    const NAMES: [(&[u8], u8); 5] = [
        (b"quot", b'"'),
        (b"amp", b'&'),
        (b"lt", b'<'),
        (b"gt", b'>'),
        (b"nbsp", 0xA0),
    ];
    NAMES
        .iter()
        .find(|entry| entry.0.eq_ignore_ascii_case(name))
        .map(|entry| entry.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_low_byte_and_saturate() {
        for (digits, base, byte) in [
            ("0", 10, 0),
            ("256", 10, 0),
            ("321", 10, 65),
            ("10000000000000041", 16, 0xFF),
            ("7fffffffffffff41", 16, 0x41),
            ("8000000000000041", 16, 0xFF),
            ("99999999999999999999999999", 10, 0xFF),
        ] {
            assert_eq!(number(digits.as_bytes(), base), Some(byte), "{digits}");
        }
    }
}
