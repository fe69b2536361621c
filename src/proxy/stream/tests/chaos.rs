//! Any cut of a body, any order of callbacks, any failing host.

use super::*;
use crate::proxy::fake::FakeHost;
use crate::proxy::host::Host;
use crate::proxy::{Filter, Flow, OnError, Selection, Shadowed, Stream, Vm};
use std::rc::Rc;

/// A small deterministic generator (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[test]
fn any_cut_of_a_body_gives_the_same_verdict() {
    let mut random = Random(0x5eed);
    for round in 0..400 {
        everywhere(|mut envoy| {
            let evil = random.below(2) == 0;
            let mut body = vec![b'x'; usize::try_from(random.below(300)).unwrap()];
            if evil {
                let at = usize::try_from(random.below(body.len() as u64 + 1)).unwrap();
                body.splice(at..at, *b"evil2");
            }
            let id = envoy.request(POST, false);
            let mut rest = &body[..];
            while !rest.is_empty() {
                let (piece, left) =
                    rest.split_at(usize::try_from(1 + random.below(rest.len() as u64)).unwrap());
                envoy.request_data(id, piece, false);
                if random.below(4) == 0 {
                    envoy.request_data(id, b"", false);
                }
                rest = left;
            }
            if random.below(2) == 0 {
                envoy.request_trailers(id);
            } else {
                envoy.request_data(id, b"", true);
            }
            if evil {
                assert_eq!(envoy.client(id), denied(403), "round {round}");
                assert!(envoy.upstream(id).is_none_or(|(body, _)| body.is_empty()));
            } else {
                assert_eq!(envoy.upstream(id), Some((&body[..], true)), "round {round}");
            }
        });
    }
}

const CALLS: [&str; 10] = [
    "headers",
    "body",
    "property",
    "reply",
    "close",
    "set_property",
    "define_metric",
    "set_tick_period",
    "set_body",
    "set_header",
];

/// A stream under callbacks in no sensible order. Every body says `evil2`, so a request callback
/// may continue with bytes only after a policy let them go; policy here is to deny.
#[test]
fn no_order_of_callbacks_lets_a_denied_body_through() {
    let mut random = Random(42);
    for round in 0..20_000 {
        let host = FakeHost::default();
        let mode = [HoldHeaders::Required, HoldHeaders::Auto, HoldHeaders::Off]
            [usize::try_from(random.below(3)).unwrap()];
        let settings = Settings {
            hold_headers: mode,
            ..Settings::default()
        };
        let filter = Rc::new(Filter::new(
            settings,
            vec![FakeRules::default()],
            Selection::all(0),
            Rc::new(Vm::default()),
        ));
        let mut stream = Stream::new(Rc::clone(&filter), 7);
        let body = b"evil2".repeat(4);
        let mut trace = Vec::new();
        for _ in 0..random.below(12) {
            if random.below(4) == 0 {
                host.fail(CALLS[usize::try_from(random.below(10)).unwrap()]);
            } else if random.below(2) == 0 {
                host.heal();
            }
            let details: &[u8] = if random.below(3) == 0 {
                b"direct_response"
            } else {
                b"via_upstream"
            };
            host.set_fake_property(&["response", "code_details"], details);
            host.state(|state| {
                state.now += 100_000_000;
                state.request_headers = Some(POST.iter().copied().collect());
                state.response_headers = Some([(":status", "200")].into_iter().collect());
                state.request_body = Some(body.clone());
                state.response_body = Some(b"evil4".to_vec());
            });
            let size = usize::try_from(random.below(body.len() as u64 + 3)).unwrap();
            let end = random.below(2) == 0;
            let event = random.below(9);
            trace.push((event, size, end));
            let flow = match event {
                0 => stream.on_request_headers(&host, end),
                1 | 2 => stream.on_request_body(&host, size, end),
                3 => stream.on_request_trailers(&host),
                4 => stream.on_response_headers(&host, end),
                5 => stream.on_response_body(&host, size, end),
                6 => stream.on_response_trailers(&host),
                7 => {
                    stream.on_log(&host);
                    continue;
                }
                _ => {
                    filter.on_tick(&host);
                    continue;
                }
            };
            if matches!(event, 1 | 2) && size >= 5 {
                assert_eq!(flow, Flow::Pause, "round {round}: {trace:?}");
            }
        }
    }
}

