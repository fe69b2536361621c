//! What was measured, as a table.

use super::Measurements;

/// A table for people.
pub(super) fn table(measurements: &Measurements) -> String {
    let mut lines = Vec::new();
    for engine in &measurements.engines {
        let mut head = format!(
            "{}: ready in {:.1} ms",
            engine.engine, engine.start_milliseconds
        );
        if let Some((start, end)) = engine.memory_bytes {
            let (start, end) = (mebibytes(start), mebibytes(end));
            head.push_str(&format!(", memory {start:.1} MiB, at the end {end:.1} MiB"));
        }
        lines.push(head);
        lines.push(format!(
            "  {:<20} {:>8} {:>10} {:>10} {:>9} {:>9} {:>8} {:>9}",
            "request", "verdict", "median µs", "best µs", "steps", "kinstr", "allocs", "KiB"
        ));
        for one in &engine.requests {
            let verdict = if one.passes { "pass" } else { "stop" };
            let number = |value: Option<f64>| {
                value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"))
            };
            lines.push(format!(
                "  {:<20} {verdict:>8} {:>10.1} {:>10.1} {:>9} {:>9} {:>8} {:>9}",
                one.request,
                one.median_microseconds,
                one.best_microseconds,
                one.steps
                    .map_or_else(|| "-".to_owned(), |steps| steps.to_string()),
                number(one.instructions.map(|count| count / 1000.0)),
                number(one.allocations),
                number(one.allocated_bytes.map(|bytes| bytes / 1024.0)),
            ));
        }
    }
    lines.join("\n")
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
