//! The engine as the state machine sees it.

use crate::engine::{Connection, RequestHead, ResponseHead, RuleMatch, Step};

/// A rule set that transactions run on.
pub trait Rules {
    /// A transaction of these rules.
    type Transaction: Inspect;

    /// Begins a transaction.
    fn begin(&self, connection: Connection) -> Self::Transaction;
}

/// One request and its response on their way through the phases. After an interruption every step
/// repeats it.
pub trait Inspect {
    /// Phase 1.
    fn request_head(&mut self, head: &RequestHead<'_>) -> Step;
    /// More of the request's body.
    fn request_body(&mut self, bytes: &[u8]) -> Step;
    /// The request's body is over, or not wanted: phase 2, unless it has run.
    fn end_request_body(&mut self) -> Step;
    /// Phase 3.
    fn response_head(&mut self, head: &ResponseHead<'_>) -> Step;
    /// More of the response's body.
    fn response_body(&mut self, bytes: &[u8]) -> Step;
    /// The response's body is over, or not wanted: phase 4, unless it has run.
    fn end_response_body(&mut self) -> Step;
    /// How long the answer of the interruption waits, in milliseconds.
    fn pause(&self) -> u32 {
        0
    }
    /// Phase 5.
    fn finish(&mut self);
    /// The rules that matched since the last call.
    fn drain_matches(&mut self) -> Vec<RuleMatch>;
    /// A match as a line for the error log, escaped and cut.
    fn log_line(&self, matched: &RuleMatch) -> Vec<u8>;
}
