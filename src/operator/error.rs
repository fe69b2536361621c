//! Why an operator cannot be compiled.

use std::fmt;

use crate::matching::{PatternError, PhraseSetError};

/// What kind of trouble it is; the compiler picks the code of its message by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompileErrorKind {
    /// There is no operator of that name.
    Unknown {
        /// The name that was probably meant.
        suggestion: Option<&'static str>,
    },
    /// The regular expression cannot be compiled.
    BadRegex,
    /// The argument is not one the operator takes.
    Argument,
    /// A data file cannot be had, or a data file or data set holds what the operator does not
    /// take.
    File,
    /// There is no data set of that name.
    Dataset,
}

/// Why an operator cannot be compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompileError {
    /// What kind of trouble it is.
    pub kind: CompileErrorKind,
    /// What is wrong, in a sentence without a final stop.
    pub message: String,
    /// Where in the argument, in bytes.
    pub offset: Option<usize>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl CompileError {
    /// An argument that the operator does not take.
    pub(super) fn argument(message: impl Into<String>, offset: impl Into<Option<usize>>) -> Self {
        Self {
            kind: CompileErrorKind::Argument,
            message: message.into(),
            offset: offset.into(),
            hint: None,
        }
    }

    /// A file or data set that cannot be used.
    pub(super) fn file(message: impl Into<String>) -> Self {
        Self {
            kind: CompileErrorKind::File,
            message: message.into(),
            offset: None,
            hint: None,
        }
    }

    /// Adds what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Moves the place to where the part it is counted from begins in the argument.
    pub(super) fn after(mut self, start: usize) -> Self {
        self.offset = self.offset.map(|offset| offset.saturating_add(start));
        self
    }
}

impl From<PatternError> for CompileError {
    fn from(error: PatternError) -> Self {
        Self {
            kind: CompileErrorKind::BadRegex,
            message: error.message,
            offset: error.offset,
            hint: None,
        }
    }
}

impl From<PhraseSetError> for CompileError {
    fn from(error: PhraseSetError) -> Self {
        Self::argument(error.message, None)
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} (at byte {offset} of the argument)", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for CompileError {}
