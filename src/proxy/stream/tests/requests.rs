//! Requests, and the ways they end.

use super::*;
use crate::engine::Disposition;
use crate::proxy::{Filter, Grpc, OnError, ProfileMetadata, Selection, Shadowed};
use std::rc::Rc;

#[test]
fn a_bodiless_request_is_decided_in_its_head() {
    everywhere(|mut envoy| {
        let id = envoy.request(GET, true);
        assert_eq!(envoy.upstream(id), Some((&b""[..], true)));
        envoy.respond(id, 200, &[], true, "via_upstream");
        envoy.log(id);
        envoy.log(id);
        assert_eq!(envoy.client(id), answered(200, ""));
        for target in ["/evil1", "/evil2"] {
            let id = envoy.request(&[(":method", "GET"), (":path", target)], true);
            assert_eq!(envoy.client(id), denied(403), "{target}");
            assert_eq!(envoy.upstream(id), None, "{target}");
        }
        assert_eq!(envoy.host.metric("tx.total"), 3);
        assert_eq!(
            envoy.host.metric("ruleid=1001_phase=http_request_headers"),
            1
        );
        assert_eq!(envoy.host.metric("ruleid=1002_phase=http_request_body"), 1);
    });
}

#[test]
fn every_phase_runs_once_and_in_order() {
    let rules = FakeRules::default();
    let mut envoy = envoy(true, HoldHeaders::Required, rules.clone());
    let id = envoy.request(&with(POST, &[("cookie", "a"), ("cookie", "b")]), false);
    envoy.request_data(id, b"one ", false);
    envoy.request_data(id, b"two", false);
    envoy.request_data(id, b"", true);
    envoy.respond(id, 404, &[("server", "x")], false, "via_upstream");
    envoy.response_data(id, b"three", true);
    envoy.log(id);
    assert_eq!(
        *rules.seen.borrow(),
        [
            "rules 192.0.2.1",
            "phase 1: POST HTTP/1.1 / host=a cookie=a cookie=b transfer-encoding=chunked",
            "phase 2: / host=a cookie=a cookie=b transfer-encoding=chunked|one two",
            "phase 3: 404 server=x",
            "phase 4: three",
            "phase 5: / host=a cookie=a cookie=b transfer-encoding=chunked",
        ]
    );
    assert_eq!(envoy.client(id), answered(404, "three"));
    assert_eq!(envoy.host.log_text(), "");
}

#[test]
fn a_denied_body_never_reaches_the_upstream() {
    // HTTP/1 tells of the end apart, HTTP/2 with the last bytes, trailers instead of an end.
    for ending in ["apart", "together", "trailers"] {
        everywhere(|mut envoy| {
            for (body, verdict) in [("fine", true), ("evil2", false)] {
                let id = envoy.request(POST, false);
                let (first, last) = body.as_bytes().split_at(3);
                envoy.request_data(id, first, false);
                envoy.request_data(id, last, ending == "together");
                match ending {
                    "apart" => envoy.request_data(id, b"", true),
                    "trailers" => envoy.request_trailers(id),
                    _ => {}
                }
                if verdict {
                    assert_eq!(envoy.upstream(id), Some((&b"fine"[..], true)), "{ending}");
                    envoy.respond(id, 200, &[], true, "via_upstream");
                    assert_eq!(envoy.client(id), answered(200, ""), "{ending}");
                } else {
                    let head_only = Some((&b""[..], false));
                    let wanted = if held(&envoy) { None } else { head_only };
                    assert_eq!(envoy.upstream(id), wanted, "{ending}");
                    assert_eq!(envoy.client(id), denied(403), "{ending}");
                }
            }
        });
    }
}

#[test]
fn each_byte_is_read_once() {
    let mut envoy = envoy(true, HoldHeaders::Auto, FakeRules::default());
    envoy.buffer_limit = 4 << 20;
    let id = envoy.request(POST, false);
    let piece = vec![b'x'; 100_000];
    for _ in 0..30 {
        envoy.request_data(id, &piece, false);
    }
    envoy.request_data(id, b"", true);
    assert_eq!(envoy.upstream(id).unwrap().0.len(), 3_000_000);
    assert_eq!(envoy.host.state(|state| state.bytes_read), 3_000_000);
}

