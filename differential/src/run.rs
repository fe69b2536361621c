//! One run: exchanges through both engines, differences explained, counts.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Instant;

use crate::Options;
use crate::corpus::Corpus;
use crate::divergences::{CONSEQUENCE, DIVERGENCES, Divergence, explain};
use crate::exchange::{Exchange, Profile};
use crate::modsecurity::{Library, ModSecurity};
use crate::parapet_engine::Parapet;
use crate::rules;
use crate::shrink::shrink;
use crate::verdict::{Difference, Side, Verdict, differences};

/// In a run of this length every divergence must explain something.
const FULL: u64 = 20_000;

/// Both engines with the rules of one profile.
struct Pair {
    parapet: Parapet,
    modsecurity: ModSecurity,
}

struct Engines {
    detecting: Pair,
    blocking: Pair,
    /// The folder of the rules.
    rules: PathBuf,
}

/// What came of one exchange.
struct Outcome {
    parapet: Verdict,
    modsecurity: Verdict,
    /// What differs, and why.
    differences: Vec<(Difference, Option<&'static Divergence>)>,
}

#[derive(Default)]
struct Counts {
    requests: u64,
    equal: u64,
    explained: u64,
    unexplained: u64,
    by_divergence: BTreeMap<&'static str, u64>,
    /// How often each unexplained difference was seen.
    classes: BTreeMap<(Side, u64), usize>,
}

/// Runs, and says whether every difference is explained and every divergence needed.
///
/// # Errors
///
/// A text for people: an engine, the rules or the tests are not to be had.
pub fn run(options: &Options) -> Result<bool, String> {
    let corpus = Corpus::new(&options.tests, options.seed)?;
    rules::copy(
        &options.rules,
        &options.settings,
        &options.place,
        rules::Telling::Always,
    )?;
    let library = Library::open(&options.library)?;
    eprintln!("{}", library.version());
    let engines = Engines {
        detecting: load(&library, options, Profile::Detecting)?,
        blocking: load(&library, options, Profile::Blocking)?,
        rules: options.place.clone(),
    };
    if let Some(index) = options.only {
        return Ok(engines.show(&corpus.exchange(index)));
    }
    let mut counts = Counts::default();
    let start = Instant::now();
    for index in 0..options.requests {
        engines.compare(&corpus.exchange(index), options.show, &mut counts);
        if counts.requests.is_multiple_of(500) {
            eprintln!(
                "{} of {} requests, {} equal, {} explained, {} unexplained, {} s",
                counts.requests,
                options.requests,
                counts.equal,
                counts.explained,
                counts.unexplained,
                start.elapsed().as_secs()
            );
        }
    }
    Ok(counts.report(options))
}

fn load(library: &Library, options: &Options, profile: Profile) -> Result<Pair, String> {
    let path = rules::file(&options.place, profile);
    Ok(Pair {
        parapet: Parapet::load(&path)?,
        modsecurity: library.load(&path)?,
    })
}

impl Engines {
    fn pair(&self, exchange: &Exchange) -> &Pair {
        match exchange.profile {
            Profile::Detecting => &self.detecting,
            Profile::Blocking => &self.blocking,
        }
    }

    fn outcome(&self, exchange: &Exchange) -> Outcome {
        let pair = self.pair(exchange);
        let (ours, theirs) = (parapet(pair, exchange), pair.modsecurity.inspect(exchange));
        let found = differences(&ours, &theirs);
        let reasons = explain(exchange, &ours, &theirs, &found, &self.rules);
        Outcome {
            parapet: ours,
            modsecurity: theirs,
            differences: found.into_iter().zip(reasons).collect(),
        }
    }

    fn compare(&self, exchange: &Exchange, show: usize, counts: &mut Counts) {
        counts.requests += 1;
        let found = self.outcome(exchange).differences;
        if found.is_empty() {
            counts.equal += 1;
            return;
        }
        let names = found.iter().filter_map(|(_, why)| Some((*why)?.name));
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *counts.by_divergence.entry(name).or_default() += 1;
        }
        if found.iter().all(|(_, why)| why.is_some()) {
            counts.explained += 1;
            return;
        }
        counts.unexplained += 1;
        let mut shown = false;
        for (difference, why) in &found {
            if why.is_some() {
                continue;
            }
            let seen = counts.classes.entry((difference.side, difference.rule));
            let seen = seen.or_default();
            *seen += 1;
            // One for each exchange: the others are likely to have the same cause.
            if *seen > show || shown {
                continue;
            }
            shown = true;
            let same =
                |one: &Difference| (one.side, one.rule) == (difference.side, difference.rule);
            let small = shrink(exchange, &mut |smaller| {
                let found = self.outcome(smaller).differences;
                found.iter().any(|(one, why)| same(one) && why.is_none())
            });
            println!("--- only {:?} reports {}", difference.side, difference.rule);
            self.show(&small);
        }
    }

    /// Prints an exchange and what both engines say; whether they agree or all is explained.
    fn show(&self, exchange: &Exchange) -> bool {
        let outcome = self.outcome(exchange);
        let (ours, theirs) = (&outcome.parapet, &outcome.modsecurity);
        print!("{}", exchange.shown());
        println!("  Parapet:     {}", ids(ours, theirs));
        println!("  ModSecurity: {}", ids(theirs, ours));
        for (difference, why) in &outcome.differences {
            println!(
                "  {:?} {} at {}: {} [{}]",
                difference.side,
                difference.rule,
                difference.hit.target.escape_ascii(),
                difference.hit.value.escape_ascii(),
                why.map_or("unexplained", |why| why.name)
            );
        }
        outcome.differences.iter().all(|(_, why)| why.is_some())
    }
}

/// What our engine says; a panic is a rule id of its own.
fn parapet(pair: &Pair, exchange: &Exchange) -> Verdict {
    let run = || pair.parapet.inspect(exchange);
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let mut verdict = Verdict::default();
        verdict
            .hits
            .insert(u64::MAX, crate::verdict::Hit::default());
        verdict
    })
}

/// The rule ids, those that only this one reports marked.
fn ids(one: &Verdict, other: &Verdict) -> String {
    let ids = one.hits.keys().map(|id| {
        let mark = if other.hits.contains_key(id) { "" } else { "*" };
        format!("{mark}{id}")
    });
    let ids: Vec<String> = ids.collect();
    let end = one.interrupted;
    let end = end.map(|(status, rule)| format!(" -> {status} by {rule}"));
    ids.join(" ") + &end.unwrap_or_default()
}

impl Counts {
    fn report(&self, options: &Options) -> bool {
        if !self.classes.is_empty() {
            println!("unexplained differences, by who reports which rule:");
            for ((side, rule), seen) in &self.classes {
                println!("  {side:?} {rule}: {seen}");
            }
        }
        let mut stale = 0;
        println!("divergences, and how many requests each explains a difference of:");
        for divergence in DIVERGENCES.iter().chain([&CONSEQUENCE]) {
            let explained = self.by_divergence.get(divergence.name).copied();
            let explained = explained.unwrap_or_default();
            let note = if explained == 0 && options.requests >= FULL {
                stale += 1;
                " (stale: take it off the list)"
            } else {
                ""
            };
            println!(
                "  {:6} {}{note}\n         {}",
                explained, divergence.name, divergence.explanation
            );
        }
        println!(
            "differential: {} requests, {} equal, {} explained by {} divergences, {} unexplained, {stale} stale",
            self.requests,
            self.equal,
            self.explained,
            self.by_divergence.len(),
            self.unexplained,
        );
        self.unexplained == 0 && stale == 0
    }
}
