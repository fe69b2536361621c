//! What changes while requests are under way: the rules, and what the filter knows of its host.

use crate::client::{VERSIONS, Version};
use crate::exchange::routing;
use crate::exchange::upstream::{Move, Play, Seen, Upstream};
use crate::exchange::{Ask, End, Flag, Framing, Got, Piece};
use crate::gateway::{self, Gateway, LISTENER, at, filter};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

/// Rules that deny a word in requests and in responses.
fn forbid(word: &str) -> Value {
    json!({
        "rules": [
            "SecRuleEngine On",
            "SecRequestBodyAccess On",
            "SecResponseBodyAccess On",
            "SecResponseBodyMimeType text/html",
            format!("SecRule ARGS \"@contains {word}\" \"id:2,phase:2,deny,nolog\""),
            format!("SecRule RESPONSE_BODY \"@contains {word}\" \"id:4,phase:4,deny,nolog\""),
        ],
    })
}

/// An exchange on a thread of its own.
fn begin(
    gateway: SocketAddr,
    version: Version,
    ask: Ask,
    play: Play,
) -> thread::JoinHandle<(Got, Seen)> {
    thread::spawn(move || {
        let upstream = Upstream::start(&play);
        let got = ask.exchange(version, gateway, &upstream);
        (got, upstream.seen())
    })
}

#[test]
fn streams_under_way_end_on_the_rules_they_began_with() {
    let mut gateway = Gateway::start_example(&forbid("teapot"), routing::furnish);
    let address = gateway.address;
    let updated = Flag::default();
    let half = |word: &str| {
        let ask = Ask::form("a=1&b=").framed(Framing::Declared("a=1&b=".len() + word.len()));
        ask.then(Piece::AwaitFlag(updated.clone())).send(word)
    };
    // Held with the first half of its body; an event stream that is half way.
    let response = |kind: &str, word: &str| {
        let kind = format!("content-type: {kind}");
        let length = format!("content-length: {}", 6 + word.len());
        let play = Play::status(200, &[&kind, &length]).send("hello ");
        play.then(Move::AwaitFlag(updated.clone())).send(word)
    };
    let get = || Ask::get("/");
    let mut streams = Vec::new();
    for version in VERSIONS {
        for (name, ask, play, status) in [
            (
                "request, old word",
                half("teapot"),
                Play::text("hello"),
                403,
            ),
            (
                "request, new word",
                half("kettle"),
                Play::text("hello"),
                200,
            ),
            (
                "response, old word",
                get(),
                response("text/html", "teapot"),
                403,
            ),
            (
                "response, new word",
                get(),
                response("text/html", "kettle"),
                200,
            ),
            (
                "events",
                get(),
                response("text/event-stream", "teapot"),
                200,
            ),
        ] {
            streams.push((name, version, status, begin(address, version, ask, play)));
        }
    }
    // They must have begun before the update.
    thread::sleep(Duration::from_millis(500));
    assert!(
        gateway.update(&forbid("kettle").to_string()),
        "{}",
        gateway.log()
    );
    let deadline = Instant::now() + Duration::from_secs(30);
    let status = |word: &str| {
        let upstream = Upstream::start(&Play::text("hello"));
        let ask = Ask::get(&format!("/?a={word}"));
        ask.exchange(Version::Http1, address, &upstream).status
    };
    while [status("teapot"), status("kettle")] != [Some(200), Some(403)] {
        assert!(Instant::now() < deadline, "the new rules do not serve");
        thread::sleep(Duration::from_millis(100));
    }
    updated.set();
    for (name, version, status, stream) in streams {
        let (got, _) = stream.join().unwrap();
        assert_eq!(
            (got.status, got.end),
            (Some(status), End::Complete),
            "{name}, {version:?}\n{}",
            gateway.log()
        );
    }
}

/// Three listeners: whether Envoy holds heads, and what the plugin asks for.
struct Hosts {
    gateway: Gateway,
    not_holding: SocketAddr,
    not_holding_required: SocketAddr,
}

