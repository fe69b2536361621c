//! A value into tokens.

use super::Mode;
use super::token::{Kind, LONGEST_TEXT, Token};
use super::words;

/// Reads tokens one after another.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    pub(super) value: &'a [u8],
    pub(super) at: usize,
    mode: Mode,
    /// Number of tokens read so far.
    pub(super) count: usize,
    /// Something was read that MySQL reads in another way.
    pub(super) differs_in_mysql: bool,
}

/// A token, and how many bytes it takes; no token for bytes that mean nothing.
pub(super) type Read = (Option<Token>, usize);

impl<'a> Lexer<'a> {
    pub(super) const fn new(value: &'a [u8], mode: Mode) -> Self {
        Self {
            value,
            at: 0,
            mode,
            count: 0,
            differs_in_mysql: false,
        }
    }

    /// The next token.
    pub(super) fn next_token(&mut self) -> Option<Token> {
        if self.value.is_empty() {
            return None;
        }
        if let (0, Some(quote)) = (self.at, self.mode.quote) {
            let (token, length) = self.quoted(quote, 0);
            self.at = length;
            self.count = 1;
            return token;
        }
        while let Some(&first) = self.rest().first() {
            let (token, length) = self.read(first);
            self.at = self.at.saturating_add(length.max(1));
            if token.is_some() {
                self.count = self.count.saturating_add(1);
                return token;
            }
        }
        None
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.value.get(self.at..).unwrap_or(&[])
    }

    fn read(&mut self, first: u8) -> Read {
        match first {
            0..=0x20 | 0x7F | 0xA0 => (None, 1),
            b'\'' | b'"' => self.quoted(first, 1),
            b'0'..=b'9' | b'.' => self.number(),
            b'$' => self.money(),
            b'@' => self.variable(),
            b'`' => self.back_quoted(1),
            b'#' => self.hash(),
            b'-' => self.dash(),
            b'/' => self.slash(),
            b'\\' => self.backslash(),
            b'[' => self.bracketed(),
            b'!' | b'&' | b'*' | b':' | b'<' | b'=' | b'>' | b'|' => self.long_operator(first),
            b'%' | b'+' | b'^' | b'~' => self.sign(Kind::Operator),
            b'(' => self.sign(Kind::LeftParenthesis),
            b')' => self.sign(Kind::RightParenthesis),
            b'{' => self.sign(Kind::LeftBrace),
            b'}' => self.sign(Kind::RightBrace),
            b',' => self.sign(Kind::Comma),
            b';' => self.sign(Kind::Semicolon),
            b'?' | b']' => self.sign(Kind::Unknown),
            b'B' | b'b' => self.binary_string(),
            b'E' | b'e' => self.escape_string(),
            b'N' | b'n' => self.national_string(),
            b'Q' | b'q' => self.q_string(0),
            b'U' | b'u' => self.unicode_string(),
            b'X' | b'x' => self.hex_string(),
            _ => self.word(),
        }
    }

    /// A token of the next bytes.
    pub(super) fn token(&self, kind: Kind, length: usize) -> Read {
        let text = self.rest();
        (
            Some(Token::new(kind, text.get(..length).unwrap_or(text))),
            length,
        )
    }

    /// A token of one byte.
    pub(super) fn sign(&self, kind: Kind) -> Read {
        self.token(kind, 1)
    }

    fn comment_to_line_end(&self) -> Read {
        let rest = self.rest();
        match memchr::memchr(b'\n', rest) {
            Some(end) => (self.token(Kind::Comment, end).0, end.saturating_add(1)),
            None => self.token(Kind::Comment, rest.len()),
        }
    }

    fn hash(&mut self) -> Read {
        self.differs_in_mysql = true;
        if self.mode.mysql {
            self.comment_to_line_end()
        } else {
            self.sign(Kind::Operator)
        }
    }

    /// `--` begins a comment; in MySQL only before a blank or at the end.
    fn dash(&mut self) -> Read {
        match self.rest() {
            [_, b'-'] => self.comment_to_line_end(),
            [_, b'-', next, ..] if is_white(*next) => self.comment_to_line_end(),
            [_, b'-', ..] if !self.mode.mysql => {
                self.differs_in_mysql = true;
                self.comment_to_line_end()
            }
            _ => self.sign(Kind::Operator),
        }
    }

    /// A comment, if an asterisk follows. PostgreSQL nests comments and MySQL runs what stands in
    /// `/*! */`: neither can be read for all databases at once.
    fn slash(&self) -> Read {
        let [_, b'*', inner @ ..] = self.rest() else {
            return self.sign(Kind::Operator);
        };
        let end = memchr::memmem::find(inner, b"*/");
        // Up to and with the asterisk that ends the comment: `/*/` nests nothing.
        let nests = end.is_some_and(|end| {
            let inside = inner.get(..end.saturating_add(1)).unwrap_or(inner);
            memchr::memmem::find(inside, b"/*").is_some()
        });
        let kind = if nests || inner.starts_with(b"!") {
            Kind::Evil
        } else {
            Kind::Comment
        };
        let length = end.map_or(inner.len().saturating_add(2), |end| end.saturating_add(4));
        self.token(kind, length)
    }

    /// `\N` is NULL in MySQL.
    fn backslash(&self) -> Read {
        match self.rest() {
            [_, b'N', ..] => self.token(Kind::Number, 2),
            _ => self.sign(Kind::Backslash),
        }
    }

    fn long_operator(&self, first: u8) -> Read {
        let rest = self.rest();
        if rest.starts_with(b"<=>") {
            return self.token(Kind::Operator, 3);
        }
        match rest.get(..2) {
            None => self.sign(Kind::Operator),
            Some(pair) => match words::kind_of(pair) {
                Some(kind) => self.token(kind, 2),
                None if first == b':' => self.sign(Kind::Colon),
                None => self.sign(Kind::Operator),
            },
        }
    }

    /// `[name]` of SQL Server.
    fn bracketed(&self) -> Read {
        let rest = self.rest();
        let length = memchr::memchr(b']', rest).map_or(rest.len(), |end| end.saturating_add(1));
        self.token(Kind::Bareword, length)
    }

    /// A word. It ends before a dot or back quote if a word of the language stands before it.
    pub(super) fn word(&self) -> Read {
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|&byte| ends_word(byte))
            .unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or(rest);
        let kept = word.get(..LONGEST_TEXT).unwrap_or(word);
        for (at, byte) in kept.iter().enumerate() {
            if matches!(byte, b'.' | b'`') {
                match kept.get(..at).and_then(words::kind_of) {
                    None | Some(Kind::Bareword) => {}
                    Some(kind) => return self.token(kind, at),
                }
            }
        }
        let kind = if length <= LONGEST_TEXT {
            words::kind_of(word)
        } else {
            None
        };
        self.token(kind.unwrap_or(Kind::Bareword), length)
    }
}

/// What parts tokens: C's `isspace`, NUL (Oracle) and the blank of Latin-1.
pub(super) const fn is_white(byte: u8) -> bool {
    matches!(byte, 0 | b'\t'..=b'\r' | b' ' | 0xA0)
}

const fn ends_word(byte: u8) -> bool {
    is_white(byte)
        || matches!(
            byte,
            b'[' | b']'
                | b'{'
                | b'}'
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
                | b'"'
        )
}
