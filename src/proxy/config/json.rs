//! The JSON of a plugin configuration. Every message names the key it is about.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::audit_log::AuditLog;
use super::debug_header::DebugHeaderObject;
use super::denial::Denial;
use super::metadata::Metadata;
use super::profile::{Body, Profile};
use super::values::{Contents, Entries, Lines, Scalar, Scalars, about};
use super::{PluginConfig, Problems};
use crate::diagnostic::{Code, Diagnostic, SourceMap, Span, suggest};
use crate::proxy::holding::HoldHeaders;
use crate::proxy::settings::{AcceptEncoding, FilterState, Grpc, MetricTags, OnError, Scores};

/// The keys of a plugin configuration and what they say.
pub const KEYS: &[(&str, &str)] = &[
    (
        "directives_map",
        "Named lists of SecLang directives: `{name: [line, …]}`, or, for a list that goes on where another ends, `{name: {\"extends\": other, \"directives\": [line, …]}}`.",
    ),
    (
        "default_directives",
        "The list for requests that none is named for. Without it they get the strictest one.",
    ),
    (
        "strictest_directives",
        "The list for requests that nothing decides about: none is named for them and there is no default, or metadata names one that does not exist. Without it, the embedded default rules, blocking.",
    ),
    (
        "per_route_directives",
        "Names of routes (of the proxy's configuration) and the lists they get: `{\"checkout\": name, \"httproute/shop/*\": name}`; a `*` at the end stands for anything. Routes come before metadata and authorities.",
    ),
    (
        "profile_metadata",
        "Metadata of route, virtual host, cluster and listener that names the list: an object with the keys `namespace`, `key`, `from`, which may be empty. Without this key no metadata is read. Metadata comes before authorities.",
    ),
    (
        "per_authority_directives",
        "Authorities and the lists they get: `{\"example.com\": name, \"*.example.org\": name}`. Case, port and a trailing dot make no difference.",
    ),
    (
        "rules",
        "One list of directives for everything; the older form of `directives_map`.",
    ),
    (
        "metric_labels",
        "Labels added to the names of counters and histograms: `{key: value}`.",
    ),
    (
        "metric_tags",
        "What tags begin with whose matches are counted: `[prefix, …]`; default `[\"attack-\"]`.",
    ),
    (
        "engine_time_every",
        "The histogram of the engine's time takes one in so many transactions: 0 (none) to 1000000; default 16.",
    ),
    (
        "audit_log",
        "Where audit records go by HTTP, for rules with `SecAuditLogType HTTPS`: an object with the keys `cluster`, `timeout_ms`, `flush_ms`, `batch_bytes`, `queue_bytes`, `headers`.",
    ),
    (
        "debug_header",
        "Lets an operator ask for the debug log of one request: an object with the keys `name`, `secret_env`, `level`. Without this key no header does.",
    ),
    (
        "data_files",
        "Files that directives may name, for `@pmFromFile`, `@ipMatchFromFile`, `SecGeoLookupDb` and `Include`: `{name: text}`, or `{name: {\"base64\": text}}` for a file that is no text.",
    ),
    (
        "hold_headers",
        "Whether heads wait for the verdict on their bodies: `auto` (default: yes, where the host can), `required` (refuse what the host would let go), `off`.",
    ),
    (
        "hold_timeout_ms",
        "How long a held head may wait until the host has once delivered a body while holding: 1 to 600000; default 1000 with `auto`, 15000 with `required`.",
    ),
    (
        "forwarded_trusted",
        "`true`: an address that came from X-Forwarded-For counts as the client's (never a loopback one). Default `false`: REMOTE_ADDR is then empty.",
    ),
    (
        "on_error",
        "What happens to a stream when the host is at fault: `deny` (default) or `allow`.",
    ),
    (
        "buffer_limit",
        "Bytes of a body that the host keeps while it is inspected, which a filter cannot ask: `per_connection_buffer_limit_bytes` of Envoy's listener. With it, larger bodies are refused by the filter, with a line in the log; without it, by the host. Where `SecParapetLargeRequestBody Stream` is set, 1048576 is assumed.",
    ),
    (
        "bytes_in_flight_limit",
        "Bytes that all transactions of a VM may hold together: 1048576 to 1073741824; default 268435456.",
    ),
    (
        "on_overload",
        "What happens to a stream beyond `bytes_in_flight_limit`: `deny` (default, with 503) or `allow` (it passes uninspected).",
    ),
    (
        "grpc",
        "Bodies of gRPC calls: `stream` (default) lets them pass as they come, `inspect` holds them like others (unary calls only).",
    ),
    (
        "accept_encoding",
        "`remove` takes accept-encoding off requests, so that responses come in a form the rules can read; `keep` (default).",
    ),
    (
        "denial",
        "What denials look like: an object with the keys `body`, `content_type`, `headers`, `status`, `redirect`. A profile may have one of its own.",
    ),
    (
        "filter_state",
        "Which verdicts stand in filter state (`wasm.parapet.verdict`, `rule`, `score`) for access logs: `denied` (default) or `all`.",
    ),
    (
        "scores",
        "Entries of filter state that show TX variables: `{name: [variable, …]}`, where the first variable with a value counts; default the scores of the Core Rule Set as `score` and `outbound_score`.",
    ),
];

