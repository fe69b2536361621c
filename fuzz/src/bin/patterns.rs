//! Patterns on values: the engines agree with each other and with PCRE, groups are what they should
//! be, limits hold, and the prefilter lets through what matches.
//!
//! The input: the flags, whether a piece of the value is repeated; a line with the pattern; the
//! value.
#![no_main]

use std::ops::Range;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use parapet::bytes::Profile;
use parapet::matching::{Candidates, Dialect, Pattern, PrefilterBuilder, Scratch};
use parapet_fuzz::input::{Input, states};
use parapet_fuzz::measure::bounded;
use parapet_fuzz::pcre::{Answer, Pcre};
use parapet_fuzz::seeds::{self, Seeds, TEXTS};

fuzz_target!(init: seeds::offer(offer), |data: &[u8]| run(data));

/// The most states of a pattern times bytes of the value.
const WORK: usize = 4 << 20;

/// The longest value that PCRE2 is asked about.
const LONGEST_FOR_PCRE: usize = 4 << 10;

/// The groups of a match.
type Groups = Vec<Option<Range<usize>>>;

fn run(data: &[u8]) {
    let mut input = Input(data);
    let (flags, how) = (input.byte(), input.byte());
    let dialect = Dialect {
        dot_matches_new_line: flags & 1 == 0,
        multi_line: flags & 2 != 0,
        case_insensitive: flags & 4 != 0,
    };
    let source = input.line();
    let read = bounded("reading", 64 << 20, Duration::from_secs(1), || {
        Pattern::new(source, dialect)
    });
    let pattern = match read {
        Ok(pattern) => pattern,
        Err(error) => {
            assert!(
                error.offset.is_none_or(|offset| offset <= source.len()),
                "{error:?}"
            );
            return;
        }
    };
    let mut value = input.rest(how);
    value.truncate(WORK / states(source));
    let mut scratch = Scratch::new();
    let Some(found) = search(&pattern, &value, &mut scratch) else {
        return;
    };
    check_prefilter(&pattern, &value, found.is_some());
    check_from_everywhere(&pattern, &value, &found, &mut scratch);
    let exact = pattern.needs_backtracking().is_some() || !has_empty_rounds(source, dialect);
    check_other_engine(&pattern, dialect, &value, &found, exact, &mut scratch);
    check_small_limit(&pattern, &value, &found);
    check_pcre(
        source,
        dialect,
        &value,
        &found,
        exact,
        pattern.group_count(),
    );
}

/// The match and its groups; none of both, if the search came to its limit.
fn search(pattern: &Pattern, value: &[u8], scratch: &mut Scratch) -> Option<Option<Groups>> {
    let time = Duration::from_millis(1500);
    let matches = bounded("matching", 64 << 20, time, || {
        pattern.is_match(value, scratch)
    });
    let mut limited = scratch.take_limit_exceeded();
    let span = bounded("finding", 64 << 20, time, || pattern.find(value, scratch));
    limited |= scratch.take_limit_exceeded();
    let mut groups = Vec::new();
    let grouped = bounded("capturing", 64 << 20, time, || {
        pattern.captures(value, scratch, &mut groups)
    });
    limited |= scratch.take_limit_exceeded();
    if limited {
        assert!(pattern.needs_backtracking().is_some());
        return None;
    }
    assert_eq!(matches, span.is_some());
    assert_eq!(matches, grouped);
    assert_eq!(span, groups.first().cloned().flatten());
    assert!(groups.is_empty() || groups.len() == pattern.group_count() + 1);
    for group in groups.iter().flatten() {
        assert!(
            group.start <= group.end && group.end <= value.len(),
            "{group:?}"
        );
    }
    Some(matches.then_some(groups))
}

fn check_prefilter(pattern: &Pattern, value: &[u8], matches: bool) {
    let mut builder = PrefilterBuilder::new();
    let other = Pattern::new(b"(?i)select.{1,9}from|[^a]b", Dialect::default()).unwrap();
    let slots = [
        builder.add_pattern(pattern),
        builder.add_pattern(&other),
        builder.add_pattern(pattern),
    ];
    let prefilter = bounded("building", 64 << 20, Duration::from_secs(1), || {
        let mut builder = PrefilterBuilder::new();
        for one in [pattern, &other, pattern] {
            builder.add_pattern(one);
        }
        builder.build()
    });
    let mut candidates = Candidates::new();
    let time = Duration::from_millis(100);
    bounded("filtering", 1 << 20, time, || {
        prefilter.candidates(value, Profile::of(value), &mut candidates)
    });
    assert!(!matches || candidates.contains(slots[0]), "{pattern:?}");
    assert_eq!(candidates.contains(slots[0]), candidates.contains(slots[2]));
    assert!(candidates.iter().all(|slot| slots.contains(&slot)));
}

