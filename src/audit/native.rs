//! v2's native format: parts between boundary lines.
//!
//! ModSecurity manual, "ModSecurity 2 Data Formats", "Audit Log"; Message lines as in the error log.

use std::fmt::Write as _;

use super::producer;
use super::record::{Body, Header, Record};
use crate::bytes::hex_digits;
use crate::engine::{Endpoint, LocalTime, MaskedPart};
use crate::program::EngineMode;

/// The record. No byte of a value can begin a line with a boundary: line ends in heads are escaped,
/// and the boundary is drawn anew for each transaction.
pub(super) fn write(record: &Record<'_>) -> Vec<u8> {
    let mut out = Native {
        bytes: Vec::with_capacity(2048),
        boundary: boundary(record),
    };
    out.begin(b'A');
    out.line(&header(record));
    out.end();
    if record.has(b'B') {
        out.begin(b'B');
        out.text(&record.request.line());
        out.headers(&record.request.headers);
        out.end();
    }
    if let Some(body) = &record.request.body {
        out.body(b'C', body);
    }
    if let Some(form) = &record.request.form {
        out.begin(b'I');
        out.raw(form);
        out.end();
    }
    if let Some(response) = &record.response {
        if record.has(b'F') {
            out.begin(b'F');
            let protocol = match response.protocol {
                [] => record.request.protocol,
                protocol => protocol,
            };
            let status = format!(" {} {}", response.status, response.reason());
            out.text(&[protocol, status.trim_end().as_bytes()].concat());
            out.headers(&response.headers);
            out.end();
        }
        if let Some(body) = &response.body {
            out.body(b'E', body);
        }
    }
    if record.has(b'H') {
        out.begin(b'H');
        out.trailer(record);
        out.end();
    }
    if record.has(b'J') && !record.request.files.is_empty() {
        out.begin(b'J');
        out.files(record);
        out.end();
    }
    if record.has(b'K') {
        out.begin(b'K');
        out.rules(record);
        out.end();
    }
    out.begin(b'Z');
    out.end();
    out.bytes
}

struct Native {
    bytes: Vec<u8>,
    boundary: String,
}

impl Native {
    fn begin(&mut self, part: u8) {
        let line = format!("--{}-{}--", self.boundary, char::from(part));
        self.line(&line);
    }

    fn end(&mut self) {
        self.bytes.push(b'\n');
    }

    fn line(&mut self, line: &str) {
        self.raw(line.as_bytes());
    }

    /// A line of bytes that others chose: its line ends are escaped, and other control bytes.
    fn text(&mut self, text: &[u8]) {
        for &byte in text {
            match byte {
                b'\t' | b' '..=b'~' | 0x80.. => self.bytes.push(byte),
                _ => {
                    self.bytes.extend_from_slice(b"\\x");
                    self.bytes.extend_from_slice(&hex_digits(byte));
                }
            }
        }
        self.bytes.push(b'\n');
    }

