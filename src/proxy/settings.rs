//! How the filter behaves apart from its rules.

use super::collector::CollectorSettings;
use super::denial::DenialPage;
use super::holding::HoldHeaders;

/// What happens to a stream when the host, or the order of its callbacks, is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnError {
    /// It is refused.
    #[default]
    Deny,
    /// It passes without further inspection.
    Allow,
}

/// What happens to the bodies of gRPC calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Grpc {
    /// They pass as they come: a call may be a stream that never ends.
    #[default]
    Stream,
    /// They are held and inspected like any other; for services with unary calls only.
    Inspect,
}

/// What happens to the request's `accept-encoding`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AcceptEncoding {
    /// It goes on to the upstream.
    #[default]
    Keep,
    /// It is removed, so that the upstream answers in a form the response rules can read.
    Remove,
}

/// What filter state tells access logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FilterState {
    /// Denials, and what passes uninspected.
    #[default]
    Denied,
    /// Every verdict.
    All,
}

/// The entries of filter state that are values of TX variables: the name of each, and the variables
/// of which the first that has a value counts; in lower case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scores(pub Vec<(String, Vec<String>)>);

impl Default for Scores {
    /// The scores that the Core Rule Set decides on, of its version 4 and of 3.
    fn default() -> Self {
        let entry = |name: &str, variables: [&str; 2]| {
            (name.to_owned(), variables.map(str::to_owned).to_vec())
        };
        Self(vec![
            entry("score", ["blocking_inbound_anomaly_score", "anomaly_score"]),
            entry(
                "outbound_score",
                ["blocking_outbound_anomaly_score", "outbound_anomaly_score"],
            ),
        ])
    }
}

/// What tags begin with whose matches are counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetricTags(pub Vec<String>);

impl Default for MetricTags {
    /// The families that the Core Rule Set's rules belong to, such as `attack-sqli`.
    fn default() -> Self {
        Self(vec!["attack-".to_owned()])
    }
}

/// A header by which an operator asks for the debug log of one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DebugHeader {
    /// Its name, in lower case.
    pub name: String,
    /// The variable in the VM's environment whose value it must have.
    pub secret_env: String,
    /// SecDebugLogLevel for the request.
    pub level: u8,
}

/// Envoy's own limit of what it keeps of a body: `per_connection_buffer_limit_bytes` of a listener.
pub const BUFFER_LIMIT: usize = 1 << 20;

/// What the transactions of a VM may hold together unless it is set, in bytes: a quarter of what
/// Envoy gives a VM, since evaluating takes memory for itself.
pub const BYTES_IN_FLIGHT_LIMIT: usize = 256 << 20;

/// The settings of a plugin configuration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// Whether heads wait for the verdict on their bodies.
    pub hold_headers: HoldHeaders,
    /// How long a held head may wait before the host has proved that it holds, in milliseconds.
    pub hold_timeout_ms: Option<u32>,
    /// Whether an address that a header brought in counts as the client's.
    pub forwarded_trusted: bool,
    /// See [`OnError`].
    pub on_error: OnError,
    /// Bytes of a body that the host keeps, if it is known; otherwise [`BUFFER_LIMIT`] is assumed
    /// where it matters.
    pub buffer_limit: Option<usize>,
    /// Bytes that all transactions of the VM may hold together.
    pub bytes_in_flight_limit: Option<usize>,
    /// What happens to a stream beyond that.
    pub on_overload: OnError,
    /// See [`Grpc`].
    pub grpc: Grpc,
    /// See [`AcceptEncoding`].
    pub accept_encoding: AcceptEncoding,
    /// What denials look like.
    pub denial: DenialPage,
    /// See [`FilterState`].
    pub filter_state: FilterState,
    /// See [`Scores`].
    pub scores: Scores,
    /// Fixed labels of counters and histograms.
    pub metric_labels: Vec<(String, String)>,
    /// See [`MetricTags`].
    pub metric_tags: MetricTags,
    /// Where audit records go by HTTP.
    pub collector: Option<CollectorSettings>,
    /// Lets operators ask for the debug log of one request.
    pub debug_header: Option<DebugHeader>,
    /// See [`Settings::engine_time_every`].
    pub engine_time_every: Option<u32>,
}

impl Settings {
    /// What the transactions of a VM may hold together, in bytes.
    pub fn bytes_in_flight_limit(&self) -> usize {
        self.bytes_in_flight_limit.unwrap_or(BYTES_IN_FLIGHT_LIMIT)
    }

    /// What tags begin with whose matches are counted.
    pub fn metric_tags(&self) -> &[String] {
        &self.metric_tags.0
    }

    /// One in so many transactions is timed; 0: none. The clock is a call into the host, twice for each
    /// step.
    pub fn engine_time_every(&self) -> u32 {
        self.engine_time_every.unwrap_or(16)
    }

    /// What access logs show of TX variables.
    pub fn scores(&self) -> &[(String, Vec<String>)] {
        &self.scores.0
    }

    /// How long a held head may wait, in milliseconds: what is configured, or else a second where
    /// heads are then let go and fifteen where they are then refused.
    pub fn hold_timeout(&self) -> u32 {
        self.hold_timeout_ms.unwrap_or(match self.hold_headers {
            HoldHeaders::Required => 15_000,
            HoldHeaders::Auto | HoldHeaders::Off => 1_000,
        })
    }
}
