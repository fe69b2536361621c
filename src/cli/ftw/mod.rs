//! Regression tests in the format of go-ftw, run against the engine or the compiled filter.
//!
//! A test is a list of stages; a stage is a request and what the log must then say. The runner
//! plays client, server and log reader at once: it writes the request as go-ftw would send it,
//! reads it back as a server would, drives it through a [`Driver`], and judges the error log
//! lines of that one exchange.
//!
//! Unless it drives a whole server, there is none in front; `front` does to a request what a proxy does before its filters
//! run. What only a server decides (the 400 for a malformed request) cannot be judged here: such a
//! stage is judged by the rule ids in the log alone. The run says how many those were, and in how
//! many of them no rule noticed anything.

mod corpus;
mod expected;
mod format;
mod front;
mod judge;
mod overrides;
mod proof;
mod reflector;
mod report;
mod request;
mod runner;
mod sniff;
mod template;

pub use corpus::{RegressionExchange, regression_exchanges};
pub(crate) use expected::ExpectedFailures;
pub(crate) use format::{TestFile, load};
pub(crate) use overrides::{Overrides, TestSettings};
pub(crate) use proof::{HandedOver, Proof, ProxyAlone};
pub(crate) use reflector::answer_to;
pub(crate) use report::{Report, TestReport, Verdict, compare};
pub(crate) use runner::{Filter, Progress, Runner};
