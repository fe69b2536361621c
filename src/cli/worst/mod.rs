//! `parapet worst`: requests that take the rules long.
//!
//! For every rule with a pattern or phrases it makes values that come close to matching, puts them
//! wherever a client can put values, as many and as long as the recommended limits allow, and keeps
//! what took longest. That is measured again: with caches that such requests have warmed, with caches
//! full of other things, and with none.

mod measure;
mod requests;
mod values;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use self::measure::{Engine, Make, Times, nothing, processor_time};
use self::requests::Placement;
use self::values::{Bait, Random, Taste};
use super::CLEAN;
use super::config::Config;
use super::driver::Sent;
use super::message::Request;
use super::native::Native;
use super::output::line;

/// Requests of each placement that are measured again.
const KEPT: usize = 2;

/// Search for requests that take long, and measure them.
///
/// The rules are taken as they are: let them detect only, or the first match ends what is measured.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Rule files, in order, or one plugin configuration (`.json`).
    #[arg(long, value_name = "FILE", required = true, num_args = 1)]
    config: Vec<PathBuf>,

    /// How many requests to make of each rule and place.
    #[arg(long, default_value_t = 1)]
    rounds: u32,

    /// Take only one of so many rules.
    #[arg(long, default_value_t = 1)]
    every: usize,

    /// Where the search begins: another number makes other requests.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Write the requests that were measured into this directory.
    #[arg(long, value_name = "DIRECTORY")]
    save: Option<PathBuf>,

    /// Measure the requests of a directory that an earlier search has written, instead of searching.
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["rounds", "every", "seed", "save"])]
    again: Option<PathBuf>,

    /// Measure this compiled filter as well. Cold is the first request of a VM, which compiles the
    /// patterns that it needs.
    #[arg(long, value_name = "FILE.wasm")]
    wasm: Option<PathBuf>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A request and what it took.
#[derive(Serialize)]
struct Measured {
    /// Where the values stand, the rule that they were made from, and how.
    #[serde(flatten)]
    origin: Origin,
    bytes: usize,
    /// Steps of work in all phases.
    steps: u64,
    /// Whether the limit of work ended it.
    limited: bool,
    #[serde(flatten)]
    native: Times,
    #[serde(skip_serializing_if = "Option::is_none")]
    wasm: Option<Times>,
    #[serde(skip)]
    request: Request,
}

/// What a request was made of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Origin {
    place: String,
    rule: u64,
    taste: String,
}

/// What the search keeps.
struct Found {
    origin: Origin,
    time: Duration,
    request: Request,
}

/// Searches and measures. The answer is the exit status.
pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    let config = Config::load(&arguments.config)?;
    let mut engines = Engines::load(&config, arguments.wasm.as_deref())?;
    let mut measured = match &arguments.again {
        Some(directory) => engines.measure_all(saved(directory)?)?,
        None => search_everywhere(&mut engines, arguments)?,
    };
    measured.sort_by(|a, b| b.worst().total_cmp(&a.worst()));
    if let Some(directory) = &arguments.save {
        save(&measured, directory)?;
    }
    if arguments.json {
        line(&serde_json::to_string_pretty(&measured).map_err(|error| error.to_string())?)?;
    } else {
        line(&table(&measured))?;
    }
    Ok(CLEAN)
}

/// What is measured.
struct Engines<'a> {
    native: Native,
    wasm: Option<Box<Make<'a>>>,
}

/// Searches in every place, and measures what was found there.
fn search_everywhere(
    engines: &mut Engines<'_>,
    arguments: &Arguments,
) -> Result<Vec<Measured>, String> {
    let baits = engines.native.programs().flat_map(values::baits);
    let baits: Vec<Bait> = baits.step_by(arguments.every.max(1)).collect();
    let mut random = Random::new(arguments.seed);
    let mut measured = Vec::new();
    for placement in Placement::ALL {
        let rounds = arguments.rounds;
        let found = search(&engines.native, &baits, placement, rounds, &mut random);
        measured.extend(engines.measure_all(found)?);
    }
    Ok(measured)
}

/// The requests of a placement that took longest: of each rule at most one.
fn search(
    engine: &Native,
    baits: &[Bait],
    placement: Placement,
    rounds: u32,
    random: &mut Random,
) -> Vec<Found> {
    let mut kept: Vec<Found> = Vec::new();
    for bait in baits {
        for _ in 0..rounds {
            let taste = *random.pick(&Taste::ALL).unwrap_or(&Taste::Mixed);
            let request = placement.request(&mut |length| bait.text(taste, length, random));
            let start = processor_time();
            engine.work(&request, &nothing());
            kept.push(Found {
                origin: Origin {
                    place: placement.name().to_owned(),
                    rule: bait.rule,
                    taste: taste.name().to_owned(),
                },
                time: processor_time().saturating_sub(start),
                request,
            });
        }
        kept.sort_by_key(|found| std::cmp::Reverse(found.time));
        kept.truncate(KEPT.saturating_mul(3));
    }
    // Some of these only found caches empty: once more.
    for found in &mut kept {
        let start = processor_time();
        engine.work(&found.request, &nothing());
        found.time = found.time.min(processor_time().saturating_sub(start));
    }
    kept.sort_by_key(|found| std::cmp::Reverse(found.time));
    kept.truncate(KEPT);
    kept
}

