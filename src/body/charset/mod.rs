//! Charsets in which ASCII does not stand in its place: what rules look for is hidden in them until
//! they are decoded.
//!
//! UTF-16, UTF-32, UTF-7, the Latin code pages of EBCDIC, and ISO 2022 as far as it concerns ASCII.
//! All others in common use keep ASCII where it is, and are left as they are: an attack reads the
//! same in them.

mod ebcdic;
mod iso2022;
mod utf7;
mod wide;

#[cfg(test)]
mod tests;

use super::printable;
use crate::http::content_type;

/// A charset that hides ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// UTF-16 or UTF-32, with its order of bytes where the name tells it.
    Wide(wide::Width, Option<wide::Order>),
    /// RFC 2152.
    Utf7,
    /// A code page of EBCDIC.
    Ebcdic(ebcdic::Page),
    /// ISO-2022-JP, -KR, -CN and their variants.
    Iso2022,
}

/// What a Content-Type says about the charset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    /// Nothing, or a charset that keeps ASCII.
    Plain,
    /// One that does not.
    Hiding(Charset),
    /// It cannot be said how the body is to be read, and why.
    Unclear(String),
}

impl Charset {
    /// The charset of a name, if it is one that hides ASCII.
    pub(super) fn by_name(name: &[u8]) -> Option<Self> {
        use wide::{Order, Width};
        let name = name.to_ascii_lowercase();
        Some(match name.as_slice() {
            b"utf-16" | b"utf16" | b"ucs-2" | b"iso-10646-ucs-2" | b"unicode" | b"csunicode" => {
                Self::Wide(Width::Two, None)
            }
            b"utf-16le" | b"utf16le" | b"ucs-2le" | b"unicodefeff" => {
                Self::Wide(Width::Two, Some(Order::Little))
            }
            b"utf-16be" | b"utf16be" | b"ucs-2be" | b"unicodefffe" => {
                Self::Wide(Width::Two, Some(Order::Big))
            }
            b"utf-32" | b"utf32" | b"ucs-4" | b"iso-10646-ucs-4" => Self::Wide(Width::Four, None),
            b"utf-32le" | b"utf32le" | b"ucs-4le" => Self::Wide(Width::Four, Some(Order::Little)),
            b"utf-32be" | b"utf32be" | b"ucs-4be" => Self::Wide(Width::Four, Some(Order::Big)),
            b"utf-7" | b"utf7" | b"unicode-1-1-utf-7" | b"unicode-2-0-utf-7" | b"csutf7" => {
                Self::Utf7
            }
            name if name.starts_with(b"iso-2022-") || name.starts_with(b"csiso2022") => {
                Self::Iso2022
            }
            name => Self::Ebcdic(ebcdic::Page::by_name(name)?),
        })
    }

    /// The name, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wide(wide::Width::Two, _) => "UTF-16",
            Self::Wide(wide::Width::Four, _) => "UTF-32",
            Self::Utf7 => "UTF-7",
            Self::Ebcdic(_) => "EBCDIC",
            Self::Iso2022 => "ISO 2022",
        }
    }

    /// Decodes a whole text.
    pub(super) fn decode(self, text: &[u8]) -> (Vec<u8>, Option<&'static str>) {
        Decoder::new(self).whole(text)
    }

    /// Decodes a value that stands for itself, where no byte order mark is to be expected.
    pub(super) fn decode_value(self, text: &[u8]) -> (Vec<u8>, Option<&'static str>) {
        match self {
            Self::Wide(width, order) => {
                Decoder(State::Wide(wide::Wide::value(width, order))).whole(text)
            }
            _ => self.decode(text),
        }
    }
}

/// What a Content-Type says about the charset.
pub(super) fn declared(content_type: &[u8]) -> Declared {
    let mut found = Declared::Plain;
    let mut first: Option<Vec<u8>> = None;
    for name in content_type::parameters(content_type, b"charset") {
        let name = name.trim_ascii().to_ascii_lowercase();
        if let Some(first) = &first {
            if *first == name {
                continue;
            }
            return Declared::Unclear("More than one charset is declared.".to_owned());
        }
        found = match Charset::by_name(&name) {
            Some(charset) => Declared::Hiding(charset),
            None if name.is_empty() || keeps_ascii(&name) => Declared::Plain,
            None => Declared::Unclear(format!("Unknown charset: {}", printable(&name))),
        };
        first = Some(name);
    }
    found
}

