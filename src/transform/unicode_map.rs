//! ModSecurity's `unicode.mapping`: which byte of a code page stands best for a code point.

use std::fmt;

use crate::bytes::hex_nibble;

/// Code points that a domain name's parser takes for a full stop (RFC 3490, section 3.1).
///
/// v2 and v3 lay them into every map; a file may say otherwise.
const FULL_STOPS: [u16; 4] = [0x002E, 0x3002, 0xFF0E, 0xFF61];

/// Code point to byte for one code page, as `t:urlDecodeUni` reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnicodeMap {
    /// Sorted by code point, one entry for each.
    pairs: Vec<(u16, u8)>,
}

impl Default for UnicodeMap {
    fn default() -> Self {
        Self::new([])
    }
}

impl UnicodeMap {
    /// A map of the given pairs (the last one for a code point counts) and of the full stops of
    /// RFC 3490.
    pub fn new(pairs: impl IntoIterator<Item = (u16, u8)>) -> Self {
        let mut pairs: Vec<(u16, u8)> = FULL_STOPS
            .into_iter()
            .map(|stop| (stop, b'.'))
            .chain(pairs)
            .collect();
        // Stable, so that the first of equals is the one that came last.
        pairs.reverse();
        pairs.sort_by_key(|pair| pair.0);
        pairs.dedup_by_key(|pair| pair.0);
        Self { pairs }
    }

    /// Reads the section of one code page out of a file in the format of `unicode.mapping`.
    ///
    /// A section starts with a line whose first word is the number of the code page (the rest of
    /// that line names it) and holds `HHHH:HH` pairs, code point and byte in hexadecimal, parted by
    /// blanks or line ends. It ends where a line starts without a pair. Other sections are not
    /// looked at.
    ///
    /// # Errors
    ///
    /// [`UnicodeMapError::CodePageMissing`] if no section is the code page's, and
    /// [`UnicodeMapError::BadPair`] for a pair in it that is none.
    pub fn parse(text: &[u8], code_page: u32) -> Result<Self, UnicodeMapError> {
        let mut pairs = Vec::new();
        let mut inside = false;
        let mut found = false;
        for (line, number) in text.split(|&byte| byte == b'\n').zip(1_usize..) {
            let words = || {
                line.split(u8::is_ascii_whitespace)
                    .filter(|word| !word.is_empty())
            };
            let Some(first) = words().next() else {
                continue;
            };
            if !first.contains(&b':') {
                inside = decimal(first) == Some(code_page);
                found |= inside;
            } else if inside {
                for word in words() {
                    pairs.push(pair(word).ok_or(UnicodeMapError::BadPair { line: number })?);
                }
            }
        }
        if found {
            Ok(Self::new(pairs))
        } else {
            Err(UnicodeMapError::CodePageMissing)
        }
    }

    /// The byte for a code point.
    pub fn byte(&self, code_point: u16) -> Option<u8> {
        let at = self
            .pairs
            .binary_search_by_key(&code_point, |pair| pair.0)
            .ok()?;
        self.pairs.get(at).map(|pair| pair.1)
    }
}

/// Why a `unicode.mapping` file gives no map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnicodeMapError {
    /// The file has no section for the code page.
    CodePageMissing,
    /// A word in the section is not `HHHH:HH`.
    BadPair {
        /// The line it stands in, from 1.
        line: usize,
    },
}

impl fmt::Display for UnicodeMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CodePageMissing => f.write_str("the file has no section for this code page"),
            Self::BadPair { line } => {
                write!(
                    f,
                    "line {line}: expected pairs of code point and byte such as 00e9:65"
                )
            }
        }
    }
}

impl std::error::Error for UnicodeMapError {}

fn pair(word: &[u8]) -> Option<(u16, u8)> {
    let colon = word.iter().position(|&byte| byte == b':')?;
    let (code_point, byte) = word.split_at_checked(colon)?;
    Some((
        u16::try_from(hexadecimal(code_point)?).ok()?,
        u8::try_from(hexadecimal(byte.get(1..)?)?).ok()?,
    ))
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let mut value = None;
    for &digit in digits {
        let shifted = value.unwrap_or(0_u32).checked_mul(16)?;
        value = Some(shifted | u32::from(hex_nibble(digit)?));
    }
    value
}

fn decimal(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"(MAC - Roman)\r\n\r\n\r\n\
        1250  (ANSI: Central Europe)\r\n00a1:21 00e9:65 \r\n0100:41\r\n\r\n\
        1257  (ANSI - Baltic)\r\n\r\n\
        20127 (US-ASCII)\r\n00a1:7c 002e:2f zz:1\r\n";

    #[test]
    fn reads_the_section_of_the_code_page() {
        let map = UnicodeMap::parse(FILE, 1250).unwrap();
        assert_eq!(
            map,
            UnicodeMap::new([(0xA1, 0x21), (0xE9, 0x65), (0x100, 0x41)])
        );
        assert_eq!(map.byte(0xE9), Some(b'e'));
        assert_eq!(map.byte(0xEA), None);
        assert_eq!(map.byte(0xFF61), Some(b'.'));
    }

    #[test]
    fn an_empty_section_has_the_full_stops_only() {
        assert_eq!(UnicodeMap::parse(FILE, 1257), Ok(UnicodeMap::default()));
    }

    #[test]
    fn the_last_entry_counts_and_overrides_the_full_stops() {
        let map = UnicodeMap::new([(0x2E, 1), (5, 2), (0x2E, 3)]);
        assert_eq!((map.byte(0x2E), map.byte(5)), (Some(3), Some(2)));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(
            UnicodeMap::parse(FILE, 437),
            Err(UnicodeMapError::CodePageMissing)
        );
        assert_eq!(
            UnicodeMap::parse(FILE, 20127),
            Err(UnicodeMapError::BadPair { line: 11 })
        );
        for bad in [
            "10000:20",
            "20:100",
            "20:",
            ":20",
            "20:2:0",
            "g:20",
            "123456789:20",
        ] {
            let file = format!("1 x\n{bad}\n");
            let error = UnicodeMap::parse(file.as_bytes(), 1).unwrap_err();
            assert_eq!(error, UnicodeMapError::BadPair { line: 2 }, "{bad}");
            assert!(error.to_string().contains("line 2"));
        }
        assert_eq!(
            UnicodeMap::parse(b"", 1),
            Err(UnicodeMapError::CodePageMissing)
        );
    }
}
