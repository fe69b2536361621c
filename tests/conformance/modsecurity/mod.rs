//! ModSecurity's regression cases: rules, a request with its response, and what comes of it.
//!
//! The cases were written for ModSecurity v3 and judge by status and by what v3 writes into its
//! logs. Here they judge the facts that the wording stands for ([`phrases`]); a case with wording
//! that is not known can fail, but is not counted as passed. A case that fails by a mechanism that
//! is known ([`divergences`]) is counted apart. Nothing here knows a case by its name: other cases of
//! the same format are judged alike.

mod case;
mod divergences;
mod drive;
mod facts;
mod origins;
mod phrases;

use std::path::Path;

use parapet::compile::Compiled;
use parapet::diagnostic::{Code, Severity, render_line};
use parapet::operator::Operator;

use super::json;
use super::runner::{self, Loaded, Outcome, Suite};
use case::{Case, Expected};
use divergences::Deviation;
use drive::Seen;
use phrases::{Log, Phrase, Verdict};

pub const SUITE: Suite = Suite {
    name: "modsecurity",
    load,
    divergences: || divergences::names().collect(),
    whole: false,
};

/// What v3 calls the things it may be built with that a sandboxed filter cannot have.
const RESOURCES: &[(&str, &str)] = &[
    ("lua", "needs an embedded Lua"),
    ("curl", "needs files from the network"),
];

/// Makes rules that only match of rules that decide.
const UNDECIDED: &str = "SecRuleEngine DetectionOnly\n";

/// Mistakes for which rules are refused, where ModSecurity loads something else than was written.
const BROKEN: &[Code] = &[Code::UnclosedQuote, Code::OpenChain];

fn load(directory: &Path) -> Loaded {
    let data = directory.join("data");
    json::read(directory, &["LICENSE"], |loaded, file, place, case| {
        add(loaded, case, file, place, &data);
    })
}

