//! Holding is proved, not assumed.

use super::*;

fn post(envoy: &mut Envoy, body: &[u8]) -> usize {
    let id = envoy.request(POST, false);
    envoy.request_data(id, body, false);
    envoy.request_data(id, b"", true);
    id
}

#[test]
fn auto_degrades_on_a_host_that_does_not_hold_and_still_inspects() {
    for body in ["fine", "evil2"] {
        let mut envoy = envoy(false, HoldHeaders::Auto, FakeRules::default());
        let id = post(&mut envoy, body.as_bytes());
        assert_eq!(envoy.upstream(id), None);
        envoy.wait(5_000);
        if body == "fine" {
            assert_eq!(envoy.upstream(id), Some((&b"fine"[..], true)));
        } else {
            assert_eq!(envoy.upstream(id), Some((&b""[..], false)));
            assert_eq!(envoy.client(id), denied(403));
        }
        // The resume delivered what was waiting: from now on nobody waits.
        let id = post(&mut envoy, b"more");
        assert_eq!(envoy.upstream(id), Some((&b"more"[..], true)));
        assert!(!envoy.filter.holding().proved());
        envoy.wait(1_000);
        assert_eq!(envoy.host.state(|state| state.tick_period), 0);
    }
}

#[test]
fn once_the_host_is_known_not_to_hold_all_others_go_on_at_once() {
    let mut envoy = envoy(false, HoldHeaders::Auto, FakeRules::default());
    let first = post(&mut envoy, b"first");
    envoy.wait(600);
    let others: Vec<usize> = (0..50).map(|_| post(&mut envoy, b"other")).collect();
    envoy.wait(800);
    assert!(envoy.upstream(first).is_some());
    for id in others {
        assert_eq!(envoy.upstream(id), Some((&b"other"[..], true)));
    }
}

#[test]
fn required_refuses_and_never_lets_go() {
    let mut envoy = envoy(false, HoldHeaders::Required, FakeRules::default());
    let id = post(&mut envoy, b"fine");
    envoy.wait(14_000);
    assert_eq!(envoy.client(id).status, None);
    envoy.wait(2_000);
    assert_eq!((envoy.upstream(id), envoy.client(id)), (None, denied(408)));
    assert_eq!(envoy.host.calls("resume"), 0);
    assert_eq!(envoy.host.metric("hold_timeouts"), 1);
    assert!(envoy.host.log_text().contains("a held head was refused"));
}

#[test]
fn slow_clients_change_no_later_verdict() {
    let mut envoy = envoy(true, HoldHeaders::Auto, FakeRules::default());
    let slow: Vec<usize> = (0..10_000).map(|_| envoy.request(POST, false)).collect();
    envoy.wait(4_000);
    // They were let go, but nothing that was waiting came of it: that proves nothing.
    for id in slow {
        assert_eq!(envoy.upstream(id), Some((&b""[..], false)));
        envoy.request_data(id, b"evil2", true);
        assert_eq!(envoy.client(id), denied(403));
    }
    let id = post(&mut envoy, b"evil2");
    assert_eq!((envoy.upstream(id), envoy.client(id)), (None, denied(403)));
    assert!(envoy.filter.holding().proved());
}

#[test]
fn after_the_proof_a_slow_client_may_take_its_time() {
    for mode in [HoldHeaders::Auto, HoldHeaders::Required] {
        let mut envoy = envoy(true, mode, FakeRules::default());
        post(&mut envoy, b"proof");
        let id = envoy.request(POST, false);
        envoy.wait(60_000);
        assert_eq!((envoy.upstream(id), envoy.client(id).status), (None, None));
        envoy.request_data(id, b"late", true);
        assert_eq!(envoy.upstream(id), Some((&b"late"[..], true)));
        assert_eq!(envoy.host.state(|state| state.tick_period), 0);
    }
}