impl Hosts {
    fn start() -> Self {
        let [not_holding, not_holding_required] = [(); 2].map(|()| gateway::free_address());
        let gateway = Gateway::start_example(&forbid("teapot"), |example| {
            routing::furnish(example);
            let first = at(example, LISTENER).clone();
            for (address, mode) in [(not_holding, "auto"), (not_holding_required, "required")] {
                let mut listener = first.clone();
                listener["name"] = json!(mode);
                listener["address"]["socket_address"]["port_value"] = json!(address.port());
                let mut plugin = forbid("teapot");
                plugin["hold_headers"] = json!(mode);
                plugin["hold_timeout_ms"] = json!(1_000);
                let filter = filter(&mut listener);
                filter["allow_on_headers_stop_iteration"] = json!(false);
                filter["configuration"]["value"] = json!(plugin.to_string());
                let listeners = at(example, "/static_resources/listeners");
                listeners.as_array_mut().unwrap().push(listener);
            }
        });
        Self {
            gateway,
            not_holding,
            not_holding_required,
        }
    }
}

/// On a host that stops everything at a held head, the first requests are let go by the watchdog,
/// inspected all the same, and later ones do not wait.
#[test]
fn the_filter_finds_out_whether_its_host_holds() {
    let hosts = Hosts::start();
    let start = Instant::now();
    let leaks = VERSIONS.map(|version| {
        let leak = Play::text("a teapot");
        begin(hosts.not_holding, version, Ask::get("/"), leak)
    });
    requests_with_bodies(&hosts);
    for leak in leaks {
        let (got, _) = leak.join().unwrap();
        assert_eq!(
            (got.status, got.end),
            (Some(200), End::Cut),
            "{}",
            hosts.gateway.log()
        );
    }
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    // Both workers have found out, or soon will.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let start = Instant::now();
        requests_with_bodies(&hosts);
        if start.elapsed() < Duration::from_millis(900) {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "requests still wait for the watchdog"
        );
    }

    // Told to hold in any case, it refuses instead, and nothing goes upstream.
    let required = hosts.not_holding_required;
    let exchanges =
        VERSIONS.map(|version| begin(required, version, Ask::form("a=1"), Play::text("hello")));
    for exchange in exchanges {
        let (got, seen) = exchange.join().unwrap();
        assert_eq!((got.status, seen.connections), (Some(408), 0));
    }
    slow_clients_disarm_nothing(&hosts);
}

/// At once, so that each worker gets some.
fn requests_with_bodies(hosts: &Hosts) {
    let mut exchanges = Vec::new();
    for version in VERSIONS {
        for (body, status) in [("a=1", 200), ("a=teapot", 403)].repeat(4) {
            let ask = Ask::form(body);
            let exchange = begin(hosts.not_holding, version, ask, Play::text("hello"));
            exchanges.push((version, status, exchange));
        }
    }
    for (version, status, exchange) in exchanges {
        let (got, seen) = exchange.join().unwrap();
        assert_eq!(
            (got.status, got.end),
            (Some(status), End::Complete),
            "{version:?}\n{}",
            hosts.gateway.log()
        );
        let reached = seen.requests.iter().any(|request| !request.body.is_empty());
        assert_eq!(reached, status == 200, "{version:?}");
    }
}

/// The first clients of a host that holds are slow: their heads go on, their bodies do not unseen,
/// and whoever comes after them is held.
fn slow_clients_disarm_nothing(hosts: &Hosts) {
    let slow = |word: &str| {
        let ask = Ask::form("").framed(Framing::Declared(2 + word.len()));
        ask.then(Piece::Sleep(Duration::from_millis(1_600)))
            .send(&format!("a={word}"))
    };
    let mut exchanges = Vec::new();
    for version in VERSIONS {
        for word in ["teapot", "hello"] {
            for _ in 0..4 {
                let play = Play::text("hello");
                let exchange = begin(hosts.gateway.address, version, slow(word), play);
                exchanges.push((word, exchange));
            }
        }
    }
    for (word, exchange) in exchanges {
        let (got, seen) = exchange.join().unwrap();
        let status = if word == "hello" { 200 } else { 403 };
        assert_eq!(got.status, Some(status), "{word}\n{}", hosts.gateway.log());
        let body = seen.requests.iter().any(|request| !request.body.is_empty());
        assert_eq!(body, word == "hello");
    }
    let late = Ask::form("").framed(Framing::Declared(8));
    let late = late.then(Piece::AwaitUpstream).send("a=teapot");
    let exchanges = VERSIONS.repeat(6).into_iter().map(|version| {
        let play = Play::text("hello");
        begin(hosts.gateway.address, version, late.clone(), play)
    });
    for exchange in exchanges.collect::<Vec<_>>() {
        let (got, seen) = exchange.join().unwrap();
        assert_eq!((got.status, seen.connections), (Some(403), 0));
    }
}
