//! Patterns that look at the beginning of a value and nowhere else, such as `^(?:GET|HEAD)$`,
//! `^prefix_` and `^.*$`. Comparing a few bytes answers them, where an automaton would first have to
//! be found and made ready.

use std::ops::Range;

use super::syntax::{Assertion, ByteSet, Node, Parsed};

/// Most positions of all branches together: each takes the memory of a set.
const MOST_POSITIONS: usize = 48;

/// Such a pattern.
#[derive(Debug)]
pub(super) struct Beginning {
    /// What may stand at the start, the most preferred first.
    branches: Box<[Box<[ByteSet]>]>,
    /// What follows.
    rest: Rest,
}

/// What follows the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rest {
    /// Anything, and it is not part of the match.
    Ignored,
    /// Nothing: `$`.
    Nothing,
    /// Anything, and the match goes on to its end: `.*`.
    Taken,
}

impl Beginning {
    /// Reads a pattern that is nothing else.
    pub(super) fn of(parsed: &Parsed) -> Option<Self> {
        let parts: Vec<&Node> = match &parsed.root {
            // Options such as `(?i)` leave nothing but what they change.
            Node::Concat(parts) if parsed.groups == 0 => {
                parts.iter().filter(|part| **part != Node::Empty).collect()
            }
            _ => return None,
        };
        let (Node::Assert(Assertion::Start, _), parts) = parts.split_first()? else {
            return None;
        };
        let (parts, at_end) = match parts.split_last() {
            Some((Node::Assert(Assertion::End, _), parts)) => (parts, true),
            _ => (parts, false),
        };
        let (parts, rest) = match parts.split_last() {
            Some((last, parts)) if takes_all(last) => (parts, Rest::Taken),
            _ if at_end => (parts, Rest::Nothing),
            _ => (parts, Rest::Ignored),
        };
        let branches: Option<Box<[_]>> = match parts {
            [Node::Alternation(branches)] => branches.iter().map(positions).collect(),
            parts => sequence(parts.iter().copied()).map(|branch| [branch].into()),
        };
        let branches = branches?;
        let count = branches.iter().map(|branch| branch.len());
        let count = count.fold(branches.len(), usize::saturating_add);
        (count <= MOST_POSITIONS).then_some(Self { branches, rest })
    }

    /// The match.
    pub(super) fn find(&self, hay: &[u8]) -> Option<Range<usize>> {
        self.branches.iter().find_map(|branch| {
            let start = hay.get(..branch.len())?;
            let fits = match self.rest {
                Rest::Nothing => start.len() == hay.len(),
                Rest::Ignored | Rest::Taken => true,
            };
            let mut pairs = branch.iter().zip(start);
            (fits && pairs.all(|(set, &byte)| set.contains(byte))).then_some(match self.rest {
                Rest::Taken => 0..hay.len(),
                Rest::Ignored | Rest::Nothing => 0..start.len(),
            })
        })
    }

    /// Most bytes that are compared.
    pub(super) fn length(&self) -> usize {
        let lengths = self.branches.iter().map(|branch| branch.len());
        lengths.fold(0, usize::saturating_add)
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory_usage(&self) -> usize {
        self.length().saturating_mul(size_of::<ByteSet>())
    }
}

/// Whether a part is `.*`, where `.` is any byte.
fn takes_all(part: &Node) -> bool {
    match part {
        Node::Repeat {
            node,
            min: 0,
            max: None,
            greedy: true,
        } => **node == Node::Set(ByteSet::ALL),
        _ => false,
    }
}

/// The positions of a branch, if it is one set after the other.
fn positions(branch: &Node) -> Option<Box<[ByteSet]>> {
    match branch {
        Node::Empty => sequence([]),
        Node::Concat(parts) => sequence(parts),
        part => sequence([part]),
    }
}

fn sequence<'a>(parts: impl IntoIterator<Item = &'a Node>) -> Option<Box<[ByteSet]>> {
    let set = |part: &Node| match part {
        Node::Set(set) => Some(*set),
        _ => None,
    };
    parts.into_iter().map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::super::syntax::{Dialect, Text};
    use super::*;

    fn read(source: &str) -> Option<Beginning> {
        let text = Text {
            source: source.as_bytes().into(),
            dialect: Dialect::default(),
        };
        Beginning::of(&text.parse().unwrap())
    }

    fn found(source: &str, hay: &str) -> Option<Range<usize>> {
        read(source).expect(source).find(hay.as_bytes())
    }

    #[test]
    fn the_start_decides() {
        assert_eq!(found("^ab", "abc"), Some(0..2));
        assert_eq!(found("^ab", "xab"), None);
        assert_eq!(found("^ab", "a"), None);
        assert_eq!(found("(?i)^a[b-d]", "AcX"), Some(0..2));
        assert_eq!(found("^ab$", "ab"), Some(0..2));
        assert_eq!(found("^ab$", "abc"), None);
        assert_eq!(found("^$", ""), Some(0..0));
        assert_eq!(found("^$", "\n"), None);
        assert_eq!(found("^.*$", "a\nb"), Some(0..3));
        assert_eq!(found("^.*", ""), Some(0..0));
        assert_eq!(found("^a.*$", "a\nb"), Some(0..3));
        assert_eq!(found("^(?:GET|HEAD)$", "HEAD"), Some(0..4));
        assert_eq!(found("^(?:GET|HEAD)$", "HEADS"), None);
        assert_eq!(found("^(?:a|ab|)", "abc"), Some(0..1));
        assert_eq!(found("^(?:b|ab|)", "xy"), Some(0..0));
        assert_eq!(found("^(?:b|ab).*$", "abc"), Some(0..3));
    }

    #[test]
    fn other_patterns_are_left_to_engines() {
        for source in [
            "ab",
            "ab$",
            "^(ab)",
            "^a?b",
            "^a|b",
            "^a.*b",
            "^.*?",
            "^.+$",
            "^a\\b",
            "(?m)^a",
            "^a\\Z",
            "^\\Kab",
            "^(?-s).*$",
            "^(?=a)",
            "^(?:a|b)c",
            "^(?:a|b*)",
            "\\Aa++",
        ] {
            assert!(read(source).is_none(), "{source}");
        }
        assert!(read(&format!("^{}", "a".repeat(MOST_POSITIONS))).is_none());
    }
}
