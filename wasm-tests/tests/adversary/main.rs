//! The compiled filter under a host that does what no proxy should: callbacks in odd orders, calls
//! that fail, heads without sense, configurations that come and go. What must hold: the VM never
//! traps, and nothing that the rules deny goes on to its end.
//!
//! `ADVERSARY_ROUNDS` multiplies the number of random rounds, and makes the longest tests whole; 1
//! unless set.

mod bodies;
mod faults;
mod inputs;
mod memory;
mod orders;
mod reconfiguration;

use std::rc::Rc;
use std::sync::OnceLock;

use parapet::wasm_host::{
    Exchange, Incoming, ManualClock, Module, Outcome, Pairs, Plugin, Reply, Settings,
};

/// Rules that deny a word in each phase.
const WORDS: &str = r#""SecRuleEngine On", "SecRequestBodyAccess On", "SecResponseBodyAccess On",
    "SecRequestBodyLimit 1073741824", "SecRequestBodyNoFilesLimit 1048576",
    "SecRule REQUEST_URI \"@contains evil1\" \"id:1,phase:1,deny,status:403,log\"",
    "SecRule ARGS|REQUEST_BODY \"@contains evil2\" \"id:2,phase:2,deny,status:403,log\"",
    "SecRule RESPONSE_HEADERS \"@contains evil3\" \"id:3,phase:3,deny,status:403,log\"",
    "SecRule RESPONSE_BODY \"@contains evil4\" \"id:4,phase:4,deny,status:403,log\"""#;

/// The embedded rules, blocking.
const BASELINE: &str = r#"{"rules": ["Include @demo-conf", "Include @baseline/*.conf"]}"#;

fn words(more_rules: &str, more_keys: &str) -> String {
    format!(r#"{{"rules": [{WORDS}{more_rules}]{more_keys}}}"#)
}

/// Compiled once for all tests.
fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::compile(&std::fs::read(wasm_tests::wasm()).unwrap()).unwrap())
}

fn start(configuration: &str, change: impl FnOnce(&mut Settings)) -> Plugin {
    let mut settings = Settings::new(configuration);
    settings.clock = Rc::new(ManualClock::at(1_700_000_000_000_000_000));
    change(&mut settings);
    Plugin::start(module(), settings).unwrap()
}

fn rounds(least: usize) -> usize {
    least * factor()
}

fn factor() -> usize {
    std::env::var("ADVERSARY_ROUNDS").map_or(1, |text| text.parse().expect("a number"))
}

/// A small deterministic generator (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        (0..length)
            .map(|_| u8::try_from(self.below(256)).unwrap())
            .collect()
    }
}

fn pairs(list: &[(&str, &str)]) -> Pairs {
    list.iter()
        .map(|&(name, value)| (name.into(), value.into()))
        .collect()
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn request(path: &str, body: &[&[u8]]) -> Exchange {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let mut headers = pairs(&[
        (":authority", "shop.example.org"),
        (":method", method),
        (":path", path),
        (":scheme", "http"),
        ("user-agent", "Mozilla/5.0"),
        ("accept", "*/*"),
    ]);
    if !body.is_empty() {
        headers.extend(pairs(&[FORM]));
    }
    Exchange {
        request: Incoming {
            headers,
            chunks: body.iter().map(|chunk| chunk.to_vec()).collect(),
            ..Default::default()
        },
        protocol: b"HTTP/1.1".to_vec(),
        source: b"192.0.2.7:40000".to_vec(),
        destination: b"198.51.100.1:8080".to_vec(),
        ..Default::default()
    }
}

fn page(header: &str, body: &[&[u8]]) -> Incoming {
    Incoming {
        headers: pairs(&[
            (":status", "200"),
            ("content-type", "text/html"),
            ("x-said", header),
        ]),
        chunks: body.iter().map(|chunk| chunk.to_vec()).collect(),
        ..Default::default()
    }
}

/// An attack in each phase: the request, and the answer if it gets one.
fn attacks() -> [(Exchange, Incoming); 4] {
    let fine = || page("fine", &[b"<p>", b"fine</p>"]);
    [
        (request("/evil1", &[]), fine()),
        (request("/", &[b"a=1&b=ev", b"il2&c=3"]), fine()),
        (request("/", &[b"a=1"]), page("evil3", &[b"<p>fine</p>"])),
        (
            request("/", &[b"a=1"]),
            page("fine", &[b"<p>evil", b"4</p>"]),
        ),
    ]
}

/// Whether an attack came to its end: for one in a request, all of it with the upstream; for one in
/// a response, all of it with the client.
fn arrived(phase: usize, outcome: &Outcome) -> bool {
    match phase {
        1 | 2 => outcome
            .upstream
            .as_ref()
            .is_some_and(|upstream| upstream.complete),
        _ => matches!(outcome.reply, Reply::Upstream(_)),
    }
}

/// Runs all attacks and sees that none arrives.
fn none_arrives(plugin: &mut Plugin, what: &str) {
    for (phase, (attack, answer)) in (1..).zip(attacks()) {
        let outcome = plugin
            .exchange(&attack, &mut |_| answer.clone())
            .unwrap_or_else(|error| panic!("{what}, phase {phase}: {error}"));
        assert!(
            !arrived(phase, &outcome),
            "{what}, phase {phase}: {outcome:?}"
        );
        assert!(!outcome.length_broken, "{what}, phase {phase}");
    }
}

/// The sum of the counters whose name contains a text.
fn counted(plugin: &Plugin, name: &str) -> u64 {
    plugin
        .metrics()
        .iter()
        .filter(|(key, _)| key.contains(name))
        .map(|(_, metric)| metric.value)
        .sum()
}
