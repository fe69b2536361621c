//! HTTP/1 messages as the tool works with them, and how it reads them from bytes.
//!
//! The reader takes what it finds: a request that a server would refuse must still reach the rules
//! as it was written. It splits lines and follows the framing rules of RFC 9112, and does nothing
//! else: no checks of methods, targets, versions or names.

use memchr::memmem;

/// Header names and values, in order, as written.
pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, as written.
    pub method: Vec<u8>,
    /// The target, as written.
    pub target: Vec<u8>,
    /// The protocol, such as `HTTP/1.1`.
    pub protocol: Vec<u8>,
    /// The headers.
    pub headers: Headers,
    /// The body, out of its chunks.
    pub body: Vec<u8>,
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The protocol, such as `HTTP/1.1`.
    pub protocol: Vec<u8>,
    /// The headers.
    pub headers: Headers,
    /// The body, out of its chunks.
    pub body: Vec<u8>,
}

/// The first value of a header, names compared without case.
pub(crate) fn header<'a>(headers: &'a Headers, name: &[u8]) -> Option<&'a [u8]> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| &value[..])
}

impl Request {
    /// Reads a request. Blank lines before it are skipped, as servers do; everything up to the
    /// first space is the method, everything after the last one the protocol.
    pub fn parse(bytes: &[u8]) -> Self {
        let bytes = skip_blank_lines(bytes);
        let (line, rest) = split_line(bytes);
        let (method, rest_of_line) = split_at_space(line);
        let (target, protocol) = match memchr::memrchr(b' ', rest_of_line) {
            Some(at) => (
                rest_of_line.get(..at).unwrap_or_default(),
                rest_of_line.get(at.saturating_add(1)..).unwrap_or_default(),
            ),
            None => (rest_of_line, &[][..]),
        };
        Self::with_line(method, target, protocol, rest)
    }

    /// The request as it would stand on the wire.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = [
            self.method.as_slice(),
            &self.target,
            self.protocol.as_slice(),
        ]
        .join(b" ".as_slice());
        for (name, value) in &self.headers {
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
        }
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    /// A request whose line is known; `rest` is what follows the line. A line without a protocol is
    /// HTTP/0.9 (RFC 1945 §5).
    pub(crate) fn with_line(method: &[u8], target: &[u8], protocol: &[u8], rest: &[u8]) -> Self {
        let protocol = if protocol.is_empty() {
            b"HTTP/0.9"
        } else {
            protocol
        };
        let (mut headers, body) = parse_headers(rest);
        let body = match framing(&mut headers) {
            Framing::Chunked => dechunk(body),
            Framing::Length(length) => body.get(..length).unwrap_or(body).to_vec(),
            Framing::None => Vec::new(),
        };
        Self {
            method: method.to_vec(),
            target: target.to_vec(),
            protocol: protocol.to_vec(),
            headers,
            body,
        }
    }
}

impl Response {
    /// Reads a response. Without a length its body is the rest.
    ///
    /// # Errors
    ///
    /// A text for people, if there is no status line.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (line, rest) = split_line(skip_blank_lines(bytes));
        let (protocol, after) = split_at_space(line);
        let (status, _reason) = split_at_space(after);
        let status = std::str::from_utf8(status)
            .ok()
            .and_then(|text| text.parse().ok());
        let Some(status) = status.filter(|_| protocol.starts_with(b"HTTP/")) else {
            return Err(format!(
                "`{}` is no status line; a response begins like `HTTP/1.1 200 OK`",
                String::from_utf8_lossy(line)
            ));
        };
        let (mut headers, body) = parse_headers(rest);
        let body = match framing(&mut headers) {
            Framing::Chunked => dechunk(body),
            Framing::Length(length) => body.get(..length).unwrap_or(body).to_vec(),
            Framing::None => body.to_vec(),
        };
        Ok(Self {
            status,
            protocol: protocol.to_vec(),
            headers,
            body,
        })
    }
}

/// How the end of a body is known.
pub(crate) enum Framing {
    /// By chunks.
    Chunked,
    /// By its length in bytes.
    Length(usize),
    /// A request has no body; that of a response ends with the connection.
    None,
}

/// How the body ends (RFC 9112 §6.3). Transfer-Encoding beats Content-Length, which is then
/// removed as a proxy must do.
pub(crate) fn framing(headers: &mut Headers) -> Framing {
    let chunked = header(headers, b"transfer-encoding")
        .is_some_and(|value| value.to_ascii_lowercase().ends_with(b"chunked"));
    if chunked {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
        return Framing::Chunked;
    }
    header(headers, b"content-length")
        .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok())
        .map_or(Framing::None, Framing::Length)
}

