//! What holds for every member of the family.

use std::collections::BTreeSet;

use super::{Context, Outcome, Transformation, TransformationSet};
use crate::bytes::Profile;

fn apply(transformation: Transformation, input: &[u8]) -> Vec<u8> {
    let mut output = vec![b'?'];
    match transformation.apply(input, &mut output, Context::default()) {
        Outcome::Changed => output,
        Outcome::Unchanged => {
            assert!(output.is_empty(), "{transformation:?} left bytes behind");
            input.to_vec()
        }
    }
}

/// Everything the metadata of a member promises, on one input.
fn check(transformation: Transformation, input: &[u8], output: &mut Vec<u8>) {
    let def = transformation.def();
    let context = || {
        format!(
            "{transformation:?} of {:?}",
            input.escape_ascii().to_string()
        )
    };
    let possible = def.makes.of(Profile::of(input).classes);
    match transformation.apply(input, output, Context::default()) {
        Outcome::Unchanged => {
            assert!(output.is_empty(), "{}", context());
            assert!(
                possible.contains(Profile::of(input).classes),
                "makes: {}",
                context()
            );
        }
        Outcome::Changed => {
            assert_ne!(output, input, "{}", context());
            assert!(
                TransformationSet::acting_on(Profile::of(input)).contains(transformation),
                "acts_on: {}",
                context()
            );
            assert!(
                possible.contains(Profile::of(output).classes),
                "makes: {}",
                context()
            );
            assert!(
                output.len() <= def.growth.bound(input.len()),
                "growth: {}",
                context()
            );
        }
    }
}

#[test]
fn names_are_unique_and_sorted() {
    let mut seen = BTreeSet::new();
    let mut last = String::new();
    for transformation in Transformation::ALL {
        let def = transformation.def();
        for name in [&def.name].into_iter().chain(def.aliases) {
            assert!(seen.insert(name.to_ascii_lowercase()), "{name} twice");
            assert_eq!(Transformation::by_name(name), Some(*transformation));
            assert_eq!(
                Transformation::by_name(&name.to_uppercase()),
                Some(*transformation)
            );
        }
        let name = def.name.to_ascii_lowercase();
        assert!(last < name, "{last} stands before {name}");
        last = name;
    }
    assert_eq!(Transformation::by_name("none"), None);
    assert_eq!(Transformation::by_name(""), None);
}

#[test]
fn metadata_is_there() {
    for transformation in Transformation::ALL {
        let def = transformation.def();
        assert!(
            def.summary.ends_with('.') && def.spec.ends_with('.'),
            "{}",
            def.name
        );
        assert!(!def.examples.is_empty(), "{}", def.name);
    }
}

#[test]
fn examples_hold() {
    for transformation in Transformation::ALL {
        for example in transformation.def().examples {
            assert_eq!(
                apply(*transformation, example.input)
                    .escape_ascii()
                    .to_string(),
                example.output.escape_ascii().to_string(),
                "{transformation:?} of {}",
                example.input.escape_ascii()
            );
        }
    }
}

#[test]
fn promises_hold_on_all_short_inputs() {
    let mut output = Vec::new();
    for transformation in Transformation::ALL {
        check(*transformation, b"", &mut output);
        for first in 0..=u8::MAX {
            check(*transformation, &[first], &mut output);
            for second in 0..=u8::MAX {
                check(*transformation, &[first, second], &mut output);
            }
        }
    }
}

#[test]
fn promises_hold_on_random_inputs() {
    const PIECES: &[&[u8]] = &[
        b"%",
        b"%u",
        b"+",
        b"\\",
        b"\\u",
        b"\\x",
        b"&",
        b"&#",
        b"&#x",
        b";",
        b"lt",
        b"0x",
        b"0",
        b"7",
        b"4f",
        b"ff",
        b"FF21",
        b"/",
        b"//",
        b".",
        b"..",
        b"../",
        b"/*",
        b"*/",
        b"<!--",
        b"-->",
        b"--",
        b"#",
        b" ",
        b"\t",
        b"\n",
        b"\xA0",
        b"\xC3",
        b"\xA9",
        b"\xE2\x82",
        b"\xED",
        b"\xF0\x9F\x98\x80",
        b"\xF5",
        b"\0",
        b"[",
        b"]",
        b"=",
        b"aGk",
        b"A",
        b"z",
        b"'",
        b"(",
    ];
    let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
    let mut output = Vec::new();
    for round in 0..4000_usize {
        let mut input = Vec::new();
        for _ in 0..random.below(24) {
            if round % 2 == 0 {
                input.extend_from_slice(PIECES[random.below(PIECES.len())]);
            } else {
                input.push(u8::try_from(random.below(256)).unwrap());
            }
        }
        for transformation in Transformation::ALL {
            check(*transformation, &input, &mut output);
        }
    }
}

/// Time that grows with the square of the length would show: half a minute each, not a blink.
#[test]
fn hostile_inputs_take_linear_time() {
    const UNITS: &[&[u8]] = &[
        b"../",
        b"a/",
        b"a/../",
        b"/",
        b"/*",
        b"<!--",
        b"-",
        b"&",
        b"&#",
        b"&#1",
        b"&a",
        b"\\",
        b"\\1",
        b"%",
        b"%u",
        b"0x",
        b"0x0",
        b"[",
        b"a[",
        b"a[]",
        b" ",
        b" /",
        b"\xF0\x80",
        b"=",
    ];
    let mut output = Vec::new();
    for unit in UNITS {
        let input = unit.repeat(200_000_usize.div_ceil(unit.len()));
        for transformation in Transformation::ALL {
            check(*transformation, &input, &mut output);
        }
    }
}

struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33)
            .unwrap()
            .checked_rem(bound)
            .unwrap()
    }
}
