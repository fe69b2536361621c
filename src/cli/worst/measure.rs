//! How long engines take for a request.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use crate::cli::driver::Sent;
use crate::cli::message::Response;
use crate::cli::output::milliseconds;

/// Exchanges of a measurement: the fastest counts, others found the processor's caches empty.
const TRIES: usize = 2;
/// Other requests between two exchanges with caches full of other things.
const OTHERS: usize = 4;

/// An engine: it takes a request through all phases.
///
/// # Errors
/// A text for people: the engine broke.
pub(super) type Engine = Box<dyn FnMut(&Sent) -> Result<(), String>>;

/// Makes engines that have not searched for anything yet.
pub(super) type Make<'a> = dyn FnMut() -> Result<Engine, String> + 'a;

/// What a request took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Times {
    /// With caches that the same request has warmed.
    warm_milliseconds: f64,
    /// With caches full of other things.
    thrashed_milliseconds: f64,
    /// With none: the first request of an engine.
    cold_milliseconds: f64,
}

impl Times {
    /// Measures a request. The others are what caches are filled with.
    ///
    /// # Errors
    /// A text for people: an engine cannot be made, or broke.
    pub(super) fn measure(
        make: &mut Make<'_>,
        sent: &Sent,
        others: &[&Sent],
    ) -> Result<Self, String> {
        let mut engine = make()?;
        engine(sent)?;
        let warm = fastest(|| time(&mut engine, sent))?;
        let thrashed = fastest(|| {
            for other in others.iter().cycle().take(OTHERS) {
                engine(other)?;
            }
            time(&mut engine, sent)
        })?;
        let cold = fastest(|| time(&mut make()?, sent))?;
        Ok(Self {
            warm_milliseconds: milliseconds(warm),
            thrashed_milliseconds: milliseconds(thrashed),
            cold_milliseconds: milliseconds(cold),
        })
    }

    /// The longest of them.
    pub(super) fn worst(&self) -> f64 {
        self.warm_milliseconds
            .max(self.thrashed_milliseconds)
            .max(self.cold_milliseconds)
    }

    /// Columns of a table, as wide as those of [`Times::TITLES`].
    pub(super) fn columns(&self) -> String {
        format!(
            "{:>8.1} {:>8.1} {:>8.1}",
            self.warm_milliseconds, self.thrashed_milliseconds, self.cold_milliseconds
        )
    }

    pub(super) const TITLES: &'static str = " warm ms other ms  cold ms";
}

fn fastest(mut run: impl FnMut() -> Result<Duration, String>) -> Result<Duration, String> {
    (0..TRIES).try_fold(Duration::MAX, |fastest, _| Ok(fastest.min(run()?)))
}

fn time(engine: &mut Engine, sent: &Sent) -> Result<Duration, String> {
    let start = processor_time();
    engine(sent)?;
    Ok(processor_time().saturating_sub(start))
}

/// The time that this thread had of the processor.
pub(super) fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
    Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds))
}

/// The answer of the backend: what requests take is measured.
pub(super) fn nothing() -> Response {
    Response {
        status: 204,
        protocol: b"HTTP/1.1".to_vec(),
        ..Response::default()
    }
}
