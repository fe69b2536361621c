//! Runs a suite and compares what happens with what is expected to.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::expectations::{self, Expectations};

/// A suite: the name of its directory, and how its cases are read.
pub struct Suite {
    pub name: &'static str,
    pub load: fn(directory: &Path) -> Loaded,
}

/// What a directory holds.
#[derive(Default)]
pub struct Loaded {
    pub cases: Vec<Case>,
    /// Cases that cannot apply to this project, with the reason.
    pub not_applicable: Vec<(String, String)>,
    /// Cases that can fail, but whose success would not say enough, with the reason.
    pub not_judged: BTreeMap<String, String>,
    /// Files nobody knows, cases nobody can read.
    pub problems: Vec<String>,
}

/// One case.
pub struct Case {
    /// Names it in the expectations, within its suite.
    pub id: String,
    /// The part of the family that it tries, as the not-yet list names it.
    pub member: String,
    /// Tries it; nothing if the project does not have the member.
    pub run: Option<Run>,
}

/// Says what went wrong, if something did.
pub type Run = Box<dyn FnOnce() -> Result<(), String>>;

/// What came out.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Report {
    pub passed: usize,
    pub failed: usize,
    pub not_yet: usize,
    /// Cases that were set apart: the kind and the reason, and which they are.
    pub apart: BTreeMap<(&'static str, String), Vec<String>>,
    /// Everything unexpected.
    pub problems: Vec<String>,
}

const DOES_NOT_APPLY: &str = "does not apply";
const NOT_JUDGED: &str = "not judged";
const V2_WINS: &str = "v2 wins";

/// Runs a suite against the data and fails the test on the first thing that is not as expected.
pub fn run(suite: &Suite) {
    let Some(directory) = data_directory(suite.name) else {
        return;
    };
    let loaded = (suite.load)(&directory);
    let report = judge(suite.name, loaded, &expectations::committed());
    let mut text = format!(
        "{}: {} passed, {} failed, {} not yet",
        suite.name, report.passed, report.failed, report.not_yet
    );
    if !report.apart.is_empty() {
        let count = |kind| -> usize {
            let of_kind = report.apart.iter().filter(|((known, _), _)| *known == kind);
            of_kind.map(|(_, ids)| ids.len()).sum()
        };
        for kind in [DOES_NOT_APPLY, NOT_JUDGED, V2_WINS] {
            write!(text, ", {} {kind}", count(kind)).unwrap();
        }
    }
    text.push('\n');
    for ((kind, reason), ids) in &report.apart {
        writeln!(text, "  {kind}, {reason}: {}", ids.join(" ")).unwrap();
    }
    for problem in &report.problems {
        writeln!(text, "  {problem}").unwrap();
    }
    print(&text);
    assert!(
        report.problems.is_empty(),
        "{}: {} surprises, listed above",
        suite.name,
        report.problems.len()
    );
}

/// Runs the cases and notes every difference to the expectations.
pub fn judge(suite: &str, loaded: Loaded, expectations: &Expectations) -> Report {
    let mut report = Report {
        problems: loaded.problems,
        ..Report::default()
    };
    let mut set_apart: BTreeMap<_, Vec<String>> = BTreeMap::new();
    let mut apart = |kind, reason: &str, id: &str| {
        let key = (kind, reason.to_owned());
        set_apart.entry(key).or_default().push(id.to_owned());
    };
    for (id, reason) in &loaded.not_applicable {
        apart(DOES_NOT_APPLY, reason, id);
    }
    if loaded.cases.is_empty() {
        report.problems.push("no cases found".to_owned());
    }
    let mut used = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    for case in loaded.cases {
        let id = format!("{suite}/{}", case.id);
        let member = format!("{suite}/{}", case.member);
        let Some(run) = case.run else {
            if expectations.is_not_yet(&member) {
                used.insert(member);
                report.not_yet += 1;
            } else {
                unknown.insert(member);
            }
            continue;
        };
        match (run(), expectations.fails(&id)) {
            (Ok(()), false) => match loaded.not_judged.get(&case.id) {
                Some(reason) => apart(NOT_JUDGED, reason, &case.id),
                None => report.passed += 1,
            },
            (Ok(()), true) => {
                report.passed += 1;
                report
                    .problems
                    .push(format!("{id} passes: take it off the list of failures"));
            }
            (Err(_), true) => match (expectations.v2_wins(&id), expectations.not_apply(&id)) {
                (Some(reason), _) => apart(V2_WINS, reason, &case.id),
                (None, Some(reason)) => apart(DOES_NOT_APPLY, reason, &case.id),
                (None, None) => report.failed += 1,
            },
            (Err(why), false) => {
                report.failed += 1;
                report.problems.push(format!("{id}: {why}"));
            }
        }
        used.insert(id);
    }
    report.apart = set_apart;
    for member in unknown {
        report.problems.push(format!(
            "{member}: unknown member, not in the list of those to come"
        ));
    }
    for id in expectations
        .ids()
        .filter(|id| id.split('/').next() == Some(suite))
    {
        if !used.contains(id) {
            report
                .problems
                .push(format!("{id}: stale expectation, nothing to apply it to"));
        }
    }
    report
}

