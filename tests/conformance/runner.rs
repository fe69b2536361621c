//! Runs a suite and compares what happens with what is expected to.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::expectations::{self, Expectations};

/// A suite: the name of its directory, and how its cases are read.
pub struct Suite {
    pub name: &'static str,
    pub load: fn(directory: &Path) -> Loaded,
    /// The names of the mechanisms by which its cases may differ.
    pub divergences: fn() -> Vec<&'static str>,
    /// Whether its data is always the same, so that an expectation that nothing needs is stale.
    pub whole: bool,
}

/// No mechanism: every difference is a failure.
pub const NO_DIVERGENCES: fn() -> Vec<&'static str> = Vec::new;

/// What a directory holds.
#[derive(Default)]
pub struct Loaded {
    pub cases: Vec<Case>,
    /// Cases that cannot apply to this project, with the reason.
    pub not_applicable: Vec<(String, String)>,
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

/// Tries a case.
pub type Run = Box<dyn FnOnce() -> Outcome>;

/// What came of a case.
#[derive(Debug)]
pub enum Outcome {
    Passed,
    /// With what went wrong.
    Failed(String),
    /// It cannot be told, for a reason.
    NotJudged(String),
    /// It went otherwise, by a mechanism that the expectations name.
    Differs(&'static str),
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Passed)
    }
}

/// What came out.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Report {
    pub passed: usize,
    pub failed: usize,
    pub not_yet: usize,
    /// Cases that were set apart: the kind and the reason, and which they are.
    pub apart: BTreeMap<(&'static str, String), Vec<String>>,
    /// Each case with what came of it.
    pub outcomes: BTreeMap<String, String>,
    /// Everything unexpected.
    pub problems: Vec<String>,
}

const DOES_NOT_APPLY: &str = "does not apply";
const NOT_JUDGED: &str = "not judged";
const V2_WINS: &str = "v2 wins";

/// What is printed behind a suite's name where the suite runs inside wasm.
const WHERE: &str = if cfg!(target_family = "wasm") {
    " in wasm"
} else {
    ""
};

/// Runs a suite against the data and fails the test on the first thing that is not as expected.
pub fn run(suite: &Suite) {
    let Some(directory) = data_directory(suite.name) else {
        return;
    };
    let loaded = (suite.load)(&directory);
    let mut report = judge(suite, loaded, &expectations::committed());
    let same = compare(suite.name, &mut report);
    print(&told(suite.name, &report, same));
    assert!(
        report.problems.is_empty(),
        "{}: {} surprises, listed above",
        suite.name,
        report.problems.len()
    );
}

