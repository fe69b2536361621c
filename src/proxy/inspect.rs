//! The engine as the state machine sees it.

use std::rc::Rc;

use super::collector::Destination;
use super::host::Direction;
use super::shadow::ShadowVerdict;
use crate::audit::Random;
use crate::engine::{
    BodyEdits, Connection, LimitsReached, ReplacedBody, RequestHead, ResponseHead, RuleMatch, Step,
};

/// A rule set that transactions run on.
pub trait Rules {
    /// A transaction of these rules.
    type Transaction: Inspect;

    /// Begins a transaction.
    fn begin(&self, connection: &Rc<Connection>) -> Self::Transaction;

    /// Whether some rule looks at our end of the connection; it need not be known otherwise.
    fn reads_server(&self) -> bool;

    /// What SecAuditLogType and SecAuditLog say of records: `None` for the host's log; otherwise a
    /// collector, or that its address is missing.
    fn collector(&self) -> Option<Result<Destination, NoCollectorUrl>> {
        None
    }
}

/// `SecAuditLogType HTTPS` without an address in SecAuditLog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoCollectorUrl;

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
    /// Whether a body that is larger than the host keeps goes on while it is inspected; it is refused
    /// otherwise.
    fn streams_large_body(&self, direction: Direction) -> bool;
    /// Most bytes of a body that are inspected. Beyond them it is refused, or the rest passes.
    fn body_limit(&self, direction: Direction) -> usize;
    /// Bytes of memory that the transaction takes now.
    fn held_bytes(&self) -> usize;
    /// How long the answer of the interruption waits, in milliseconds.
    fn pause(&self) -> u32 {
        0
    }
    /// The limits that it came to since this was asked last.
    fn take_limits_reached(&mut self) -> LimitsReached;
    /// What is to be sent on instead of a body. Known when the body's phase has run.
    fn replaced_body(&self, direction: Direction) -> Option<&ReplacedBody>;
    /// What is to be put around the response's body. Known when its phase has run.
    fn response_edits(&self) -> &BodyEdits;
    /// Whether the upstream is to be asked for plain responses (SecDisableBackendCompression).
    fn wants_plain_response(&self) -> bool;
    /// What the `server` header of responses is to say (SecServerSignature).
    fn server_signature(&self) -> Option<&[u8]>;
    /// Phase 5.
    fn finish(&mut self);
    /// Whether there is something to tell since it was told last: matches, a limit, or what
    /// the shadow would have done. Most steps have nothing.
    fn has_news(&self) -> bool;
    /// The rules that matched since the last call.
    fn drain_matches(&mut self) -> Vec<RuleMatch>;
    /// Matches as lines for the error log, redacted, escaped and cut.
    fn log_lines(&self, matches: &[RuleMatch]) -> Vec<Vec<u8>>;
    /// Lines for the debug log since the last call (SecDebugLogLevel). Most transactions have none.
    fn debug_lines(&mut self) -> Vec<Vec<u8>> {
        Vec::new()
    }
    /// Sets SecDebugLogLevel for this transaction.
    fn set_debug_log_level(&mut self, _: u8) {}
    /// The audit record as one line, if the audit log wants one. Asked once, after the end.
    fn audit_record(&self, _: &mut Random<'_>) -> Option<Vec<u8>> {
        None
    }
    /// Where it goes, if not into the host's log.
    fn audit_destination(&self) -> Option<Destination> {
        None
    }
    /// The value of a TX variable; the name in lower case.
    fn tx_variable(&self, name: &[u8]) -> Option<&[u8]>;
    /// Whether a shadow wants to see a body that the rules let pass.
    fn observes(&self, _: Direction) -> bool {
        false
    }
    /// Lets the shadow see more of such a body, or its end.
    fn observe(&mut self, _: Direction, _: &[u8], _end: bool) {}
    /// What rules of the shadow matched since the last call and log, with their lines.
    fn drain_shadow(&mut self) -> Vec<(RuleMatch, Vec<u8>)> {
        Vec::new()
    }
    /// What the shadow would have done, once.
    fn take_shadow_verdict(&mut self) -> Option<ShadowVerdict> {
        None
    }
    /// Ends the shadow, for want of memory; whether there was one.
    fn drop_shadow(&mut self) -> bool {
        false
    }
}
