//! `parapet check`: whether rules and configurations load.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::config::{Config, Load, messages};
use super::output::line;
use super::{CLEAN, ERRORS};
use crate::diagnostic::{Code, Record, Severity, render};

/// Check rule files or a plugin configuration.
///
/// The exit status is 0 when they load, 1 when they have errors, 2 when a file named on the command
/// line cannot be read.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Rule files, in order, as one configuration; or one plugin configuration (`.json`).
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,

    /// Warnings are errors.
    #[arg(long)]
    strict: bool,

    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Summary {
    /// Every SecRule and SecAction; none if the rules do not load.
    rules: Option<usize>,
    /// Rule files, included files and data files.
    files: usize,
    errors: usize,
    warnings: usize,
    /// Rules whose patterns cannot run in linear time.
    backtracking: usize,
    seconds: f64,
    diagnostics: Vec<Record>,
}

/// Checks. The answer is the exit status.
pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    let start = Instant::now();
    let config = Config::load(&arguments.files)?;
    let loads = config.check();
    let seconds = start.elapsed().as_secs_f64();
    let messages = messages(&loads);
    let count = |severity| {
        messages
            .iter()
            .filter(|(one, _)| one.severity == severity)
            .count()
    };
    let summary = Summary {
        rules: loads.iter().map(Load::rules).sum(),
        files: loads.iter().map(|load| load.files).sum(),
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        backtracking: messages
            .iter()
            .filter(|(one, _)| one.code == Code::Backtracks)
            .count(),
        seconds,
        diagnostics: messages
            .iter()
            .map(|(one, sources)| Record::new(one, sources))
            .collect(),
    };
    if arguments.json {
        let text = serde_json::to_string_pretty(&summary).map_err(|error| error.to_string())?;
        line(&text)?;
    } else {
        for (diagnostic, sources) in &messages {
            eprintln!("{}\n", render(diagnostic, sources));
        }
        line(&summary.line())?;
    }
    let failed = summary.errors > 0 || (arguments.strict && summary.warnings > 0);
    Ok(if failed { ERRORS } else { CLEAN })
}

impl Summary {
    fn line(&self) -> String {
        let rules = match self.rules {
            Some(rules) => counted(rules, "rule"),
            None => "does not load".to_owned(),
        };
        let backtracking = match self.backtracking {
            0 => String::new(),
            count => format!(", {} by backtracking", counted(count, "pattern")),
        };
        format!(
            "{rules}, {}, {}, {}{backtracking}, {:.2} s",
            counted(self.files, "file"),
            counted(self.errors, "error"),
            counted(self.warnings, "warning"),
            self.seconds
        )
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
