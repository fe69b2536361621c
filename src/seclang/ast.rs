//! The syntax tree. Texts are bytes (rule files are not always UTF-8); every part has its place.

use crate::diagnostic::Span;

/// One logical line: a directive with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The name as written.
    pub name: Word,
    /// The arguments, unquoted.
    pub arguments: Vec<Word>,
    /// From the name to the end of the last argument.
    pub span: Span,
}

/// A word after unquoting and joining of continued lines.
///
/// Its bytes are not always the bytes of the source: a continuation (`\` and line end) and the
/// backslash of `\"` are gone. [`Word::span_of`] finds where a part of it stands in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The bytes.
    pub text: Vec<u8>,
    /// Where it stands, with its quotes.
    pub span: Span,
    /// Whether it stood in quotes or backticks.
    pub quoted: bool,
    /// Pairs of (offset in `text`, offset in the source) at which the two run apart; sorted; the
    /// first is for offset 0.
    pub(crate) offsets: Vec<(u32, u32)>,
}

/// One entry of a target list: `!ARGS:/^x/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `!`: exclude.
    pub exclude: bool,
    /// `&`: count.
    pub count: bool,
    /// The variable's name as written.
    pub name: Vec<u8>,
    /// What follows the colon.
    pub selector: Option<Selector>,
    /// The whole entry.
    pub span: Span,
}

/// What follows the colon of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `ARGS:name`, `ARGS:'a name'`.
    Key(Vec<u8>),
    /// `ARGS:/regex/`, `ARGS:'/regex/'`; the text between the slashes, `\/` resolved.
    Regex(Vec<u8>),
}

/// The second argument of SecRule, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorExpr {
    /// `!`.
    pub negated: bool,
    /// The name without `@`; `rx` where none is written.
    pub name: Vec<u8>,
    /// Place of the name (of the whole text where none is written).
    pub name_span: Span,
    /// What follows, blanks at its start removed.
    pub argument: Vec<u8>,
    /// Place of the argument.
    pub argument_span: Span,
}

/// One entry of an action list: `name` or `name:value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionExpr {
    /// The name as written.
    pub name: Vec<u8>,
    /// What follows the colon, unquoted.
    pub value: Option<Vec<u8>>,
    /// The whole entry.
    pub span: Span,
    /// Place of the value (of the whole entry where there is none).
    pub value_span: Span,
}
