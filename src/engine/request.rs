//! The request: from bytes to variables.

use super::api::RequestHead;
use super::state::State;
use super::store::Entry;
use crate::action::{Phase, XmlArgs};
use crate::body::{self, File, Finished, Kind, MemberName, Processor, Sink};
use crate::bytes::leading_integer;
use crate::http::{self, cookie, form, host, target::Target};
use crate::program::{BodyLimitAction, CookieFormat, EngineMode};
use crate::variable::Variable as V;

/// The status of a request body over its limit, as in v2.
const TOO_LARGE: u16 = 413;

impl State {
    /// Fills the variables of phase 1.
    pub(super) fn fill_request_head(&mut self, head: &RequestHead<'_>) {
        let target = Target::split(head.method, head.target);
        self.set(V::RequestMethod, head.method);
        self.set(V::RequestProtocol, head.protocol);
        self.set(V::RequestUriRaw, head.target);
        self.set(V::RequestUri, target.uri);
        let path = form::decode_path(target.path);
        self.set(V::RequestFilename, &path);
        self.set(V::RequestBasename, http::target::basename(&path));
        self.set(V::PathInfo, &path);
        self.set(V::QueryString, target.query);
        let line = [head.method, b" ", head.target, b" ", head.protocol].concat();
        self.set(V::RequestLine, &line);
        self.fill_connection();
        for &(name, value) in head.headers {
            self.push(V::RequestHeaders, name, value);
        }
        self.fill_from_headers(head);
        self.fill_query(target.query);
        let content_type = http::header(head.headers, b"content-type").unwrap_or_default();
        let kind = Kind::for_content_type(content_type);
        let name = kind.map_or("", Kind::name);
        self.switches.body_processor = name.into();
        self.set(V::ReqbodyProcessor, name.as_bytes());
        self.fill_full_request(b"");
    }

    /// FULL_REQUEST as v2 puts it together: the request line and an empty line, the headers and
    /// an empty line, the body.
    fn fill_full_request(&mut self, body: &[u8]) {
        let reads = &self.program.reads;
        if !reads.contains(V::FullRequest) && !reads.contains(V::FullRequestLength) {
            return;
        }
        let mut text = Vec::new();
        self.scalar(V::RequestLine, &mut text);
        text.extend_from_slice(b"\n\n");
        for header in self.store.collection(V::RequestHeaders) {
            text.extend_from_slice(self.values.get(header.name));
            text.extend_from_slice(b": ");
            text.extend_from_slice(self.values.get(header.value));
            text.push(b'\n');
        }
        text.extend_from_slice(b"\n\n");
        text.extend_from_slice(body);
        self.set(V::FullRequestLength, text.len().to_string().as_bytes());
        self.set(V::FullRequest, &text);
    }

    fn fill_connection(&mut self) {
        if let Some(client) = self.connection.client {
            let address = client.address.to_string();
            self.set(V::RemoteAddr, address.as_bytes());
            self.set(V::RemoteHost, address.as_bytes());
            self.set(V::RemotePort, client.port.to_string().as_bytes());
        }
        if let Some(server) = self.connection.server {
            self.set(V::ServerAddr, server.address.to_string().as_bytes());
            self.set(V::ServerPort, server.port.to_string().as_bytes());
        }
    }

    fn fill_from_headers(&mut self, head: &RequestHead<'_>) {
        if let Some(name) = http::header(head.headers, b"host") {
            self.set(V::ServerName, host::without_port(name));
        }
        if let Some(authorization) = http::header(head.headers, b"authorization") {
            let scheme = authorization
                .split(|&byte| byte == b' ')
                .next()
                .unwrap_or_default();
            self.set(V::AuthType, scheme);
            if let Some(user) = basic_user(authorization) {
                self.set(V::RemoteUser, &user);
            }
        }
        let settings = &self.program.settings;
        let format = match (settings.cookie_format, settings.cookie_v0_separator) {
            (CookieFormat::Netscape, None) => cookie::Format::Netscape,
            (CookieFormat::Netscape, Some(separator)) => cookie::Format::Separated(separator),
            (CookieFormat::Rfc2109, _) => cookie::Format::Rfc2109,
        };
        let headers = head
            .headers
            .iter()
            .filter(|header| header.0.eq_ignore_ascii_case(b"cookie"));
        for (_, value) in headers {
            for found in cookie::cookies(value, format) {
                self.push(V::RequestCookies, &found.name, found.value);
            }
        }
    }

    fn fill_query(&mut self, query: &[u8]) {
        let separator = self.program.settings.argument_separator;
        let limit = self.program.settings.limits.arguments;
        let mut invalid = false;
        for (count, pair) in form::pairs(query, separator).enumerate() {
            invalid |= pair.invalid;
            if count < limit {
                self.push_argument(V::ArgsGet, &pair.name, &pair.value);
            } else {
                // v2 keeps one table for all arguments and flags the request when it is full.
                self.body_error("SecArgumentsLimit exceeded");
                break;
            }
        }
        self.set_flag(V::UrlencodedError, invalid);
    }

    fn push_argument(&mut self, collection: V, name: &[u8], value: &[u8]) {
        let name = self.values.intern(name);
        let value = self.values.intern(value);
        let entry = Entry::new(name, value);
        self.store.push_argument(collection, entry, &self.values);
    }

