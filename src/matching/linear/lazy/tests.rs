use super::super::super::syntax::{Dialect, Text};
use super::super::super::tests::Random;
use super::super::{lower, nfa};
use super::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::{Input, Match};
use std::ops::Range;

/// Alternations, loops, conditions on both sides, empty matches, places a match is tied to.
const PATTERNS: [&str; 54] = [
    "a",
    "",
    "a|ab|abc",
    "abc|ab|a",
    "(?:a|b)*c",
    "(?:ab?)+",
    "(?:ab?)+?",
    "a*",
    "a*?b",
    ".*a",
    "[^b]*b",
    "^a",
    "^",
    "a$",
    "$",
    "^$",
    "(?m)^a",
    "(?m)a$",
    "(?m)^",
    "(?m)^$|b",
    r"\bab",
    r"ab\b",
    r"\b",
    r"\B",
    r"\Ba\B|\b-",
    r"[[:<:]]a+[[:>:]]",
    r"(?:\b|-)*a",
    r"(?:^|-)a(?:-|$)",
    r"(?:^a|b)(?:\bc|$)",
    r"(?:a|b\b)*?-",
    "(?i)Ab{2,3}",
    "a.{3}b",
    r"(?:a[bc]*(?:\$[a-z]*)?b)+c",
    "[^a]*(?:|a)(?:$|b)",
    "(?:|a)+",
    "(?:|a|b)+?c",
    "(?:(?:|a)+|b)*",
    // Branches that share a beginning or an end, or that may not.
    "abc|abd|ab|b",
    "ab|c|a-|cb|(?:ac)",
    "a-|[a-c]b|ac|abc",
    "ab|(?:c|)|ac",
    "(?:ab|-b|a|zb|bb)+?c",
    "(?:abc|ac|abd|-)*(?:ab|ac|a)",
    "(?i)(?:ab|AC|b|aBc)$",
    r"(?:a\b-|a|a-b)(?:c|bc|)",
    // A search passes over most bytes where these begin.
    r"\$a",
    r"-[^a]*b",
    r"^-|\$+c?",
    r"(?:-|\$)+?$",
    r"\xFF\n?",
    r"-a$|z",
    r"z|\$(?:b|$)|-+",
    r"(?:\$|-a?)*-",
    "(?:a|b|-|z|c|A|B|$|(?:x|y|(?:u|v|w|)|q|r|s|t)+|ab|bc|aa)*z",
];

struct Both {
    forward: LazyDfa,
    backward: LazyDfa,
    reference: PikeVM,
}

impl Both {
    fn new(pattern: &str) -> Self {
        let text = Text {
            source: pattern.as_bytes().into(),
            dialect: Dialect::default(),
        };
        let parsed = text.parse().unwrap();
        let nfa = nfa(&lower::lower(&parsed.root, parsed.groups).hir).unwrap();
        Self {
            forward: LazyDfa::new(&parsed.root, Direction::Forward),
            backward: LazyDfa::new(&parsed.root, Direction::Backward),
            reference: PikeVM::new_from_nfa(nfa).unwrap(),
        }
    }

    /// The leftmost match from a place on.
    fn find(&self, hay: &[u8], start: usize, caches: &mut [Cache; 2]) -> Option<Range<usize>> {
        let [forward, backward] = caches;
        let workspace = &mut Workspace::default();
        let found = self.forward.end(hay, start, false, forward, workspace);
        let any = self.forward.end(hay, start, true, forward, workspace);
        assert_eq!(found.end.is_some(), any.end.is_some());
        assert!(any.read <= found.read && found.read <= hay.len().abs_diff(start));
        let end = start.saturating_add(found.end?);
        let found = self.backward.start(hay, start, end, backward, workspace);
        Some(end.saturating_sub(found.end.unwrap())..end)
    }

    fn wanted(&self, hay: &[u8], start: usize) -> Option<Range<usize>> {
        let input = Input::new(hay).span(start..hay.len());
        let cache = &mut self.reference.create_cache();
        self.reference
            .find(cache, input)
            .map(|found: Match| found.range())
    }

    fn caches(&self, limit: usize) -> [Cache; 2] {
        [&self.forward, &self.backward].map(|dfa| Cache::with_limit(dfa.columns.len(), limit))
    }
}

#[test]
fn agrees_with_a_simulation_whatever_the_cache_holds() {
    let mut random = Random::new(17);
    let mut matched = 0;
    for pattern in PATTERNS {
        let both = Both::new(pattern);
        let [mut large, mut middle, mut none] = [1 << 20, 2000, 0].map(|limit| both.caches(limit));
        for _ in 0..200 {
            let hay: Vec<u8> = (0..random.below(10))
                .map(|_| *random.pick(b"aabbcABz$-\n\xFF"))
                .collect();
            for start in 0..=hay.len() {
                let wanted = both.wanted(&hay, start);
                for caches in [&mut large, &mut middle, &mut none] {
                    assert_eq!(
                        both.find(&hay, start, caches),
                        wanted,
                        "/{pattern}/ in {} from {start}",
                        hay.escape_ascii()
                    );
                }
                matched += usize::from(wanted.is_some());
            }
        }
    }
    assert!(matched > 10_000, "{matched}");
}

/// Hundreds of ways to begin are in no state, so that a state is as large as what is under way.
#[test]
fn beginnings_are_in_no_state() {
    let words: Vec<String> = (0..300).map(|number| format!("w{number}x")).collect();
    let both = Both::new(&words.join("|"));
    let mut cache = both.forward.cache();
    let hay = b"ww w1 w12 w123 w299 w12x";
    let found = both
        .forward
        .end(hay, 0, false, &mut cache, &mut Workspace::default());
    assert_eq!(found.end, Some(hay.len()));
    assert!(cache.memory_usage() < 4096, "{}", cache.memory_usage());
}

/// What is full is emptied, and never grows far beyond its limit.
#[test]
fn memory_is_bounded() {
    let both = Both::new("(?:a|b)*a(?:a|b){14}c");
    let mut cache = Cache::with_limit(both.forward.columns.len(), 10_000);
    let mut random = Random::new(5);
    let hay: Vec<u8> = (0..20_000).map(|_| *random.pick(b"ab")).collect();
    let mut workspace = Workspace::default();
    let found = both.forward.end(&hay, 0, false, &mut cache, &mut workspace);
    assert_eq!(
        found,
        Found {
            end: None,
            read: hay.len()
        }
    );
    assert!(cache.memory_usage() < 15_000, "{}", cache.memory_usage());
}

#[test]
fn only_bytes_that_begin_no_match_are_passed_over() {
    let rousing = |pattern: &str| {
        let bytes = Both::new(pattern).forward.rousing?;
        let all = (0..=u8::MAX).zip(*bytes);
        Some(
            all.filter_map(|(byte, rouses)| rouses.then_some(byte))
                .collect(),
        )
    };
    assert_eq!(rousing(r"\$a|(?:z|$)q"), Some(b"$qz".to_vec()));
    // What empty values match, what depends on the byte before, and what most bytes begin.
    for pattern in [r"\$*", r"$", r"\b\$a", "(?m)^z", "^z", "[a-z]q"] {
        assert_eq!(rousing(pattern), None::<Vec<u8>>, "{pattern}");
    }
}
