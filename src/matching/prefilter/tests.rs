//! What the prefilter lets through, pattern by pattern.

use super::super::{Candidates, Dialect, Pattern, PhraseSet, Scratch};
use super::PrefilterBuilder;
use crate::bytes::{ClassSet, Profile};

/// Whether a pattern is a candidate for a value; it must be where it matches.
fn passes(source: &str, hay: &str) -> bool {
    let pattern = Pattern::new(source.as_bytes(), Dialect::default()).unwrap();
    let mut builder = PrefilterBuilder::new();
    let slot = builder.add_pattern(&pattern);
    let mut candidates = Candidates::new();
    let profile = Profile::of(hay.as_bytes());
    let prefilter = builder.build();
    prefilter.candidates(hay.as_bytes(), profile, &mut candidates);
    let passes = candidates.contains(slot);
    for classes in [profile.classes, ClassSet::ALL] {
        assert!(!passes || prefilter.can_match(&[1 << slot], classes));
    }
    let matches = pattern.is_match(hay.as_bytes(), &mut Scratch::new());
    assert!(passes || !matches, "/{source}/ matches {hay:?}");
    passes
}

#[test]
fn lets_through_what_can_match() {
    for (source, hay) in [
        ("", ""),
        ("", "x"),
        ("^$", ""),
        ("a*", ""),
        ("a*", "b"),
        (".", "\n"),
        ("(?:a|)", "zzz"),
        ("select", "SELECT 1"),
        (r"\bfoo\b", "xfoox"),
        ("(?m)^a", "x\na"),
        (r"a\Z", "a\n"),
        ("b[\"']*u[\"']*y", "buy"),
        ("b[\"']*u[\"']*y", "b'u\"y"),
        (r"select\s+from", "select\t\nfrom"),
        ("(?:ab){2,}c", "ababababc"),
        ("[^a]", "a"),
        ("x|y|z", "z"),
        ("(?>ab|a)[^b]", "a!"),
    ] {
        assert!(passes(source, hay), "/{source}/ on {hay:?}");
    }
}

#[test]
fn excludes_what_cannot() {
    for (source, hay) in [
        ("^$", "a"),
        (".", ""),
        ("select", "selec"),
        ("select", ""),
        ("<script", "script"),
        ("b[\"']*u[\"']*y", "bxuxy"),
        (r"\d{4,}", "123"),
        ("^[a-z]+$", "ab1"),
        ("^[a-z]{1,3}$", "abcd"),
        ("^/admin", "x/admin"),
        (r"\.php$", "a.phpx"),
        ("(?:foo|bar)baz", "foo bar"),
        ("(?:ab){2}c", "abc"),
        ("[\"'].*;", "say \"yes\""),
        ("(?m)^a", "xa"),
        ("(*F)", "a"),
        ("(?:<|>)b?", "ab"),
        ("union.+select", "select one"),
    ] {
        assert!(!passes(source, hay), "/{source}/ on {hay:?}");
    }
}

#[test]
fn phrases_wait_for_theirs() {
    let sets = [
        vec!["/etc/passwd", "boot.ini"],
        vec!["x", "zz"],
        vec![""],
        vec![],
    ];
    let mut builder = PrefilterBuilder::new();
    for set in &sets {
        builder.add_phrases(&PhraseSet::new(set).unwrap());
    }
    let prefilter = builder.build();
    let mut candidates = Candidates::new();
    for (hay, expected) in [
        ("boot.ini", vec![0, 2]),
        ("plain", vec![2]),
        ("/etc/passwd", vec![0, 2]),
        ("axb", vec![1, 2]),
        ("z", vec![2]),
        ("zz", vec![1, 2]),
        ("", vec![2]),
        ("\"BOOT.INI\"", vec![0, 2]),
    ] {
        prefilter.candidates(hay.as_bytes(), Profile::of(hay.as_bytes()), &mut candidates);
        assert_eq!(candidates.iter().collect::<Vec<_>>(), expected, "{hay}");
    }
}

#[test]
fn switched_off_everything_is_a_candidate() {
    let pattern = Pattern::new(b"<", Dialect::default()).unwrap();
    for slots in [0, 1, 63, 64, 65, 130] {
        let mut builder = PrefilterBuilder::disabled();
        for slot in 0..slots {
            assert_eq!(builder.add_pattern(&pattern), slot);
        }
        let mut candidates = Candidates::new();
        builder
            .build()
            .candidates(b"a", Profile::of(b"a"), &mut candidates);
        assert_eq!(
            candidates.iter().collect::<Vec<_>>(),
            (0..slots).collect::<Vec<_>>()
        );
        assert!(!candidates.contains(slots));
    }
}

#[test]
fn tables_stay_small() {
    let sources = (0..500).map(|at| format!("(?i)attack{at}[^a-z]+(?:{at}|payload)\\b"));
    let mut builder = PrefilterBuilder::new();
    for source in sources {
        builder.add_pattern(&Pattern::new(source.as_bytes(), Dialect::default()).unwrap());
    }
    let memory = builder.build().memory_usage();
    assert!(memory < 448 << 10, "{memory} bytes");
}
