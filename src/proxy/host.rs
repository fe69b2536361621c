//! What the filter needs of a proxy-wasm host, as plain calls.
//!
//! Nothing here panics and nothing assumes text: the state machine runs natively over any
//! implementation, and every failure of the host is a value that it must decide on.

use super::pairs::Pairs;
use crate::engine::UnixNanos;

/// One of the maps of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderMap {
    /// Head of the request.
    Request,
    /// Head of the response.
    Response,
    /// Head of the answer to a call of ours.
    CallResponse,
}

/// A request of our own to another service.
#[derive(Clone, Copy, Debug)]
pub struct HttpCall<'a> {
    /// What the host calls the service; in Envoy a cluster.
    pub upstream: &'a str,
    /// Names and values; the pseudo headers `:method`, `:path` and `:authority` must be there.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body.
    pub body: &'a [u8],
    /// How long the answer may take, in milliseconds.
    pub timeout_ms: u32,
}

/// A call under way, as the host numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallToken(pub u32);

/// One half of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the client to the upstream.
    Request,
    /// From the upstream to the client.
    Response,
}

/// Severity of a line in the host's log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Finest.
    Trace,
    /// For those who look for a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is not as it should be.
    Warn,
    /// Something failed.
    Error,
    /// Somebody should look now.
    Critical,
}

/// How a host call failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostError {
    /// The thing asked for is not there (status 1).
    NotFound,
    /// The call is not allowed now, or an argument is wrong (status 2).
    BadArgument,
    /// Somebody else wrote in between (status 8).
    CasMismatch,
    /// The host does not have the call (status 12).
    Unimplemented,
    /// The host answered with bytes that cannot be read.
    Malformed,
    /// Any other status.
    Other(u32),
}

impl HostError {
    /// The error of a proxy-wasm status; `None` for 0, which is success.
    pub fn from_status(status: u32) -> Option<Self> {
        match status {
            0 => None,
            1 => Some(Self::NotFound),
            2 => Some(Self::BadArgument),
            8 => Some(Self::CasMismatch),
            12 => Some(Self::Unimplemented),
            other => Some(Self::Other(other)),
        }
    }
}

/// What a metric counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Takes samples.
    Histogram,
}

/// A metric as the host numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MetricId(pub u32);

/// Where bytes go in a body buffer; hosts refuse the middle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Before everything.
    Front,
    /// After everything.
    Back,
    /// In place of everything.
    Whole,
}

/// An answer that the filter gives in place of the upstream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LocalReply {
    /// HTTP status.
    pub status: u16,
    /// Names and values; no pseudo headers.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Body.
    pub body: Vec<u8>,
    /// Becomes `%RESPONSE_CODE_DETAILS%`; no spaces.
    pub details: String,
}

/// A proxy-wasm host. Calls about a stream mean the stream whose callback is running, or the one
/// made effective with [`Host::set_effective_context`].
pub trait Host: std::fmt::Debug {
    /// All pairs of a map, read in one call: order, repeats and odd bytes as they are.
    ///
    /// # Errors
    /// The map is not available in this callback, or cannot be read.
    fn headers(&self, map: HeaderMap) -> Result<Pairs, HostError>;

    /// Removes a header of the map.
    ///
    /// # Errors
    /// The map is not available in this callback.
    fn remove_header(&self, map: HeaderMap, name: &str) -> Result<(), HostError>;

    /// Gives a header of the map one value, in place of all it had.
    ///
    /// # Errors
    /// The map is not available in this callback.
    fn set_header(&self, map: HeaderMap, name: &str, value: &[u8]) -> Result<(), HostError>;

    /// Bytes `start..start + length` of the body buffer; fewer where the buffer ends earlier.
    ///
    /// # Errors
    /// No buffer is available in this callback.
    fn body(&self, body: Direction, start: usize, length: usize) -> Result<Vec<u8>, HostError>;

