//! The part of a source line that a message points at.

use super::shown::{Piece, Pieces};

/// Widest excerpt of a line, in columns.
const WIDTH: usize = 100;
/// What is shown before the marked place if the line is too long.
const BEFORE: usize = 30;
/// Bytes that surely fill the excerpt: a column shows at most four.
const MOST_BYTES: usize = 4 * (WIDTH + 1);
/// What a tab is shown as.
const TAB: &str = "    ";

/// A line, cut and escaped, and the columns to mark in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snippet {
    pub(super) text: String,
    /// Blanks before the mark.
    pub(super) indent: usize,
    /// Columns of the mark; at least one.
    pub(super) width: usize,
}

/// Cuts a window around the bytes `start..end` of a line. A character counts as one column.
pub(super) fn snippet(line: &[u8], start: usize, end: usize) -> Snippet {
    let start = start.min(line.len());
    let (window, offset) = window(line, start);
    let mut snippet = Snippet {
        text: String::new(),
        indent: 0,
        width: 0,
    };
    let mut columns = 0_usize;
    if offset > 0 {
        snippet.text.push('…');
        columns = 1;
        snippet.indent = 1;
    }
    let mut at = offset;
    for piece in Pieces::new(window) {
        let next = at.saturating_add(piece.source_length());
        if columns >= WIDTH {
            snippet.text.push('…');
            break;
        }
        let width = push(&mut snippet.text, piece);
        columns = columns.saturating_add(width);
        if next <= start {
            snippet.indent = snippet.indent.saturating_add(width);
        } else if at < end || snippet.width == 0 {
            snippet.width = snippet.width.saturating_add(width);
        }
        at = next;
    }
    snippet.width = snippet.width.max(1);
    if start == end {
        snippet.width = 1;
    }
    snippet
}

/// The bytes of a line worth reading, and the offset at which they begin. What stands far before
/// the place is left out if the place would not be seen otherwise.
fn window(line: &[u8], start: usize) -> (&[u8], usize) {
    let far = start.saturating_sub(MOST_BYTES);
    let prefix = line.get(far..start).unwrap_or_default();
    // Not in the middle of a character.
    let torn = prefix
        .iter()
        .take(3)
        .take_while(|byte| (0x80..0xC0).contains(*byte))
        .count();
    let torn = if far == 0 { 0 } else { torn };
    let prefix = prefix.get(torn..).unwrap_or_default();
    let mut scratch = String::new();
    let pieces: Vec<(usize, usize)> = Pieces::new(prefix)
        .map(|piece| (piece.source_length(), push(&mut scratch, piece)))
        .collect();
    let columns = pieces
        .iter()
        .fold(0_usize, |sum, piece| sum.saturating_add(piece.1));
    let mut from = start;
    if far == 0 && columns <= WIDTH.saturating_sub(BEFORE) {
        from = 0;
    } else {
        let mut columns = 0_usize;
        for (length, width) in pieces.iter().rev() {
            columns = columns.saturating_add(*width);
            if columns > BEFORE {
                break;
            }
            from = from.saturating_sub(*length);
        }
    }
    let rest = line.get(from..).unwrap_or_default();
    (rest.get(..MOST_BYTES).unwrap_or(rest), from)
}

/// Appends a piece and says how many columns it takes.
fn push(text: &mut String, piece: Piece) -> usize {
    if piece == Piece::Character('\t') {
        text.push_str(TAB);
        return TAB.len();
    }
    let before = text.len();
    piece.write(text);
    text.get(before..).unwrap_or_default().chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8], start: usize, end: usize, text: &str, mark: &str) {
        let snippet = snippet(line, start, end);
        assert_eq!(snippet.text, text);
        assert_eq!(
            " ".repeat(snippet.indent) + &"^".repeat(snippet.width),
            mark,
            "{text}"
        );
    }

    #[test]
    fn marks_the_place() {
        check(b"SecRule ARGS", 8, 12, "SecRule ARGS", "        ^^^^");
        check(
            b"\tSecRule\tARGS",
            9,
            13,
            "    SecRule    ARGS",
            "               ^^^^",
        );
        check(b"", 0, 0, "", "^");
        check(b"ab", 2, 2, "ab", "  ^");
        check(b"ab", 50, 60, "ab", "  ^");
        check(b"ab", 1, 60, "ab", " ^");
        check("ä€b".as_bytes(), 2, 5, "ä€b", " ^");
        check(b"a\x01b\xffc", 2, 4, "a\\x01b\\xffc", "     ^^^^^");
        check(b"a\x01b", 1, 2, "a\\x01b", " ^^^^");
    }

    #[test]
    fn cuts_long_lines_around_the_place() {
        let line = "0123456789".repeat(1000);
        let snippet = snippet(line.as_bytes(), 5000, 5003);
        assert!(snippet.text.starts_with("…0123"));
        assert!(snippet.text.ends_with('…'));
        assert_eq!(snippet.text.chars().count(), WIDTH + 1);
        assert_eq!((snippet.indent, snippet.width), (BEFORE + 1, 3));
    }

    #[test]
    fn a_mark_stays_in_the_excerpt() {
        let line = "0123456789".repeat(1000);
        let snippet = snippet(line.as_bytes(), 10, 9000);
        assert!(snippet.indent + snippet.width <= WIDTH);
        let near = super::snippet(line.as_bytes(), 69, 70);
        assert_eq!((near.indent, near.width), (69, 1));
        for character in ["\t", "\u{202e}", "€", "\u{1F600}", "\u{1}", " "] {
            let line = character.repeat(300);
            for start in 0..=line.len() {
                let snippet = super::snippet(line.as_bytes(), start, start + 1);
                let columns = snippet.text.chars().count();
                assert!(columns < WIDTH + 12, "{character:?} {start}");
                assert!(
                    snippet.indent + snippet.width <= columns + 1,
                    "{character:?} {start}"
                );
                assert!(snippet.indent <= WIDTH - BEFORE, "{character:?} {start}");
            }
        }
    }
}
