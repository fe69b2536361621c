//! `SecAuditLogFormat OCSF`: HTTP Activity of the Open Cybersecurity Schema Framework, 1.5.0.
//!
//! A record is about a request, whatever was found in it, so the class is HTTP Activity (4002), not a
//! finding; the profile Security Control adds what was done about it. What the class has no place for
//! stands in `unmapped`.

use serde::Serialize;

use super::json::{disposition, engine, shown};
use super::record::{Header, Message, Record, version};
use super::text::Text;
use crate::engine::{Disposition, Endpoint, Interruption};

/// HTTP Activity.
#[derive(Serialize)]
pub(super) struct HttpActivity<'a> {
    activity_id: u32,
    activity_name: &'static str,
    category_uid: u32,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    type_uid: u32,
    type_name: String,
    severity_id: u32,
    severity: &'static str,
    /// Milliseconds since 1970-01-01 UTC, as all times here.
    time: u64,
    start_time: u64,
    end_time: u64,
    /// Milliseconds.
    duration: u64,
    timezone_offset: i32,
    is_alert: bool,
    action_id: u32,
    action: &'static str,
    disposition_id: u32,
    disposition: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'a>>,
    metadata: Metadata<'a>,
    http_request: Request<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_response: Option<Response<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_endpoint: Option<End<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst_endpoint: Option<End<'a>>,
    /// The rule that decided, or else the most severe one that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    firewall_rule: Option<FirewallRule<'a>>,
    unmapped: Unmapped<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    product: Product,
    /// UNIQUE_ID.
    uid: &'a str,
    /// `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_uid: Option<Text<'a>>,
    profiles: [&'static str; 1],
    log_name: &'static str,
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Request<'a> {
    /// One that the class knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    http_method: Option<Text<'a>>,
    version: Text<'a>,
    url: Url<'a>,
    http_headers: Vec<HttpHeader<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referrer: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<Text<'a>>,
}

#[derive(Serialize)]
struct Url<'a> {
    url_string: Text<'a>,
    path: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<Text<'a>>,
}

#[derive(Serialize)]
struct HttpHeader<'a> {
    name: Text<'a>,
    value: Text<'a>,
}

#[derive(Serialize)]
struct Response<'a> {
    code: u16,
    status: &'static str,
    http_headers: Vec<HttpHeader<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_length: Option<usize>,
}

#[derive(Serialize)]
struct End<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<Text<'a>>,
}

#[derive(Serialize)]
struct FirewallRule<'a> {
    uid: String,
    name: Text<'a>,
    version: Text<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    /// What matched, in words.
    condition: Text<'a>,
    match_details: Vec<Text<'a>>,
    match_location: Text<'a>,
}

/// What the class has no place for.
#[derive(Serialize)]
struct Unmapped<'a> {
    /// A method that the class does not know, such as PATCH.
    #[serde(skip_serializing_if = "Option::is_none")]
    http_method: Option<Text<'a>>,
    engine_mode: &'static str,
    /// What matched, for `parapet decrypt` (SecParapetSealKey).
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interruption: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_body: Option<Text<'a>>,
    rules: Vec<FirewallRule<'a>>,
}

const CATEGORY: u32 = 4;
const CLASS: u32 = 4002;

impl<'a> HttpActivity<'a> {
    pub(super) fn new(record: &'a Record<'a>) -> Self {
        let method = record.request.method;
        let (activity_id, activity_name) = activity(method);
        let (severity_id, severity) = severity(record);
        let (action_id, action, disposition_id, disposition_name) = outcome(record);
        let millis = |nanos: u64| nanos.checked_div(1_000_000).unwrap_or(0);
        let rules = record.messages.iter();
        let decided = rules.clone().find(|one| one.found.interruption.is_some());
        let severe = rules
            .clone()
            .min_by_key(|one| one.found.severity.unwrap_or(u8::MAX));
        let foremost = decided.or(severe);
        let request_id = &*record.connection.request_id;
        let host = record.request.host;
        Self {
            activity_id,
            activity_name,
            category_uid: CATEGORY,
            category_name: "Network Activity",
            class_uid: CLASS,
            class_name: "HTTP Activity",
            type_uid: CLASS.saturating_mul(100).saturating_add(activity_id),
            type_name: format!("HTTP Activity: {activity_name}"),
            severity_id,
            severity,
            time: millis(record.started),
            start_time: millis(record.started),
            end_time: millis(record.finished),
            duration: millis(record.finished.saturating_sub(record.started)),
            timezone_offset: record
                .time
                .and_then(|time| time.utc_offset.checked_div(60))
                .unwrap_or(0),
            is_alert: foremost.is_some(),
            action_id,
            action,
            disposition_id,
            disposition: disposition_name,
            message: foremost.map(|one| Text::from(&*one.text)),
            metadata: Metadata {
                version: "1.5.0",
                product: Product {
                    name: "Parapet",
                    vendor_name: "Parapet",
                    version: env!("CARGO_PKG_VERSION"),
                },
                uid: &record.unique_id,
                correlation_uid: (!request_id.is_empty()).then(|| request_id.into()),
                profiles: ["security_control"],
                log_name: "audit",
            },
            http_request: Request::new(record),
            http_response: record.response.as_ref().map(|response| Response {
                code: response.status,
                status: response.reason(),
                http_headers: headers(&response.headers),
                body_length: response.body.as_ref().map(|body| body.length),
            }),
            src_endpoint: end(record.connection.client, b""),
            dst_endpoint: end(record.connection.server, host),
            firewall_rule: foremost.map(FirewallRule::new),
            unmapped: Unmapped {
                http_method: (!is_known(method)).then(|| method.into()),
                engine_mode: engine(record.engine),
                sealed: record.sealed.as_deref(),
                trace_id: record.trace_id,
                interruption: record.interruption.map(|by| disposition(by.disposition)),
                request_body: shown(record.request.body.as_ref()),
                response_body: shown(record.response.as_ref().and_then(|one| one.body.as_ref())),
                rules: rules
                    .filter(|_| record.has(b'H'))
                    .map(FirewallRule::new)
                    .collect(),
            },
        }
    }
}

