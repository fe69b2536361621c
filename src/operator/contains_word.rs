//! `@containsWord`.

use super::needle::Needle;
use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Whether the argument stands in the value with no letter next to it.
#[derive(Clone, Debug)]
pub(super) struct ContainsWord(Needle);

impl Member for ContainsWord {
    const DEF: Def = Def {
        name: "containsWord",
        aliases: &[],
        summary: "Whether the argument stands in the value with no letter next to it.",
        spec: "ModSecurity manual, @containsWord; word bytes are the ASCII letters, as in version 3 \
            and its language tests (version 2: digits and underscores too); the empty argument \
            stands everywhere.",
        argument: Argument::Text,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::yes(b"def", b"abc def ghi"),
            Example::yes(b"abc", b"xabc,abc"),
            Example::yes(b"", b"abc"),
            Example::yes(b"def", b"abc0def_ghi"),
            Example::no(b"def", b"abcdef"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self(Needle::new(argument, cx.has_macros)))
    }

    fn eval(&self, value: &[u8], argument: &[u8], _: &mut Eval<'_>) -> bool {
        if argument.is_empty() {
            return true;
        }
        let Some(first) = self.0.find(value, argument) else {
            return false;
        };
        if stands_alone(value, first, argument.len()) {
            return true;
        }
        let Some(rest) = value.get(first..) else {
            return false;
        };
        occurrences(rest, argument)
            .any(|start| stands_alone(value, start.saturating_add(first), argument.len()))
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("String match \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }
}

/// Whether no letter stands before or behind a part of the value.
fn stands_alone(value: &[u8], start: usize, length: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| value.get(at));
    let behind = value.get(start.saturating_add(length));
    !before
        .into_iter()
        .chain(behind)
        .any(u8::is_ascii_alphabetic)
}

/// Where the text stands, overlapping places too, in time linear in both (Knuth, Morris, Pratt).
fn occurrences<'a>(value: &'a [u8], text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let borders = borders(text);
    let mut matched = 0usize;
    value.iter().enumerate().filter_map(move |(at, byte)| {
        matched = advance(text, &borders, matched, *byte);
        (matched == text.len()).then(|| at.saturating_add(1).saturating_sub(text.len()))
    })
}

/// For every prefix of the text (by its length) the length of its longest proper border.
fn borders(text: &[u8]) -> Vec<usize> {
    let mut borders = vec![0, 0];
    let mut matched = 0;
    for byte in text.iter().skip(1) {
        matched = advance(text, &borders, matched, *byte);
        borders.push(matched);
    }
    borders
}

/// How much of the text ends at this byte, if `matched` bytes of it ended at the one before.
fn advance(text: &[u8], borders: &[usize], mut matched: usize, byte: u8) -> usize {
    loop {
        if text.get(matched) == Some(&byte) {
            return matched.saturating_add(1);
        }
        if matched == 0 {
            return 0;
        }
        matched = borders.get(matched).copied().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_overlap() {
        let found: Vec<usize> = occurrences(b"-a-a-b-a-a-a", b"-a-a").collect();
        assert_eq!(found, [0, 6, 8]);
        let found: Vec<usize> = occurrences(b"aaaa", b"a").collect();
        assert_eq!(found, [0, 1, 2, 3]);
        let found: Vec<usize> = occurrences(b"aabaabaaab", b"aabaaab").collect();
        assert_eq!(found, [3]);
    }

    #[test]
    fn overlapping_words_are_found() {
        let mut harness = super::super::tests::Harness::new();
        assert!(harness.ask("containsWord", b"a-a", b"xa-a-a"));
        assert!(!harness.ask("containsWord", b"a-a", b"xa-a-ay"));
    }
}
