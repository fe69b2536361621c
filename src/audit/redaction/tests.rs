//! Texts of every kind, as logs show them.

use super::super::tests::{Exchange, transaction};
use super::*;

/// A transaction with some headers and a form body, seen by some rules.
fn seen(rules: &str) -> Transaction {
    let mut transaction = transaction(rules);
    Exchange {
        target: "/a?q=shoes&pass=tr0ub4dor&other=horsebattery",
        headers: &[
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", "Basic dXNlcjpvcGVuc2VzYW1l"),
            ("X-Plain", "in the clear"),
        ],
        body: b"password=opensesame1",
        response_headers: &[("X-Out", "out-of-here")],
        response_body: b"",
    }
    .run(&mut transaction);
    transaction
}

fn shown(text: Cow<'_, [u8]>) -> String {
    String::from_utf8(text.into_owned()).unwrap()
}

#[test]
fn urls_lose_values_and_users() {
    let transaction = seen("");
    let redaction = Redaction::new(&transaction);
    let url = |text: &'static str| shown(redaction.url(text.as_bytes()));
    assert_eq!(
        url("/a?q=1&token=x&&secret="),
        "/a?q=1&token=<redacted>&&secret="
    );
    assert_eq!(url("https://u:p@h/?q=a@b"), "https://<redacted>@h/?q=a@b");
    assert_eq!(url("/?next=http://a@b/"), "/?next=http://a@b/");
    assert_eq!(url("/opensesame1/%6fpensesame1"), "/<redacted>/<redacted>");
    let line = redaction.request_line(b"GET /?pwd=1 HTTP/1.1");
    assert_eq!(line, b"GET /?pwd=<redacted> HTTP/1.1");
    assert_eq!(redaction.request_line(b""), b"");
}

#[test]
fn headers_keep_what_is_no_secret() {
    let transaction = seen("");
    let redaction = Redaction::new(&transaction);
    let request = |name: &str, value: &'static str| {
        shown(redaction.request_header(name.as_bytes(), value.as_bytes()))
    };
    assert_eq!(request("cookie", "a=1; b=2"), "a=<redacted>; b=<redacted>");
    assert_eq!(request("Authorization", "Bearer x.y"), "Bearer <redacted>");
    assert_eq!(request("X-Auth-Token", "1"), "<redacted>");
    assert_eq!(request("Referer", "/?pwd=1"), "/?pwd=<redacted>");
    assert_eq!(request("Accept", "*/*"), "*/*");
    let response = redaction.response_header(b"Set-Cookie", b"a=1; Path=/");
    assert_eq!(shown(response), "a=<redacted>; Path=/");
    assert_eq!(
        shown(redaction.argument(b"x", b"is opensesame1?")),
        "is <redacted>?"
    );
    assert_eq!(shown(redaction.text(b"user:opensesame")), "<redacted>");
}

#[test]
fn what_rules_sanitise_is_starred() {
    let transaction = seen(
        "SecAction \"id:1,phase:1,pass,nolog,sanitiseArg:pass,sanitiseRequestHeader:X-Plain\"\n\
         SecRule ARGS:other \"@rx batt\" \"id:2,phase:2,pass,nolog,capture,sanitiseMatchedBytes:1/1\"\n\
         SecRule RESPONSE_HEADERS:x-out \"@rx .\" \"id:3,phase:3,pass,nolog,sanitiseMatched\"",
    );
    let redaction = Redaction::new(&transaction);
    assert_eq!(
        shown(redaction.url(b"/a?q=shoes&pass=tr0ub4dor&other=horsebattery")),
        "/a?q=shoes&pass=*********&other=horseb**tery"
    );
    assert_eq!(
        shown(redaction.request_header(b"x-plain", b"in the clear")),
        "************"
    );
    assert_eq!(
        shown(redaction.response_header(b"X-Out", b"out-of-here")),
        "***********"
    );
    // Elsewhere it is as secret as any other value.
    assert_eq!(shown(redaction.text(b"saw tr0ub4dor")), "saw <redacted>");
}

#[test]
fn a_body_that_rules_sanitise_is_starred_as_a_whole() {
    let rules = "SecRule REQUEST_BODY \"@rx .\" \"id:1,phase:2,pass,nolog,sanitiseMatched\"";
    let transaction = seen(rules);
    let body = Redaction::new(&transaction);
    let body = body.request_body(Some(Kind::UrlEncoded), b"a=b");
    assert_eq!(shown(body), "***");
}

#[test]
fn bodies_are_read_for_names() {
    let transaction = seen("");
    let redaction = Redaction::new(&transaction);
    let body = |kind, text: &'static str| shown(redaction.request_body(kind, text.as_bytes()));
    assert_eq!(
        body(Some(Kind::UrlEncoded), "a=1&cvv=2"),
        "a=1&cvv=<redacted>"
    );
    assert_eq!(
        body(Some(Kind::Json), r#"{"cvv": 2, "a": 1}"#),
        r#"{"cvv": <redacted>, "a": 1}"#
    );
    assert_eq!(body(None, "say opensesame1"), "say <redacted>");
}

#[test]
fn any_bytes_are_taken() {
    let transaction = seen("");
    let redaction = Redaction::new(&transaction);
    for first in 0..=255_u8 {
        for second in [b'%', b'\\', b'&', b'=', b'"', 0, 255] {
            let text = [second, first, second, first, b'?', second, first];
            for kind in [
                None,
                Some(Kind::UrlEncoded),
                Some(Kind::Multipart),
                Some(Kind::Json),
            ] {
                assert!(redaction.request_body(kind, &text).len() < 100);
            }
            assert!(redaction.url(&text).len() < 100);
            assert!(redaction.request_header(b"cookie", &text).len() < 100);
            assert!(redaction.response_header(b"set-cookie", &text).len() < 100);
            assert!(redaction.request_line(&text).len() < 100);
        }
    }
}