#[test]
fn a_body_nobody_wants_is_decided_in_the_head() {
    everywhere(|envoy| {
        let rules = FakeRules {
            request_body: false,
            ..FakeRules::default()
        };
        let settings = envoy.filter.settings().clone();
        let mut envoy = Envoy::new(envoy.holds, settings, rules);
        let id = envoy.request(POST, false);
        envoy.request_data(id, b"evil2", false);
        assert_eq!(envoy.upstream(id), Some((&b"evil2"[..], false)));
        let id = envoy.request(&[(":method", "POST"), (":path", "/evil2")], false);
        assert_eq!((envoy.upstream(id), envoy.client(id)), (None, denied(403)));
    });
}

#[test]
fn limits_reject_or_decide_on_the_prefix() {
    everywhere(|envoy| {
        let settings = envoy.filter.settings().clone();
        let reject = FakeRules {
            reject: Some(4),
            ..FakeRules::default()
        };
        let mut rejecting = Envoy::new(envoy.holds, settings.clone(), reject);
        let id = rejecting.request(POST, false);
        rejecting.request_data(id, b"123", false);
        rejecting.request_data(id, b"45", false);
        assert_eq!(rejecting.client(id), denied(413));
        assert!(
            rejecting
                .host
                .log_text()
                .contains("Warn parapet: a limit ended")
        );

        let partial = FakeRules {
            partial: Some(4),
            ..FakeRules::default()
        };
        let mut partly = Envoy::new(envoy.holds, settings, partial);
        let id = partly.request(POST, false);
        partly.request_data(id, b"1234", false);
        assert_eq!(partly.upstream(id), Some((&b"1234"[..], false)));
        partly.request_data(id, b"evil2", true);
        assert_eq!(partly.upstream(id), Some((&b"1234evil2"[..], true)));
        let id = partly.request(POST, false);
        partly.request_data(id, b"evil2", false);
        assert_eq!(partly.client(id), denied(403));
    });
}

#[test]
fn tunnels_are_never_held() {
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket")];
    everywhere(|mut envoy| {
        for (head, status) in [
            (with(GET, &upgrade), 101),
            (vec![(":method", "CONNECT"), (":authority", "a:443")], 200),
        ] {
            let id = envoy.request(&head, false);
            envoy.request_data(id, b"", false);
            envoy.respond(id, status, &[], false, "via_upstream");
            envoy.response_data(id, b"", false);
            for _ in 0..3 {
                envoy.request_data(id, b"evil2", false);
                envoy.response_data(id, b"evil4", false);
            }
            assert_eq!(envoy.upstream(id), Some((&b"evil2evil2evil2"[..], false)));
            assert_eq!(envoy.client(id).body, b"evil4evil4evil4");
        }
        assert_eq!(envoy.host.metric("uninspected_reason=tunnel"), 2);
        assert_eq!(envoy.host.metric("uninspected_reason=stream"), 2);
        let id = envoy.request(
            &with(&[(":method", "GET"), (":path", "/evil2")], &upgrade),
            false,
        );
        assert_eq!((envoy.upstream(id), envoy.client(id)), (None, denied(403)));
    });
}

#[test]
fn an_upgrade_hides_no_declared_body() {
    let upgrade = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("content-length", "5"),
    ];
    everywhere(|mut envoy| {
        let id = envoy.request(&with(POST, &upgrade), false);
        envoy.request_data(id, b"evil", false);
        envoy.request_data(id, b"2 and more", false);
        assert_eq!(envoy.client(id), denied(403));
        let id = envoy.request(&with(POST, &upgrade), false);
        envoy.request_data(id, b"", false);
        envoy.request_data(id, b"12345tunnel", false);
        assert_eq!(envoy.upstream(id), Some((&b"12345tunnel"[..], false)));
        let chunked = [("transfer-encoding", "chunked")];
        let id = envoy.request(&with(&with(POST, &upgrade[..2]), &chunked), false);
        assert_eq!((envoy.upstream(id), envoy.client(id)), (None, denied(400)));
    });
}

#[test]
fn grpc_flows_unless_asked_for() {
    everywhere(|mut envoy| {
        let head = with(POST, &[("content-type", "application/grpc")]);
        envoy
            .host
            .set_fake_property(&["request", "protocol"], b"HTTP/2");
        let id = envoy.request(&head, false);
        envoy.request_data(id, b"evil2", false);
        assert_eq!(envoy.upstream(id), Some((&b"evil2"[..], false)));
        envoy.respond(
            id,
            200,
            &[("content-type", "application/grpc")],
            false,
            "via_upstream",
        );
        envoy.response_data(id, b"evil4", false);
        assert_eq!(envoy.client(id).body, b"evil4");

        let settings = Settings {
            grpc: Grpc::Inspect,
            ..envoy.filter.settings().clone()
        };
        let mut strict = Envoy::new(envoy.holds, settings, FakeRules::default());
        strict
            .host
            .set_fake_property(&["request", "protocol"], b"HTTP/2");
        let id = strict.request(&head, false);
        strict.request_data(id, b"evil2", true);
        assert_eq!(strict.client(id), denied(403));
    });
}

