//! A place in a word.

use std::ops::Range;

use super::ast::Word;
use super::cursor::is_blank;
use super::word::Builder;
use crate::diagnostic::{Code, Diagnostic, Span};

/// Walks through the bytes of a word.
#[derive(Clone)]
pub(super) struct Scan<'a> {
    word: &'a Word,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) const fn new(word: &'a Word) -> Self {
        Self::starting_at(word, 0)
    }

    pub(super) const fn starting_at(word: &'a Word, at: usize) -> Self {
        Self { word, at }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.word.get(self.at).copied()
    }

    pub(super) const fn bump(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Steps over the byte if it is the next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.bump();
        }
        found
    }

    /// Steps over all bytes that the predicate takes; returns their range.
    pub(super) fn take_while(&mut self, takes: impl Fn(u8) -> bool) -> Range<usize> {
        let start = self.at;
        while self.peek().is_some_and(&takes) {
            self.bump();
        }
        start..self.at
    }

    /// Returns whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        !self.take_while(is_blank).is_empty()
    }

    /// The range without blanks at its end.
    pub(super) fn trim_end(&self, range: Range<usize>) -> Range<usize> {
        let text = self.word.get(range.clone()).unwrap_or_default();
        let blanks = text
            .iter()
            .rev()
            .take_while(|byte| is_blank(**byte))
            .count();
        range.start..range.end.saturating_sub(blanks).max(range.start)
    }

    /// Reads `'…'` from its opening quote to behind its closing one. `\'` and `\\` stand for the
    /// second character; any other backslash is kept. `None` if it is not closed; then the place
    /// is the end of the word.
    pub(super) fn quoted(&mut self) -> Option<Word> {
        let open = self.at;
        self.bump();
        let mut run = self.at;
        let mut builder = Builder::new(self.word.span.source);
        loop {
            match self.peek()? {
                b'\'' => break,
                b'\\' => {
                    if let Some(b'\'' | b'\\') = self.word.get(self.at.saturating_add(1)) {
                        builder.push_part(self.word, run..self.at);
                        self.bump();
                        run = self.at;
                    }
                    self.bump();
                }
                _ => self.bump(),
            }
        }
        builder.push_part(self.word, run..self.at);
        self.bump();
        Some(builder.finish(self.word.span_of(open..self.at), true))
    }

    /// The range as a word of its own.
    pub(super) fn part(&self, range: Range<usize>) -> Word {
        self.word.part(range)
    }

    /// From an offset to the current place.
    pub(super) fn span_from(&self, start: usize) -> Span {
        self.word.span_of(start..self.at)
    }

    /// An error about a range of the word; about its end if the range lies there.
    pub(super) fn error(
        &self,
        code: Code,
        range: Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let last = self.word.len().saturating_sub(1);
        let span = match range.start {
            _ if self.word.is_empty() => self.word.span,
            start if start > last => self.word.span_of(last..self.word.len()),
            _ => self.word.span_of(range),
        };
        Diagnostic::new(code, span, message)
    }
}
