//! One request and its answer, driven through the filter as Envoy drives them.

use super::plugin::Plugin;
use super::run::{Run, status};
use super::stream::Stream;
use super::{HostError, Pairs};

/// A message on its way through the filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incoming {
    /// The head, pseudo headers included, names in lower case.
    pub headers: Pairs,
    /// The body as it arrives. No chunk and no trailers: the head ends the stream.
    pub chunks: Vec<Vec<u8>>,
    /// Trailers; with them no body callback carries the end of the stream.
    pub trailers: Pairs,
    /// The last chunk carries the end of the stream (HTTP/2); otherwise an empty piece after it
    /// does (HTTP/1.1).
    pub end_with_last_chunk: bool,
}

/// What happens on one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The request.
    pub request: Incoming,
    /// `request.protocol`.
    pub protocol: Vec<u8>,
    /// `source.address`, such as `192.0.2.7:41090`.
    pub source: Vec<u8>,
    /// `destination.address`.
    pub destination: Vec<u8>,
    /// The upstream answers before it has the body (only possible when its head is not held).
    pub answer_before_body: bool,
    /// The proxy itself answers with this status before the filter sees any headers, as it does
    /// for a request it cannot parse: the filter only gets `on_log`.
    pub rejected_by_proxy: Option<u16>,
}

/// What the upstream was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamRequest {
    /// The head as the filter left it.
    pub headers: Pairs,
    /// The body that was let through.
    pub body: Vec<u8>,
    /// Trailers.
    pub trailers: Pairs,
    /// The whole request arrived.
    pub complete: bool,
}

/// A message the client was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The head, `:status` included.
    pub headers: Pairs,
    /// The body that was let through.
    pub body: Vec<u8>,
    /// Trailers.
    pub trailers: Pairs,
}

/// An answer the filter gave itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalReply {
    /// Its status.
    pub status: u16,
    /// The response code details of the access log.
    pub details: Vec<u8>,
    /// Its headers.
    pub headers: Pairs,
    /// Its body.
    pub body: Vec<u8>,
    /// Its gRPC status, if one was given.
    pub grpc_status: Option<u32>,
}

/// What the client got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The upstream's answer.
    Upstream(Response),
    /// The filter's own answer.
    Local(LocalReply),
    /// An answer of the proxy: status and response code details.
    Proxy(u16, &'static str),
    /// The upstream's head and then a cut.
    Cut(Response),
    /// The connection was closed without an answer.
    Closed,
    /// Nothing: the filter paused and never went on.
    Nothing,
}

impl Reply {
    /// The status the client saw, if it saw one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Upstream(response) | Self::Cut(response) => status(&response.headers),
            Self::Local(reply) => Some(reply.status),
            Self::Proxy(status, _) => Some(*status),
            Self::Closed | Self::Nothing => None,
        }
    }
}

/// What came of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the client got.
    pub reply: Reply,
    /// What reached the upstream; `None` if it never heard of the request.
    pub upstream: Option<UpstreamRequest>,
    /// The properties the filter set, by their filter state key (`wasm.` and the path).
    pub filter_state: std::collections::BTreeMap<Vec<u8>, Vec<u8>>,
    /// A body left that does not have the length its head announced. On a real connection this
    /// hangs or smuggles; no filter may do it.
    pub length_broken: bool,
}

impl Plugin {
    /// Runs one exchange. `upstream` answers a request that reaches it.
    ///
    /// # Errors
    ///
    /// [`HostError::Trap`]; the VM is dead afterwards.
    pub fn exchange(
        &mut self,
        exchange: &Exchange,
        upstream: &mut dyn FnMut(&UpstreamRequest) -> Incoming,
    ) -> Result<Outcome, HostError> {
        let id = self.open(Stream {
            source: exchange.source.clone(),
            destination: exchange.destination.clone(),
            protocol: exchange.protocol.clone(),
            started: self.settings().clock.wall(),
            ..Stream::default()
        })?;
        let mut run = Run::new(self, id);
        let (reply, upstream) = match exchange.rejected_by_proxy {
            Some(status) => (Reply::Proxy(status, "http1.codec_error"), None),
            None => run.both_ways(exchange, upstream)?,
        };
        let length_broken = run.length_broken();
        if let Some(stream) = self.stream(id) {
            stream.status = reply.status();
        }
        self.close(id)?;
        let filter_state = self
            .remove(id)
            .map(|stream| stream.filter_state)
            .unwrap_or_default();
        Ok(Outcome {
            reply,
            upstream,
            filter_state,
            length_broken,
        })
    }
}
