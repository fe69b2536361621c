//! The backend of the tests: it answers what it is told to.
//!
//! `POST /reflect` with a JSON document `{status, headers, body | encodedBody, logMessage}` is
//! answered with that response; anything else with 200 and no body.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::driver::Backend;
use super::super::message::{Request, Response, header};
use super::format::BackendResponse;
use super::sniff;
use crate::bytes::base64;

/// The reflector; with a response it answers that, whatever it is asked.
pub(super) struct Reflector<'a> {
    pub(super) fixed: Option<&'a BackendResponse>,
}

impl Backend for Reflector<'_> {
    fn respond(&self, request: &Request) -> Response {
        self.fixed.map_or_else(|| answer_to(request), answer)
    }
}

/// The answer that a test asks for.
pub(super) fn answer(wanted: &BackendResponse) -> Response {
    reflect(&Document {
        status: wanted.status,
        headers: wanted.headers.clone(),
        body: wanted.body.clone(),
        encoded_body: wanted.encoded_body.clone(),
    })
}

/// The answer that a request asks for.
pub(crate) fn answer_to(request: &Request) -> Response {
    let path = request
        .target
        .split(|&byte| byte == b'?')
        .next()
        .unwrap_or_default();
    if request.method == b"POST" && (path == b"/reflect" || path.starts_with(b"/reflect/")) {
        return serde_json::from_slice(&request.body).map_or_else(
            |_| plain(400, b"Invalid JSON in request body"),
            |document| reflect(&document),
        );
    }
    respond(200, Vec::new(), Vec::new())
}

/// Keys it does not know are ignored, as the reference reflector does; tests rely on it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Document {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    encoded_body: String,
}

fn reflect(document: &Document) -> Response {
    let status = match document.status {
        0 => 200,
        status @ 100..600 => status,
        status => return plain(400, format!("Invalid status code: {status}").as_bytes()),
    };
    let body = if document.body.is_empty() {
        match base64::decode(document.encoded_body.as_bytes()) {
            Some(body) => body,
            None => return plain(400, b"invalid base64 encoding of response body"),
        }
    } else {
        document.body.clone().into_bytes()
    };
    let headers = document.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
    respond(status, headers.collect(), body)
}

fn plain(status: u16, body: &[u8]) -> Response {
    respond(status, Vec::new(), body.to_vec())
}

/// Adds what every server adds: a type for a body without one, and the length.
fn respond(status: u16, mut headers: Vec<(Vec<u8>, Vec<u8>)>, body: Vec<u8>) -> Response {
    if !body.is_empty() && header(&headers, b"content-type").is_none() {
        headers.push((b"Content-Type".to_vec(), sniff::content_type(&body).into()));
    }
    if header(&headers, b"content-length").is_none() {
        headers.push((
            b"Content-Length".to_vec(),
            body.len().to_string().into_bytes(),
        ));
    }
    Response {
        status,
        protocol: b"HTTP/1.1".to_vec(),
        headers,
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::Reflector;
    use crate::cli::driver::Backend;
    use crate::cli::message::{Request, Response, header};

    fn ask(method: &str, target: &str, body: &str) -> Response {
        let request = Request {
            method: method.into(),
            target: target.into(),
            body: body.into(),
            ..Default::default()
        };
        Reflector { fixed: None }.respond(&request)
    }

    #[test]
    fn it_answers_what_it_is_told() {
        let told = r#"{"status": 503, "headers": {"X-A": "b"}, "body": "<h1>", "other": 1}"#;
        let response = ask("POST", "/reflect?x=y", told);
        assert_eq!((response.status, &response.body[..]), (503, &b"<h1>"[..]));
        assert_eq!(header(&response.headers, b"x-a"), Some(&b"b"[..]));
        let kind = header(&response.headers, b"content-type");
        assert_eq!(kind, Some(&b"text/html; charset=utf-8"[..]));
        assert_eq!(
            ask("POST", "/reflect", r#"{"encodedBody": "AAE="}"#).body,
            b"\x00\x01"
        );
    }

    #[test]
    fn anything_else_is_fine_and_empty() {
        for (method, target) in [("GET", "/reflect"), ("POST", "/reflection"), ("GET", "/")] {
            let response = ask(method, target, "{}");
            assert_eq!((response.status, response.body.len()), (200, 0));
        }
        assert_eq!(ask("POST", "/reflect", "{").status, 400);
        assert_eq!(ask("POST", "/reflect", r#"{"status": 77}"#).status, 400);
    }
}
