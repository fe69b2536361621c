//! Runs tests against one engine.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;

use super::super::driver::{Driver, DriverFactory, Exchanged, Sent};
use super::super::message::header;
use super::expected::ExpectedFailures;
use super::format::{Input, Stage, Test, TestFile};
use super::front;
use super::judge::judge;
use super::overrides::{Overrides, TestSettings};
use super::reflector::{self, Reflector};
use super::report::{Report, StageReport, TestReport, Verdict};
use super::request;

/// An engine that breaks this often is not tried any further.
const MOST_BREAKS: usize = 10;

/// Which tests to run, by patterns on ids such as `942100-3`. Inclusion wins over exclusion.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) include: Option<Regex>,
    pub(crate) exclude: Option<Regex>,
}

impl Filter {
    fn wants(&self, test: &str) -> bool {
        match (&self.include, &self.exclude) {
            (Some(include), _) => include.is_match(test),
            (None, Some(exclude)) => !exclude.is_match(test),
            (None, None) => true,
        }
    }
}

/// Who watches a run.
pub(crate) trait Progress {
    /// A run of so many tests begins.
    fn start(&mut self, engine: &str, tests: usize);
    /// One more test is done.
    fn step(&mut self, report: &TestReport);
    /// All are done.
    fn finish(&mut self);
}

/// A suite, ready to run against engines.
pub(crate) struct Runner<'a> {
    pub(crate) files: &'a [TestFile],
    pub(crate) overrides: &'a [Overrides],
    pub(crate) settings: &'a TestSettings,
    pub(crate) expected: &'a ExpectedFailures,
    pub(crate) filter: &'a Filter,
}

impl Runner<'_> {
    /// Runs every test.
    ///
    /// # Errors
    ///
    /// A text for people: the configuration cannot be loaded, two tests have one id, a test is
    /// broken, or the engine broke too often.
    pub(crate) fn run(
        &self,
        factory: &mut dyn DriverFactory,
        progress: &mut dyn Progress,
    ) -> Result<Report, String> {
        let total = self.files.iter().map(|file| file.tests.len()).sum();
        progress.start(factory.name(), total);
        let special = self.settings.by_test();
        let mut drivers = BTreeMap::<&str, Box<dyn Driver>>::new();
        let mut names = BTreeSet::new();
        let mut tests = Vec::new();
        let mut breaks = 0_usize;
        for file in self.files {
            for test in &file.tests {
                let name = format!("{}-{}", file.rule_id, test.test_id);
                if !names.insert(name.clone()) {
                    return Err(format!(
                        "{}: there are two tests {name}",
                        file.path.display()
                    ));
                }
                let mut report = TestReport {
                    test: name,
                    file: file
                        .path
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned(),
                    verdict: Verdict::Skipped,
                    failures: Vec::new(),
                    reason: None,
                    stages: Vec::new(),
                };
                if self.filter.wants(&report.test) {
                    let first = special.get(report.test.as_str()).map_or("", String::as_str);
                    let driver = match drivers.remove(first) {
                        Some(driver) => driver,
                        None => factory.driver(first)?,
                    };
                    if let Some(driver) = self.run_test(file, test, driver, &mut report)? {
                        drivers.insert(first, driver);
                    } else {
                        breaks = breaks.saturating_add(1);
                        if breaks > MOST_BREAKS {
                            let last = report.failures.join("; ");
                            return Err(format!("the engine broke too often, last: {last}"));
                        }
                    }
                }
                progress.step(&report);
                tests.push(report);
            }
        }
        progress.finish();
        let stale = self
            .expected
            .stale(&names)
            .into_iter()
            .map(str::to_owned)
            .collect();
        Ok(Report {
            engine: factory.name().to_owned(),
            tests,
            stale,
            unproved: Vec::new(),
        })
    }

    /// Runs one test and gives the driver back, unless it broke.
    fn run_test(
        &self,
        file: &TestFile,
        test: &Test,
        mut driver: Box<dyn Driver>,
        report: &mut TestReport,
    ) -> Result<Option<Box<dyn Driver>>, String> {
        let mut test = test.clone();
        for overrides in self.overrides {
            overrides.apply(file.rule_id, &mut test);
        }
        let mut session = Session::default();
        let mut broken = false;
        for (index, stage) in test.stages.iter().enumerate() {
            let bad = |error: String| {
                let place = file.path.display();
                format!("{place}: test {} stage {index}: {error}", report.test)
            };
            let targets = session.targets(stage).map_err(bad)?;
            for target in targets {
                let sent = send(&stage.input, &target, &session.cookies).map_err(bad)?;
                let reflector = Reflector {
                    fixed: stage.input.response.as_ref(),
                };
                match driver.exchange(&sent, &reflector) {
                    Ok(exchanged) => {
                        let judgement = judge(&stage.output, &exchanged).map_err(bad)?;
                        session.learn(stage, &exchanged);
                        report.failures.extend(judgement.failures);
                        report.stages.push(StageReport {
                            ids: judgement.ids,
                            status: exchanged.reply.map(|reply| reply.status),
                            server_only: judgement.server_only,
                        });
                    }
                    Err(error) => {
                        report.failures.push(format!("the engine broke: {error}"));
                        broken = true;
                    }
                }
            }
            if broken {
                break;
            }
        }
        let reason = self.expected.reason(&report.test);
        report.reason = reason.map(str::to_owned);
        report.verdict = match (report.failures.is_empty(), reason) {
            (true, None) => Verdict::Passed,
            (true, Some(_)) => Verdict::SurprisePass,
            (false, Some(_)) if !broken => Verdict::ExpectedFailure,
            (false, _) => Verdict::Failed,
        };
        Ok((!broken).then_some(driver))
    }
}

/// The request of a stage as an engine meets it behind a proxy, and as a client sends it.
pub(super) fn send(input: &Input, target: &str, cookies: &[String]) -> Result<Sent, String> {
    let mut sent = request::build(input, target, cookies)?;
    sent.request = front::hand_over(sent.request);
    sent.answer = input.response.as_ref().map(reflector::answer);
    Ok(sent)
}

/// What stages of one test hand on.
#[derive(Default)]
struct Session {
    cookies: Vec<String>,
    location: Option<String>,
}

impl Session {
    fn targets(&self, stage: &Stage) -> Result<Vec<String>, String> {
        if stage.input.follow_redirect {
            let location = self
                .location
                .clone()
                .ok_or("`follow_redirect`, but nothing redirected")?;
            return Ok(vec![location]);
        }
        Ok(stage.input.targets())
    }

    fn learn(&mut self, stage: &Stage, exchanged: &Exchanged) {
        let Some(reply) = &exchanged.reply else {
            return;
        };
        self.location = header(&reply.headers, b"location").map(|target| {
            let target = String::from_utf8_lossy(target).into_owned();
            // Only path and query go into the request line.
            match target.split_once("://") {
                Some((_, rest)) => rest
                    .find('/')
                    .and_then(|at| rest.get(at..))
                    .unwrap_or("/")
                    .to_owned(),
                None => target,
            }
        });
        if stage.input.save_cookie {
            for (name, value) in &reply.headers {
                if name.eq_ignore_ascii_case(b"set-cookie") {
                    let pair = value.split(|&byte| byte == b';').next().unwrap_or_default();
                    self.cookies
                        .push(String::from_utf8_lossy(pair).into_owned());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
