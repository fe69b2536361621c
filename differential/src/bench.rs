//! What requests cost in libmodsecurity, for `scripts/bench-envoy`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parapet::cli::{Request, Site};
use serde_json::json;

use crate::exchange::{Exchange, Profile};
use crate::modsecurity::{Library, ModSecurity};
use crate::rules::{self, Telling};

pub const USAGE: &str = "\
usage: parapet-differential bench LIBMODSECURITY CRS SETTINGS PLACE REQUESTS VARIANTS
    CRS, SETTINGS   the rules, which are copied to PLACE
    REQUESTS        the directory of requests, which may hold the page that is answered
    VARIANTS        a directory for each request, with variants of it";

/// How long each request is measured.
const TIME: Duration = Duration::from_secs(2);
/// Exchanges before.
const WARM_UP: usize = 5;

/// Measures, and prints JSON as `parapet bench --json` does.
///
/// # Errors
///
/// A text for people.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let [library, crs, settings, place, requests, variants] = arguments else {
        return Err(USAGE.to_owned());
    };
    let say = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    let place = Path::new(place);
    rules::copy(
        Path::new(crs),
        Path::new(settings),
        place,
        Telling::AsWritten,
    )?;
    let library = Library::open(Path::new(library))?;
    let start = Instant::now();
    let engine = library.load(&rules::file(place, Profile::Blocking))?;
    let loaded = start.elapsed();
    let site = Site::load(Path::new(requests));
    let mut measured = Vec::new();
    for folder in sorted(Path::new(variants)).map_err(say(Path::new(variants)))? {
        let mut exchanges = Vec::new();
        for file in sorted(&folder).map_err(say(&folder))? {
            let request = Request::parse(&fs::read(&file).map_err(say(&file))?);
            exchanges.push(exchange(request, &site));
        }
        let times = measure(&engine, &exchanges);
        measured.push(json!({
            "request": folder.file_name().unwrap_or_default().to_string_lossy(),
            "exchanges": times.len(),
            "median_microseconds": microseconds(times.get(times.len() / 2)),
            "best_microseconds": microseconds(times.first()),
        }));
    }
    let version = library.version();
    let version = version
        .split_whitespace()
        .next()
        .unwrap_or("libmodsecurity");
    let engine = json!({
        "engine": version,
        "start_milliseconds": loaded.as_secs_f64() * 1e3,
        "requests": measured,
    });
    println!("{}", json!({ "engines": [engine] }));
    Ok(())
}

fn exchange(request: Request, site: &Site) -> Exchange {
    Exchange {
        origin: String::new(),
        profile: Profile::Blocking,
        response: Some(site.answer(&request)),
        request,
    }
}

/// Times of exchanges, ascending.
fn measure(engine: &ModSecurity, exchanges: &[Exchange]) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut all = exchanges.iter().cycle();
    for exchange in all.by_ref().take(WARM_UP) {
        engine.inspect(exchange);
    }
    let start = Instant::now();
    for exchange in all {
        let begun = Instant::now();
        engine.inspect(exchange);
        times.push(begun.elapsed());
        if start.elapsed() > TIME {
            break;
        }
    }
    times.sort_unstable();
    times
}

fn microseconds(time: Option<&Duration>) -> f64 {
    time.map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
