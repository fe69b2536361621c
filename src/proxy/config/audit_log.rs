//! `audit_log`: how audit records get to an HTTP collector.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::json::{Keys, number, unreadable, value};
use super::values::{Entries, Scalar, is_header_name};
use crate::proxy::collector::CollectorSettings;

/// The keys of `audit_log`.
pub const AUDIT_LOG_KEYS: &[(&str, &str)] = &[
    (
        "cluster",
        "The proxy's upstream that records are sent to; it decides about TLS. Must be given.",
    ),
    (
        "timeout_ms",
        "How long the collector may take to answer: 100 to 60000; default 5000.",
    ),
    (
        "flush_ms",
        "How long a record waits for others to be sent with: 100 to 60000; default 1000.",
    ),
    (
        "batch_bytes",
        "A request to the collector has about so many bytes at most: 1024 to 4194304; default 262144. A larger record goes alone.",
    ),
    (
        "queue_bytes",
        "Records that wait or are under way, in bytes for each worker: 65536 to 268435456; default 4194304. What comes beyond is lost, and counted.",
    ),
    (
        "headers",
        "Headers of the requests, such as `authorization`: `{name: value}`. No message and no log shows the values.",
    ),
];

/// The object.
pub(super) struct AuditLog(pub(super) CollectorSettings);

impl<'de> Deserialize<'de> for AuditLog {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AuditLogVisitor)
    }
}

struct AuditLogVisitor;

impl<'de> Visitor<'de> for AuditLogVisitor {
    type Value = AuditLog;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AuditLog, A::Error> {
        let mut settings = CollectorSettings::default();
        let mut keys = Keys::new(AUDIT_LOG_KEYS);
        let map = &mut map;
        while let Some(key) = keys.next(map)? {
            match key {
                "cluster" => settings.cluster = value(map, key)?,
                "timeout_ms" => settings.timeout_ms = number(map, key, 100, 60_000)?,
                "flush_ms" => settings.flush_ms = number(map, key, 100, 60_000)?,
                "batch_bytes" => settings.batch_bytes = bytes(map, key, 1 << 10, 4 << 20)?,
                "queue_bytes" => settings.queue_bytes = bytes(map, key, 64 << 10, 256 << 20)?,
                "headers" => settings.headers = headers(value(map, key)?, key)?,
                key => return Err(unreadable(key)),
            }
        }
        if settings.cluster.is_empty() {
            return Err(A::Error::custom("`audit_log` names no `cluster`"));
        }
        Ok(AuditLog(settings))
    }
}

fn bytes<'de, A: MapAccess<'de>>(
    map: &mut A,
    key: &str,
    least: u32,
    most: u32,
) -> Result<usize, A::Error> {
    let bytes = number(map, key, least, most)?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// Names and values as HTTP has them. Values are secrets: messages show names only.
fn headers<E: Error>(entries: Entries<Scalar>, key: &str) -> Result<Vec<(String, String)>, E> {
    let mut headers = Vec::new();
    for (name, Scalar(value)) in entries.0 {
        let name = name.to_ascii_lowercase();
        if !is_header_name(&name) {
            return Err(E::custom(format!(
                "`{key}`: `{}` is no name of a header",
                name.escape_debug()
            )));
        }
        if !value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
        {
            return Err(E::custom(format!(
                "`{key}`: the value of `{name}` has characters other than printable ASCII"
            )));
        }
        headers.push((name, value));
    }
    Ok(headers)
}
