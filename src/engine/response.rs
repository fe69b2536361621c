//! The response: from bytes to variables.

use super::api::ResponseHead;
use super::request::over_limit;
use super::state::State;
use crate::action::Phase;
use crate::body::{self, File, Kind, Processor, Sink};
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
        let wanted = self.switches.response_body_access && self.runs(Phase::ResponseBody);
        if !wanted {
            return None;
        }
        let full = http::header(head.headers, b"content-type").unwrap_or(NO_TYPE);
        let wanted = content_type::media_type(full).to_ascii_lowercase();
        let types = &self.program.settings.response_body_mime_types;
        types
            .iter()
            .any(|one| **one == *wanted)
            .then(ResponseBody::default)
    }
}

/// A response body on its way into RESPONSE_BODY.
#[derive(Default)]
pub(super) struct ResponseBody {
    bytes: Vec<u8>,
}

impl ResponseBody {
    /// Holds bytes. `true` says that the body is over its limit and nothing more is held.
    pub(super) fn feed(&mut self, chunk: &[u8], state: &mut State) -> bool {
        let limit = state.switches.response_body_limit;
        let room = limit.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if chunk.len() <= room {
            return false;
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
        state.set(V::ResponseBody, &self.bytes);
        if state.store.scalar(V::ResponseContentLength).is_none() {
            // What the backend did not declare is counted, as v3 and Coraza always do.
            let length = self.bytes.len().to_string();
            state.set(V::ResponseContentLength, length.as_bytes());
        }
        state.process_response(&self.bytes);
        if state.program.settings.stream_output {
            state.set(V::StreamOutputBody, &self.bytes);
            state.response_stream.taken = self.bytes.len();
        }
    }
}

impl State {
    /// Reads the body with the processor that `ctl:responseBodyProcessor` chose, as Coraza does:
    /// JSON into RESPONSE_ARGS, XML into RESPONSE_XML.
    fn process_response(&mut self, bytes: &[u8]) {
        let mut name = Vec::new();
        self.scalar(V::ResBodyProcessor, &mut name);
        if name.is_empty() || bytes.is_empty() {
            return;
        }
        let kind = Kind::by_name(&name).filter(|kind| matches!(kind, Kind::Json | Kind::Xml));
        let error = match kind {
            Some(kind) => {
                let settings = &self.program.settings;
                let mut processor = Processor::new(
                    kind,
                    b"",
                    body::Settings {
                        limits: settings.limits.clone(),
                        argument_separator: settings.argument_separator,
                        xml_into_args: body::XmlIntoArgs::Off,
                        extract_files: false,
                        other_names: false,
                    },
                );
                let mut members = Members(self);
                processor.feed(bytes, &mut members);
                let finished = match members.0.scalar_is(V::OutboundDataError, b"1") {
                    true => processor.finish_cut(&mut members),
                    false => processor.finish(&mut members),
                };
                self.response_xml = finished.xml;
                finished.error
            }
            None => Some(format!(
                "Unknown response body processor: {}",
                name.escape_ascii()
            )),
        };
        if let Some(error) = error {
            self.set(V::ResBodyError, b"1");
            self.set(V::ResBodyErrorMsg, error.as_bytes());
        }
    }

    fn scalar_is(&self, variable: V, text: &[u8]) -> bool {
        self.store
            .scalar(variable)
            .is_some_and(|value| self.values.get(value) == text)
    }
}

/// Takes the members of a response body.
struct Members<'a>(&'a mut State);

impl Sink for Members<'_> {
    fn argument(&mut self, name: &[u8], value: &[u8]) -> bool {
        let count = self.0.store.collection(V::ResponseArgs).len();
        if count >= self.0.program.settings.limits.arguments {
            return false;
        }
        self.0.push(V::ResponseArgs, name, value);
        true
    }

    fn file(&mut self, _: &File<'_>) {}

    fn part_header(&mut self, _: &[u8], _: &[u8]) {}
}
