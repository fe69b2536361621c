//! Bodies larger than the host keeps.

use super::*;
use crate::proxy::host::Direction;

const MIB: usize = 1 << 20;

/// Every kind of host, with rules that stream large bodies or refuse them.
fn with_rules(streams_large: bool, buffer_limit: Option<usize>, mut test: impl FnMut(Envoy)) {
    for (holds, mode) in [
        (true, HoldHeaders::Required),
        (true, HoldHeaders::Off),
        (false, HoldHeaders::Off),
    ] {
        let rules = FakeRules {
            streams_large,
            ..FakeRules::default()
        };
        let settings = Settings {
            hold_headers: mode,
            buffer_limit,
            ..Settings::default()
        };
        test(Envoy::new(holds, settings, rules));
    }
}

/// A request of so many bytes in pieces, `evil2` at some place, with or without its length in the
/// head. `apart`: the end comes by itself.
fn upload(
    envoy: &mut Envoy,
    size: usize,
    evil_at: Option<usize>,
    announced: bool,
    apart: bool,
) -> usize {
    let mut body = vec![b'x'; size];
    if let Some(at) = evil_at {
        body.splice(at..at.saturating_add(5), *b"evil2");
    }
    let length = size.to_string();
    let head = match announced {
        true => with(POST, &[("content-length", &length)]),
        false => POST.to_vec(),
    };
    let id = envoy.request(&head, false);
    let mut pieces = body.chunks(100_000).peekable();
    while let Some(piece) = pieces.next() {
        envoy.request_data(id, piece, pieces.peek().is_none() && !apart);
    }
    if apart {
        envoy.request_data(id, b"", true);
    }
    id
}

#[test]
fn a_large_upload_passes_where_it_is_streamed() {
    for (announced, apart) in [(true, true), (true, false), (false, true), (false, false)] {
        with_rules(true, None, |mut envoy| {
            let id = upload(&mut envoy, 8 * MIB, None, announced, apart);
            let (body, ended) = envoy.upstream(id).expect("an upstream");
            assert_eq!((body.len(), ended), (8 * MIB, true));
            assert_eq!(envoy.host.metric("reason=large_request"), 1);
            assert!(envoy.host.log_text().contains("Request body goes on while"));
            envoy.respond(id, 200, &[], true, "via_upstream");
            assert_eq!(envoy.client(id), answered(200, ""));
        });
    }
}

#[test]
fn an_attack_in_a_streamed_upload_never_reaches_its_end() {
    for (announced, apart) in [(true, true), (true, false), (false, true), (false, false)] {
        for evil_at in [0, 3 * MIB, 8 * MIB - 5] {
            with_rules(true, None, |mut envoy| {
                let id = upload(&mut envoy, 8 * MIB, Some(evil_at), announced, apart);
                let (body, ended) = envoy.upstream(id).expect("an upstream");
                assert!(!ended, "the end went on");
                // An upstream that counts has not got all of it either.
                assert!(!announced || body.len() < 8 * MIB);
                assert_eq!(envoy.client(id), denied(403));
            });
        }
    }
}

#[test]
fn what_the_host_can_keep_is_held_as_ever() {
    for announced in [true, false] {
        let size = if announced { MIB } else { MIB / 64 };
        with_rules(true, None, |mut envoy| {
            let id = upload(&mut envoy, size, Some(9), announced, true);
            let upstream = envoy.upstream(id).map(|(body, _)| body.len());
            assert_eq!(upstream, (!held(&envoy)).then_some(0));
            assert_eq!(envoy.host.metric("large_request"), 0);
        });
    }
}

#[test]
fn a_large_upload_is_refused_where_it_is_not_streamed() {
    // The host refuses by itself; told how much it keeps, the filter does so before it.
    with_rules(false, None, |mut envoy| {
        let id = upload(&mut envoy, 8 * MIB, None, true, true);
        assert_eq!(envoy.client(id).status, Some(413));
        assert_eq!(envoy.host.log_text(), "");
    });
    for announced in [true, false] {
        with_rules(false, Some(MIB), |mut envoy| {
            let id = upload(&mut envoy, 8 * MIB, None, announced, true);
            assert_eq!(envoy.client(id).status, Some(413));
            assert!(envoy.upstream(id).is_none_or(|(body, _)| body.is_empty()));
            if announced {
                assert_eq!(envoy.client(id), denied(413));
                assert!(envoy.host.log_text().contains("a limit ended"));
                assert_eq!(envoy.host.calls("body"), 0);
            }
        });
        with_rules(false, Some(16 * MIB), |mut envoy| {
            envoy.buffer_limit = 16 * MIB;
            let id = upload(&mut envoy, 8 * MIB, None, announced, true);
            assert!(envoy.upstream(id).is_some_and(|(_, ended)| ended));
        });
    }
}