/// Whether ASCII characters are in this charset the bytes that they are in ASCII.
pub(super) fn keeps_ascii(name: &[u8]) -> bool {
    const FAMILIES: &[&[u8]] = &[
        b"utf-8",
        b"utf8",
        b"us-ascii",
        b"ascii",
        b"ansi_x3",
        b"iso-8859-",
        b"iso8859-",
        b"iso_8859-",
        b"latin",
        b"windows-125",
        b"windows-874",
        b"windows-949",
        b"windows-31j",
        b"cp125",
        b"cp437",
        b"cp850",
        b"cp852",
        b"cp866",
        b"cp932",
        b"cp936",
        b"cp949",
        b"cp950",
        b"ibm437",
        b"ibm850",
        b"ibm852",
        b"ibm866",
        b"koi8-",
        b"macintosh",
        b"x-mac-",
        b"tis-620",
        b"gb2312",
        b"gb_2312",
        b"gbk",
        b"gb18030",
        b"x-gbk",
        b"big5",
        b"euc-",
        b"ks_c_5601",
        b"shift_jis",
        b"shift-jis",
        b"sjis",
        b"x-sjis",
    ];
    FAMILIES.iter().any(|family| {
        name.get(..family.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(family))
    })
}

/// A text being decoded to UTF-8. What is malformed becomes U+FFFD; the first reason is kept.
#[derive(Debug)]
pub(super) struct Decoder(State);

#[derive(Debug)]
enum State {
    Wide(wide::Wide),
    Utf7(utf7::Utf7),
    Ebcdic(ebcdic::Page),
    Iso2022(iso2022::Iso2022),
}

impl Decoder {
    pub(super) fn new(charset: Charset) -> Self {
        Self(match charset {
            Charset::Wide(width, order) => State::Wide(wide::Wide::text(width, order)),
            Charset::Utf7 => State::Utf7(utf7::Utf7::default()),
            Charset::Ebcdic(page) => State::Ebcdic(page),
            Charset::Iso2022 => State::Iso2022(iso2022::Iso2022::default()),
        })
    }

    /// Decodes the next bytes. At most three bytes come out for each that goes in, and four more.
    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        match &mut self.0 {
            State::Wide(wide) => wide.feed(chunk, out),
            State::Utf7(utf7) => utf7.feed(chunk, out),
            State::Ebcdic(page) => {
                for &byte in chunk {
                    push(page.decode(byte), out);
                }
            }
            State::Iso2022(iso2022) => iso2022.feed(chunk, out),
        }
    }

    /// Ends the text; says what was malformed, if anything was.
    pub(super) fn finish(self, out: &mut Vec<u8>) -> Option<&'static str> {
        match self.0 {
            State::Wide(wide) => wide.finish(out),
            State::Utf7(utf7) => utf7.finish(out),
            State::Ebcdic(_) => None,
            State::Iso2022(iso2022) => iso2022.finish(out),
        }
    }

    fn whole(mut self, text: &[u8]) -> (Vec<u8>, Option<&'static str>) {
        let mut out = Vec::with_capacity(text.len());
        self.feed(text, &mut out);
        let malformed = self.finish(&mut out);
        (out, malformed)
    }
}

/// Appends a character as UTF-8.
fn push(character: char, out: &mut Vec<u8>) {
    let mut bytes = [0; 4];
    out.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
}

/// Joins UTF-16 units to characters.
#[derive(Debug, Default)]
struct Surrogates {
    high: Option<u16>,
}

impl Surrogates {
    /// Takes the next unit. False says that what came cannot stand there.
    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) -> bool {
        match (self.high.take(), unit) {
            (None, 0xD800..=0xDBFF) => {
                self.high = Some(unit);
                true
            }
            (Some(high), 0xDC00..=0xDFFF) => {
                let pair = char::decode_utf16([high, unit]).flatten();
                pair.for_each(|character| push(character, out));
                true
            }
            (Some(_), _) => {
                push(char::REPLACEMENT_CHARACTER, out);
                self.unit(unit, out);
                false
            }
            (None, _) => {
                let character = char::from_u32(u32::from(unit));
                push(character.unwrap_or(char::REPLACEMENT_CHARACTER), out);
                character.is_some()
            }
        }
    }

    /// Whether a character is half-way.
    fn is_open(&self) -> bool {
        self.high.is_some()
    }
}