impl<'a> Engines<'a> {
    fn load(config: &'a Config, wasm: Option<&'a Path>) -> Result<Self, String> {
        Ok(Self {
            native: config.engine()?,
            wasm: wasm.map(|module| make_wasm(config, module)).transpose()?,
        })
    }

    fn measure_all(&mut self, found: Vec<Found>) -> Result<Vec<Measured>, String> {
        let all: Vec<(Origin, Sent)> = found
            .into_iter()
            .map(|found| (found.origin, Sent::new(Vec::new(), found.request)))
            .collect();
        all.iter()
            .map(|(origin, sent)| {
                let others = all.iter().filter(|(other, _)| other != origin);
                let others: Vec<&Sent> = others.map(|(_, sent)| sent).collect();
                self.measure(origin, sent, &others)
            })
            .collect()
    }

    fn measure(
        &mut self,
        origin: &Origin,
        sent: &Sent,
        others: &[&Sent],
    ) -> Result<Measured, String> {
        let request = &sent.request;
        let worked = self.native.work(request, &nothing());
        let mut make_native = || {
            let engine = self.native.renewed();
            let run: Engine = Box::new(move |sent| {
                engine.work(&sent.request, &nothing());
                Ok(())
            });
            Ok(run)
        };
        Ok(Measured {
            origin: origin.clone(),
            bytes: request.body.len().max(request.target.len()),
            steps: worked.steps,
            limited: worked.limited,
            native: Times::measure(&mut make_native, sent, others)?,
            wasm: match &mut self.wasm {
                Some(make) => Some(Times::measure(make, sent, others)?),
                None => None,
            },
            request: request.clone(),
        })
    }
}

#[cfg(feature = "wasm-host")]
fn make_wasm<'a>(config: &'a Config, module: &'a Path) -> Result<Box<Make<'a>>, String> {
    use super::driver::{Backend, DriverFactory};
    use super::message::Response;

    struct Nothing;

    impl Backend for Nothing {
        fn respond(&self, _: &Request) -> Response {
            nothing()
        }
    }

    let mut factory = config.wasm(module)?;
    Ok(Box::new(move || {
        let mut driver = factory.driver("")?;
        let run: Engine = Box::new(move |sent| driver.exchange(sent, &Nothing).map(drop));
        Ok(run)
    }))
}

#[cfg(not(feature = "wasm-host"))]
fn make_wasm<'a>(_: &'a Config, _: &'a Path) -> Result<Box<Make<'a>>, String> {
    Err("this build has no wasm host; build it with the feature `wasm-host`".to_owned())
}

impl Measured {
    fn worst(&self) -> f64 {
        let wasm = self.wasm.map_or(0.0, |wasm| wasm.worst());
        self.native.worst().max(wasm)
    }
}

fn table(measured: &[Measured]) -> String {
    let with_wasm = measured.iter().any(|one| one.wasm.is_some());
    let mut title = format!(
        "{:<14} {:>7} {:<8} {:>7} {:>11} {:>5} {} {:>8}",
        "place",
        "rule",
        "taste",
        "bytes",
        "steps",
        "limit",
        Times::TITLES,
        "ns/step"
    );
    if with_wasm {
        title.push_str("  in wasm:");
        title.push_str(Times::TITLES);
    }
    let mut lines = vec![title];
    for one in measured {
        let mut row = format!(
            "{:<14} {:>7} {:<8} {:>7} {:>11} {:>5} {} {:>8.2}",
            one.origin.place,
            one.origin.rule,
            one.origin.taste,
            one.bytes,
            one.steps,
            if one.limited { "yes" } else { "no" },
            one.native.columns(),
            one.native.worst() * 1e6 / steps(one.steps),
        );
        if let Some(wasm) = &one.wasm {
            row.push_str("          ");
            row.push_str(&wasm.columns());
        }
        lines.push(row);
    }
    lines.join("\n")
}

fn save(measured: &[Measured], directory: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    std::fs::create_dir_all(directory).map_err(failed)?;
    for one in measured {
        let name = one.origin.file_name();
        std::fs::write(directory.join(name), one.request.to_bytes()).map_err(failed)?;
    }
    Ok(())
}

/// The requests that [`save`] has written.
fn saved(directory: &Path) -> Result<Vec<Found>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(origin) = Origin::of_file(&name) {
            found.push(Found {
                origin,
                time: Duration::ZERO,
                request: Request::parse(&std::fs::read(&path).map_err(failed)?),
            });
        }
    }
    if found.is_empty() {
        return Err(format!("{}: no saved requests", directory.display()));
    }
    found.sort_by_cached_key(|one| one.origin.file_name());
    Ok(found)
}

impl Origin {
    /// The name of the file that keeps the request.
    fn file_name(&self) -> String {
        format!("{}-{}-{}.http", self.place, self.rule, self.taste)
    }

    fn of_file(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".http")?.rsplitn(3, '-');
        let (taste, rule, place) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            place: place.to_owned(),
            rule: rule.parse().ok()?,
            taste: taste.to_owned(),
        })
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
fn steps(count: u64) -> f64 {
    count.max(1) as f64
}

#[cfg(test)]
mod tests;
