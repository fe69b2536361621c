//! The response: from bytes to variables.

use super::api::ResponseHead;
use super::request_body::over_limit;
use super::state::State;
use crate::action::Phase;
use crate::body::coding::{self, Fault, Inflater};
use crate::body::{self, File, Kind, MemberName, Processor, Sink};
use crate::bytes::Decimal;
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
        let status = Decimal::new(head.status.into());
        self.set(V::ResponseStatus, status.as_bytes());
        let reads = &self.program.reads;
        let (protocol, line) = (
            reads.contains(V::ResponseProtocol) || self.kept.is_some(),
            reads.contains(V::StatusLine),
        );
        if protocol {
            self.set(V::ResponseProtocol, head.protocol);
        }
        if line {
            let mut line = status.as_bytes().to_vec();
            if let Some(reason) = http::status::reason(head.status) {
                line.push(b' ');
                line.extend_from_slice(reason.as_bytes());
            }
            self.set(V::StatusLine, &line);
        }
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
        if inspected && self.refuses_long_responses() && self.declares_too_much(head) {
            self.over_response_limit();
            return None;
        }
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

    /// Whether a head tells of a body over the limit: it can be refused before any of it has come.
    fn declares_too_much(&self, head: &ResponseHead<'_>) -> bool {
        if matches!(head.status, 204 | 304) || self.scalar_is(V::RequestMethod, b"HEAD") {
            // The length of a body that does not follow.
            return false;
        }
        http::header(head.headers, b"content-length")
            .and_then(|length| std::str::from_utf8(length).ok()?.trim().parse::<u64>().ok())
            .is_some_and(|length| {
                usize::try_from(length).map_or(true, |n| n > self.switches.response_body_limit)
            })
    }

    /// DetectionOnly never refuses, as in v2.
    fn refuses_long_responses(&self) -> bool {
        self.switches.engine == EngineMode::On
            && self.program.settings.response_body_limit_action == BodyLimitAction::Reject
    }

    fn is_response_inspected(&self, head: &ResponseHead<'_>) -> bool {
        if !self.switches.response_body_access || !self.runs(Phase::ResponseBody) {
            return false;
        }
        let full = http::header(head.headers, b"content-type").unwrap_or(NO_TYPE);
        let wanted = content_type::media_type(full);
        let types = &self.program.settings.response_body_mime_types;
        types.iter().any(|one| one.eq_ignore_ascii_case(wanted))
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
    /// Bytes of memory that the open body takes.
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes
            .capacity()
            .saturating_add(self.stream.as_ref().map_or(0, Vec::capacity))
            .saturating_add(self.inflater.as_ref().map_or(0, Inflater::held_bytes))
    }

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
                state.note_response_limit();
            }
        }
        state.set(V::ResponseBody, &self.bytes);
        if state.store.scalar(V::ResponseContentLength).is_none() {
            // What the backend did not declare is counted, as v3 and Coraza always do.
            let length = self.bytes.len().to_string();
            state.set(V::ResponseContentLength, length.as_bytes());
        }
        state.process_response(&self.bytes);
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
        self.note_response_limit();
        if self.refuses_long_responses() {
            let limit = self.switches.response_body_limit;
            let why = over_limit("Response body", limit);
            self.refuse(Phase::ResponseBody, OVER_LIMIT, &why);
        }
    }

    fn note_response_limit(&mut self) {
        self.set(V::OutboundDataError, b"1");
        self.limits_reached.response_body = true;
    }

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
                        charsets: settings.decode_charsets,
                        other_names: self.program.names_arguments,
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
        if count >= self.0.program.settings.limits.arguments || self.0.work.is_spent() {
            return false;
        }
        self.0.push(V::ResponseArgs, name, value);
        true
    }

    fn member(&mut self, name: &MemberName<'_>, value: &[u8]) -> bool {
        if !self.argument(name.reported, value) {
            return false;
        }
        self.0.other_names(V::ResponseArgs, name);
        true
    }

    fn file(&mut self, _: &File<'_>) {}

    fn part_header(&mut self, _: &[u8], _: &[u8]) {}
}
