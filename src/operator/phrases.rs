//! What the operators with phrase lists share.

use super::text::Line;
use super::{Capture, Eval, Match};
use crate::matching::PhraseSet;

/// Asks whether a phrase stands in the value, and captures it.
pub(super) fn eval(phrases: &PhraseSet, value: &[u8], eval: &mut Eval<'_>) -> bool {
    let Some(found) = phrases.find_charged(value, eval.scratch.work()) else {
        return false;
    };
    if eval.capture != Capture::None {
        eval.captures.push_span(found);
    }
    true
}

/// Says which phrase matched.
pub(super) fn explain(phrases: &PhraseSet, found: &Match<'_>) -> Vec<u8> {
    let phrase = found
        .whole()
        .or_else(|| {
            phrases
                .find(found.value)
                .and_then(|span| found.value.get(span))
        })
        .unwrap_or(&[]);
    Line::new("Matched phrase \"")
        .bytes(phrase)
        .text("\"")
        .at(found.target)
}