    /// Bytes as they are, and a line end.
    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.bytes.push(b'\n');
    }

    fn headers(&mut self, headers: &[Header<'_>]) {
        for (name, value) in headers {
            self.text(&[name, &b": "[..], value].concat());
        }
    }

    fn body(&mut self, part: u8, body: &Body<'_>) {
        self.begin(part);
        self.raw(&body.bytes);
        self.end();
    }

    fn trailer(&mut self, record: &Record<'_>) {
        for message in &record.messages {
            let text = format!("Message: {}", message.line);
            self.line(&text);
        }
        if let Some(interruption) = record.interruption {
            self.line(&format!(
                "Action: Intercepted (phase {})",
                interruption.phase
            ));
        }
        let begun = record.started.checked_div(1000).unwrap_or(0);
        let duration = record.duration();
        self.line(&format!("Stopwatch: {begun} {duration} (- - -)"));
        let mut producer = producer();
        for component in record.components() {
            let _ = write!(producer, "; {}", component.shown());
        }
        self.text(format!("Producer: {producer}.").as_bytes());
        if let Some(signature) = &record.settings.server_signature {
            self.text(&[b"Server: ", &**signature].concat());
        }
        for (name, part) in [
            ("Sanitised-Args", MaskedPart::Argument),
            ("Sanitised-Request-Headers", MaskedPart::RequestHeader),
            ("Sanitised-Response-Headers", MaskedPart::ResponseHeader),
        ] {
            let names: Vec<Vec<u8>> = record.sanitised(part).map(quoted).collect();
            if !names.is_empty() {
                self.text(&[name.as_bytes(), b": ", &names.join(&b", "[..]), b"."].concat());
            }
        }
        let application = [&record.settings.web_app_id, record.session, record.user];
        if application != [&b"default"[..], b"", b""] {
            let application = application.map(|name| match name {
                b"" => b"-".to_vec(),
                name => quoted(name),
            });
            self.text(&[b"WebApp-Info: ", &*application.join(&b' ')].concat());
        }
        if !record.settings.sensor_id.is_empty() {
            self.text(&[b"Sensor-Id: ", &*quoted(&record.settings.sensor_id)].concat());
        }
        let engine = match record.engine {
            EngineMode::On => "ENABLED",
            EngineMode::DetectionOnly => "DETECTION_ONLY",
            EngineMode::Off => "DISABLED",
        };
        self.line(&format!("Engine-Mode: \"{engine}\""));
        if !record.slow_rules.is_empty() {
            let rules = record.slow_rules.iter();
            let rules: Vec<String> = rules.map(|(id, micros)| format!("{id}={micros}")).collect();
            self.line(&format!(
                "Rules-Performance-Info: \"{}\".",
                rules.join("\", \"")
            ));
        }
        if !record.connection.request_id.is_empty() {
            self.text(&[b"Request-Id: ", &*quoted(&record.connection.request_id)].concat());
        }
        if let Some(trace) = record.trace_id {
            self.line(&format!("Trace-Id: \"{trace}\""));
        }
        if let Some(sealed) = &record.sealed {
            self.line(&format!("Sealed: \"{sealed}\""));
        }
        for (name, body) in [
            ("Request-Body-Cut", &record.request.body),
            (
                "Response-Body-Cut",
                record.response.as_ref().map_or(&None, |one| &one.body),
            ),
        ] {
            if let Some(body) = body.as_ref().filter(|body| body.is_cut) {
                self.line(&format!("{name}: {} bytes in all", body.length));
            }
        }
    }

    /// `n,size,"name","type"` and the sum, as v2.
    fn files(&mut self, record: &Record<'_>) {
        let mut total = 0_u64;
        for (number, file) in record.request.files.iter().enumerate() {
            let size = crate::bytes::leading_integer(file.size);
            total = total.saturating_add(u64::try_from(size).unwrap_or(0));
            let start = format!("{},{size},", number.saturating_add(1));
            let names = [quoted(file.name), quoted(file.field)].join(&b',');
            self.text(&[start.as_bytes(), &names].concat());
        }
        self.line(&format!("Total,{total}"));
    }

    /// The rules that matched: where they stand, for the filter keeps no rule texts.
    fn rules(&mut self, record: &Record<'_>) {
        for message in &record.messages {
            let found = message.found;
            if found.rule_id == 0 {
                continue;
            }
            let place = format!("# {}:{}", found.file, found.line);
            self.text(place.as_bytes());
            for rule in &message.rule {
                self.text(rule);
            }
        }
    }
}

/// `[24/Nov/2026:05:13:00.123456 +0000] id client port server port`.
fn header(record: &Record<'_>) -> String {
    let end = |end: Option<Endpoint>| match end {
        Some(Endpoint { address, port }) => format!("{address} {port}"),
        None => "- 0".to_owned(),
    };
    format!(
        "[{}] {} {} {}",
        record.time.map(timestamp).unwrap_or_default(),
        record.unique_id,
        end(record.connection.client),
        end(record.connection.server)
    )
}

/// `24/Nov/2026:05:13:00.123456 +0000`.
pub(super) fn timestamp(time: LocalTime) -> String {
    let LocalTime {
        year,
        day,
        hour,
        minute,
        second,
        micros,
        ..
    } = time;
    let month = month(time);
    let (sign, offset) = match time.utc_offset {
        offset if offset < 0 => ('-', offset.unsigned_abs()),
        offset => ('+', offset.unsigned_abs()),
    };
    let minutes = offset.checked_div(60).unwrap_or(0);
    let (hours, minutes) = (
        minutes.checked_div(60).unwrap_or(0),
        minutes.checked_rem(60).unwrap_or(0),
    );
    format!(
        "{day:02}/{month}/{year:04}:{hour:02}:{minute:02}:{second:02}.{micros:06} \
         {sign}{hours:02}{minutes:02}"
    )
}

/// The three letters of a month.
pub(super) fn month(time: LocalTime) -> &'static str {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let index = usize::try_from(time.month.saturating_sub(1)).unwrap_or(0);
    MONTHS.get(index).copied().unwrap_or_default()
}

/// A name between quotes, none of its own.
fn quoted(name: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in name {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}

/// Eight digits that the transaction's random name gives; a client that knows them before could
/// forge parts in its body.
fn boundary(record: &Record<'_>) -> String {
    let id = record.unique_id.bytes().rev();
    let digits: String = id
        .filter(u8::is_ascii_alphanumeric)
        .take(8)
        .map(char::from)
        .collect();
    format!("{digits:0>8}")
}