/// Header lines up to the blank line, and what follows it. A line that begins with a blank
/// continues the one before; a line without a colon is a name without a value.
fn parse_headers(mut bytes: &[u8]) -> (Headers, &[u8]) {
    let mut headers = Headers::new();
    loop {
        let (line, rest) = split_line(bytes);
        bytes = rest;
        if line.is_empty() {
            return (headers, bytes);
        }
        if let [b' ' | b'\t', ..] = line
            && let Some((_, value)) = headers.last_mut()
        {
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
            continue;
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(at) => (
                line.get(..at).unwrap_or_default(),
                line.get(at.saturating_add(1)..).unwrap_or_default(),
            ),
            None => (line, &[][..]),
        };
        headers.push((name.to_vec(), trim_blanks(value).to_vec()));
    }
}

/// Takes the body out of its chunks, as far as they can be read.
fn dechunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let (line, rest) = split_line(bytes);
        let digits: Vec<u8> = line
            .iter()
            .copied()
            .take_while(u8::is_ascii_hexdigit)
            .take(15)
            .collect();
        let size = std::str::from_utf8(&digits)
            .ok()
            .and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let Some(size) = size.filter(|&size| size > 0) else {
            return body;
        };
        body.extend_from_slice(rest.get(..size).unwrap_or(rest));
        bytes = split_line(rest.get(size..).unwrap_or_default()).1;
    }
}

/// The first line without its end, and what follows.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match memmem::find(bytes, b"\n") {
        Some(at) => (
            bytes.get(..at).unwrap_or_default(),
            bytes.get(at.saturating_add(1)..).unwrap_or_default(),
        ),
        None => (bytes, &[][..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

fn split_at_space(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', bytes) {
        Some(at) => (
            bytes.get(..at).unwrap_or_default(),
            bytes.get(at.saturating_add(1)..).unwrap_or_default(),
        ),
        None => (bytes, &[]),
    }
}

fn skip_blank_lines(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes
        .strip_prefix(b"\r\n")
        .or_else(|| bytes.strip_prefix(b"\n"))
    {
        bytes = rest;
    }
    bytes
}

fn trim_blanks(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{Request, Response, header};

    #[test]
    fn a_request_is_taken_as_written() {
        let request = Request::parse(
            b"\r\nPOST /a b?c HTTP/1.1\r\nHost: x\r\nX-A:  1 \r\n  2\r\nNoColon\r\nContent-Length: 3\r\n\r\nabcdef",
        );
        assert_eq!(request.method, b"POST");
        assert_eq!(request.target, b"/a b?c");
        assert_eq!(request.protocol, b"HTTP/1.1");
        assert_eq!(header(&request.headers, b"x-a"), Some(&b"1 2"[..]));
        assert_eq!(header(&request.headers, b"nocolon"), Some(&b""[..]));
        assert_eq!(request.body, b"abc");
    }

    #[test]
    fn line_feeds_alone_end_lines_too() {
        let request = Request::parse(b"GET / HTTP/1.0\nHost: y\n\n");
        assert_eq!(request.protocol, b"HTTP/1.0");
        assert_eq!(request.headers, [(b"Host".to_vec(), b"y".to_vec())]);
    }

    #[test]
    fn chunks_are_joined_and_the_length_is_dropped() {
        let request = Request::parse(
            b"POST / HTTP/1.1\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nfoo\r\n4\r\n=bar\r\n0\r\n\r\n",
        );
        assert_eq!(request.body, b"foo=bar");
        assert_eq!(header(&request.headers, b"content-length"), None);
        let cut = Request::parse(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nab");
        assert_eq!(cut.body, b"ab");
    }

    #[test]
    fn without_a_length_a_request_has_no_body_and_a_response_has_the_rest() {
        assert!(
            Request::parse(b"POST / HTTP/1.1\r\n\r\nabc")
                .body
                .is_empty()
        );
        let response = Response::parse(b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nabc").unwrap();
        assert_eq!(
            (response.status, response.body.as_slice()),
            (404, &b"abc"[..])
        );
        assert!(Response::parse(b"<html>").is_err());
    }

    #[test]
    fn a_line_without_a_protocol_is_the_oldest() {
        let request = Request::parse(b"GET /\r\n\r\n");
        assert_eq!(
            (request.method.as_slice(), request.target.as_slice()),
            (&b"GET"[..], &b"/"[..])
        );
        assert_eq!(request.protocol, b"HTTP/0.9");
    }
}
