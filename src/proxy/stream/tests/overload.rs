//! What the transactions of a VM hold together has a ceiling.

use super::*;
use crate::proxy::OnError;

const CEILING: usize = 1 << 20;

fn small(on_overload: OnError, mode: HoldHeaders) -> Envoy {
    let settings = Settings {
        hold_headers: mode,
        bytes_in_flight_limit: Some(CEILING),
        on_overload,
        ..Settings::default()
    };
    Envoy::new(true, settings, FakeRules::default())
}

#[test]
fn streams_stuck_in_their_bodies_stay_below_the_ceiling() {
    let mut envoy = small(OnError::Deny, HoldHeaders::Required);
    let piece = vec![b'x'; 1_000];
    let mut refused = 0;
    for _ in 0..10_000 {
        let id = envoy.request(POST, false);
        envoy.request_data(id, &piece, false);
        if envoy.client(id).status.is_some() {
            assert_eq!(envoy.client(id), denied(503));
            assert_eq!(envoy.upstream(id), None);
            envoy.log(id);
            refused += 1;
        }
        assert!(envoy.vm.bytes_in_flight() <= CEILING + piece.len());
    }
    assert!(refused > 8_000, "{refused}");
    assert_eq!(envoy.host.metric("tx.overload"), refused);
    // Those that are there go on as ever, and make room.
    for id in 0..1_000 {
        envoy.request_data(id, b"evil2", true);
        envoy.log(id);
        assert!(
            envoy
                .client(id)
                .status
                .is_some_and(|status| status == 403 || status == 503)
        );
    }
    let id = envoy.request(POST, false);
    envoy.request_data(id, b"fine", true);
    assert_eq!(envoy.upstream(id), Some((&b"fine"[..], true)));
}

#[test]
fn everything_is_given_back() {
    for mode in [HoldHeaders::Required, HoldHeaders::Off] {
        let mut envoy = small(OnError::Deny, mode);
        for round in 0..3_000 {
            let id = envoy.request(POST, false);
            envoy.request_data(id, &vec![b'x'; 2_000], round % 2 == 0);
            if round % 3 == 0 {
                envoy.respond(id, 200, &[], false, "via_upstream");
                envoy.response_data(id, b"page", round % 2 == 0);
            }
            envoy.log(id);
        }
        assert_eq!(envoy.vm.bytes_in_flight(), 0);
        assert_eq!(envoy.host.metric("tx.overload"), 0);
    }
}

#[test]
fn a_body_that_grows_over_the_ceiling_is_refused_in_the_middle() {
    let mut envoy = small(OnError::Deny, HoldHeaders::Off);
    envoy.buffer_limit = 1 << 30;
    let id = envoy.request(POST, false);
    for _ in 0..40 {
        envoy.request_data(id, &[b'x'; 100_000], false);
    }
    assert_eq!(envoy.client(id), denied(503));
    assert!(envoy.vm.bytes_in_flight() <= CEILING + 100_000);
}

#[test]
fn the_policy_may_let_go_and_says_so() {
    let mut envoy = small(OnError::Allow, HoldHeaders::Required);
    envoy.buffer_limit = 1 << 30;
    let id = envoy.request(POST, false);
    envoy.request_data(id, &vec![b'x'; 2 << 20], false);
    envoy.request_data(id, b"evil2", true);
    assert!(envoy.upstream(id).is_some_and(|(_, ended)| ended));
    // It holds nothing any more, its response passes, and the next one is inspected.
    assert_eq!(envoy.vm.bytes_in_flight(), 0);
    envoy.respond(id, 200, &[], false, "via_upstream");
    envoy.response_data(id, b"evil4", true);
    assert_eq!(envoy.client(id), answered(200, "evil4"));
    assert_eq!(envoy.host.metric("reason=overload"), 1);
    let id = envoy.request(POST, false);
    envoy.request_data(id, b"evil2", true);
    assert_eq!(envoy.client(id), denied(403));
}

#[test]
fn streams_of_every_generation_count() {
    let mut envoy = small(OnError::Deny, HoldHeaders::Required);
    let old = envoy.request(POST, false);
    envoy.request_data(old, &vec![b'x'; CEILING], false);
    envoy.reconfigure(FakeRules::default());
    let id = envoy.request(GET, true);
    assert_eq!(envoy.client(id), denied(503));
    envoy.log(old);
    let id = envoy.request(GET, true);
    assert_eq!(envoy.upstream(id), Some((&b""[..], true)));
}
