//! JSON tokens from chunks: RFC 8259, with the leniency of yajl, the parser behind v2: vertical tab
//! and form feed are blanks, and UTF-8 is checked for its shape (lead and continuation bytes) only.

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `{`
    OpenObject,
    /// `}`
    CloseObject,
    /// `[`
    OpenArray,
    /// `]`
    CloseArray,
    /// `:`
    Colon,
    /// `,`
    Comma,
    /// A string; [`Lexer::text`] is its value, unescaped.
    String,
    /// A number; [`Lexer::text`] is as written.
    Number,
    /// `true`, `false` or `null`.
    Literal(&'static str),
}

/// What is wrong, in yajl's words where they are short.
pub(super) type Error = &'static str;

/// Cuts tokens. All its state is the open token.
#[derive(Debug, Default)]
pub(super) struct Lexer {
    state: State,
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Between,
    /// In a string; how many continuation bytes of UTF-8 must come.
    String {
        continuation: u8,
    },
    /// Behind a backslash. A high surrogate may stand before it.
    Escape {
        high: Option<u16>,
    },
    /// In `\uXXXX`: digits seen, their value, a high surrogate before.
    Unicode {
        digits: u8,
        value: u16,
        high: Option<u16>,
    },
    /// Behind the escape of a high surrogate.
    High(u16),
    Number(Number),
    Literal {
        word: &'static str,
        seen: usize,
    },
}