/// Searches that start inside the value find the leftmost match from there.
fn check_from_everywhere(
    pattern: &Pattern,
    value: &[u8],
    found: &Option<Groups>,
    scratch: &mut Scratch,
) {
    if value.len() > 64 {
        return;
    }
    let mut groups = Vec::new();
    for start in 0..=value.len() + 1 {
        let span = pattern.find_from(value, start, scratch);
        if scratch.take_limit_exceeded() {
            return;
        }
        let grouped = pattern.captures_from(value, start, scratch, &mut groups);
        if scratch.take_limit_exceeded() {
            return;
        }
        assert_eq!(grouped, span.is_some());
        assert_eq!(span, groups.first().cloned().flatten());
        if let Some(span) = &span {
            // Patterns that look around may move the ends.
            assert!(span.end <= value.len());
        }
        if start == 0 {
            assert_eq!(found.as_ref(), grouped.then_some(&groups));
        }
    }
}

/// A condition that always holds sends the pattern to the engine that backtracks.
fn check_other_engine(
    pattern: &Pattern,
    dialect: Dialect,
    value: &[u8],
    found: &Option<Groups>,
    exact: bool,
    scratch: &mut Scratch,
) {
    let source = pattern.source();
    if pattern.needs_backtracking().is_some() || has_quotation_or_comments(source) {
        return;
    }
    let wrapped = [b"(?=)(?:", source, b")"].concat();
    let Ok(wrapped) = Pattern::new(&wrapped, dialect) else {
        return;
    };
    assert!(wrapped.needs_backtracking().is_some());
    let mut groups = Vec::new();
    let matches = wrapped.captures(value, scratch, &mut groups);
    if scratch.take_limit_exceeded() {
        return;
    }
    assert_eq!(found.is_some(), matches, "{wrapped:?}");
    if exact {
        assert_eq!(found.as_ref(), matches.then_some(&groups), "{wrapped:?}");
    }
}

/// A search within a small limit finds the same or says that it came to it; soon.
fn check_small_limit(pattern: &Pattern, value: &[u8], found: &Option<Groups>) {
    if pattern.needs_backtracking().is_none() {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.set_step_limit(1000);
    let time = Duration::from_millis(20);
    let span = bounded("limited", 8 << 20, time, || {
        pattern.find(value, &mut scratch)
    });
    if !scratch.take_limit_exceeded() {
        assert_eq!(span, found.as_ref().and_then(|groups| groups[0].clone()));
    }
}

fn check_pcre(
    source: &[u8],
    dialect: Dialect,
    value: &[u8],
    found: &Option<Groups>,
    exact: bool,
    groups: usize,
) {
    // PCRE2 limits the steps from each place of the value, not those of all places together.
    if value.len() > LONGEST_FOR_PCRE {
        return;
    }
    let Some(pcre) = Pcre::new(source, dialect) else {
        return;
    };
    match pcre.captures(value) {
        Answer::Match(other) => {
            assert!(found.is_some(), "PCRE matches");
            if exact {
                assert_eq!(other.len(), groups + 1);
                assert_eq!(found.as_ref(), Some(&other), "PCRE's groups");
            }
        }
        Answer::NoMatch => assert!(found.is_none(), "PCRE does not match"),
        Answer::Limit => {}
    }
}

/// Whether some repetition may have rounds that read nothing: the one corner in which spans of the
/// linear engine differ.
fn has_empty_rounds(source: &[u8], dialect: Dialect) -> bool {
    let mut open = Vec::new();
    let mut at = 0;
    let mut in_class = false;
    while at < source.len() {
        match source[at] {
            b'\\' => at += 1,
            b'[' if !in_class => {
                in_class = true;
                at += usize::from(source[at..].starts_with(b"[^"));
                // A bracket in the first place is a member.
                at += usize::from(source.get(at + 1) == Some(&b']'));
            }
            b']' => in_class = false,
            b'(' if !in_class => open.push(at),
            b')' if !in_class => {
                let Some(start) = open.pop() else { return true };
                let repeated = matches!(source.get(at + 1), Some(b'*' | b'+' | b'?' | b'{'));
                if repeated && may_be_empty(&source[start..=at], dialect) {
                    return true;
                }
            }
            _ => {}
        }
        at += 1;
    }
    has_quotation_or_comments(source)
}

/// Whether signs may mean nothing: between `\Q` and `\E`, or in comments of `(?x)`.
fn has_quotation_or_comments(source: &[u8]) -> bool {
    (0..source.len()).any(|at| match &source[at..] {
        [b'\\', b'Q', ..] => true,
        [b'(', b'?', flags @ ..] => flags
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic() || b"-^".contains(byte))
            .any(|&byte| byte == b'x'),
        _ => false,
    })
}

