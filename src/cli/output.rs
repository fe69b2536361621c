//! Standard output that survives a reader who has seen enough, and figures for it.

use std::io::{ErrorKind, Write};
use std::time::Duration;

/// Prints a text and a line end. Nobody reading any more is no error.
///
/// # Errors
///
/// A text for people: standard output cannot be written.
pub(super) fn line(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"));
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// A time as a figure.
pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
