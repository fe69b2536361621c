//! What rules change: bodies under a held head with a length that fits, and nothing else.

use super::*;
use crate::engine::BodyEdits;
use crate::proxy::AcceptEncoding;
use crate::proxy::host::Direction::{Request, Response};
use crate::proxy::{OnError, Settings};

fn framed() -> FakeRules {
    FakeRules {
        edits: BodyEdits {
            prepend: b"<top>".to_vec(),
            append: b"</top>".to_vec(),
        },
        ..FakeRules::default()
    }
}

fn replacing() -> FakeRules {
    FakeRules {
        replacement: Some("***"),
        ..FakeRules::default()
    }
}

fn holding(rules: FakeRules) -> Envoy {
    envoy(true, HoldHeaders::Required, rules)
}

/// A response in the given pieces; the last one ends it unless trailers do.
fn respond(envoy: &mut Envoy, headers: &[(&str, &str)], pieces: &[&str], trailers: bool) -> usize {
    let id = envoy.request(GET, true);
    envoy.respond(id, 200, headers, false, "via_upstream");
    let (last, others) = pieces.split_last().unwrap();
    for piece in others {
        envoy.response_data(id, piece.as_bytes(), false);
    }
    envoy.response_data(id, last.as_bytes(), !trailers);
    if trailers {
        envoy.response_trailers(id);
    }
    id
}

#[test]
fn text_goes_around_a_held_response() {
    for trailers in [false, true] {
        for length in [None, Some("4")] {
            let mut envoy = holding(framed());
            let headers: Vec<_> = length
                .map(|length| ("content-length", length))
                .into_iter()
                .collect();
            let id = respond(&mut envoy, &headers, &["pa", "ge"], trailers);
            assert_eq!(envoy.client(id), answered(200, "<top>page</top>"));
            let expected = length.map(|_| "15".to_owned());
            assert_eq!(envoy.header(id, Response, "content-length"), expected);
        }
    }
}

#[test]
fn a_replaced_body_goes_on_in_both_directions() {
    for trailers in [false, true] {
        let mut envoy = holding(replacing());
        let head = with(POST, &[("content-length", "15"), ("content-md5", "x")]);
        let id = envoy.request(&head, false);
        envoy.request_data(id, b"a=secret&", false);
        envoy.request_data(id, b"b=word", !trailers);
        if trailers {
            envoy.request_trailers(id);
        }
        assert_eq!(envoy.upstream(id), Some((&b"a=***&b=word"[..], true)));
        let header = |name| envoy.header(id, Request, name);
        assert_eq!(header("content-length").as_deref(), Some("12"));
        assert_eq!(header("content-md5"), None);

        let head = [("content-length", "9")];
        let id = respond(&mut envoy, &head, &["my sec", "ret"], trailers);
        assert_eq!(envoy.client(id), answered(200, "my ***"));
    }
}

#[test]
fn text_goes_around_a_replaced_body() {
    let rules = FakeRules {
        replacement: Some(""),
        ..framed()
    };
    let mut envoy = holding(rules);
    let id = respond(
        &mut envoy,
        &[("content-length", "6")],
        &["secret", ""],
        false,
    );
    assert_eq!(envoy.client(id), answered(200, "<top></top>"));
}

#[test]
fn headers_that_no_longer_hold_go_or_weaken() {
    let mut envoy = holding(framed());
    let headers = [
        ("etag", "\"a\""),
        ("digest", "sha-256=x"),
        ("accept-ranges", "bytes"),
        ("content-type", "text/html"),
    ];
    let id = respond(&mut envoy, &headers, &["page"], false);
    let header = |name| envoy.header(id, Response, name);
    assert_eq!(header("etag").as_deref(), Some("W/\"a\""));
    assert_eq!(header("digest"), None);
    assert_eq!(header("accept-ranges"), None);
    assert_eq!(header("content-type").as_deref(), Some("text/html"));
}

#[test]
fn without_a_held_head_nothing_changes() {
    for (holds, mode) in [(true, HoldHeaders::Off), (false, HoldHeaders::Off)] {
        let mut envoy = envoy(holds, mode, framed());
        let id = respond(&mut envoy, &[("content-length", "4")], &["page"], false);
        assert_eq!(envoy.client(id), answered(200, "page"));
        assert_eq!(envoy.host.calls("set_body"), 0);
        assert!(envoy.host.log_text().contains("its head is not held"));
    }
    // A watchdog let the head go.
    let mut envoy = envoy(false, HoldHeaders::Auto, framed());
    let id = envoy.request(GET, true);
    envoy.respond(id, 200, &[("content-length", "4")], false, "via_upstream");
    envoy.response_data(id, b"page", true);
    envoy.wait(2_000);
    assert_eq!(envoy.client(id), answered(200, "page"));
}

