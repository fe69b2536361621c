//! Random patterns on random values.

use super::super::{Candidates, Dialect, Pattern, PhraseSet, PrefilterBuilder, Scratch};
use super::{Random, Reference};
use crate::bytes::Profile;

/// Pieces that mean the same to both parsers.
const PIECES: [&str; 26] = [
    "a", "b", "ab", "Sel", "1", "\\.", "-", " ", "/", "'", "\"", ".", "\\s", "\\w", "\\d", "[a-c]",
    "[^a]", "[\"' ]", "\\b", "^", "$", "\\n", "(?i)s", "\\x00", "\\xFF", "[0-9.]",
];
const QUANTIFIERS: [&str; 9] = ["*", "+", "?", "{2}", "{1,3}", "{0}", "*?", "+?", "??"];
const BYTES: &[u8] = b"aabbcSselSEL119..-- /'\"\n\0\xFF";

fn pattern(random: &mut Random, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        if depth > 0 && random.below(4) == 0 {
            text.push_str(["(", "(?:", "(?i:"][random.below(3)]);
            for branch in 0..=random.below(3) {
                if branch > 0 {
                    text.push('|');
                }
                text.push_str(&pattern(random, depth - 1));
            }
            text.push(')');
        } else {
            text.push_str(random.pick::<&str>(&PIECES));
        }
        let quantifiable = !text.ends_with(['^', '$']) && !text.ends_with("\\b");
        if quantifiable && random.below(4) == 0 {
            text.push_str(random.pick::<&str>(&QUANTIFIERS));
        }
    }
    text
}

fn value(random: &mut Random) -> Vec<u8> {
    (0..random.below(12)).map(|_| *random.pick(BYTES)).collect()
}

#[test]
fn agree_with_another_engine_and_pass_the_prefilter() {
    let mut random = Random::new(3);
    let mut scratch = Scratch::with_budget(256 << 10);
    let (mut slots, mut candidates) = (Vec::new(), Candidates::new());
    let (mut matched, mut excluded) = (0, 0);
    for _ in 0..150 {
        let patterns: Vec<(Pattern, Reference)> = (0..30)
            .map(|_| pattern(&mut random, 3))
            .map(|text| {
                let pattern = Pattern::new(text.as_bytes(), Dialect::default());
                (
                    pattern.expect(&text),
                    Reference::new(text.as_bytes()).expect(&text),
                )
            })
            .collect();
        let mut builder = PrefilterBuilder::new();
        for (pattern, _) in &patterns {
            builder.add_pattern(pattern);
        }
        let prefilter = builder.build();
        for _ in 0..30 {
            let hay = value(&mut random);
            prefilter.candidates(&hay, Profile::of(&hay), &mut candidates);
            for (slot, (pattern, reference)) in (0u32..).zip(&patterns) {
                let found = pattern
                    .captures(&hay, &mut scratch, &mut slots)
                    .then(|| slots.clone());
                let shown = hay.escape_ascii();
                assert_eq!(
                    found,
                    reference.captures(&hay, pattern.group_count()),
                    "{pattern:?} on {shown}"
                );
                assert_eq!(
                    pattern.is_match(&hay, &mut scratch),
                    found.is_some(),
                    "{pattern:?}"
                );
                assert!(
                    found.is_none() || candidates.contains(slot),
                    "prefilter: {pattern:?} on {shown}"
                );
                matched += i32::from(found.is_some());
                excluded += i32::from(!candidates.contains(slot));
            }
        }
    }
    println!(
        "{matched} matched, {excluded} excluded of {}",
        150 * 30 * 30
    );
    assert!(matched > 10_000 && excluded > 10_000);
}