    /// A member of a JSON document under all its names.
    fn member(&mut self, name: &MemberName<'_>, value: &[u8]) -> Entry {
        let reported = self.values.intern(name.reported);
        let value = self.values.intern(value);
        let entry = Entry::new(reported, value);
        match name.others {
            Some(others) => Entry {
                others: others.map(|other| self.values.intern(other)),
                ..entry
            },
            None => entry,
        }
    }

    /// How many arguments there are.
    fn arguments(&self) -> usize {
        let get = self.store.collection(V::ArgsGet).len();
        let post = self.store.collection(V::ArgsPost).len();
        get.saturating_add(post)
            .saturating_add(self.store.collection(V::Args).len())
    }

    /// Sets REQBODY_ERROR and its message; the first one stays.
    fn body_error(&mut self, message: &str) {
        self.set(V::ReqbodyError, b"1");
        if self.store.scalar(V::ReqbodyErrorMsg).is_none() {
            self.set(V::ReqbodyErrorMsg, message.as_bytes());
        }
    }

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
            self.set(V::InboundDataError, b"1");
            self.refuse(
                Phase::RequestBody,
                TOO_LARGE,
                &over_limit("Request body", limit),
            );
            return None;
        }
        let content_type = http::header(head.headers, b"content-type").unwrap_or_default();
        Some(RequestBody::new(self, content_type))
    }

    /// Whether a body over its limit is refused. DetectionOnly never refuses, as in v2.
    fn rejects(&self) -> bool {
        self.switches.engine == EngineMode::On
            && self.switches.request_body_limit_action == BodyLimitAction::Reject
    }
}

/// A request body on its way into variables.
pub(super) struct RequestBody {
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

impl RequestBody {
    fn new(state: &mut State, content_type: &[u8]) -> Self {
        let program = std::sync::Arc::clone(&state.program);
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
            other_names: program.names_arguments,
        };
        let kind = Kind::by_name(name.as_bytes());
        let fills_request_body =
            state.switches.force_request_body || kind.is_some_and(Kind::keeps_body);
        let keeps = fills_request_body
            || program.settings.stream_input
            || program.reads.contains(V::FullRequest)
            || program.reads.contains(V::FullRequestLength);
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
    pub(super) fn feed(&mut self, chunk: &[u8], state: &mut State) -> bool {
        let limit = state.switches.request_body_limit;
        let room = limit.saturating_sub(self.length);
        let taken = chunk.get(..room.min(chunk.len())).unwrap_or_default();
        self.length = self.length.saturating_add(taken.len());
        if let Some(raw) = &mut self.raw {
            raw.extend_from_slice(taken);
        }
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
        if over || over_no_files {
            state.set(V::InboundDataError, b"1");
            if state.rejects() {
                let no_files_limit = state.program.settings.request_body_no_files_limit;
                let why = if over {
                    over_limit("Request body", limit)
                } else {
                    over_limit("Request body without its files", no_files_limit)
                };
                state.refuse(Phase::RequestBody, TOO_LARGE, &why);
            }
        }
        self.cut = over || over_no_files;
        self.cut
    }

    /// Ends the body and fills what is known only now.
    pub(super) fn finish(mut self, state: &mut State) {
        if let Some(name) = self.unknown {
            state.body_error(&format!("Unknown request body processor: {name}"));
        }
        state.set(V::RequestBodyLength, self.length.to_string().as_bytes());
        // v2 leaves the other body variables alone when there was no body.
        if let Some(raw) = self.raw.as_ref().filter(|_| self.length > 0) {
            if self.fills_request_body {
                state.set(V::RequestBody, raw);
            }
            if state.program.settings.stream_input {
                state.set(V::StreamInputBody, raw);
                state.request_stream.taken = raw.len();
            }
            state.fill_full_request(raw);
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
    /// See [`RequestBody::file`].
    file: &'a mut Vec<u8>,
}

impl Sink for Arguments<'_> {
    fn argument(&mut self, name: &[u8], value: &[u8]) -> bool {
        if self.state.arguments() >= self.state.program.settings.limits.arguments {
            return false;
        }
        self.state.push_argument(self.collection, name, value);
        true
    }

    fn member(&mut self, name: &MemberName<'_>, value: &[u8]) -> bool {
        if self.state.arguments() >= self.state.program.settings.limits.arguments {
            return false;
        }
        let entry = self.state.member(name, value);
        self.state
            .store
            .push_argument(self.collection, entry, &self.state.values);
        true
    }

    fn container(&mut self, name: &MemberName<'_>) {
        let limit = self.state.program.settings.limits.arguments;
        if self.state.store.collection(V::ArgsNames).len() < limit {
            let entry = self.state.member(name, b"");
            self.state.store.push(V::ArgsNames, entry);
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

/// The user of a Basic Authorization header.
fn basic_user(authorization: &[u8]) -> Option<Vec<u8>> {
    let (scheme, credentials) = authorization.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut decoded = Vec::new();
    let context = crate::transform::Context::default();
    let text = credentials.trim_ascii();
    let outcome = crate::transform::Transformation::Base64Decode.apply(text, &mut decoded, context);
    if outcome == crate::transform::Outcome::Unchanged {
        return None;
    }
    decoded
        .split(|&byte| byte == b':')
        .next()
        .map(<[u8]>::to_vec)
}
