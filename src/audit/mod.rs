//! Log text: what the engine found, in the words that ModSecurity's users search for.
//!
//! Values come from clients: everything that could end a line or a field is escaped, and long
//! values are cut.

mod error_log;
mod redaction;

pub use crate::engine::LogContext;
pub use error_log::error_log_line;
pub use redaction::Redaction;

#[cfg(test)]
mod tests;