fn told(suite: &str, report: &Report, same: Option<usize>) -> String {
    // The line stands alone, whatever the test harness has printed before.
    let mut text = format!(
        "\n{suite}{WHERE}: {} passed, {} failed, {} not yet",
        report.passed, report.failed, report.not_yet
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
    if let Some(same) = same {
        write!(text, "; {same} as natively").unwrap();
    }
    text.push('\n');
    let told_natively = same.is_some();
    for ((kind, reason), ids) in report.apart.iter().filter(|_| !told_natively) {
        writeln!(text, "  {kind}, {reason}: {}", ids.join(" ")).unwrap();
    }
    for problem in &report.problems {
        writeln!(text, "  {problem}").unwrap();
    }
    text
}

/// Keeps the outcomes of a native run in the directory `CONFORMANCE_OUTCOMES`, or holds those of a
/// run inside wasm against the ones in `CONFORMANCE_NATIVE`. Gives the number of cases with the same
/// outcome.
fn compare(suite: &str, report: &mut Report) -> Option<usize> {
    let lines = report.outcomes.iter();
    let here: String = lines
        .map(|(id, outcome)| format!("{id}\t{outcome}\n"))
        .collect();
    if let Some(folder) = env::var_os("CONFORMANCE_OUTCOMES") {
        fs::write(Path::new(&folder).join(suite), &here).unwrap();
    }
    let native = env::var_os("CONFORMANCE_NATIVE")?;
    if !cfg!(target_family = "wasm") {
        let problem = "CONFORMANCE_NATIVE is for runs inside wasm";
        report.problems.push(problem.to_owned());
    }
    let native = fs::read_to_string(Path::new(&native).join(suite)).unwrap();
    let native: BTreeSet<&str> = native.lines().collect();
    let here: BTreeSet<&str> = here.lines().collect();
    for line in native.difference(&here) {
        report
            .problems
            .push(format!("natively, not in wasm: {line}"));
    }
    for line in here.difference(&native) {
        report
            .problems
            .push(format!("in wasm, not natively: {line}"));
    }
    Some(native.intersection(&here).count())
}

/// Runs the cases and notes every difference to the expectations.
pub fn judge(suite: &Suite, loaded: Loaded, expectations: &Expectations) -> Report {
    let mut report = Report {
        problems: loaded.problems,
        ..Report::default()
    };
    if loaded.cases.is_empty() {
        report.problems.push("no cases found".to_owned());
    }
    for (id, reason) in loaded.not_applicable {
        report.set_apart(DOES_NOT_APPLY, reason, id);
    }
    let mut used = BTreeSet::new();
    for case in loaded.cases {
        if let Some(entry) = report.add(suite.name, case, expectations) {
            used.insert(entry);
        }
    }
    let known = (suite.divergences)();
    let of_suite = |id: &&str| id.split('/').next() == Some(suite.name);
    for id in expectations.ids().filter(of_suite) {
        let name = id.split('/').nth(1).unwrap_or_default();
        let stale = suite.whole || expectations.is_mechanism(id) && !known.contains(&name);
        if stale && !used.contains(id) {
            report
                .problems
                .push(format!("{id}: stale expectation, nothing to apply it to"));
        }
    }
    report
}

impl Report {
    fn set_apart(&mut self, kind: &'static str, reason: String, id: String) {
        self.outcomes
            .insert(id.clone(), format!("{kind}, {reason}"));
        self.apart.entry((kind, reason)).or_default().push(id);
    }

    /// Tries one case. Gives the entry of the expectations that it needed.
    fn add(&mut self, suite: &str, case: Case, expectations: &Expectations) -> Option<String> {
        let id = format!("{suite}/{}", case.id);
        let Some(run) = case.run else {
            let member = format!("{suite}/{}", case.member);
            self.outcomes.insert(case.id, "not yet".to_owned());
            if expectations.is_not_yet(&member) {
                self.not_yet += 1;
                return Some(member);
            }
            let problem = format!("{member}: unknown member, not in the list of those to come");
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
            return None;
        };
        let outcome = run();
        let expected = expectations.fails(&id);
        if expected && !matches!(outcome, Outcome::Failed(_)) {
            self.problems.push(format!(
                "{id} does not fail: take it off the list of failures"
            ));
        }
        match outcome {
            Outcome::Passed => {
                self.passed += 1;
                self.outcomes.insert(case.id, "passed".to_owned());
            }
            Outcome::NotJudged(why) => self.set_apart(NOT_JUDGED, why, case.id),
            Outcome::Failed(why) => {
                self.failed += 1;
                self.outcomes.insert(case.id, "failed".to_owned());
                if !expected {
                    self.problems.push(format!("{id}: {why}"));
                }
            }
            Outcome::Differs(name) => {
                let entry = format!("{suite}/{name}");
                let kind = match (expectations.v2_wins(&entry), expectations.not_apply(&entry)) {
                    (Some(reason), _) => Some((V2_WINS, reason)),
                    (None, Some(reason)) => Some((DOES_NOT_APPLY, reason)),
                    (None, None) => None,
                };
                match kind {
                    Some((kind, reason)) => self.set_apart(kind, reason.to_owned(), case.id),
                    None => self
                        .problems
                        .push(format!("{id} differs by {name}, which has no entry")),
                }
                return Some(entry);
            }
        }
        expected.then_some(id)
    }
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

    const SUITE: Suite = Suite {
        name: "suite",
        load: |_| Loaded::default(),
        divergences: || vec!["older", "odd"],
        whole: true,
    };

    fn case(id: &str, outcome: Option<Outcome>) -> Case {
        let member = id.split('#').next().unwrap().to_owned();
        Case {
            id: id.to_owned(),
            member,
            run: outcome.map(|outcome| -> Run { Box::new(move || outcome) }),
        }
    }

    fn failed() -> Outcome {
        Outcome::Failed("differs".to_owned())
    }

    fn report(cases: Vec<Case>, expectations: &str) -> Report {
        let loaded = Loaded {
            cases,
            ..Loaded::default()
        };
        judge(&SUITE, loaded, &Expectations::parse(expectations).unwrap())
    }

    #[test]
    fn what_is_expected_is_no_problem() {
        let cases = vec![
            case("a#0", Some(Outcome::Passed)),
            case("a#1", Some(failed())),
            case("b#0", None),
            case("b#1", None),
        ];
        let report = report(
            cases,
            "fails suite/a#1 because\nnot-yet suite/b later\nfails other/a#9 x",
        );
        assert_eq!((report.passed, report.failed, report.not_yet), (1, 1, 2));
        assert_eq!(report.problems, [""; 0]);
        assert_eq!(report.outcomes["a#1"], "failed");
        assert_eq!(
            told("suite", &report, Some(3)),
            "\nsuite: 1 passed, 1 failed, 2 not yet; 3 as natively\n"
        );
    }

    #[test]
    fn cases_set_apart_are_counted_apart() {
        let loaded = Loaded {
            cases: vec![
                case("a#0", Some(Outcome::NotJudged("unknown".to_owned()))),
                case("a#1", Some(failed())),
                case("a#2", Some(Outcome::Differs("older"))),
                case("a#4", Some(Outcome::Differs("odd"))),
            ],
            not_applicable: vec![("a#3".to_owned(), "no such thing".to_owned())],
            problems: Vec::new(),
        };
        let list = "v2-wins suite/older it does\nnot-apply suite/odd it is";
        let report = judge(&SUITE, loaded, &Expectations::parse(list).unwrap());
        let apart: Vec<_> = report
            .apart
            .iter()
            .map(|(key, ids)| (key.0, &*key.1, &*ids[0]))
            .collect();
        assert_eq!(
            apart,
            [
                (DOES_NOT_APPLY, "it is", "a#4"),
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
            (case("a#0", Some(failed())), "", "differs"),
            (
                case("a#0", Some(Outcome::Passed)),
                "fails suite/a#0 because",
                "does not fail",
            ),
            (
                case("a#0", Some(Outcome::Passed)),
                "fails suite/a#1 because",
                "stale",
            ),
            (
                case("a#0", Some(Outcome::Passed)),
                "not-yet suite/a because",
                "stale",
            ),
            (
                case("a#0", Some(Outcome::Passed)),
                "v2-wins suite/nobody because",
                "stale",
            ),
            (
                case("a#0", Some(Outcome::Differs("older"))),
                "",
                "has no entry",
            ),
            (case("a#0", None), "", "unknown"),
        ] {
            let report = report(vec![case], expectations);
            assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
            assert!(report.problems[0].contains(hint), "{:?}", report.problems);
        }
        assert_eq!(report(vec![], "").problems, ["no cases found"]);
    }

    #[test]
    fn other_data_leaves_expectations_unused() {
        let suite = Suite {
            whole: false,
            ..SUITE
        };
        let judged = |list: &str| {
            let loaded = Loaded {
                cases: vec![case("a#0", Some(Outcome::Passed))],
                ..Loaded::default()
            };
            judge(&suite, loaded, &Expectations::parse(list).unwrap()).problems
        };
        assert_eq!(judged("v2-wins suite/older x\nnot-yet suite/b x"), [""; 0]);
        assert_eq!(judged("v2-wins suite/nobody x").len(), 1);
    }
}
