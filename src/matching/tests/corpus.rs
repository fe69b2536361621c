//! Patterns and values out of a copy of the Core Rule Set.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Random;

/// The directory named by `CRS_DIR`. Without it, tests that need it say so and end.
pub(super) fn directory() -> Option<PathBuf> {
    let directory = std::env::var_os("CRS_DIR").map(PathBuf::from);
    if directory.is_none() {
        println!("skipped: CRS_DIR is not set");
    }
    directory
}

/// A rule's operator.
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) operator: String,
    pub(super) argument: Vec<u8>,
    pub(super) file: PathBuf,
}

/// The operators of all rules in files of a directory, with the id of their rule or of the chain
/// they belong to.
pub(super) fn rules(directory: &Path) -> Vec<Rule> {
    let mut rules = Vec::new();
    for file in files(&directory.join("rules"), "conf") {
        let text = read(&file).replace("\\\n", " ");
        let mut id = String::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("SecRule "))
        {
            if let Some((_, rest)) = line.split_once("id:") {
                id = rest.chars().take_while(char::is_ascii_digit).collect();
            }
            let rest = line["SecRule ".len()..].trim_start();
            let after_targets = if rest.starts_with('"') {
                quoted(rest).1
            } else {
                rest.split_once(' ').map_or("", |(_, rest)| rest)
            };
            let text = quoted(after_targets.trim_start()).0;
            let text = text.strip_prefix('!').unwrap_or(&text);
            let (operator, argument) = match text.strip_prefix('@') {
                Some(text) => text.split_once(' ').unwrap_or((text, "")),
                None => ("rx", text),
            };
            rules.push(Rule {
                id: id.clone(),
                operator: operator.to_owned(),
                argument: argument.trim_start().as_bytes().to_vec(),
                file: file.clone(),
            });
        }
    }
    rules
}

/// The phrases of a `@pm` or `@pmFromFile` rule.
pub(super) fn phrases(rule: &Rule) -> Vec<Vec<u8>> {
    let argument = String::from_utf8(rule.argument.clone()).unwrap();
    let text = if rule.operator == "pm" {
        return argument
            .split_ascii_whitespace()
            .map(|word| word.as_bytes().to_vec())
            .collect();
    } else {
        read(&rule.file.with_file_name(argument))
    };
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.as_bytes().to_vec())
        .collect()
}

/// Texts out of the regression tests: whole lines, decoded, and cut at the usual separators.
pub(super) fn values(directory: &Path) -> Vec<Vec<u8>> {
    let mut values = BTreeSet::from([Vec::new()]);
    for file in files(&directory.join("tests").join("regression"), "yaml") {
        for line in read(&file).lines() {
            let Some((_, text)) = line.split_once(": ") else {
                continue;
            };
            let text = text.trim().trim_matches(['"', '\'']);
            for text in [text.as_bytes().to_vec(), decoded(text.as_bytes())] {
                let parts = text.split(|byte| b"&=?".contains(byte)).map(<[u8]>::to_vec);
                values.extend(parts.chain([text.to_ascii_lowercase()]));
                values.insert(text.clone());
            }
        }
    }
    values.into_iter().collect()
}

/// A value made of others: cut, spliced, with bytes put in or changed.
pub(super) fn mutation(random: &mut Random, values: &[Vec<u8>]) -> Vec<u8> {
    const ODD: &[u8] = b"\0\n\r\t\x0B\"'\\/<>=;:$()[]{}|&`%+-_.,^~!@#* aZ09\x7F\x80\xA0\xFF";
    let cut = |random: &mut Random, value: &[u8]| {
        let (one, other) = (random.below(value.len() + 1), random.below(value.len() + 1));
        value[one.min(other)..one.max(other)].to_vec()
    };
    let value = random.pick(values);
    let mut value = cut(random, value);
    for _ in 0..random.below(4) {
        let at = random.below(value.len() + 1);
        match random.below(4) {
            0 => value.insert(at, *random.pick(ODD)),
            1 => {
                if let Some(byte) = value.get_mut(at) {
                    *byte ^= 0x20;
                }
            }
            2 => value.truncate(at.max(value.len() / 2)),
            _ => {
                let other = random.pick(values);
                let other = cut(random, other);
                value.splice(at..at, other.into_iter().take(40));
            }
        }
    }
    value
}

/// Distinct values, by bytes.
pub(super) fn distinct(values: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    values
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// A quoted text, its escaped quotes resolved, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let mut inside = String::new();
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if escaped => {
                inside.pop();
                inside.push('"');
            }
            '"' => return (inside, &text[at + 1..]),
            _ => inside.push(letter),
        }
        escaped = letter == '\\' && !escaped;
    }
    (inside, "")
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let number = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match (byte, after.split_at_checked(2)) {
            (b'%', Some((digits, after))) if number(digits).is_some() => {
                out.extend(number(digits));
                rest = after;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