/// The suite's directory, or nothing if the suite is to be skipped.
fn data_directory(suite: &str) -> Option<PathBuf> {
    let why = match env::var_os("CONFORMANCE_DIR") {
        None => "CONFORMANCE_DIR is not set".to_owned(),
        Some(root) => {
            let directory = Path::new(&root).join(suite);
            if directory.is_dir() {
                return Some(directory);
            }
            format!("there is no directory {}", directory.display())
        }
    };
    let required = env::var_os("PARAPET_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(
        !required,
        "{suite}: {why}, and PARAPET_REQUIRE_DATA=1 wants the data"
    );
    print(&format!(
        "{suite}: skipped, {why}; set CONFORMANCE_DIR to the conformance data to run them\n"
    ));
    None
}

/// Prints past the test harness, which would swallow the counts of a green run.
fn print(text: &str) {
    io::stdout().lock().write_all(text.as_bytes()).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(id: &str, result: Option<Result<(), &str>>) -> Case {
        let run = result.map(|result| -> Run {
            let result = result.map_err(str::to_owned);
            Box::new(move || result)
        });
        let member = id.split('#').next().unwrap().to_owned();
        Case {
            id: id.to_owned(),
            member,
            run,
        }
    }

    fn problems(cases: Vec<Case>, expectations: &str) -> Report {
        let loaded = Loaded {
            cases,
            ..Loaded::default()
        };
        judge("suite", loaded, &Expectations::parse(expectations).unwrap())
    }

    #[test]
    fn what_is_expected_is_no_problem() {
        let cases = vec![
            case("a#0", Some(Ok(()))),
            case("a#1", Some(Err("differs"))),
            case("b#0", None),
            case("b#1", None),
        ];
        let report = problems(
            cases,
            "fails suite/a#1 because\nnot-yet suite/b later\nfails other/a#9 x",
        );
        assert_eq!(
            report,
            Report {
                passed: 1,
                failed: 1,
                not_yet: 2,
                ..Report::default()
            }
        );
    }

    #[test]
    fn cases_set_apart_are_counted_apart() {
        let loaded = Loaded {
            cases: vec![
                case("a#0", Some(Ok(()))),
                case("a#1", Some(Err("differs"))),
                case("a#2", Some(Err("differs"))),
            ],
            not_applicable: vec![("a#3".to_owned(), "no such thing".to_owned())],
            not_judged: [("a#0", "unknown"), ("a#1", "unknown")]
                .map(|(id, why)| (id.to_owned(), why.to_owned()))
                .into(),
            problems: Vec::new(),
        };
        let expectations = Expectations::parse("v2-wins suite/a#2 it does").unwrap();
        let report = judge("suite", loaded, &expectations);
        let apart: Vec<_> = report
            .apart
            .iter()
            .map(|(key, ids)| (key.0, &*key.1, &*ids[0]))
            .collect();
        assert_eq!(
            apart,
            [
                (DOES_NOT_APPLY, "no such thing", "a#3"),
                (NOT_JUDGED, "unknown", "a#0"),
                (V2_WINS, "it does", "a#2"),
            ]
        );
        assert_eq!((report.passed, report.failed), (0, 1));
        assert_eq!(report.problems, ["suite/a#1: differs"]);
    }

    #[test]
    fn every_surprise_is_a_problem() {
        for (case, expectations, hint) in [
            (case("a#0", Some(Err("differs"))), "", "differs"),
            (
                case("a#0", Some(Ok(()))),
                "fails suite/a#0 because",
                "passes",
            ),
            (
                case("a#0", Some(Ok(()))),
                "fails suite/a#1 because",
                "stale",
            ),
            (
                case("a#0", Some(Ok(()))),
                "not-yet suite/a because",
                "stale",
            ),
            (case("a#0", None), "", "unknown"),
        ] {
            let report = problems(vec![case], expectations);
            assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
            assert!(report.problems[0].contains(hint), "{:?}", report.problems);
        }
        assert_eq!(problems(vec![], "").problems, ["no cases found"]);
    }
}
