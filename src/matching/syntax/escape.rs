//! What starts with a backslash.

use super::parser::{Item, Parser, decimal};
use super::reference::Referent;
use super::{Assertion, ByteSet, Node, PatternError};

/// `\s`: with the vertical tab, as PCRE since 8.34.
pub(super) const SPACE: &[(u8, u8)] = &[(9, 13), (b' ', b' ')];
/// `\w`: ASCII only.
pub(super) const WORD: &[(u8, u8)] = &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];
/// `\d`.
pub(super) const DIGIT: &[(u8, u8)] = &[(b'0', b'9')];
/// `\h`: with the no-break space of Latin 1.
const HORIZONTAL: &[(u8, u8)] = &[(9, 9), (b' ', b' '), (0xA0, 0xA0)];
/// `\v`: with the next-line control of Latin 1.
const VERTICAL: &[(u8, u8)] = &[(10, 13), (0x85, 0x85)];

/// What an escape stands for, inside a class or outside.
pub(super) enum Escape {
    Byte(u8),
    Set(ByteSet),
    /// Any other letter or digit, for the caller to read on after it.
    Other(u8),
}

impl Parser<'_> {
    /// An escape outside a class.
    pub(super) fn escape_item(&mut self) -> Result<Item, PatternError> {
        let start = self.at;
        let other = match self.escape()? {
            Escape::Byte(byte) => return Ok(Item::repeatable(self.literal(byte))),
            Escape::Set(set) => return Ok(Item::repeatable(Node::Set(set))),
            Escape::Other(other) => other,
        };
        let assertion = match other {
            b'A' => Assertion::Start,
            b'z' => Assertion::End,
            b'Z' => {
                self.contextual = true;
                self.moves_ends = true;
                Assertion::FinalEnd
            }
            b'b' => Assertion::WordBoundary,
            b'B' => Assertion::NotWordBoundary,
            b'K' if self.assertions > 0 => {
                let message = "`\\K` is not allowed in an assertion";
                return Err(PatternError::malformed(message, start));
            }
            b'K' => {
                self.moves_ends = true;
                Assertion::Keep
            }
            b'1'..=b'9' => return self.reference_or_octal(start),
            b'N' => {
                if self.peek() == Some(b'{') && !self.rest().get(1).is_some_and(u8::is_ascii_digit)
                {
                    return Err(PatternError::malformed("`\\N{…}` is not supported", start));
                }
                return Ok(Item::repeatable(Node::Set(ByteSet::of(b'\n').negated())));
            }
            b'C' => return Ok(Item::repeatable(Node::Set(ByteSet::ALL))),
            b'R' => {
                self.contextual = true;
                let pair = [b'\r', b'\n']
                    .map(|byte| Node::Set(ByteSet::of(byte)))
                    .to_vec();
                let one = Node::Set(ByteSet::of_ranges(VERTICAL));
                let node = Node::Alternation(vec![Node::Concat(pair), one]);
                return Ok(Item::repeatable(Node::Atomic(Box::new(node), start)));
            }
            b'G' => {
                self.irregular("`\\G`", start);
                Assertion::SearchStart
            }
            b'k' => return self.k_reference(start),
            b'g' if self.starts_with(b"<") || self.starts_with(b"'") => {
                return Err(PatternError::unsupported("a subroutine call", start));
            }
            b'g' => return self.g_reference(start),
            _ => return Err(unknown(other, start)),
        };
        Ok(Item::fixed(Node::Assert(assertion, start)))
    }

    /// An escape inside a class.
    pub(super) fn class_escape(&mut self) -> Result<Escape, PatternError> {
        let start = self.at;
        match self.escape()? {
            Escape::Other(b'b') => Ok(Escape::Byte(0x08)),
            Escape::Other(digit @ b'1'..=b'7') => {
                self.at = self.at.saturating_sub(1);
                debug_assert_eq!(self.peek(), Some(digit), "one byte was read");
                self.octal(3, start).map(Escape::Byte)
            }
            Escape::Other(digit @ (b'8' | b'9')) => Ok(Escape::Byte(digit)),
            Escape::Other(
                letter @ (b'A' | b'B' | b'C' | b'G' | b'K' | b'N' | b'R' | b'Z' | b'g' | b'k'
                | b'z'),
            ) => Err(PatternError::malformed(
                format!("`\\{}` is not allowed in a class", letter.escape_ascii()),
                start,
            )),
            Escape::Other(other) => Err(unknown(other, start)),
            known => Ok(known),
        }
    }

    /// What means the same inside a class and outside.
    fn escape(&mut self) -> Result<Escape, PatternError> {
        let start = self.at;
        self.advance(1);
        let Some(byte) = self.peek() else {
            return Err(PatternError::malformed(
                "pattern ends with a backslash",
                start,
            ));
        };
        self.advance(1);
        let set = |ranges| Ok(Escape::Set(ByteSet::of_ranges(ranges)));
        let negated = |ranges| Ok(Escape::Set(ByteSet::of_ranges(ranges).negated()));
        match byte {
            b'a' => Ok(Escape::Byte(0x07)),
            b'e' => Ok(Escape::Byte(0x1B)),
            b'f' => Ok(Escape::Byte(0x0C)),
            b'n' => Ok(Escape::Byte(b'\n')),
            b'r' => Ok(Escape::Byte(b'\r')),
            b't' => Ok(Escape::Byte(b'\t')),
            b'd' => set(DIGIT),
            b'D' => negated(DIGIT),
            b'h' => set(HORIZONTAL),
            b'H' => negated(HORIZONTAL),
            b's' => set(SPACE),
            b'S' => negated(SPACE),
            b'v' => set(VERTICAL),
            b'V' => negated(VERTICAL),
            b'w' => set(WORD),
            b'W' => negated(WORD),
            b'0' => {
                self.at = self.at.saturating_sub(1);
                self.octal(3, start).map(Escape::Byte)
            }
            b'o' => self.braced(8, start).map(Escape::Byte),
            b'x' if self.peek() == Some(b'{') => self.braced(16, start).map(Escape::Byte),
            b'x' => {
                let digits = self.take_while(2, u8::is_ascii_hexdigit);
                number(digits, 16, start).map(Escape::Byte)
            }
            b'c' => match self.peek() {
                Some(byte @ 0x20..=0x7E) => {
                    self.advance(1);
                    Ok(Escape::Byte(byte.to_ascii_uppercase() ^ 0x40))
                }
                _ => Err(PatternError::malformed(
                    "`\\c` must be followed by a printable ASCII character",
                    start,
                )),
            },
            b'p' | b'P' | b'X' => Err(PatternError::malformed(
                "Unicode properties are not supported: patterns match bytes",
                start,
            )),
            _ if byte.is_ascii_alphanumeric() => Ok(Escape::Other(byte)),
            _ => Ok(Escape::Byte(byte)),
        }
    }

    /// `\1` to `\9` and longer numbers, after their first digit: a group, or else an octal number.
    fn reference_or_octal(&mut self, start: usize) -> Result<Item, PatternError> {
        self.at = self.at.saturating_sub(1);
        let digits_at = self.at;
        let digits = self.digits();
        let group = decimal(digits).and_then(|group| usize::try_from(group).ok());
        let octal = digits.first().is_some_and(|digit| *digit < b'8');
        if digits.len() == 1 || !octal || group.is_some_and(|group| group <= self.groups) {
            return Ok(self.back_reference(Referent::Number(group), start));
        }
        self.at = digits_at;
        let byte = self.octal(3, start)?;
        Ok(Item::repeatable(self.literal(byte)))
    }

    /// Up to `limit` octal digits.
    fn octal(&mut self, limit: usize, start: usize) -> Result<u8, PatternError> {
        let digits = self.take_while(limit, |byte| matches!(byte, b'0'..=b'7'));
        number(digits, 8, start)
    }

    /// `{…}` with the number of a byte.
    fn braced(&mut self, radix: u32, start: usize) -> Result<u8, PatternError> {
        let malformed = |message| Err(PatternError::malformed(message, start));
        if !self.eat(b"{") {
            return malformed("`\\o` must be followed by octal digits in braces");
        }
        let digits = self.take_while(usize::MAX, u8::is_ascii_hexdigit);
        let valid = digits
            .iter()
            .all(|digit| char::from(*digit).is_digit(radix));
        if digits.is_empty() || !valid || !self.eat(b"}") {
            return malformed("braces must hold the digits of a number");
        }
        number(digits, radix, start)
    }
}

/// Digits as a byte; no digits are NUL.
fn number(digits: &[u8], radix: u32, start: usize) -> Result<u8, PatternError> {
    digits
        .iter()
        .try_fold(0u32, |number, digit| {
            number
                .checked_mul(radix)?
                .checked_add(char::from(*digit).to_digit(radix)?)
        })
        .and_then(|number| u8::try_from(number).ok())
        .ok_or_else(|| PatternError::malformed("number is above 255: patterns match bytes", start))
}

fn unknown(letter: u8, start: usize) -> PatternError {
    PatternError::malformed(
        format!("`\\{}` has no meaning", letter.escape_ascii()),
        start,
    )
}
