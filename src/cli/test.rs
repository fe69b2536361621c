//! `parapet test`: regression tests in go-ftw's format.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use regex_lite::Regex;

use super::config::{Config, ablations};
use super::driver::DriverFactory;
use super::ftw::{
    ExpectedFailures, Filter, Overrides, Proof, Report, Runner, TestSettings, Verdict, compare,
    load,
};
use super::output::line;
use super::progress::Display;
use super::server::{BareProxy, LiveBackend, ServerFactory, ServerSettings, address};
use super::{CLEAN, ERRORS};
use crate::engine::Ablation;

/// Run regression tests in go-ftw's format.
///
/// They drive the native engine, the compiled filter (--wasm), or any server (--url), whose log is
/// then read as go-ftw does: between requests with marks.
///
/// The last line is `N passed, M failed, K skipped`. Expected failures count as failed; only an
/// unexpected outcome makes the exit status 1.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Rule files, in order, or one plugin configuration (`.json`).
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "url",
        num_args = 1
    )]
    config: Vec<PathBuf>,

    /// Test files, or directories of them.
    #[arg(required = true, value_name = "TESTS")]
    tests: Vec<PathBuf>,

    /// Platform overrides of the Core Rule Set's format; may be given several times.
    #[arg(long, value_name = "FILE")]
    overrides: Vec<PathBuf>,

    /// Tests that are known to fail, with reasons.
    #[arg(long, value_name = "FILE")]
    expected_failures: Option<PathBuf>,

    /// Directives that single tests need before all others.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// Drive this compiled filter instead of the native engine.
    #[arg(long, value_name = "FILE.wasm")]
    wasm: Option<PathBuf>,

    /// With --wasm: run both engines and fail where they differ.
    #[arg(long, requires = "wasm")]
    compare: bool,

    /// Run the native engine once more without this part of it (prefilter, transformations,
    /// sharing, repeats), and fail where that changes an outcome; may be given several times.
    #[arg(long, value_name = "PART", hide = true)]
    ablate: Vec<String>,

    /// Test this server, whatever it is: `http://HOST:PORT`.
    #[arg(long, value_name = "URL", requires = "log", conflicts_with_all = ["wasm", "ablate", "settings"])]
    url: Option<String>,

    /// With --url: the file to which the server logs its matches, in ModSecurity's format.
    #[arg(long, value_name = "FILE", requires = "url")]
    log: Option<PathBuf>,

    /// With --url: the header that carries marks into the log.
    #[arg(long, value_name = "NAME", default_value = "X-CRS-Test")]
    marker_header: String,

    /// With --url: seconds to wait for each answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,

    /// With --url: be the backend that the tests expect behind the server, on this address.
    #[arg(long, value_name = "HOST:PORT", requires = "url")]
    backend: Option<SocketAddr>,

    /// With --backend and --config: the same proxy without its filter. Every expected failure must
    /// be its doing: it refuses, accepts or changes the request (`proxy` in the list), and the rules
    /// of --config find in what it hands over just what the filter found. The proxy tells the
    /// backend the protocol of the request in a header `x-parapet-protocol`.
    #[arg(long, value_name = "URL", requires_all = ["backend", "config", "expected_failures"])]
    proxy_alone: Option<String>,

    /// Only tests whose id matches, such as `^942`.
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    include: Option<String>,

    /// No tests whose id matches, unless --include does.
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    exclude: Option<String>,

    /// Write every test's outcome to a file, as JSON. With --compare, one report for each engine.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Print expected failures too.
    #[arg(long)]
    verbose: bool,

    /// No progress.
    #[arg(long)]
    quiet: bool,
}

/// Runs the suite. The answer is the exit status.
pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    let suite = Suite::load(arguments)?;
    let mut display = Display::new(arguments.quiet);
    if let (Some(url), Some(log)) = (&arguments.url, &arguments.log) {
        let report = test_server(&suite, arguments, url, log, &mut display)?;
        return finish(arguments, &[report], &[]);
    }
    let config = Config::load(&arguments.config)?;
    let mut reports = Vec::new();
    if arguments.wasm.is_none() || arguments.compare {
        let mut factory = config.native("native".to_owned(), Ablation::default());
        reports.push(suite.runner().run(&mut factory, &mut display)?);
    }
    let mut ablated = Vec::new();
    for (part, ablation) in arguments.ablate.iter().zip(ablations(&arguments.ablate)?) {
        let mut factory = config.native(format!("native without {part}"), ablation);
        ablated.push(suite.runner().run(&mut factory, &mut display)?);
    }
    #[cfg(feature = "wasm-host")]
    if let Some(module) = &arguments.wasm {
        let mut factory = config.wasm(module)?;
        reports.push(suite.runner().run(&mut factory, &mut display)?);
    }
    #[cfg(not(feature = "wasm-host"))]
    if arguments.wasm.is_some() {
        return Err("this build has no wasm host; build it with the feature `wasm-host`".into());
    }
    finish(arguments, &reports, &ablated)
}