const UNKNOWN: &str = "unknown key";

/// Reads a JSON text.
pub(super) fn read(text: &[u8], name: &str) -> Result<PluginConfig, Problems> {
    serde_json::from_slice::<Document>(text)
        .map(|document| document.0)
        .map_err(|error| {
            let place = format!(" at line {} column {}", error.line(), error.column());
            let message = error.to_string();
            let message = message.strip_suffix(&place).unwrap_or(&message);
            let code = if message.contains(UNKNOWN) {
                Code::UnknownKey
            } else {
                Code::PluginConfig
            };
            let mut sources = SourceMap::default();
            let source = sources.add(name, text);
            let at = u32::try_from(offset(text, error.line(), error.column())).unwrap_or(u32::MAX);
            let span = Span {
                source,
                start: at,
                end: at,
            };
            Problems {
                diagnostics: vec![Diagnostic::new(code, span, message)],
                sources,
            }
        })
}

/// The offset of a place that serde_json names: lines from 1, columns from 1 or 0 before the first
/// byte of a line.
fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let lines = text
        .split_inclusive(|&byte| byte == b'\n')
        .take(line.saturating_sub(1));
    lines
        .map(<[u8]>::len)
        .sum::<usize>()
        .saturating_add(column.saturating_sub(1))
}

struct Document(PluginConfig);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the plugin configuration")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut config = PluginConfig::default();
        let settings = &mut config.settings;
        let mut rules: Option<Lines> = None;
        let mut keys = Keys::new(KEYS);
        while let Some(key) = keys.next(&mut map)? {
            let map = &mut map;
            match key {
                "directives_map" => {
                    let profiles: Entries<Body> = value(map, key)?;
                    config.profiles = profiles
                        .0
                        .into_iter()
                        .map(|(name, body)| body.named(name))
                        .collect();
                }
                "default_directives" => config.default_directives = value(map, key)?,
                "strictest_directives" => config.strictest_directives = value(map, key)?,
                "per_route_directives" => {
                    config.routes = value::<Entries<String>, A>(map, key)?.0;
                }
                "profile_metadata" => {
                    config.metadata = Some(value::<Metadata, A>(map, key)?.0);
                }
                "per_authority_directives" => {
                    config.authorities = value::<Entries<String>, A>(map, key)?.0;
                }
                "rules" => rules = Some(value(map, key)?),
                "metric_labels" => {
                    let labels: Entries<Scalar> = value(map, key)?;
                    settings.metric_labels = labels
                        .0
                        .into_iter()
                        .map(|(key, value)| (key, value.0))
                        .collect();
                }
                "metric_tags" => {
                    settings.metric_tags = MetricTags(value::<Scalars, A>(map, key)?.0)
                }
                "engine_time_every" => {
                    settings.engine_time_every = Some(number(map, key, 0, 1_000_000)?);
                }
                "audit_log" => settings.collector = Some(value::<AuditLog, A>(map, key)?.0),
                "debug_header" => {
                    settings.debug_header = Some(value::<DebugHeaderObject, A>(map, key)?.0);
                }
                "data_files" => {
                    let files: Entries<Contents> = value(map, key)?;
                    config.data_files = files
                        .0
                        .into_iter()
                        .map(|(name, file)| (name, file.0))
                        .collect();
                }
                "hold_headers" => {
                    settings.hold_headers = choice(
                        map,
                        key,
                        &[
                            ("auto", HoldHeaders::Auto),
                            ("required", HoldHeaders::Required),
                            ("off", HoldHeaders::Off),
                        ],
                    )?;
                }
                "hold_timeout_ms" => {
                    settings.hold_timeout_ms = Some(number(map, key, 1, 600_000)?);
                }
                "forwarded_trusted" => settings.forwarded_trusted = value(map, key)?,
                "on_error" => {
                    let choices = [("deny", OnError::Deny), ("allow", OnError::Allow)];
                    settings.on_error = choice(map, key, &choices)?;
                }
                "buffer_limit" => settings.buffer_limit = Some(size(map, key, 1)?),
                "bytes_in_flight_limit" => {
                    settings.bytes_in_flight_limit = Some(size(map, key, 1 << 20)?);
                }
                "on_overload" => {
                    let choices = [("deny", OnError::Deny), ("allow", OnError::Allow)];
                    settings.on_overload = choice(map, key, &choices)?;
                }
                "grpc" => {
                    let choices = [("stream", Grpc::Stream), ("inspect", Grpc::Inspect)];
                    settings.grpc = choice(map, key, &choices)?;
                }
                "accept_encoding" => {
                    let choices = [
                        ("keep", AcceptEncoding::Keep),
                        ("remove", AcceptEncoding::Remove),
                    ];
                    settings.accept_encoding = choice(map, key, &choices)?;
                }
                "denial" => {
                    let change = value::<Denial, A>(map, key)?.0;
                    settings.denial = change.over(&settings.denial);
                }
                "filter_state" => {
                    let choices = [("denied", FilterState::Denied), ("all", FilterState::All)];
                    settings.filter_state = choice(map, key, &choices)?;
                }
                "scores" => settings.scores = scores(value(map, key)?, key)?,
                key => return Err(unreadable(key)),
            }
        }
        if let Some(Lines(lines)) = rules {
            if !config.profiles.is_empty() {
                return Err(A::Error::custom(
                    "`rules` is the older form of `directives_map`: give only one of them",
                ));
            }
            config.profiles.push(Profile {
                name: "default".to_owned(),
                directives: lines,
                ..Profile::default()
            });
            config
                .default_directives
                .get_or_insert_with(|| "default".to_owned());
        }
        Ok(Document(config))
    }
}

