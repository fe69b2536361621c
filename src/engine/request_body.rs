//! The request body: from bytes to variables.

use std::sync::Arc;

use super::api::RequestHead;
use super::state::State;
use crate::action::{Phase, XmlArgs};
use crate::body::coding::{self, Coding, Fault, Inflater};
use crate::body::{self, File, Finished, Kind, MemberName, Processor, Sink};
use crate::bytes::{Decimal, leading_integer};
use crate::http;
use crate::program::{BodyLimitAction, EngineMode};
use crate::variable::Variable as V;

/// The status of a request body over its limit, as in v2.
const TOO_LARGE: u16 = 413;

impl State {
    /// What reads the request body; none where it is not inspected, or already too large.
    pub(super) fn request_body(&mut self, head: &RequestHead<'_>) -> Option<RequestBody> {
        let wanted = self.switches.request_body_access && self.runs(Phase::RequestBody);
        if !wanted {
            return None;
        }
        let limit = self.switches.request_body_limit;
        let declared = http::header(head.headers, b"content-length")
            .and_then(|length| std::str::from_utf8(length).ok())
            .and_then(|length| length.trim().parse::<u64>().ok());
        if declared.is_some_and(|length| usize::try_from(length).map_or(true, |n| n > limit))
            && self.rejects()
        {
            self.request_over_limit();
            self.refuse(
                Phase::RequestBody,
                TOO_LARGE,
                &over_limit("Request body", limit),
            );
            return None;
        }
        let content_type = http::header(head.headers, b"content-type").unwrap_or_default();
        let settings = &self.program.settings;
        let codings = if settings.inflate_request_body {
            coding::codings(head.headers, settings.limits.coding_layers)
        } else {
            Ok(Vec::new())
        };
        Some(RequestBody::new(self, content_type, codings))
    }

    /// Whether a body over its limit is refused. DetectionOnly never refuses, as in v2.
    fn rejects(&self) -> bool {
        self.switches.engine == EngineMode::On
            && self.switches.request_body_limit_action == BodyLimitAction::Reject
    }

    fn request_over_limit(&mut self) {
        self.set(V::InboundDataError, b"1");
        self.limits_reached.request_body = true;
    }

    /// Notes that a body is over a limit, and refuses it if that is what the limit is for.
    fn over_request_limit(&mut self, what: &str, limit: usize) {
        self.request_over_limit();
        if self.rejects() {
            self.refuse(Phase::RequestBody, TOO_LARGE, &over_limit(what, limit));
        }
    }
}

/// A request body on its way into variables.
pub(super) struct RequestBody {
    /// Takes off the codings, where there are any.
    inflater: Option<Inflater>,
    /// Why the codings stay.
    fault: Option<String>,
    /// Bytes that came.
    received: usize,
    /// These bytes, where they are coded and STREAM_INPUT_BODY shows them.
    stream: Option<Vec<u8>>,
    reading: Reading,
}

impl RequestBody {
    fn new(state: &mut State, content_type: &[u8], codings: Result<Vec<Coding>, String>) -> Self {
        let ratio = state.program.settings.limits.expansion;
        let (inflater, fault) = match codings {
            Ok(codings) if codings.is_empty() => (None, None),
            Ok(codings) => (Some(Inflater::new(&codings, ratio)), None),
            Err(why) => (None, Some(why)),
        };
        let streams = inflater.is_some() && state.program.settings.stream_input;
        Self {
            inflater,
            fault,
            received: 0,
            stream: streams.then(Vec::new),
            reading: Reading::new(state, content_type),
        }
    }

    /// Bytes of memory that the open body takes.
    pub(super) fn held_bytes(&self) -> usize {
        let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::capacity);
        let Reading {
            processor,
            raw,
            file,
            ..
        } = &self.reading;
        text(&self.stream)
            .saturating_add(text(raw))
            .saturating_add(file.capacity())
            .saturating_add(self.inflater.as_ref().map_or(0, Inflater::held_bytes))
            .saturating_add(processor.as_ref().map_or(0, Processor::held_bytes))
    }

    /// Reads bytes. `true` says that the body is over a limit and nothing more is read.
    pub(super) fn feed(&mut self, chunk: &[u8], state: &mut State) -> bool {
        let Some(inflater) = &mut self.inflater else {
            return self.reading.feed(chunk, state);
        };
        let limit = state.switches.request_body_limit;
        let room = limit.saturating_sub(self.received);
        let taken = chunk.get(..room).unwrap_or(chunk);
        self.received = self.received.saturating_add(taken.len());
        if let Some(stream) = &mut self.stream {
            stream.extend_from_slice(taken);
        }
        let reading = &mut self.reading;
        inflater.feed(taken, &mut |piece| !reading.feed(piece, state));
        if chunk.len() > room && !reading.cut {
            reading.cut = true;
            state.over_request_limit("Request body", limit);
        }
        reading.cut
    }

    /// Ends the body and fills what is known only now.
    pub(super) fn finish(self, state: &mut State) {
        let mut reading = self.reading;
        let mut fault = self.fault;
        if let Some(inflater) = self.inflater.filter(|_| self.received > 0) {
            let cut = reading.cut;
            match inflater.finish(&mut |piece| !reading.feed(piece, state)) {
                // The rest was not read.
                Err(Fault::Truncated) if cut => {}
                Err(found) => {
                    if found == Fault::Expands {
                        state.request_over_limit();
                    }
                    reading.cut = true;
                    let reason = found.reason();
                    fault = Some(format!("The compressed body cannot be read: {reason}."));
                }
                Ok(()) => {}
            }
        }
        if let Some(why) = fault.filter(|_| self.received > 0 || reading.length > 0) {
            state.body_error(&why);
        }
        reading.finish(self.stream.as_deref(), state);
    }
}