fn may_be_empty(group: &[u8], dialect: Dialect) -> bool {
    let conditions = [
        &b"\\b"[..],
        b"\\B",
        b"\\<",
        b"\\>",
        b"[[:<:]]",
        b"[[:>:]]",
        b"^",
        b"$",
        b"\\A",
        b"\\Z",
        b"\\z",
        b"\\G",
        b"\\K",
    ];
    let has_condition = conditions
        .iter()
        .any(|part| group.windows(part.len()).any(|it| it == *part));
    has_condition
        || Pattern::new(group, dialect)
            .map_or(true, |pattern| pattern.is_match(b"", &mut Scratch::new()))
}

fn offer(seeds: &mut Seeds) {
    let mut patterns = seeds::patterns();
    patterns.extend(PATTERNS.iter().map(|pattern| pattern.as_bytes().to_vec()));
    for (number, pattern) in patterns.iter().enumerate() {
        let text = TEXTS[number % TEXTS.len()];
        seeds.input(&[&[0, 0], pattern, b"\n", text]);
    }
    for pattern in PATTERNS {
        for text in [&b"aAbbab12 \n a"[..], b"xyzzy", b"foo-bar foo"] {
            for flags in [0, 1, 2, 4] {
                seeds.input(&[&[flags, 0], pattern.as_bytes(), b"\n", text]);
            }
            seeds.input(&[&[0, 0xEA], pattern.as_bytes(), b"\n", text]);
        }
    }
    seeds.words([
        "(?:",
        "(?i)",
        "(?i:",
        "(?s)",
        "(?m)",
        "(?x)",
        "(?-i)",
        "(?=",
        "(?!",
        "(?<=",
        "(?<!",
        "(?>",
        "(?|",
        "(?<n>",
        "(?P<n>",
        "(?P=n)",
        "\\k<n>",
        "(?(1)",
        "(?(<n>)",
        "(?(?=",
        "\\1",
        "\\g1",
        "\\g{-1}",
        "\\b",
        "\\B",
        "\\A",
        "\\z",
        "\\Z",
        "\\G",
        "\\K",
        "\\Q",
        "\\E",
        "\\R",
        "\\N",
        "\\h",
        "\\v",
        "\\d",
        "\\w",
        "\\s",
        "\\S",
        "\\x41",
        "\\x{41}",
        "\\o{101}",
        "\\101",
        "\\cA",
        "\\e",
        "[[:alpha:]]",
        "[[:^digit:]]",
        "[^",
        "[]]",
        "{2}",
        "{0,3}",
        "{2,}",
        "{,3}",
        "*?",
        "+?",
        "??",
        "*+",
        "++",
        "?+",
        "|",
        "(?#c)",
        "[a-z]",
        "^",
        "$",
        "[[:<:]]",
        "[[:>:]]",
        "(?'n'",
        "(?^)",
        "(?n)",
        "(*",
        "\\p{L}",
        "\\X",
        "\\C",
    ]);
}

const PATTERNS: &[&str] = &[
    "",
    "a",
    "(a)(b)?",
    "(a|ab)(c|bcd)*",
    "a*?b+",
    "(?i)sel(?-i)ECT",
    "^a$|b",
    "[^a-c\\d]{2,3}",
    "(?=a)ab|(?!b)a",
    "(?<=a)b|(?<!a|bc)b",
    "(a+)+\\1",
    "(?>a+)b",
    "a++b",
    "(?|(a)|(b))\\1",
    "(?<n>a)\\k<n>",
    "(a)?(?(1)b|c)",
    "\\bfoo\\b",
    "(?m)^.*$",
    "(?s).\\K.",
    "\\Qa.b\\E",
    "[[:space:]]\\R",
    "x{3}|y{0}z{1,}",
    "(?x) a # c",
    "(?:a|(b))*",
    "((a)|b)+?c",
    "\\x41\\n\\0[\\]\\-x]",
    "a\\Z",
    "\\Aa\\z",
    "(?:x(?=y)|z)*",
    "([^x]{0,50})xy",
    "(?:(?:a?){3}){2}",
    "(?(?=a)ab|c)",
    "\\G\\w",
    "(.*?,){3}P",
    "(\\w+)\\s\\1",
];
