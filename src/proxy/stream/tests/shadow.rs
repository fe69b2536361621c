//! A second rule set that must change nothing.

use super::*;
use crate::engine::BodyEdits;
use crate::proxy::host::Direction;
use crate::proxy::{FilterState, OnError, Shadowed};

const UPGRADE: &[(&str, &str)] = &[
    (":method", "GET"),
    (":path", "/"),
    (":authority", "a"),
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
];

/// Rules that deny what is dark.
fn dark() -> FakeRules {
    FakeRules {
        name: "shadow",
        word: "dark",
        ..FakeRules::default()
    }
}

fn shadowed(envoy: &Envoy, rules: FakeRules, shadow: FakeRules) -> Envoy {
    let settings = envoy.filter.settings().clone();
    Envoy::shadowed(
        envoy.holds,
        settings,
        Shadowed::new(rules, "next\"", shadow),
    )
}

/// How often each phase of the shadow would have denied.
fn counts(envoy: &Envoy) -> Vec<i64> {
    [
        "1001_phase=http_request_headers",
        "1002_phase=http_request_body",
        "1003_phase=http_response_headers",
        "1004_phase=http_response_body",
    ]
    .map(|rule| {
        envoy
            .host
            .metric(&format!("tx.shadow_interruptions_ruleid={rule}"))
    })
    .to_vec()
}

#[test]
fn a_shadow_is_counted_and_logged_and_changes_nothing() {
    everywhere(|envoy| {
        let shadow = FakeRules {
            pause: 5000,
            replacement: Some("changed"),
            edits: BodyEdits {
                prepend: b"<".to_vec(),
                append: b">".to_vec(),
            },
            plain: true,
            signature: Some("shadow"),
            ..dark()
        };
        let mut envoy = shadowed(&envoy, FakeRules::default(), shadow);
        for (target, body, answer) in [
            ("/", "fine", "fine"),
            ("/dark1", "dark2", "dark4"),
            ("/", "dark2 secret", "dark4"),
            ("/", "fine", "dark4 secret"),
        ] {
            let head = [
                (":method", "POST"),
                (":path", target),
                (":authority", "a"),
                ("accept-encoding", "gzip"),
            ];
            let id = envoy.request(&head, false);
            envoy.request_data(id, body.as_bytes(), false);
            envoy.request_data(id, b"", true);
            assert_eq!(envoy.upstream(id), Some((body.as_bytes(), true)));
            envoy.respond(id, 200, &[("server", "x")], false, "via_upstream");
            envoy.response_data(id, answer.as_bytes(), true);
            envoy.log(id);
            assert_eq!(envoy.client(id), answered(200, answer));
            let header = |direction, name| envoy.header(id, direction, name);
            assert_eq!(header(Direction::Response, "server").unwrap(), "x");
            assert!(header(Direction::Request, "accept-encoding").is_some());
        }
        assert_eq!(counts(&envoy), [1, 1, 0, 1]);
        assert_eq!(envoy.host.metric("tx.interruptions"), 0);
        let log = envoy.host.log_text();
        let line =
            "Warn parapet: shadow \"next\\\"\" would have denied with 403 in phase 2 by rule 1002";
        assert_eq!(log.matches(line).count(), 1, "{log}");
        let marked = "[id \"1002\"] [shadow \"next\\\"\"]";
        assert_eq!(log.matches(marked).count(), 1, "{log}");
    });
}

#[test]
fn a_body_that_only_the_shadow_wants_passes_as_it_comes() {
    for ending in ["apart", "together", "trailers"] {
        everywhere(|envoy| {
            let rules = FakeRules {
                request_body: false,
                response_body: false,
                ..FakeRules::default()
            };
            let shadow = dark();
            let mut envoy = shadowed(&envoy, rules, shadow.clone());
            let id = envoy.request(POST, false);
            envoy.request_data(id, b"da", false);
            assert_eq!(envoy.upstream(id), Some((&b"da"[..], false)), "{ending}");
            envoy.request_data(id, b"rk2", ending == "together");
            match ending {
                "apart" => envoy.request_data(id, b"", true),
                "trailers" => envoy.request_trailers(id),
                _ => {}
            }
            assert_eq!(counts(&envoy), [0, 1, 0, 0], "{ending}");
            assert_eq!(envoy.upstream(id), Some((&b"dark2"[..], true)));
            envoy.respond(id, 200, &[], false, "via_upstream");
            envoy.response_data(id, b"dar", false);
            assert_eq!(envoy.client(id).body, b"dar");
            envoy.response_data(id, b"k4", ending == "together");
            match ending {
                "apart" => envoy.response_data(id, b"", true),
                "trailers" => envoy.response_trailers(id),
                _ => {}
            }
            envoy.log(id);
            assert_eq!(envoy.client(id), answered(200, "dark4"));
            // What it has stopped it sees no more of.
            assert_eq!(counts(&envoy), [0, 1, 0, 0], "{ending}");

            let id = envoy.request(GET, true);
            envoy.respond(id, 200, &[], false, "via_upstream");
            envoy.response_data(id, b"dark4", false);
            envoy.response_data(id, b"", true);
            envoy.log(id);
            assert_eq!(counts(&envoy), [0, 1, 0, 1], "{ending}");
            let seen = shadow.seen.borrow();
            assert!(seen.iter().any(|it| it == "phase 2: / host=a|"), "{seen:?}");
        });
    }
}

