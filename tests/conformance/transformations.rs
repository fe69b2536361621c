//! The transformations of the SecLang language tests.

use parapet::transform::{Context, Outcome, Transformation};
use serde::Deserialize;

use super::json;
use super::runner::{NO_DIVERGENCES, Run, Suite};

pub const SUITE: Suite = Suite {
    name: "transformations",
    load: |directory| json::load(directory, prepare),
    divergences: NO_DIVERGENCES,
    whole: true,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    input: String,
    output: String,
    /// v2's word on whether the value changed. Several members say 1 whatever they do, so that only
    /// a 0 tells something.
    ret: u8,
}

fn prepare(case: Case) -> Result<Option<Run>, String> {
    if case.kind != "tfn" {
        return Err(format!("of type {}, not tfn", case.kind));
    }
    // One name is v3's internal one.
    let name = if case.name == "cmd_line" {
        "cmdLine"
    } else {
        &case.name
    };
    let Some(transformation) = Transformation::by_name(name) else {
        return Ok(None);
    };
    Ok(Some(Box::new(move || check(transformation, &case).into())))
}

fn check(transformation: Transformation, case: &Case) -> Result<(), String> {
    let input = json::unescape(&case.input);
    let expected = json::unescape(&case.output);
    let mut output = Vec::new();
    let outcome = transformation.apply(&input, &mut output, Context::default());
    if outcome == Outcome::Unchanged {
        output.clone_from(&input);
    }
    if output != expected {
        return Err(format!(
            "{} gives {} instead of {}",
            input.escape_ascii(),
            output.escape_ascii(),
            expected.escape_ascii()
        ));
    }
    if case.ret == 0 && outcome == Outcome::Changed {
        return Err(format!(
            "{} should count as unchanged",
            input.escape_ascii()
        ));
    }
    Ok(())
}