/// A body without its codings.
struct Reading {
    processor: Option<Processor>,
    /// The name of a processor that does not exist.
    unknown: Option<Box<str>>,
    /// The raw body, where some variable shows it.
    raw: Option<Vec<u8>>,
    /// Whether REQUEST_BODY does.
    fills_request_body: bool,
    /// What came so far of the file that is being extracted.
    file: Vec<u8>,
    length: usize,
    /// Where arguments go: ARGS_POST, or ARGS alone.
    collection: V,
    /// The body went on beyond a limit.
    cut: bool,
}

impl Reading {
    fn new(state: &mut State, content_type: &[u8]) -> Self {
        let program = Arc::clone(&state.program);
        let settings = &program.settings;
        let mut name = state.switches.body_processor.clone();
        if name.is_empty() && state.switches.force_request_body {
            name = Kind::UrlEncoded.name().into();
            state.set(V::ReqbodyProcessor, name.as_bytes());
        }
        let settings = body::Settings {
            limits: settings.limits.clone(),
            argument_separator: settings.argument_separator,
            xml_into_args: match state.switches.xml_into_args {
                XmlArgs::Off => body::XmlIntoArgs::Off,
                XmlArgs::On => body::XmlIntoArgs::On,
                XmlArgs::OnlyArgs => body::XmlIntoArgs::OnlyArgs,
            },
            extract_files: settings.keep_files
                || settings.save_files
                || program.reads.contains(V::FilesTmpContent),
            charsets: settings.decode_charsets,
            other_names: program.names_arguments,
        };
        let kind = Kind::by_name(name.as_bytes());
        // What no rule reads is not kept: an upload would take as much memory as it is long.
        let fills_request_body = program.reads.contains(V::RequestBody)
            && (state.switches.force_request_body || kind.is_some_and(Kind::keeps_body));
        let keeps = fills_request_body
            || program.settings.stream_input
            || program.reads.contains(V::FullRequest);
        Self {
            processor: kind.map(|kind| Processor::new(kind, content_type, settings)),
            unknown: (kind.is_none() && !name.is_empty()).then_some(name),
            raw: keeps.then(Vec::new),
            fills_request_body,
            file: Vec::new(),
            length: 0,
            collection: match kind {
                Some(kind) if !kind.fills_args_post() => V::Args,
                _ => V::ArgsPost,
            },
            cut: false,
        }
    }

    /// Reads bytes. `true` says that the body is over a limit and nothing more is read.
    fn feed(&mut self, chunk: &[u8], state: &mut State) -> bool {
        if state.work.is_spent() {
            // Phase 2 comes to nothing; why take more.
            self.cut = true;
            return true;
        }
        let limit = state.switches.request_body_limit;
        let room = limit.saturating_sub(self.length);
        let taken = chunk.get(..room.min(chunk.len())).unwrap_or_default();
        self.length = self.length.saturating_add(taken.len());
        if let Some(raw) = &mut self.raw {
            raw.extend_from_slice(taken);
        }
        state.keep_request_body(taken);
        let mut no_files = self.length;
        if let Some(processor) = &mut self.processor {
            processor.feed(
                taken,
                &mut Arguments {
                    state,
                    collection: self.collection,
                    file: &mut self.file,
                },
            );
            no_files = processor.no_files_length();
        }
        let over = chunk.len() > room;
        let over_no_files =
            no_files >= state.program.settings.request_body_no_files_limit && !taken.is_empty();
        if over {
            state.over_request_limit("Request body", limit);
        } else if over_no_files {
            let limit = state.program.settings.request_body_no_files_limit;
            state.over_request_limit("Request body without its files", limit);
        }
        self.cut = over || over_no_files;
        self.cut
    }

