//! Strings, numbers and variables.

use memchr::memmem;

use super::lexer::{Lexer, Read, is_white};
use super::token::{Kind, Token};
use super::words;

impl Lexer<'_> {
    /// A string whose opening quote, with what stands before it, takes `skip` bytes; 0 if the quote
    /// is only thought of. A backslash and a second quote keep the quote from closing.
    pub(super) fn quoted(&self, quote: u8, skip: usize) -> Read {
        let inner = self.rest().get(skip..).unwrap_or(&[]);
        let mut from = 0usize;
        let end = loop {
            let Some(found) = inner
                .get(from..)
                .and_then(|rest| memchr::memchr(quote, rest))
            else {
                break None;
            };
            let at = from.saturating_add(found);
            let before = inner.get(..at).unwrap_or(&[]);
            let backslashes = before
                .iter()
                .rev()
                .take_while(|&&byte| byte == b'\\')
                .count();
            if backslashes % 2 == 1 {
                from = at.saturating_add(1);
            } else if inner.get(at.saturating_add(1)) == Some(&quote) {
                from = at.saturating_add(2);
            } else {
                break Some(at);
            }
        };
        let mut token = Token::new(
            Kind::String,
            inner.get(..end.unwrap_or(inner.len())).unwrap_or(&[]),
        );
        token.open = (skip > 0).then_some(quote);
        token.close = end.map(|_| quote);
        let length = end.map_or(inner.len(), |end| end.saturating_add(1));
        (Some(token), skip.saturating_add(length))
    }

    /// A string between two signs that are written as one letter each in tokens.
    fn delimited(&self, skip: usize, end: Option<usize>, close_length: usize, sign: u8) -> Read {
        let inner = self.rest().get(skip..).unwrap_or(&[]);
        let mut token = Token::new(
            Kind::String,
            inner.get(..end.unwrap_or(inner.len())).unwrap_or(&[]),
        );
        token.open = Some(sign);
        token.close = end.map(|_| sign);
        let length = end.map_or(inner.len(), |end| end.saturating_add(close_length));
        (Some(token), skip.saturating_add(length))
    }

    /// MySQL's back quotes: the name of a function, or else any name.
    pub(super) fn back_quoted(&self, skip: usize) -> Read {
        let (token, length) = self.quoted(b'`', skip);
        let token = token.map(|mut token| {
            token.kind = match words::kind_of(token.text()) {
                Some(Kind::Function) => Kind::Function,
                _ => Kind::Bareword,
            };
            token
        });
        (token, length)
    }

    /// `E'…'`: PostgreSQL's string with escapes, and MySQL's `N'…'`.
    pub(super) fn escape_string(&self) -> Read {
        match self.rest() {
            [_, b'\'', _, ..] => self.quoted(b'\'', 2),
            _ => self.word(),
        }
    }

    /// `U&'…'`.
    pub(super) fn unicode_string(&self) -> Read {
        let [_, b'&', b'\'', ..] = self.rest() else {
            return self.word();
        };
        let (token, length) = self.quoted(b'\'', 3);
        let token = token.map(|mut token| {
            token.open = Some(b'u');
            token.close = token.close.map(|_| b'u');
            token
        });
        (token, length)
    }

    /// `N'…'`, or Oracle's `NQ'…'`.
    pub(super) fn national_string(&self) -> Read {
        match self.rest() {
            [_, b'\'', _, ..] => self.escape_string(),
            _ => self.q_string(1),
        }
    }

    /// Oracle's `Q'[…]'`, `before` bytes ahead.
    pub(super) fn q_string(&self, before: usize) -> Read {
        let Some([b'q' | b'Q', b'\'', open, inner @ ..]) = self.rest().get(before..) else {
            return self.word();
        };
        let close = match open {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            0x21..=0x7F => *open,
            _ => return self.word(),
        };
        let end = memmem::find(inner, &[close, b'\'']);
        self.delimited(before.saturating_add(3), end, 2, b'q')
    }

    /// `B'01'`.
    pub(super) fn binary_string(&self) -> Read {
        self.digit_string(|byte| matches!(byte, b'0' | b'1'))
    }

    /// `X'0F'`.
    pub(super) fn hex_string(&self) -> Read {
        self.digit_string(|byte| byte.is_ascii_hexdigit())
    }

    fn digit_string(&self, is_digit: impl Fn(u8) -> bool) -> Read {
        let [_, b'\'', inner @ ..] = self.rest() else {
            return self.word();
        };
        let digits = span(inner, is_digit);
        match inner.get(digits) {
            Some(b'\'') => self.token(Kind::Number, digits.saturating_add(3)),
            _ => self.word(),
        }
    }

    /// `@name`, `@@name`, `@'name'`.
    pub(super) fn variable(&self) -> Read {
        let at_signs = if self.rest().starts_with(b"@@") {
            2u8
        } else {
            1
        };
        let skip = usize::from(at_signs);
        let behind = self.rest().get(skip..).unwrap_or(&[]);
        let (token, length) = match behind.first() {
            Some(b'`') => self.back_quoted(skip.saturating_add(1)),
            Some(&quote @ (b'\'' | b'"')) => self.quoted(quote, skip.saturating_add(1)),
            _ => {
                let length = behind
                    .iter()
                    .position(|&byte| ends_variable(byte))
                    .unwrap_or(behind.len());
                let name = behind.get(..length).unwrap_or(behind);
                (
                    Some(Token::new(Kind::Variable, name)),
                    skip.saturating_add(length),
                )
            }
        };
        let token = token.map(|mut token| {
            token.kind = Kind::Variable;
            token.at_signs = at_signs;
            token
        });
        (token, length)
    }

    /// `$1,000.00`, or PostgreSQL's `$$…$$` and `$tag$…$tag$`.
    pub(super) fn money(&self) -> Read {
        let rest = self.rest();
        let behind = rest.get(1..).unwrap_or(&[]);
        let digits = span(behind, |byte| matches!(byte, b'0'..=b'9' | b'.' | b','));
        match (digits, behind) {
            (0, [b'$', inner @ ..]) => self.delimited(2, memmem::find(inner, b"$$"), 2, b'$'),
            (0, _) => {
                let letters = span(behind, |byte| byte.is_ascii_alphabetic());
                let length = letters.saturating_add(2);
                match rest.split_at_checked(length) {
                    Some((tag, inner)) if letters > 0 && tag.ends_with(b"$") => {
                        self.delimited(length, memmem::find(inner, tag), length, b'$')
                    }
                    _ => self.sign(Kind::Bareword),
                }
            }
            (1, [b'.', ..]) => self.word(),
            _ => self.token(Kind::Number, digits.saturating_add(1)),
        }
    }

    /// Decimal, hexadecimal and binary numbers, with fraction, exponent and Oracle's suffix.
    pub(super) fn number(&self) -> Read {
        let rest = self.rest();
        let prefixed = match rest {
            [b'0', b'x' | b'X', digits @ ..] => Some(span(digits, |byte| byte.is_ascii_hexdigit())),
            [b'0', b'b' | b'B', digits @ ..] => {
                Some(span(digits, |byte| matches!(byte, b'0' | b'1')))
            }
            _ => None,
        };
        if let Some(digits) = prefixed {
            let kind = if digits == 0 {
                Kind::Bareword
            } else {
                Kind::Number
            };
            return self.token(kind, digits.saturating_add(2));
        }
        let byte = |at: usize| rest.get(at).copied();
        let skip_digits = |at: usize| {
            let digits = rest.get(at..).unwrap_or(&[]);
            at.saturating_add(
                digits
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit())
                    .count(),
            )
        };
        let mut at = skip_digits(0);
        if byte(at) == Some(b'.') {
            at = skip_digits(at.saturating_add(1));
            if at == 1 {
                return self.sign(Kind::Dot);
            }
        }
        let mut kind = Kind::Number;
        if matches!(byte(at), Some(b'e' | b'E')) {
            at = at.saturating_add(1);
            if matches!(byte(at), Some(b'+' | b'-')) {
                at = at.saturating_add(1);
            }
            let end = skip_digits(at);
            if end == at {
                // An exponent without digits makes a word of it.
                kind = Kind::Bareword;
            }
            at = end;
        }
        if matches!(byte(at), Some(b'd' | b'D' | b'f' | b'F')) {
            // `1fUNION` is a number and a word.
            let ends = match byte(at.saturating_add(1)) {
                None => true,
                Some(next) => is_white(next) || matches!(next, b';' | b'u' | b'U'),
            };
            at = at.saturating_add(usize::from(ends));
        }
        self.token(kind, at)
    }
}

/// Number of bytes in front that a condition holds for. As in libinjection NUL counts as a digit.
fn span(text: &[u8], condition: impl Fn(u8) -> bool) -> usize {
    text.iter()
        .take_while(|&&byte| byte == 0 || condition(byte))
        .count()
}

const fn ends_variable(byte: u8) -> bool {
    matches!(
        byte,
        0 | b'\t'
            ..=b'\r'
                | b' '
                | b'<'
                | b'>'
                | b':'
                | b'\\'
                | b'?'
                | b'='
                | b'@'
                | b'!'
                | b'#'
                | b'~'
                | b'+'
                | b'-'
                | b'*'
                | b'/'
                | b'&'
                | b'|'
                | b'^'
                | b'%'
                | b'('
                | b')'
                | b','
                | b'\''
                | b';'
                | b'`'
                | b'"'
    )
}