#[test]
fn what_is_no_whole_plain_body_stays() {
    type Head = [(&'static str, &'static str)];
    let cases: [(&Head, u16, &Head); 8] = [
        (GET, 200, &[("content-encoding", "gzip")]),
        (GET, 206, &[]),
        (GET, 204, &[]),
        (GET, 304, &[]),
        (GET, 101, &[]),
        (GET, 200, &[("content-type", "text/event-stream")]),
        (GET, 200, &[("content-type", "application/grpc")]),
        (
            &[(":method", "HEAD"), (":path", "/"), (":authority", "a")],
            200,
            &[],
        ),
    ];
    for (request, status, headers) in cases {
        let mut envoy = holding(framed());
        let id = envoy.request(request, true);
        envoy.respond(id, status, headers, false, "via_upstream");
        envoy.response_data(id, b"page", true);
        let client = envoy.client(id);
        assert_eq!(client.body, b"page", "{request:?} {status} {headers:?}");
        assert_eq!(envoy.host.calls("set_body"), 0);
    }
    // There is nothing to change where the head says that there is no body.
    let mut envoy = holding(framed());
    let id = envoy.request(GET, true);
    envoy.respond(id, 200, &[("content-length", "0")], true, "via_upstream");
    assert_eq!(envoy.client(id), answered(200, ""));
    // An encoding that is none.
    let id = respond(
        &mut envoy,
        &[("content-encoding", "identity")],
        &["page"],
        false,
    );
    assert_eq!(envoy.client(id), answered(200, "<top>page</top>"));
}

#[test]
fn a_body_beyond_its_limit_changes_only_in_front() {
    let rules = FakeRules {
        partial: Some(6),
        replacement: Some("***"),
        ..framed()
    };
    let mut envoy = holding(rules);
    let head = [("content-length", "18")];
    let id = respond(
        &mut envoy,
        &head,
        &["sec", "ret+", "more", " secret"],
        false,
    );
    // What stood behind the limit passes as it is, with the length of the head.
    let client = envoy.client(id);
    assert_eq!(
        String::from_utf8_lossy(&client.body),
        "<top>***+more secret"
    );
}

#[test]
fn an_upgrade_is_not_changed() {
    let mut envoy = holding(replacing());
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("content-length", "6"),
    ];
    let id = envoy.request(&with(POST, &upgrade), false);
    envoy.request_data(id, b"secret", false);
    assert_eq!(envoy.upstream(id), Some((&b"secret"[..], false)));
}

#[test]
fn a_host_that_changes_half_is_refused_whatever_the_policy() {
    for call in ["set_body", "set_header", "headers"] {
        let settings = Settings {
            hold_headers: HoldHeaders::Required,
            on_error: OnError::Allow,
            ..Settings::default()
        };
        let mut envoy = Envoy::new(true, settings, framed());
        let id = envoy.request(GET, true);
        envoy.respond(id, 200, &[("content-length", "4")], false, "via_upstream");
        envoy.host.fail(call);
        envoy.response_data(id, b"page", true);
        assert_eq!(envoy.client(id), denied(500), "{call}");
    }
}

#[test]
fn a_denied_body_is_not_changed() {
    let mut envoy = holding(framed());
    let id = respond(&mut envoy, &[], &["evil4"], false);
    assert_eq!(envoy.client(id), denied(403));
    assert_eq!(envoy.host.calls("set_body"), 0);
}

#[test]
fn plain_responses_are_asked_for_after_the_rules_saw_the_head() {
    let remove = Settings {
        accept_encoding: AcceptEncoding::Remove,
        ..Settings::default()
    };
    let plain = FakeRules {
        plain: true,
        ..FakeRules::default()
    };
    for (settings, rules) in [(remove, FakeRules::default()), (Settings::default(), plain)] {
        let seen = rules.seen.clone();
        let mut envoy = Envoy::new(true, settings, rules);
        let id = envoy.request(&with(GET, &[("accept-encoding", "gzip")]), true);
        assert!(seen.borrow()[1].ends_with("accept-encoding=gzip"));
        assert_eq!(envoy.header(id, Request, "accept-encoding"), None);
    }
}

#[test]
fn the_server_header_says_what_the_rules_want() {
    let rules = FakeRules {
        signature: Some("Loom"),
        ..FakeRules::default()
    };
    everywhere(|like| {
        let settings = like.filter.settings().clone();
        let mut envoy = Envoy::new(like.holds, settings, rules.clone());
        let id = envoy.request(GET, true);
        envoy.respond(id, 200, &[("server", "Apache/2")], true, "via_upstream");
        assert_eq!(
            envoy.header(id, Response, "server").as_deref(),
            Some("Loom")
        );
        // Rules see what the backend sent.
        let seen = rules.seen.borrow().join("\n");
        assert!(seen.contains("server=Apache/2"), "{seen}");
        let id = envoy.request(GET, true);
        envoy.respond(id, 503, &[], true, "upstream_reset");
        assert_eq!(
            envoy.header(id, Response, "server").as_deref(),
            Some("Loom")
        );
        let id = envoy.request(GET, true);
        envoy.respond(id, 200, &[("x", "evil3")], true, "via_upstream");
        let reply = envoy.reply_header(id, "server");
        assert_eq!(reply.as_deref(), Some("Loom"));
    });
}
