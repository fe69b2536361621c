//! Numbers that a pattern finds and a check sum confirms: what the verify operators share.

use std::ops::Range;

use super::text::Line;
use super::{Capture, Eval, Match};
use crate::matching::{Pattern, Scratch};

/// Searches that are counted by what they found alone.
const FREE: usize = 1000;

/// Finds a match that passes the check. As in version 2, after one that does not the search goes
/// on a byte behind its start, so that matches may overlap.
///
/// That can look at the same bytes again and again. The work is counted, and when it exceeds a
/// small multiple of the value's length the search goes on behind each match instead; when it
/// exceeds that once more, it ends. A search may have looked further than its match reaches: after
/// the first searches, as far as the longest match would.
pub(super) fn first(
    pattern: &Pattern,
    value: &[u8],
    scratch: &mut Scratch,
    check: impl Fn(&[u8]) -> bool,
) -> Option<Range<usize>> {
    let budget = value.len().saturating_mul(32).saturating_add(1 << 16);
    let mut work = budget;
    let mut overlapping = true;
    let mut longest = None;
    let mut start = 0usize;
    for searches in 1usize.. {
        let found = pattern.find_from(value, start, scratch)?;
        if value.get(found.clone()).is_some_and(&check) {
            return Some(found);
        }
        let mut reach = found.end;
        if searches > FREE {
            let longest = longest.get_or_insert_with(|| pattern.longest_match());
            let end = longest.map_or(usize::MAX, |length| found.start.saturating_add(length));
            reach = reach.max(end.min(value.len()));
        }
        let looked = reach.saturating_sub(start).saturating_add(1);
        match work.checked_sub(looked) {
            Some(left) => work = left,
            None if overlapping => (work, overlapping) = (budget, false),
            None => return None,
        }
        start = match overlapping || found.is_empty() {
            true => found.start.saturating_add(1),
            false => found.end,
        };
    }
    None
}

/// Asks whether there is such a match, and captures it.
pub(super) fn eval(
    pattern: &Pattern,
    value: &[u8],
    eval: &mut Eval<'_>,
    check: impl Fn(&[u8]) -> bool,
) -> bool {
    let Some(found) = first(pattern, value, eval.scratch, check) else {
        return false;
    };
    if eval.capture != Capture::None {
        eval.captures.push_span(found);
    }
    true
}

/// Says which kind of number matched.
pub(super) fn explain(kind: &str, found: &Match<'_>) -> Vec<u8> {
    Line::new(kind)
        .text("# match \"")
        .bytes(found.argument)
        .text("\"")
        .at(found.target)
}

/// The digits in some bytes, if there are exactly `N`; what stands between them does not count.
pub(super) fn digits<const N: usize>(text: &[u8]) -> Option<[u32; N]> {
    let mut digits = [0; N];
    let mut found = text.iter().filter(|byte| byte.is_ascii_digit());
    for digit in &mut digits {
        *digit = u32::from(found.next()?.wrapping_sub(b'0'));
    }
    found.next().is_none().then_some(digits)
}

/// The sum of digits times weights.
pub(super) fn weighted_sum(digits: &[u32], weights: impl IntoIterator<Item = u32>) -> u32 {
    digits.iter().zip(weights).fold(0, |sum, (digit, weight)| {
        sum.saturating_add(digit.saturating_mul(weight))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::Dialect;

    #[test]
    fn overlapping_matches_are_tried() {
        let pattern = Pattern::new(b"\\d{3}", Dialect::default()).unwrap();
        let mut scratch = Scratch::new();
        let found = first(&pattern, b"a12345b", &mut scratch, |text| text == b"345");
        assert_eq!(found, Some(3..6));
    }

    #[test]
    fn long_runs_end_in_time() {
        let pattern = Pattern::new(b"\\d+", Dialect::default()).unwrap();
        let mut scratch = Scratch::new();
        let value = vec![b'1'; 200_000];
        assert_eq!(first(&pattern, &value, &mut scratch, |_| false), None);
        let empty = Pattern::new(b"\\d*", Dialect::default()).unwrap();
        assert_eq!(first(&empty, &value, &mut scratch, |_| false), None);
    }

    /// Found by fuzzing: each search looks to the end of the value for what may follow.
    #[test]
    fn searches_that_look_far_end_in_time() {
        let pattern = Pattern::new(b"1(?:.*x)?", Dialect::default()).unwrap();
        assert_eq!(pattern.longest_match(), None);
        let mut scratch = Scratch::new();
        let value = vec![b'1'; 200_000];
        assert_eq!(first(&pattern, &value, &mut scratch, |_| false), None);
        let pattern = Pattern::new(b"(?<=1)1{1,3}(?:.{9}x)?\\b|1", Dialect::default()).unwrap();
        assert_eq!(pattern.longest_match(), Some(13));
        let last = value.len() - 1;
        let found = first(&pattern, &value, &mut scratch, |text| text.len() == 1);
        assert_eq!(found, Some(0..1));
        let mut value = value;
        value.extend(b"23");
        let pattern = Pattern::new(b"1(?:.{9}x)?|2", Dialect::default()).unwrap();
        let found = first(&pattern, &value, &mut scratch, |text| text == b"2");
        assert_eq!(found, Some(last + 1..last + 2));
    }

    #[test]
    fn digits_are_counted() {
        assert_eq!(digits::<3>(b"1-2 3"), Some([1, 2, 3]));
        assert_eq!(digits::<3>(b"1-2"), None);
        assert_eq!(digits::<3>(b"1234"), None);
    }
}
