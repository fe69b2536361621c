//! What a request costs in Envoy: its processor time with Parapet, less that with a filter that does
//! nothing. `scripts/bench-envoy` starts the two Envoys, this is their backend and drives `wrk`.

mod report;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{fs, thread};

use wasm_tests::admin;
use wasm_tests::backend::{self, Response};

const USAGE: &str =
    "bench BACKEND PAGE REQUESTS SCRIPT SECONDS ROUNDS NOOP,PID PARAPET,PID [REPORT.json...]
    BACKEND    address to listen on as the backend of both
    PAGE       what is answered to paths that begin with /html
    REQUESTS   a directory for each request, with variants of it (`parapet bench --write`)
    SCRIPT     benches/variants.lua
    SECONDS    of each run of wrk
    ROUNDS     runs of each request and Envoy, one after the other
    NOOP,PID   address and process of the Envoy that does nothing; then the same of the other
    REPORT     figures of other engines: `parapet bench --json`, `parapet-differential bench`";

/// What one run of `wrk` found.
struct Run {
    /// Processor time of Envoy for each exchange.
    processor_microseconds: f64,
    /// From sending to the last byte of the answer, the median.
    latency_microseconds: f64,
}

/// One request in both Envoys.
struct Costs {
    request: String,
    noop: Vec<Run>,
    parapet: Vec<Run>,
}

/// An Envoy.
struct Gateway {
    address: SocketAddr,
    process: u32,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [
        listen,
        page,
        requests,
        script,
        seconds,
        rounds,
        noop,
        parapet,
        reports @ ..,
    ] = arguments.as_slice()
    else {
        return Err(format!("usage: {USAGE}"));
    };
    serve(listen, Path::new(page))?;
    let (noop, parapet) = (Gateway::parse(noop)?, Gateway::parse(parapet)?);
    let rounds: u32 = rounds
        .parse()
        .map_err(|error| format!("{rounds}: {error}"))?;
    let mut all = Vec::new();
    for directory in directories(Path::new(requests))? {
        let request = directory.file_name().unwrap_or_default().to_string_lossy();
        eprintln!("    {request}");
        let mut costs = Costs {
            request: request.into_owned(),
            noop: Vec::new(),
            parapet: Vec::new(),
        };
        for _ in 0..rounds {
            costs.noop.push(noop.measure(script, &directory, seconds)?);
            costs
                .parapet
                .push(parapet.measure(script, &directory, seconds)?);
        }
        all.push(costs);
    }
    let others = reports
        .iter()
        .map(|path| report::Other::read(Path::new(path)));
    let others: Vec<report::Other> = others.collect::<Result<_, _>>()?;
    print!("{}", report::table(&all, &others));
    Ok(())
}

/// Answers as the backend of `parapet bench` does.
fn serve(listen: &str, page: &Path) -> Result<(), String> {
    let page = fs::read(page).map_err(|error| format!("{}: {error}", page.display()))?;
    let listener = TcpListener::bind(listen).map_err(|error| format!("{listen}: {error}"))?;
    thread::spawn(move || {
        backend::serve(listener, move |request| {
            if !request.target.starts_with("/html") {
                return Response::text("");
            }
            Response {
                status: 200,
                headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
                body: page.clone(),
            }
        });
    });
    Ok(())
}

fn directories(parent: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{}: {error}", parent.display());
    let entries = fs::read_dir(parent).map_err(failed)?;
    let mut found = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    found.retain(|path| path.is_dir());
    found.sort();
    Ok(found)
}

impl Gateway {
    /// `ADDRESS,PID`.
    fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("{text}: not ADDRESS,PID");
        let (address, process) = text.split_once(',').ok_or_else(bad)?;
        Ok(Self {
            address: address.parse().map_err(|_| bad())?,
            process: process.parse().map_err(|_| bad())?,
        })
    }

    /// Drives the variants of a request through it, one at a time on one connection.
    fn measure(&self, script: &str, variants: &Path, seconds: &str) -> Result<Run, String> {
        let failed = |what: &str| format!("{}: {what}", variants.display());
        let time =
            || admin::processor_time(self.process).map_err(|error| failed(&error.to_string()));
        let before = time()?;
        let output = Command::new("wrk")
            .args(["--threads", "1", "--connections", "1", "--duration"])
            .arg(format!("{seconds}s"))
            .args([
                "--script",
                script,
                &format!("http://{}/", self.address),
                "--",
            ])
            .arg(variants)
            .output()
            .map_err(|error| failed(&format!("wrk: {error}")))?;
        let spent = time()?.saturating_sub(before).as_secs_f64() * 1e6;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        let numbers = last.strip_prefix("exchanges ").unwrap_or_default();
        let numbers: Vec<f64> = numbers.split(' ').filter_map(|n| n.parse().ok()).collect();
        match numbers.as_slice() {
            [exchanges, _, 0.0, latency] if *exchanges > 0.0 => Ok(Run {
                processor_microseconds: spent / exchanges,
                latency_microseconds: *latency,
            }),
            _ => Err(failed(&format!("wrk says `{last}`"))),
        }
    }
}
