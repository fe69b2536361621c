//! Responses: a clean 403 while their head is held, a reset otherwise.

use super::*;

fn request(envoy: &mut Envoy) -> usize {
    let id = envoy.request(GET, true);
    assert!(envoy.upstream(id).is_some());
    id
}

#[test]
fn a_response_head_is_denied_cleanly() {
    everywhere(|mut envoy| {
        for end in [true, false] {
            let id = request(&mut envoy);
            envoy.respond(id, 200, &[("x-leak", "evil3")], end, "via_upstream");
            assert_eq!(envoy.client(id), denied(403));
        }
        assert_eq!(
            envoy.host.metric("ruleid=1003_phase=http_response_headers"),
            2
        );
    });
}

#[test]
fn a_response_body_is_denied_cleanly_only_while_its_head_is_held() {
    for trailers in [false, true] {
        everywhere(|mut envoy| {
            for body in ["fine", "evil4"] {
                let id = request(&mut envoy);
                envoy.respond(id, 200, &[], false, "via_upstream");
                let (first, last) = body.as_bytes().split_at(2);
                envoy.response_data(id, first, false);
                envoy.response_data(id, last, !trailers);
                if trailers {
                    envoy.response_trailers(id);
                }
                let client = envoy.client(id);
                if body == "fine" {
                    assert_eq!(client, answered(200, "fine"));
                } else if held(&envoy) {
                    assert_eq!(client, denied(403));
                } else {
                    assert!(client.reset && client.body.is_empty() && !client.complete);
                }
            }
        });
    }
}

#[test]
fn a_response_without_body_is_never_held() {
    everywhere(|mut envoy| {
        let id = request(&mut envoy);
        envoy.respond(id, 204, &[], true, "via_upstream");
        assert_eq!(envoy.client(id), answered(204, ""));
    });
}

#[test]
fn streams_reach_the_client_byte_by_byte() {
    everywhere(|mut envoy| {
        let id = request(&mut envoy);
        let kind = [("content-type", "text/event-stream")];
        envoy.respond(id, 200, &kind, false, "via_upstream");
        envoy.response_data(id, b"data: 1\n\n", false);
        assert_eq!(envoy.client(id).body, b"data: 1\n\n");
        assert_eq!(envoy.host.metric("uninspected_reason=stream"), 1);
    });
}

#[test]
fn a_body_nobody_wants_is_decided_in_the_head() {
    everywhere(|envoy| {
        let rules = FakeRules {
            response_body: false,
            ..FakeRules::default()
        };
        let settings = envoy.filter.settings().clone();
        let mut envoy = Envoy::new(envoy.holds, settings, rules.clone());
        let id = request(&mut envoy);
        envoy.respond(id, 200, &[], false, "via_upstream");
        envoy.response_data(id, b"evil4", false);
        assert_eq!(envoy.client(id).body, b"evil4");
        assert!(rules.seen.borrow().contains(&"phase 4: ".to_owned()));
    });
}

#[test]
fn a_limit_decides_on_the_prefix() {
    everywhere(|envoy| {
        let rules = FakeRules {
            partial: Some(4),
            ..FakeRules::default()
        };
        let settings = envoy.filter.settings().clone();
        let mut envoy = Envoy::new(envoy.holds, settings, rules);
        let id = request(&mut envoy);
        envoy.respond(id, 200, &[], false, "via_upstream");
        envoy.response_data(id, b"1234", false);
        envoy.response_data(id, b"evil4", true);
        assert_eq!(envoy.client(id), answered(200, "1234evil4"));
    });
}

#[test]
fn a_failing_host_is_refused() {
    everywhere(|mut envoy| {
        let id = request(&mut envoy);
        envoy.host.fail("headers");
        envoy.respond(id, 200, &[], false, "via_upstream");
        assert_eq!(envoy.client(id), denied(500));
        envoy.host.heal();
        let id = request(&mut envoy);
        envoy.respond(id, 200, &[], false, "via_upstream");
        envoy.host.fail("body");
        envoy.response_data(id, b"secret", true);
        let client = envoy.client(id);
        assert!(
            client == denied(500) || (client.reset && client.body.is_empty()),
            "{client:?}"
        );
    });
}
