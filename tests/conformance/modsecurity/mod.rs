//! ModSecurity's regression cases: rules, a request with its response, and what comes of it.
//!
//! The cases were written for ModSecurity v3 and judge by status and by what v3 writes into its
//! logs. Here they judge the facts that the wording stands for ([`phrases`]); a case with wording
//! that is not known can fail, but is not counted as passed.

mod case;
mod drive;
mod phrases;

use std::fs;
use std::path::Path;

use parapet::compile::Compiled;
use parapet::diagnostic::{Code, Severity, render_line};
use parapet::operator::Operator;

use super::json::files;
use super::runner::{self, Loaded, Suite};
use case::{Case, Expected};
use drive::{Probe, Seen};
use phrases::Phrase;

pub const SUITE: Suite = Suite {
    name: "modsecurity",
    load,
};

/// What v3 calls the things it may be built with that a sandboxed filter cannot have.
const RESOURCES: &[(&str, &str)] = &[
    ("lua", "needs an embedded Lua"),
    ("curl", "needs files from the network"),
];

fn load(directory: &Path) -> Loaded {
    let mut loaded = Loaded::default();
    for (name, path) in files(directory) {
        if name == "LICENSE" {
            continue;
        }
        if !name.ends_with(".json") {
            loaded.problems.push(format!("{name}: unknown file"));
            continue;
        }
        let cases: Vec<Case> = match serde_json::from_slice(&fs::read(path).unwrap()) {
            Ok(cases) => cases,
            Err(error) => {
                loaded.problems.push(format!("{name}: {error}"));
                continue;
            }
        };
        if cases.is_empty() {
            loaded.problems.push(format!("{name}: no cases"));
        }
        for (place, case) in cases.into_iter().enumerate() {
            add(&mut loaded, case, &name, place, &directory.join("data"));
        }
    }
    loaded
}

/// Sorts one case.
fn add(loaded: &mut Loaded, case: Case, file: &str, place: usize, data: &Path) {
    let id = format!("{file}#{place}");
    let resource = case.resource.as_deref().unwrap_or_default();
    let missing = RESOURCES.iter().find(|(name, _)| *name == resource);
    let why = match missing {
        Some((_, why)) => Some(*why),
        None if case.enabled == 0 => Some("disabled by its authors"),
        None => None,
    };
    if let Some(why) = why {
        loaded.not_applicable.push((id, why.to_owned()));
        return;
    }
    let (compiled, missing) = drive::load(&case, file, data, Probe::None);
    if let (Some(missing), None) = (missing.first(), &case.expected.parser_error) {
        let why = format!("its data file `{missing}` is not part of the data");
        loaded.not_applicable.push((id, why));
        return;
    }
    if let (Some(why), None) = (never_matches(&compiled), &case.expected.parser_error) {
        loaded.not_applicable.push((id, why));
        return;
    }
    let (phrases, unknown) = understand(&case.expected);
    if let Some(unknown) = unknown {
        loaded.not_judged.insert(id.clone(), unknown);
    }
    let (name, data) = (file.to_owned(), data.to_owned());
    loaded.cases.push(runner::Case {
        id,
        member: file.to_owned(),
        run: Some(Box::new(move || check(&case, &name, &data, &phrases))),
    });
}

/// Why a rule never matches in a sandbox, if one has an operator that cannot be asked there.
fn never_matches(compiled: &Compiled) -> Option<String> {
    compiled.diagnostics.iter().find_map(|diagnostic| {
        let operator = diagnostic.message.strip_prefix('@')?.split(' ').next()?;
        let limited = diagnostic.code == Code::SandboxLimit;
        (limited && Operator::def_by_name(operator).is_some()).then(|| diagnostic.message.clone())
    })
}

/// The phrases of a case that are understood, and why not all are.
fn understand(expected: &Expected) -> (Vec<Phrase>, Option<String>) {
    let mut phrases = Vec::new();
    let mut unknown = (!expected.audit_log.is_empty())
        .then(|| "text of the audit log, which is not written yet".to_owned());
    for pattern in [&expected.debug_log, &expected.error_log] {
        match Phrase::read(pattern) {
            Ok(phrase) => phrases.extend(phrase),
            Err(why) => unknown = Some(why),
        }
    }
    (phrases, unknown)
}

fn check(case: &Case, file: &str, data: &Path, phrases: &[Phrase]) -> Result<(), String> {
    let (plain, _) = drive::load(case, file, data, Probe::None);
    if case.expected.parser_error.is_some() {
        return match plain.program {
            Some(_) => Err("loads, but must not".to_owned()),
            None => Ok(()),
        };
    }
    if plain.program.is_none() {
        return Err(format!("does not load: {}", errors(&plain)));
    }
    let open = plain
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.code == Code::OpenChain);
    let place = if open { Probe::InFront } else { Probe::Behind };
    let (probed, _) = drive::load(case, file, data, place);
    let program = probed
        .program
        .clone()
        .ok_or_else(|| format!("does not load with one more rule: {}", errors(&probed)))?;
    let seen = drive::drive(case, program);
    judge(&case.expected, &seen)?;
    phrases.iter().try_for_each(|phrase| phrase.holds(&seen))
}

/// Compares status and redirection; without an expected status nothing may stop the transaction.
fn judge(expected: &Expected, seen: &Seen) -> Result<(), String> {
    let code = expected.http_code.unwrap_or(200);
    if seen.status() != code {
        return Err(format!("status {} instead of {code}", seen.status()));
    }
    let location = seen
        .interruption
        .as_ref()
        .and_then(|one| one.location.as_deref());
    match &expected.redirect_url {
        Some(wanted) if location != Some(wanted.as_bytes()) => {
            Err(format!("redirects to {location:?} instead of {wanted}"))
        }
        _ => Ok(()),
    }
}

fn errors(compiled: &Compiled) -> String {
    compiled
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(|diagnostic| render_line(diagnostic, &compiled.sources))
        .collect::<Vec<_>>()
        .join("; ")
}
