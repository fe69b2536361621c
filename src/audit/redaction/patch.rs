//! Stretches of a text, and what is shown instead.

use std::borrow::Cow;
use std::ops::Range;

use crate::engine::REDACTED;

/// What is shown instead of a stretch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cover {
    /// [`REDACTED`].
    Marker,
    /// A star for each byte, as v2 shows what `sanitise…` names.
    Stars,
}

/// The stretches of one text that are not shown, in any order.
#[derive(Debug, Default)]
pub(super) struct Patches(Vec<(Range<usize>, Cover)>);

impl Patches {
    /// Adds a stretch.
    pub(super) fn add(&mut self, range: Range<usize>, cover: Cover) {
        if !range.is_empty() {
            self.0.push((range, cover));
        }
    }

    /// The text as it is shown. What lies within another stretch is a part of it; stretches that
    /// overlap or touch become one, with a marker if one of them has it.
    pub(super) fn apply(mut self, text: &[u8]) -> Cow<'_, [u8]> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        self.0
            .sort_unstable_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut merged: Vec<(Range<usize>, Cover)> = Vec::new();
        for (range, cover) in self.0 {
            match merged.last_mut() {
                Some((last, _)) if range.end <= last.end => {}
                Some((last, known))
                    if range.start < last.end || (range.start == last.end && *known == cover) =>
                {
                    last.end = range.end;
                    if cover == Cover::Marker {
                        *known = cover;
                    }
                }
                _ => merged.push((range, cover)),
            }
        }
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for (range, cover) in merged {
            out.extend_from_slice(text.get(at..range.start).unwrap_or_default());
            match cover {
                Cover::Marker => out.extend_from_slice(REDACTED),
                Cover::Stars => out.resize(out.len().saturating_add(range.len()), b'*'),
            }
            at = range.end;
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_touch_are_one() {
        let mut patches = Patches::default();
        patches.add(6..8, Cover::Stars);
        patches.add(2..4, Cover::Marker);
        patches.add(3..5, Cover::Marker);
        patches.add(9..9, Cover::Marker);
        assert_eq!(&*patches.apply(b"0123456789"), b"01<redacted>5**89");
        let mut patches = Patches::default();
        patches.add(0..4, Cover::Stars);
        patches.add(2..6, Cover::Marker);
        patches.add(3..4, Cover::Stars);
        assert_eq!(&*patches.apply(b"01234567"), b"<redacted>67");
        let mut patches = Patches::default();
        patches.add(1..3, Cover::Marker);
        patches.add(1..4, Cover::Stars);
        assert_eq!(&*patches.apply(b"01234567"), b"0***4567");
        assert!(matches!(Patches::default().apply(b"a"), Cow::Borrowed(_)));
    }
}
