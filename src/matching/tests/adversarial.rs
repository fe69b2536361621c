//! Values and patterns that hurt other engines.

use std::time::{Duration, Instant};

use super::super::{Dialect, Pattern, Scratch};
use super::corpus;

/// Generous: an unoptimized build on a busy machine. Exponential or quadratic work exceeds it by
/// orders of magnitude.
const PATIENCE: Duration = Duration::from_secs(20);

fn pattern(source: &str) -> Pattern {
    Pattern::new(source.as_bytes(), Dialect::default()).unwrap()
}

#[test]
fn nested_repetitions_stay_linear() {
    let mut scratch = Scratch::new();
    let start = Instant::now();
    let hay = [b"a".repeat(200_000), b"!".to_vec()].concat();
    for source in [
        "(a+)+$",
        "^(a|a)*$",
        "^(a|aa)+$",
        "^(([a-z])+.)+[A-Z]$",
        "(.*)*x$",
    ] {
        assert!(!pattern(source).is_match(&hay, &mut scratch), "{source}");
    }
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

/// Its automaton has 2²⁰ states: the cache overflows and the PikeVM answers.
#[test]
fn giving_up_changes_no_answer() {
    let pattern = pattern("(?:a|b)*?a(?:a|b){20}c");
    let mut scratch = Scratch::new();
    let mut random = super::Random::new(5);
    let mut hay: Vec<u8> = (0..100_000).map(|_| b"ab"[random.below(2)]).collect();
    assert!(!pattern.is_match(&hay, &mut scratch));
    let at = hay.len() - 30;
    hay.splice(at.., b"abbbbbbbbbbbbbbbbbbbbc".iter().copied());
    assert!(pattern.is_match(&hay, &mut scratch));
    let found = pattern.find(&hay, &mut scratch).unwrap();
    assert_eq!(found, 0..hay.len());
}

/// The Core Rule Set on values that come close to matching: printed with `--nocapture`.
#[test]
fn core_rule_set_on_hard_values() {
    let Some(directory) = corpus::directory() else {
        return;
    };
    let patterns: Vec<(String, Pattern)> = corpus::rules(&directory)
        .iter()
        .filter(|rule| rule.operator == "rx")
        .map(|rule| {
            (
                rule.id.clone(),
                Pattern::new(&rule.argument, Dialect::default()).unwrap(),
            )
        })
        .collect();
    for (name, piece) in [
        ("quotes", "'\"`$({[\\"),
        ("markup", "<a href=\"javascript:on"),
        ("sql", "' or select/**/from(`a"),
        ("shell", ";$(c\\a't\" /e?c/`"),
        ("letters", "aeiouselectunionscript"),
        ("spaces", " \t\u{b}\n="),
    ] {
        let hay: Vec<u8> = piece.bytes().cycle().take(10 << 10).collect();
        let mut scratch = Scratch::new();
        let mut slowest = (Duration::ZERO, "");
        let mut run = |slowest: &mut (Duration, &str)| {
            let start = Instant::now();
            for (id, pattern) in &patterns {
                let start = Instant::now();
                pattern.is_match(&hay, &mut scratch);
                if start.elapsed() > slowest.0 {
                    *slowest = (start.elapsed(), "");
                    slowest.1 = Box::leak(id.clone().into_boxed_str());
                }
            }
            start.elapsed()
        };
        let (first, again) = (run(&mut slowest), run(&mut (Duration::ZERO, "")));
        println!("{name}: {first:?} at first, {again:?} again; slowest {slowest:?}");
        assert!(first < PATIENCE, "{name}: {first:?}");
    }
}