impl<'a> Request<'a> {
    fn new(record: &'a Record<'a>) -> Self {
        let request = &record.request;
        let uri = &*request.uri;
        let query = uri.iter().position(|&byte| byte == b'?');
        let (path, query) = uri.split_at(query.unwrap_or(uri.len()));
        let header = |name: &str| request.header(name).map(Text::from);
        let request_id = &*record.connection.request_id;
        Self {
            http_method: is_known(request.method).then(|| request.method.into()),
            version: version(request.protocol).into(),
            url: Url {
                url_string: uri.into(),
                path: path.into(),
                query_string: query.get(1..).map(Text::from),
                hostname: (!request.host.is_empty()).then(|| request.host.into()),
            },
            http_headers: headers(&request.headers),
            user_agent: header("user-agent"),
            referrer: header("referer"),
            body_length: request.body.as_ref().map(|body| body.length),
            uid: (!request_id.is_empty()).then(|| request_id.into()),
        }
    }
}

impl<'a> FirewallRule<'a> {
    fn new(message: &'a Message<'a>) -> Self {
        let found = message.found;
        let data = (!message.data.is_empty()).then(|| Text::from(&*message.data));
        Self {
            uid: found.rule_id.to_string(),
            name: Text::from(&*message.text),
            version: Text::from(&*found.ver),
            kind: "SecLang",
            condition: Text::from(&*message.explanation),
            match_details: data.into_iter().collect(),
            match_location: Text::from(&*found.target),
        }
    }
}

fn headers<'a>(headers: &'a [Header<'a>]) -> Vec<HttpHeader<'a>> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| HttpHeader {
            name: Text::from(*name),
            value: Text::from(&**value),
        })
        .collect()
}

fn end<'a>(end: Option<Endpoint>, host: &'a [u8]) -> Option<End<'a>> {
    let hostname = (!host.is_empty()).then(|| host.into());
    if end.is_none() && hostname.is_none() {
        return None;
    }
    Some(End {
        ip: end.map(|end| end.address.to_string()),
        port: end.map(|end| end.port),
        hostname,
    })
}

/// Whether the class has a name for a method.
fn is_known(method: &[u8]) -> bool {
    activity(method).0 != OTHER
}

/// The activity of a method that has none.
const OTHER: u32 = 99;

/// The activity that a method is.
fn activity(method: &[u8]) -> (u32, &'static str) {
    match method {
        b"CONNECT" => (1, "Connect"),
        b"DELETE" => (2, "Delete"),
        b"GET" => (3, "Get"),
        b"HEAD" => (4, "Head"),
        b"OPTIONS" => (5, "Options"),
        b"POST" => (6, "Post"),
        b"PUT" => (7, "Put"),
        b"TRACE" => (8, "Trace"),
        _ => (OTHER, "Other"),
    }
}

/// ModSecurity's severities, 0 to 7, as the framework's.
fn severity(record: &Record<'_>) -> (u32, &'static str) {
    match record.highest_severity {
        0 => (6, "Fatal"),
        1 | 2 => (5, "Critical"),
        3 => (4, "High"),
        4 => (3, "Medium"),
        5 => (2, "Low"),
        _ => (1, "Informational"),
    }
}

/// What was done: action and disposition.
fn outcome(record: &Record<'_>) -> (u32, &'static str, u32, &'static str) {
    match record.interruption {
        Some(Interruption {
            disposition: Disposition::Drop,
            ..
        }) => (2, "Denied", 6, "Dropped"),
        Some(_) => (2, "Denied", 2, "Blocked"),
        None if record.messages.is_empty() => (1, "Allowed", 1, "Allowed"),
        None => (1, "Allowed", 15, "Detected"),
    }
}