#[test]
fn a_lenient_policy_never_panics_either() {
    let mut random = Random(99);
    for _ in 0..5_000 {
        let settings = Settings {
            on_error: OnError::Allow,
            ..Settings::default()
        };
        let host: &dyn Host = &FakeHost::default();
        let filter = Filter::new(
            settings,
            vec![FakeRules::default()],
            Selection::all(0),
            Rc::default(),
        );
        let mut stream = Stream::new(Rc::new(filter), 7);
        for _ in 0..random.below(10) {
            let size = usize::try_from(random.below(9)).unwrap();
            let _: Flow = match random.below(6) {
                0 => stream.on_request_headers(host, false),
                1 => stream.on_request_body(host, size, false),
                2 => stream.on_request_trailers(host),
                3 => stream.on_response_headers(host, false),
                4 => stream.on_response_body(host, size, true),
                _ => stream.on_response_trailers(host),
            };
        }
        stream.on_log(host);
    }
}

/// A second rule set sees all that, whatever the order, and no answer is another for it.
#[test]
fn no_order_of_callbacks_is_answered_otherwise_for_a_shadow() {
    let mut random = Random(7);
    for round in 0..4_000 {
        let rules = FakeRules {
            request_body: random.below(2) == 0,
            response_body: random.below(2) == 0,
            partial: (random.below(2) == 0).then_some(7),
            ..FakeRules::default()
        };
        let shadow = FakeRules {
            word: ["dark", "evil"][usize::try_from(random.below(2)).unwrap()],
            reject: (random.below(4) == 0).then_some(3),
            ..FakeRules::default()
        };
        let seed = random.below(u64::MAX).max(1);
        let alone = answers(seed, Shadowed::alone(rules.clone()));
        let shadowed = answers(seed, Shadowed::new(rules, "shadow", shadow));
        assert_eq!(alone, shadowed, "round {round}");
    }
}

/// What a host is told in one order of callbacks: flows, answers, resets.
fn answers(seed: u64, rules: Shadowed<FakeRules>) -> (Vec<Flow>, Vec<u16>, usize) {
    let mut random = Random(seed);
    let host = FakeHost::default();
    let rules = vec![rules];
    let filter = Filter::new(Settings::default(), rules, Selection::all(0), Rc::default());
    let mut stream = Stream::new(Rc::new(filter), 7);
    let mut flows = Vec::new();
    for _ in 0..random.below(14) {
        match random.below(6) {
            0 => host.fail("body"),
            1 => host.fail("headers"),
            _ => host.heal(),
        }
        let body: &[u8] = match random.below(3) {
            0 => b"dark2 dark4",
            1 => b"evil2 evil4",
            _ => b"fine",
        };
        host.set_fake_property(&["response", "code_details"], b"via_upstream");
        host.state(|state| {
            state.request_headers = Some(POST.iter().copied().collect());
            state.response_headers = Some([(":status", "200")].into_iter().collect());
            state.request_body = Some(body.to_vec());
            state.response_body = Some(body.to_vec());
        });
        let size = usize::try_from(random.below(body.len() as u64 + 2)).unwrap();
        let end = random.below(2) == 0;
        flows.push(match random.below(8) {
            0 | 1 => stream.on_request_headers(&host, end),
            2 | 3 => stream.on_request_body(&host, size, end),
            4 => stream.on_request_trailers(&host),
            5 => stream.on_response_headers(&host, end),
            6 => stream.on_response_body(&host, size, end),
            _ => stream.on_response_trailers(&host),
        });
    }
    stream.on_log(&host);
    host.state(|state| {
        let statuses = state.replies.iter().map(|reply| reply.status).collect();
        (flows, statuses, state.closed.len())
    })
}
