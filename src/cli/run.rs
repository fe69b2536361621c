//! `parapet run`: one request, and perhaps its response, through the rules.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::CLEAN;
use super::config::Config;
use super::driver::Backend;
use super::message::{Request, Response};
use super::native::Inspected;
use super::output::line;
use crate::engine::{Disposition, Interruption, RuleMatch};

/// Run one request through the rules and print the verdict as JSON.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Rule files, in order, or one plugin configuration (`.json`).
    #[arg(long, value_name = "FILE", required = true, num_args = 1)]
    config: Vec<PathBuf>,

    /// The request, as raw HTTP/1; `-` reads standard input.
    #[arg(value_name = "REQUEST")]
    request: PathBuf,

    /// The backend's answer, as raw HTTP/1; without it an empty 200.
    #[arg(long, value_name = "FILE")]
    response: Option<PathBuf>,

    /// Print the audit record instead of the verdict: nothing if the rules want none.
    #[arg(long)]
    audit: bool,

    /// Say on standard error which rules were asked about what: the debug log at this level, 4 to 9,
    /// instead of the rules' SecDebugLogLevel.
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=9))]
    debug: Option<u8>,
}

/// Runs the request. The exit status does not depend on the verdict.
pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    let config = Config::load(&arguments.config)?;
    let request = Request::parse(&read(&arguments.request)?);
    let response = match &arguments.response {
        Some(path) => {
            Response::parse(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => Response {
            status: 200,
            protocol: b"HTTP/1.1".to_vec(),
            ..Default::default()
        },
    };
    let engine = config.engine()?.with_debug_log_level(arguments.debug);
    let inspected = engine.inspect(&request, &Canned(response))?;
    for line in &inspected.debug {
        eprintln!("{}", String::from_utf8_lossy(line));
    }
    if arguments.audit {
        let mut out = std::io::stdout().lock();
        let record = inspected.audit.unwrap_or_default();
        let written = out.write_all(&record).and_then(|()| match record.last() {
            None | Some(b'\n') => Ok(()),
            Some(_) => out.write_all(b"\n"),
        });
        written.map_err(|error| error.to_string())?;
        return Ok(CLEAN);
    }
    let verdict = Verdict::new(&inspected);
    let text = serde_json::to_string_pretty(&verdict).map_err(|error| error.to_string())?;
    line(&text)?;
    Ok(CLEAN)
}

/// Always the same answer.
struct Canned(Response);

impl Backend for Canned {
    fn respond(&self, _request: &Request) -> Response {
        self.0.clone()
    }
}

/// What the tool prints.
#[derive(Serialize)]
struct Verdict {
    /// `pass`, `deny`, `drop` or `redirect`.
    verdict: &'static str,
    interruption: Option<Stop>,
    matches: Vec<Match>,
    /// The TX variables of anomaly scoring, as the rules left them.
    scores: Map<String, Value>,
}

#[derive(Serialize)]
struct Stop {
    rule_id: u64,
    phase: u8,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

#[derive(Serialize)]
struct Match {
    id: u64,
    phase: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    data: String,
    /// The last target that matched, and its value as the operator saw it.
    target: String,
    value: String,
    explanation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    file: String,
    line: u32,
    /// Whether the match is written to the error log.
    logged: bool,
}

impl Verdict {
    fn new(inspected: &Inspected) -> Self {
        let verdict = inspected.interruption.as_ref().map(|stop| stop.disposition);
        Self {
            verdict: match verdict {
                None => "pass",
                Some(Disposition::Deny) => "deny",
                Some(Disposition::Drop) => "drop",
                Some(Disposition::Redirect) => "redirect",
            },
            interruption: inspected.interruption.as_ref().map(Stop::new),
            matches: inspected.matches.iter().map(Match::new).collect(),
            scores: scores(&inspected.variables),
        }
    }
}

impl Stop {
    fn new(interruption: &Interruption) -> Self {
        Self {
            rule_id: interruption.rule_id,
            phase: interruption.phase,
            status: interruption.status,
            location: interruption.location.as_deref().map(text),
        }
    }
}

impl Match {
    fn new(found: &RuleMatch) -> Self {
        Self {
            id: found.rule_id,
            phase: found.phase,
            message: text(&found.msg),
            data: text(&found.data),
            target: text(&found.target),
            value: text(&found.value),
            explanation: text(&found.explanation),
            severity: found.severity,
            tags: found.tags.iter().map(|tag| text(tag)).collect(),
            file: found.file.to_string(),
            line: found.line,
            logged: found.log,
        }
    }
}

fn scores(variables: &[(Vec<u8>, Vec<u8>)]) -> Map<String, Value> {
    let mut scores = Map::new();
    for (name, value) in variables {
        let name = text(name);
        if name.contains("score") {
            let value = text(value);
            let value = value
                .parse::<i64>()
                .map_or(Value::String(value), Value::from);
            scores.insert(name, value);
        }
    }
    scores
}

/// Bytes for people: UTF-8 as it is, anything else with escapes.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.escape_ascii().to_string(), str::to_owned)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let result = if path.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    result
        .map_err(|error| format!("{}: {error}", path.display()))
        .map(|()| bytes)
}
