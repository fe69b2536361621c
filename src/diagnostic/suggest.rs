//! "Did you mean": the known name that a misspelt one is nearest to.

/// Longest name that is compared.
const LONGEST: usize = 64;

/// The candidate that differs least from a name, if it differs little enough: by one edit in short
/// names, by a third of its letters in long ones. An edit adds, drops or changes a byte or swaps
/// two neighbours; letter case does not count. The first of several equally near ones wins.
pub fn suggest<'a>(
    name: impl AsRef<[u8]>,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = name.as_ref();
    let mut bound = (name.len() / 3).clamp(1, 4);
    let mut best = None;
    for candidate in candidates {
        let Some(distance) = distance(name, candidate.as_bytes(), bound) else {
            continue;
        };
        if best.is_none() || distance < bound {
            best = Some(candidate);
            bound = distance;
        }
        if distance == 0 {
            break;
        }
    }
    best
}

/// Edits between two names (Damerau-Levenshtein, no place edited twice), up to the bound.
fn distance(a: &[u8], b: &[u8], bound: usize) -> Option<usize> {
    if a.is_empty() || a.len().max(b.len()) > LONGEST || a.len().abs_diff(b.len()) > bound {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (row, x) in (1_usize..).zip(a.iter().map(u8::to_ascii_lowercase)) {
        let mut current = Vec::with_capacity(above.len());
        current.push(row);
        let mut left = row;
        let mut previous_b = None;
        for (column, y) in b.iter().map(u8::to_ascii_lowercase).enumerate() {
            let cell = |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX);
            let changed = cell(&above, column).saturating_add(usize::from(x != y));
            let dropped = cell(&above, column.saturating_add(1)).saturating_add(1);
            let mut least = changed.min(dropped).min(left.saturating_add(1));
            if previous_a == Some(y) && previous_b == Some(x) {
                least = least.min(cell(&before, column.saturating_sub(1)).saturating_add(1));
            }
            current.push(least);
            left = least;
            previous_b = Some(y);
        }
        before = std::mem::replace(&mut above, current);
        previous_a = Some(x);
    }
    above.last().copied().filter(|distance| *distance <= bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_name() {
        let names = [
            "contains",
            "containsWord",
            "rx",
            "eq",
            "endsWith",
            "REQUEST_HEADERS",
            "t",
        ];
        for (name, expected) in [
            ("containz", Some("contains")),
            ("CONTAINS", Some("contains")),
            ("contain", Some("contains")),
            ("cotnains", Some("contains")),
            ("containsword", Some("containsWord")),
            ("xr", Some("rx")),
            ("endWith", Some("endsWith")),
            ("REQUESTHEADER", Some("REQUEST_HEADERS")),
            ("REQUEST_HEDAERS", Some("REQUEST_HEADERS")),
            ("pmFromFile", None),
            ("ab", None),
            ("", None),
        ] {
            assert_eq!(suggest(name, names), expected, "{name}");
        }
        assert_eq!(suggest(vec![b'x'; 100_000], names), None);
    }

    #[test]
    fn counts_edits() {
        for (a, b, edits) in [
            ("abc", "abc", 0),
            ("abc", "ABC", 0),
            ("abc", "acb", 1),
            ("abc", "ab", 1),
            ("abc", "abcd", 1),
            ("abc", "xbc", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(
                distance(a.as_bytes(), b.as_bytes(), 10),
                Some(edits),
                "{a} {b}"
            );
            assert_eq!(
                distance(b.as_bytes(), a.as_bytes(), 10),
                Some(edits),
                "{b} {a}"
            );
        }
        assert_eq!(distance(b"kitten", b"sitting", 2), None);
    }
}