/// Where in a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl Lexer {
    /// The value of the last string or number.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.text.capacity()
    }

    /// Reads on to the end of a token. `None`: the input is used up.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Token>, Error> {
        while let Some((&byte, after)) = input.split_first() {
            match self.state {
                State::Between => {
                    *input = after;
                    if let Some(token) = self.start(byte)? {
                        return Ok(Some(token));
                    }
                }
                State::String { continuation: 0 } => {
                    let plain = input
                        .iter()
                        .position(|&byte| {
                            !matches!(byte, 0x20..0x80) || byte == b'"' || byte == b'\\'
                        })
                        .unwrap_or(input.len());
                    let (run, rest) = input.split_at_checked(plain).unwrap_or((input, &[]));
                    self.text.extend_from_slice(run);
                    *input = rest;
                    if let Some((&byte, after)) = rest.split_first() {
                        *input = after;
                        if self.special(byte)? {
                            return Ok(Some(Token::String));
                        }
                    }
                }
                State::String { continuation } => {
                    *input = after;
                    if byte & 0xC0 != 0x80 {
                        return Err("lexical error: invalid bytes in UTF8 string.");
                    }
                    self.text.push(byte);
                    self.state = State::String {
                        continuation: continuation.saturating_sub(1),
                    };
                }
                State::High(high) => {
                    if byte == b'\\' {
                        *input = after;
                        self.state = State::Escape { high: Some(high) };
                    } else {
                        self.unpaired();
                    }
                }
                State::Escape { high } => {
                    *input = after;
                    self.escape(byte, high)?;
                }
                State::Unicode {
                    digits,
                    value,
                    high,
                } => {
                    *input = after;
                    self.unicode(byte, digits, value, high)?;
                }
                State::Number(at) => match number(at, byte) {
                    Ok(Some(at)) => {
                        *input = after;
                        self.text.push(byte);
                        self.state = State::Number(at);
                    }
                    Ok(None) => {
                        self.state = State::Between;
                        return Ok(Some(Token::Number));
                    }
                    Err(error) => return Err(error),
                },
                State::Literal { word, seen } => {
                    *input = after;
                    if word.as_bytes().get(seen) != Some(&byte) {
                        return Err(BAD_WORD);
                    }
                    let seen = seen.saturating_add(1);
                    if seen == word.len() {
                        self.state = State::Between;
                        return Ok(Some(Token::Literal(word)));
                    }
                    self.state = State::Literal { word, seen };
                }
            }
        }
        Ok(None)
    }

    /// The end of the input: a number may end there.
    pub(super) fn finish(&mut self) -> Result<Option<Token>, Error> {
        match self.state {
            State::Between => Ok(None),
            State::Number(at) => {
                self.state = State::Between;
                number(at, b' ').map(|_| Some(Token::Number))
            }
            State::Literal { .. } => Err(BAD_WORD),
            _ => Err(PREMATURE_END),
        }
    }

    /// The open string or number, as it stands.
    pub(super) fn cut(&self) -> Option<Token> {
        match self.state {
            State::Between | State::Literal { .. } => None,
            State::Number(_) => Some(Token::Number),
            _ => Some(Token::String),
        }
    }

    /// The first byte of a token, or a blank.
    fn start(&mut self, byte: u8) -> Result<Option<Token>, Error> {
        let token = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C => return Ok(None),
            b'{' => Token::OpenObject,
            b'}' => Token::CloseObject,
            b'[' => Token::OpenArray,
            b']' => Token::CloseArray,
            b':' => Token::Colon,
            b',' => Token::Comma,
            _ => {
                self.text.clear();
                self.state = match byte {
                    b'"' => State::String { continuation: 0 },
                    b't' => State::Literal {
                        word: "true",
                        seen: 1,
                    },
                    b'f' => State::Literal {
                        word: "false",
                        seen: 1,
                    },
                    b'n' => State::Literal {
                        word: "null",
                        seen: 1,
                    },
                    b'-' => State::Number(Number::Minus),
                    b'0' => State::Number(Number::Zero),
                    b'1'..=b'9' => State::Number(Number::Digits),
                    b'/' => {
                        return Err("lexical error: probable comment found in input text, \
                                    comments are not enabled.");
                    }
                    _ => return Err("lexical error: invalid char in json text."),
                };
                if matches!(self.state, State::Number(_)) {
                    self.text.push(byte);
                }
                return Ok(None);
            }
        };
        Ok(Some(token))
    }

    /// A byte of a string that is not plain ASCII text. `true`: the string is over.
    fn special(&mut self, byte: u8) -> Result<bool, Error> {
        let continuation = match byte {
            b'"' => {
                self.state = State::Between;
                return Ok(true);
            }
            b'\\' => {
                self.state = State::Escape { high: None };
                return Ok(false);
            }
            0xC0..=0xDF => 1,
            0xE0..=0xEF => 2,
            0xF0..=0xF7 => 3,
            0x80.. => return Err("lexical error: invalid bytes in UTF8 string."),
            _ => return Err("lexical error: invalid character inside string."),
        };
        self.text.push(byte);
        self.state = State::String { continuation };
        Ok(false)
    }

    fn escape(&mut self, byte: u8, high: Option<u16>) -> Result<(), Error> {
        let unescaped = match byte {
            b'u' => {
                self.state = State::Unicode {
                    digits: 0,
                    value: 0,
                    high,
                };
                return Ok(());
            }
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            _ => {
                return Err(
                    "lexical error: inside a string, '\\' occurs before a character \
                            which it may not.",
                );
            }
        };
        if high.is_some() {
            self.unpaired();
        }
        self.text.push(unescaped);
        self.state = State::String { continuation: 0 };
        Ok(())
    }

    fn unicode(
        &mut self,
        byte: u8,
        digits: u8,
        value: u16,
        high: Option<u16>,
    ) -> Result<(), Error> {
        let digit = char::from(byte)
            .to_digit(16)
            .and_then(|digit| u16::try_from(digit).ok());
        let Some(digit) = digit else {
            return Err(
                "lexical error: invalid (non-hex) character occurs after '\\u' inside \
                        string.",
            );
        };
        let value = (value << 4) | digit;
        if digits < 3 {
            self.state = State::Unicode {
                digits: digits.saturating_add(1),
                value,
                high,
            };
            return Ok(());
        }
        self.state = State::String { continuation: 0 };
        match (high, value) {
            (Some(high), 0xDC00..=0xDFFF) => {
                let pair = [high, value];
                let decoded = char::decode_utf16(pair).next().and_then(Result::ok);
                self.push(decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
                return Ok(());
            }
            (Some(_), _) => self.unpaired(),
            (None, _) => {}
        }
        match value {
            0xD800..=0xDBFF => self.state = State::High(value),
            // yajl writes a low surrogate that stands alone as three bytes, like any other
            // character of the basic plane.
            0xDC00..=0xDFFF => {
                let [first, last] = value.to_be_bytes();
                let middle = 0x80 | ((first & 0x0F) << 2) | (last >> 6);
                self.text
                    .extend_from_slice(&[0xE0 | (first >> 4), middle, 0x80 | (last & 0x3F)]);
            }
            _ => {
                let decoded = char::from_u32(u32::from(value));
                self.push(decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        Ok(())
    }

    fn push(&mut self, character: char) {
        self.text
            .extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// A high surrogate without its low one is a question mark, as in yajl. Unlike there, what
    /// follows it is neither swallowed nor taken for the low one: nothing hides behind it.
    fn unpaired(&mut self) {
        self.text.push(b'?');
        self.state = State::String { continuation: 0 };
    }
}

pub(super) const PREMATURE_END: Error = "parse error: premature EOF";
const BAD_WORD: Error = "lexical error: invalid string in json text.";

/// Where a number stands behind one more byte; `None` where the byte is not of it.
fn number(at: Number, byte: u8) -> Result<Option<Number>, Error> {
    use Number::{Digits, Exponent, ExponentDigits, ExponentSign, Fraction, Minus, Point, Zero};
    Ok(Some(match (at, byte) {
        (Minus, b'0') => Zero,
        (Minus | Digits, b'0'..=b'9') => Digits,
        (Zero | Digits, b'.') => Point,
        (Point | Fraction, b'0'..=b'9') => Fraction,
        (Zero | Digits | Fraction, b'e' | b'E') => Exponent,
        (Exponent, b'+' | b'-') => ExponentSign,
        (Exponent | ExponentSign | ExponentDigits, b'0'..=b'9') => ExponentDigits,
        (Minus, _) => {
            return Err(
                "lexical error: malformed number, a digit is required after the minus \
                        sign.",
            );
        }
        (Point, _) => {
            return Err(
                "lexical error: malformed number, a digit is required after the decimal \
                        point.",
            );
        }
        (Exponent | ExponentSign, _) => {
            return Err(
                "lexical error: malformed number, a digit is required after the \
                        exponent.",
            );
        }
        (Zero | Digits | Fraction | ExponentDigits, _) => return Ok(None),
    }))
}
