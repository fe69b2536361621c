//! `SecAuditLogFormat JsonLegacy`: the record that v2 calls JSON.

use serde::Serialize;

use super::json::{Headers, endpoint, shown};
use super::native::timestamp;
use super::producer;
use super::record::Record;
use super::text::Text;
use crate::engine::MaskedPart;
use crate::program::EngineMode;

/// The record.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(title = "Audit record as v2's"))]
pub(super) struct Root<'a> {
    transaction: Transaction<'a>,
    request: Request<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response<'a>>,
    /// Part H.
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_data: Option<AuditData<'a>>,
    /// Part J.
    #[serde(skip_serializing_if = "Option::is_none")]
    uploads: Option<Uploads<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Transaction<'a> {
    /// As in part A of the native format.
    time: Text<'a>,
    transaction_id: Text<'a>,
    remote_address: Text<'a>,
    remote_port: u16,
    local_address: Text<'a>,
    local_port: u16,
    /// `x-request-id`. Not in v2.
    request_id: Text<'a>,
    /// The trace of the request. Not in v2.
    trace_id: Text<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Request<'a> {
    request_line: Text<'a>,
    headers: Headers<'a>,
    /// Part C: the body in pieces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "cli", schemars(default))]
    body: Vec<Text<'a>>,
    /// Part I.
    #[serde(skip_serializing_if = "Option::is_none")]
    fake_body: Option<Text<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Response<'a> {
    protocol: Text<'a>,
    status: u16,
    headers: Headers<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Text<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct AuditData<'a> {
    messages: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Action<'a>>,
    stopwatch: Stopwatch,
    producer: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sanitized: Option<Sanitized<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensor_id: Option<Text<'a>>,
    /// `ENABLED`, `DETECTION_ONLY` or `DISABLED`.
    engine_mode: Text<'a>,
    /// What matched, for `parapet decrypt` (SecParapetSealKey). Not in v2.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<Text<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Action<'a> {
    intercepted: bool,
    phase: u8,
    message: Text<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Stopwatch {
    /// Microseconds since 1970-01-01 UTC.
    started: u64,
    /// Microseconds.
    duration: u64,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Sanitized<'a> {
    args: Vec<Text<'a>>,
    request_headers: Vec<Text<'a>>,
    response_headers: Vec<Text<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Uploads<'a> {
    info: Vec<Upload<'a>>,
    total: i64,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Upload<'a> {
    file_size: i64,
    file_name: Text<'a>,
    field: Text<'a>,
}

impl<'a> Root<'a> {
    pub(super) fn new(record: &'a Record<'a>) -> Self {
        let (remote_address, remote_port) = endpoint(record.connection.client);
        let (local_address, local_port) = endpoint(record.connection.server);
        let request = &record.request;
        let headers = |headers| Headers {
            headers,
            arrays: false,
        };
        Self {
            transaction: Transaction {
                time: record.time.map(timestamp).unwrap_or_default().into(),
                transaction_id: record.unique_id.as_str().into(),
                remote_address,
                remote_port,
                local_address,
                local_port,
                request_id: Text::from(&*record.connection.request_id),
                trace_id: record.trace_id.unwrap_or_default().into(),
            },
            request: Request {
                request_line: Text(request.line().into()),
                headers: headers(&request.headers),
                body: shown(request.body.as_ref()).into_iter().collect(),
                fake_body: request.form.as_deref().map(Text::from),
            },
            response: record.response.as_ref().map(|response| Response {
                protocol: response.protocol.into(),
                status: response.status,
                headers: headers(&response.headers),
                body: shown(response.body.as_ref()),
            }),
            audit_data: record.has(b'H').then(|| AuditData::new(record)),
            uploads: (!request.files.is_empty()).then(|| {
                let files = request.files.iter().map(|file| Upload {
                    file_size: crate::bytes::leading_integer(file.size),
                    file_name: file.name.into(),
                    field: file.field.into(),
                });
                let info: Vec<_> = files.collect();
                let sizes = info.iter().map(|file| file.file_size);
                Uploads {
                    total: sizes.fold(0, i64::saturating_add),
                    info,
                }
            }),
        }
    }
}

impl<'a> AuditData<'a> {
    fn new(record: &'a Record<'a>) -> Self {
        let messages = record.messages.iter();
        let decided = messages
            .clone()
            .find(|one| one.found.interruption.is_some());
        let names = |part| record.sanitised(part).map(Text::from).collect();
        let signature = record.settings.server_signature.as_deref();
        let sensor = &*record.settings.sensor_id;
        let mut producers = vec![producer().into()];
        producers.extend(record.components());
        Self {
            messages: messages.map(|one| one.line.as_str().into()).collect(),
            action: record.interruption.map(|by| Action {
                intercepted: true,
                phase: by.phase,
                message: decided.map_or_else(Text::default, |one| Text::from(&*one.explanation)),
            }),
            stopwatch: Stopwatch {
                started: record.started.checked_div(1000).unwrap_or(0),
                duration: record.duration(),
            },
            producer: producers,
            server: signature.map(Text::from),
            sanitized: (!record.masks.is_empty()).then(|| Sanitized {
                args: names(MaskedPart::Argument),
                request_headers: names(MaskedPart::RequestHeader),
                response_headers: names(MaskedPart::ResponseHeader),
            }),
            sensor_id: (!sensor.is_empty()).then(|| sensor.into()),
            sealed: record.sealed.as_deref().map(Text::from),
            engine_mode: match record.engine {
                EngineMode::On => "ENABLED",
                EngineMode::DetectionOnly => "DETECTION_ONLY",
                EngineMode::Off => "DISABLED",
            }
            .into(),
        }
    }
}
