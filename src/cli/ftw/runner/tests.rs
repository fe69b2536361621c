use super::{Filter, Progress, Runner};
use crate::cli::driver::{Backend, Decider, Driver, DriverFactory, Exchanged, Sent};
use crate::cli::ftw::expected::ExpectedFailures;
use crate::cli::ftw::format::TestFile;
use crate::cli::ftw::overrides::TestSettings;
use crate::cli::ftw::report::{Report, TestReport, Verdict};
use crate::cli::message::header;

/// Logs id 7 for a target with `attack`, the number of first directives as id 100 and up, and
/// breaks on `break`.
struct Toy {
    first: u64,
}

impl Driver for Toy {
    fn exchange(&mut self, sent: &Sent, backend: &dyn Backend) -> Result<Exchanged, String> {
        let request = &sent.request;
        let target = String::from_utf8_lossy(&request.target);
        if target.contains("break") {
            return Err("broken".to_owned());
        }
        let mut log = Vec::new();
        if target.contains("attack") {
            log.push(b"[id \"7\"]".to_vec());
        }
        if self.first > 0 {
            log.push(format!("[id \"{}\"]", self.first).into_bytes());
        }
        if let Some(cookie) = header(&request.headers, b"cookie") {
            log.push([b"cookie ", cookie].concat());
        }
        Ok(Exchanged {
            log,
            reply: Some(backend.respond(request)),
            decider: Decider::Backend,
        })
    }
}

struct Factory;

impl DriverFactory for Factory {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn driver(&mut self, first_directives: &str) -> Result<Box<dyn Driver>, String> {
        let first = u64::try_from(first_directives.trim().len()).unwrap();
        Ok(Box::new(Toy {
            first: if first == 0 {
                0
            } else {
                first.saturating_add(100)
            },
        }))
    }
}

struct Silence;

impl Progress for Silence {
    fn start(&mut self, _engine: &str, _tests: usize) {}
    fn step(&mut self, _report: &TestReport) {}
    fn finish(&mut self) {}
}

fn run(yaml: &str, settings: &TestSettings, filter: &Filter) -> Report {
    let mut file: TestFile = serde_saphyr::from_str(yaml).unwrap();
    file.path = "dir/f.yaml".into();
    let runner = Runner {
        files: &[file],
        overrides: &[],
        settings,
        expected: &ExpectedFailures::default(),
        filter,
    };
    runner.run(&mut Factory, &mut Silence).unwrap()
}

fn verdicts(report: &Report) -> Vec<Verdict> {
    report.tests.iter().map(|test| test.verdict).collect()
}

#[test]
fn tests_pass_fail_and_are_skipped() {
    let yaml = "rule_id: 1\ntests:\n\
        - {test_id: 1, stages: [{input: {uri: /attack}, output: {log: {expect_ids: [7]}}}]}\n\
        - {test_id: 2, stages: [{input: {uri: /}, output: {log: {expect_ids: [7]}}}]}\n\
        - {test_id: 3, stages: [{input: {}}]}\n";
    let filter = Filter {
        exclude: Some(regex_lite::Regex::new("-3$").unwrap()),
        include: None,
    };
    let report = run(yaml, &TestSettings::default(), &filter);
    assert_eq!(
        verdicts(&report),
        [Verdict::Passed, Verdict::Failed, Verdict::Skipped]
    );
    assert_eq!(report.tests[1].failures, ["not in the log: [7]"]);
}

#[test]
fn an_engine_that_breaks_is_replaced() {
    let yaml = "rule_id: 1\ntests:\n\
        - {test_id: 1, stages: [{input: {uri: /break}}, {input: {}}]}\n\
        - {test_id: 2, stages: [{input: {uri: /}}]}\n";
    let report = run(yaml, &TestSettings::default(), &Filter::default());
    assert_eq!(verdicts(&report), [Verdict::Failed, Verdict::Passed]);
    assert_eq!(report.tests[0].stages.len(), 0);
}

#[test]
fn a_test_with_settings_has_a_driver_of_its_own() {
    let settings: TestSettings =
        serde_saphyr::from_str("settings: [{tests: [1-2], directives: abc, reason: r}]").unwrap();
    let yaml = "rule_id: 1\ntests:\n\
        - {test_id: 1, stages: [{input: {}, output: {log: {no_expect_ids: [103]}}}]}\n\
        - {test_id: 2, stages: [{input: {}, output: {log: {expect_ids: [103]}}}]}\n";
    let report = run(yaml, &settings, &Filter::default());
    assert_eq!(verdicts(&report), [Verdict::Passed, Verdict::Passed]);
}

#[test]
fn stages_hand_on_cookies_and_redirects() {
    let yaml = r#"
rule_id: 1
tests:
- test_id: 1
  stages:
  - input:
      save_cookie: true
      response: {status: 302, headers: {Location: "http://h/attack?x", Set-Cookie: "a=b; Path=/"}}
    output: {status: 302}
  - input: {follow_redirect: true}
    output: {log: {expect_ids: [7], match_regex: "cookie a=b$"}}
  - input: {uris: [/, /attack]}
    output: {log: {no_expect_ids: [7]}}
"#;
    let report = run(yaml, &TestSettings::default(), &Filter::default());
    assert_eq!(report.tests[0].failures, ["in the log: [7]"]);
    assert_eq!(report.tests[0].stages.len(), 4);
}

#[test]
fn two_tests_with_one_id_are_an_error() {
    let yaml = "rule_id: 1\ntests:\n- {test_id: 1, stages: [{input: {}}]}\n\
        - {test_id: 1, stages: [{input: {}}]}\n";
    let mut file: TestFile = serde_saphyr::from_str(yaml).unwrap();
    file.path = "f".into();
    let runner = Runner {
        files: &[file],
        overrides: &[],
        settings: &TestSettings::default(),
        expected: &ExpectedFailures::default(),
        filter: &Filter::default(),
    };
    assert!(runner.run(&mut Factory, &mut Silence).is_err());
}
