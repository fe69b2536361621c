//! Text of explanations, and numbers in values.

pub(super) use crate::bytes::leading_integer;
use crate::bytes::{hex_digits, is_space};

/// Longest part of an argument or value in an explanation, in bytes, as in version 2.
const CUT: usize = 252;

/// Builds a line for the error log from fixed text, quoted bytes and numbers.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: Vec<u8>,
}

impl Line {
    /// A line that begins with fixed text.
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.as_bytes().to_vec(),
        }
    }

    /// Adds fixed text.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.text.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a number.
    pub(super) fn number(self, number: impl std::fmt::Display) -> Self {
        self.text(&number.to_string())
    }

    /// Adds bytes, escaped so that a quoted string stays one and a line stays a line; long ones
    /// are cut.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        let shown = bytes.get(..CUT).unwrap_or(bytes);
        for &byte in shown {
            match byte {
                b'"' | b'\\' => self.text.extend([b'\\', byte]),
                0x20..=0x7E => self.text.push(byte),
                _ => {
                    self.text.extend_from_slice(b"\\x");
                    self.text.extend(hex_digits(byte));
                }
            }
        }
        if shown.len() < bytes.len() {
            self.text.extend_from_slice(b" ...");
        }
        self
    }

    /// Adds ` at TARGET.` and gives the line away.
    pub(super) fn at(self, target: &[u8]) -> Vec<u8> {
        self.text(" at ").bytes(target).text(".").done()
    }

    /// Gives the line away.
    pub(super) fn done(self) -> Vec<u8> {
        self.text
    }
}

/// Without blanks in front.
pub(super) fn trim_start(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|&byte| !is_space(byte))
        .unwrap_or(text.len());
    text.get(start..).unwrap_or(&[])
}

/// Without blanks on either side.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .rposition(|&byte| !is_space(byte))
        .map_or(0, |at| at.saturating_add(1));
    trim_start(text.get(..end).unwrap_or(&[]))
}

/// Lines without blanks around them, empty ones and comments left out.
pub(super) fn data_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    text.split(|&byte| byte == b'\n')
        .map(trim)
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
}

/// Reads pairs of hexadecimal digits, blanks between them or not.
pub(super) fn hex_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let mut digits = text.iter().filter(|&&byte| byte != b' ');
    let mut bytes = Vec::new();
    while let Some(&high) = digits.next() {
        let value = |digit: u8| char::from(digit).to_digit(16);
        let byte = value(high)?
            .saturating_mul(16)
            .saturating_add(value(*digits.next()?)?);
        bytes.push(u8::try_from(byte).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_atoi() {
        for (text, number) in [
            ("", 0),
            ("x", 0),
            ("5", 5),
            (" \t-12abc", -12),
            ("+7", 7),
            ("- 7", 0),
            ("--7", 0),
            ("007", 7),
            ("9223372036854775807", i64::MAX),
            ("99999999999999999999999", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("-99999999999999999999999", i64::MIN),
        ] {
            assert_eq!(leading_integer(text.as_bytes()), number, "{text:?}");
        }
    }

    #[test]
    fn lines_escape_and_cut() {
        assert_eq!(
            Line::new("a ").bytes(b"\"\\\n\xFFz").at(b"ARGS:x"),
            b"a \\\"\\\\\\x0a\\xffz at ARGS:x."
        );
        let long = Line::default().bytes(&[b'x'; 300]).done();
        assert_eq!(long.len(), CUT + 4);
        assert!(long.ends_with(b"x ..."));
    }

    #[test]
    fn data_lines_are_trimmed() {
        let lines: Vec<&[u8]> = data_lines(b"\xEF\xBB\xBF one \r\n\n# two\n  \nthree#").collect();
        assert_eq!(lines, [&b"one"[..], b"three#"]);
    }
}
