//! The table of what requests cost.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Costs, Run};

/// Figures of an engine outside Envoy.
pub struct Other {
    name: String,
    /// Requests and their median in microseconds.
    medians: Vec<(String, f64)>,
}

impl Other {
    /// Reads the engines of a report; of `parapet bench --json` the native one.
    ///
    /// # Errors
    /// A text for people: the file is not there, or is no report.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bad = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read(path).map_err(|error| bad(&error))?;
        let report: Value = serde_json::from_slice(&text).map_err(|error| bad(&error))?;
        let engine = &report["engines"][0];
        let name = engine["engine"].as_str().ok_or_else(|| bad(&"no engine"))?;
        let requests = engine["requests"].as_array();
        let medians = requests.into_iter().flatten().filter_map(|request| {
            let name = request["request"].as_str()?.to_owned();
            Some((name, request["median_microseconds"].as_f64()?))
        });
        Ok(Self {
            name: name.to_owned(),
            medians: medians.collect(),
        })
    }

    fn of(&self, request: &str) -> Option<f64> {
        let found = self.medians.iter().find(|(name, _)| name == request);
        found.map(|(_, median)| *median)
    }
}

/// Microseconds by request: both Envoys, what Parapet costs in one, and the others, as they are and
/// as multiples of that.
pub fn table(all: &[Costs], others: &[Other]) -> String {
    let mut out = format!(
        "{:<18} {:>9} {:>9} {:>9} {:>9}",
        "µs per request", "noop", "Parapet", "engine", "latency"
    );
    for other in others {
        let _ = write!(out, " {:>24}", other.name);
    }
    out.push('\n');
    for costs in all {
        let (noop, parapet) = (processor(&costs.noop), processor(&costs.parapet));
        let engine = parapet - noop;
        let latency = median(costs.parapet.iter().map(|run| run.latency_microseconds));
        let _ = write!(
            out,
            "{:<18} {noop:>9.1} {parapet:>9.1} {engine:>9.1} {latency:>9.0}",
            costs.request
        );
        for other in others {
            let cell = other
                .of(&costs.request)
                .map(|microseconds| format!("{microseconds:.1} ({:.2})", microseconds / engine));
            let _ = write!(out, " {:>24}", cell.unwrap_or_default());
        }
        out.push('\n');
    }
    out
}

fn processor(runs: &[Run]) -> f64 {
    median(runs.iter().map(|run| run.processor_microseconds))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
