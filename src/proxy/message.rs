//! What the filter itself must know of heads, to treat the body right.

use super::host::{Host, HostError};
use super::pairs::Pairs;

/// Pairs as the engine takes them.
pub type Headers<'a> = Vec<(&'a [u8], &'a [u8])>;

/// The head of a request, as the host shows it and as the rules are to see it.
#[derive(Debug)]
pub struct Request<'a> {
    /// Method.
    pub method: &'a [u8],
    /// Request target; the authority where CONNECT has no path.
    pub target: &'a [u8],
    /// `HTTP/1.1`, `HTTP/2.0`, …
    pub protocol: Vec<u8>,
    /// Authority, if there is one.
    pub authority: Option<&'a [u8]>,
    /// Pairs without pseudo headers; `host` is among them.
    pub headers: Headers<'a>,
}

/// How the body of a request is delimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// The host says where the body ends.
    Message,
    /// No body: what follows the head belongs to a tunnel.
    Tunnel,
    /// A body of so many bytes, then a tunnel.
    BodyThenTunnel(usize),
    /// A body whose end cannot be told from the tunnel's bytes.
    Ambiguous,
}

impl<'a> Request<'a> {
    /// Reads the head. Pseudo headers become fields and vanish from the pairs; `host`, which Envoy
    /// only shows as `:authority`, comes first among them again.
    ///
    /// # Errors
    /// The head lacks a method or a target.
    pub fn new(host: &dyn Host, pairs: &'a Pairs) -> Result<Self, HostError> {
        let authority = pairs.first(b":authority");
        let method = pairs.first(b":method").ok_or(HostError::Malformed)?;
        let target = match pairs.first(b":path") {
            Some(path) => path,
            None if method == b"CONNECT" => authority.ok_or(HostError::Malformed)?,
            None => return Err(HostError::Malformed),
        };
        let mut headers = Vec::with_capacity(pairs.len());
        // A host header that says something else than the authority stays visible beside it.
        if let Some(authority) = authority
            && !pairs
                .iter()
                .any(|(name, value)| is(name, b"host") && value == authority)
        {
            headers.push((&b"host"[..], authority));
        }
        headers.extend(pairs.iter().filter(|(name, _)| !name.starts_with(b":")));
        Ok(Self {
            method,
            target,
            protocol: protocol(host),
            authority,
            headers,
        })
    }

    /// How the body is delimited. A tunnel has no end to wait for, so it is let through; an
    /// upstream that ignores the upgrade would read a declared body as an ordinary one, so that
    /// part is inspected.
    pub fn framing(&self) -> Framing {
        if self.method == b"CONNECT" {
            return Framing::Tunnel;
        }
        if !self.is_upgrade() {
            return Framing::Message;
        }
        if value(&self.headers, b"transfer-encoding").is_some() {
            return Framing::Ambiguous;
        }
        let mut lengths = values(&self.headers, b"content-length");
        let Some(first) = lengths.next() else {
            return Framing::Tunnel;
        };
        if lengths.any(|other| other != first) {
            return Framing::Ambiguous;
        }
        match decimal(first) {
            Some(0) => Framing::Tunnel,
            Some(length) => Framing::BodyThenTunnel(length),
            None => Framing::Ambiguous,
        }
    }

    /// Envoy takes `transfer-encoding` off before filters see a head. A body without a length under
    /// HTTP/1 can only come in chunks, so the rules get the header back: they ask for one of the two.
    pub fn restore_transfer_encoding(&mut self, body_follows: bool) {
        let framed = [&b"content-length"[..], b"transfer-encoding"]
            .iter()
            .any(|name| value(&self.headers, name).is_some());
        if body_follows
            && !framed
            && self.protocol.starts_with(b"HTTP/1")
            && self.framing() == Framing::Message
        {
            self.headers.push((b"transfer-encoding", b"chunked"));
        }
    }

    /// Whether this is gRPC: its content type, over a protocol that can carry it.
    pub fn is_grpc(&self) -> bool {
        !self.protocol.starts_with(b"HTTP/1") && is_grpc(&self.headers)
    }

    /// As Envoy decides it: an `upgrade` header that `connection` nominates.
    fn is_upgrade(&self) -> bool {
        let nominated = values(&self.headers, b"connection")
            .flat_map(|value| value.split(|&byte| byte == b','))
            .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
        nominated && value(&self.headers, b"upgrade").is_some()
    }
}

/// The head of a response.
#[derive(Debug)]
pub struct Response<'a> {
    /// Status.
    pub status: u16,
    /// Pairs without pseudo headers.
    pub headers: Headers<'a>,
}

