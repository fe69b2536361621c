//! Transactions through the engine, and what came of them.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use parapet::bytes::glob_matches;
use parapet::compile::Loader;
use parapet::engine::{
    Ablation, Clock, Connection, Interruption, RequestHead, ResponseHead, RuleMatch, Transaction,
    UnixNanos, Waf,
};
use parapet::program::Program;

/// Files in memory: those of the input, and those the library brings.
#[derive(Default)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl Loader for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let own = self.0.get(path).map(Vec::as_slice);
        own.or_else(|| parapet::rules::embedded(path))
            .map(<[u8]>::to_vec)
            .ok_or_else(|| "no such file".to_owned())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let matches = |name: &&str| glob_matches(pattern.as_bytes(), name.as_bytes());
        let own = self.0.keys().map(String::as_str);
        Ok(own.filter(matches).map(str::to_owned).collect())
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> UnixNanos {
        1_709_208_000_000_000_000
    }
}

/// The engine as it is, then with parts switched off: all must say the same.
pub fn variants(program: &Arc<Program>) -> [Rc<Waf>; 6] {
    let ablated = |ablation| Waf::ablated(Arc::clone(program), Rc::new(Stopped), ablation);
    [
        Waf::new(Arc::clone(program), Rc::new(Stopped)),
        ablated(Ablation {
            prefilter: true,
            ..Ablation::default()
        }),
        ablated(Ablation {
            transformations: true,
            ..Ablation::default()
        }),
        ablated(Ablation {
            sharing: true,
            ..Ablation::default()
        }),
        ablated(Ablation {
            flags: true,
            ..Ablation::default()
        }),
        ablated(Ablation {
            folding: true,
            ..Ablation::default()
        }),
    ]
}

/// One request and its response.
pub struct Exchange<'a> {
    pub method: &'a [u8],
    pub target: &'a [u8],
    pub headers: &'a [(&'a [u8], &'a [u8])],
    pub body: Vec<&'a [u8]>,
    pub response: Vec<&'a [u8]>,
}

/// What a transaction decided and found.
#[derive(PartialEq, Eq, Debug)]
pub struct Outcome {
    pub interruption: Option<Interruption>,
    pub matches: Vec<RuleMatch>,
    pub tx: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Exchange<'_> {
    /// Takes it through all phases, whatever is decided on the way.
    pub fn run(&self, waf: &Rc<Waf>) -> Outcome {
        self.through(Transaction::new(waf, Connection::default()))
    }

    /// The same, noting every question that is asked.
    pub fn traced(&self, waf: &Rc<Waf>) -> Outcome {
        let mut transaction = Transaction::new(waf, Connection::default());
        transaction.trace();
        self.through(transaction)
    }

    fn through(&self, mut transaction: Transaction) -> Outcome {
        let _ = transaction.request_head(&RequestHead {
            method: self.method,
            target: self.target,
            protocol: b"HTTP/1.1",
            headers: self.headers,
        });
        for chunk in &self.body {
            let _ = transaction.request_body(chunk);
        }
        let _ = transaction.end_request_body();
        let _ = transaction.response_head(&ResponseHead {
            status: 200,
            protocol: b"HTTP/1.1",
            headers: &[(b"content-type", b"text/html"), (b"x-a", b"b")],
        });
        for chunk in &self.response {
            let _ = transaction.response_body(chunk);
        }
        let _ = transaction.end_response_body();
        transaction.finish();
        Outcome {
            interruption: transaction.interruption().cloned(),
            matches: transaction.drain_matches(),
            tx: transaction.tx_variables(),
        }
    }
}
