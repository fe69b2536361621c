//! v3's notes of where a match was, such as `o0,6v17,6t:trim`.
//!
//! They mean: the operator found 6 bytes at the start of the transformed value; the value is the 6
//! bytes at 17 of the request as v3 writes it out; it was trimmed. Nobody else keeps such notes, but
//! what they say can be checked: the operator is asked again where it matches, and the bytes of the
//! request at that place must give the value.

use std::fs;

use parapet::engine::{Asked, Evaluation};
use parapet::matching::{Dialect, PhrasePool, Scratch};
use parapet::operator::{Capture, Captures, Compile, DataFiles, Eval, Operator, Product, RxCache};
use parapet::transform::{Context, Outcome, Transformation};
use regex_lite::Regex;

use super::case::Case;
use super::drive::Seen;
use super::phrases::Verdict;

/// Whether a phrase is such a note.
pub fn are_meant(text: &str) -> bool {
    Note::read(text).is_some()
}

/// Whether some match was where the note says.
pub fn hold(text: &str, case: &Case, seen: &Seen) -> Verdict {
    let Some(note) = Note::read(text) else {
        return Verdict::Unknown(format!("unknown note `{text}`"));
    };
    let request = written_out(case);
    let matches = || {
        seen.evaluations.iter().flat_map(|evaluation| {
            let matched = evaluation.asked.iter().filter(|asked| asked.matched);
            matched.map(move |asked| (evaluation, asked))
        })
    };
    let found = |(evaluation, asked): &(&Evaluation, &Asked)| {
        note.transformations(evaluation, seen) && note.part(evaluation, asked)
    };
    if !matches().any(|one| found(&one)) {
        return Verdict::Fails(format!("no match as {text} says"));
    }
    let steps = &note.transformations;
    if matches().any(|one| found(&one) && note.place(&request, steps, &one.1.value)) {
        return Verdict::Holds;
    }
    Verdict::Unknown("the place of a value in the request as v3 writes it out".to_owned())
}

struct Note {
    /// Where the operator matched, and how many bytes.
    part: Option<(usize, usize)>,
    /// Where the values stand.
    places: Vec<(usize, usize)>,
    transformations: Vec<String>,
}

impl Note {
    fn read(text: &str) -> Option<Self> {
        let form = Regex::new(r"^(?:o?(\d+),(\d+))?((?:v\d+,\d+)+)((?:,?t:\w+)*)$").unwrap();
        let found = form.captures(text)?;
        let number = |group: usize| found.get(group)?.as_str().parse::<usize>().ok();
        let places = found[3].split('v').skip(1).map(|place| {
            let (start, length) = place.split_once(',')?;
            Some((start.parse().ok()?, length.parse().ok()?))
        });
        Some(Self {
            part: number(1).zip(number(2)),
            places: places.collect::<Option<_>>()?,
            transformations: found[4]
                .split("t:")
                .map(|name| name.trim_end_matches(',').to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
        })
    }

    fn transformations(&self, evaluation: &Evaluation, seen: &Seen) -> bool {
        let written = seen.transformations(evaluation.line);
        let written = written.iter().filter_map(|one| one.strip_prefix("t:"));
        written.eq(self.transformations.iter().map(String::as_str))
    }

    /// Whether the operator finds what it found where the note says.
    fn part(&self, evaluation: &Evaluation, asked: &Asked) -> bool {
        let Some(part) = self.part else {
            return true;
        };
        let Some((name, argument)) = &evaluation.operator else {
            return false;
        };
        let operator = Operator::compile(
            name,
            argument,
            &mut Compile {
                files: &mut NoLists,
                phrases: &mut PhrasePool::new(),
                dialect: Dialect::default(),
                has_macros: false,
            },
        );
        let mut captures = Captures::new();
        let matched = operator.is_ok_and(|operator| {
            operator.eval(
                &asked.value,
                argument,
                &mut Eval {
                    scratch: &mut Scratch::new(),
                    rx_cache: &mut RxCache::new(),
                    capture: Capture::Whole,
                    captures: &mut captures,
                    macros: &[],
                    geography: None,
                    product: &mut Product::Nothing,
                },
            )
        });
        let Some(found) = captures.get(0, &asked.value).filter(|_| matched) else {
            return false;
        };
        let start = found
            .as_ptr()
            .addr()
            .wrapping_sub(asked.value.as_ptr().addr());
        (start, found.len()) == part
    }

    /// Whether the bytes of the request at the places give the value.
    fn place(&self, request: &[u8], steps: &[String], value: &[u8]) -> bool {
        let pieces: Option<Vec<&[u8]>> = self
            .places
            .iter()
            .map(|&(start, length)| request.get(start..)?.get(..length))
            .collect();
        let Some(pieces) = pieces else {
            return false;
        };
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut raw = vec![length.to_string().into_bytes()];
        if let [piece] = *pieces {
            raw.push(piece.to_vec());
            raw.push(transformed(piece, "urlDecode"));
            raw.extend(user(piece));
        }
        raw.iter().any(|raw| {
            let value_of = |text: Vec<u8>, step: &String| transformed(&text, step);
            steps.iter().fold(raw.clone(), value_of) == value
        })
    }
}

/// The user of an Authorization header.
fn user(header: &[u8]) -> Option<Vec<u8>> {
    let plain = transformed(header.strip_prefix(b"Basic ")?, "base64Decode");
    plain.split(|&byte| byte == b':').next().map(<[u8]>::to_vec)
}

fn transformed(value: &[u8], name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    match Transformation::by_name(name).map(|it| it.apply(value, &mut out, Context::default())) {
        Some(Outcome::Changed) => out,
        _ => value.to_vec(),
    }
}

/// The request as v3 counts its bytes: a line feed behind every line.
fn written_out(case: &Case) -> Vec<u8> {
    let request = &case.request;
    let version = request.http_version.as_deref().unwrap_or_default();
    let mut text = format!(
        "{} {} HTTP/{version}\n",
        request.method.as_deref().unwrap_or_default(),
        request.uri.as_deref().unwrap_or_default(),
    );
    for (name, value) in &request.headers.0 {
        text += &format!("{name}: {value}\n");
    }
    text += "\n";
    text += &request.body.0;
    text.into_bytes()
}

/// Operators with data files match whole entries; their notes are not looked at.
struct NoLists;

impl DataFiles for NoLists {
    fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
        fs::read(name).map_err(|error| error.to_string())
    }

    fn dataset(&self, _: &str) -> Option<&[Vec<u8>]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read() {
        let note = Note::read("o0,6v17,6v1,2t:trim,t:lowercase").unwrap();
        assert_eq!(
            (note.part, &*note.places),
            (Some((0, 6)), [(17, 6), (1, 2)].as_slice())
        );
        assert_eq!(note.transformations, ["trim", "lowercase"]);
        assert!(Note::read("v193,516").unwrap().part.is_none());
        assert!(Note::read("v193").is_none() && Note::read("vine").is_none());
    }

    #[test]
    fn values_come_from_their_places() {
        let note = |text| Note::read(text).unwrap();
        let request = b"a=%41b&Basic dTpw";
        let trim = ["trim".to_owned()];
        assert!(note("v2,4t:trim").place(request, &trim, b"Ab"));
        assert!(!note("v2,4t:trim").place(request, &trim, b"ab"));
        assert!(note("v0,1v2,4").place(request, &[], b"5"));
        assert!(note("v7,10").place(request, &[], b"u"));
        assert!(!note("v7,11").place(request, &[], b"u"));
    }
}