#[test]
fn beyond_the_limit_of_the_rules_nothing_is_large() {
    for streams_large in [false, true] {
        let rules = FakeRules {
            streams_large,
            partial: Some(MIB / 2),
            ..FakeRules::default()
        };
        let mut envoy = envoy(true, HoldHeaders::Required, rules);
        let id = upload(&mut envoy, 8 * MIB, Some(7 * MIB), true, true);
        assert!(envoy.upstream(id).is_some_and(|(_, ended)| ended));
        assert_eq!(envoy.host.metric("large_request"), 0);
    }
}

#[test]
fn more_than_was_announced_is_not_let_through() {
    with_rules(true, None, |mut envoy| {
        let id = envoy.request(&with(POST, &[("content-length", "2000000")]), false);
        envoy.request_data(id, &vec![b'x'; 2_000_000], false);
        envoy.request_data(id, b"evil2", false);
        let (body, ended) = envoy.upstream(id).expect("an upstream");
        assert_eq!((body.len(), ended), (2_000_000, false));
        assert_eq!(envoy.client(id).status, Some(500));
    });
}

#[test]
fn a_tunnel_behind_a_large_body_passes() {
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "x"),
        ("content-length", "3000000"),
    ];
    for evil in [false, true] {
        with_rules(true, None, |mut envoy| {
            let mut body = vec![b'x'; 3_000_000];
            if evil {
                body.splice(2_999_995.., *b"evil2");
            }
            let id = envoy.request(&with(GET, &upgrade), false);
            for piece in [&body[..], b"evil2 in a tunnel"].concat().chunks(70_000) {
                envoy.request_data(id, piece, false);
            }
            let passed = envoy.upstream(id).map_or(0, |(body, _)| body.len());
            match evil {
                false => assert_eq!(passed, 3_000_017),
                true => assert!(passed < 3_000_000),
            }
        });
    }
}

#[test]
fn large_responses_are_streamed_and_cut() {
    for announced in [true, false] {
        for evil in [false, true] {
            with_rules(true, None, |mut envoy| {
                let id = envoy.request(GET, true);
                let length = (8 * MIB).to_string();
                let head = [("content-length", length.as_str())];
                let head = if announced { &head[..] } else { &[] };
                envoy.respond(id, 200, head, false, "via_upstream");
                let mut body = vec![b'x'; 8 * MIB];
                if evil {
                    body.splice(5 * MIB..5 * MIB + 5, *b"evil4");
                }
                for piece in body.chunks(100_000) {
                    envoy.response_data(id, piece, false);
                }
                envoy.response_data(id, b"", true);
                let client = envoy.client(id);
                if evil {
                    assert!(client.reset && !client.complete);
                    assert!(client.body.len() < 8 * MIB || !announced);
                } else {
                    assert!(client.complete && client.body.len() == 8 * MIB);
                }
                assert_eq!(envoy.host.metric("reason=large_response"), 1);
            });
        }
    }
}

#[test]
fn a_large_response_is_refused_while_there_is_still_an_answer_to_give() {
    with_rules(false, Some(MIB), |mut envoy| {
        let id = envoy.request(GET, true);
        let head = [("content-length", "2000000")];
        envoy.respond(id, 200, &head, false, "via_upstream");
        assert_eq!(envoy.client(id), denied(500));
    });
}

#[test]
fn nothing_of_a_streamed_body_is_changed() {
    let rules = FakeRules {
        streams_large: true,
        replacement: Some("***"),
        ..FakeRules::default()
    };
    let mut envoy = envoy(true, HoldHeaders::Required, rules);
    let id = envoy.request(&with(POST, &[("content-length", "2000006")]), false);
    envoy.request_data(id, &vec![b'x'; 2_000_000], false);
    envoy.request_data(id, b"secret", true);
    let (body, ended) = envoy.upstream(id).expect("an upstream");
    assert!(ended && body.ends_with(b"secret"));
    assert!(envoy.host.log_text().contains("is not changed"));
    assert_eq!(
        envoy.header(id, Direction::Request, "content-length"),
        Some("2000006".into())
    );
}
