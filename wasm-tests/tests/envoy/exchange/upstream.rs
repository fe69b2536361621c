//! An upstream that does what a test says and remembers what it saw: its accept log, heads, bytes.
//!
//! Each exchange has one of its own, so that no other exchange can be mistaken for it.

use super::{Flag, grpc_frame};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;
use wasm_tests::backend::{Request, receive_body, receive_head};

/// What the upstream does with a request.
#[derive(Clone, Debug)]
pub struct Play {
    /// Answers as soon as the head is there.
    pub early: bool,
    /// Status line and headers, and whatever comes before them.
    pub head: String,
    pub moves: Vec<Move>,
    /// Opens a tunnel and sends everything back.
    pub tunnel: bool,
    /// The text of the body, as the client is to get it.
    pub body: Vec<u8>,
    /// Speaks gRPC over HTTP/2 instead; the head is then only further headers.
    pub grpc: bool,
    /// Nobody listens.
    pub unreachable: bool,
}

#[derive(Clone, Debug)]
pub enum Move {
    Send(Vec<u8>),
    /// So many bytes of text.
    Fill(usize),
    /// Goes on when the client has got some of the body; otherwise breaks off.
    AwaitClient,
    /// Goes on when the test says so.
    AwaitFlag(Flag),
    /// Closes the connection.
    Close,
}

impl Play {
    /// A status and headers, without a body so far.
    pub fn status(status: u16, headers: &[&str]) -> Self {
        let mut head = format!("HTTP/1.1 {status} Answer\r\nx-from: upstream\r\n");
        for header in headers {
            head += &format!("{header}\r\n");
        }
        Self {
            early: false,
            head: head + "\r\n",
            moves: Vec::new(),
            tunnel: false,
            body: Vec::new(),
            grpc: false,
            unreachable: false,
        }
    }

    /// `200` with a text and its length.
    pub fn text(text: &str) -> Self {
        Self::full(200, &["content-type: text/html"], text)
    }

    pub fn full(status: u16, headers: &[&str], text: &str) -> Self {
        let length = format!("content-length: {}", text.len());
        Self::status(status, &[headers, &[&length]].concat()).send(text)
    }

    /// `200` in chunks; with trailers or not.
    pub fn chunks(kind: &str, texts: &[&str], trailers: bool) -> Self {
        let kind = format!("content-type: {kind}");
        let mut play = Self::status(200, &[&kind, "transfer-encoding: chunked"]);
        for text in texts {
            play.body.extend(text.as_bytes());
            let chunk = format!("{:x}\r\n{text}\r\n", text.len());
            play.moves.push(Move::Send(chunk.into_bytes()));
        }
        let end = if trailers {
            "0\r\nx-sum: 1\r\n\r\n"
        } else {
            "0\r\n\r\n"
        };
        play.moves.push(Move::Send(end.as_bytes().to_vec()));
        play
    }

    /// `200` with a body of so many bytes, which is not kept in [`Play::body`].
    pub fn filled(kind: &str, length: usize) -> Self {
        let headers = [
            format!("content-type: {kind}"),
            format!("content-length: {length}"),
        ];
        let headers = headers.each_ref().map(String::as_str);
        Self::status(200, &headers).then(Move::Fill(length))
    }

    /// Server-sent events; each is sent when the client has got the one before.
    pub fn events(texts: &[&str]) -> Self {
        let mut play = Self::chunks("text/event-stream", texts, false);
        let moves = std::mem::take(&mut play.moves);
        for (index, each) in moves.into_iter().enumerate() {
            if index > 0 && index < texts.len() {
                play.moves.push(Move::AwaitClient);
            }
            play.moves.push(each);
        }
        play
    }

    pub fn tunnel() -> Self {
        Self {
            tunnel: true,
            ..Self::status(200, &[])
        }
    }

    /// A call answered with one message. `headers`: lines `name: value`.
    pub fn grpc(headers: &str, message: &str) -> Self {
        Self {
            grpc: true,
            head: headers.to_owned(),
            body: grpc_frame(message),
            ..Self::status(200, &[])
        }
    }

    pub fn unreachable() -> Self {
        Self {
            unreachable: true,
            ..Self::status(200, &[])
        }
    }

    pub fn early(mut self) -> Self {
        self.early = true;
        self
    }

    /// An informational response comes first.
    pub fn after_hints(mut self) -> Self {
        self.head = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n".to_owned() + &self.head;
        self
    }

    pub fn send(mut self, text: &str) -> Self {
        self.body.extend(text.as_bytes());
        self.moves.push(Move::Send(text.as_bytes().to_vec()));
        self
    }

    pub fn then(mut self, next: Move) -> Self {
        self.moves.push(next);
        self
    }

    fn perform(&self, output: &mut TcpStream, request: &Request, state: &State) -> io::Result<()> {
        output.write_all(self.head.as_bytes())?;
        if request.method == "HEAD" {
            return Ok(());
        }
        for next in &self.moves {
            match next {
                Move::Send(bytes) => output.write_all(bytes)?,
                Move::Fill(length) => {
                    let mut text = io::repeat(b'x').take(*length as u64);
                    io::copy(&mut text, output)?;
                }
                Move::AwaitFlag(flag) => flag.wait(),
                Move::AwaitClient if state.await_client() => {}
                Move::AwaitClient | Move::Close => {
                    output.shutdown(Shutdown::Both)?;
                }
            }
        }
        Ok(())
    }
}

