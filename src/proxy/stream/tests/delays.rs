//! Answers that wait (`pause`).

use super::*;
use crate::engine::Disposition;

fn slow(mode: HoldHeaders, disposition: Disposition) -> Envoy {
    let rules = FakeRules {
        pause: 1_000,
        disposition,
        ..FakeRules::default()
    };
    envoy(true, mode, rules)
}

#[test]
fn a_denial_waits_and_nothing_passes_meanwhile() {
    let mut envoy = slow(HoldHeaders::Auto, Disposition::Deny);
    let head = envoy.request(&with(GET, &[("x", "evil1")]), true);
    let body = envoy.request(POST, false);
    envoy.request_data(body, b"evil2", false);
    envoy.request_data(body, b"more", true);
    let response = envoy.request(GET, true);
    envoy.respond(response, 200, &[("x-leak", "evil3")], false, "via_upstream");
    envoy.response_data(response, b"secret", true);
    envoy.wait(900);
    for id in [head, body, response] {
        assert_eq!(envoy.client(id).status, None);
        assert!(envoy.client(id).body.is_empty());
    }
    assert_eq!((envoy.upstream(head), envoy.upstream(body)), (None, None));
    envoy.wait(400);
    for id in [head, body, response] {
        assert_eq!(envoy.client(id), denied(403));
    }
    assert_eq!((envoy.upstream(head), envoy.upstream(body)), (None, None));
    // Nobody needs ticks any more.
    envoy.wait(400);
    assert_eq!(envoy.host.state(|state| state.tick_period), 0);
}

#[test]
fn an_early_response_does_not_pass_a_denial_that_waits() {
    let mut envoy = slow(HoldHeaders::Off, Disposition::Deny);
    let id = envoy.request(POST, false);
    envoy.request_data(id, b"evil2", false);
    envoy.respond(id, 200, &[], false, "via_upstream");
    envoy.response_data(id, b"early", true);
    assert_eq!(envoy.client(id).status, None);
    envoy.wait(1_200);
    assert_eq!(envoy.client(id), denied(403));
}

#[test]
fn a_connection_is_cut_late_too() {
    let mut envoy = slow(HoldHeaders::Auto, Disposition::Drop);
    let id = envoy.request(&with(GET, &[("x", "evil1")]), true);
    assert_eq!(envoy.host.calls("close"), 0);
    envoy.wait(1_200);
    assert_eq!(envoy.host.calls("close"), 1);
    assert_eq!(envoy.upstream(id), None);
}

#[test]
fn without_ticks_or_with_the_head_on_its_way_the_answer_is_given_at_once() {
    let mut envoy = slow(HoldHeaders::Off, Disposition::Deny);
    envoy.host.fail("set_tick_period");
    let id = envoy.request(&with(GET, &[("x", "evil1")]), true);
    assert_eq!(envoy.client(id), denied(403));
    envoy.host.heal();
    let id = envoy.request(GET, true);
    envoy.respond(id, 200, &[], false, "via_upstream");
    envoy.response_data(id, b"evil4", true);
    assert!(envoy.client(id).reset);
}

#[test]
fn a_client_that_leaves_is_not_answered() {
    let mut envoy = slow(HoldHeaders::Auto, Disposition::Deny);
    let id = envoy.request(&with(GET, &[("x", "evil1")]), true);
    envoy.log(id);
    envoy.wait(2_000);
    assert_eq!(envoy.host.calls("reply"), 0);
    assert_eq!(envoy.host.state(|state| state.tick_period), 0);
}

#[test]
fn only_so_many_wait() {
    let mut envoy = slow(HoldHeaders::Auto, Disposition::Deny);
    let evil = with(GET, &[("x", "evil1")]);
    let ids: Vec<usize> = (0..1025).map(|_| envoy.request(&evil, true)).collect();
    let waiting = |envoy: &Envoy| {
        let waits = |id: &&usize| envoy.client(**id).status.is_none();
        ids.iter().filter(waits).count()
    };
    assert_eq!(waiting(&envoy), 1024);
    envoy.wait(1_200);
    assert_eq!(waiting(&envoy), 0);
}
