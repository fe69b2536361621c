//! The pattern language: PCRE's syntax over bytes, read into a tree.
//!
//! ModSecurity hands its patterns to PCRE, and rule writers use what PCRE takes. A parser of our
//! own reads that language itself instead of rewriting it into the one of Rust's engines: those
//! give other meanings to the same text (`a++`, `[[a]`, `[a&&b]`, `\<`, `\Z`), and an error has to
//! point at the byte the user wrote. Flags such as `(?i)` are resolved while reading, so that the
//! tree says only which bytes match where. It follows pcre2pattern(3), without UTF and UCP.
//!
//! Departures: a hyphen beside `\d` and its like in a class is itself (as in PCRE 8, an error in
//! PCRE2); Unicode properties are refused, also those PCRE would apply to Latin 1; `[[:<:]]` takes
//! no quantifier; `{,3}` and `{1, 3}` are text (as before PCRE2 10.43); groups nest 100 deep, not
//! 250; a part of lookbehind whose branches differ in length is refused wherever it is not one of
//! its own branches; `\K` is not allowed in an assertion (as in PCRE2 since 10.38). Subroutine
//! calls, recursion and backtracking verbs are refused.

mod byte_set;
mod class;
mod escape;
mod group;
mod node;
mod parser;
mod reference;
#[cfg(test)]
mod tests;

use std::fmt;

use super::hash;

pub(super) use byte_set::ByteSet;
pub(super) use node::{Assertion, Condition, Node};
pub(super) use parser::Parsed;

/// Which of ModSecurity's ways to read a pattern. The default is that of version 2: `.` matches
/// line feeds, `^` and `$` stand for the ends of the value alone, and letter case counts.
///
/// `$` never matches before a final line feed (PCRE's DOLLAR_ENDONLY), unless `multi_line` is set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Dialect {
    /// `.` matches a line feed too (PCRE's DOTALL).
    pub dot_matches_new_line: bool,
    /// `^` and `$` match at line ends too (PCRE's MULTILINE).
    pub multi_line: bool,
    /// ASCII letters match in either case.
    pub case_insensitive: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            dot_matches_new_line: true,
            multi_line: false,
            case_insensitive: false,
        }
    }
}

/// The text of a pattern and how to read it: all that is kept of a pattern not yet searched for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Text {
    /// As the user wrote it.
    pub(super) source: Box<[u8]>,
    /// As the operator wants it.
    pub(super) dialect: Dialect,
}

impl Text {
    /// A number that tells it from other patterns, the same on every machine.
    pub(super) fn id(&self) -> u64 {
        let Dialect {
            dot_matches_new_line,
            multi_line,
            case_insensitive,
        } = self.dialect;
        let flags = [dot_matches_new_line, multi_line, case_insensitive].map(u8::from);
        let bytes = self.source.iter().chain(&flags);
        bytes.fold(0, |id, &byte| hash::mix(id, u64::from(byte)))
    }

    /// Reads the pattern.
    ///
    /// # Errors
    /// It is malformed, or has no engine.
    pub(super) fn parse(&self) -> Result<Parsed, PatternError> {
        parser::parse(&self.source, self.dialect)
    }
}

/// A part of a pattern that makes it more than a regular one: only an engine that backtracks
/// carries it out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Construct {
    /// What it is, such as `lookahead`.
    pub name: &'static str,
    /// Where it stands, in bytes of the pattern as the user wrote it.
    pub offset: usize,
}

/// Why a pattern cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PatternError {
    /// What is wrong, in a phrase without a final stop.
    pub message: String,
    /// Where, in bytes of the pattern as the user wrote it.
    pub offset: Option<usize>,
}

impl PatternError {
    /// The text is not a pattern.
    pub(super) fn malformed(message: impl Into<String>, offset: usize) -> Self {
        Self {
            message: message.into(),
            offset: Some(offset),
        }
    }

    /// The text is a pattern for PCRE, with a part that has no engine here.
    pub(super) fn unsupported(what: &str, offset: usize) -> Self {
        Self::malformed(format!("{what} is not supported"), offset)
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} (at byte {offset})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for PatternError {}
