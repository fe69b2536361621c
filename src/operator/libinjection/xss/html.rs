//! A value into tokens of HTML 5, as lenient as browsers are.

/// What a value is read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Context {
    /// Text between tags.
    Text,
    /// What follows the name of a tag.
    Tag,
    /// What follows a single quote that opens an attribute's value.
    SingleQuoted,
    /// The same with a double quote.
    DoubleQuoted,
    /// The same with a back quote, which old browsers took for a quote.
    BackQuoted,
}

impl Context {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Tag,
        Self::SingleQuoted,
        Self::DoubleQuoted,
        Self::BackQuoted,
    ];
}

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text between tags.
    Text,
    /// The name of a tag that opens.
    TagNameOpen,
    /// The `>` of a tag.
    TagNameClose,
    /// The `/>` of a tag.
    TagNameSelfClose,
    /// The name of a tag that closes.
    TagClose,
    /// The name of an attribute.
    AttributeName,
    /// The value of an attribute, without quotes.
    AttributeValue,
    /// A comment, or what browsers read as one.
    Comment,
    /// A document type.
    Doctype,
}

/// One token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub text: &'a [u8],
}

/// Reads tokens one after another.
#[derive(Clone, Debug)]
pub struct Html<'a> {
    value: &'a [u8],
    at: usize,
    state: State,
    /// The tag being read is one that closes.
    closing: bool,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    End,
    Text,
    TagOpen,
    EndTagOpen,
    TagName,
    TagEnd,
    SelfClosing,
    BeforeAttributeName,
    AttributeName,
    AfterAttributeName,
    BeforeAttributeValue,
    /// Behind the quote.
    QuotedValue(u8),
    UnquotedValue,
    AfterQuotedValue,
    MarkupDeclaration,
    Doctype,
    /// `<! … >`, `<? … >` and others that are comments by mistake.
    BogusComment,
    /// `<% … %>`.
    PercentComment,
    Comment,
    CharacterData,
}

impl<'a> Html<'a> {
    /// A value as it is read in a context.
    pub const fn new(value: &'a [u8], context: Context) -> Self {
        let state = match context {
            Context::Text => State::Text,
            Context::Tag => State::BeforeAttributeName,
            Context::SingleQuoted => State::QuotedValue(b'\''),
            Context::DoubleQuoted => State::QuotedValue(b'"'),
            Context::BackQuoted => State::QuotedValue(b'`'),
        };
        Self {
            value,
            at: 0,
            state,
            closing: false,
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.value.get(self.at..).unwrap_or(&[])
    }

    fn skip(&mut self, length: usize) {
        self.at = self.at.saturating_add(length);
    }

    /// A token of the next bytes; behind it and some bytes more follows a state.
    fn token(&mut self, kind: Kind, length: usize, more: usize, state: State) -> Option<Token<'a>> {
        let rest = self.rest();
        let text = rest.get(..length).unwrap_or(rest);
        self.skip(length.saturating_add(more));
        self.state = state;
        Some(Token { kind, text })
    }