#[test]
fn a_response_whose_body_does_not_come_is_treated_likewise() {
    let mut auto = envoy(false, HoldHeaders::Auto, FakeRules::default());
    let id = auto.request(GET, true);
    auto.respond(id, 200, &[], false, "via_upstream");
    auto.response_data(id, b"evil4", true);
    assert_eq!(auto.client(id).status, None);
    auto.wait(5_000);
    let client = auto.client(id);
    assert!(client.reset && client.body.is_empty(), "{client:?}");

    let mut required = envoy(false, HoldHeaders::Required, FakeRules::default());
    let id = required.request(GET, true);
    required.respond(id, 200, &[], false, "via_upstream");
    required.response_data(id, b"evil4", true);
    required.wait(20_000);
    assert_eq!(required.client(id), denied(504));
}

#[test]
fn without_timers_auto_does_not_hold() {
    let mut envoy = envoy(false, HoldHeaders::Auto, FakeRules::default());
    envoy.host.fail("set_tick_period");
    let id = post(&mut envoy, b"evil2");
    assert_eq!(envoy.upstream(id), Some((&b""[..], false)));
    assert_eq!(envoy.client(id), denied(403));
}

/// A client that sends the moment it was let go looks like a body that waited, unless the host has
/// done something else in between.
#[test]
fn what_comes_after_something_else_proves_nothing() {
    for something in 0..5 {
        let mut envoy = envoy(true, HoldHeaders::Auto, FakeRules::default());
        let free = envoy.request(GET, true);
        let slow: Vec<usize> = (0..10).map(|_| envoy.request(POST, false)).collect();
        envoy.wait(1_000);
        assert_eq!(envoy.upstream(slow[0]), Some((&b""[..], false)));
        match something {
            0 => envoy.respond(free, 200, &[], false, "via_upstream"),
            1 => envoy.log(free),
            2 => drop(envoy.request(GET, true)),
            3 => envoy.request_trailers(free),
            _ => {
                let told = envoy.request(POST, false);
                envoy.request_data(told, b"fine", false);
            }
        }
        for id in slow {
            envoy.request_data(id, b"evil2", true);
            assert_eq!(envoy.client(id), denied(403));
        }
        let id = post(&mut envoy, b"evil2");
        assert_eq!((envoy.upstream(id), envoy.client(id)), (None, denied(403)));
    }
}

/// Whatever ten thousand clients do with their bodies, the next one is judged as the first.
#[test]
fn slow_clients_of_every_kind_change_no_later_verdict() {
    for mode in [HoldHeaders::Auto, HoldHeaders::Required] {
        for kind in 0..4 {
            let mut envoy = envoy(true, mode, FakeRules::default());
            let mut slow = Vec::new();
            for number in 0..10_000 {
                let id = envoy.request(POST, false);
                match kind {
                    // Byte by byte, never to the end.
                    0 => envoy.request_data(id, b"e", false),
                    // Gone before the deadline.
                    1 => envoy.log(id),
                    // Some after it.
                    2 if number % 100 == 0 => envoy.wait(3),
                    _ => {}
                }
                slow.push(id);
            }
            envoy.wait(16_000);
            for &id in slow.iter().step_by(97) {
                if kind != 1 {
                    envoy.request_data(id, b"vil2", false);
                }
            }
            // Nobody was let through unseen.
            for &id in &slow {
                if mode == HoldHeaders::Required || kind == 0 {
                    assert_eq!(envoy.upstream(id), None);
                } else {
                    assert!(envoy.upstream(id).is_none_or(|(body, _)| body.is_empty()));
                }
                envoy.log(id);
            }
            let evil = post(&mut envoy, b"evil2");
            assert_eq!(
                (envoy.upstream(evil), envoy.client(evil)),
                (None, denied(403))
            );
            let fine = post(&mut envoy, b"fine");
            assert_eq!(envoy.upstream(fine), Some((&b"fine"[..], true)));
            assert!(envoy.filter.holding().proved());
            envoy.log(evil);
            envoy.log(fine);
            assert_eq!(envoy.vm.bytes_in_flight(), 0);
        }
    }
}
