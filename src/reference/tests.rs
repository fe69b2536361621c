//! The tables are whole, and what they show loads.

use super::*;
use crate::compile::{Loader, compile};

/// Whatever file a directive names.
struct AnyFile;

impl Loader for AnyFile {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Ok(if path.ends_with(".mapping") {
            b"20127 (US-ASCII)\n00e9:65\n".to_vec()
        } else if path.ends_with(".mmdb") {
            crate::operator::small_geography()
        } else {
            Vec::new()
        })
    }

    fn glob(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(vec!["rules/one.conf".to_owned()])
    }
}

/// The families that engines are compared in, and what is known of them.
const FAMILIES: [(Family, &[engines::Row], Option<&str>); 6] = [
    (
        Family::Directive,
        engines::DIRECTIVES,
        Some(manual::DIRECTIVES),
    ),
    (
        Family::Variable,
        engines::VARIABLES,
        Some(manual::VARIABLES),
    ),
    (
        Family::Operator,
        engines::OPERATORS,
        Some(manual::OPERATORS),
    ),
    (Family::Transformation, engines::TRANSFORMATIONS, None),
    (Family::Action, engines::ACTIONS, Some(manual::ACTIONS)),
    (Family::Ctl, engines::CTL, Some(manual::CTL)),
];

fn members(family: Family) -> Vec<&'static str> {
    let mut names: Vec<&str> = entries()
        .iter()
        .filter(|entry| entry.family == family)
        .map(|entry| entry.name)
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn every_member_has_its_row_and_every_row_its_member() {
    for (family, table, _) in FAMILIES {
        let mut rows: Vec<&str> = table.iter().map(|row| row.0).collect();
        rows.sort_unstable();
        assert_eq!(members(family), rows, "{family:?}");
        for (name, letters, note) in table {
            let known = |letter| "YpnE-".contains(letter);
            assert!(letters.len() == 3 && letters.chars().all(known), "{name}");
            assert!(note.is_empty() || note.ends_with('.'), "{name}");
        }
    }
}

#[test]
fn what_differs_is_noted() {
    for entry in entries() {
        let same = entry.engines.is_none_or(|engines| engines == ["yes"; 3])
            && (entry.standing == Standing::Full || entry.family == Family::Code);
        assert!(same || !entry.note.is_empty(), "{}", entry.name);
    }
}

#[test]
fn every_member_has_its_section_and_every_section_its_member() {
    for (family, _, file) in FAMILIES {
        let Some(file) = file else { continue };
        let mut titles: Vec<&str> = manual::sections(file).map(|(title, _)| title).collect();
        titles.sort_unstable();
        assert_eq!(members(family), titles, "{family:?}");
        for name in titles {
            let section = manual::section(file, name);
            assert!(
                !section.text.is_empty() && !section.examples.is_empty(),
                "{name}"
            );
            assert_eq!(
                section.usage.is_some(),
                family != Family::Variable,
                "{name}"
            );
        }
    }
}

#[test]
fn every_member_is_documented_with_an_example() {
    for entry in entries() {
        assert!(entry.summary.ends_with('.'), "{}", entry.name);
        if entry.family == Family::Code {
            continue;
        }
        assert!(!entry.examples.is_empty(), "{}", entry.name);
        assert!(!entry.details.is_empty(), "{}", entry.name);
        // An example shows what it is an example of.
        let name = entry.name.to_ascii_lowercase();
        let shown = entry.examples.join("\n").to_ascii_lowercase();
        assert!(shown.contains(&name), "{}", entry.name);
    }
}

#[test]
fn examples_load() {
    let mut failures = Vec::new();
    for entry in entries() {
        if entry.examples.is_empty() {
            continue;
        }
        let text = entry.examples.join("\n");
        let compiled = compile(&[("example.conf".into(), text.into_bytes())], &AnyFile);
        // Updates have no rules to change here.
        let codes: Vec<Code> = compiled
            .diagnostics
            .iter()
            .map(|one| one.code)
            .filter(|code| *code != Code::UnusedUpdate)
            .collect();
        let limits = [Code::SandboxLimit, Code::IgnoredDirective];
        let as_said = match entry.standing {
            Standing::Limited => codes.iter().any(|code| limits.contains(code)),
            Standing::Full => codes.is_empty(),
        };
        if compiled.program.is_none() || !as_said {
            failures.push(format!("{}: {:?}", entry.name, compiled.diagnostics));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn members_are_found_by_what_rules_write() {
    let names = |name: &str| -> Vec<(Family, &str)> {
        find(name)
            .iter()
            .map(|entry| (entry.family, entry.name))
            .collect()
    };
    assert_eq!(names("@RX"), [(Family::Operator, "rx")]);
    assert_eq!(names("t:trim"), [(Family::Transformation, "trim")]);
    assert_eq!(names("p0101"), [(Family::Code, "P0101")]);
    assert_eq!(
        names("status"),
        [
            (Family::Variable, "STATUS_LINE"),
            (Family::Action, "status")
        ]
    );
    assert_eq!(names("sanitizeArg"), [(Family::Action, "sanitiseArg")]);
    assert_eq!(names("nope"), []);
    assert_eq!(names("ctl:RuleEngine"), [(Family::Ctl, "ruleEngine")]);
    for (name, expected) in [
        ("SecRul", Some("SecRule")),
        ("@contians", Some("@contains")),
        ("t:lowercas", Some("t:lowercase")),
        ("ctl:ruleEngin", Some("ctl:ruleEngine")),
        ("ARGZ", Some("ARGS")),
        ("sanitizearg2", Some("sanitizeArg")),
        ("@lowercas", None),
        ("zzzzzzzzzz", None),
    ] {
        assert_eq!(nearest(name).as_deref(), expected, "{name}");
    }
}