/// Sorts one case.
fn add(loaded: &mut Loaded, case: Case, file: &str, place: usize, data: &Path) {
    let id = format!("{file}#{place}");
    let resource = case.resource.as_deref().unwrap_or_default();
    let missing = RESOURCES.iter().find(|(name, _)| *name == resource);
    let why = match missing {
        Some((_, why)) => Some(*why),
        None if &*case.enabled == "0" || &*case.enabled == "false" => {
            Some("disabled by its authors")
        }
        None => None,
    };
    if let Some(why) = why {
        loaded.not_applicable.push((id, why.to_owned()));
        return;
    }
    let (compiled, missing) = drive::load(&case, file, data, false);
    let loads = case.expected.parser_error.is_none();
    let why = match (missing.first(), broken(&compiled)) {
        (Some(missing), _) => Some(format!("its data file `{missing}` is not part of the data")),
        (None, Some(code)) => Some(format!("the rule file is broken, refused with {code}")),
        (None, None) => None,
    };
    if let Some(why) = why.filter(|_| loads) {
        loaded.not_applicable.push((id, why));
        return;
    }
    if let (Some(why), None) = (never_matches(&compiled), &case.expected.parser_error) {
        loaded.not_applicable.push((id, why));
        return;
    }
    if let Some(member) = not_yet(&compiled).filter(|_| loads) {
        loaded.cases.push(runner::Case {
            id,
            member,
            run: None,
        });
        return;
    }
    let (name, data) = (file.to_owned(), data.to_owned());
    loaded.cases.push(runner::Case {
        id,
        member: file.to_owned(),
        run: Some(Box::new(move || check(&case, &name, &data))),
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

/// The code of a broken rule file, if nothing else is wrong with the rules.
fn broken(compiled: &Compiled) -> Option<&'static str> {
    let mut errors = errors(compiled).peekable();
    let first = errors.peek()?.code;
    errors
        .all(|one| BROKEN.contains(&one.code))
        .then_some(first.as_str())
}

/// The first member that the rules use and the project does not have yet, as the rules write it.
fn not_yet(compiled: &Compiled) -> Option<String> {
    let found = compiled
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.code == Code::NotYet)?;
    let written = String::from_utf8_lossy(compiled.sources.slice(found.span?)).into_owned();
    let name = written.split([':', ' ', ',']).next().unwrap();
    Some(
        name.trim_matches(['@', '"', '!', '\''])
            .to_ascii_lowercase(),
    )
}

fn check(case: &Case, file: &str, data: &Path) -> Outcome {
    let (plain, _) = drive::load(case, file, data, false);
    let unseen = |why: String| {
        let deviation = Deviation {
            case,
            compiled: &plain,
            seen: None,
            holds: &|_| false,
            holds_undecided: &|| false,
        };
        divergences::name(&deviation).map_or(Outcome::Failed(why), Outcome::Differs)
    };
    let Some(program) = &plain.program else {
        return match case.expected.parser_error {
            Some(_) => Outcome::Passed,
            None => unseen(format!("does not load: {}", told(&plain))),
        };
    };
    if case.expected.parser_error.is_some() {
        return unseen("loads, but must not".to_owned());
    }
    let (probed, _) = drive::load(case, file, data, true);
    let Some(with_probe) = &probed.program else {
        let why = format!("does not load with one more rule: {}", told(&probed));
        return Outcome::Failed(why);
    };
    let seen = drive::drive(case, program, with_probe);
    let (phrases, unknown) = understand(case);
    let why = match judge(case, &phrases, &seen) {
        Verdict::Fails(why) => why,
        Verdict::Unknown(why) => return Outcome::NotJudged(why),
        Verdict::Holds => return unknown.map_or(Outcome::Passed, Outcome::NotJudged),
    };
    let deviation = Deviation {
        case,
        compiled: &plain,
        seen: Some(&seen),
        holds: &|other| matches!(judge(case, &phrases, other), Verdict::Holds),
        holds_undecided: &|| {
            let undecided = drive::load_with(case, file, data, UNDECIDED).0.program;
            undecided.is_some_and(|program| {
                let other = drive::drive(case, &program, &program);
                let mut verdicts = phrases.iter().map(|phrase| phrase.holds(case, &other));
                verdicts.all(|verdict| matches!(verdict, Verdict::Holds))
            })
        },
    };
    divergences::name(&deviation).map_or(Outcome::Failed(why), Outcome::Differs)
}

/// The phrases of a case that are understood, and why not all are.
fn understand(case: &Case) -> (Vec<Phrase>, Option<String>) {
    let Expected {
        debug_log,
        error_log,
        audit_log,
        ..
    } = &case.expected;
    let mut phrases = Vec::new();
    let mut unknown = None;
    for (pattern, log) in [
        (debug_log, Log::Debug),
        (error_log, Log::Error),
        (audit_log, Log::Audit),
    ] {
        match Phrase::read(pattern, log, &case.rules.0) {
            Ok(phrase) => phrases.extend(phrase),
            Err(why) => unknown = Some(why),
        }
    }
    (phrases, unknown)
}

/// Compares status and redirection, then the phrases; without an expected status nothing may stop
/// the transaction.
fn judge(case: &Case, phrases: &[Phrase], seen: &Seen) -> Verdict {
    let expected = &case.expected;
    let code = expected.status();
    if seen.status() != code {
        return Verdict::Fails(format!("status {} instead of {code}", seen.status()));
    }
    let location = seen
        .interruption
        .as_ref()
        .and_then(|one| one.location.as_deref());
    if let Some(wanted) = &expected.redirect_url
        && location != Some(wanted.as_bytes())
    {
        return Verdict::Fails(format!(
            "redirects to {location:?} instead of {}",
            &**wanted
        ));
    }
    let mut unknown = None;
    for phrase in phrases {
        match phrase.holds(case, seen) {
            Verdict::Holds => {}
            Verdict::Fails(why) => return Verdict::Fails(why),
            Verdict::Unknown(why) => unknown = Some(why),
        }
    }
    unknown.map_or(Verdict::Holds, Verdict::Unknown)
}

fn errors(compiled: &Compiled) -> impl Iterator<Item = &parapet::diagnostic::Diagnostic> {
    let all = compiled.diagnostics.iter();
    all.filter(|diagnostic| diagnostic.severity == Severity::Error)
}

fn told(compiled: &Compiled) -> String {
    errors(compiled)
        .map(|diagnostic| render_line(diagnostic, &compiled.sources))
        .collect::<Vec<_>>()
        .join("; ")
}