    /// Writes into the body buffer. The caller sees to the length that the head announces.
    ///
    /// # Errors
    /// No buffer is available in this callback, or the host does not let it be changed.
    fn set_body(&self, body: Direction, place: Place, bytes: &[u8]) -> Result<(), HostError>;

    /// A property; `None` where the host has none or fails to give it. The parts of its path stand
    /// as the ABI has them, with a NUL between: `source\0address`.
    fn property(&self, path: &str) -> Option<Vec<u8>>;

    /// Stores a property; Envoy keeps it as filter state `wasm.NAME`.
    ///
    /// # Errors
    /// The host refused.
    fn set_property(&self, path: &str, value: &[u8]) -> Result<(), HostError>;

    /// Answers in place of the upstream.
    ///
    /// # Errors
    /// The host refused; nothing was sent.
    fn reply(&self, reply: &LocalReply) -> Result<(), HostError>;

    /// Lets a paused half go on.
    ///
    /// # Errors
    /// The host refused.
    fn resume(&self, direction: Direction) -> Result<(), HostError>;

    /// Resets the stream.
    ///
    /// # Errors
    /// The host refused.
    fn close(&self, direction: Direction) -> Result<(), HostError>;

    /// Writes a line to the host's log. The caller has escaped and cut it.
    fn log(&self, level: Level, line: &[u8]);

    /// The wall clock.
    fn now(&self) -> UnixNanos;

    /// Fills a buffer with random bytes; `false` where the host has none, and the bytes are merely not the
    /// same twice.
    fn random(&self, bytes: &mut [u8]) -> bool;

    /// Defines a metric. Every call makes a new entry in the host: keep the id.
    ///
    /// # Errors
    /// The host has no metrics or refuses the name.
    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<MetricId, HostError>;

    /// Adds to a counter or gauge.
    ///
    /// # Errors
    /// The metric is unknown.
    fn increment_metric(&self, metric: MetricId, by: i64) -> Result<(), HostError>;

    /// Sets a gauge or gives a histogram a sample.
    ///
    /// # Errors
    /// The metric is unknown.
    fn record_metric(&self, metric: MetricId, value: u64) -> Result<(), HostError>;

    /// A value that all VMs with one id share, and the number of its last write.
    ///
    /// # Errors
    /// Nobody has written it ([`HostError::NotFound`]), or the host shares no data.
    fn shared_data(&self, key: &[u8]) -> Result<(Vec<u8>, u32), HostError>;

    /// Writes such a value if `cas` is the number of its last write, or 0. The host never forgets a
    /// key, and sets no limit. In Envoy a value that nobody has written takes any number, so that one
    /// that no write ever had means "only if it is not there".
    ///
    /// # Errors
    /// Somebody else wrote in between ([`HostError::CasMismatch`]), or the host shares no data.
    fn set_shared_data(&self, key: &[u8], value: &[u8], cas: u32) -> Result<(), HostError>;

    /// Sends a request of our own; the answer comes to the context whose callback is running.
    ///
    /// # Errors
    /// The service is unknown, or the host sends no requests.
    fn call(&self, call: &HttpCall<'_>) -> Result<CallToken, HostError>;

    /// Makes later calls of this callback act on another context.
    ///
    /// # Errors
    /// The context is unknown.
    fn set_effective_context(&self, context: u32) -> Result<(), HostError>;

    /// Asks for a tick every so many milliseconds; 0 stops them.
    ///
    /// # Errors
    /// The host has no timers.
    fn set_tick_period(&self, milliseconds: u32) -> Result<(), HostError>;

    /// A variable of the VM's environment, which its configuration alone sets.
    fn environment(&self, name: &str) -> Option<Vec<u8>>;

    /// The plugin configuration, `size` bytes long; only while it is being configured.
    ///
    /// # Errors
    /// The host failed to give all of it.
    fn plugin_configuration(&self, size: usize) -> Result<Vec<u8>, HostError>;
}