#[test]
fn limits_of_a_shadow_bind_nobody_and_those_of_the_rules_hide_nothing_from_it() {
    everywhere(|envoy| {
        let shadow = FakeRules {
            reject: Some(4),
            ..dark()
        };
        let mut limited = shadowed(&envoy, FakeRules::default(), shadow);
        let id = limited.request(POST, false);
        limited.request_data(id, b"12345", false);
        limited.request_data(id, b"6", true);
        assert_eq!(limited.upstream(id), Some((&b"123456"[..], true)));
        let name = "tx.shadow_interruptions_ruleid=0_phase=http_request_body";
        assert_eq!(limited.host.metric(name), 1);
        assert!(limited.host.log_text().contains("in phase 2 by a limit"));

        let rules = FakeRules {
            partial: Some(4),
            ..FakeRules::default()
        };
        let shadow = dark();
        let mut partly = shadowed(&envoy, rules, shadow.clone());
        let id = partly.request(POST, false);
        let long = vec![b'x'; 100_000];
        partly.request_data(id, &long, false);
        partly.request_data(id, b"dark", false);
        partly.request_data(id, b"2", true);
        assert_eq!(counts(&partly), [0, 1, 0, 0]);
        let seen = shadow.seen.borrow();
        let phase = seen.iter().find(|it| it.starts_with("phase 2")).unwrap();
        let short = "phase 2: / host=a transfer-encoding=chunked|dark2";
        assert_eq!(phase.len(), short.len() + long.len());
    });
}

#[test]
fn what_is_stopped_or_no_message_is_not_shown_to_the_shadow() {
    everywhere(|envoy| {
        let shadow = dark();
        let mut envoy = shadowed(&envoy, FakeRules::default(), shadow.clone());
        let id = envoy.request(POST, false);
        envoy.request_data(id, b"evil2 dark2", true);
        envoy.log(id);
        assert_eq!(envoy.client(id), denied(403));
        assert_eq!(envoy.host.metric("tx.interruptions"), 1);
        let id = envoy.request(UPGRADE, false);
        envoy.respond(id, 101, &[("upgrade", "websocket")], false, "via_upstream");
        envoy.request_data(id, b"dark2", false);
        envoy.response_data(id, b"dark4", false);
        envoy.log(id);
        let tunnels = [shadow.seen.borrow().clone()].concat();
        assert!(
            tunnels.iter().all(|it| it != "phase 4: dark4"),
            "{tunnels:?}"
        );
        assert_eq!(counts(&envoy)[3], 0);
    });
}

#[test]
fn a_shadow_makes_room_before_a_stream_is_refused() {
    let settings = Settings {
        bytes_in_flight_limit: Some(1000),
        on_overload: OnError::Deny,
        hold_headers: HoldHeaders::Required,
        ..Settings::default()
    };
    let rules = Shadowed::new(FakeRules::default(), "next", dark());
    let mut envoy = Envoy::shadowed(true, settings, rules);
    let id = envoy.request(POST, false);
    envoy.request_data(id, &[b'x'; 600], false);
    assert_eq!(envoy.host.metric("tx.shadow_dropped"), 1);
    // Half full: the next one begins without.
    let other = envoy.request(POST, false);
    assert_eq!(envoy.host.metric("tx.shadow_dropped"), 2);
    for id in [id, other] {
        envoy.request_data(id, b"dark2", true);
        assert!(envoy.upstream(id).unwrap().1);
    }
    assert_eq!(counts(&envoy), [0, 0, 0, 0]);
}

#[test]
fn access_logs_show_verdicts_scores_and_shadows() {
    for (filter_state, passed) in [
        (FilterState::Denied, None),
        (FilterState::All, Some("pass")),
    ] {
        let settings = Settings {
            filter_state,
            ..Settings::default()
        };
        let rules = FakeRules {
            variables: &[("anomaly_score", "7"), ("outbound_anomaly_score", "4")],
            ..FakeRules::default()
        };
        let mut envoy = Envoy::shadowed(true, settings, Shadowed::new(rules, "next", dark()));
        let state = |envoy: &Envoy, name: &str| {
            let name = format!("parapet.{name}");
            let value = envoy.host.state(|state| state.properties.remove(&name));
            value.map(|value| String::from_utf8(value).unwrap())
        };
        envoy.request(GET, true);
        assert_eq!(state(&envoy, "verdict").as_deref(), passed);
        assert_eq!(state(&envoy, "score").as_deref(), passed.map(|_| "7"));
        assert_eq!(state(&envoy, "shadow_rule"), None);
        envoy.request(&[(":method", "GET"), (":path", "/evil2dark2")], true);
        assert_eq!(state(&envoy, "verdict").unwrap(), "deny");
        assert_eq!(state(&envoy, "rule").unwrap(), "1002");
        assert_eq!(state(&envoy, "score").unwrap(), "7");
        assert_eq!(state(&envoy, "outbound_score").unwrap(), "4");
        assert_eq!(state(&envoy, "shadow_rule").unwrap(), "1002");
    }
}
