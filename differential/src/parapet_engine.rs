//! Our engine through the library.

use std::path::Path;
use std::rc::Rc;

use parapet::compile::{Loader, compile};
use parapet::engine::{
    BodyPlan, Clock, Connection, Endpoint, RequestHead, ResponseHead, Step, Transaction, UnixNanos,
    Waf,
};

use crate::exchange::Exchange;
use crate::verdict::{Hit, Verdict};

/// The engine with a set of rules.
pub struct Parapet(Rc<Waf>);

/// A clock that stands still: no verdict may depend on it.
struct Noon;

/// What the engine keeps of one transaction at most.
const MOST_MATCHES: usize = 1000;

impl Clock for Noon {
    fn now(&self) -> UnixNanos {
        1_700_000_000_000_000_000
    }
}

/// Files of the file system; no patterns.
struct Files;

impl Loader for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| error.to_string())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        Ok(vec![pattern.to_owned()])
    }
}

impl Parapet {
    /// The engine with the rules of a file.
    ///
    /// # Errors
    ///
    /// The messages about rules that are refused.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let sources = [(path.to_string_lossy().into_owned(), text)];
        let compiled = compile(&sources, &Files);
        let messages = compiled.diagnostics.iter();
        let messages: Vec<String> = messages.map(|message| format!("{message:?}")).collect();
        let program = compiled.program.ok_or_else(|| messages.join("\n"))?;
        Ok(Self(Waf::new(program, Rc::new(Noon))))
    }

    /// Takes an exchange through all phases; after an interruption only the logging phase is left.
    pub fn inspect(&self, exchange: &Exchange) -> Verdict {
        let mut transaction = Transaction::new(&self.0, connection());
        if request(&mut transaction, exchange) {
            response(&mut transaction, exchange);
        }
        transaction.finish();
        let record = transaction.record();
        // Of a rule that matches often only the first matches are kept, which is enough here.
        let matches = transaction.drain_matches();
        assert!(matches.len() < MOST_MATCHES, "some rules may be missing");
        Verdict {
            hits: matches
                .into_iter()
                .map(|found| {
                    let hit = Hit {
                        target: found.target,
                        value: found.value,
                        ..Hit::default()
                    };
                    (found.rule_id, hit)
                })
                .collect(),
            interrupted: record
                .interruption
                .map(|found| (found.status, found.rule_id)),
        }
    }
}

fn connection() -> Connection {
    let endpoint = |address: [u8; 4], port| Endpoint {
        address: address.into(),
        port,
    };
    Connection {
        client: Some(endpoint([192, 0, 2, 1], 41_090)),
        server: Some(endpoint([198, 51, 100, 1], 80)),
        unique_id: "differential".into(),
        request_id: Vec::new(),
    }
}

fn request(transaction: &mut Transaction, exchange: &Exchange) -> bool {
    let request = &exchange.request;
    let headers = borrowed(&request.headers);
    let mut step = transaction.request_head(&RequestHead {
        method: &request.method,
        target: &request.target,
        protocol: &request.protocol,
        headers: &headers,
    });
    if wants(&step) && !request.body.is_empty() {
        step = transaction.request_body(&request.body);
    }
    if step.interruption.is_none() {
        step = transaction.end_request_body();
    }
    step.interruption.is_none()
}

fn response(transaction: &mut Transaction, exchange: &Exchange) {
    let Some(response) = &exchange.response else {
        return;
    };
    let headers = borrowed(&response.headers);
    let mut step = transaction.response_head(&ResponseHead {
        status: response.status,
        protocol: &response.protocol,
        headers: &headers,
    });
    if wants(&step) && !response.body.is_empty() {
        step = transaction.response_body(&response.body);
    }
    if step.interruption.is_none() {
        let _ = transaction.end_response_body();
    }
}

fn wants(step: &Step) -> bool {
    step.interruption.is_none() && step.body == BodyPlan::Inspect
}

fn borrowed(headers: &[(Vec<u8>, Vec<u8>)]) -> Vec<(&[u8], &[u8])> {
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect()
}