#[test]
fn an_early_answer_leaves_the_rest_of_the_request_where_it_is() {
    // Only where heads are not held can an upstream answer before the body is there.
    for holds in [true, false] {
        let mut envoy = envoy(holds, HoldHeaders::Off, FakeRules::default());
        let id = envoy.request(POST, false);
        envoy.request_data(id, b"first", false);
        envoy.respond(id, 401, &[], true, "via_upstream");
        envoy.request_data(id, b"evil2", true);
        assert_eq!(envoy.upstream(id), Some((&b""[..], false)));
        assert_eq!(envoy.client(id), answered(401, ""));
        assert_eq!(envoy.host.metric("uninspected_reason=early_response"), 1);

        let id = envoy.request(POST, false);
        envoy.request_data(id, b"evil2", false);
        envoy.respond(id, 200, &[], false, "via_upstream");
        assert_eq!(envoy.client(id), denied(403));
    }
}

#[test]
fn answers_of_the_host_itself_pass_without_rules() {
    everywhere(|mut envoy| {
        let rules_seen = |envoy: &Envoy| envoy.host.metric("interruptions");
        let id = envoy.request(POST, false);
        envoy.request_data(id, b"first", false);
        envoy.respond(
            id,
            413,
            &[("x", "evil3")],
            false,
            "request_payload_too_large",
        );
        envoy.response_data(id, b"evil4", true);
        assert_eq!(envoy.client(id), answered(413, "evil4"));
        envoy.request_data(id, b"more", true);
        assert!(envoy.upstream(id).is_none_or(|(body, _)| body.is_empty()));
        assert_eq!(rules_seen(&envoy), 0);
        // The watchdog has nothing left to let go.
        envoy.wait(60_000);
        assert!(envoy.upstream(id).is_none_or(|(body, _)| body.is_empty()));
    });
}

#[test]
fn a_client_that_leaves_is_logged_once() {
    everywhere(|mut envoy| {
        let id = envoy.request(&with(POST, &[("x", "evil5")]), false);
        envoy.request_data(id, b"half", false);
        envoy.log(id);
        envoy.log(id);
        assert_eq!(envoy.host.log_text(), "Critical [id \"1005\"]\n");
        // Nothing resumes what has ended.
        let resumed = envoy.host.calls("resume");
        envoy.wait(60_000);
        assert_eq!(envoy.host.calls("resume"), resumed);
    });
}

#[test]
fn a_request_the_host_refused_is_only_counted() {
    let envoy = envoy(true, HoldHeaders::Auto, FakeRules::default());
    let mut stream = crate::proxy::Stream::new(envoy.filter.clone(), 1);
    stream.on_log(&*envoy.host);
    assert_eq!(envoy.host.metric("rejected_before_filter"), 1);
    assert_eq!(envoy.host.metric("tx.total"), 0);
}

#[test]
fn dropping_resets_and_redirecting_answers() {
    let rules = FakeRules {
        disposition: Disposition::Drop,
        ..FakeRules::default()
    };
    let mut dropping = envoy(true, HoldHeaders::Required, rules);
    let id = dropping.request(&[(":method", "GET"), (":path", "/evil1")], true);
    assert!(dropping.client(id).reset && dropping.client(id).status.is_none());
    // A host that cannot reset still refuses.
    dropping.host.fail("close");
    let id = dropping.request(&[(":method", "GET"), (":path", "/evil1")], true);
    assert_eq!(
        (dropping.upstream(id), dropping.client(id)),
        (None, denied(403))
    );
}

#[test]
fn denials_are_told_to_the_access_log() {
    let mut envoy = envoy(true, HoldHeaders::Required, FakeRules::default());
    let id = envoy.request(&[(":method", "GET"), (":path", "/evil2")], true);
    assert_eq!(envoy.client(id), denied(403));
    let state = |name: &str| {
        envoy
            .host
            .state(|state| state.properties.get(name).cloned())
    };
    assert_eq!(state("parapet.verdict"), Some(b"deny".to_vec()));
    assert_eq!(state("parapet.rule"), Some(b"1002".to_vec()));
    assert_eq!(
        state("response.code_details"),
        Some(b"waf_denied_rule_1002".to_vec())
    );
    assert!(envoy.host.log_text().contains("Critical [id \"1002\"]"));
}