/// Names of entries that stand for something else.
const STATES: [&str; 3] = ["verdict", "rule", "shadow_rule"];

fn scores<E: Error>(entries: Entries<Lines>, key: &str) -> Result<Scores, E> {
    let mut scores = Vec::new();
    for (name, Lines(variables)) in entries.0 {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(word) || STATES.contains(&name.as_str()) {
            return Err(E::custom(format!(
                "`{key}`: `{name}` cannot be the name of an entry: lower case letters, digits and \
                 `_`, and none of {}",
                STATES.join(", ")
            )));
        }
        let lower = variables.iter().map(|one| {
            let lower = one.to_ascii_lowercase();
            lower.strip_prefix("tx.").unwrap_or(&lower).to_owned()
        });
        scores.push((name, lower.collect()));
    }
    Ok(Scores(scores))
}

/// The keys of an object, each known and each once.
pub(super) struct Keys {
    known: &'static [(&'static str, &'static str)],
    seen: Vec<&'static str>,
}

impl Keys {
    pub(super) fn new(known: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            known,
            seen: Vec::new(),
        }
    }

    pub(super) fn next<'de, A: MapAccess<'de>>(
        &mut self,
        map: &mut A,
    ) -> Result<Option<&'static str>, A::Error> {
        let Some(key) = map.next_key::<String>()? else {
            return Ok(None);
        };
        let names = || self.known.iter().map(|(name, _)| *name);
        let Some(name) = names().find(|name| *name == key) else {
            let hint = match suggest(&key, names()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("the keys are {}", names().collect::<Vec<_>>().join(", ")),
            };
            return Err(A::Error::custom(format!("{UNKNOWN} `{key}`, {hint}")));
        };
        if self.seen.contains(&name) {
            return Err(A::Error::custom(format!("`{name}` is given twice")));
        }
        self.seen.push(name);
        Ok(Some(name))
    }
}

/// A key that stands in the table but that nobody reads: cannot happen while the tests pass.
pub(super) fn unreadable<E: Error>(key: &str) -> E {
    E::custom(format!("{UNKNOWN} `{key}`"))
}

pub(super) fn value<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    map: &mut A,
    key: &str,
) -> Result<T, A::Error> {
    map.next_value().map_err(|error| about(key, &error))
}

fn choice<'de, T: Copy, A: MapAccess<'de>>(
    map: &mut A,
    key: &str,
    choices: &[(&str, T)],
) -> Result<T, A::Error> {
    // YAML turns `off` into false on its way to JSON.
    let Scalar(word) = value(map, key)?;
    let word = if word == "false" { "off" } else { &word };
    choices
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, choice)| *choice)
        .ok_or_else(|| {
            let names: Vec<String> = choices
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            A::Error::custom(format!("`{key}`: `{word}` is none of {}", names.join(", ")))
        })
}

pub(super) fn number<'de, A: MapAccess<'de>>(
    map: &mut A,
    key: &str,
    least: u32,
    most: u32,
) -> Result<u32, A::Error> {
    // Control planes write numbers as doubles: 500 may come as 500.0.
    let number: f64 = value(map, key)?;
    (least..=most).contains_number(number).ok_or_else(|| {
        A::Error::custom(format!(
            "`{key}`: {number} is no whole number from {least} to {most}"
        ))
    })
}

/// Bytes, 1 GiB at most.
fn size<'de, A: MapAccess<'de>>(map: &mut A, key: &str, least: u32) -> Result<usize, A::Error> {
    let size = number(map, key, least, 1 << 30)?;
    Ok(usize::try_from(size).unwrap_or(usize::MAX))
}

trait ContainsNumber {
    fn contains_number(&self, number: f64) -> Option<u32>;
}

impl ContainsNumber for std::ops::RangeInclusive<u32> {
    fn contains_number(&self, number: f64) -> Option<u32> {
        let inside = number >= f64::from(*self.start()) && number <= f64::from(*self.end());
        if !inside || number.fract() != 0.0 {
            return None;
        }
        format!("{number:.0}").parse().ok()
    }
}
