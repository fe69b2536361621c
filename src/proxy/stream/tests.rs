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
