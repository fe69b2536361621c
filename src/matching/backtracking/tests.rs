//! What the engine answers: tables checked against PCRE2 10.42.

use std::time::Instant;

use super::super::{Candidates, Dialect, Pattern, PrefilterBuilder, Scratch};
use crate::bytes::Profile;

/// The match and its groups: `0-2 0-1 -`; empty without match.
fn found(pattern: &Pattern, hay: &[u8], scratch: &mut Scratch) -> String {
    let mut slots = Vec::new();
    pattern.captures(hay, scratch, &mut slots);
    let shown: Vec<String> = slots
        .iter()
        .map(|slot| match slot {
            Some(span) => format!("{}-{}", span.start, span.end),
            None => "-".to_owned(),
        })
        .collect();
    shown.join(" ")
}

/// Checks a table, and that the prefilter lets every match pass.
fn check(cases: &[(&str, &str, &str)]) {
    let mut scratch = Scratch::new();
    let mut candidates = Candidates::new();
    for (source, hay, expected) in cases {
        let pattern = Pattern::new(source.as_bytes(), Dialect::default())
            .unwrap_or_else(|error| panic!("/{source}/: {error}"));
        assert!(pattern.needs_backtracking().is_some(), "/{source}/");
        let hay = hay.as_bytes();
        let shown = hay.escape_ascii();
        assert_eq!(
            found(&pattern, hay, &mut scratch),
            *expected,
            "/{source}/ on {shown}"
        );
        assert_eq!(
            pattern.is_match(hay, &mut scratch),
            !expected.is_empty(),
            "/{source}/ on {shown}"
        );
        let mut builder = PrefilterBuilder::new();
        let slot = builder.add_pattern(&pattern);
        builder
            .build()
            .candidates(hay, Profile::of(hay), &mut candidates);
        assert!(
            expected.is_empty() || candidates.contains(slot),
            "prefilter: /{source}/ on {shown}"
        );
    }
    assert!(!scratch.take_limit_exceeded());
}

#[test]
fn lookaround() {
    check(&[
        ("a(?=b)", "acab", "2-3"),
        ("a(?!b)", "abac", "2-3"),
        ("(?<=a)b", "bab", "2-3"),
        ("(?<!a)b", "abb", "2-3"),
        ("(?<=ab|c)d", "bdcd", "3-4"),
        (r"(?<=^|,)\w+", "-a,b", "3-4"),
        ("(?<=a{2}[bc])d", "abdaacd", "6-7"),
        ("(?<!^)a", "aa", "1-2"),
        ("(?<=(a))b", "ab", "1-2 0-1"),
        ("(?=(a+))a*b", "aab", "0-3 0-2"),
        ("(?=(a+))a+?a", "aaa", "0-2 0-3"),
        ("(?!(a)b)a(c)?", "ac", "0-2 - 1-2"),
        ("(?!)", "a", ""),
        ("(?=)", "a", "0-0"),
        ("(?!a(?=b))a", "abac", "2-3"),
        ("(?=a)*b", "b", "0-1"),
        ("(?=a){0}b", "b", "0-1"),
        ("(?=(a))?a", "a", "0-1 0-1"),
        ("(?=(a))??a", "a", "0-1 -"),
        ("(*pla:a)a(*negative_lookbehind:b)", "ba", "1-2"),
        (r"^(?=.*\d)(?=.*[a-z]).{3,}$", "A1b", "0-3"),
        (r"^(?=.*\d)(?=.*[a-z]).{3,}$", "A1B", ""),
        ("(?:(?!end).)*end", "an end", "0-6"),
    ]);
}

