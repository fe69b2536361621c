//! Conditions on a place, such as `\b`, and what has to be known of the bytes around it.

use super::super::super::syntax::{Assertion, ByteSet};

/// Whether a search may go on at a place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Condition {
    /// The first byte comes next.
    Start,
    /// No byte is left.
    End,
    /// A line begins.
    StartLine,
    /// A line ends.
    EndLine,
    /// A word begins or ends.
    WordBoundary,
    /// No word begins or ends.
    NotWordBoundary,
    /// A word begins.
    WordStart,
    /// A word ends.
    WordEnd,
}

/// What conditions have to know of a byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Context {
    /// There is none: the edge of the value.
    Edge,
    /// A letter, a digit or an underscore.
    Word,
    LineFeed,
    Other,
}

/// What the conditions of a pattern have to know of a byte.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Known {
    /// Whether there is one.
    pub(super) edges: bool,
    /// Whether it is part of a word.
    pub(super) words: bool,
    /// Whether it is a line feed.
    pub(super) lines: bool,
}

impl Condition {
    /// The condition of an assertion; none for one that is no condition on the bytes on both sides.
    pub(super) fn of(assertion: Assertion) -> Option<Self> {
        Some(match assertion {
            Assertion::Start => Self::Start,
            Assertion::End => Self::End,
            Assertion::StartLine => Self::StartLine,
            Assertion::EndLine => Self::EndLine,
            Assertion::WordBoundary => Self::WordBoundary,
            Assertion::NotWordBoundary => Self::NotWordBoundary,
            Assertion::WordStart => Self::WordStart,
            Assertion::WordEnd => Self::WordEnd,
            Assertion::FinalEnd | Assertion::SearchStart | Assertion::Keep => return None,
        })
    }

    /// The same for who reads backward.
    pub(super) const fn reversed(self) -> Self {
        match self {
            Self::Start => Self::End,
            Self::End => Self::Start,
            Self::StartLine => Self::EndLine,
            Self::EndLine => Self::StartLine,
            Self::WordStart => Self::WordEnd,
            Self::WordEnd => Self::WordStart,
            same @ (Self::WordBoundary | Self::NotWordBoundary) => same,
        }
    }

    /// Whether it holds between two bytes.
    pub(super) fn holds(self, before: Context, after: Context) -> bool {
        let word = |context| context == Context::Word;
        match self {
            Self::Start => before == Context::Edge,
            Self::End => after == Context::Edge,
            Self::StartLine => before.is_line_edge(),
            Self::EndLine => after.is_line_edge(),
            Self::WordBoundary => word(before) != word(after),
            Self::NotWordBoundary => word(before) == word(after),
            Self::WordStart => !word(before) && word(after),
            Self::WordEnd => word(before) && !word(after),
        }
    }
}

impl Context {
    pub(super) const fn of(byte: u8) -> Self {
        match byte {
            b'\n' => Self::LineFeed,
            b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => Self::Word,
            _ => Self::Other,
        }
    }

    /// The bytes of which it is known.
    fn bytes(self) -> ByteSet {
        let mut bytes = ByteSet::EMPTY;
        for byte in (0..=u8::MAX).filter(|&byte| Self::of(byte) == self) {
            bytes.insert(byte);
        }
        bytes
    }

    fn is_line_edge(self) -> bool {
        matches!(self, Self::Edge | Self::LineFeed)
    }
}

impl Known {
    /// Knows what one more condition asks for.
    pub(super) fn add(&mut self, condition: Condition) {
        match condition {
            Condition::Start | Condition::End => self.edges = true,
            Condition::StartLine | Condition::EndLine => {
                self.edges = true;
                self.lines = true;
            }
            Condition::WordBoundary
            | Condition::NotWordBoundary
            | Condition::WordStart
            | Condition::WordEnd => self.words = true,
        }
    }

    /// What is kept of a byte that stood before.
    pub(super) const fn kept(self, before: Context) -> Context {
        let matters = match before {
            Context::Edge => self.edges,
            Context::Word => self.words,
            Context::LineFeed => self.lines,
            Context::Other => true,
        };
        if matters { before } else { Context::Other }
    }

    /// Bytes that have to be told from others for it.
    pub(super) fn sets(self) -> impl Iterator<Item = ByteSet> {
        let words = self.words.then_some(Context::Word);
        let lines = self.lines.then_some(Context::LineFeed);
        words.into_iter().chain(lines).map(Context::bytes)
    }
}
