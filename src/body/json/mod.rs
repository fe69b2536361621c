//! JSON bodies, flattened to arguments while they stream in.
//!
//! Names follow v3: `json.a.b`, `json.list.array_0`, `json.array_0` below a top-level array,
//! `json` for a top-level value, `empty-key` for an empty key. Values are strings unescaped,
//! numbers as written, `true`, `false`, and nothing for `null`. Repeated keys are all kept. What
//! stands before an error has been reported. v2's and Coraza's names come with them if wanted
//! ([`names`]).

mod lexer;
mod names;

#[cfg(test)]
mod tests;

use self::lexer::{Lexer, PREMATURE_END, Token};
use self::names::{Names, Place};
use super::{ARGUMENTS_LIMIT, End, Finished, NameBudget, Sink};
use crate::http::trim_start;

/// A JSON body being read: an open token, the name of the current value, and a few words per level
/// of nesting.
#[derive(Debug)]
pub(super) struct Json {
    lexer: Lexer,
    depth_limit: usize,
    levels: Vec<Level>,
    /// What the current value is called.
    names: Names,
    expected: Expected,
    error: Option<&'static str>,
    budget: NameBudget,
    /// That of the names which are not reported.
    others_budget: NameBudget,
    length: usize,
}

/// An open object or array.
#[derive(Clone, Copy, Debug)]
struct Level {
    kind: LevelKind,
    /// Where its names end.
    place: Place,
    /// Members so far.
    members: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LevelKind {
    Object,
    Array,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Value,
    ValueOrEnd,
    KeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// The names of the leaves would take more memory than the body is worth.
const NAMES_TOO_LONG: &str = "JSON argument names too long";

impl Json {
    pub(super) fn new(depth_limit: usize, other_names: bool) -> Self {
        Self {
            lexer: Lexer::default(),
            depth_limit,
            levels: Vec::new(),
            names: Names::new(other_names),
            expected: Expected::Value,
            error: None,
            budget: NameBudget::new(),
            others_budget: NameBudget::new(),
            length: 0,
        }
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn held_bytes(&self) -> usize {
        let levels = self.levels.capacity().saturating_mul(size_of::<Level>());
        size_of::<Self>()
            .saturating_add(levels)
            .saturating_add(self.lexer.held_bytes())
            .saturating_add(self.names.held_bytes())
    }

    pub(super) fn feed(&mut self, chunk: &[u8], sink: &mut dyn Sink) {
        let start = self.length;
        self.length = start.saturating_add(chunk.len());
        let mut rest = chunk;
        while self.error.is_none() && !rest.is_empty() {
            if self.expected == Expected::Nothing {
                rest = trim_start(rest);
                self.error = (!rest.is_empty()).then_some("parse error: trailing garbage");
                return;
            }
            let token = self.lexer.next(&mut rest);
            let read = self.length.saturating_sub(rest.len());
            match token {
                Ok(None) => return,
                Ok(Some(token)) => self.error = self.token(token, read, sink).err(),
                Err(error) => self.error = Some(error),
            }
        }
    }

    pub(super) fn finish(mut self, end: End, sink: &mut dyn Sink) -> Finished {
        if self.error.is_none() && self.length > 0 {
            self.error = match end {
                End::Complete => self.end(sink).err(),
                End::Cut => self.cut(sink).err(),
            };
        }
        Finished {
            error: self
                .error
                .map(|error| format!("JSON parsing error: {error}")),
            ..Finished::default()
        }
    }

    fn end(&mut self, sink: &mut dyn Sink) -> Result<(), &'static str> {
        if let Some(token) = self.lexer.finish()? {
            self.token(token, self.length, sink)?;
        }
        if self.expected == Expected::Nothing {
            Ok(())
        } else {
            Err(PREMATURE_END)
        }
    }

    /// A value that the cut goes through is reported as far as it came.
    fn cut(&mut self, sink: &mut dyn Sink) -> Result<(), &'static str> {
        match (self.expected, self.lexer.cut()) {
            (Expected::Value | Expected::ValueOrEnd, Some(token)) => {
                self.scalar(token, self.length, sink)
            }
            _ => Ok(()),
        }
    }

    fn token(
        &mut self,
        token: Token,
        read: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), &'static str> {
        use Expected::{Colon, CommaOrEnd, Key, KeyOrEnd, Nothing, Value, ValueOrEnd};
        match (self.expected, token) {
            (ValueOrEnd, Token::CloseArray) | (KeyOrEnd, Token::CloseObject) => self.close(),
            (CommaOrEnd, Token::CloseArray) if self.within(LevelKind::Array) => self.close(),
            (CommaOrEnd, Token::CloseObject) if self.within(LevelKind::Object) => self.close(),
            (CommaOrEnd, Token::Comma) => {
                self.expected = if self.within(LevelKind::Array) {
                    Value
                } else {
                    Key
                };
            }
            (KeyOrEnd | Key, Token::String) => {
                self.name_member();
                self.expected = Colon;
            }
            (Colon, Token::Colon) => self.expected = Value,
            (Value | ValueOrEnd, Token::OpenObject) => {
                self.open(LevelKind::Object, read, sink)?;
            }
            (Value | ValueOrEnd, Token::OpenArray) => {
                self.open(LevelKind::Array, read, sink)?;
            }
            (Value | ValueOrEnd, Token::String | Token::Number | Token::Literal(_)) => {
                self.scalar(token, read, sink)?;
            }
            (Value | ValueOrEnd, _) => {
                return Err("parse error: unallowed token at this point in JSON text");
            }
            (KeyOrEnd | Key, _) => {
                return Err("parse error: invalid object key (must be a string)");
            }
            (Colon, _) => {
                return Err("parse error: object key and value must be separated by a colon (':')");
            }
            (CommaOrEnd, _) if self.within(LevelKind::Object) => {
                return Err("parse error: after key and value, inside map, I expect ',' or '}'");
            }
            (CommaOrEnd, _) => {
                return Err("parse error: after array element, I expect ',' or ']'");
            }
            // Nothing is asked of the lexer behind the document.
            (Nothing, _) => return Err(PREMATURE_END),
        }
        Ok(())
    }