#[test]
fn back_references() {
    check(&[
        (r"(a|b)\1", "abb", "1-3 1-2"),
        (r"(['\x22]).*?\1", "x'a\"b'", "1-6 1-2"),
        (r"(?i)(a)\1", "aA", "0-2 0-1"),
        (r"(a)(?i)\1", "aA", "0-2 0-1"),
        (r"(?i)(a)(?-i)\1", "aA", ""),
        (r"(a)|\1b", "b", ""),
        (r"(a)?\1b", "b", ""),
        (r"(a?)\1b", "b", "0-1 0-0"),
        (r"(a\1)", "aa", ""),
        (r"(?:(a|b)\1?)+c", "abbc", "0-4 1-2"),
        (r"(a|b\1)+", "ababb", "0-3 1-3"),
        (r"(?:\2b|(a)(c))+", "accb", "0-4 0-1 1-2"),
        (r"(a)(b)\g{-1}\g{-2}\g2\g{1}", "abbaba", "0-6 0-1 1-2"),
        (r"(?:\g{+1}x|(a))+", "aax", "0-3 0-1"),
        (r"(?<n>a)\k<n>\k'n'\k{n}\g{n}(?P=n)", "aaaaaa", "0-6 0-1"),
        (r"(?J)(?:(?<n>a)|(?<n>b))\k<n>", "abb", "1-3 - 1-2"),
        (r"(?|(a)|(b))\1", "abb", "1-3 1-2"),
        (r"(?|(?<n>a)|(?<n>b))\k<n>", "abb", "1-3 1-2"),
        (r"(a*)\1{2}b", "aaaab", "1-5 1-2"),
        (r"(a+)\1*?b", "aaab", "0-4 0-3"),
        (r"^(\w+) \1$", "ab ab", "0-5 0-2"),
        (
            r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10",
            "abcdefghijj",
            "0-11 0-1 1-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9 9-10",
        ),
    ]);
}

#[test]
fn atomic_parts() {
    check(&[
        ("(?>a|ab)c", "abc", ""),
        ("(?>a+)a", "aaa", ""),
        ("a++a", "aaa", ""),
        ("a?+a", "aa", "0-2"),
        ("a{1,2}+a", "aaa", "0-3"),
        ("a{1,2}+a", "aa", ""),
        ("(?:ab|a)++b", "ab", ""),
        ("(?>(a+))a|(a)", "aac", "0-1 - 0-1"),
        ("(?>(a)|(b))*c(?!d)", "abc", "0-3 0-1 1-2"),
        ("(?:(?>a|ab)c|abd)", "abd", "0-3"),
        (r"\R\n", "\r\n", ""),
        (r"\R\n", "\r\n\n", "0-3"),
        (r"\R{2}", "\n\r\n", "0-3"),
        (r"(*atomic:a|ab)c", "abc", ""),
        (r"^[^\]]++\]\]?+\]", "a]]]", "0-4"),
    ]);
}

#[test]
fn conditional_groups() {
    check(&[
        (r"(\()?a(?(1)\))", "(a) a", "0-3 0-1"),
        (r"^(\()?a(?(1)\)|!)$", "a!", "0-2 -"),
        (r"^(\()?a(?(1)\)|!)$", "(a!", ""),
        ("(?<q>')?a(?(<q>)'|,)", "'a'", "0-3 0-1"),
        ("(?<q>')?a(?('q')'|,)", "a,", "0-2 -"),
        ("(?<q>')?a(?(q)'|,)", "a,", "0-2 -"),
        ("(a)?(?(-1)b|c)", "ab", "0-2 0-1"),
        ("(?(+1)b|c)(a)", "ca", "0-2 1-2"),
        ("(?(?=a)ab|cd)", "acdab", "1-3"),
        ("(?(?!a)cd|ab)", "ab", "0-2"),
        ("(?(?<=a)b|c)", "bab", "2-3"),
        ("(?(?=(a))ab|(c))", "ab", "0-2 0-1 -"),
        ("(?(?!(a))b|ac)", "ac", "0-2 0-1"),
        ("(?(DEFINE)(a))b", "b", "0-1 -"),
        ("(?:(a)|b)(?(1)(?:c|d)|e)+", "bee", "0-3 -"),
    ]);
}

