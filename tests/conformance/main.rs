//! Conformance suites: cases that other projects wrote, run against this one's parts.
//!
//! The data is not part of the project: the directory `CONFORMANCE_DIR` holds one directory for
//! each suite. Without it the suites are skipped and say so, unless `PARAPET_REQUIRE_DATA` is 1.
//! Each suite prints one line of counts. Known failures and members that are still missing stand in
//! `expectations.txt`; every surprise fails the test, a pleasant one too.
//!
//! The suites run natively and, compiled for WASI, inside wasm (`scripts/conformance`). There the
//! outcome of each case is held against the native one, which stands in `CONFORMANCE_NATIVE`.
//!
//! A suite is a file with a [`runner::Suite`] and a line in [`SUITES`].

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test: the cases are files, the settings variables, and a panic is a failure"
)]

mod expectations;
mod json;
mod libinjection;
mod modsecurity;
mod operators;
mod runner;
mod transformations;

/// All suites. Each has a test below.
const SUITES: &[runner::Suite] = &[
    transformations::SUITE,
    operators::SUITE,
    libinjection::SUITE,
    modsecurity::SUITE,
];

#[test]
fn transformations() {
    runner::run(&transformations::SUITE);
}

#[test]
fn operators() {
    runner::run(&operators::SUITE);
}

#[test]
fn libinjection() {
    runner::run(&libinjection::SUITE);
}

#[test]
fn modsecurity() {
    runner::run(&modsecurity::SUITE);
}

#[test]
fn expectations_name_suites() {
    for id in expectations::committed().ids() {
        let suite = id.split('/').next().unwrap();
        assert!(
            SUITES.iter().any(|known| known.name == suite),
            "{id}: no such suite"
        );
    }
}
