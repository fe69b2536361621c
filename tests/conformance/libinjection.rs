//! libinjection's own tests: one case a file, in three parts.

use std::fs;
use std::path::Path;

use parapet::operator::libinjection::sqli::{self, Mode};
use parapet::operator::libinjection::xss::{Context, Html, Kind};

use super::json::files;
use super::runner::{Case, Loaded, NO_DIVERGENCES, Run, Suite};

pub const SUITE: Suite = Suite {
    name: "libinjection",
    load,
    divergences: NO_DIVERGENCES,
    whole: true,
};

/// Prints what libinjection's test driver prints for an input.
type Print = fn(input: &[u8]) -> Vec<u8>;

/// The sections, by the second word of the file names, that the project can print.
const SECTIONS: &[(&str, Print)] = &[
    ("tokens", |input| {
        print_tokens(&sqli::tokens(input, Mode::PLAIN))
    }),
    ("folding", |input| {
        print_tokens(&sqli::folded_tokens(input, Mode::PLAIN))
    }),
    ("sqli", |input| {
        sqli::detect(input).map_or(Vec::new(), |found| found.as_bytes().to_vec())
    }),
    ("html5", print_html),
];

/// A token a line: its letter and its text, with the signs that open and close a string.
fn print_tokens(tokens: &[sqli::Token]) -> Vec<u8> {
    let mut text = Vec::new();
    for token in tokens {
        text.extend([token.kind.letter(), b' ']);
        if token.kind == sqli::Kind::Variable {
            text.extend(vec![b'@'; token.at_signs.into()]);
        }
        let quoted = matches!(token.kind, sqli::Kind::String | sqli::Kind::Variable);
        text.extend(token.open.filter(|_| quoted));
        text.extend(token.text());
        text.extend(token.close.filter(|_| quoted));
        text.push(b'\n');
    }
    text
}

/// A token a line: what it is, its length and its text.
fn print_html(input: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for token in Html::new(input, Context::Text) {
        let kind = match token.kind {
            Kind::Text => "DATA_TEXT",
            Kind::TagNameOpen => "TAG_NAME_OPEN",
            Kind::TagNameClose => "TAG_NAME_CLOSE",
            Kind::TagNameSelfClose => "TAG_NAME_SELFCLOSE",
            Kind::TagClose => "TAG_CLOSE",
            Kind::AttributeName => "ATTR_NAME",
            Kind::AttributeValue => "ATTR_VALUE",
            Kind::Comment => "TAG_COMMENT",
            Kind::Doctype => "DOCTYPE",
        };
        text.extend(format!("{kind},{},", token.text.len()).bytes());
        text.extend(token.text);
        text.push(b'\n');
    }
    text
}

/// Makes a case of each `test-SECTION-….txt`. Its id is the file's name, its member the section.
fn load(directory: &Path) -> Loaded {
    let mut loaded = Loaded::default();
    for (name, path) in files(directory) {
        if name == "COPYING" {
            continue;
        }
        let section = match name.split('-').collect::<Vec<_>>()[..] {
            ["test", section, _, ..] if name.ends_with(".txt") => section.to_owned(),
            _ => {
                loaded.problems.push(format!("{name}: unknown file"));
                continue;
            }
        };
        let Some((input, expected)) = parts(&fs::read(path).unwrap()) else {
            loaded
                .problems
                .push(format!("{name}: not --TEST--, --INPUT-- and --EXPECTED--"));
            continue;
        };
        let print = SECTIONS.iter().find(|entry| entry.0 == section);
        let run = print
            .map(|&(_, print)| -> Run { Box::new(move || check(print, &input, &expected).into()) });
        loaded.cases.push(Case {
            id: name,
            member: section,
            run,
        });
    }
    loaded
}

fn check(print: Print, input: &[u8], expected: &[u8]) -> Result<(), String> {
    let printed = print(input);
    if printed.trim_ascii_end() == expected {
        return Ok(());
    }
    Err(format!(
        "{} gives {} instead of {}",
        input.escape_ascii(),
        printed.escape_ascii(),
        expected.escape_ascii()
    ))
}

/// The input and the expected output of a file, without the blanks at their ends, which
/// libinjection's driver cuts off as well.
fn parts(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = text.strip_prefix(b"--TEST--\n")?;
    let (_, text) = split_at_mark(text, b"\n--INPUT--")?;
    let (input, expected) = split_at_mark(text, b"\n--EXPECTED--")?;
    let input = input.strip_prefix(b"\n").unwrap_or(input);
    let expected = expected.strip_prefix(b"\n").unwrap_or(expected);
    Some((
        input.trim_ascii_end().to_vec(),
        expected.trim_ascii_end().to_vec(),
    ))
}

fn split_at_mark<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_three_parts() {
        let file = b"--TEST--\nname\n--INPUT--\nSELECT\n1\n--EXPECTED--\nE SELECT\n";
        assert_eq!(
            parts(file),
            Some((b"SELECT\n1".to_vec(), b"E SELECT".to_vec()))
        );
        let file = b"--TEST--\nname\n--INPUT--\n\n--EXPECTED--";
        assert_eq!(parts(file), Some((vec![], vec![])));
        assert_eq!(parts(b"--TEST--\nname\n--INPUT--\n1\n"), None);
    }

    #[test]
    fn blanks_at_the_end_do_not_count() {
        assert_eq!(check(|input| [input, b" \n"].concat(), b"a", b"a"), Ok(()));
        assert!(check(|input| input.to_vec(), b"a", b"b").is_err());
    }
}
