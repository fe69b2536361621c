//! The response: from bytes to variables.

use super::api::ResponseHead;
use super::request_body::over_limit;
use super::state::State;
use crate::action::Phase;
use crate::body::coding::{self, Fault, Inflater};
use crate::http::{self, content_type};
use crate::program::{BodyLimitAction, EngineMode};
use crate::variable::Variable as V;

/// The status of a response body over its limit, as in v2.
const OVER_LIMIT: u16 = 500;
/// What SecResponseBodyMimeType calls a response without a type.
const NO_TYPE: &[u8] = b"null";

impl State {
    /// Fills the variables of phase 3.
    pub(super) fn fill_response_head(&mut self, head: &ResponseHead<'_>) {
        let status = head.status.to_string();
        self.set(V::ResponseStatus, status.as_bytes());
        self.set(V::ResponseProtocol, head.protocol);
        let line = match http::status::reason(head.status) {
            Some(reason) => format!("{status} {reason}"),
            None => status,
        };
        self.set(V::StatusLine, line.as_bytes());
        for &(name, value) in head.headers {
            self.push(V::ResponseHeaders, name, value);
        }
        if let Some(content_type) = http::header(head.headers, b"content-type") {
            self.set(V::ResponseContentType, content_type);
        }
        if let Some(length) = http::header(head.headers, b"content-length") {
            self.set(V::ResponseContentLength, length);
        }
    }

    /// What holds the response body; none where it is not inspected.
    pub(super) fn response_body(&mut self, head: &ResponseHead<'_>) -> Option<ResponseBody> {
        let inspected = self.is_response_inspected(head);
        // Held only so that it can be changed.
        let injected = !self.edits.prepend.is_empty() || !self.edits.append.is_empty();
        let settings = &self.program.settings;
        let inflater = if inspected && settings.inflate_response_body {
            // A coding that is not known here leaves the body as it is.
            coding::codings(head.headers, settings.limits.coding_layers)
                .ok()
                .filter(|codings| !codings.is_empty())
                .map(|codings| Inflater::new(&codings, settings.limits.expansion))
        } else {
            None
        };
        let streams = inflater.is_some() && settings.stream_output;
        (inspected || injected).then(|| ResponseBody {
            inflater,
            stream: streams.then(Vec::new),
            inspected,
            ..ResponseBody::default()
        })
    }

    fn is_response_inspected(&self, head: &ResponseHead<'_>) -> bool {
        if !self.switches.response_body_access || !self.runs(Phase::ResponseBody) {
            return false;
        }
        let full = http::header(head.headers, b"content-type").unwrap_or(NO_TYPE);
        let wanted = content_type::media_type(full).to_ascii_lowercase();
        let types = &self.program.settings.response_body_mime_types;
        types.iter().any(|one| **one == *wanted)
    }
}

/// A response body on its way into RESPONSE_BODY.
#[derive(Default)]
pub(super) struct ResponseBody {
    /// Takes off the codings, where there are any.
    inflater: Option<Inflater>,
    /// The bytes that came, where they are coded and STREAM_OUTPUT_BODY shows them.
    stream: Option<Vec<u8>>,
    /// What RESPONSE_BODY will show.
    bytes: Vec<u8>,
    /// Bytes that came.
    length: usize,
    /// What coded bytes stand for goes beyond the limit.
    over: bool,
    /// Whether rules look into it. Otherwise it waits for what goes around it.
    inspected: bool,
}

impl ResponseBody {
    /// Holds bytes. `true` says that the body is over its limit and nothing more is held.
    pub(super) fn feed(&mut self, chunk: &[u8], state: &mut State) -> bool {
        let limit = state.switches.response_body_limit;
        let room = limit.saturating_sub(self.length);
        let taken = chunk.get(..room).unwrap_or(chunk);
        self.length = self.length.saturating_add(taken.len());
        if let Some(stream) = &mut self.stream {
            stream.extend_from_slice(taken);
        }
        if let Some(mut inflater) = self.inflater.take() {
            inflater.feed(taken, &mut |piece| self.keep(piece, limit));
            self.inflater = Some(inflater);
        } else if self.inspected {
            self.bytes.extend_from_slice(taken);
        }
        let over = self.over || chunk.len() > room;
        if over && self.inspected {
            state.over_response_limit();
        }
        over
    }

    /// Keeps what coded bytes stand for. False beyond the limit.
    fn keep(&mut self, piece: &[u8], limit: usize) -> bool {
        let room = limit.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(piece.get(..room).unwrap_or(piece));
        self.over = piece.len() > room;
        !self.over
    }

    /// Fills RESPONSE_BODY.
    pub(super) fn finish(mut self, state: &mut State) {
        if !self.inspected {
            return;
        }
        if let Some(inflater) = self.inflater.take().filter(|_| !self.over) {
            let limit = state.switches.response_body_limit;
            let result = inflater.finish(&mut |piece| self.keep(piece, limit));
            if self.over {
                state.over_response_limit();
            } else if result == Err(Fault::Expands) {
                state.set(V::OutboundDataError, b"1");
            }
        }
        state.set(V::ResponseBody, &self.bytes);
        if state.program.settings.stream_output {
            let stream = self.stream.as_ref().unwrap_or(&self.bytes);
            state.set(V::StreamOutputBody, stream);
            state.response_stream.taken = stream.len();
        }
    }
}

impl State {
    /// Notes that a response is over its limit, and refuses it if that is what the limit is for.
    fn over_response_limit(&mut self) {
        self.set(V::OutboundDataError, b"1");
        let reject = self.program.settings.response_body_limit_action == BodyLimitAction::Reject;
        if reject && self.switches.engine == EngineMode::On {
            let limit = self.switches.response_body_limit;
            let why = over_limit("Response body", limit);
            self.refuse(Phase::ResponseBody, OVER_LIMIT, &why);
        }
    }
}