    /// A token of all that is left.
    fn last(&mut self, kind: Kind) -> Option<Token<'a>> {
        self.token(kind, usize::MAX, 0, State::End)
    }

    /// Goes over blanks and NUL bytes and tells what stands there.
    fn skip_white(&mut self) -> Option<u8> {
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|&byte| !is_white(byte))
            .unwrap_or(rest.len());
        self.skip(length);
        rest.get(length).copied()
    }

    fn text(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        match memchr::memchr(b'<', rest) {
            None if rest.is_empty() => self.end(),
            None => self.last(Kind::Text),
            Some(0) => {
                self.skip(1);
                self.go(State::TagOpen)
            }
            Some(length) => self.token(Kind::Text, length, 1, State::TagOpen),
        }
    }

    fn tag_open(&mut self) -> Option<Token<'a>> {
        let next = match self.rest().first() {
            None => return self.end(),
            Some(b'!') => State::MarkupDeclaration,
            Some(b'/') => {
                self.closing = true;
                State::EndTagOpen
            }
            Some(b'?') => State::BogusComment,
            Some(b'%') => State::PercentComment,
            // Old browsers go over NUL bytes.
            Some(0 | b'a'..=b'z' | b'A'..=b'Z') => return self.go(State::TagName),
            Some(_) => {
                // The sign before was text.
                self.at = self.at.saturating_sub(1);
                return self.token(Kind::Text, 1, 0, State::Text);
            }
        };
        self.skip(1);
        self.go(next)
    }

    fn end_tag_open(&mut self) -> Option<Token<'a>> {
        match self.rest().first() {
            None => self.end(),
            Some(b'>') => self.go(State::Text),
            Some(byte) if byte.is_ascii_alphabetic() => self.go(State::TagName),
            Some(_) => {
                self.closing = false;
                self.go(State::BogusComment)
            }
        }
    }

    fn tag_name(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let ends = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ' | b'/' | b'>');
        let Some(length) = rest.iter().position(ends) else {
            return self.last(Kind::TagNameOpen);
        };
        match rest.get(length) {
            Some(b'/') => self.token(Kind::TagNameOpen, length, 1, State::SelfClosing),
            Some(b'>') if self.closing => {
                self.closing = false;
                self.token(Kind::TagClose, length, 1, State::Text)
            }
            Some(b'>') => self.token(Kind::TagNameOpen, length, 0, State::TagEnd),
            _ => self.token(Kind::TagNameOpen, length, 1, State::BeforeAttributeName),
        }
    }

    fn tag_end(&mut self) -> Option<Token<'a>> {
        self.closing = false;
        let is_last = self.rest().len() <= 1;
        self.token(
            Kind::TagNameClose,
            1,
            0,
            if is_last { State::End } else { State::Text },
        )
    }

    fn self_closing(&mut self) -> Option<Token<'a>> {
        match self.rest().first() {
            None => self.end(),
            Some(b'>') => {
                // With the slash before.
                self.at = self.at.saturating_sub(1);
                self.token(Kind::TagNameSelfClose, 2, 0, State::Text)
            }
            Some(_) => self.go(State::BeforeAttributeName),
        }
    }

    fn before_attribute_name(&mut self) -> Option<Token<'a>> {
        match self.skip_white() {
            None => self.end(),
            Some(b'/') => {
                self.skip(1);
                self.go(State::SelfClosing)
            }
            Some(b'>') => self.token(Kind::TagNameClose, 1, 0, State::Text),
            Some(_) => self.go(State::AttributeName),
        }
    }

    fn attribute_name(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        // The first byte belongs to the name whatever it is.
        let ends = |byte: &u8| is_white(*byte) || matches!(byte, b'/' | b'=' | b'>');
        let Some(length) = rest.iter().skip(1).position(ends) else {
            return self.last(Kind::AttributeName);
        };
        let length = length.saturating_add(1);
        let (more, state) = match rest.get(length) {
            Some(b'/') => (1, State::SelfClosing),
            Some(b'=') => (1, State::BeforeAttributeValue),
            Some(b'>') => (0, State::TagEnd),
            _ => (1, State::AfterAttributeName),
        };
        self.token(Kind::AttributeName, length, more, state)
    }

    fn after_attribute_name(&mut self) -> Option<Token<'a>> {
        let next = match self.skip_white() {
            None => return self.end(),
            Some(b'/') => State::SelfClosing,
            Some(b'=') => State::BeforeAttributeValue,
            Some(b'>') => return self.go(State::TagEnd),
            Some(_) => return self.go(State::AttributeName),
        };
        self.skip(1);
        self.go(next)
    }

    fn before_attribute_value(&mut self) -> Option<Token<'a>> {
        match self.skip_white() {
            None => self.end(),
            Some(quote @ (b'"' | b'\'' | b'`')) => {
                self.skip(1);
                self.go(State::QuotedValue(quote))
            }
            Some(_) => self.go(State::UnquotedValue),
        }
    }

    fn quoted_value(&mut self, quote: u8) -> Option<Token<'a>> {
        match memchr::memchr(quote, self.rest()) {
            None => self.last(Kind::AttributeValue),
            Some(length) => self.token(Kind::AttributeValue, length, 1, State::AfterQuotedValue),
        }
    }

    fn unquoted_value(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let ends = |byte: &u8| is_white(*byte) || *byte == b'>';
        match rest.iter().position(ends) {
            None => self.last(Kind::AttributeValue),
            Some(length) if rest.get(length) == Some(&b'>') => {
                self.token(Kind::AttributeValue, length, 0, State::TagEnd)
            }
            Some(length) => self.token(Kind::AttributeValue, length, 1, State::BeforeAttributeName),
        }
    }

    fn markup_declaration(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        if rest
            .get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"DOCTYPE"))
        {
            self.go(State::Doctype)
        } else if rest.starts_with(b"[CDATA[") {
            self.skip(7);
            self.go(State::CharacterData)
        } else if rest.starts_with(b"--") {
            self.skip(2);
            self.go(State::Comment)
        } else {
            self.go(State::BogusComment)
        }
    }

    /// A token up to an end of some length, or all that is left.
    fn until(&mut self, kind: Kind, end: Option<(usize, usize)>) -> Option<Token<'a>> {
        match end {
            Some((length, end)) => self.token(kind, length, end, State::Text),
            None => self.last(kind),
        }
    }

    fn comment(&mut self) -> Option<Token<'a>> {
        let end = comment_end(self.rest());
        self.until(Kind::Comment, end)
    }

    fn find_end(&self, end: &[u8]) -> Option<(usize, usize)> {
        memchr::memmem::find(self.rest(), end).map(|at| (at, end.len()))
    }

    /// Another state, without a token.
    const fn go(&mut self, state: State) -> Option<Token<'a>> {
        self.state = state;
        None
    }

    const fn end(&mut self) -> Option<Token<'a>> {
        self.go(State::End)
    }
}

