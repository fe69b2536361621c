//! What every format tells of a transaction, redacted.

use std::borrow::Cow;

use super::Redaction;
use super::error_log::push_message;
use super::sealed::{self, Random};
use super::text::Text;
use crate::body::Kind;
use crate::engine::{
    Connection, Interruption, LocalTime, Masked, MaskedPart, RuleMatch, Transaction, UnixNanos,
};
use crate::http::status;
use crate::program::{EngineMode, Settings};
use crate::variable::Variable as V;

/// A finished transaction.
pub(super) struct Record<'a> {
    pub settings: &'a Settings,
    pub connection: &'a Connection,
    pub unique_id: String,
    /// Of the trace that the request belongs to, as its headers say.
    pub trace_id: Option<&'a str>,
    pub started: UnixNanos,
    pub finished: UnixNanos,
    pub time: Option<LocalTime>,
    parts: &'a [u8],
    pub request: Request<'a>,
    /// None where the backend gave none and nothing was decided.
    pub response: Option<Response<'a>>,
    pub messages: Vec<Message<'a>>,
    /// What the messages do not show (SecParapetSealKey); a part H that nobody asks for has none.
    pub sealed: Option<String>,
    pub interruption: Option<&'a Interruption>,
    pub engine: EngineMode,
    /// 255 for none.
    pub highest_severity: u8,
    pub masks: Vec<Masked>,
    pub slow_rules: Vec<(u64, u64)>,
    pub session: &'a [u8],
    pub user: &'a [u8],
}

/// The request.
pub(super) struct Request<'a> {
    pub method: &'a [u8],
    /// The target as received.
    pub uri: Cow<'a, [u8]>,
    pub protocol: &'a [u8],
    pub host: &'a [u8],
    pub headers: Vec<Header<'a>>,
    /// Part C.
    pub body: Option<Body<'a>>,
    /// Part I: a multipart body without its files, as a form.
    pub form: Option<Vec<u8>>,
    pub files: Vec<File<'a>>,
}

/// The response, or what the client gets instead of one.
pub(super) struct Response<'a> {
    pub status: u16,
    pub protocol: &'a [u8],
    pub headers: Vec<Header<'a>>,
    /// Part E.
    pub body: Option<Body<'a>>,
}

pub(super) type Header<'a> = (&'a [u8], Cow<'a, [u8]>);

/// A body, as much as a record shows of it.
pub(super) struct Body<'a> {
    pub bytes: Cow<'a, [u8]>,
    /// How many bytes it had.
    pub length: usize,
    pub is_cut: bool,
}

/// A file of a multipart body.
pub(super) struct File<'a> {
    pub name: &'a [u8],
    pub field: &'a [u8],
    pub size: &'a [u8],
}

/// A match.
pub(super) struct Message<'a> {
    pub found: &'a RuleMatch,
    /// As the error log says it, without the fields of the transaction.
    pub line: String,
    pub text: Cow<'a, [u8]>,
    pub data: Cow<'a, [u8]>,
    pub explanation: Cow<'a, [u8]>,
    pub tags: Vec<Cow<'a, [u8]>>,
    /// The rule as written, and the links of its chain; only with part K.
    pub rule: Vec<Cow<'a, [u8]>>,
}

impl<'a> Record<'a> {
    /// Gathers what there is, as far as its parts are asked for.
    pub(super) fn new(
        transaction: &'a Transaction,
        redaction: &'a Redaction<'a>,
        random: &mut Random<'_>,
    ) -> Self {
        let settings = &transaction.program().settings;
        let parts = transaction.audit_parts();
        let (finished, utc_offset) = transaction.clock();
        let connection = transaction.connection();
        let cut = settings.audit.cut;
        let texts = |id: u64| {
            let id = if parts.contains(&b'K') { id } else { 0 };
            let texts = transaction.program().texts(id);
            texts.map(|text| redaction.text(text))
        };
        let messages = transaction.all_matches().map(|found| {
            let mut line = String::new();
            push_message(&mut line, found, redaction, cut);
            Message {
                line,
                text: redaction.text(&found.msg),
                data: redaction.text(&found.data),
                explanation: redaction.text(&found.explanation),
                tags: found.tags.iter().map(|tag| redaction.text(tag)).collect(),
                rule: texts(found.rule_id).collect(),
                found,
            }
        });
        Self {
            unique_id: connection.unique_id.to_string(),
            trace_id: trace_id(transaction),
            started: transaction.started(),
            finished,
            time: LocalTime::new(transaction.started(), utc_offset),
            request: Request::new(transaction, redaction, parts),
            response: Response::new(transaction, redaction, parts),
            messages: messages.collect(),
            sealed: parts
                .contains(&b'H')
                .then(|| sealed::seal(transaction, random))
                .flatten(),
            interruption: transaction.interruption(),
            engine: transaction.engine_mode(),
            highest_severity: transaction.highest_severity(),
            masks: transaction.masks(),
            slow_rules: transaction.slow_rules(),
            session: transaction.scalar(V::Sessionid).unwrap_or_default(),
            user: transaction.scalar(V::Userid).unwrap_or_default(),
            settings,
            connection,
            parts,
        }
    }

    /// Whether a part is asked for.
    pub(super) fn has(&self, part: u8) -> bool {
        self.parts.contains(&part)
    }

    /// Microseconds from the beginning to the end.
    pub(super) fn duration(&self) -> u64 {
        let nanos = self.finished.saturating_sub(self.started);
        nanos.checked_div(1000).unwrap_or(0)
    }

