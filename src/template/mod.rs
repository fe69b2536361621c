//! Macros: text with `%{NAME}` and `%{COLLECTION.key}` in it.
//!
//! Parsed when rules are loaded; an unknown name is an error then. At run time a macro that has no
//! value expands to nothing. Expanded bytes are raw: nothing is escaped for a regular expression.
//! ModSecurity manual, "Macro expansion".

use std::ops::Range;

use crate::variable::{KeyPattern, KeySlot, KeyTable, Variable};

/// A parsed text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Template {
    pieces: Box<[Piece]>,
}

/// A part of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    /// Text that stands for itself.
    Literal(Box<[u8]>),
    /// `%{…}`.
    Macro(Macro),
}

/// What a macro names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Macro {
    /// `%{tx.name}`.
    Tx(KeySlot),
    /// `%{NAME}`: a scalar, or the first value of a collection.
    Variable(Variable),
    /// `%{COLLECTION.key}`; the key in lower case.
    Entry(Variable, Box<[u8]>),
    /// `%{COLLECTION./pattern/}`: the first entry with a name like this.
    Matching(Variable, KeyPattern),
}

/// Why a text is not a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TemplateError {
    /// The name that is unknown.
    pub name: Vec<u8>,
    /// Where it stands in the text.
    pub offset: usize,
}

/// Gives macros their values.
pub trait Lookup {
    /// Appends the value of a macro, or nothing.
    fn expand(&self, what: &Macro, out: &mut Vec<u8>);
}

impl Template {
    /// A text without macros.
    pub fn literal(text: &[u8]) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        Self {
            pieces: Box::new([Piece::Literal(text.into())]),
        }
    }

    /// Parses a text. An unterminated `%{` and a lone `%` stand for themselves; a `%` right after a
    /// macro belongs to it, as in v3.
    ///
    /// # Errors
    /// The first macro whose name is no variable.
    pub fn parse(text: &[u8], keys: &mut KeyTable) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let Some((&first, after)) = rest.split_first() {
            let inside = rest.strip_prefix(b"%{".as_slice());
            let end = inside.and_then(end_of_macro);
            if let (Some(inside), Some(end)) = (inside, end) {
                let name = inside.get(..end).unwrap_or_default();
                let parsed = parse_macro(name, keys).ok_or_else(|| TemplateError {
                    name: name.to_vec(),
                    offset: text.len().saturating_sub(rest.len()),
                })?;
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal).into()));
                }
                pieces.push(Piece::Macro(parsed));
                rest = inside.get(end.saturating_add(1)..).unwrap_or_default();
                // v3 takes `%{NAME}%` for the macro alone.
                rest = match rest {
                    [b'%', b'{', ..] => rest,
                    [b'%', after @ ..] => after,
                    _ => rest,
                };
            } else {
                literal.push(first);
                rest = after;
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        Ok(Self {
            pieces: pieces.into(),
        })
    }

    /// The text, if no macro is in it.
    pub fn fixed(&self) -> Option<&[u8]> {
        match &*self.pieces {
            [] => Some(&[]),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// What the text begins with, whatever its macros stand for.
    pub fn start(&self) -> &[u8] {
        match self.pieces.first() {
            Some(Piece::Literal(text)) => text,
            _ => &[],
        }
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The macros in it.
    pub fn macros(&self) -> impl Iterator<Item = &Macro> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Macro(what) => Some(what),
        })
    }

    /// Appends the text with its macros expanded.
    pub fn expand(&self, lookup: &impl Lookup, out: &mut Vec<u8>) {
        self.expand_within(lookup, usize::MAX, out);
    }

    /// The same, but no more than it takes to make the output this long, in bytes. A text that
    /// repeats macros can be many times longer than their values.
    pub fn expand_within(&self, lookup: &impl Lookup, longest: usize, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text),
                Piece::Macro(what) => lookup.expand(what, out),
            }
            if out.len() >= longest {
                out.truncate(longest);
                return;
            }
        }
    }
}

