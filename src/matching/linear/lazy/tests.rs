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

fn uncounted(workspace: &mut Workspace) -> Notes<'_> {
    Notes {
        workspace,
        counter: None,
    }
}

fn counted<'a>(
    workspace: &'a mut Workspace,
    visits: &'a mut Visits,
    footprint: &'a mut Footprint,
) -> Notes<'a> {
    Notes {
        workspace,
        counter: Some((visits, footprint)),
    }
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
            forward: LazyDfa::new(&parsed.root, Direction::Forward, 1),
            backward: LazyDfa::new(&parsed.root, Direction::Backward, 1),
            reference: PikeVM::new_from_nfa(nfa).unwrap(),
        }
    }

    /// The leftmost match from a place on, whether visits are counted or not.
    fn find(
        &self,
        hay: &[u8],
        start: usize,
        caches: &mut [Cache; 2],
        visits: &mut Visits,
    ) -> Option<Range<usize>> {
        let [forward, backward] = caches;
        let workspace = &mut Workspace::default();
        visits.clear();
        visits.begin(u64::MAX);
        let footprint = &mut Footprint::default();
        let notes = counted(workspace, visits, footprint);
        let found = self.forward.end(hay, start, false, forward, notes);
        let same = self
            .forward
            .end(hay, start, false, forward, uncounted(workspace));
        assert_eq!(found, same);
        let notes = counted(workspace, visits, footprint);
        let any = self.forward.end(hay, start, true, forward, notes);
        assert_eq!(found.end.is_some(), any.end.is_some());
        assert!(any.read <= found.read && found.read <= hay.len().abs_diff(start));
        let end = start.saturating_add(found.end?);
        let notes = counted(workspace, visits, footprint);
        let found = self.backward.start(hay, start, end, backward, notes);
        let same = self
            .backward
            .start(hay, start, end, backward, uncounted(workspace));
        assert_eq!(found, same);
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
        let [mut one, mut two, mut three] = [(), (), ()].map(|()| Visits::default());
        for _ in 0..200 {
            let hay: Vec<u8> = (0..random.below(10))
                .map(|_| *random.pick(b"aabbcABz$-\n\xFF"))
                .collect();
            for start in 0..=hay.len() {
                let wanted = both.wanted(&hay, start);
                let all = [
                    (&mut large, &mut one),
                    (&mut middle, &mut two),
                    (&mut none, &mut three),
                ];
                let charges = all.map(|(caches, visits)| {
                    let found = both.find(&hay, start, caches, visits);
                    let shown = hay.escape_ascii();
                    assert_eq!(found, wanted, "/{pattern}/ in {shown} from {start}");
                    visits.end()
                });
                // What is charged does not depend on what the caches hold.
                assert!(
                    charges.iter().all(|charge| *charge == charges[0]),
                    "/{pattern}/ {charges:?}"
                );
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
    let found = both.forward.end(
        hay,
        0,
        false,
        &mut cache,
        uncounted(&mut Workspace::default()),
    );
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
    let found = both
        .forward
        .end(&hay, 0, false, &mut cache, uncounted(&mut workspace));
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

/// Goes over a value with a cache, and returns what that costs in a new phase.
fn charge(dfa: &LazyDfa, hay: &[u8], cache: &mut Cache, visits: &mut Visits) -> u64 {
    let workspace = &mut Workspace::default();
    visits.clear();
    visits.begin(u64::MAX);
    let footprint = &mut Footprint::default();
    dfa.end(hay, 0, false, cache, counted(workspace, visits, footprint));
    visits.end()
}

#[test]
fn what_is_charged_is_the_same_whatever_was_searched_before() {
    let both = Both::new(r"(?i)(?:sel[a-z]*ect|uni.{0,20}on|[0-9]+=[0-9]+)\b");
    let mut random = Random::new(23);
    let (mut cache, mut visits) = (both.forward.cache(), Visits::default());
    let mut total = 0;
    // More phases than there are tags.
    for _ in 0..1200 {
        let hay: Vec<u8> = (0..random.below(60))
            .map(|_| *random.pick(b"sSelEctuniON10= -"))
            .collect();
        let fresh = charge(&both.forward, &hay, &mut both.forward.cache(), &mut visits);
        let used = charge(&both.forward, &hay, &mut cache, &mut visits);
        assert_eq!(fresh, used, "{}", hay.escape_ascii());
        total += used;
    }
    assert!(total > 100_000, "{total}");
}

#[test]
fn what_is_met_again_is_free_and_what_does_not_fit_never_is() {
    let mut random = Random::new(29);
    let hay: Vec<u8> = (0..40_000).map(|_| *random.pick(b"ab")).collect();
    let cost = |pattern: &str, hay: &[u8]| {
        let both = Both::new(pattern);
        charge(
            &both.forward,
            hay,
            &mut both.forward.cache(),
            &mut Visits::default(),
        )
    };
    let [half, all] = [20_000, 40_000].map(|length| cost("(?:a|b)*a(?:a|b){3}c", &hay[..length]));
    assert!(half > 1000 && all.abs_diff(half) < 1000, "{half} {all}");
    let [half, all] = [20_000, 40_000].map(|length| cost("(?:a|b)*a(?:a|b){16}c", &hay[..length]));
    assert!(all - half > 20_000 * 50, "{half} {all}");
}

#[test]
fn a_search_that_cannot_be_afforded_ends() {
    let both = Both::new("(?:a|b)*a(?:a|b){14}c");
    let mut random = Random::new(31);
    let mut hay: Vec<u8> = (0..50_000).map(|_| *random.pick(b"ab")).collect();
    hay.extend(b"abbbbbbbbbbbbbbc");
    let (mut visits, mut workspace) = (Visits::default(), Workspace::default());
    visits.clear();
    visits.begin(100_000);
    let mut cache = both.forward.cache();
    let mut footprint = Footprint::default();
    let notes = counted(&mut workspace, &mut visits, &mut footprint);
    let found = both.forward.end(&hay, 0, false, &mut cache, notes);
    assert_eq!(found.end, None);
    assert!(found.read < 1000, "{}", found.read);
    assert!(visits.end() > 100_000);
}