    fn within(&self, kind: LevelKind) -> bool {
        self.levels.last().is_some_and(|level| level.kind == kind)
    }

    fn open(
        &mut self,
        kind: LevelKind,
        read: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), &'static str> {
        if self.levels.len() >= self.depth_limit {
            return Err("JSON depth limit exceeded");
        }
        self.name_element(read)?;
        if self.within(LevelKind::Object) {
            self.spend(read)?;
            sink.container(&self.names.current());
        }
        let is_document = self.levels.is_empty();
        if is_document && kind == LevelKind::Array {
            self.names.document_is_array();
        }
        self.levels.push(Level {
            kind,
            place: self.names.place(is_document && kind == LevelKind::Object),
            members: 0,
        });
        self.expected = match kind {
            LevelKind::Object => Expected::KeyOrEnd,
            LevelKind::Array => Expected::ValueOrEnd,
        };
        Ok(())
    }

    fn close(&mut self) {
        self.levels.pop();
        self.value_done();
    }

    fn scalar(
        &mut self,
        token: Token,
        read: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), &'static str> {
        self.name_element(read)?;
        self.spend(read)?;
        let value = match token {
            Token::Literal("null") => b"",
            Token::Literal(word) => word.as_bytes(),
            _ => self.lexer.text(),
        };
        if !sink.member(&self.names.current(), value) {
            return Err(ARGUMENTS_LIMIT);
        }
        self.value_done();
        Ok(())
    }

    fn value_done(&mut self) {
        self.expected = if self.levels.is_empty() {
            Expected::Nothing
        } else {
            Expected::CommaOrEnd
        };
    }

    /// The current value is the member whose key was just read.
    fn name_member(&mut self) {
        let Some(level) = self.levels.last() else {
            return;
        };
        self.names.member(level.place, self.lexer.text());
    }

    /// The current value is the next one of the array it stands in, if it does.
    fn name_element(&mut self, read: usize) -> Result<(), &'static str> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        if level.kind == LevelKind::Array {
            self.names.element(level.place, level.members);
            level.members = level.members.saturating_add(1);
        }
        // v2 repeats a key at every level of nested arrays.
        if NameBudget::fits(self.names.others_length(), read) {
            Ok(())
        } else {
            Err(NAMES_TOO_LONG)
        }
    }

    /// Counts the names of a value that is about to be reported.
    fn spend(&mut self, read: usize) -> Result<(), &'static str> {
        let reported = self.names.current().reported.len();
        // Two names, each about as long as the reported one.
        let others = self.names.others_length() / 2;
        if self.budget.allows(reported, read) && self.others_budget.allows(others, read) {
            Ok(())
        } else {
            Err(NAMES_TOO_LONG)
        }
    }
}
