//! What hosts see of the engine: inputs of a transaction, verdicts, records.

use std::net::IpAddr;

/// Nanoseconds since 1970-01-01 00:00 UTC.
pub type UnixNanos = u64;

/// Where the engine takes the time from.
pub trait Clock {
    /// The wall clock.
    fn now(&self) -> UnixNanos;
    /// Offset of local time from UTC in seconds, for the TIME_* variables.
    fn utc_offset(&self) -> i32 {
        0
    }
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

/// Who talks to whom, and the name of the transaction.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// The peer, if known and to be believed (REMOTE_ADDR, REMOTE_PORT).
    pub client: Option<Endpoint>,
    /// Our end (SERVER_ADDR, SERVER_PORT).
    pub server: Option<Endpoint>,
    /// UNIQUE_ID: random per transaction, never chosen by the client.
    pub unique_id: UniqueId,
    /// What the proxy calls the request (`x-request-id`); empty for nothing. Clients may choose it:
    /// it is shown in logs and decides nothing.
    pub request_id: Vec<u8>,
}

/// The name of a transaction. A random one becomes text only where somebody reads it, as 32
/// hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UniqueId {
    /// Drawn at random.
    Random([u8; 16]),
    /// Chosen by the host.
    Text(Box<str>),
}

impl Default for UniqueId {
    /// No name.
    fn default() -> Self {
        Self::Text("".into())
    }
}

impl From<&str> for UniqueId {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl std::fmt::Display for UniqueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Random(bytes) => write!(f, "{:032x}", u128::from_be_bytes(*bytes)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The head of a request. Header pairs keep order, case and repeats; no pseudo headers.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// REQUEST_METHOD.
    pub method: &'a [u8],
    /// The request target as received (REQUEST_URI_RAW).
    pub target: &'a [u8],
    /// `HTTP/1.1`, `HTTP/2.0` (REQUEST_PROTOCOL).
    pub protocol: &'a [u8],
    /// Names and values.
    pub headers: &'a [(&'a [u8], &'a [u8])],
}

/// The head of a response.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// RESPONSE_STATUS.
    pub status: u16,
    /// RESPONSE_PROTOCOL.
    pub protocol: &'a [u8],
    /// Names and values.
    pub headers: &'a [(&'a [u8], &'a [u8])],
}

/// How a transaction ends before its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Disposition {
    /// Answer with the status.
    Deny,
    /// Close the connection.
    Drop,
    /// Answer with the status and a Location header.
    Redirect,
}

/// A decision to stop a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// The rule that decided; 0 where a limit of the configuration did.
    pub rule_id: u64,
    /// The phase it decided in, 1 to 5.
    pub phase: u8,
    /// What to do.
    pub disposition: Disposition,
    /// The status of the answer.
    pub status: u16,
    /// Target of a redirect.
    pub location: Option<Vec<u8>>,
}

/// What the host does with body bytes that follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyPlan {
    /// Hold the message and give every byte to the transaction.
    Inspect,
    /// The body is not wanted (any more): let it pass. The phase that depends on it has run, or
    /// runs when the host says that the body is over.
    Skip,
}

/// The outcome of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Step {
    /// The interruption, once there is one; every later step repeats it.
    pub interruption: Option<Interruption>,
    /// What to do with body bytes that follow.
    pub body: BodyPlan,
}

/// What `prepend` and `append` put around the response body, while SecContentInjection is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyEdits {
    /// Goes before the body; the last `prepend` counts, as in v2.
    pub prepend: Vec<u8>,
    /// Goes after the body; the last `append` counts.
    pub append: Vec<u8>,
}

/// A body that rules changed with `@rsub`: the host sends it on instead of what came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplacedBody {
    /// What is sent.
    pub bytes: Vec<u8>,
    /// How many bytes from the start of the body it stands for: the whole body, or as much as was
    /// taken of one that went on beyond its limit. What follows passes as it is.
    pub replaces: usize,
}

/// Limits that a transaction came to, whatever followed from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LimitsReached {
    /// SecParapetWorkLimit: what was left was not evaluated, and without an interruption it passes so.
    pub work: bool,
    /// SecArgumentsLimit.
    pub arguments: bool,
    /// SecRequestBodyLimit, SecRequestBodyNoFilesLimit, or what a compressed body may grow to.
    pub request_body: bool,
    /// SecResponseBodyLimit, or the same of a response.
    pub response_body: bool,
}

impl LimitsReached {
    /// Whether there is one.
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

/// One rule that matched and wants to be logged, or that is part of the verdict; with the id 0, a
/// limit of the configuration that stopped the transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleMatch {
    /// The rule's (for a chain: the starter's) id.
    pub rule_id: u64,
    /// 1 to 5.
    pub phase: u8,
    /// File and line of the rule.
    pub file: std::sync::Arc<str>,
    /// See `file`.
    pub line: u32,
    /// `rev`, `ver`, `msg`, `logdata` with macros expanded; empty where the rule has none.
    pub rev: Vec<u8>,
    /// See `rev`.
    pub ver: Vec<u8>,
    /// See `rev`.
    pub msg: Vec<u8>,
    /// See `rev`.
    pub data: Vec<u8>,
    /// 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// `maturity`.
    pub maturity: Option<u8>,
    /// `accuracy`.
    pub accuracy: Option<u8>,
    /// Tags with macros expanded.
    pub tags: Vec<Vec<u8>>,
    /// Which of the first 64 tags stand in the rule as they are, by bit; others have macros, and
    /// clients choose what becomes of them.
    pub fixed_tags: u64,
    /// What matched, as a person reads it: `Pattern match "…" at ARGS:x.`
    pub explanation: Vec<u8>,
    /// The last matched target's name, such as `ARGS:x`, and its value after transformation.
    pub target: Vec<u8>,
    /// See `target`. Not for the logs: see `sensitive`.
    pub value: Vec<u8>,
    /// The value is one that no log shows ([`crate::program::SensitiveNames`]); `msg`, `data` and
    /// `tags` show [`REDACTED`](super::REDACTED) where they would show it.
    pub sensitive: bool,
    /// `log`: belongs in the error log.
    pub log: bool,
    /// `auditlog`: makes the transaction relevant for the audit log.
    pub audit: bool,
    /// The interruption this match caused; `None` also under DetectionOnly.
    pub interruption: Option<Interruption>,
}

/// What every log line of one transaction says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogContext {
    /// REMOTE_ADDR.
    pub client: Vec<u8>,
    /// SERVER_NAME.
    pub hostname: Vec<u8>,
    /// REQUEST_URI.
    pub uri: Vec<u8>,
    /// UNIQUE_ID.
    pub unique_id: Vec<u8>,
    /// See [`Connection::request_id`].
    pub request_id: Vec<u8>,
}