impl<'a> Response<'a> {
    /// Reads the head.
    ///
    /// # Errors
    /// The head lacks a status.
    pub fn new(pairs: &'a Pairs) -> Result<Self, HostError> {
        let status = pairs.first(b":status").and_then(decimal);
        let status = status.and_then(|status| u16::try_from(status).ok());
        Ok(Self {
            status: status.ok_or(HostError::Malformed)?,
            headers: pairs
                .iter()
                .filter(|(name, _)| !name.starts_with(b":"))
                .collect(),
        })
    }

    /// Whether the client reads the body while it is being written: holding it would keep every
    /// byte from the client until the end, which may never come.
    pub fn is_stream(&self, answers_connect: bool) -> bool {
        self.status == 101
            || (answers_connect && (200..300).contains(&self.status))
            || [&b"text/event-stream"[..], b"multipart/x-mixed-replace"]
                .iter()
                .any(|kind| media_type(&self.headers).eq_ignore_ascii_case(kind))
    }

    /// Whether this is gRPC.
    pub fn is_grpc(&self) -> bool {
        is_grpc(&self.headers)
    }
}

/// Envoy writes `HTTP/2` and `HTTP/3` where rules expect a minor version.
fn protocol(host: &dyn Host) -> Vec<u8> {
    match host.property(&["request", "protocol"]) {
        Some(protocol) if protocol == b"HTTP/2" || protocol == b"HTTP/3" => {
            [&protocol[..], b".0"].concat()
        }
        Some(protocol) if !protocol.is_empty() => protocol,
        _ => b"HTTP/1.1".to_vec(),
    }
}

/// `application/grpc` and `application/grpc+…`; not `application/grpc-web`, which is an ordinary
/// message.
fn is_grpc(headers: &[(&[u8], &[u8])]) -> bool {
    let media_type = media_type(headers).to_ascii_lowercase();
    media_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
}

/// The first content type without its parameters.
fn media_type<'a>(headers: &[(&'a [u8], &'a [u8])]) -> &'a [u8] {
    let value = value(headers, b"content-type").unwrap_or(b"");
    value
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or(b"")
        .trim_ascii()
}

fn value<'a>(headers: &[(&'a [u8], &'a [u8])], name: &[u8]) -> Option<&'a [u8]> {
    values(headers, name).next()
}

fn values<'a: 'b, 'b>(
    headers: &'b [(&'a [u8], &'a [u8])],
    name: &'b [u8],
) -> impl Iterator<Item = &'a [u8]> + 'b {
    headers
        .iter()
        .filter(move |(key, _)| is(key, name))
        .map(|&(_, value)| value)
}

fn is(name: &[u8], wanted: &[u8]) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

/// The length that a head announces for its body, if it is clear.
pub fn content_length(headers: &[(&[u8], &[u8])]) -> Option<usize> {
    let mut lengths = values(headers, b"content-length");
    let length = lengths.next()?;
    let coded = value(headers, b"transfer-encoding").is_some();
    let clear = !coded && lengths.all(|other| other == length);
    decimal(length).filter(|_| clear)
}