    /// SecComponentSignature, each as it was given.
    pub(super) fn components(&self) -> impl Iterator<Item = Text<'a>> {
        self.settings
            .components
            .iter()
            .map(|one| Text::from(&**one))
    }

    /// The names that `sanitise…` actions gave of a part.
    pub(super) fn sanitised(&self, part: MaskedPart) -> impl Iterator<Item = &[u8]> {
        let masks = self.masks.iter().filter(move |mask| mask.part == part);
        masks.map(|mask| &*mask.name)
    }
}

impl<'a> Request<'a> {
    fn new(transaction: &'a Transaction, redaction: &'a Redaction<'a>, parts: &[u8]) -> Self {
        let scalar = |variable| transaction.scalar(variable).unwrap_or_default();
        let kind = transaction.request_body_kind();
        let fits = |part: u8| parts.contains(&part);
        let headers = transaction
            .entries(V::RequestHeaders)
            .filter(|_| fits(b'B'));
        let form = (fits(b'I') && kind == Some(Kind::Multipart)).then(|| {
            let arguments = transaction.entries(V::ArgsPost);
            form(arguments.map(|(name, value)| (name, redaction.argument(name, value))))
        });
        let body = transaction
            .kept_request_body()
            .filter(|_| fits(b'C') && form.is_none());
        let names = transaction
            .entries(V::FilesSizes)
            .zip(transaction.entries(V::Files));
        let files = names
            .filter(|_| fits(b'J'))
            .map(|((field, size), (_, name))| File { name, field, size });
        Self {
            method: scalar(V::RequestMethod),
            uri: redaction.url(scalar(V::RequestUriRaw)),
            protocol: scalar(V::RequestProtocol),
            host: transaction.server_name(),
            headers: headers
                .map(|(name, value)| (name, redaction.request_header(name, value)))
                .collect(),
            body: body.map(|body| Body {
                bytes: redaction.request_body(kind, &body.bytes),
                length: body.length,
                is_cut: body.length > body.bytes.len(),
            }),
            form,
            files: files.collect(),
        }
    }

    /// Method, target and protocol.
    pub(super) fn line(&self) -> Vec<u8> {
        [self.method, &*self.uri, self.protocol].join(&b' ')
    }

    /// The number behind `HTTP/`.
    pub(super) fn version(&self) -> &'a [u8] {
        version(self.protocol)
    }

    /// The value of the first header of that name, redacted.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        let name = name.as_bytes();
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }
}

/// The number behind `HTTP/`.
pub(super) fn version(protocol: &[u8]) -> &[u8] {
    protocol.strip_prefix(b"HTTP/").unwrap_or(protocol)
}

impl<'a> Response<'a> {
    fn new(
        transaction: &'a Transaction,
        redaction: &'a Redaction<'a>,
        parts: &[u8],
    ) -> Option<Self> {
        let fits = |part: u8| parts.contains(&part);
        let status = std::str::from_utf8(transaction.scalar(V::ResponseStatus)?).ok()?;
        let headers = transaction
            .entries(V::ResponseHeaders)
            .filter(|_| fits(b'F'));
        let body = transaction.scalar(V::ResponseBody).filter(|_| fits(b'E'));
        let limit = transaction.program().settings.audit.body_limit;
        Some(Self {
            status: status.parse().ok()?,
            protocol: transaction.scalar(V::ResponseProtocol).unwrap_or_default(),
            headers: headers
                .map(|(name, value)| (name, redaction.response_header(name, value)))
                .collect(),
            body: body.map(|body| {
                let shown = body.get(..limit).unwrap_or(body);
                Body {
                    bytes: redaction.response_body(response_kind(transaction), shown),
                    length: body.len(),
                    is_cut: shown.len() < body.len(),
                }
            }),
        })
    }

    /// The reason phrase of the status.
    pub(super) fn reason(&self) -> &'static str {
        status::reason(self.status).unwrap_or_default()
    }
}

/// JSON is told by its name: other bodies of responses are not read.
fn response_kind(transaction: &Transaction) -> Option<Kind> {
    let content_type = transaction.scalar(V::ResponseContentType)?;
    let is_json = content_type
        .windows(4)
        .any(|word| word.eq_ignore_ascii_case(b"json"));
    is_json.then_some(Kind::Json)
}

/// Arguments as a form.
fn form<'a>(arguments: impl Iterator<Item = (&'a [u8], Cow<'a, [u8]>)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in arguments {
        if !out.is_empty() {
            out.push(b'&');
        }
        push_encoded(name, &mut out);
        out.push(b'=');
        if &*value == crate::engine::REDACTED {
            out.extend_from_slice(&value);
        } else {
            push_encoded(&value, &mut out);
        }
    }
    out
}

fn push_encoded(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'.' | b'_' | b'*' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => out.push(byte),
            _ => {
                out.push(b'%');
                out.extend_from_slice(&crate::bytes::hex_digits(byte));
            }
        }
    }
}

/// The trace that a request names: W3C's `traceparent`, or B3's headers.
fn trace_id(transaction: &Transaction) -> Option<&str> {
    let header = |wanted: &str| {
        let mut headers = transaction.entries(V::RequestHeaders);
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))?;
        std::str::from_utf8(found.1).ok()
    };
    let candidates = [
        header("traceparent").and_then(|text| text.split('-').nth(1)),
        header("x-b3-traceid"),
        header("b3").and_then(|text| text.split('-').next()),
    ];
    let is_id =
        |id: &&str| matches!(id.len(), 16 | 32) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    candidates.into_iter().flatten().find(is_id)
}
