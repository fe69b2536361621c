//! The patterns of the Core Rule Set.

use std::time::Instant;

use super::super::{
    Candidates, Dialect, Pattern, PhrasePool, PhraseSet, PrefilterBuilder, Scratch,
};
use super::{Random, Reference, corpus};
use crate::bytes::Profile;

/// A rule's pattern, by the rule's id.
fn patterns(directory: &std::path::Path) -> Vec<(String, Pattern)> {
    corpus::rules(directory)
        .into_iter()
        .filter(|rule| rule.operator == "rx")
        .map(
            |rule| match Pattern::new(&rule.argument, Dialect::default()) {
                Ok(pattern) => (rule.id, pattern),
                Err(error) => panic!("rule {}: {error}", rule.id),
            },
        )
        .collect()
}

fn phrase_sets(directory: &std::path::Path) -> Vec<PhraseSet> {
    let mut pool = PhrasePool::new();
    corpus::rules(directory)
        .iter()
        .filter(|rule| rule.operator.starts_with("pm"))
        .map(|rule| pool.set(corpus::phrases(rule)).unwrap())
        .collect()
}

/// Values of the regression tests and as many made from them.
fn values(directory: &std::path::Path, mutations: usize) -> Vec<Vec<u8>> {
    let values = corpus::values(directory);
    let mut random = Random::new(7);
    let made: Vec<_> = (0..mutations)
        .map(|_| corpus::mutation(&mut random, &values))
        .collect();
    corpus::distinct(values.into_iter().chain(made))
}

#[test]
fn every_pattern_is_read() {
    let Some(directory) = corpus::directory() else {
        return;
    };
    let count = patterns(&directory).len();
    assert!(count >= 300, "{count} patterns");
    println!("{count} patterns");
}

#[test]
fn the_prefilter_loses_nothing() {
    let Some(directory) = corpus::directory() else {
        return;
    };
    let patterns = patterns(&directory);
    let sets = phrase_sets(&directory);
    let mut builder = PrefilterBuilder::new();
    let mut all = PrefilterBuilder::disabled();
    for (_, pattern) in &patterns {
        assert_eq!(builder.add_pattern(pattern), all.add_pattern(pattern));
    }
    for set in &sets {
        assert_eq!(builder.add_phrases(set), all.add_phrases(set));
    }
    let start = Instant::now();
    let (prefilter, all) = (builder.build(), all.build());
    println!(
        "built in {:?}, {} KiB",
        start.elapsed(),
        prefilter.memory_usage() / 1024
    );
    let mut scratch = Scratch::with_budget(64 << 20);
    let (mut candidates, mut everything) = (Candidates::new(), Candidates::new());
    let (mut pairs, mut passed, mut matched) = (0u64, 0u64, 0u64);
    for value in values(&directory, 6000) {
        let profile = Profile::of(&value);
        prefilter.candidates(&value, profile, &mut candidates);
        all.candidates(&value, profile, &mut everything);
        let mut expected = Vec::new();
        for (slot, (id, pattern)) in (0u32..).zip(&patterns) {
            assert!(everything.contains(slot));
            if pattern.is_match(&value, &mut scratch) {
                expected.push(slot);
                assert!(
                    candidates.contains(slot),
                    "{id} on {:?}",
                    value.escape_ascii().to_string()
                );
            }
        }
        for (slot, set) in (u32::try_from(patterns.len()).unwrap()..).zip(&sets) {
            if set.find(&value).is_some() {
                expected.push(slot);
                assert!(
                    candidates.contains(slot),
                    "{set:?} on {:?}",
                    value.escape_ascii().to_string()
                );
            }
        }
        assert!(candidates.iter().all(|slot| candidates.contains(slot)));
        pairs += everything.iter().count() as u64;
        passed += candidates.iter().count() as u64;
        matched += expected.len() as u64;
    }
    let share = |count: u64| 100.0 * count as f64 / pairs as f64;
    println!(
        "{pairs} pairs, {:.2}% candidates, {:.2}% match",
        share(passed),
        share(matched)
    );
    assert!(matched > 10_000, "the values hit the rules");
    assert!(share(passed) < 20.0, "the prefilter filters");
}

#[test]
fn spans_and_groups_agree_with_another_engine() {
    let Some(directory) = corpus::directory() else {
        return;
    };
    let values = values(&directory, 2000);
    let mut scratch = Scratch::new();
    let mut slots = Vec::new();
    let mut random = Random::new(11);
    let (mut compared, mut matched) = (0, 0);
    for (id, pattern) in patterns(&directory) {
        // Some patterns mean another thing to the other parser, or nothing.
        let Some(reference) = Reference::new(pattern.source()) else {
            continue;
        };
        for _ in 0..60 {
            let value = random.pick(&values);
            let found = pattern
                .captures(value, &mut scratch, &mut slots)
                .then(|| slots.clone());
            assert_eq!(
                found,
                reference.captures(value, pattern.group_count()),
                "{id} on {value:?}"
            );
            assert_eq!(
                pattern.find(value, &mut scratch),
                slots.first().cloned().flatten()
            );
            compared += 1;
            matched += i32::from(found.is_some());
        }
    }
    println!("{compared} compared, {matched} match");
    assert!(compared > 10_000 && matched > 300);
}

/// What patterns cost: printed, for whoever runs it with `--nocapture`.
#[test]
fn costs_are_bounded() {
    let Some(directory) = corpus::directory() else {
        return;
    };
    let start = Instant::now();
    let patterns = patterns(&directory);
    println!("read in {:?}", start.elapsed());
    let mut scratch = Scratch::with_budget(64 << 20);
    let start = Instant::now();
    for (_, pattern) in &patterns {
        pattern.is_match(b"", &mut scratch);
    }
    println!(
        "compiled in {:?}, caches {} KiB",
        start.elapsed(),
        scratch.used() / 1024
    );
    let mut small = Scratch::with_budget(1 << 20);
    for value in values(&directory, 0).iter().step_by(50) {
        for (_, pattern) in &patterns {
            assert_eq!(
                pattern.is_match(value, &mut scratch),
                pattern.is_match(value, &mut small)
            );
            assert!(small.used() <= 1 << 20);
        }
    }
    println!("after use: caches {} KiB", scratch.used() / 1024);
}
