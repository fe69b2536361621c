//! Words: texts that remember where each of their bytes stands in the source.

use std::ops::{Deref, Range};

use crate::diagnostic::{SourceId, Span};

/// A text after unquoting and joining of continued lines.
///
/// Its bytes are not always the bytes of the source: a continuation (`\` and line end) and the
/// backslash of `\"` are gone. [`Word::span_of`] finds where a part of it stands in the source.
/// A word reads as its bytes: `word.eq_ignore_ascii_case(b"secrule")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The bytes.
    pub text: Vec<u8>,
    /// Where it stands, with its quotes.
    pub span: Span,
    /// Whether it stood in quotes or backticks.
    pub quoted: bool,
    /// Place of the first byte.
    first: u32,
    /// Where text and source run apart: from this offset of the text on, the bytes stand at that
    /// offset of the source. Sorted.
    breaks: Vec<(u32, u32)>,
}

impl Word {
    /// A text that does not stand in the source, with the place to blame for it.
    pub fn synthetic(text: impl Into<Vec<u8>>, span: Span) -> Self {
        Self {
            text: text.into(),
            span,
            quoted: false,
            first: span.start,
            breaks: Vec::new(),
        }
    }

    /// Where a range of the text stands in the source: from its first to its last byte, with what
    /// was dropped in between. Clipped to the word; an empty range gives an empty span.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        let start = self.place(range.start);
        let end = match range.end.checked_sub(1) {
            Some(last) if last >= range.start => self.place(last).saturating_add(1),
            _ => start,
        };
        let clip = |at: u32| at.max(self.span.start).min(self.span.end);
        Span {
            source: self.span.source,
            start: clip(start),
            end: clip(end),
        }
    }

    /// A range of the text as a word of its own. Clipped to the text.
    pub fn part(&self, range: Range<usize>) -> Self {
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        let mut part = Builder::new(self.span.source);
        part.push_part(self, start..end);
        part.finish(self.span_of(start..end), false)
    }

    /// Place of the byte at an offset of the text.
    fn place(&self, offset: usize) -> u32 {
        let offset = clamp(offset);
        let after = self.breaks.partition_point(|&(from, _)| from <= offset);
        let (from, place) = after
            .checked_sub(1)
            .and_then(|at| self.breaks.get(at).copied())
            .unwrap_or((0, self.first));
        place.saturating_add(offset.saturating_sub(from))
    }
}

impl Deref for Word {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.text
    }
}

/// Puts a word together from runs of source bytes.
pub(super) struct Builder {
    source: SourceId,
    text: Vec<u8>,
    first: Option<u32>,
    breaks: Vec<(u32, u32)>,
    /// Place that follows the last byte.
    next: u32,
}

impl Builder {
    pub(super) const fn new(source: SourceId) -> Self {
        Self {
            source,
            text: Vec::new(),
            first: None,
            breaks: Vec::new(),
            next: 0,
        }
    }

    /// Appends bytes that stand side by side in the source, from this offset on.
    pub(super) fn push(&mut self, bytes: &[u8], at: usize) {
        if bytes.is_empty() {
            return;
        }
        let at = clamp(at);
        if self.first.is_none() {
            self.first = Some(at);
        } else if at != self.next {
            self.breaks.push((clamp(self.text.len()), at));
        }
        self.text.extend_from_slice(bytes);
        self.next = at.saturating_add(clamp(bytes.len()));
    }

    /// Appends a range of another word.
    pub(super) fn push_part(&mut self, word: &Word, range: Range<usize>) {
        let mut start = range.start;
        let skipped = word
            .breaks
            .partition_point(|&(from, _)| from <= clamp(start));
        let inner = word
            .breaks
            .iter()
            .skip(skipped)
            .map(|&(from, _)| widen(from));
        for end in inner
            .take_while(|&from| from < range.end)
            .chain([range.end])
        {
            let bytes = word.text.get(start..end).unwrap_or_default();
            self.push(bytes, widen(word.place(start)));
            start = end;
        }
    }

    /// The word, for a place that includes its quotes.
    pub(super) fn finish(self, span: Span, quoted: bool) -> Word {
        let first = self.first.unwrap_or(span.start);
        Word {
            text: self.text,
            span,
            quoted,
            first,
            breaks: self.breaks,
        }
    }

    /// The word without quotes, from `start` to its last byte.
    pub(super) fn finish_bare(self, start: usize) -> Word {
        let start = clamp(start);
        let end = if self.text.is_empty() {
            start
        } else {
            self.next
        };
        let span = Span {
            source: self.source,
            start,
            end,
        };
        self.finish(span, false)
    }
}

/// Offsets are kept as u32; sources are cut at 4 GiB.
pub(super) fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn widen(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: SourceId = SourceId(7);

    /// `ab\⏎cd"ef` read from `"ab\⏎cd\"ef"`: runs at 1, 5 and 8.
    fn word() -> Word {
        let mut builder = Builder::new(SOURCE);
        builder.push(b"ab", 1);
        builder.push(b"cd", 5);
        builder.push(b"\"ef", 8);
        builder.finish(
            Span {
                source: SOURCE,
                start: 0,
                end: 12,
            },
            true,
        )
    }

    #[test]
    fn spans_cross_what_was_dropped() {
        for (range, start, end) in [
            (0..1, 1, 2),
            (0..2, 1, 3),
            (1..3, 2, 6),
            (2..4, 5, 7),
            (3..5, 6, 9),
            (4..7, 8, 11),
            (7..7, 11, 11),
            (2..2, 5, 5),
            (5..100, 9, 12),
        ] {
            let span = word().span_of(range.clone());
            assert_eq!((span.start, span.end), (start, end), "{range:?}");
            assert_eq!(span.source, SOURCE);
        }
    }

    #[test]
    fn parts_keep_their_places() {
        let part = word().part(1..5);
        assert_eq!(&*part, b"bcd\"");
        assert_eq!((part.span.start, part.span.end), (2, 9));
        let inner = part.part(1..4);
        assert_eq!(&*inner, b"cd\"");
        assert_eq!((inner.span.start, inner.span.end), (5, 9));
        assert_eq!(inner.span_of(2..3).start, 8);
        assert_eq!(&*word().part(5..99), b"ef");
        assert_eq!(&*word().part(50..99), b"");
    }

    #[test]
    fn synthetic_words_stay_in_their_place() {
        let word = Word::synthetic(
            "longer than its place",
            Span {
                source: SOURCE,
                start: 4,
                end: 6,
            },
        );
        let span = word.span_of(10..12);
        assert_eq!((span.start, span.end), (6, 6));
    }
}
