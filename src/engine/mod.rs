//! The engine: a [`Transaction`] takes one request and its response through the five phases.

mod api;

pub use api::*;
