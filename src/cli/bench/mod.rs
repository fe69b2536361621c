//! `parapet bench`: what a request costs, natively and through the compiled filter.
//!
//! Every request is measured alone and has words of its own; requests that the rules stop are
//! attacks and stay as they are.

mod baseline;
mod report;
mod site;
mod sizes;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::CLEAN;
use super::config::{Config, ablations};
use super::driver::Backend;
use super::files::glob;
use super::message::{Request, Response};
use super::native::Native;
use super::output::{line, milliseconds};
use super::vary::Variations;
use crate::allocations;

pub use site::Site;

/// Requests made at once, before their time is taken.
const BATCH: usize = 32;
/// Exchanges before measuring begins: patterns are compiled when they are first needed.
const WARM_UP: usize = 64;

/// Measure microseconds and allocations per request.
///
/// REQUESTS is a directory of raw HTTP/1 requests (`*.http`). The backend answers paths that begin
/// with `/html` with the directory's `response.html`, and everything else with an empty 200.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Rule files, in order, or one plugin configuration (`.json`).
    #[arg(long, value_name = "FILE", required = true, num_args = 1)]
    config: Vec<PathBuf>,

    /// A directory of requests.
    #[arg(value_name = "REQUESTS", required_unless_present = "sizes")]
    requests: Option<PathBuf>,

    /// Measure requests of growing size instead of those of a directory, and write a page that
    /// compares their cost with it.
    #[arg(long, value_name = "PAGE.md", conflicts_with_all = ["requests", "write", "baseline"])]
    sizes: Option<PathBuf>,

    /// Measure this compiled filter as well.
    #[arg(long, value_name = "FILE.wasm")]
    wasm: Option<PathBuf>,

    /// Write so many requests of each kind, with words of their own, into directories named after
    /// them in DIRECTORY, for other programs to send; measure nothing.
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["wasm", "json", "baseline"])]
    write: Option<PathBuf>,

    /// How many requests of each kind to write.
    #[arg(long, default_value_t = 256, requires = "write")]
    variants: usize,

    /// Measure the native engine once more without a part that only makes it faster.
    #[arg(long, value_name = "PART")]
    ablate: Vec<String>,

    /// How long to measure each request, in seconds.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// Compare steps, instructions and allocations with those of an earlier run (its `--json`), and
    /// fail where one has grown.
    #[arg(long, value_name = "FILE.json")]
    baseline: Option<PathBuf>,
}

/// Everything measured.
#[derive(Serialize, Deserialize)]
struct Measurements {
    engines: Vec<EngineMeasurements>,
}

/// One engine.
#[derive(Serialize, Deserialize)]
struct EngineMeasurements {
    engine: String,
    /// From bytes to ready; for wasm without the compilation of the module.
    start_milliseconds: f64,
    /// Linear memory of the VM when it was ready, and at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<(usize, usize)>,
    requests: Vec<Measurement>,
}

/// One request.
#[derive(Serialize, Deserialize)]
struct Measurement {
    request: String,
    /// Whether the rules let it pass.
    passes: bool,
    exchanges: usize,
    median_microseconds: f64,
    best_microseconds: f64,
    /// Steps of work; none where the filter does not tell.
    steps: Option<u64>,
    /// Wasm instructions per exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<f64>,
    /// Per exchange; none where the filter does not count.
    allocations: Option<f64>,
    allocated_bytes: Option<f64>,
}

/// Measures. The answer is the exit status.
pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    let config = Config::load(&arguments.config)?;
    let (cases, backend) = match &arguments.requests {
        Some(directory) => (cases(directory)?, Site::load(directory)),
        None => (sizes::cases(), Site::default()),
    };
    let time = Duration::try_from_secs_f64(arguments.seconds)
        .map_err(|error| format!("--seconds: {error}"))?;
    let start = Instant::now();
    let native = config.engine()?;
    let start_milliseconds = milliseconds(start.elapsed());
    if let Some(directory) = &arguments.write {
        write_variants(&cases, &native, &backend, arguments.variants, directory)?;
        return Ok(CLEAN);
    }
    let native_requests = |engine: &Native| {
        let mut subject = NativeSubject {
            engine,
            backend: &backend,
        };
        let each = cases.iter();
        each.map(|(name, request)| measure(name, request, time, &mut subject))
            .collect::<Result<Vec<_>, _>>()
    };
    let mut measurements = Measurements {
        engines: vec![EngineMeasurements {
            engine: "native".to_owned(),
            start_milliseconds,
            memory_bytes: None,
            requests: native_requests(&native)?,
        }],
    };
    for (part, ablation) in arguments.ablate.iter().zip(ablations(&arguments.ablate)?) {
        let start = Instant::now();
        let engine = config.ablated(ablation)?;
        measurements.engines.push(EngineMeasurements {
            engine: format!("native without {part}"),
            start_milliseconds: milliseconds(start.elapsed()),
            memory_bytes: None,
            requests: native_requests(&engine)?,
        });
    }
    if let Some(module) = &arguments.wasm {
        measurements
            .engines
            .push(wasm(&config, module, &cases, time, &backend)?);
    }
    if arguments.json {
        let text =
            serde_json::to_string_pretty(&measurements).map_err(|error| error.to_string())?;
        line(&text)?;
    } else {
        line(&report::table(&measurements))?;
    }
    if let Some(path) = &arguments.sizes {
        std::fs::write(path, sizes::page(&measurements))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    match &arguments.baseline {
        Some(path) => baseline::compare(path, &measurements),
        None => Ok(CLEAN),
    }
}

