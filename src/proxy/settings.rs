//! How the filter behaves apart from its rules.

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
    /// See [`Grpc`].
    pub grpc: Grpc,
    /// See [`AcceptEncoding`].
    pub accept_encoding: AcceptEncoding,
    /// What denials look like.
    pub denial: DenialPage,
    /// Fixed labels of the interruption counters.
    pub metric_labels: Vec<(String, String)>,
}

impl Settings {
    /// How long a held head may wait, in milliseconds: what is configured, or else a second where
    /// heads are then let go and fifteen where they are then refused.
    pub fn hold_timeout(&self) -> u32 {
        self.hold_timeout_ms.unwrap_or(match self.hold_headers {
            HoldHeaders::Required => 15_000,
            HoldHeaders::Auto | HoldHeaders::Off => 1_000,
        })
    }
}
