//! Sorted tables of text: a line each, looked up by halving.
//!
//! The tables stay text in the program: nothing is built when it starts, and there is no array of
//! pointers beside them.

/// The value behind a key.
///
/// A line is a key, and behind a tab its value if there is one. The lines are sorted by key and
/// each ends with a line feed; neither keys nor values contain a tab or a line feed.
pub(super) fn find(table: &[u8], key: impl Iterator<Item = u8> + Clone) -> Option<&[u8]> {
    let (found, value) = floor(table, key.clone())?;
    key.eq(found.iter().copied()).then_some(value)
}

/// The last line whose key is not behind `key`: key and value.
pub(super) fn floor(table: &[u8], key: impl Iterator<Item = u8> + Clone) -> Option<(&[u8], &[u8])> {
    let mut rest = table;
    let mut floor = None;
    while !rest.is_empty() {
        // The line around the middle: from behind the line feed before it.
        let (before, behind) = rest.split_at_checked(rest.len() / 2)?;
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at.saturating_add(1));
        let length = memchr::memchr(b'\n', behind)?;
        let end = before.len().saturating_add(length);
        let line = rest.get(start..end)?;
        let tab = memchr::memchr(b'\t', line);
        let (line_key, value) = line.split_at_checked(tab.unwrap_or(line.len()))?;
        if key.clone().lt(line_key.iter().copied()) {
            rest = rest.get(..start)?;
        } else {
            floor = Some((line_key, value.get(1..).unwrap_or(&[])));
            rest = rest.get(end.saturating_add(1)..)?;
        }
    }
    floor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found() {
        let table = b"a\t1\nbb\nccc\t3\nd\t4\nee\t5\n";
        let find = |key: &'static str| find(table, key.bytes());
        assert_eq!(find("a"), Some(&b"1"[..]));
        assert_eq!(find("bb"), Some(&b""[..]));
        assert_eq!(find("ccc"), Some(&b"3"[..]));
        assert_eq!(find("d"), Some(&b"4"[..]));
        assert_eq!(find("ee"), Some(&b"5"[..]));
        assert_eq!(floor(table, "dog".bytes()), Some((&b"d"[..], &b"4"[..])));
        for missing in ["", "A", "b", "bbb", "cc", "f"] {
            assert_eq!(find(missing), None, "{missing}");
        }
    }
}
