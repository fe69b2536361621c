//! Drives mixed traffic through a gateway for a long time and asserts that nothing goes wrong and
//! nothing grows. `scripts/soak` starts the gateway.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use wasm_tests::admin::{self, Statistics};
use wasm_tests::backend::{Request, Response, serve};
use wasm_tests::lanes::{Answer, Lane, send_raw};
use wasm_tests::traffic::{self, Kind, MARK, Planned};

const USAGE: &str = "soak GATEWAY ADMIN BACKEND ENVOY_PID ENVOY_LOG REQUESTS [PAGE.md]";

/// Connections over HTTP/1.1 and over HTTP/2.
const LANES: (usize, usize) = (10, 3);
/// Memory of the VMs is compared from here on, or from half of a shorter run; Envoy's own, which has
/// to meet most peaks of uploads at once before it stays, from half of any run.
const WARM_UP: u64 = 50_000;
/// How much more memory there may be at the end, in percent.
const TOLERANCE: u64 = 5;
/// What Envoy's allocator may keep of uploads beyond that, where a run is too short for it to have
/// kept all that it ever will.
const ALLOCATOR: u64 = 64 << 20;
/// Failures that are told one by one.
const TOLD: usize = 20;

struct Arguments {
    gateway: SocketAddr,
    admin: SocketAddr,
    backend: SocketAddr,
    process: u32,
    log: PathBuf,
    requests: u64,
    page: Option<PathBuf>,
}

impl Arguments {
    fn parse() -> Option<Self> {
        let mut arguments = std::env::args().skip(1);
        Some(Self {
            gateway: arguments.next()?.parse().ok()?,
            admin: arguments.next()?.parse().ok()?,
            backend: arguments.next()?.parse().ok()?,
            process: arguments.next()?.parse().ok()?,
            log: arguments.next()?.into(),
            requests: arguments.next()?.parse().ok()?,
            page: arguments.next().map(Into::into),
        })
    }
}

/// What all lanes share.
struct Run {
    arguments: Arguments,
    next: AtomicU64,
    done: AtomicU64,
    over: AtomicBool,
    kinds: Mutex<BTreeMap<Kind, u64>>,
    failures: Mutex<Vec<String>>,
    failed: AtomicU64,
    /// Microseconds that answers took, uploads left out.
    waits: Mutex<Vec<u32>>,
}

/// Memory at some point of the run.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    done: u64,
    vm: u64,
    resident: u64,
}

