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

#[test]
fn every_member_has_its_row_and_every_row_its_member() {
    let tables = [
        (Family::Directive, engines::DIRECTIVES),
        (Family::Variable, engines::VARIABLES),
        (Family::Operator, engines::OPERATORS),
        (Family::Transformation, engines::TRANSFORMATIONS),
        (Family::Action, engines::ACTIONS),
    ];
    let all = entries();
    for (family, table) in tables {
        let mut members: Vec<&str> = all
            .iter()
            .filter(|entry| entry.family == family)
            .map(|entry| entry.name)
            .collect();
        let mut rows: Vec<&str> = table.iter().map(|row| row.0).collect();
        members.sort_unstable();
        rows.sort_unstable();
        assert_eq!(members, rows, "{family:?}");
        for (name, letters, _, note) in table {
            let known = |letter| "YpnE-".contains(letter);
            assert!(letters.len() == 3 && letters.chars().all(known), "{name}");
            assert!(note.is_empty() || note.ends_with('.'), "{name}");
        }
    }
}

#[test]
fn every_member_is_documented_with_an_example() {
    for entry in entries() {
        assert!(entry.summary.ends_with('.'), "{}", entry.name);
        let may_have_none = entry.family == Family::Code;
        assert!(
            may_have_none || !entry.examples.is_empty(),
            "{}",
            entry.name
        );
        assert!(entry.text().lines().count() >= 2);
    }
}

#[test]
fn examples_load() {
    for entry in entries() {
        let lines = match entry.family {
            Family::Directive | Family::Variable | Family::Action => entry.examples.join("\n"),
            _ => continue,
        };
        let text = match (entry.family, entry.name) {
            (Family::Action, "chain") => format!("{lines}\nSecRule ARGS \"@rx b\""),
            _ => lines,
        };
        let compiled = compile(
            &[("example.conf".into(), text.clone().into_bytes())],
            &AnyFile,
        );
        assert!(
            compiled.program.is_some(),
            "{text}: {:?}",
            compiled.diagnostics
        );
        let limited = compiled
            .diagnostics
            .iter()
            .any(|one| matches!(one.code, Code::SandboxLimit | Code::IgnoredDirective));
        if entry.standing == Standing::Limited {
            assert!(limited, "{text} loads without a warning");
        }
    }
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
    assert_eq!(nearest("SecRul"), Some("SecRule"));
}
