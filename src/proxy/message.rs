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
    /// The first `x-request-id`; empty if there is none.
    pub request_id: &'a [u8],
    marks: Marks<'a>,
}

/// What the filter looks for among the headers of a message, found on one way through them.
#[derive(Clone, Copy, Debug, Default)]
struct Marks<'a> {
    /// The first `content-type`.
    content_type: Option<&'a [u8]>,
    /// The first `content-length`.
    length: Option<&'a [u8]>,
    /// Another one says something else.
    lengths_differ: bool,
    /// There is a `transfer-encoding`.
    is_coded: bool,
    /// There is an `upgrade`.
    upgrades: bool,
    /// `connection` nominates it.
    nominates_upgrade: bool,
}

impl<'a> Marks<'a> {
    fn note(&mut self, name: &[u8], value: &'a [u8]) {
        match name.len() {
            7 if is(name, b"upgrade") => self.upgrades = true,
            10 if is(name, b"connection") => {
                self.nominates_upgrade |= value
                    .split(|&byte| byte == b',')
                    .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
            }
            12 if is(name, b"content-type") => {
                self.content_type.get_or_insert(value);
            }
            14 if is(name, b"content-length") => {
                let first = *self.length.get_or_insert(value);
                self.lengths_differ |= value != first;
            }
            17 if is(name, b"transfer-encoding") => self.is_coded = true,
            _ => {}
        }
    }

    /// The length announced for the body, if it is clear.
    fn content_length(&self) -> Option<usize> {
        let clear = !self.is_coded && !self.lengths_differ;
        decimal(self.length?).filter(|_| clear)
    }

    /// The content type without its parameters.
    fn media_type(&self) -> &'a [u8] {
        let value = self.content_type.unwrap_or_default();
        value
            .split(|&byte| byte == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii()
    }

    /// `application/grpc` and `application/grpc+…`; not `application/grpc-web`, which is an ordinary
    /// message.
    fn is_grpc(&self) -> bool {
        const GRPC: &[u8] = b"application/grpc";
        self.media_type()
            .split_at_checked(GRPC.len())
            .is_some_and(|(kind, rest)| {
                kind.eq_ignore_ascii_case(GRPC) && (rest.is_empty() || rest.starts_with(b"+"))
            })
    }
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
        let (mut authority, mut method, mut path) = (None, None, None);
        let mut marks = Marks::default();
        let mut request_id = None;
        let mut has_host = false;
        // The first place is for `host`.
        let mut headers = Vec::with_capacity(pairs.len().saturating_add(1));
        headers.push((&b"host"[..], &[][..]));
        for (name, value) in pairs.iter() {
            if let [b':', pseudo @ ..] = name {
                let known = match pseudo {
                    b"authority" => &mut authority,
                    b"method" => &mut method,
                    b"path" => &mut path,
                    _ => continue,
                };
                known.get_or_insert(value);
                continue;
            }
            marks.note(name, value);
            if is(name, b"x-request-id") {
                request_id.get_or_insert(value);
            }
            has_host |= is(name, b"host");
            headers.push((name, value));
        }
        let method = method.ok_or(HostError::Malformed)?;
        let target = match path {
            Some(path) => path,
            None if method == b"CONNECT" => authority.ok_or(HostError::Malformed)?,
            None => return Err(HostError::Malformed),
        };
        // A host header that says something else than the authority stays visible beside it.
        let shows_authority = has_host
            && headers
                .iter()
                .skip(1)
                .any(|&(name, value)| is(name, b"host") && Some(value) == authority);
        match (authority, headers.first_mut()) {
            (Some(authority), Some((_, host))) if !shows_authority => *host = authority,
            _ => drop(headers.remove(0)),
        }
        Ok(Self {
            method,
            target,
            protocol: protocol(host),
            authority,
            headers,
            request_id: request_id.unwrap_or_default(),
            marks,
        })
    }

    /// How the body is delimited. A tunnel has no end to wait for, so it is let through; an
    /// upstream that ignores the upgrade would read a declared body as an ordinary one, so that
    /// part is inspected.
    pub fn framing(&self) -> Framing {
        if self.method == b"CONNECT" {
            return Framing::Tunnel;
        }
        let marks = &self.marks;
        // As Envoy decides it.
        if !(marks.nominates_upgrade && marks.upgrades) {
            return Framing::Message;
        }
        if marks.is_coded || marks.lengths_differ {
            return Framing::Ambiguous;
        }
        let Some(length) = marks.length else {
            return Framing::Tunnel;
        };
        match decimal(length) {
            Some(0) => Framing::Tunnel,
            Some(length) => Framing::BodyThenTunnel(length),
            None => Framing::Ambiguous,
        }
    }

    /// Envoy takes `transfer-encoding` off before filters see a head. A body without a length under
    /// HTTP/1 can only come in chunks, so the rules get the header back: they ask for one of the two.
    pub fn restore_transfer_encoding(&mut self, body_follows: bool) {
        let is_framed = self.marks.length.is_some() || self.marks.is_coded;
        if body_follows
            && !is_framed
            && self.protocol.starts_with(b"HTTP/1")
            && self.framing() == Framing::Message
        {
            self.marks.is_coded = true;
            self.headers.push((b"transfer-encoding", b"chunked"));
        }
    }

    /// The length that the head announces for the body, if it is clear.
    pub fn content_length(&self) -> Option<usize> {
        self.marks.content_length()
    }

    /// Whether this is gRPC: its content type, over a protocol that can carry it.
    pub fn is_grpc(&self) -> bool {
        !self.protocol.starts_with(b"HTTP/1") && self.marks.is_grpc()
    }
}

