//! What a run found, test by test.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

/// How a test ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// As expected.
    Passed,
    /// Not as expected, and nobody knew.
    Failed,
    /// Not as expected, and the list of expected failures says why.
    ExpectedFailure,
    /// As expected, although the list says otherwise.
    SurprisePass,
    /// Left out by the filters.
    Skipped,
}

/// One test of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct TestReport {
    pub(crate) test: String,
    pub(crate) file: String,
    pub(crate) verdict: Verdict,
    /// What went wrong, stage by stage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) failures: Vec<String>,
    /// Why a failure is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) stages: Vec<StageReport>,
}

/// One stage of a test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct StageReport {
    /// Ids in the log.
    pub(crate) ids: BTreeSet<u64>,
    /// What the client got.
    pub(crate) status: Option<u16>,
    /// A status was expected that only a server gives; judged by the ids alone.
    pub(crate) server_only: bool,
}

/// A whole run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Report {
    /// `native` or `wasm`.
    pub(crate) engine: String,
    pub(crate) tests: Vec<TestReport>,
    /// Entries of the list of expected failures that name no test.
    pub(crate) stale: Vec<String>,
    /// Failures that a list puts down to the proxy, although the proxy alone does not show it; with
    /// what it shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unproved: Vec<String>,
}

/// The counts of a run, printed as its last line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(out, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

impl Report {
    /// Failures that were expected count as failed.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts {
            passed: 0,
            failed: 0,
            skipped: 0,
        };
        for test in &self.tests {
            let count = match test.verdict {
                Verdict::Passed | Verdict::SurprisePass => &mut counts.passed,
                Verdict::Failed | Verdict::ExpectedFailure => &mut counts.failed,
                Verdict::Skipped => &mut counts.skipped,
            };
            *count = count.saturating_add(1);
        }
        counts
    }

    /// Everything that makes the run a failure, one line each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for test in &self.tests {
            match test.verdict {
                Verdict::Failed => problems.push(format!(
                    "FAIL {} ({}): {}",
                    test.test,
                    test.file,
                    test.failures.join("; ")
                )),
                Verdict::SurprisePass => problems.push(format!(
                    "SURPRISE {} ({}): passes, but is listed as an expected failure",
                    test.test, test.file
                )),
                Verdict::Passed | Verdict::ExpectedFailure | Verdict::Skipped => {}
            }
        }
        problems.extend(self.stale.iter().map(|test| {
            format!("STALE {test}: listed as an expected failure, but there is no such test")
        }));
        problems.extend(self.unproved.iter().map(|text| format!("UNPROVED {text}")));
        let counts = self.counts();
        if counts.passed == 0 && counts.failed == 0 {
            problems.push("EMPTY: not a single test ran".to_owned());
        }
        problems
    }

    /// Stages whose expected status only a server gives, and in how many of them no rule matched.
    pub(crate) fn server_only(&self) -> (usize, usize) {
        let stages = self.tests.iter().flat_map(|test| &test.stages);
        let server_only: Vec<_> = stages.filter(|stage| stage.server_only).collect();
        let unnoticed = server_only.iter().filter(|stage| stage.ids.is_empty());
        (server_only.len(), unnoticed.count())
    }
}

/// Where two runs of the same tests differ, one line for each test.
pub(crate) fn compare(left: &Report, right: &Report) -> Vec<String> {
    let others: BTreeMap<&str, &TestReport> = right
        .tests
        .iter()
        .map(|test| (test.test.as_str(), test))
        .collect();
    let mut differences = Vec::new();
    for test in &left.tests {
        let Some(other) = others.get(test.test.as_str()) else {
            differences.push(format!("{}: only {} ran it", test.test, left.engine));
            continue;
        };
        if test.stages != other.stages {
            differences.push(format!(
                "{}: {} {} but {} {}",
                test.test,
                left.engine,
                stages(&test.stages),
                right.engine,
                stages(&other.stages)
            ));
        } else if test.verdict != other.verdict {
            differences.push(format!(
                "{}: {} {:?} but {} {:?}",
                test.test, left.engine, test.verdict, right.engine, other.verdict
            ));
        }
    }
    if left.tests.len() != right.tests.len() {
        differences.push(format!(
            "{} ran {} tests, {} ran {}",
            left.engine,
            left.tests.len(),
            right.engine,
            right.tests.len()
        ));
    }
    differences
}

fn stages(stages: &[StageReport]) -> String {
    let texts = stages.iter().map(|stage| {
        let status = stage
            .status
            .map_or_else(|| "no answer".to_owned(), |code| code.to_string());
        format!("{status} {:?}", stage.ids)
    });
    texts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Report, StageReport, TestReport, Verdict, compare};

    fn report(engine: &str, verdicts: &[(&str, Verdict, u64)]) -> Report {
        let tests = verdicts.iter().map(|&(test, verdict, id)| TestReport {
            test: test.to_owned(),
            file: "f".to_owned(),
            verdict,
            failures: Vec::new(),
            reason: None,
            stages: vec![StageReport {
                ids: [id].into(),
                status: Some(200),
                server_only: false,
            }],
        });
        Report {
            engine: engine.to_owned(),
            tests: tests.collect(),
            stale: Vec::new(),
            unproved: Vec::new(),
        }
    }

    #[test]
    fn expected_failures_count_as_failed_and_are_no_problem() {
        let run = report(
            "native",
            &[
                ("1", Verdict::Passed, 1),
                ("2", Verdict::ExpectedFailure, 1),
            ],
        );
        assert_eq!(run.counts().to_string(), "1 passed, 1 failed, 0 skipped");
        assert!(run.problems().is_empty());
    }

    #[test]
    fn surprises_stale_entries_and_empty_runs_are_problems() {
        let mut run = report(
            "native",
            &[("1", Verdict::SurprisePass, 1), ("2", Verdict::Failed, 1)],
        );
        run.stale.push("9-9".to_owned());
        run.unproved.push("9-8: why".to_owned());
        let problems = run.problems();
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert_eq!(
            report("native", &[("1", Verdict::Skipped, 1)])
                .problems()
                .len(),
            1
        );
        assert_eq!(report("native", &[]).problems().len(), 1);
    }

    #[test]
    fn runs_are_compared_by_what_happened() {
        let native = report(
            "native",
            &[("1", Verdict::Passed, 1), ("2", Verdict::Passed, 2)],
        );
        assert!(
            compare(
                &native,
                &report(
                    "wasm",
                    &[("1", Verdict::Passed, 1), ("2", Verdict::Passed, 2)]
                )
            )
            .is_empty()
        );
        let other = report("wasm", &[("1", Verdict::Passed, 7)]);
        assert_eq!(compare(&native, &other).len(), 3);
    }
}
