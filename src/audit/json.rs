//! `SecAuditLogFormat JSON`: v3's record, with what v3 lacks.
//!
//! Fields that v3 has keep their names and types, numbers in quotes included. Headers that come more than
//! once are arrays: v3 repeats the key, and readers keep one of them.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::producer;
use super::record::{Body, Header, Message, Record};
use super::text::Text;
use crate::engine::{Disposition, Endpoint, MaskedPart};
use crate::program::EngineMode;

/// The record.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(title = "Audit record"))]
pub(super) struct Root<'a> {
    transaction: Transaction<'a>,
}

/// One request and its response.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Transaction<'a> {
    /// REMOTE_ADDR.
    client_ip: Text<'a>,
    /// When it began, as C's `asctime` writes it, in local time.
    time_stamp: Text<'a>,
    /// When it began: microseconds since 1970-01-01 UTC. Not in v3.
    time_micros: u64,
    /// Microseconds from the beginning to the end. Not in v3.
    duration_micros: u64,
    /// SecSensorId.
    server_id: Text<'a>,
    client_port: u16,
    host_ip: Text<'a>,
    host_port: u16,
    /// UNIQUE_ID.
    unique_id: Text<'a>,
    /// `x-request-id`; the client may have chosen it. Not in v3.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Text<'a>>,
    /// The trace that `traceparent` or a B3 header names. Not in v3.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<Text<'a>>,
    /// How it was stopped; absent if it was not. Not in v3.
    #[serde(skip_serializing_if = "Option::is_none")]
    interruption: Option<Interruption<'a>>,
    request: Request<'a>,
    /// Absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response<'a>>,
    /// Part H.
    #[serde(skip_serializing_if = "Option::is_none")]
    producer: Option<Producer<'a>>,
    /// Part H.
    messages: Vec<Match<'a>>,
    /// What matched, for `parapet decrypt` (SecParapetSealKey). Not in v3.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<Text<'a>>,
    /// What `sanitise…` actions named. Not in v3.
    #[serde(skip_serializing_if = "Option::is_none")]
    sanitised: Option<Sanitised<'a>>,
}

/// A decision.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Interruption<'a> {
    /// 0 where a limit of the configuration decided.
    rule_id: u64,
    phase: u8,
    /// `deny`, `drop` or `redirect`.
    action: Text<'a>,
    status: u16,
}

/// The request.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Request<'a> {
    method: Text<'a>,
    /// As in `1.1`.
    http_version: f32,
    /// SERVER_NAME. Not in v3.
    hostname: Text<'a>,
    /// The target as received.
    uri: Text<'a>,
    /// Part C, or part I of a multipart body.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Text<'a>>,
    /// How many bytes the body has, if that is not all of it. Not in v3.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_cut_from: Option<usize>,
    /// Part B.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers<'a>>,
    /// Part J. Not in v3.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "cli", schemars(default))]
    files: Vec<File<'a>>,
}

/// A file of a multipart body.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct File<'a> {
    /// The name of the form field.
    field: Text<'a>,
    /// The file's name, as the client says.
    name: Text<'a>,
    /// Bytes.
    size: i64,
}

/// The response; of a transaction that was stopped, what the client gets.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Response<'a> {
    /// Part E.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Text<'a>>,
    /// How many bytes the body has, if that is not all of it. Not in v3.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_cut_from: Option<usize>,
    http_code: u16,
    /// Part F.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers<'a>>,
}

/// Who wrote this.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Producer<'a> {
    modsecurity: Text<'a>,
    connector: Text<'a>,
    /// `Enabled`, `DetectionOnly` or `Disabled`.
    secrules_engine: Text<'a>,
    /// SecComponentSignature.
    components: Vec<Text<'a>>,
}

/// A match.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Match<'a> {
    /// `msg`.
    message: Text<'a>,
    details: Details<'a>,
}

