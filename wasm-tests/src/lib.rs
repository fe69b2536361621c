//! Tests of the compiled filter: what it asks of a host, and how it behaves in real ones.
//!
//! The library holds what programs beside the tests need too: the demo backend.

pub mod backend;
