//! Clients that keep their connections: HTTP/1.1, and HTTP/2 with several streams at once.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::traffic::{AUTHORITY, Planned};

/// No answer takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a body in one piece.
const PIECE: usize = 64 * 1024;

/// What a client got.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

/// A connection that is made again when it is gone.
pub struct Lane {
    gateway: SocketAddr,
    over_http2: bool,
    sender: Option<Sender>,
}

#[derive(Clone)]
struct Http2(http2::SendRequest<Pieces>);

enum Sender {
    One(http1::SendRequest<Pieces>),
    Two(Http2),
}

impl Lane {
    /// A lane without a connection yet.
    pub fn new(gateway: SocketAddr, over_http2: bool) -> Self {
        Self {
            gateway,
            over_http2,
            sender: None,
        }
    }

    /// Requests that it can carry at once.
    pub fn width(&self) -> usize {
        if self.over_http2 { 4 } else { 1 }
    }

    /// Sends requests, as many as the lane is wide, and returns their answers in order.
    ///
    /// # Errors
    /// For each request: what went wrong on the way.
    pub async fn send(&mut self, planned: Vec<Planned>) -> Vec<Result<Answer, String>> {
        let mut waiting = Vec::new();
        for one in planned {
            let sent = tokio::time::timeout(PATIENCE, self.start(one)).await;
            waiting.push(match sent {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(error),
                Err(_) => Err("no connection in time".to_owned()),
            });
        }
        let mut answers = Vec::new();
        for one in waiting {
            answers.push(match one {
                Ok(task) => task.await.unwrap_or_else(|error| Err(error.to_string())),
                Err(error) => Err(error),
            });
        }
        if answers.iter().any(Result::is_err) {
            self.sender = None;
        }
        answers
    }

    /// Begins one exchange.
    async fn start(
        &mut self,
        planned: Planned,
    ) -> Result<tokio::task::JoinHandle<Result<Answer, String>>, String> {
        let request = self.request(planned)?;
        self.connect().await?;
        Ok(match &mut self.sender {
            Some(Sender::One(sender)) => tokio::spawn(answer(sender.send_request(request))),
            Some(Sender::Two(sender)) => {
                let mut sender = sender.clone();
                tokio::spawn(async move { answer(sender.0.send_request(request)).await })
            }
            None => return Err("no connection".to_owned()),
        })
    }

    /// Makes a connection, unless there is one that can take a request.
    async fn connect(&mut self) -> Result<(), String> {
        let usable = match &mut self.sender {
            Some(Sender::One(sender)) => sender.ready().await.is_ok(),
            Some(Sender::Two(sender)) => sender.0.ready().await.is_ok(),
            None => false,
        };
        if usable {
            return Ok(());
        }
        let text = |error: &dyn std::fmt::Display| format!("cannot connect: {error}");
        let stream = TcpStream::connect(self.gateway)
            .await
            .map_err(|e| text(&e))?;
        stream.set_nodelay(true).map_err(|e| text(&e))?;
        let stream = TokioIo::new(stream);
        self.sender = Some(if self.over_http2 {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .handshake(stream)
                .await
                .map_err(|e| text(&e))?;
            tokio::spawn(connection);
            Sender::Two(Http2(sender))
        } else {
            let (sender, connection) = http1::handshake(stream).await.map_err(|e| text(&e))?;
            tokio::spawn(connection);
            Sender::One(sender)
        });
        Ok(())
    }

    fn request(&self, planned: Planned) -> Result<hyper::Request<Pieces>, String> {
        let uri = if self.over_http2 {
            format!("http://{AUTHORITY}{}", planned.target)
        } else {
            planned.target
        };
        let mut request = hyper::Request::builder().method(planned.method).uri(uri);
        if !self.over_http2 {
            request = request.header("host", AUTHORITY);
        }
        for (name, value) in planned.headers {
            request = request.header(name, value);
        }
        let body = Pieces::new(planned.body, planned.chunked);
        request.body(body).map_err(|error| error.to_string())
    }
}

async fn answer(
    response: impl Future<Output = hyper::Result<hyper::Response<hyper::body::Incoming>>>,
) -> Result<Answer, String> {
    let whole = async {
        let response = response.await.map_err(|error| format!("{error:?}"))?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| format!("the body of {status}: {error:?}"))?;
        Ok(Answer {
            status,
            body: body.to_bytes(),
        })
    };
    let answered = tokio::time::timeout(PATIENCE, whole).await;
    answered.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

/// Sends bytes on a connection of their own, ends it where they are an unfinished request, and
/// returns the status of what comes back, if anything does.
///
/// # Errors
/// No connection can be made.
pub async fn send_raw(gateway: SocketAddr, bytes: &[u8]) -> Result<Option<u16>, String> {
    let mut stream = TcpStream::connect(gateway)
        .await
        .map_err(|error| error.to_string())?;
    // Whoever refuses the beginning need not read the rest.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    // An unfinished request gets no answer; half a second is enough for a refusal.
    let patience = Duration::from_millis(500);
    while let Ok(Ok(size)) = tokio::time::timeout(patience, stream.read(&mut piece)).await {
        if size == 0 || answer.len() > 64 {
            break;
        }
        answer.extend_from_slice(&piece[..size]);
    }
    let status = answer
        .strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    Ok(status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()))
}

/// A body in pieces, with or without a length.
struct Pieces {
    pieces: VecDeque<Bytes>,
    left: u64,
    hidden: bool,
}

impl Pieces {
    fn new(body: Vec<u8>, hidden: bool) -> Self {
        let mut body = Bytes::from(body);
        let left = body.len() as u64;
        let mut pieces = VecDeque::new();
        while !body.is_empty() {
            pieces.push_back(body.split_to(PIECE.min(body.len())));
        }
        Self {
            pieces,
            left,
            hidden,
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.pop_front();
        Poll::Ready(piece.map(|piece| {
            self.left -= piece.len() as u64;
            Ok(Frame::data(piece))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.hidden
    }

    fn size_hint(&self) -> SizeHint {
        if self.hidden {
            SizeHint::default()
        } else {
            SizeHint::with_exact(self.left)
        }
    }
}