/// A condition that always holds sends a regular pattern to the engine that backtracks.
#[test]
fn both_engines_agree() {
    let mut random = Random::new(11);
    let mut scratch = Scratch::new();
    let mut matched = 0;
    for _ in 0..1500 {
        let text = pattern(&mut random, 3);
        let linear = Pattern::new(text.as_bytes(), Dialect::default()).expect(&text);
        let text = format!("(?=)(?:{text})");
        let other = Pattern::new(text.as_bytes(), Dialect::default()).expect(&text);
        assert!(linear.needs_backtracking().is_none() && other.needs_backtracking().is_some());
        for _ in 0..20 {
            let hay = value(&mut random);
            let found = linear.find(&hay, &mut scratch);
            assert_eq!(
                other.find(&hay, &mut scratch).map(|span| span.start),
                found.as_ref().map(|span| span.start),
                "{other:?} on {}",
                hay.escape_ascii()
            );
            matched += i32::from(found.is_some());
        }
    }
    assert!(!scratch.take_limit_exceeded());
    assert!(matched > 5000, "{matched} matched");
}

/// Parts beyond regular languages around and inside others.
#[test]
fn what_backtracks_passes_the_prefilter() {
    let mut random = Random::new(13);
    let mut scratch = Scratch::new();
    let mut candidates = Candidates::new();
    let (mut matched, mut excluded) = (0, 0);
    for _ in 0..3000 {
        let mut text = format!("({})?", pattern(&mut random, 1));
        for _ in 0..3 {
            let part = pattern(&mut random, 1);
            text.push_str(&match random.below(7) {
                0 => format!("(?={part})"),
                1 => format!("(?!{part})"),
                2 => format!("(?>{part})"),
                3 => format!("(?(1)(?:{part})|(?:{}))", pattern(&mut random, 1)),
                4 => "\\1?".to_owned(),
                5 => format!("(?<=a|-)(?:{part})"),
                _ => part,
            });
        }
        let pattern = Pattern::new(text.as_bytes(), Dialect::default()).expect(&text);
        let mut builder = PrefilterBuilder::new();
        let slot = builder.add_pattern(&pattern);
        let prefilter = builder.build();
        for _ in 0..20 {
            let hay = value(&mut random);
            prefilter.candidates(&hay, Profile::of(&hay), &mut candidates);
            let found = pattern.is_match(&hay, &mut scratch);
            assert!(
                !found || candidates.contains(slot),
                "{pattern:?} on {}",
                hay.escape_ascii()
            );
            matched += i32::from(found);
            excluded += i32::from(!candidates.contains(slot));
        }
    }
    println!("{matched} matched, {excluded} excluded");
    assert!(matched > 2000 && excluded > 5000);
}

#[test]
fn phrases_agree_with_a_naive_search() {
    let mut random = Random::new(9);
    let text = |random: &mut Random, limit| -> Vec<u8> {
        (0..random.below(limit))
            .map(|_| *random.pick(b"aAbBc12 \xE9\xFF"))
            .collect()
    };
    let mut found = 0;
    for _ in 0..3000 {
        let count = 1 + random.below(30);
        let phrases: Vec<Vec<u8>> = (0..count).map(|_| text(&mut random, 8)).collect();
        // The empty phrase hides all others.
        let phrases: Vec<_> = phrases
            .into_iter()
            .filter(|phrase| !phrase.is_empty())
            .collect();
        let set = PhraseSet::new(&phrases).unwrap();
        let mut builder = PrefilterBuilder::new();
        builder.add_phrases(&set);
        let prefilter = builder.build();
        let hay = text(&mut random, 24);
        let occurrences = (0..hay.len()).flat_map(|start| {
            phrases
                .iter()
                .map(move |phrase| start..start + phrase.len())
        });
        let naive = occurrences
            .zip(phrases.iter().cycle())
            .filter(|(range, phrase)| {
                hay.get(range.clone())
                    .is_some_and(|text| text.eq_ignore_ascii_case(phrase))
            })
            .map(|(range, _)| range)
            .min_by_key(|range| (range.end, range.start));
        assert_eq!(set.find(&hay), naive, "{phrases:?} in {hay:?}");
        let mut candidates = Candidates::new();
        prefilter.candidates(&hay, Profile::of(&hay), &mut candidates);
        assert!(naive.is_none() || candidates.contains(0));
        found += i32::from(naive.is_some());
    }
    assert!((300..2900).contains(&found), "{found} found");
}
