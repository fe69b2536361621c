//! Rule files of others, and our own.

use super::{read, said};
use crate::seclang::actions;

/// The whole Core Rule Set, where CRS_DIR names it.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads the rule files it is pointed to"
)]
fn core_rule_set_parses_without_a_word() {
    let Some(directory) = std::env::var_os("CRS_DIR") else {
        println!("skipped: CRS_DIR is not set");
        return;
    };
    let directory = std::path::PathBuf::from(directory);
    let mut files = vec![directory.join("crs-setup.conf.example")];
    for folder in ["rules", "plugins"] {
        let Ok(entries) = std::fs::read_dir(directory.join(folder)) else {
            continue;
        };
        files.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(".conf") || name.ends_with(".conf.example")
        }));
    }
    let mut rules = 0;
    for file in &files {
        let text = std::fs::read(file).unwrap();
        let (directives, diagnostics) = read(&text);
        assert_eq!(
            said(&text, &diagnostics),
            Vec::<String>::new(),
            "{}",
            file.display()
        );
        let expected = text
            .split(|byte| *byte == b'\n')
            .filter(|l| l.trim_ascii().starts_with(b"Sec"));
        assert_eq!(directives.len(), expected.count(), "{}", file.display());
        rules += directives
            .iter()
            .filter(|d| d.name.starts_with(b"SecRule"))
            .count();
    }
    println!("{} files, {rules} rules", files.len());
    assert!(rules > 0, "no rule in {}", directory.display());
}

#[test]
fn recommended_settings_parse_without_a_word() {
    let text = include_bytes!("../../../rules/recommended.conf");
    let (directives, diagnostics) = read(text);
    assert_eq!(said(text, &diagnostics), Vec::<String>::new());
    let mut ids = Vec::new();
    for directive in directives
        .iter()
        .filter(|directive| &*directive.name == b"SecRule")
    {
        let list = actions(&directive.arguments[2], &mut Vec::new());
        let id = list.iter().find(|action| &*action.name == b"id");
        ids.push(String::from_utf8_lossy(id.unwrap().value.as_ref().unwrap()).into_owned());
    }
    ids.sort();
    let expected: Vec<String> = (200_000..=200_007).map(|id: u32| id.to_string()).collect();
    assert_eq!(ids, expected);
}

/// Files whose rules the engines take and this parser refuses, with the reason.
const REFUSED: &[(&str, &str)] = &[
    (
        "issue-1831.json",
        "a quote that is open at the end of a line is an error here",
    ),
    (
        "issue-1960.json",
        "a quote that is open at the end of a line is an error here",
    ),
];

/// The rules of ModSecurity's own regression suite, where CONFORMANCE_DIR names them: only the
/// cases that expect an error may have one.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads the cases it is pointed to"
)]
fn conformance_rules_parse() {
    let Some(directory) = std::env::var_os("CONFORMANCE_DIR") else {
        println!("skipped: CONFORMANCE_DIR is not set");
        return;
    };
    let directory = std::path::PathBuf::from(directory).join("modsecurity");
    let mut cases = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let refused = REFUSED.iter().any(|(file, _)| *file == name);
        let mut said_here = 0;
        let text = std::fs::read(&path).unwrap();
        let file: serde_json::Value = serde_json::from_slice(&text).unwrap();
        for case in file.as_array().unwrap() {
            let Some(rules) = case["rules"].as_array() else {
                continue;
            };
            let lines: Vec<&str> = rules.iter().map(|line| line.as_str().unwrap()).collect();
            let text = lines.join("\n");
            let (_, diagnostics) = read(text.as_bytes());
            cases += 1;
            said_here += diagnostics.len();
            let said = said(text.as_bytes(), &diagnostics);
            let wrong = case["expected"]["parser_error"].is_string();
            assert!(
                wrong || refused || said.is_empty(),
                "{name}: {text}\n{said:?}"
            );
        }
        assert!(
            !refused || said_here > 0,
            "{name} is listed, but nothing in it is refused"
        );
    }
    println!("{cases} cases");
    assert!(cases > 0, "no case in {}", directory.display());
}