#[test]
fn repetitions() {
    check(&[
        ("(?=a)(a|b??)+", "ab", "0-1 1-1"),
        ("(?:(a)|b)*(?!c)", "ab", "0-2 0-1"),
        ("(?!c)(a?)*b", "aab", "0-3 2-2"),
        ("(?!c)(a?){3}b", "ab", "0-2 1-1"),
        ("(?!c)(a?){2,}b", "aaab", "0-4 3-3"),
        ("(?!c)(a|){0,3}b", "aab", "0-3 2-2"),
        ("(?!c)(a|ab){2,3}?c", "aabc", "0-4 1-3"),
        ("(?!c)(?:a|ab)(?:c|bcd)(?:d*)", "abcd", "0-4"),
        ("(?!c)(a*?)*?b", "aab", "0-3 1-2"),
        ("(?!c)(?:(a)|(b)){2}", "ab", "0-2 0-1 1-2"),
        ("(?!x).*?a.{2}b", "zaxabxxab", "0-5"),
        ("(?!x)[ab]{2,3}?c", "babc", "0-4"),
        ("(?!x)[ab]{2,3}a", "abab", "0-3"),
        ("(?!x)(){1000}a", "a", "0-1 0-0"),
    ]);
}

#[test]
fn places() {
    check(&[
        (r"\Ga|b", "cab", "2-3"),
        ("(?m)^$", "a\n\nb", "2-2"),
        ("(?m)^$", "a\n", ""),
        ("(?m)(?<=a)$", "ba\nc", "2-2"),
        (r"a\Zb?", "a\n", "0-1"),
        (r"(?<=a)\Z", "a\n", "1-1"),
        (r"(?=a)a\Kb", "ab", "1-2"),
        (r"(?:a\Kb)++b?+(?!x)", "abab", "3-4"),
        (r"(?!-)\b\w+\B", "-abc", "1-3"),
        ("[[:<:]](?=b)b[[:>:]]", "ab b", "3-4"),
    ]);
}

#[test]
fn searches_that_go_on() {
    let mut scratch = Scratch::new();
    let mut find = |source: &str, hay: &[u8], start| {
        let pattern = Pattern::new(source.as_bytes(), Dialect::default()).unwrap();
        pattern.find_from(hay, start, &mut scratch)
    };
    assert_eq!(find(r"\Ga", b"aba", 0), Some(0..1));
    assert_eq!(find(r"\Ga", b"aba", 1), None);
    assert_eq!(find(r"\Ga", b"aba", 2), Some(2..3));
    assert_eq!(find("(?<=a)b", b"bab", 0), Some(2..3));
    assert_eq!(find("(?<=a)b", b"bab", 2), Some(2..3));
    assert_eq!(find("(?=a)", b"a", 2), None);
}

/// Exponential and deep searches stop, quickly, and the next search is not affected.
#[test]
fn hard_searches_stop_at_the_limit() {
    let mut scratch = Scratch::new();
    let start = Instant::now();
    let letters = b"a".repeat(60_000);
    for source in [
        "(?=a)(a+)+$x",
        "(?!b)(?:a|aa)+$x",
        r"(.*)(.*)(.*)\1x",
        r"(?:(a)|(b))*\2",
        "(?:(?=(a))a)*b",
        r"(.*?)\1*?\1*?x",
        "(?>(?:(?>a)|b)*)c",
    ] {
        let pattern = Pattern::new(source.as_bytes(), Dialect::default()).unwrap();
        assert!(!pattern.is_match(&letters, &mut scratch), "/{source}/");
        assert!(scratch.take_limit_exceeded(), "/{source}/");
        // What goes on in the same value has no steps left.
        assert_eq!(pattern.find_from(&letters, 59_999, &mut scratch), None);
        assert!(scratch.take_limit_exceeded(), "/{source}/");
        assert!(!pattern.is_match(b"a", &mut scratch), "/{source}/");
        assert!(!scratch.take_limit_exceeded(), "/{source}/");
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn the_limit_can_be_set() {
    let mut scratch = Scratch::new();
    let pattern = Pattern::new(b"(?:(?!x).)*y", Dialect::default()).unwrap();
    let hay = [b"a".repeat(1000), b"y".to_vec()].concat();
    assert!(pattern.is_match(&hay, &mut scratch));
    scratch.set_step_limit(100);
    assert!(!pattern.is_match(&hay, &mut scratch));
    assert!(scratch.take_limit_exceeded());
    assert!(!scratch.take_limit_exceeded());
    scratch.set_step_limit(usize::MAX);
    assert!(pattern.is_match(&hay, &mut scratch));
    assert!(!scratch.take_limit_exceeded());
}
