//! What the texts about whole transactions show.

use std::rc::Rc;

use super::*;
use crate::compile::{NoFiles, compile};
use crate::engine::{Clock, Connection, RequestHead, ResponseHead, Transaction, UnixNanos, Waf};

mod leaks;
mod records;
mod sealed;

const FORMATS: [(&str, AuditFormat); 5] = [
    ("Native", AuditFormat::Native),
    ("JSON", AuditFormat::Json),
    ("Coraza", AuditFormat::Coraza),
    ("JsonLegacy", AuditFormat::JsonLegacy),
    ("OCSF", AuditFormat::Ocsf),
];

struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixNanos {
        1_709_208_000_000_000_000
    }
}

/// A transaction of some rules that has not begun.
pub(super) fn transaction(rules: &str) -> Transaction {
    let text = format!(
        "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n\
         SecResponseBodyMimeType text/html application/json\n{rules}"
    );
    let compiled = compile(&[("test.conf".into(), text.into_bytes())], &NoFiles);
    let program = compiled
        .program
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    let connection = Connection {
        unique_id: "u".into(),
        request_id: b"r".to_vec(),
        ..Connection::default()
    };
    Transaction::new(&Waf::new(program, Rc::new(Noon)), connection)
}

/// A request and its response.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'a> {
    pub target: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
    pub response_headers: &'a [(&'a str, &'a str)],
    pub response_body: &'a [u8],
}

impl Exchange<'_> {
    /// Carries a transaction to its end; its error log.
    pub(super) fn run(&self, transaction: &mut Transaction) -> String {
        let (request, response) = (bytes(self.headers), bytes(self.response_headers));
        let mut log = String::new();
        let mut tell = |transaction: &mut Transaction| {
            for found in transaction.drain_matches() {
                log += &ErrorLog::new(transaction).line(&found);
                log.push('\n');
            }
        };
        let _ = transaction.request_head(&RequestHead {
            method: b"POST",
            target: self.target.as_bytes(),
            protocol: b"HTTP/1.1",
            headers: &request,
        });
        tell(transaction);
        let _ = transaction.request_body(self.body);
        let _ = transaction.end_request_body();
        tell(transaction);
        let _ = transaction.response_head(&ResponseHead {
            status: 200,
            protocol: b"HTTP/1.1",
            headers: &response,
        });
        tell(transaction);
        let _ = transaction.response_body(self.response_body);
        let _ = transaction.end_response_body();
        tell(transaction);
        transaction.finish();
        tell(transaction);
        log
    }
}

fn bytes<'a>(headers: &[(&'a str, &'a str)]) -> Vec<(&'a [u8], &'a [u8])> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect()
}

/// Bytes that are the same each time.
pub(super) fn drawn(bytes: &mut [u8]) -> bool {
    bytes.fill(9);
    true
}
