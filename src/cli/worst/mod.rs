//! `parapet worst`: requests that take the rules long.
//!
//! For every rule with a pattern or phrases it makes values that come close to matching, puts them
//! wherever a client can put values, as many and as long as the recommended limits allow, and keeps
//! what took longest. That is measured again: with caches that such requests have warmed, with caches
//! full of other things, and with none.

mod requests;
mod values;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use self::requests::Placement;
use self::values::{Bait, Random, Taste};
use super::CLEAN;
use super::config::Config;
use super::message::{Request, Response};
use super::native::Native;
use super::output::line;

/// Requests of each placement that are measured again.
const KEPT: usize = 2;
/// Exchanges of a measurement: the fastest counts, others found the processor's caches empty.
const TRIES: usize = 2;
/// Other requests between two exchanges with caches full of other things.
const OTHERS: usize = 4;

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
    warm_milliseconds: f64,
    thrashed_milliseconds: f64,
    cold_milliseconds: f64,
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
    let engine = Config::load(&arguments.config)?.engine()?;
    let mut measured = match &arguments.again {
        Some(directory) => measure_all(&engine, &saved(directory)?),
        None => search_everywhere(&engine, arguments),
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

/// Searches in every place, and measures what was found there.
fn search_everywhere(engine: &Native, arguments: &Arguments) -> Vec<Measured> {
    let baits = engine.programs().flat_map(values::baits);
    let baits: Vec<Bait> = baits.step_by(arguments.every.max(1)).collect();
    let mut random = Random::new(arguments.seed);
    let mut measured = Vec::new();
    for placement in Placement::ALL {
        let found = search(engine, &baits, placement, arguments.rounds, &mut random);
        measured.extend(measure_all(engine, &found));
    }
    measured
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

fn measure_all(engine: &Native, found: &[Found]) -> Vec<Measured> {
    let each = found.iter();
    each.map(|one| measure(engine, one, found)).collect()
}

fn measure(engine: &Native, found: &Found, others: &[Found]) -> Measured {
    let response = nothing();
    let worked = engine.work(&found.request, &response);
    let fastest = |before: &dyn Fn() -> Option<Native>| {
        let tries = (0..TRIES).map(|_| {
            let fresh = before();
            let engine = fresh.as_ref().unwrap_or(engine);
            let start = processor_time();
            engine.work(&found.request, &response);
            processor_time().saturating_sub(start)
        });
        tries.min().unwrap_or_default().as_secs_f64() * 1e3
    };
    let thrash = || {
        for other in others.iter().cycle().take(OTHERS) {
            if other.origin != found.origin {
                engine.work(&other.request, &response);
            }
        }
        None
    };
    Measured {
        origin: found.origin.clone(),
        bytes: found.request.body.len().max(found.request.target.len()),
        steps: worked.steps,
        limited: worked.limited,
        warm_milliseconds: fastest(&|| None),
        thrashed_milliseconds: fastest(&thrash),
        cold_milliseconds: fastest(&|| Some(engine.renewed())),
        request: found.request.clone(),
    }
}

impl Measured {
    fn worst(&self) -> f64 {
        self.warm_milliseconds
            .max(self.thrashed_milliseconds)
            .max(self.cold_milliseconds)
    }
}

/// The time that this thread had of the processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
    Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds))
}

/// The answer of the backend: what requests take is measured.
fn nothing() -> Response {
    Response {
        status: 204,
        protocol: b"HTTP/1.1".to_vec(),
        ..Response::default()
    }
}

fn table(measured: &[Measured]) -> String {
    let mut lines = vec![format!(
        "{:<14} {:>7} {:<8} {:>7} {:>11} {:>5} {:>8} {:>8} {:>8} {:>8}",
        "place",
        "rule",
        "taste",
        "bytes",
        "steps",
        "limit",
        "warm ms",
        "other ms",
        "cold ms",
        "ns/step"
    )];
    for one in measured {
        lines.push(format!(
            "{:<14} {:>7} {:<8} {:>7} {:>11} {:>5} {:>8.1} {:>8.1} {:>8.1} {:>8.2}",
            one.origin.place,
            one.origin.rule,
            one.origin.taste,
            one.bytes,
            one.steps,
            if one.limited { "yes" } else { "no" },
            one.warm_milliseconds,
            one.thrashed_milliseconds,
            one.cold_milliseconds,
            one.worst() * 1e6 / steps(one.steps),
        ));
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
