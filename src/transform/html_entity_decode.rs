//! `t:htmlEntityDecode`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Outcome};
use crate::bytes::hex_nibble;

pub(super) const DEF: Def = Def {
    name: "htmlEntityDecode",
    aliases: &[],
    summary: "Decodes numeric character references and the entities quot, amp, lt, gt and nbsp.",
    spec: "v2's code: any number of digits, of which the low byte counts (0xFF for values from 2^63 on); names in any letter case, up to the first byte that is no letter or digit; the semicolon may be missing; other entities are kept. v3 reads two or three digits only and takes &ltfoo for <; Coraza decodes all of HTML5 to UTF-8.",
    examples: &[example(b"&#65&#x42;&#X00000143&lt;&NBSP", b"ABC<\xA0"), example(b"&#;&#x;&#xg&foo;&ltx&&amp;", b"&#;&#x;&#xg&foo;&ltx&&")],
    acts_on: ActsOn::bytes(b"&"),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut rest = input;
    loop {
        let text = parts::copy_until(rest, output, |byte| byte == b'&');
        let (prefix, is_word): (usize, fn(&u8) -> bool) = match text {
            [] => return parts::compare(input, output),
            [_, b'#', b'x' | b'X', ..] => (3, u8::is_ascii_hexdigit),
            [_, b'#', ..] => (2, u8::is_ascii_digit),
            _ => (1, u8::is_ascii_alphanumeric),
        };
        let (prefix, after) = text.split_at_checked(prefix).unwrap_or((text, &[]));
        let length = after.iter().take_while(|byte| is_word(byte)).count();
        let (word, after) = after.split_at_checked(length).unwrap_or((after, &[]));
        let byte = match prefix {
            _ if word.is_empty() => None,
            [_, _, _] => Some(number(word, 16)),
            [_, _] => Some(number(word, 10)),
            _ => named(word),
        };
        rest = after;
        if let Some(byte) = byte {
            output.push(byte);
            if let [b';', after @ ..] = after {
                rest = after;
            }
        } else {
            output.extend_from_slice(prefix);
            output.extend_from_slice(word);
        }
    }
}

/// The low byte of a number, which saturates as C's `strtol` does on 64 bits.
fn number(digits: &[u8], base: u64) -> u8 {
    let value = digits.iter().filter_map(|&digit| hex_nibble(digit)).fold(0_u64, |value, digit| {
        value.saturating_mul(base).saturating_add(u64::from(digit))
    });
    let [low, ..] = value.min(i64::MAX.cast_unsigned()).to_le_bytes();
    low
}

fn named(name: &[u8]) -> Option<u8> {
    const NAMES: [(&[u8], u8); 5] =
        [(b"quot", b'"'), (b"amp", b'&'), (b"lt", b'<'), (b"gt", b'>'), (b"nbsp", 0xA0)];
    NAMES.iter().find(|entry| entry.0.eq_ignore_ascii_case(name)).map(|entry| entry.1)
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
            assert_eq!(number(digits.as_bytes(), base), byte, "{digits}");
        }
    }
}
