//! The syntax tree. Texts are bytes (rule files are not always UTF-8); every part has its place.

use crate::diagnostic::Span;

pub use super::word::Word;

/// One logical line: a directive with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The name as written.
    pub name: Word,
    /// The arguments, unquoted.
    pub arguments: Vec<Word>,
    /// From the name to the end of the last argument.
    pub span: Span,
    /// An error in this line has been reported and `arguments` holds only what could be read: a
    /// reader keeps quiet about what seems to be missing.
    pub broken: bool,
}

/// One entry of a target list: `!ARGS:/^x/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `!`: exclude.
    pub exclude: bool,
    /// `&`: count.
    pub count: bool,
    /// The variable's name as written.
    pub name: Word,
    /// What follows the colon.
    pub selector: Option<Selector>,
    /// The whole entry.
    pub span: Span,
}

/// What follows the colon of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `ARGS:name`, `ARGS:'a name'`, and the XPath of `XML:/a/b`.
    Key(Word),
    /// `ARGS:/regex/`, `ARGS:'/regex/'`; the text between the slashes, `\/` resolved.
    Regex(Word),
}

/// The second argument of SecRule, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorExpr {
    /// `!`.
    pub negated: bool,
    /// The name without `@`. Where none is written: `rx`, in the place of the whole text.
    pub name: Word,
    /// What follows, blanks at its start removed.
    pub argument: Word,
}

/// One entry of an action list: `name` or `name:value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionExpr {
    /// The name as written.
    pub name: Word,
    /// What follows the colon, unquoted; empty for `name:`.
    pub value: Option<Word>,
    /// The whole entry.
    pub span: Span,
}

impl ActionExpr {
    /// Place of the value, or of the whole entry where there is none.
    pub fn value_span(&self) -> Span {
        self.value.as_ref().map_or(self.span, |value| value.span)
    }
}