impl Template {
    /// The same, and where in `out` the text of macros stands.
    pub fn expand_marked(
        &self,
        lookup: &impl Lookup,
        out: &mut Vec<u8>,
        macros: &mut Vec<Range<usize>>,
    ) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text),
                Piece::Macro(what) => {
                    let start = out.len();
                    lookup.expand(what, out);
                    macros.push(start..out.len());
                }
            }
        }
    }
}

/// Where the inside of `%{…}` ends: at the first brace, or at the first one after the slash that
/// closes a pattern.
fn end_of_macro(inside: &[u8]) -> Option<usize> {
    let end = inside.iter().position(|&byte| byte == b'}')?;
    let key = inside.iter().position(|&byte| byte == b'.' || byte == b':');
    let pattern = key.and_then(|key| inside.get(key.saturating_add(1)..));
    let in_pattern = key < Some(end) && pattern.is_some_and(|text| text.starts_with(b"/"));
    if !in_pattern {
        return Some(end);
    }
    let closes = inside.windows(2).position(|pair| pair == b"/}");
    closes.map_or(Some(end), |at| Some(at.saturating_add(1)))
}

/// The inside of `%{…}`: the name ends at the first dot, or colon as v3 also writes it.
fn parse_macro(text: &[u8], keys: &mut KeyTable) -> Option<Macro> {
    let at = text.iter().position(|&byte| byte == b'.' || byte == b':');
    let (name, key) = match at {
        Some(at) => (text.get(..at)?, text.get(at.saturating_add(1)..)),
        None => (text, None),
    };
    let variable = Variable::by_name(name)?;
    let pattern = key
        .and_then(|key| key.strip_prefix(b"/"))
        .and_then(|key| key.strip_suffix(b"/"));
    match key {
        None => Some(Macro::Variable(variable)),
        Some(_) if pattern.is_some() && variable.is_collection() => {
            let pattern = KeyPattern::new(pattern?).ok()?;
            Some(Macro::Matching(variable, pattern))
        }
        Some(key) if variable == Variable::Tx => Some(Macro::Tx(keys.slot(key))),
        Some(key) if variable.is_collection() => {
            Some(Macro::Entry(variable, key.to_ascii_lowercase().into()))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names;

    impl Lookup for Names {
        fn expand(&self, what: &Macro, out: &mut Vec<u8>) {
            out.extend_from_slice(format!("<{what:?}>").as_bytes());
        }
    }

    fn check(text: &[u8], expected: &str) {
        let mut keys = KeyTable::default();
        let template = Template::parse(text, &mut keys).unwrap();
        let mut out = Vec::new();
        template.expand(&Names, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn macros_are_found() {
        check(b"", "");
        check(b"plain 100%", "plain 100%");
        check(b"a %{MATCHED_VAR} b", "a <Variable(MatchedVar)> b");
        check(b"%{tx.3}%{TX:4}", "<Tx(KeySlot(3))><Tx(KeySlot(4))>");
        check(
            b"%{request_headers.User-Agent}",
            "<Entry(RequestHeaders, [117, 115, 101, 114, 45, 97, 103, 101, 110, 116])>",
        );
        check(b"open %{tx.x", "open %{tx.x");
        check(b"%%{TIME}", "%<Variable(Time)>");
        check(
            b"%{TIME}% of %{TIME}%{TIME}%%",
            "<Variable(Time)> of <Variable(Time)><Variable(Time)>%",
        );
        check(
            b"%{TX:/^a{1}$/}}",
            "<Matching(Tx, KeyPattern(Pattern(/^a{1}$/)))>}",
        );
    }

    #[test]
    fn unknown_names_are_errors() {
        let error = Template::parse(b"ab %{nope.x}", &mut KeyTable::default()).unwrap_err();
        assert_eq!(
            (error.name.as_slice(), error.offset),
            (b"nope.x".as_slice(), 3)
        );
        assert!(Template::parse(b"%{TIME.x}", &mut KeyTable::default()).is_err());
    }
}