/// The value of a header that is a whole number.
pub fn decimal(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeHost;
    use super::*;

    fn framing(pairs: &[(&str, &str)]) -> Framing {
        let pairs: Pairs = [(":method", "GET"), (":path", "/")]
            .iter()
            .chain(pairs)
            .copied()
            .collect();
        Request::new(&FakeHost::default(), &pairs)
            .unwrap()
            .framing()
    }

    #[test]
    fn pseudo_headers_become_fields_and_host_comes_back() {
        let pairs: Pairs = [
            (":authority", "example.com:80"),
            (":path", "/a?b"),
            (":method", "GET"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
        ]
        .into_iter()
        .collect();
        let host = FakeHost::default();
        host.set_fake_property(&["request", "protocol"], b"HTTP/2");
        let head = Request::new(&host, &pairs).unwrap();
        assert_eq!(head.target, b"/a?b");
        assert_eq!(head.protocol, b"HTTP/2.0");
        let wanted: &[(&[u8], &[u8])] = &[
            (b"host", b"example.com:80"),
            (b"cookie", b"a=1"),
            (b"cookie", b"b=2"),
        ];
        assert_eq!(head.headers, wanted);
    }

    #[test]
    fn a_host_header_is_neither_doubled_nor_hidden() {
        let head = |value: &str| {
            let pairs: Pairs = [
                (":method", "GET"),
                (":path", "/"),
                (":authority", "a"),
                ("host", value),
            ]
            .into_iter()
            .collect();
            Request::new(&FakeHost::default(), &pairs)
                .unwrap()
                .headers
                .iter()
                .map(|(_, value)| value.to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(head("a"), [b"a".to_vec()]);
        assert_eq!(head("b"), [b"a".to_vec(), b"b".to_vec()]);
    }

    #[test]
    fn a_body_without_a_length_came_in_chunks() {
        let restored = |protocol: &str, headers: &[(&str, &str)], body_follows| {
            let host = FakeHost::default();
            host.set_fake_property(&["request", "protocol"], protocol.as_bytes());
            let pairs: Pairs = [(":method", "POST"), (":path", "/")]
                .iter()
                .chain(headers)
                .copied()
                .collect();
            let mut request = Request::new(&host, &pairs).unwrap();
            let before = request.headers.len();
            request.restore_transfer_encoding(body_follows);
            request.headers.len() > before
        };
        assert!(restored("HTTP/1.1", &[("a", "b")], true));
        assert!(!restored("HTTP/1.1", &[("a", "b")], false));
        assert!(!restored("HTTP/2", &[("a", "b")], true));
        assert!(!restored("HTTP/1.1", &[("content-length", "3")], true));
        assert!(!restored(
            "HTTP/1.1",
            &[("transfer-encoding", "chunked")],
            true
        ));
        let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
        assert!(!restored("HTTP/1.1", &upgrade, true));
    }

    #[test]
    fn connect_has_its_authority_as_target() {
        let host = FakeHost::default();
        let pairs: Pairs = [(":method", "CONNECT"), (":authority", "a:443")]
            .into_iter()
            .collect();
        let head = Request::new(&host, &pairs).unwrap();
        assert_eq!(
            (head.target, head.framing()),
            (&b"a:443"[..], Framing::Tunnel)
        );
        for lacking in [
            &[(":method", "GET")][..],
            &[(":path", "/")],
            &[(":method", "CONNECT")],
        ] {
            let pairs: Pairs = lacking.iter().copied().collect();
            assert_eq!(
                Request::new(&host, &pairs).unwrap_err(),
                HostError::Malformed
            );
        }
    }

    #[test]
    fn an_upgrade_hides_no_declared_body() {
        let upgrade = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
        ];
        let with = |more: &[(&'static str, &'static str)]| framing(&[&upgrade[..], more].concat());
        assert_eq!(with(&[]), Framing::Tunnel);
        assert_eq!(with(&[("content-length", "0")]), Framing::Tunnel);
        assert_eq!(with(&[("content-length", "7")]), Framing::BodyThenTunnel(7));
        assert_eq!(
            with(&[("content-length", "7"), ("content-length", "8")]),
            Framing::Ambiguous
        );
        assert_eq!(with(&[("content-length", "+7")]), Framing::Ambiguous);
        assert_eq!(
            with(&[("transfer-encoding", "chunked")]),
            Framing::Ambiguous
        );
        assert_eq!(framing(&[("upgrade", "websocket")]), Framing::Message);
        assert_eq!(framing(&[("connection", "upgrade")]), Framing::Message);
    }

    #[test]
    fn only_real_grpc_is_grpc() {
        let grpc = |protocol: &[u8], kind: &str| {
            let host = FakeHost::default();
            host.set_fake_property(&["request", "protocol"], protocol);
            let pairs: Pairs = [(":method", "POST"), (":path", "/"), ("content-type", kind)]
                .into_iter()
                .collect();
            Request::new(&host, &pairs).unwrap().is_grpc()
        };
        assert!(grpc(b"HTTP/2", "application/grpc"));
        assert!(grpc(b"HTTP/2", "Application/gRPC+proto; x=y"));
        assert!(!grpc(b"HTTP/1.1", "application/grpc"));
        assert!(!grpc(b"HTTP/2", "application/grpc-web+proto"));
        assert!(!grpc(b"HTTP/2", "application/json"));
    }

    #[test]
    fn streams_are_known_by_status_and_type() {
        let stream = |status: &str, kind: &str, connect: bool| {
            let pairs: Pairs = [(":status", status), ("content-type", kind)]
                .into_iter()
                .collect();
            Response::new(&pairs).unwrap().is_stream(connect)
        };
        assert!(stream("101", "", false));
        assert!(stream("200", "", true));
        assert!(!stream("403", "", true));
        assert!(stream("200", "text/event-stream;charset=utf-8", false));
        assert!(!stream("200", "text/html", false));
        for status in ["", "abc", "70000"] {
            let pairs: Pairs = [(":status", status)].into_iter().collect();
            assert_eq!(Response::new(&pairs).unwrap_err(), HostError::Malformed);
        }
    }
}
