//! The bytes go-ftw would send for a stage, read back as a server reads them.
//!
//! What go-ftw adds on its own (unless `autocomplete_headers` is off): a form content type for a
//! body without one, percent-encoding of form data that has none, `Connection: close`, and
//! Content-Length. Lines of multipart bodies always end in CR LF.

use super::super::message::{Headers, Request, header};
use super::format::Input;
use super::template;
use crate::bytes::base64;

const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// The request of a stage. `uri` replaces the stage's own; `cookies` are added to its headers.
///
/// # Errors
///
/// A text for people: base64 that is none, or fields that exclude each other.
pub(crate) fn build(input: &Input, uri: &str, cookies: &[String]) -> Result<Request, String> {
    if let Some(encoded) = &input.encoded_request {
        if input.data.is_some() {
            return Err("`data` and `encoded_request` exclude each other".to_owned());
        }
        let bytes = base64::decode(encoded.as_bytes()).ok_or("`encoded_request` is no base64")?;
        return Ok(Request::parse(&bytes));
    }
    let mut headers: Headers = input
        .headers
        .iter()
        .map(|(name, value)| bytes(name, value))
        .collect();
    headers.extend(
        input
            .ordered_headers
            .iter()
            .map(|pair| bytes(&pair.name, &pair.value)),
    );
    if !cookies.is_empty() {
        headers.push((b"Cookie".to_vec(), cookies.join("; ").into_bytes()));
    }
    let method = input.method.as_deref().unwrap_or("GET");
    let mut data = match (&input.data, &input.encoded_data) {
        (Some(text), _) => template::expand(text).into_bytes(),
        (None, Some(encoded)) => {
            base64::decode(encoded.as_bytes()).ok_or("`encoded_data` is no base64")?
        }
        (None, None) => Vec::new(),
    };
    let autocomplete = input
        .autocomplete_headers
        .unwrap_or(!input.stop_magic.unwrap_or(false));
    if autocomplete && !data.is_empty() {
        if header(&headers, b"content-type").is_none() {
            headers.push((b"Content-Type".to_vec(), FORM.to_vec()));
        }
        if has_value(&headers, b"content-type", |value| {
            value.eq_ignore_ascii_case(FORM)
        }) {
            data = encode_form(data);
        }
    }
    let multipart = |value: &[u8]| {
        memchr::memmem::find(&value.to_ascii_lowercase(), b"multipart/form-data;").is_some()
    };
    if has_value(&headers, b"content-type", multipart) {
        data = with_crlf(&data);
    }
    if autocomplete {
        if header(&headers, b"connection").is_none() {
            headers.push((b"Connection".to_vec(), b"close".to_vec()));
        }
        let wants_length = !data.is_empty() || method_has_body(method);
        if wants_length && header(&headers, b"content-length").is_none() {
            headers.push((
                b"Content-Length".to_vec(),
                data.len().to_string().into_bytes(),
            ));
        }
    }
    // Through bytes and back, so that a line end inside a value does what it does to a server.
    let mut wire = Vec::new();
    for (name, value) in &headers {
        wire.extend([name, &b": "[..], value, &b"\r\n"[..]].concat());
    }
    wire.extend(b"\r\n");
    wire.extend(data);
    let version = input.version.as_deref().unwrap_or("HTTP/1.1");
    Ok(Request::with_line(
        method.as_bytes(),
        uri.as_bytes(),
        version.as_bytes(),
        &wire,
    ))
}

/// go-ftw's idea of a method with a body: the pattern `^POST|PUT|PATCH|DELETE$`, in which the
/// anchors bind only to the outer two.
fn method_has_body(method: &str) -> bool {
    method.starts_with("POST")
        || method.contains("PUT")
        || method.contains("PATCH")
        || method.ends_with("DELETE")
}

fn bytes(name: &str, value: &str) -> (Vec<u8>, Vec<u8>) {
    (name.as_bytes().to_vec(), value.as_bytes().to_vec())
}

fn has_value(headers: &Headers, name: &[u8], test: impl Fn(&[u8]) -> bool) -> bool {
    headers
        .iter()
        .any(|(key, value)| key.eq_ignore_ascii_case(name) && test(value))
}

