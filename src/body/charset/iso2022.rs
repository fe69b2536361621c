//! ISO 2022 in its seven-bit forms (ISO-2022-JP, -KR, -CN): escape sequences switch between ASCII
//! and sets of two bytes for a character.
//!
//! An escape sequence in the middle of a word takes it from the eyes of rules, so the sequences
//! go. Full-width letters and digits become themselves, as rules know how to read those; other
//! characters of two bytes become U+FFFD, for their tables would outweigh their use.

use super::push;

/// A text being decoded.
#[derive(Debug, Default)]
pub(super) struct Iso2022 {
    /// The set that bytes belong to.
    set: Set,
    /// Shift out: bytes belong to the second set, which has two bytes for a character.
    shifted: bool,
    /// An escape sequence so far, without ESC.
    escape: Option<Vec<u8>>,
    /// The first byte of a character.
    first: Option<u8>,
    malformed: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Set {
    /// ASCII, or its like with another sign for one or two characters.
    #[default]
    Ascii,
    /// Half-width katakana.
    Katakana,
    /// Two bytes for a character.
    Double,
}

const BAD_ESCAPE: &str = "an escape sequence is broken";
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;
const ESCAPE: u8 = 0x1B;
/// The row of full-width ASCII.
const FULL_WIDTH: u8 = 0x23;

impl Iso2022 {
    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        for &byte in chunk {
            self.byte(byte, out);
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Option<&'static str> {
        if self.escape.is_some() {
            self.bad(BAD_ESCAPE, out);
        }
        self.end_character(out);
        self.malformed
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        if let Some(mut escape) = self.escape.take() {
            match byte {
                0x20..=0x2F if escape.len() < 3 => {
                    escape.push(byte);
                    self.escape = Some(escape);
                    return;
                }
                0x30..=0x7E => {
                    self.designate(&escape, byte, out);
                    return;
                }
                _ => self.bad(BAD_ESCAPE, out),
            }
        }
        let two = self.shifted || self.set == Set::Double;
        match byte {
            ESCAPE => {
                self.end_character(out);
                self.escape = Some(Vec::new());
            }
            SHIFT_OUT | SHIFT_IN => {
                self.end_character(out);
                self.shifted = byte == SHIFT_OUT;
            }
            0x21..=0x7E if two => match self.first.take() {
                None => self.first = Some(byte),
                Some(FULL_WIDTH) => {
                    let place = u32::from(byte).saturating_sub(0x20);
                    let character = char::from_u32(place.saturating_add(0xFF00));
                    push(character.unwrap_or(char::REPLACEMENT_CHARACTER), out);
                }
                Some(_) => push(char::REPLACEMENT_CHARACTER, out),
            },
            0x21..=0x5F if self.set == Set::Katakana => {
                let place = u32::from(byte).saturating_sub(0x21);
                let character = char::from_u32(place.saturating_add(0xFF61));
                push(character.unwrap_or(char::REPLACEMENT_CHARACTER), out);
            }
            0x80.. => self.bad("it holds bytes of eight bits", out),
            _ => {
                self.end_character(out);
                if byte == b'\n' {
                    // Every line begins in ASCII.
                    self.set = Set::Ascii;
                    self.shifted = false;
                }
                out.push(byte);
            }
        }
    }

    /// Takes an escape sequence by its intermediate and final bytes.
    fn designate(&mut self, intermediate: &[u8], last: u8, out: &mut Vec<u8>) {
        match (intermediate, last) {
            (b"(", b'I') => self.set = Set::Katakana,
            (b"(", _) => self.set = Set::Ascii,
            (b"$" | b"$(", _) => self.set = Set::Double,
            // Sets for shift out and for single characters.
            (b"$)" | b"$*" | b"$+" | b")" | b"." | b"*" | b"&", _) | (b"", b'N' | b'O') => {}
            _ => self.bad(BAD_ESCAPE, out),
        }
    }

    /// A character of two bytes that ends after one.
    fn end_character(&mut self, out: &mut Vec<u8>) {
        if self.first.take().is_some() {
            self.bad("it ends within a character", out);
        }
    }

    fn bad(&mut self, why: &'static str, out: &mut Vec<u8>) {
        push(char::REPLACEMENT_CHARACTER, out);
        self.malformed.get_or_insert(why);
    }
}
