//! The response: from bytes to variables.

use super::api::ResponseHead;
use super::request::over_limit;
use super::state::State;
use crate::action::Phase;
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
        (inspected || injected).then(|| ResponseBody {
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
    bytes: Vec<u8>,
    length: usize,
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
        if self.inspected {
            self.bytes.extend_from_slice(taken);
        }
        if chunk.len() <= room {
            return false;
        }
        if !self.inspected {
            return true;
        }
        state.set(V::OutboundDataError, b"1");
        let reject = state.program.settings.response_body_limit_action == BodyLimitAction::Reject;
        if reject && state.switches.engine == EngineMode::On {
            state.refuse(
                Phase::ResponseBody,
                OVER_LIMIT,
                &over_limit("Response body", limit),
            );
        }
        true
    }

    /// Fills RESPONSE_BODY.
    pub(super) fn finish(self, state: &mut State) {
        if !self.inspected {
            return;
        }
        state.set(V::ResponseBody, &self.bytes);
        if state.program.settings.stream_output {
            state.set(V::StreamOutputBody, &self.bytes);
            state.response_stream.taken = self.bytes.len();
        }
    }
}