fn main() -> ExitCode {
    let Some(arguments) = Arguments::parse() else {
        eprintln!("usage: {USAGE}");
        return ExitCode::from(2);
    };
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(soak(arguments)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(arguments: Arguments) -> Result<(), String> {
    let run = Arc::new(Run {
        arguments,
        next: AtomicU64::new(0),
        done: AtomicU64::new(0),
        over: AtomicBool::new(false),
        kinds: Mutex::default(),
        failures: Mutex::default(),
        failed: AtomicU64::new(0),
        waits: Mutex::default(),
    });
    let listener = TcpListener::bind(run.arguments.backend)
        .map_err(|error| format!("no backend on {}: {error}", run.arguments.backend))?;
    let shared = Arc::clone(&run);
    std::thread::spawn(move || serve(listener, move |request| answer(&shared, request)));

    let before = statistics(&run)?;
    let start = Instant::now();
    let watch = tokio::task::spawn_blocking({
        let run = Arc::clone(&run);
        move || watch(&run, start)
    });
    let mut lanes = Vec::new();
    for number in 0..LANES.0 + LANES.1 {
        let run = Arc::clone(&run);
        lanes.push(tokio::spawn(drive(run, number >= LANES.0)));
    }
    for lane in lanes {
        lane.await.map_err(|error| error.to_string())?;
    }
    let time = start.elapsed();
    // What the last streams leave is gone a moment later.
    tokio::time::sleep(Duration::from_secs(1)).await;
    run.over.store(true, Ordering::SeqCst);
    let samples = watch.await.map_err(|error| error.to_string())?;
    let outcome = Outcome {
        time,
        before,
        after: statistics(&run)?,
        samples,
    };
    outcome.report(&run)
}

/// One connection's work.
async fn drive(run: Arc<Run>, over_http2: bool) {
    let mut lane = Lane::new(run.arguments.gateway, over_http2);
    loop {
        let mut batch = Vec::new();
        while batch.len() < lane.width() {
            let number = run.next.fetch_add(1, Ordering::SeqCst);
            if number >= run.arguments.requests {
                break;
            }
            let planned = traffic::request(SEED, number);
            if planned.kind == Kind::Broken {
                let status = send_raw(run.arguments.gateway, &planned.raw).await;
                run.judge_broken(number, &planned, status);
            } else {
                batch.push((number, planned));
            }
        }
        if batch.is_empty() {
            return;
        }
        let start = Instant::now();
        let requests = batch.iter().map(|(_, planned)| planned.clone()).collect();
        let answers = lane.send(requests).await;
        let wait = u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX);
        if batch
            .iter()
            .all(|(_, planned)| planned.kind != Kind::Upload)
        {
            lock(&run.waits).push(wait);
        }
        for ((number, planned), answer) in batch.iter().zip(answers) {
            run.judge(*number, planned, answer);
        }
    }
}

const SEED: u64 = 0x50A4;

impl Run {
    fn judge(&self, number: u64, planned: &Planned, answer: Result<Answer, String>) {
        let wanted = match planned.kind {
            Kind::Ordinary | Kind::Upload => 200,
            Kind::Attack | Kind::Leak | Kind::Broken => 403,
        };
        let fault = match answer {
            Err(error) => Some(error),
            Ok(answer) if answer.status != wanted => Some(format!("status {}", answer.status)),
            Ok(answer) if wanted == 200 => {
                let expected = page(&planned.target, planned.body.len());
                (answer.body != expected.as_bytes())
                    .then(|| format!("{} bytes of another answer", answer.body.len()))
            }
            Ok(_) => None,
        };
        self.note(number, planned, fault);
    }

    fn judge_broken(&self, number: u64, planned: &Planned, status: Result<Option<u16>, String>) {
        let fault = match status {
            Ok(None | Some(400..=499)) => None,
            Ok(Some(status)) => Some(format!("status {status}")),
            Err(error) => Some(error),
        };
        self.note(number, planned, fault);
    }

    fn note(&self, number: u64, planned: &Planned, fault: Option<String>) {
        *lock(&self.kinds).entry(planned.kind).or_default() += 1;
        self.done.fetch_add(1, Ordering::SeqCst);
        if let Some(fault) = fault {
            let Planned {
                kind,
                method,
                target,
                ..
            } = planned;
            self.fail(format!(
                "request {number}, {kind:?} {method} {target}: {fault}"
            ));
        }
    }

    fn fail(&self, text: String) {
        self.failed.fetch_add(1, Ordering::SeqCst);
        let mut failures = lock(&self.failures);
        if failures.len() < TOLD {
            eprintln!("soak: {text}");
            failures.push(text);
        }
    }
}

/// The backend: a page whose length depends on the target, and what must not be told.
fn answer(run: &Run, request: &Request) -> Response {
    match request.header(MARK) {
        Some(b"ordinary" | b"upload") => {
            let mut response = Response::text(page(&request.target, request.body.len()));
            response.headers = vec![("content-type".into(), "text/html; charset=utf-8".into())];
            response
        }
        Some(b"leak") => {
            let mut response = Response::text(
                "<html><body>You have an error in your SQL syntax; check the manual that \
                 corresponds to your MySQL server version for the right syntax to use near \
                 ''' at line 1</body></html>",
            );
            response.headers = vec![("content-type".into(), "text/html; charset=utf-8".into())];
            response
        }
        kind => {
            let kind = String::from_utf8_lossy(kind.unwrap_or_default()).into_owned();
            run.fail(format!("the backend got `{kind}` {}", request.target));
            Response::text("?")
        }
    }
}

/// What the backend answers to a target and a body of so many bytes.
fn page(target: &str, body: usize) -> String {
    let lines = target.bytes().map(usize::from).sum::<usize>() % 40;
    let mut page = format!("<html><body><h1>{body} bytes of body</h1>\n");
    for _ in 0..lines {
        page.push_str("<p>The lamp stands beside the window, and the bread is on the table.</p>\n");
    }
    page.push_str("</body></html>\n");
    page
}

/// Takes samples until the run is over, and says how far it is.
fn watch(run: &Run, start: Instant) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut told = Instant::now();
    loop {
        let over = run.over.load(Ordering::SeqCst);
        let sample = Sample {
            done: run.done.load(Ordering::SeqCst),
            vm: admin::statistics(run.arguments.admin, "vm_memory_bytes")
                .ok()
                .and_then(|found| found.values().next().copied())
                .unwrap_or(0),
            resident: admin::resident_bytes(run.arguments.process).unwrap_or(0),
        };
        samples.push(sample);
        if over || told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            eprintln!(
                "soak: {} of {} requests, {:.0} in a second; VM memory {}, RSS {}; {} failures",
                sample.done,
                run.arguments.requests,
                sample.done as f64 / start.elapsed().as_secs_f64(),
                mebibytes(sample.vm),
                mebibytes(sample.resident),
                run.failed.load(Ordering::SeqCst)
            );
        }
        if over {
            return samples;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn statistics(run: &Run) -> Result<Statistics, String> {
    admin::statistics(run.arguments.admin, "^(http.gateway|wasm|cluster.upstream)")
        .map_err(|error| format!("Envoy's admin interface: {error}"))
}

struct Outcome {
    time: Duration,
    before: Statistics,
    after: Statistics,
    samples: Vec<Sample>,
}

impl Outcome {
    fn report(&self, run: &Run) -> Result<(), String> {
        let requests = run.arguments.requests;
        let mut problems = std::mem::take(&mut *lock(&run.failures));
        let more = run
            .failed
            .load(Ordering::SeqCst)
            .saturating_sub(problems.len() as u64);
        if more > 0 {
            problems.push(format!("and {more} more failures"));
        }
        problems.extend(self.traps(run));
        let last = self.samples.last().copied().unwrap_or_default();
        let warm_up = WARM_UP.min(requests / 2);
        let after = |done| {
            let at = self.samples.partition_point(|sample| sample.done < done);
            (at, self.samples.get(at).copied().unwrap_or_default())
        };
        let (_, warm) = after(warm_up);
        let (at, mut half) = after(requests / 2);
        // Uploads come and go, so the most there was counts.
        let earlier = self.samples.iter().take(at).map(|sample| sample.resident);
        half.resident = earlier.max().unwrap_or(0).max(half.resident);
        let slack = if warm_up < WARM_UP { ALLOCATOR } else { 0 };
        for (what, from, to, slack) in [
            ("VM memory", warm.vm, last.vm, 0),
            ("resident memory", half.resident, last.resident, slack),
        ] {
            if from == 0 || to == 0 {
                problems.push(format!("{what} is not known"));
            } else if to > from + from * TOLERANCE / 100 + slack {
                problems.push(format!(
                    "{what} grew from {} to {}",
                    mebibytes(from),
                    mebibytes(to)
                ));
            }
        }
        let table = self.table(run, warm, half, last);
        println!("{table}");
        if let Some(path) = &run.arguments.page {
            std::fs::write(path, format!("{PAGE}{table}"))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        if problems.is_empty() {
            println!("soak: {requests} requests, nothing wrong");
            Ok(())
        } else {
            Err(problems.join("\nsoak: "))
        }
    }

    /// Signs of a VM that died, and of answers that only a fault gives.
    fn traps(&self, run: &Run) -> Vec<String> {
        let mut problems = Vec::new();
        let log = std::fs::read(&run.arguments.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let bad = |line: &&str| {
            ["[critical]", "panicked", "Uncaught", "Proxy-Wasm plugin in-VM"]
                .iter()
                .any(|sign| line.contains(sign))
                // A rule's severity is a level, too.
                && !line.contains("ModSecurity: ")
        };
        problems.extend(
            log.lines()
                .filter(bad)
                .take(3)
                .map(|line| format!("Envoy's log: {line}")),
        );
        for (name, &value) in &self.after {
            let before = self.before.get(name).copied().unwrap_or(0);
            let must_stay = name.ends_with("downstream_rq_5xx")
                || name.contains(".vm_reload")
                || name.ends_with("v8.created")
                || name.ends_with("host.failures")
                || name.contains("uninspected");
            if must_stay && value != before {
                problems.push(format!("{name} went from {before} to {value}"));
            }
        }
        problems
    }

    fn table(&self, run: &Run, warm: Sample, half: Sample, last: Sample) -> String {
        let mut waits = std::mem::take(&mut *lock(&run.waits));
        waits.sort_unstable();
        let wait = |percent: usize| {
            let at = (waits.len() * percent / 100).min(waits.len().saturating_sub(1));
            f64::from(waits.get(at).copied().unwrap_or(0)) / 1000.0
        };
        let seconds = self.time.as_secs_f64();
        let peak = self.samples.iter().map(|sample| sample.resident).max();
        let mut table = String::from("| figure | value |\n|---|---|\n");
        let mut row = |name: &str, value: String| {
            let _ = writeln!(table, "| {name} | {value} |");
        };
        let requests = run.arguments.requests;
        row("requests", requests.to_string());
        for (kind, count) in lock(&run.kinds).iter() {
            row(&format!("… of them {}", kind.name()), count.to_string());
        }
        row("time", format!("{seconds:.0} s"));
        row(
            "requests in a second",
            format!("{:.0}", requests as f64 / seconds),
        );
        row(
            "waits at 50, 99 % (uploads left out)",
            format!("{:.1} ms, {:.1} ms", wait(50), wait(99)),
        );
        row(
            "requests that went otherwise",
            run.failed.load(Ordering::SeqCst).to_string(),
        );
        let answers_5xx = self.after.get("http.gateway.downstream_rq_5xx");
        row("answers 5xx", answers_5xx.copied().unwrap_or(0).to_string());
        let memory =
            |sample: Sample, bytes| format!("{} after {} requests", mebibytes(bytes), sample.done);
        row("memory of all VMs, warm", memory(warm, warm.vm));
        row("memory of all VMs, at the end", memory(last, last.vm));
        row(
            "resident memory of Envoy, at most until then",
            memory(half, half.resident),
        );
        row(
            "resident memory of Envoy, at the end",
            memory(last, last.resident),
        );
        row(
            "resident memory of Envoy, at most",
            mebibytes(peak.unwrap_or(0)),
        );
        table
    }
}

const PAGE: &str = "# A long run\n\n\
    `SOAK_REQUESTS=1000000 SOAK_PAGE=envoy/SOAK.md make soak` wrote this page: mixed requests over\n\
    HTTP/1.1 and HTTP/2 through Envoy with two workers, the Core Rule Set on. 10 % are attacks (a\n\
    tenth of them by what the backend answers), 0.2 % uploads of 1 to 20 MB, 1 % broken in all kinds\n\
    of ways; the others are what browsers and programs send. Client, backend and Envoy share one\n\
    machine, so the times are no measure of the filter's speed.\n\n";

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
}

/// A thread that panicked while it held the lock left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
