//! A text read as those do who decode it: a secret must not pass because it stands there escaped.

use std::ops::Range;

use crate::bytes::hex_byte;

/// A text with its escapes resolved, those of URLs, of JSON and of XML alike.
#[derive(Debug, Default)]
pub(super) struct Unescaped {
    /// The bytes that are meant.
    pub bytes: Vec<u8>,
    /// Where each of them begins in the text, and where the text ends.
    starts: Vec<usize>,
}

impl Unescaped {
    /// Reads all of a text.
    pub(super) fn read(text: &[u8]) -> Self {
        let mut unescaped = Self::default();
        unescaped.stretch(text, 0, usize::MAX);
        unescaped
    }

    /// Reads a text where something is escaped, with some bytes before and behind: what lies
    /// further away is as it stands.
    pub(super) fn stretches(text: &[u8], around: usize, each: &mut dyn FnMut(&Self)) {
        let mut unescaped = Self::default();
        let mut at = 0;
        let next = |at: usize| text.get(at..)?.iter().position(is_escape);
        while let Some(escape) = next(at).map(|escape| at.saturating_add(escape)) {
            unescaped.bytes.clear();
            unescaped.starts.clear();
            at = unescaped.stretch(text, escape.saturating_sub(around), around);
            each(&unescaped);
        }
    }

    /// Reads from a place on until so many bytes behind an escape stand as they are; says where
    /// that is.
    fn stretch(&mut self, text: &[u8], start: usize, around: usize) -> usize {
        let mut at = start;
        let mut plain = None;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty())
            && plain.is_none_or(|plain| plain < around)
        {
            plain = match rest.first() {
                Some(byte) if is_escape(byte) => Some(0),
                _ => plain.map(|plain: usize| plain.saturating_add(1)),
            };
            let before = self.bytes.len();
            let taken = unescape(rest, &mut self.bytes).max(1);
            let made = self.bytes.len().saturating_sub(before);
            self.starts.extend(std::iter::repeat_n(at, made));
            at = at.saturating_add(taken);
        }
        self.starts.push(at);
        at
    }

    /// Where some of the bytes that are meant stand in the text.
    pub(super) fn in_text(&self, range: &Range<usize>) -> Range<usize> {
        let place = |at: usize| self.starts.get(at).copied().unwrap_or(0);
        place(range.start)..place(range.end)
    }
}

/// Whether an escape may begin with this.
const fn is_escape(byte: &u8) -> bool {
    matches!(*byte, b'%' | b'+' | b'\\' | b'&')
}

/// Appends what a text begins with, and says how many bytes of the text that takes.
fn unescape(text: &[u8], out: &mut Vec<u8>) -> usize {
    match text {
        [b'%', high, low, ..] if let Some(byte) = hex_byte(*high, *low) => {
            out.push(byte);
            3
        }
        [b'+', ..] => {
            out.push(b' ');
            1
        }
        [b'\\', b'u', digits @ ..] if let Some((character, taken)) = utf16(digits) => {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            taken.saturating_add(2)
        }
        [b'\\', b'x', high, low, ..] if let Some(byte) = hex_byte(*high, *low) => {
            out.push(byte);
            4
        }
        [b'\\', escaped, ..] => {
            out.push(match escaped {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                other => *other,
            });
            2
        }
        [b'&', ..] if let Some((character, taken)) = entity(text) => {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            taken
        }
        [first, ..] => {
            out.push(*first);
            1
        }
        [] => 0,
    }
}

/// Four digits behind `\u`, and the second half of a surrogate pair.
fn utf16(text: &[u8]) -> Option<(char, usize)> {
    let first = unit(text)?;
    let second = text
        .get(4..10)
        .and_then(|rest| rest.strip_prefix(b"\\u"))
        .and_then(unit);
    let pair = [first, second.unwrap_or_default()];
    let character = char::decode_utf16(pair).next()?.ok()?;
    let taken = if character.len_utf16() == 2 { 10 } else { 4 };
    Some((character, taken))
}

fn unit(text: &[u8]) -> Option<u16> {
    let &[a, b, c, d] = text.first_chunk()?;
    Some(u16::from_be_bytes([hex_byte(a, b)?, hex_byte(c, d)?]))
}

/// `&amp;` and its like; `&#38;`, `&#x26;`.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    const LONGEST: usize = 10;
    let end = text.iter().take(LONGEST).position(|&byte| byte == b';')?;
    let name = std::str::from_utf8(text.get(1..end)?).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((character, end.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let unescaped = Unescaped::read(text.as_bytes());
        String::from_utf8_lossy(&unescaped.bytes).into_owned()
    }

    #[test]
    fn escapes_of_all_kinds_are_resolved() {
        assert_eq!(read("a%20b+c%2"), "a b c%2");
        assert_eq!(read(r"\u0061\ud83d\ude00\n\/\x41\q\"), "a😀\n/Aq\\");
        assert_eq!(read("&amp;&#65;&#x42;&nothing;"), "&AB&nothing;");
        assert_eq!(read(r"\ud83d+"), "ud83d ");
        assert_eq!(read("plain"), "plain");
    }

    #[test]
    fn stretches_lie_around_escapes() {
        let stretches = |text: &str| {
            let mut all = Vec::new();
            Unescaped::stretches(text.as_bytes(), 2, &mut |stretch| {
                let range = stretch.in_text(&(0..stretch.bytes.len()));
                let read = String::from_utf8_lossy(&stretch.bytes).into_owned();
                all.push((read, text.get(range).unwrap().to_owned()));
            });
            all
        };
        let owned = |read: &str, text: &str| (read.to_owned(), text.to_owned());
        assert_eq!(stretches("plain"), []);
        assert_eq!(
            stretches("abcd%65fghi+k"),
            [owned("cdefg", "cd%65fg"), owned("hi k", "hi+k")]
        );
        assert_eq!(stretches("a+b+c%"), [owned("a b c%", "a+b+c%")]);
        assert_eq!(
            stretches("%61bc%64"),
            [owned("abc", "%61bc"), owned("bcd", "bc%64")]
        );
    }

    #[test]
    fn places_lead_back_to_the_text() {
        let text = b"a%20\\u00e9b";
        let unescaped = Unescaped::read(text);
        assert_eq!(unescaped.bytes, "a éb".as_bytes());
        assert_eq!(unescaped.in_text(&(1..2)), 1..4);
        assert_eq!(unescaped.in_text(&(2..4)), 4..10);
        assert_eq!(unescaped.in_text(&(4..5)), 10..11);
    }
}