fn with_crlf(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    for &byte in data {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}

/// Percent-encodes names and values of a form in which nothing is encoded yet.
fn encode_form(data: Vec<u8>) -> Vec<u8> {
    if !is_plain(&data) {
        return data;
    }
    let mut out = Vec::with_capacity(data.len());
    for (place, field) in data.split(|&byte| byte == b'&').enumerate() {
        if place > 0 {
            out.push(b'&');
        }
        match memchr::memchr(b'=', field).and_then(|at| field.split_at_checked(at)) {
            Some((name, value)) => {
                escape(name, &mut out);
                out.push(b'=');
                escape(value.get(1..).unwrap_or_default(), &mut out);
            }
            None => escape(field, &mut out),
        }
    }
    // go-ftw joins with a trailing separator and strips one, so a final `&` is lost.
    if data.ends_with(b"&") {
        out.pop();
    }
    out
}

/// Whether decoding would change nothing. A broken escape counts as encoded: go-ftw compares with
/// the empty text its decoder then gives.
fn is_plain(data: &[u8]) -> bool {
    !data.iter().any(|&byte| byte == b'+' || byte == b'%')
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => out.extend(format!("%{byte:02X}").bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, build};
    use crate::cli::message::header;

    fn input(yaml: &str) -> Input {
        serde_saphyr::from_str(yaml).unwrap()
    }

    #[test]
    fn defaults_and_completed_headers() {
        let request = build(&input("{method: POST, data: 'a=<b> c&d'}"), "/x", &[]).unwrap();
        assert_eq!(request.protocol, b"HTTP/1.1");
        assert_eq!(request.body, b"a=%3Cb%3E+c&d");
        let names: Vec<&[u8]> = request.headers.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!(
            names,
            [&b"Content-Type"[..], b"Connection", b"Content-Length"]
        );
        assert_eq!(
            header(&request.headers, b"content-length"),
            Some(&b"13"[..])
        );
        let request = build(&input("{method: DELETE}"), "/", &[]).unwrap();
        assert_eq!(header(&request.headers, b"content-length"), Some(&b"0"[..]));
        let request = build(&input("{}"), "/", &["a=1".to_owned()]).unwrap();
        assert_eq!(header(&request.headers, b"content-length"), None);
        assert_eq!(header(&request.headers, b"cookie"), Some(&b"a=1"[..]));
    }

    #[test]
    fn encoded_data_is_left_alone() {
        for data in ["a=%20", "a=b+c", "a=100%"] {
            let text = format!("{{method: POST, data: '{data}'}}");
            assert_eq!(
                build(&input(&text), "/", &[]).unwrap().body,
                data.as_bytes()
            );
        }
        let text = "{method: POST, headers: {Content-Type: text/plain}, data: 'a=<'}";
        assert_eq!(build(&input(text), "/", &[]).unwrap().body, b"a=<");
    }

    #[test]
    fn multipart_lines_end_in_crlf_even_without_completion() {
        let text = "{autocomplete_headers: false, data: \"--a\\nb\", headers: {Content-Type: \
                    'multipart/form-data; boundary=a', Content-Length: 6}}";
        assert_eq!(build(&input(text), "/", &[]).unwrap().body, b"--a\r\nb");
    }

    #[test]
    fn without_completion_there_is_no_length_and_so_no_body() {
        let request = build(
            &input("{method: POST, stop_magic: true, data: 'hi=x'}"),
            "/",
            &[],
        )
        .unwrap();
        assert!(request.headers.is_empty());
        assert!(request.body.is_empty());
    }

    #[test]
    fn a_raw_request_is_decoded() {
        let request = build(
            &input("{encoded_request: 'R0VUIC9h IEhUVFAvMS4w\nDQoNCg=='}"),
            "/b",
            &[],
        )
        .unwrap();
        assert_eq!(
            (&request.target[..], &request.protocol[..]),
            (&b"/a"[..], &b"HTTP/1.0"[..])
        );
        assert!(build(&input("{encoded_request: 'A*'}"), "/", &[]).is_err());
    }
}
