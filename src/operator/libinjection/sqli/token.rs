//! Tokens of SQL.

/// What a token is. The letter of each is its place in fingerprints.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $letter:literal,)+) => {
        /// What a token is.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Kind { $($(#[doc = $doc])+ $variant,)+ }

        impl Kind {
            /// The letter that stands for it in fingerprints.
            pub const fn letter(self) -> u8 {
                match self { $(Self::$variant => $letter,)+ }
            }

            /// The kind that a letter stands for.
            pub(super) const fn from_letter(letter: u8) -> Option<Self> {
                match letter { $($letter => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// A word of the language without a kind of its own.
    Keyword = b'k',
    /// UNION and its like.
    Union = b'U',
    /// GROUP BY, ORDER BY and their like.
    Group = b'B',
    /// SELECT, INSERT and other beginnings of statements.
    Expression = b'E',
    /// The name of a type.
    SqlType = b't',
    /// The name of a function.
    Function = b'f',
    /// Any other word.
    Bareword = b'n',
    /// A number.
    Number = b'1',
    /// A variable.
    Variable = b'v',
    /// A string.
    String = b's',
    /// An operator.
    Operator = b'o',
    /// AND, OR and their like.
    LogicOperator = b'&',
    /// A comment.
    Comment = b'c',
    /// COLLATE.
    Collate = b'A',
    /// `(`.
    LeftParenthesis = b'(',
    /// `)`.
    RightParenthesis = b')',
    /// `{`.
    LeftBrace = b'{',
    /// `}`.
    RightBrace = b'}',
    /// A single dot.
    Dot = b'.',
    /// `,`.
    Comma = b',',
    /// A single colon.
    Colon = b':',
    /// `;`.
    Semicolon = b';',
    /// A beginning of a statement in Transact-SQL.
    Tsql = b'T',
    /// A byte that means nothing.
    Unknown = b'?',
    /// What databases read in different ways, to be taken as an attack.
    Evil = b'X',
    /// A single backslash.
    Backslash = b'\\',
}

/// Longest text of a token that is kept.
pub(super) const LONGEST_TEXT: usize = 31;

/// One token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    text: [u8; LONGEST_TEXT],
    length: usize,
    /// The sign that opened a string, if one stands in the value.
    pub open: Option<u8>,
    /// The sign that closed a string, if one stands in the value.
    pub close: Option<u8>,
    /// Number of `@` before a variable.
    pub at_signs: u8,
}

impl Token {
    /// A token; long texts are cut.
    pub(super) fn new(kind: Kind, text: &[u8]) -> Self {
        let mut token = Self {
            kind,
            text: [0; LONGEST_TEXT],
            length: text.len().min(LONGEST_TEXT),
            open: None,
            close: None,
            at_signs: 0,
        };
        for (to, from) in token.text.iter_mut().zip(text) {
            *to = *from;
        }
        token
    }

    /// The first bytes of the token, at most 31; of a string what stands between the quotes.
    pub fn text(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or(&self.text)
    }

    /// The token with another kind and text; the quotes stay.
    pub(super) fn renamed(&self, kind: Kind, text: &[u8]) -> Self {
        Self {
            open: self.open,
            close: self.close,
            at_signs: self.at_signs,
            ..Self::new(kind, text)
        }
    }

    /// The first byte; NUL for an empty token.
    pub(super) const fn first(&self) -> u8 {
        let [first, ..] = self.text;
        first
    }

    /// Whether it is one of some kinds.
    pub(super) fn is(&self, kinds: &[Kind]) -> bool {
        kinds.contains(&self.kind)
    }

    /// Whether its text is a word, whatever the letter case.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.text().eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether it is `+ - * / %`.
    pub(super) fn is_arithmetic(&self) -> bool {
        self.kind == Kind::Operator && matches!(self.text(), [b'+' | b'-' | b'*' | b'/' | b'%'])
    }

    /// Whether it is an operator that can stand before its only operand.
    pub(super) fn is_unary(&self) -> bool {
        self.kind == Kind::Operator
            && (matches!(self.text(), [b'+' | b'-' | b'!' | b'~'] | b"!!") || self.is_word("NOT"))
    }
}
