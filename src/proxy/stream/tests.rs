//! The state machine under the little Envoy of [`super::super::fake`].

#[expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "random numbers within small bounds"
)]
mod chaos;
mod delays;
mod effects;
mod large;
mod overload;
mod requests;
mod responses;
mod shadow;
mod watchdog;

use crate::proxy::fake::{Client, Envoy, FakeRules};
use crate::proxy::{HoldHeaders, Settings};

/// Every kind of host, with the settings that make sense on it.
fn everywhere(mut test: impl FnMut(Envoy)) {
    for (holds, mode) in [
        (true, HoldHeaders::Required),
        (true, HoldHeaders::Auto),
        (true, HoldHeaders::Off),
        (false, HoldHeaders::Off),
    ] {
        test(envoy(holds, mode, FakeRules::default()));
    }
}

fn envoy(holds: bool, mode: HoldHeaders, rules: FakeRules) -> Envoy {
    Envoy::new(
        holds,
        Settings {
            hold_headers: mode,
            ..Settings::default()
        },
        rules,
    )
}

/// Whether heads wait for bodies under this combination.
fn held(envoy: &Envoy) -> bool {
    envoy.holds && envoy.filter.settings().hold_headers != HoldHeaders::Off
}

const GET: &[(&str, &str)] = &[(":method", "GET"), (":path", "/"), (":authority", "a")];
const POST: &[(&str, &str)] = &[(":method", "POST"), (":path", "/"), (":authority", "a")];

fn with<'a>(head: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [head, more].concat()
}

fn denied(status: u16) -> Client {
    Client {
        status: Some(status),
        body: b"Request blocked.\n".to_vec(),
        complete: true,
        reset: false,
    }
}

fn answered(status: u16, body: &str) -> Client {
    Client {
        status: Some(status),
        body: body.into(),
        complete: true,
        reset: false,
    }
}

#[test]
fn a_match_that_does_not_interrupt_is_a_detection() {
    for detects in [false, true] {
        let rules = FakeRules {
            detects,
            ..FakeRules::default()
        };
        let mut envoy = envoy(true, HoldHeaders::Auto, rules);
        let head = with(GET, &[("x", "evil1")]);
        let id = envoy.request(&head, true);
        assert_eq!(envoy.upstream(id).is_some(), detects);
        envoy.log(id);
        assert_eq!(
            envoy
                .host
                .metric("tx.detections_ruleid=1001_phase=http_request_headers"),
            i64::from(detects)
        );
        assert_eq!(
            envoy.host.metric("tx.interruptions_ruleid=1001"),
            i64::from(!detects)
        );
    }
}

#[test]
fn scores_and_the_engines_time_become_samples() {
    let rules = FakeRules {
        variables: &[
            ("blocking_inbound_anomaly_score", " 15"),
            ("anomaly_score", "3"),
        ],
        ..FakeRules::default()
    };
    let mut envoy = envoy(true, HoldHeaders::Auto, rules);
    for _ in 0..17 {
        let id = envoy.request(&with(GET, &[]), true);
        envoy.log(id);
    }
    let samples = |name: &str| envoy.host.state(|state| state.samples(name));
    assert_eq!(samples("waf_filter.tx.score_kind=score"), [15; 17]);
    assert!(samples("waf_filter.tx.score_kind=outbound_score").is_empty());
    // The first of sixteen, and the seventeenth.
    assert_eq!(samples("waf_filter.tx.engine_micros"), [0; 2]);
}
