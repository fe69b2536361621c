//! Bytes as a person can read them: no byte of a rule file reaches a terminal or a log as it is.

use std::fmt::Write as _;

/// Longest text that [`shown`] gives, in characters.
const LONGEST: usize = 80;

/// Bytes for a message: controls, bytes that are not UTF-8 and invisible characters are escaped,
/// and a long text is cut with `…`.
pub fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut characters = 0_usize;
    // A character has at most four bytes, so that more than this is cut anyway.
    let head = bytes.get(..LONGEST.saturating_mul(4)).unwrap_or(bytes);
    for piece in Pieces::new(head) {
        characters = characters.saturating_add(1);
        if characters > LONGEST {
            text.push('…');
            return text;
        }
        piece.write(&mut text);
    }
    if head.len() < bytes.len() {
        text.push('…');
    }
    text
}

/// One character or one byte that is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    Character(char),
    Byte(u8),
}

impl Piece {
    /// How many bytes of the source it stands for.
    pub(super) const fn source_length(self) -> usize {
        match self {
            Self::Character(character) => character.len_utf8(),
            Self::Byte(_) => 1,
        }
    }

    /// Appends it, escaped if a terminal or a reader could take it for something else.
    pub(super) fn write(self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Character(character) if is_plain(character) => out.write_char(character),
            Self::Character(character) if character.is_ascii() => {
                write!(out, "\\x{:02x}", u32::from(character))
            }
            Self::Character(character) => write!(out, "\\u{{{:x}}}", u32::from(character)),
            Self::Byte(byte) => write!(out, "\\x{byte:02x}"),
        };
    }
}

/// The characters of some bytes, and the bytes that are none.
pub(super) struct Pieces<'a> {
    chunks: std::str::Utf8Chunks<'a>,
    characters: std::str::Chars<'a>,
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            chunks: bytes.utf8_chunks(),
            characters: "".chars(),
            bytes: [].iter(),
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some(character) = self.characters.next() {
                return Some(Piece::Character(character));
            }
            if let Some(byte) = self.bytes.next() {
                return Some(Piece::Byte(*byte));
            }
            let chunk = self.chunks.next()?;
            self.characters = chunk.valid().chars();
            self.bytes = chunk.invalid().iter();
        }
    }
}

/// Neither a control nor a character that is invisible or changes the direction of writing.
const fn is_plain(character: char) -> bool {
    !matches!(
        character,
        '\0'..='\x1F'
            | '\x7F'..='\u{9F}'
            | '\u{AD}'
            | '\u{061C}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_cannot_be_seen() {
        for (bytes, text) in [
            (&b"plain 'text'"[..], "plain 'text'"),
            (b"", ""),
            (b"a\tb\n\x1b[31m\x7f", "a\\x09b\\x0a\\x1b[31m\\x7f"),
            ("grün €".as_bytes(), "grün €"),
            (b"\xff\xc3(", "\\xff\\xc3("),
            (
                "a\u{202e}b\u{feff}\u{85}".as_bytes(),
                "a\\u{202e}b\\u{feff}\\u{85}",
            ),
        ] {
            assert_eq!(shown(bytes), text);
        }
    }

    #[test]
    fn cuts_long_texts() {
        let long = "x".repeat(LONGEST);
        assert_eq!(shown(long.as_bytes()), long);
        assert_eq!(
            shown("x".repeat(LONGEST + 1).as_bytes()),
            format!("{long}…")
        );
        assert_eq!(
            shown("€".repeat(5000).as_bytes()).chars().count(),
            LONGEST + 1
        );
    }
}