/// Runs the suite against a server.
fn test_server(
    suite: &Suite,
    arguments: &Arguments,
    url: &str,
    log: &Path,
    display: &mut Display,
) -> Result<Report, String> {
    let patience = Duration::from_secs(arguments.timeout);
    let backend = arguments.backend.map(LiveBackend::start).transpose()?;
    let backend = backend.map(Rc::new);
    let mut factory = ServerFactory {
        settings: ServerSettings {
            address: address(url)?,
            log: log.to_owned(),
            marker: arguments.marker_header.clone(),
            patience,
        },
        backend: backend.clone(),
    };
    let mut report = suite.runner().run(&mut factory, display)?;
    if let (Some(url), Some(backend)) = (&arguments.proxy_alone, backend) {
        let config = Config::load(&arguments.config)?;
        let mut engine = config
            .native("native".to_owned(), Ablation::default())
            .driver("")?;
        let mut proxy = BareProxy {
            address: address(url)?,
            backend,
            patience,
        };
        let mut proof = Proof {
            files: &suite.files,
            expected: &suite.expected,
            proxy: &mut proxy,
            engine: engine.as_mut(),
        };
        proof.examine(&mut report)?;
    }
    Ok(report)
}

/// Tells what the runs found. `ablated` are those of the first engine without some of its parts.
fn finish(arguments: &Arguments, reports: &[Report], ablated: &[Report]) -> Result<u8, String> {
    if let Some(path) = &arguments.report {
        write_report(path, reports)?;
    }
    let mut clean = true;
    for report in reports {
        line(&describe(report, arguments.verbose, reports.len() > 1))?;
        clean &= report.problems().is_empty();
    }
    if let Some(first) = reports.first() {
        for other in ablated.iter().chain(reports.iter().skip(1)) {
            for difference in compare(first, other) {
                line(&format!("DIFFERENT {difference}"))?;
                clean = false;
            }
        }
    }
    if let ([report], []) = (reports, ablated) {
        line(&report.counts().to_string())?;
    } else {
        for report in ablated.iter().chain(reports) {
            line(&format!("{}: {}", report.engine, report.counts()))?;
        }
    }
    Ok(if clean { CLEAN } else { ERRORS })
}

/// Everything a run reads beside the rules.
struct Suite {
    files: Vec<super::ftw::TestFile>,
    overrides: Vec<Overrides>,
    settings: TestSettings,
    expected: ExpectedFailures,
    filter: Filter,
}

impl Suite {
    fn load(arguments: &Arguments) -> Result<Self, String> {
        let regex = |pattern: &Option<String>| {
            let compiled = pattern.as_deref().map(Regex::new).transpose();
            compiled.map_err(|error| format!("{}: {error}", pattern.as_deref().unwrap_or("")))
        };
        Ok(Self {
            files: load(&arguments.tests)?,
            overrides: arguments
                .overrides
                .iter()
                .map(|path| Overrides::load(path))
                .collect::<Result<_, _>>()?,
            settings: match &arguments.settings {
                Some(path) => TestSettings::load(path)?,
                None => TestSettings::default(),
            },
            expected: match &arguments.expected_failures {
                Some(path) => ExpectedFailures::load(path)?,
                None => ExpectedFailures::default(),
            },
            filter: Filter {
                include: regex(&arguments.include)?,
                exclude: regex(&arguments.exclude)?,
            },
        })
    }

    fn runner(&self) -> Runner<'_> {
        Runner {
            files: &self.files,
            overrides: &self.overrides,
            settings: &self.settings,
            expected: &self.expected,
            filter: &self.filter,
        }
    }
}

/// What a person needs to know of a run.
fn describe(report: &Report, verbose: bool, named: bool) -> String {
    let mut lines = Vec::new();
    let known = |verdict| verdict == Verdict::ExpectedFailure;
    for test in report
        .tests
        .iter()
        .filter(|test| verbose && known(test.verdict))
    {
        let reason = test.reason.as_deref().unwrap_or_default().trim();
        lines.push(format!(
            "expected {}: {}",
            test.test,
            test.failures.join("; ")
        ));
        lines.push(format!("  because {reason}"));
    }
    lines.extend(report.problems());
    let (server_only, unnoticed) = report.server_only();
    if server_only > 0 {
        lines.push(format!(
            "{server_only} stages expect a status or an error that only a server in front gives; \
             judged by the rule ids alone (in {unnoticed} of them no rule matched)"
        ));
    }
    if named {
        lines
            .iter_mut()
            .for_each(|line| line.insert_str(0, &format!("{}: ", report.engine)));
    }
    lines.join("\n")
}

fn write_report(path: &Path, reports: &[Report]) -> Result<(), String> {
    let failed = |error: String| format!("{}: {error}", path.display());
    let text = serde_json::to_vec_pretty(reports).map_err(|error| failed(error.to_string()))?;
    std::fs::write(path, text).map_err(|error| failed(error.to_string()))
}
