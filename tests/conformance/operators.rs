//! The operators of the SecLang language tests.

use serde::Deserialize;

use super::json;
use super::runner::{Run, Suite};

pub const SUITE: Suite = Suite {
    name: "operators",
    load: |directory| json::load(directory, prepare),
};

/// One question and its answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the checks in OPERATORS read them, and there is none yet"
)]
struct Case {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    /// The value; [`json::unescape`] gives its bytes.
    input: String,
    /// The operator's argument, as it is.
    #[serde(default)]
    param: String,
    /// 1 if the operator matches.
    ret: u8,
    /// What it captures, the whole match first.
    re_groups: Option<Vec<String>>,
    /// What the case cannot do without, such as a GeoIP database.
    resource: Option<String>,
}

/// Tries an operator on a case.
type Check = fn(&Case) -> Result<(), String>;

/// The operators that the project has, and what tries them.
const OPERATORS: &[(&str, Check)] = &[];

fn prepare(case: Case) -> Result<Option<Run>, String> {
    if case.kind != "op" {
        return Err(format!("of type {}, not op", case.kind));
    }
    let check = OPERATORS
        .iter()
        .find(|entry| entry.0.eq_ignore_ascii_case(&case.name));
    Ok(check.map(|&(_, check)| -> Run { Box::new(move || check(&case)) }))
}
