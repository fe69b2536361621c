//! Whether work has grown since an earlier run.
//!
//! Steps, instructions and allocations do not depend on what else the machine does, so that a small
//! change shows. Instructions depend a little on the compiler, and all of them on seeds drawn at
//! random, hence the tolerance.

use std::path::Path;

use super::super::output::line;
use super::super::{CLEAN, ERRORS};
use super::{Measurement, Measurements};

/// How much more than before is no regression.
const TOLERANCE: f64 = 0.03;

/// Prints what has changed. The answer is the exit status.
///
/// # Errors
///
/// A text for people: the file cannot be read, or the output not be written.
pub(super) fn compare(path: &Path, now: &Measurements) -> Result<u8, String> {
    let failed = |error: String| format!("{}: {error}", path.display());
    let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let before: Measurements =
        serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
    let mut grown = 0usize;
    let mut compared = 0usize;
    for engine in &now.engines {
        let same = before
            .engines
            .iter()
            .find(|one| one.engine == engine.engine);
        for request in &engine.requests {
            let known = same.and_then(|engine| {
                let mut requests = engine.requests.iter();
                requests.find(|one| one.request == request.request)
            });
            let Some(known) = known else {
                line(&format!(
                    "{} {}: not in the baseline",
                    engine.engine, request.request
                ))?;
                continue;
            };
            for (what, old, new) in figures(known, request) {
                compared = compared.saturating_add(1);
                let change = new / old.max(1.0) - 1.0;
                if change.abs() > TOLERANCE {
                    grown = grown.saturating_add(usize::from(change > 0.0));
                    line(&format!(
                        "{} {}: {what} {old:.0} before, {new:.0} now ({:+.1} %)",
                        engine.engine,
                        request.request,
                        change * 100.0
                    ))?;
                }
            }
        }
    }
    line(&format!("{compared} figures compared, {grown} have grown"))?;
    Ok(if grown == 0 { CLEAN } else { ERRORS })
}

/// What two measurements of a request both tell: before, and now.
fn figures(
    before: &Measurement,
    now: &Measurement,
) -> impl Iterator<Item = (&'static str, f64, f64)> {
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "compared as ratios"
    )]
    let steps = |one: &Measurement| one.steps.map(|steps| steps as f64);
    [
        ("steps", steps(before), steps(now)),
        ("instructions", before.instructions, now.instructions),
        ("allocations", before.allocations, now.allocations),
    ]
    .into_iter()
    .filter_map(|(what, before, now)| Some((what, before?, now?)))
}