#[test]
fn a_failing_host_is_refused_or_let_go_as_configured() {
    for call in ["headers", "body"] {
        everywhere(|envoy| {
            for on_error in [OnError::Deny, OnError::Allow] {
                let settings = Settings {
                    on_error,
                    ..envoy.filter.settings().clone()
                };
                let mut envoy = Envoy::new(envoy.holds, settings, FakeRules::default());
                envoy.host.fail(call);
                let id = envoy.request(POST, false);
                envoy.request_data(id, b"body", true);
                if on_error == OnError::Deny {
                    assert_eq!(envoy.client(id), denied(500), "{call}");
                    assert!(
                        envoy.upstream(id).is_none_or(|(body, _)| body.is_empty()),
                        "{call}"
                    );
                } else {
                    assert_eq!(envoy.upstream(id), Some((&b"body"[..], true)), "{call}");
                    envoy.respond(id, 200, &[], true, "via_upstream");
                    assert_eq!(envoy.client(id), answered(200, ""), "{call}");
                    assert_eq!(envoy.host.metric("uninspected_reason=failure"), 1, "{call}");
                }
                assert!(envoy.host.metric("host.failures") > 0, "{call}");
            }
        });
    }
}

#[test]
fn a_denial_that_cannot_be_sent_still_stops_the_request() {
    everywhere(|mut envoy| {
        envoy.host.fail("reply");
        let id = envoy.request(&[(":method", "GET"), (":path", "/evil1")], true);
        assert!(envoy.client(id).reset);
        envoy.host.fail("close");
        let id = envoy.request(POST, false);
        envoy.request_data(id, b"evil2", true);
        assert!(envoy.upstream(id).is_none_or(|(body, _)| body.is_empty()));
        envoy.host.heal();
    });
}

#[test]
fn requests_that_no_rules_are_named_for_are_counted_and_told_once_a_minute() {
    let mut envoy = envoy(true, HoldHeaders::Auto, FakeRules::default());
    let selection = Selection {
        metadata: Some((ProfileMetadata::default(), [(b"known".to_vec(), 0)].into())),
        strictest: 1,
        ..Selection::default()
    };
    let rules = |name| FakeRules {
        name,
        ..FakeRules::default()
    };
    let (own, strictest) = (rules("own"), rules("strictest"));
    envoy.filter = Rc::new(Filter::new(
        Settings::default(),
        vec![
            Shadowed::alone(own.clone()),
            Shadowed::alone(strictest.clone()),
        ],
        selection,
        Rc::default(),
    ));
    for _ in 0..100 {
        envoy.request(
            &[(":method", "GET"), (":path", "/"), (":authority", "a\"b\n")],
            true,
        );
    }
    const METADATA: [&str; 5] = [
        "xds",
        "route_metadata",
        "filter_metadata",
        "parapet",
        "profile",
    ];
    envoy.host.set_fake_property(&METADATA, b"unknown");
    envoy.request(GET, true);
    envoy.host.set_fake_property(&METADATA, b"known");
    envoy.request(GET, true);
    assert_eq!(
        strictest
            .seen
            .borrow()
            .iter()
            .filter(|it| it.starts_with("strictest"))
            .count(),
        101
    );
    assert_eq!(own.seen.borrow()[0], "own 192.0.2.1");
    assert_eq!(envoy.host.metric("tx.strictest_reason=unmatched"), 100);
    assert_eq!(envoy.host.metric("tx.strictest_reason=unknown_profile"), 1);
    let quoted = r#""a\"b\n""#;
    let unmatched = format!(
        "Warn parapet: the strictest rules guard a request for {quoted}: no rules are named for \
         it, and there are no `default_directives`"
    );
    assert_eq!(
        envoy.host.log_text(),
        format!(
            "{unmatched}\nWarn parapet: the strictest rules guard a request for \"a\": the \
             metadata of its route names the profile \"unknown\", which is not in \
             `directives_map`\n"
        )
    );
    envoy.host.set_fake_property(&METADATA, b"");
    envoy.wait(60_000);
    envoy.request(
        &[(":method", "GET"), (":path", "/"), (":authority", "a\"b\n")],
        true,
    );
    let told_again = format!("{unmatched}; 99 more since the last such line\n");
    assert!(
        envoy.host.log_text().ends_with(&told_again),
        "{}",
        envoy.host.log_text()
    );
}
