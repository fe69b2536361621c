//! One exchange: what a client sends and what it got for it; what an upstream does and what it saw.

mod grpc;
mod http1;
mod http2;
pub mod routing;
pub mod upstream;

use crate::client::Version;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use upstream::Upstream;

/// A request as a test describes it, for HTTP/1.1 and HTTP/2 alike.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub authority: &'static str,
    pub headers: Vec<(&'static str, &'static str)>,
    pub framing: Framing,
    pub body: Vec<Piece>,
    /// The value of a trailer, `x-probe`, behind the body.
    pub trailer: Option<&'static str>,
    pub tunnel: Option<Tunnel>,
    /// `HTTP/1.0` instead of `HTTP/1.1`.
    pub old: bool,
    /// The head of an HTTP/1 request exactly as it is sent; `{upstream}` stands for the address.
    pub raw: Option<&'static str>,
}

/// How the end of a body is told. In HTTP/2 the end of the stream tells it as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// `content-length`: that of the body.
    Length,
    /// `content-length`: so much, whatever the body's is.
    Declared(usize),
    /// Chunks in HTTP/1.1, nothing in HTTP/2.
    Chunked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnel {
    Connect,
    /// An upgrade in HTTP/1.1, an extended CONNECT in HTTP/2.
    WebSocket,
}

#[derive(Clone, Debug)]
pub enum Piece {
    Bytes(Vec<u8>),
    /// Goes on when the upstream has seen the head, or after a while.
    AwaitUpstream,
    /// Goes on when an answer comes, or after a while.
    AwaitAnswer,
    /// Goes on when the test says so.
    AwaitFlag(Flag),
    Sleep(Duration),
    /// Closes the connection.
    Leave,
}

/// Something that a test lets happen.
#[derive(Clone, Debug, Default)]
pub struct Flag(Arc<AtomicBool>);

impl Flag {
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn wait(&self) {
        while !self.is_set() {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// How long a client waits for what may never come.
pub const A_WHILE: Duration = Duration::from_millis(600);

impl Ask {
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            authority: "shop.example",
            headers: Vec::new(),
            framing: Framing::None,
            body: Vec::new(),
            trailer: None,
            tunnel: None,
            old: false,
            raw: None,
        }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A form with its length.
    pub fn form(body: &str) -> Self {
        Self::new("POST", "/form")
            .header("content-type", "application/x-www-form-urlencoded")
            .framed(Framing::Length)
            .send(body)
    }

    pub fn raw(head: &'static str) -> Self {
        Self {
            raw: Some(head),
            ..Self::get("/")
        }
    }

    /// A call with one message; it has no other end than that of the stream.
    pub fn grpc(message: &str) -> Self {
        let ask = Self::new("POST", "/grpc/shop.Orders/Place");
        ask.header("content-type", "application/grpc")
            .header("te", "trailers")
            .framed(Framing::Chunked)
            .bytes(grpc_frame(message))
    }

    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn to(mut self, authority: &'static str) -> Self {
        self.authority = authority;
        self
    }

    pub fn at(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    pub fn send(self, text: &str) -> Self {
        self.bytes(text.as_bytes().to_vec())
    }

    pub fn bytes(mut self, bytes: Vec<u8>) -> Self {
        if !bytes.is_empty() {
            self.body.push(Piece::Bytes(bytes));
        }
        self
    }

    pub fn then(mut self, piece: Piece) -> Self {
        self.body.push(piece);
        self
    }

    pub fn trailer(mut self, value: &'static str) -> Self {
        self.trailer = Some(value);
        self
    }

    pub fn tunnel(mut self, tunnel: Tunnel) -> Self {
        self.tunnel = Some(tunnel);
        self
    }

    pub fn old(mut self) -> Self {
        self.old = true;
        self
    }

    /// All bytes of the body.
    pub fn whole_body(&self) -> Vec<u8> {
        let pieces = self.body.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => &bytes[..],
            _ => &[],
        });
        pieces.flatten().copied().collect()
    }

    /// What `content-length` says, if it is sent.
    pub fn length(&self) -> Option<usize> {
        match self.framing {
            Framing::None | Framing::Chunked => None,
            Framing::Length => Some(self.whole_body().len()),
            Framing::Declared(length) => Some(length),
        }
    }

    pub fn exchange(&self, version: Version, gateway: SocketAddr, upstream: &Upstream) -> Got {
        match version {
            Version::Http1 => http1::exchange(gateway, self, upstream),
            Version::Http2 => http2::exchange(gateway, self, upstream),
        }
    }
}

/// A message in gRPC's framing: not compressed, its length, itself.
pub fn grpc_frame(message: &str) -> Vec<u8> {
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message.as_bytes());
    frame
}

/// What a client got.
#[derive(Clone, Debug, Default)]
pub struct Got {
    /// An interim `100` came first.
    pub interim: bool,
    pub status: Option<u16>,
    /// Names in lower case, trailers included.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub end: End,
    /// The bytes of a tunnel came back as they were sent.
    pub echoed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// The answer is complete.
    Complete,
    /// The connection or stream was cut before that.
    #[default]
    Cut,
    /// Nothing more came for a long time.
    Silence,
    /// The client itself left.
    Left,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}