/// A match in detail.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    /// What matched, in words.
    r#match: Text<'a>,
    /// Always empty: v3 tells places in the request here.
    reference: Text<'a>,
    rule_id: Text<'a>,
    file: Text<'a>,
    line_number: Text<'a>,
    /// `logdata`.
    data: Text<'a>,
    /// 0 to 7; empty for a rule without one.
    severity: Text<'a>,
    ver: Text<'a>,
    rev: Text<'a>,
    tags: Vec<Text<'a>>,
    maturity: Text<'a>,
    accuracy: Text<'a>,
    /// 1 to 5. Not in v3.
    phase: u8,
    /// Whether this match stopped the transaction. Not in v3.
    interrupted: bool,
}

/// Names of what is shown as `*`.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Sanitised<'a> {
    arguments: Vec<Text<'a>>,
    request_headers: Vec<Text<'a>>,
    response_headers: Vec<Text<'a>>,
}

/// Headers by name, in the order they came; one that comes more than once has an array.
#[derive(Clone)]
pub(super) struct Headers<'a> {
    pub headers: &'a [Header<'a>],
    /// Each has an array, as in Coraza's records.
    pub arrays: bool,
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (at, (name, value)) in self.headers.iter().enumerate() {
            let same = |(other, _): &&Header<'_>| other.eq_ignore_ascii_case(name);
            if self.headers.iter().take(at).any(|header| same(&header)) {
                continue;
            }
            let rest = self.headers.get(at.saturating_add(1)..).unwrap_or_default();
            let name = Text::from(*name);
            if self.arrays || rest.iter().any(|header| same(&header)) {
                let rest = rest.iter().filter(same).map(|(_, value)| value);
                let all: Vec<Text<'_>> = std::iter::once(value)
                    .chain(rest)
                    .map(|value| Text::from(&**value))
                    .collect();
                map.serialize_entry(&name, &all)?;
            } else {
                map.serialize_entry(&name, &Text::from(&**value))?;
            }
        }
        map.end()
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Headers<'_> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Headers".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Headers by name; one that comes more than once has an array.",
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    { "type": "string" },
                    { "type": "array", "items": { "type": "string" }, "minItems": 2 }
                ]
            }
        })
    }
}

impl<'a> Root<'a> {
    pub(super) fn new(record: &'a Record<'a>) -> Self {
        let (client_ip, client_port) = endpoint(record.connection.client);
        let (host_ip, host_port) = endpoint(record.connection.server);
        let details = record.has(b'H');
        let messages = record.messages.iter().filter(|_| details);
        let request_id = &*record.connection.request_id;
        Self {
            transaction: Transaction {
                client_ip,
                time_stamp: asctime(record).into(),
                time_micros: record.started.checked_div(1000).unwrap_or(0),
                duration_micros: record.duration(),
                server_id: Text::from(&*record.settings.sensor_id),
                client_port,
                host_ip,
                host_port,
                unique_id: record.unique_id.as_str().into(),
                request_id: (!request_id.is_empty()).then(|| request_id.into()),
                trace_id: record.trace_id.map(Text::from),
                interruption: record.interruption.map(|by| Interruption {
                    rule_id: by.rule_id,
                    phase: by.phase,
                    action: disposition(by.disposition).into(),
                    status: by.status,
                }),
                request: Request::new(record),
                response: record.response.as_ref().map(|response| Response {
                    body: shown(response.body.as_ref()),
                    body_cut_from: cut_from(response.body.as_ref()),
                    http_code: response.status,
                    headers: headers(record, b'F', &response.headers),
                }),
                producer: details.then(|| Producer {
                    modsecurity: producer().into(),
                    connector: "proxy-wasm".into(),
                    secrules_engine: engine(record.engine).into(),
                    components: record.components().collect(),
                }),
                messages: messages.map(Match::new).collect(),
                sealed: record.sealed.as_deref().map(Text::from),
                sanitised: (!record.masks.is_empty()).then(|| Sanitised::new(record)),
            },
        }
    }
}