/// The head of a response.
#[derive(Debug)]
pub struct Response<'a> {
    /// Status.
    pub status: u16,
    /// Pairs without pseudo headers.
    pub headers: Headers<'a>,
    marks: Marks<'a>,
}

impl<'a> Response<'a> {
    /// Reads the head.
    ///
    /// # Errors
    /// The head lacks a status.
    pub fn new(pairs: &'a Pairs) -> Result<Self, HostError> {
        let mut status = None;
        let mut marks = Marks::default();
        let mut headers = Vec::with_capacity(pairs.len());
        for (name, value) in pairs.iter() {
            if name == b":status" {
                status.get_or_insert(value);
            }
            if !name.starts_with(b":") {
                marks.note(name, value);
                headers.push((name, value));
            }
        }
        let status = status.and_then(decimal);
        let status = status.and_then(|status| u16::try_from(status).ok());
        Ok(Self {
            status: status.ok_or(HostError::Malformed)?,
            headers,
            marks,
        })
    }

    /// The length that the head announces for the body, if it is clear.
    pub fn content_length(&self) -> Option<usize> {
        self.marks.content_length()
    }

    /// Whether the client reads the body while it is being written: holding it would keep every
    /// byte from the client until the end, which may never come.
    pub fn is_stream(&self, answers_connect: bool) -> bool {
        self.status == 101
            || (answers_connect && (200..300).contains(&self.status))
            || [&b"text/event-stream"[..], b"multipart/x-mixed-replace"]
                .iter()
                .any(|kind| self.marks.media_type().eq_ignore_ascii_case(kind))
    }

    /// Whether this is gRPC.
    pub fn is_grpc(&self) -> bool {
        self.marks.is_grpc()
    }
}

/// Envoy writes `HTTP/2` and `HTTP/3` where rules expect a minor version.
fn protocol(host: &dyn Host) -> Vec<u8> {
    match host.property("request\0protocol") {
        Some(protocol) if protocol == b"HTTP/2" || protocol == b"HTTP/3" => {
            [&protocol[..], b".0"].concat()
        }
        Some(protocol) if !protocol.is_empty() => protocol,
        _ => b"HTTP/1.1".to_vec(),
    }
}

fn is(name: &[u8], wanted: &[u8]) -> bool {
    name.eq_ignore_ascii_case(wanted)
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