impl<'a> Iterator for Html<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while self.state != State::End {
            let token = match self.state {
                State::End => None,
                State::Text => self.text(),
                State::TagOpen => self.tag_open(),
                State::EndTagOpen => self.end_tag_open(),
                State::TagName => self.tag_name(),
                State::TagEnd => self.tag_end(),
                State::SelfClosing => self.self_closing(),
                State::BeforeAttributeName | State::AfterQuotedValue => {
                    self.before_attribute_name()
                }
                State::AttributeName => self.attribute_name(),
                State::AfterAttributeName => self.after_attribute_name(),
                State::BeforeAttributeValue => self.before_attribute_value(),
                State::QuotedValue(quote) => self.quoted_value(quote),
                State::UnquotedValue => self.unquoted_value(),
                State::MarkupDeclaration => self.markup_declaration(),
                State::Doctype => self.until(Kind::Doctype, self.find_end(b">")),
                State::BogusComment => self.until(Kind::Comment, self.find_end(b">")),
                State::PercentComment => self.until(Kind::Comment, self.find_end(b"%>")),
                State::Comment => self.comment(),
                State::CharacterData => self.until(Kind::Text, self.find_end(b"]]>")),
            };
            if token.is_some() {
                return token;
            }
        }
        None
    }
}

/// Where a comment ends, and how long the end is: `-->` or `--!>`'s careless form `-!>`, with NUL
/// bytes behind the first dash.
fn comment_end(text: &[u8]) -> Option<(usize, usize)> {
    memchr::memchr_iter(b'-', text).find_map(|at| {
        let behind = text.get(at.saturating_add(1)..)?;
        let nuls = behind.iter().take_while(|&&byte| byte == 0).count();
        match behind.get(nuls..)? {
            [b'-' | b'!', b'>', ..] => Some((at, nuls.saturating_add(3))),
            _ => None,
        }
    })
}

/// Blanks, and NUL as old browsers have it.
const fn is_white(byte: u8) -> bool {
    matches!(byte, 0 | b'\t'..=b'\r' | b' ')
}