/// What the upstream saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The accept log.
    pub connections: usize,
    pub requests: Vec<Received>,
}

#[derive(Clone, Debug)]
pub struct Received {
    pub body: Vec<u8>,
    pub trailers: bool,
    /// Whether it came to its end; unknown while it is under way.
    pub complete: Option<bool>,
}

#[derive(Debug)]
pub(super) struct State {
    seen: Mutex<Seen>,
    /// The client has got some of the body so often.
    arrivals: Mutex<usize>,
    changed: Condvar,
}

impl State {
    pub(super) fn note<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        let result = change(&mut self.seen.lock().unwrap());
        self.changed.notify_all();
        result
    }

    pub(super) fn begin(&self) -> usize {
        self.note(|seen| {
            seen.requests.push(Received {
                body: Vec::new(),
                trailers: false,
                complete: None,
            });
            seen.requests.len() - 1
        })
    }

    fn await_client(&self) -> bool {
        let arrivals = self.arrivals.lock().unwrap();
        let patience = Duration::from_secs(3);
        let (mut arrivals, _) = self
            .changed
            .wait_timeout_while(arrivals, patience, |arrivals| *arrivals == 0)
            .unwrap();
        std::mem::replace(&mut *arrivals, 0) > 0
    }
}

#[derive(Debug)]
pub struct Upstream {
    pub address: String,
    state: Arc<State>,
}

impl Upstream {
    pub fn start(play: &Play) -> Self {
        let state = Arc::new(State {
            seen: Mutex::default(),
            arrivals: Mutex::default(),
            changed: Condvar::new(),
        });
        if play.unreachable {
            // A port that nobody may listen on without being asked.
            let address = "127.0.0.1:1".to_owned();
            return Self { address, state };
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (shared, play) = (Arc::clone(&state), play.clone());
        let serve = move || {
            for stream in listener.incoming().flatten() {
                shared.note(|seen| seen.connections += 1);
                let (shared, play) = (Arc::clone(&shared), play.clone());
                spawn(move || {
                    // A connection that breaks is part of what was seen.
                    let _ = if play.grpc {
                        super::grpc::converse(stream, &play, &shared)
                    } else {
                        converse(stream, &play, &shared)
                    };
                    shared.note(|seen| {
                        for request in &mut seen.requests {
                            request.complete.get_or_insert(false);
                        }
                    });
                });
            }
        };
        spawn(serve);
        Self { address, state }
    }

    pub fn seen(&self) -> Seen {
        self.state.note(|seen| seen.clone())
    }

    pub fn has_head(&self) -> bool {
        !self.seen().requests.is_empty()
    }

    /// Whether a request is under way.
    pub fn is_busy(&self) -> bool {
        let seen = self.seen();
        seen.requests
            .iter()
            .any(|request| request.complete.is_none())
    }

    pub fn await_head(&self, patience: Duration) {
        let seen = self.state.seen.lock().unwrap();
        let waits = |seen: &mut Seen| seen.requests.is_empty();
        let _: (_, std::sync::WaitTimeoutResult) = self
            .state
            .changed
            .wait_timeout_while(seen, patience, waits)
            .unwrap();
    }

    /// The client has got some of the body.
    pub fn client_has_some(&self) {
        *self.state.arrivals.lock().unwrap() += 1;
        self.state.changed.notify_all();
    }
}

/// There are hundreds, and none of them does much.
fn spawn(work: impl FnOnce() + Send + 'static) {
    let builder = thread::Builder::new().stack_size(256 * 1024);
    builder.spawn(work).unwrap();
}

fn converse(stream: TcpStream, play: &Play, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    while let Some(request) = receive_head(&mut input)? {
        let index = state.begin();
        if play.tunnel {
            return echo(input, output, &request, play, state, index);
        }
        if play.early {
            play.perform(&mut output, &request, state)?;
        }
        let trailers = receive_body(&mut input, &request, |bytes| {
            state.note(|seen| seen.requests[index].body.extend_from_slice(bytes));
        })?;
        state.note(|seen| {
            seen.requests[index].trailers = !trailers.is_empty();
            seen.requests[index].complete = Some(true);
        });
        if !play.early {
            play.perform(&mut output, &request, state)?;
        }
    }
    Ok(())
}

fn echo(
    mut input: impl BufRead,
    mut output: TcpStream,
    request: &Request,
    play: &Play,
    state: &State,
    index: usize,
) -> io::Result<()> {
    if request.method == "CONNECT" {
        output.write_all(play.head.as_bytes())?;
    } else {
        output.write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nx-from: upstream\r\nconnection: Upgrade\r\n\
              upgrade: websocket\r\n\r\n",
        )?;
    }
    state.note(|seen| seen.requests[index].complete = Some(true));
    loop {
        let bytes = input.fill_buf()?.to_vec();
        if bytes.is_empty() {
            return Ok(());
        }
        input.consume(bytes.len());
        state.note(|seen| seen.requests[index].body.extend_from_slice(&bytes));
        output.write_all(&bytes)?;
    }
}
