//! `SecAuditLogFormat Coraza`: the record that Coraza calls JSON.

use serde::Serialize;

use super::json::{Headers, endpoint, engine, shown};
use super::producer;
use super::record::{Message, Record};
use super::text::Text;

/// The record.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(title = "Audit record as Coraza's"))]
pub(super) struct Root<'a> {
    transaction: Transaction<'a>,
    /// Part H.
    messages: Vec<Match<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Transaction<'a> {
    /// `2026/11/24 05:13:00`, local time.
    timestamp: Text<'a>,
    /// Nanoseconds since 1970-01-01 UTC.
    unix_timestamp: u64,
    /// UNIQUE_ID.
    id: Text<'a>,
    client_ip: Text<'a>,
    client_port: u16,
    host_ip: Text<'a>,
    host_port: u16,
    /// SecSensorId.
    server_id: Text<'a>,
    /// `x-request-id`. Not in Coraza.
    request_id: Text<'a>,
    /// The trace of the request. Not in Coraza.
    trace_id: Text<'a>,
    request: Request<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    producer: Option<Producer<'a>>,
    /// In words; empty for none.
    highest_severity: Text<'a>,
    is_interrupted: bool,
    /// What matched, for `parapet decrypt` (SecParapetSealKey). Not in Coraza.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<Text<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Request<'a> {
    method: Text<'a>,
    protocol: Text<'a>,
    uri: Text<'a>,
    http_version: Text<'a>,
    /// Part B.
    #[cfg_attr(
        feature = "cli",
        schemars(with = "std::collections::BTreeMap<String, Vec<String>>")
    )]
    headers: Headers<'a>,
    /// Parts C and I.
    body: Text<'a>,
    /// Part J.
    files: Vec<File<'a>>,
    /// Bytes of the body.
    length: usize,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct File<'a> {
    name: Text<'a>,
    size: i64,
    /// Always empty: what a client says of a file means nothing.
    mime: Text<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Response<'a> {
    protocol: Text<'a>,
    status: u16,
    /// Part F.
    #[cfg_attr(
        feature = "cli",
        schemars(with = "std::collections::BTreeMap<String, Vec<String>>")
    )]
    headers: Headers<'a>,
    /// Part E.
    body: Text<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Producer<'a> {
    connector: Text<'a>,
    version: Text<'a>,
    server: Text<'a>,
    rule_engine: Text<'a>,
    /// Microseconds.
    stopwatch: Text<'a>,
    rulesets: Vec<Text<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Match<'a> {
    actionset: Text<'a>,
    message: Text<'a>,
    /// The line in the error log, without the fields of the transaction.
    error_message: Text<'a>,
    data: Data<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Data<'a> {
    file: Text<'a>,
    line: u32,
    id: u64,
    rev: Text<'a>,
    msg: Text<'a>,
    data: Text<'a>,
    /// 0 to 7; 8 for a rule without one.
    severity: u8,
    ver: Text<'a>,
    maturity: u8,
    accuracy: u8,
    tags: Vec<Text<'a>>,
    /// Always empty: the filter keeps no rule texts.
    raw: Text<'a>,
}

impl<'a> Root<'a> {
    pub(super) fn new(record: &'a Record<'a>) -> Self {
        let (client_ip, client_port) = endpoint(record.connection.client);
        let (host_ip, host_port) = endpoint(record.connection.server);
        let details = record.has(b'H');
        let messages = record.messages.iter().filter(|_| details);
        let severity = match record.highest_severity {
            severity @ 0..=7 => super::error_log::severity_name(severity).to_ascii_lowercase(),
            _ => String::new(),
        };
        let signature = record.settings.server_signature.as_deref();
        Self {
            transaction: Transaction {
                timestamp: timestamp(record).into(),
                unix_timestamp: record.started,
                id: record.unique_id.as_str().into(),
                client_ip,
                client_port,
                host_ip,
                host_port,
                server_id: Text::from(&*record.settings.sensor_id),
                request_id: Text::from(&*record.connection.request_id),
                trace_id: record.trace_id.unwrap_or_default().into(),
                request: Request::new(record),
                response: record.response.as_ref().map(|response| Response {
                    protocol: response.protocol.into(),
                    status: response.status,
                    headers: Headers {
                        headers: &response.headers,
                        arrays: true,
                    },
                    body: shown(response.body.as_ref()).unwrap_or_default(),
                }),
                producer: details.then(|| Producer {
                    connector: "proxy-wasm".into(),
                    version: producer().into(),
                    server: signature.unwrap_or_default().into(),
                    rule_engine: engine(record.engine).into(),
                    stopwatch: record.duration().to_string().into(),
                    rulesets: record.components().collect(),
                }),
                highest_severity: severity.into(),
                is_interrupted: record.interruption.is_some(),
                sealed: record.sealed.as_deref().map(Text::from),
            },
            messages: messages.map(Match::new).collect(),
        }
    }
}

impl<'a> Request<'a> {
    fn new(record: &'a Record<'a>) -> Self {
        let request = &record.request;
        let form = request.form.as_deref().map(Text::from);
        let files = request.files.iter().map(|file| File {
            name: file.name.into(),
            size: crate::bytes::leading_integer(file.size),
            mime: Text::default(),
        });
        Self {
            method: request.method.into(),
            protocol: request.protocol.into(),
            uri: Text::from(&*request.uri),
            http_version: request.version().into(),
            headers: Headers {
                headers: &request.headers,
                arrays: true,
            },
            body: form
                .or_else(|| shown(request.body.as_ref()))
                .unwrap_or_default(),
            files: files.collect(),
            length: request.body.as_ref().map_or(0, |body| body.length),
        }
    }
}

impl<'a> Match<'a> {
    fn new(message: &'a Message<'a>) -> Self {
        let found = message.found;
        Self {
            actionset: Text::default(),
            message: Text::from(&*message.text),
            error_message: message.line.as_str().into(),
            data: Data {
                file: Text::from(&*found.file),
                line: found.line,
                id: found.rule_id,
                rev: Text::from(&*found.rev),
                msg: Text::from(&*message.text),
                data: Text::from(&*message.data),
                severity: found.severity.unwrap_or(8),
                ver: Text::from(&*found.ver),
                maturity: found.maturity.unwrap_or(0),
                accuracy: found.accuracy.unwrap_or(0),
                tags: message.tags.iter().map(|tag| Text::from(&**tag)).collect(),
                raw: Text::default(),
            },
        }
    }
}

fn timestamp(record: &Record<'_>) -> String {
    let Some(time) = record.time else {
        return String::new();
    };
    format!(
        "{:04}/{:02}/{:02} {:02}:{:02}:{:02}",
        time.year, time.month, time.day, time.hour, time.minute, time.second
    )
}