/// What is measured.
trait Subject {
    /// A request in the form that the subject takes.
    type Prepared;

    fn prepare(&self, request: &Request) -> Self::Prepared;

    /// One exchange; whether the rules let it pass.
    fn exchange(&mut self, prepared: &Self::Prepared) -> Result<bool, String>;

    /// Steps of work of an exchange, if they are told.
    fn steps(&self, _: &Self::Prepared) -> Option<u64> {
        None
    }

    /// Allocations and bytes so far, if they are counted.
    fn allocations(&mut self) -> Result<Option<(u64, u64)>, String>;
}

struct NativeSubject<'a> {
    engine: &'a Native,
    backend: &'a dyn Backend,
}

impl Subject for NativeSubject<'_> {
    type Prepared = (Request, Response);

    fn prepare(&self, request: &Request) -> Self::Prepared {
        (request.clone(), self.backend.respond(request))
    }

    fn exchange(&mut self, (request, response): &Self::Prepared) -> Result<bool, String> {
        Ok(self.engine.pass(request, response))
    }

    fn steps(&self, (request, response): &Self::Prepared) -> Option<u64> {
        Some(self.engine.work(request, response).steps)
    }

    fn allocations(&mut self) -> Result<Option<(u64, u64)>, String> {
        Ok(Some(allocations::counts()))
    }
}

fn measure<S: Subject>(
    name: &str,
    request: &Request,
    time: Duration,
    subject: &mut S,
) -> Result<Measurement, String> {
    let passes = {
        let prepared = subject.prepare(request);
        subject.exchange(&prepared)?
    };
    let mut batches = Batches::new(request, passes);
    for prepared in batches.next(subject, WARM_UP) {
        subject.exchange(&prepared)?;
    }
    let mut times = Vec::new();
    let mut allocated = (0_u64, 0_u64);
    let mut counted = true;
    let start = Instant::now();
    while times.is_empty() || start.elapsed() < time {
        let prepared = batches.next(subject, BATCH);
        let before = subject.allocations()?;
        for one in &prepared {
            let start = Instant::now();
            subject.exchange(one)?;
            times.push(start.elapsed());
        }
        match (before, subject.allocations()?) {
            (Some(before), Some(after)) => {
                allocated.0 = allocated.0.saturating_add(after.0.saturating_sub(before.0));
                allocated.1 = allocated.1.saturating_add(after.1.saturating_sub(before.1));
            }
            _ => counted = false,
        }
    }
    times.sort_unstable();
    let exchanges = times.len();
    let per_exchange = |total: u64| counted.then(|| ratio(total, exchanges));
    let median = times
        .get(exchanges.checked_div(2).unwrap_or(0))
        .copied()
        .unwrap_or_default();
    Ok(Measurement {
        request: name.to_owned(),
        passes,
        exchanges,
        steps: subject.steps(&subject.prepare(request)),
        instructions: None,
        median_microseconds: microseconds(median),
        best_microseconds: microseconds(times.first().copied().unwrap_or_default()),
        allocations: per_exchange(allocated.0),
        allocated_bytes: per_exchange(allocated.1),
    })
}

/// The requests to measure with: each has words of its own, but for attacks.
struct Batches<'a> {
    request: &'a Request,
    variations: Option<Variations>,
}

impl<'a> Batches<'a> {
    fn new(request: &'a Request, passes: bool) -> Self {
        Self {
            request,
            variations: passes.then(|| Variations::new(request.clone())),
        }
    }

    fn one(&mut self) -> Request {
        match &mut self.variations {
            Some(variations) => variations.next(),
            None => self.request.clone(),
        }
    }

    fn next<S: Subject>(&mut self, subject: &S, size: usize) -> Vec<S::Prepared> {
        (0..size).map(|_| subject.prepare(&self.one())).collect()
    }
}

#[cfg(not(feature = "wasm-host"))]
fn wasm(
    _config: &Config,
    _module: &Path,
    _cases: &[(String, Request)],
    _time: Duration,
    _backend: &Site,
) -> Result<EngineMeasurements, String> {
    Err("this build has no wasm host; build it with the feature `wasm-host`".to_owned())
}

