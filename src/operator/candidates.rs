//! Numbers that a pattern finds and a check sum confirms: what the verify operators share.

use std::ops::Range;

use super::text::Line;
use super::{Capture, Eval, Match};
use crate::matching::{Pattern, Scratch};

/// Finds a match that passes the check. As in version 2, after one that does not the search goes
/// on a byte behind its start, so that matches may overlap.
///
/// That can look at the same bytes again and again. The work is counted, and when it exceeds a
/// small multiple of the value's length the search goes on behind each match instead.
pub(super) fn first(
    pattern: &Pattern,
    value: &[u8],
    scratch: &mut Scratch,
    check: impl Fn(&[u8]) -> bool,
) -> Option<Range<usize>> {
    let mut work = value.len().saturating_mul(32).saturating_add(1 << 16);
    let mut start = 0usize;
    while let Some(found) = pattern.find_from(value, start, scratch) {
        if value.get(found.clone()).is_some_and(&check) {
            return Some(found);
        }
        work = work.saturating_sub(found.end.saturating_sub(start).saturating_add(1));
        start = match found.is_empty() || work > 0 {
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

    #[test]
    fn digits_are_counted() {
        assert_eq!(digits::<3>(b"1-2 3"), Some([1, 2, 3]));
        assert_eq!(digits::<3>(b"1-2"), None);
        assert_eq!(digits::<3>(b"1234"), None);
    }
}