impl<'a> Request<'a> {
    fn new(record: &'a Record<'a>) -> Self {
        let request = &record.request;
        let form = request.form.as_deref().map(Text::from);
        let files = request.files.iter().map(|file| File {
            field: file.field.into(),
            name: file.name.into(),
            size: crate::bytes::leading_integer(file.size),
        });
        let version = std::str::from_utf8(request.version()).unwrap_or_default();
        Self {
            method: request.method.into(),
            http_version: version.parse().unwrap_or_default(),
            hostname: request.host.into(),
            uri: Text::from(&*request.uri),
            body: form.or_else(|| shown(request.body.as_ref())),
            body_cut_from: cut_from(request.body.as_ref()),
            headers: headers(record, b'B', &request.headers),
            files: files.collect(),
        }
    }
}

impl<'a> Match<'a> {
    fn new(message: &'a Message<'a>) -> Self {
        let found = message.found;
        let number = |number: Option<u8>| number.map(|one| one.to_string()).unwrap_or_default();
        Self {
            message: Text::from(&*message.text),
            details: Details {
                r#match: Text::from(&*message.explanation),
                reference: Text::default(),
                rule_id: found.rule_id.to_string().into(),
                file: Text::from(&*found.file),
                line_number: found.line.to_string().into(),
                data: Text::from(&*message.data),
                severity: number(found.severity).into(),
                ver: Text::from(&*found.ver),
                rev: Text::from(&*found.rev),
                tags: message.tags.iter().map(|tag| Text::from(&**tag)).collect(),
                maturity: number(found.maturity).into(),
                accuracy: number(found.accuracy).into(),
                phase: found.phase,
                interrupted: found.interruption.is_some(),
            },
        }
    }
}

impl<'a> Sanitised<'a> {
    fn new(record: &'a Record<'a>) -> Self {
        let names = |part| record.sanitised(part).map(Text::from).collect();
        Self {
            arguments: names(MaskedPart::Argument),
            request_headers: names(MaskedPart::RequestHeader),
            response_headers: names(MaskedPart::ResponseHeader),
        }
    }
}

/// Address and port; nothing and 0 where they are not known.
pub(super) fn endpoint(end: Option<Endpoint>) -> (Text<'static>, u16) {
    match end {
        Some(Endpoint { address, port }) => (address.to_string().into(), port),
        None => (Text::default(), 0),
    }
}

/// The headers, if their part is asked for.
fn headers<'a>(record: &Record<'_>, part: u8, headers: &'a [Header<'a>]) -> Option<Headers<'a>> {
    record.has(part).then_some(Headers {
        headers,
        arrays: false,
    })
}

pub(super) fn shown<'a>(body: Option<&'a Body<'a>>) -> Option<Text<'a>> {
    body.map(|body| Text::from(&*body.bytes))
}

fn cut_from(body: Option<&Body<'_>>) -> Option<usize> {
    body.filter(|body| body.is_cut).map(|body| body.length)
}

pub(super) const fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Deny => "deny",
        Disposition::Drop => "drop",
        Disposition::Redirect => "redirect",
    }
}

pub(super) const fn engine(mode: EngineMode) -> &'static str {
    match mode {
        EngineMode::On => "Enabled",
        EngineMode::DetectionOnly => "DetectionOnly",
        EngineMode::Off => "Disabled",
    }
}

/// `Tue Nov 24 05:13:00 2026`.
fn asctime(record: &Record<'_>) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let Some(time) = record.time else {
        return String::new();
    };
    let index = usize::try_from(time.weekday).unwrap_or(0);
    let weekday = DAYS.get(index).copied().unwrap_or_default();
    let month = super::native::month(time);
    format!(
        "{weekday} {month} {:2} {:02}:{:02}:{:02} {}",
        time.day, time.hour, time.minute, time.second, time.year
    )
}