    /// Ends the body and fills what is known only now. `stream`: the bytes as they came, where
    /// they are coded.
    fn finish(mut self, stream: Option<&[u8]>, state: &mut State) {
        if let Some(name) = self.unknown {
            state.body_error(&format!("Unknown request body processor: {name}"));
        }
        // It is 0 without a value.
        if self.length > 0 {
            let length = Decimal::new(u64::try_from(self.length).unwrap_or(u64::MAX));
            state.set(V::RequestBodyLength, length.as_bytes());
        }
        // v2 leaves the other body variables alone when there was no body.
        if let Some(raw) = self.raw.take().filter(|_| self.length > 0) {
            if self.fills_request_body {
                state.set(V::RequestBody, &raw);
            }
            if state.program.settings.stream_input {
                let stream = stream.unwrap_or(&raw);
                state.set(V::StreamInputBody, stream);
                state.request_stream.taken = stream.len();
            }
            state.fill_full_request(&raw, self.length);
        } else if self.length > 0 {
            state.fill_full_request(b"", self.length);
        }
        if let Some(processor) = self.processor.filter(|_| self.length > 0) {
            let mut sink = Arguments {
                state,
                collection: self.collection,
                file: &mut self.file,
            };
            let finished = if self.cut {
                processor.finish_cut(&mut sink)
            } else {
                processor.finish(&mut sink)
            };
            if let Some(text) = finished.text.as_ref().filter(|_| self.fills_request_body) {
                state.set(V::RequestBody, text);
            }
            state.fill_finished(finished);
        }
    }
}

impl State {
    fn fill_finished(&mut self, finished: Finished) {
        if let Some(message) = &finished.error {
            self.body_error(message);
        }
        if finished.url_encoded_error {
            self.set(V::UrlencodedError, b"1");
        }
        if self
            .store
            .scalar(V::ReqbodyProcessor)
            .map(|name| self.values.get(name))
            == Some(Kind::Multipart.name().as_bytes())
        {
            let flags = finished.multipart;
            let table = [
                (V::MultipartBoundaryQuoted, flags.boundary_quoted),
                (V::MultipartBoundaryWhitespace, flags.boundary_whitespace),
                (V::MultipartCrlfLfLines, flags.crlf_lf_lines()),
                (V::MultipartCrlfLine, flags.crlf_line),
                (V::MultipartDataAfter, flags.data_after),
                (V::MultipartDataBefore, flags.data_before),
                (V::MultipartFileLimitExceeded, flags.file_limit_exceeded),
                (V::MultipartHeaderFolding, flags.header_folding),
                (
                    V::MultipartInvalidHeaderFolding,
                    flags.invalid_header_folding,
                ),
                (V::MultipartInvalidPart, flags.invalid_part),
                (V::MultipartInvalidQuoting, flags.invalid_quoting),
                (V::MultipartLfLine, flags.lf_line),
                (V::MultipartMissingSemicolon, flags.missing_semicolon),
                (V::MultipartStrictError, flags.strict_error()),
                (V::MultipartUnmatchedBoundary, flags.unmatched_boundary),
            ];
            for (variable, flag) in table {
                self.set_flag(variable, flag);
            }
            self.set(V::MultipartName, &finished.multipart_name);
            self.set(V::MultipartFilename, &finished.multipart_filename);
        }
        self.xml = finished.xml;
    }
}

/// Takes what a processor finds.
struct Arguments<'a> {
    state: &'a mut State,
    /// Where arguments go: ARGS_POST, or ARGS alone.
    collection: V,
    /// See [`Reading::file`].
    file: &'a mut Vec<u8>,
}

impl Sink for Arguments<'_> {
    fn argument(&mut self, name: &[u8], value: &[u8]) -> bool {
        let full = self.state.arguments() >= self.state.program.settings.limits.arguments;
        self.state.limits_reached.arguments |= full;
        if full || self.state.work.is_spent() {
            return false;
        }
        self.state.push_argument(self.collection, name, value);
        true
    }

    fn member(&mut self, name: &MemberName<'_>, value: &[u8]) -> bool {
        if !self.argument(name.reported, value) {
            return false;
        }
        self.state.other_names(V::Args, name);
        true
    }

    fn container(&mut self, name: &MemberName<'_>) {
        let limit = self.state.program.settings.limits.arguments;
        if self.state.store.collection(V::ArgsNames).len() < limit {
            self.state.push(V::ArgsNames, name.reported, b"");
            self.state.other_names(V::ArgsNames, name);
        }
    }

    fn file(&mut self, file: &File<'_>) {
        let state = &mut *self.state;
        state.push(V::Files, file.part_name, file.file_name);
        let size = file.size.to_string();
        state.push(V::FilesSizes, file.part_name, size.as_bytes());
        let mut total = Vec::new();
        state.scalar(V::FilesCombinedSize, &mut total);
        let before = usize::try_from(leading_integer(&total)).unwrap_or(0);
        let total = before.saturating_add(file.size).to_string();
        state.set(V::FilesCombinedSize, total.as_bytes());
        if file.extracted && state.program.reads.contains(V::FilesTmpContent) {
            state.push(V::FilesTmpContent, file.part_name, self.file);
        }
        self.file.clear();
    }

    /// Bounded by SecRequestBodyLimit, as the whole body is.
    fn file_content(&mut self, _: &[u8], content: &[u8]) {
        if self.state.program.reads.contains(V::FilesTmpContent) {
            self.file.extend_from_slice(content);
        }
    }

    fn part_header(&mut self, part_name: &[u8], line: &[u8]) {
        self.state.push(V::MultipartPartHeaders, part_name, line);
    }
}

/// Why a body is refused.
pub(super) fn over_limit(what: &str, limit: usize) -> String {
    format!("{what} is larger than the configured limit ({limit} bytes).")
}
