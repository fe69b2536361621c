//! Progress of long runs on standard error: a bar on a terminal, a line now and then otherwise.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use super::ftw::{Progress, TestReport, Verdict};

/// Lines that a run writes when nobody watches a bar.
const LINES: usize = 10;

/// Shows how far a run is.
pub(super) struct Display {
    quiet: bool,
    bar: Option<ProgressBar>,
    engine: String,
    total: usize,
    done: usize,
    failed: usize,
}

impl Display {
    /// A display; a quiet one shows nothing.
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            quiet,
            bar: None,
            engine: String::new(),
            total: 0,
            done: 0,
            failed: 0,
        }
    }

    fn counts(&self) -> String {
        format!(
            "{}: {} of {} tests, {} failed",
            self.engine, self.done, self.total, self.failed
        )
    }
}

impl Progress for Display {
    fn start(&mut self, engine: &str, tests: usize) {
        engine.clone_into(&mut self.engine);
        (self.total, self.done, self.failed) = (tests, 0, 0);
        if self.quiet || !std::io::stderr().is_terminal() {
            return;
        }
        let bar = ProgressBar::new(u64::try_from(tests).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:32} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        bar.set_message(self.engine.clone());
        self.bar = Some(bar);
    }

    fn step(&mut self, report: &TestReport) {
        self.done = self.done.saturating_add(1);
        if matches!(report.verdict, Verdict::Failed | Verdict::ExpectedFailure) {
            self.failed = self.failed.saturating_add(1);
        }
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if self.quiet => {}
            None => {
                let every = self.total.checked_div(LINES).unwrap_or(0).max(1);
                if self.done.checked_rem(every) == Some(0) {
                    eprintln!("{}", self.counts());
                }
            }
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
