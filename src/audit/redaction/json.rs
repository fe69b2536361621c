//! Where values of names stand in a JSON text as it came, also in one that is cut or malformed.

use std::ops::Range;

/// The scalars under a name that is sensitive, at any depth below it. Nothing is checked: what a
/// reader would refuse is read as far as it makes sense.
pub(super) fn sensitive(
    text: &[u8],
    is_sensitive: &dyn Fn(&[u8]) -> bool,
    found: &mut dyn FnMut(Range<usize>),
) {
    // One entry for each container that is open: whether what is in it is sensitive.
    let mut open: Vec<bool> = Vec::new();
    // What the name before it says of the next value.
    let mut named: Option<bool> = None;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let start = at;
        match byte {
            b'{' | b'[' => {
                let inside = open.last().copied().unwrap_or(false) || named == Some(true);
                // Deeper is for nobody to read; what is too deep counts as its surroundings do.
                if open.len() < DEEPEST {
                    open.push(inside);
                }
                named = None;
                at = at.saturating_add(1);
            }
            b'}' | b']' => {
                open.pop();
                named = None;
                at = at.saturating_add(1);
            }
            b',' => {
                named = None;
                at = at.saturating_add(1);
            }
            b'"' => {
                at = end_of_string(text, start);
                let inside =
                    start.saturating_add(1)..at.saturating_sub(1).max(start.saturating_add(1));
                let colon = text.get(at..).unwrap_or_default().trim_ascii_start();
                if named.is_none() && colon.first() == Some(&b':') {
                    let name = text.get(inside).unwrap_or_default();
                    named = Some(is_sensitive(name));
                    let blanks = text.len().saturating_sub(at).saturating_sub(colon.len());
                    at = at.saturating_add(blanks).saturating_add(1);
                } else if named == Some(true) || open.last() == Some(&true) {
                    found(inside);
                }
            }
            _ if byte.is_ascii_whitespace() || byte == b':' => at = at.saturating_add(1),
            _ => {
                let rest = text.get(at..).unwrap_or_default();
                let ends = |byte: &u8| b",]}{[\":".contains(byte) || byte.is_ascii_whitespace();
                let length = rest.iter().position(ends).unwrap_or(rest.len()).max(1);
                at = at.saturating_add(length);
                if named == Some(true) || open.last() == Some(&true) {
                    found(start..at);
                }
            }
        }
    }
}

/// Containers within each other that are told apart.
const DEEPEST: usize = 4096;

/// Where a string ends that begins here: behind its closing quote, or with the text.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start.saturating_add(1);
    while let Some(&byte) = text.get(at) {
        at = at.saturating_add(1);
        match byte {
            b'"' => return at,
            b'\\' => at = at.saturating_add(1),
            _ => {}
        }
    }
    // As if the quote stood behind the end.
    text.len().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        sensitive(text.as_bytes(), &|name| name == b"pin", &mut |range| {
            all.push(range);
        });
        all.into_iter()
            .map(|range| text.get(range).unwrap())
            .collect()
    }

    #[test]
    fn values_below_a_sensitive_name_are_found() {
        assert_eq!(
            found(
                r#"{"pin": "1\"2", "a": "pin", "pin" : 34, "b": ["x", {"pin": [true, {"c": "5"}]}], "d": "e"}"#
            ),
            [r#"1\"2"#, "34", "true", "5"]
        );
        assert_eq!(found(r#"["pin", "x"]"#), [""; 0]);
    }

    #[test]
    fn texts_that_are_cut_or_broken_are_read_as_far_as_they_go() {
        assert_eq!(found(r#"{"pin": "12"#), ["12"]);
        assert_eq!(found(r#"{"pin": 12"#), ["12"]);
        assert_eq!(found(r#"{"pin""#), [""; 0]);
        assert_eq!(found(r#"}]"pin": "1", "a": "2""#), ["1"]);
        assert_eq!(found(r#"{"a": "pin": "3"}"#), [""; 0]);
        assert_eq!(found("\"\\"), [""; 0]);
        let deep = "[".repeat(10_000) + r#"{"pin": 7}"#;
        assert_eq!(found(&deep), ["7"]);
    }
}