#[cfg(feature = "wasm-host")]
fn wasm(
    config: &Config,
    module: &Path,
    cases: &[(String, Request)],
    time: Duration,
    backend: &Site,
) -> Result<EngineMeasurements, String> {
    use crate::wasm_host::{Module, Plugin};

    let failed = |error: String| format!("{}: {error}", module.display());
    let bytes = std::fs::read(module).map_err(|error| failed(error.to_string()))?;
    let module = Module::compile(&bytes).map_err(|error| failed(error.to_string()))?;
    let counting = Module::compile_counting(&bytes).map_err(|error| failed(error.to_string()))?;
    let configuration = config.plugin_configuration("")?;
    let settings = || super::driver_wasm::settings(configuration.clone());
    let start = Instant::now();
    let plugin = Plugin::start(&module, settings()).map_err(|error| error.to_string())?;
    let start_milliseconds = milliseconds(start.elapsed());
    let memory = plugin.memory_size();
    let mut subject = WasmSubject { plugin, backend };
    let mut requests = Vec::new();
    for (name, request) in cases {
        requests.push(measure(name, request, time, &mut subject)?);
    }
    let plugin = Plugin::start(&counting, settings()).map_err(|error| error.to_string())?;
    let mut counted = WasmSubject { plugin, backend };
    for ((_, request), measurement) in cases.iter().zip(&mut requests) {
        measurement.instructions = counted.instructions(request, measurement.passes)?;
    }
    Ok(EngineMeasurements {
        engine: "wasm".to_owned(),
        start_milliseconds,
        memory_bytes: Some((memory, subject.plugin.memory_size())),
        requests,
    })
}

#[cfg(feature = "wasm-host")]
struct WasmSubject<'a> {
    plugin: crate::wasm_host::Plugin,
    backend: &'a Site,
}

#[cfg(feature = "wasm-host")]
impl Subject for WasmSubject<'_> {
    type Prepared = (crate::wasm_host::Exchange, crate::wasm_host::Incoming);

    fn prepare(&self, request: &Request) -> Self::Prepared {
        let answer = super::driver_wasm::to_incoming(self.backend.respond(request));
        (super::driver_wasm::to_exchange(request), answer)
    }

    fn exchange(&mut self, (exchange, answer): &Self::Prepared) -> Result<bool, String> {
        let outcome = self
            .plugin
            .exchange(exchange, &mut |_| answer.clone())
            .map_err(|error| error.to_string())?;
        drop(self.plugin.take_log());
        Ok(matches!(
            outcome.reply,
            crate::wasm_host::Reply::Upstream(_)
        ))
    }

    fn allocations(&mut self) -> Result<Option<(u64, u64)>, String> {
        let mut read = |name| self.plugin.counter(name).map_err(|error| error.to_string());
        Ok(read("parapet_allocations")?.zip(read("parapet_allocated_bytes")?))
    }
}

#[cfg(feature = "wasm-host")]
impl WasmSubject<'_> {
    /// Instructions per exchange, once everything is warm.
    fn instructions(&mut self, request: &Request, passes: bool) -> Result<Option<f64>, String> {
        let mut batches = Batches::new(request, passes);
        for prepared in batches.next(self, WARM_UP) {
            self.exchange(&prepared)?;
        }
        let before = self.plugin.instructions();
        for prepared in batches.next(self, BATCH) {
            self.exchange(&prepared)?;
        }
        let both = before.zip(self.plugin.instructions());
        Ok(both.map(|(before, after)| ratio(after.saturating_sub(before), BATCH)))
    }
}

fn cases(directory: &Path) -> Result<Vec<(String, Request)>, String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let found = glob(&directory.join("*.http")).map_err(|error| failed(directory, error))?;
    if found.is_empty() {
        return Err(format!("{}: no `*.http` files", directory.display()));
    }
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).map_err(|error| failed(path, error))?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok((name, Request::parse(&bytes)))
    };
    found.iter().map(read).collect()
}

/// Writes requests as `DIRECTORY/NAME/0000.http` and so on; of attacks only one.
fn write_variants(
    cases: &[(String, Request)],
    engine: &Native,
    backend: &Site,
    count: usize,
    directory: &Path,
) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    for (name, request) in cases {
        let folder = directory.join(name);
        std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        let passes = engine.pass(request, &backend.respond(request));
        let mut batches = Batches::new(request, passes);
        for number in 0..if passes { count } else { 1 } {
            let path = folder.join(format!("{number:04}.http"));
            let bytes = batches.one().to_bytes();
            std::fs::write(&path, bytes).map_err(|error| failed(&path, error))?;
        }
    }
    Ok(())
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
fn ratio(total: u64, count: usize) -> f64 {
    total as f64 / count as f64
}
