//! A client over HTTP/2 that sends its request frame by frame as it was described.

use super::upstream::Upstream;
use super::{A_WHILE, Ask, End, Got, Piece, Tunnel};
use h2::client::{ResponseFuture, SendRequest};
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Longer than Envoy or the filter ever keep a client waiting here.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn exchange(gateway: SocketAddr, ask: &Ask, upstream: &Upstream) -> Got {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut got = Got::default();
        let exchange = run(gateway, ask, upstream, &mut got);
        match timeout(PATIENCE, exchange).await {
            Ok(Ok(end)) => got.end = end,
            Ok(Err(_)) => got.end = End::Cut,
            Err(_) => got.end = End::Silence,
        }
        got
    })
}

async fn run(
    gateway: SocketAddr,
    ask: &Ask,
    upstream: &Upstream,
    got: &mut Got,
) -> Result<End, Box<dyn Error>> {
    let stream = TcpStream::connect(gateway).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = h2::client::handshake(stream).await?;
    let driver = tokio::spawn(connection);
    let mut sender = sender.ready().await?;
    if ask.tunnel == Some(Tunnel::WebSocket) {
        await_extended_connect(&mut sender).await;
    }
    let whole = ask.body.is_empty() && ask.tunnel.is_none();
    let (mut answer, mut output) = sender.send_request(head(ask, upstream)?, whole)?;
    let mut early = None;
    if ask.tunnel.is_none() && !whole {
        match send(ask, upstream, &mut answer, &mut output).await {
            Ok(Sent::All(answered)) => early = answered,
            Ok(Sent::Left) => {
                driver.abort();
                return Ok(End::Left);
            }
            // A server that has answered may reset the rest; what counts is the answer.
            Err(_) => {}
        }
    }
    let answer = match early {
        Some(answer) => answer?,
        None => answer.await?,
    };
    let (head, mut input) = answer.into_parts();
    got.status = Some(head.status.as_u16());
    remember(&head.headers, got);
    let end = if ask.tunnel.is_some() && head.status.is_success() {
        echo(ask, &mut output, &mut input, got).await
    } else {
        receive(&mut input, upstream, got).await
    };
    driver.abort();
    end
}

fn head(ask: &Ask, upstream: &Upstream) -> Result<Request<()>, Box<dyn Error>> {
    let mut head = match ask.tunnel {
        Some(Tunnel::Connect) => Request::connect(ask.authority),
        Some(Tunnel::WebSocket) => Request::builder()
            .method("CONNECT")
            .uri(format!("http://{}{}", ask.authority, ask.path))
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13"),
        None => Request::builder()
            .method(ask.method)
            .uri(format!("http://{}{}", ask.authority, ask.path)),
    };
    head = head.header("x-upstream", &upstream.address);
    for (name, value) in &ask.headers {
        head = head.header(*name, *value);
    }
    if let Some(length) = ask.length() {
        head = head.header("content-length", length);
    }
    Ok(head.body(())?)
}

/// The server says in its settings whether it takes such requests.
async fn await_extended_connect(sender: &mut SendRequest<bytes::Bytes>) {
    for _ in 0..100 {
        if sender.is_extended_connect_protocol_enabled() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

type Answer = Result<http::Response<RecvStream>, h2::Error>;

enum Sent {
    /// And an answer, if it came before the end.
    All(Option<Answer>),
    Left,
}

async fn send(
    ask: &Ask,
    upstream: &Upstream,
    answer: &mut ResponseFuture,
    output: &mut SendStream<bytes::Bytes>,
) -> Result<Sent, h2::Error> {
    let mut early = None;
    let last = ask.body.len().saturating_sub(1);
    for (index, piece) in ask.body.iter().enumerate() {
        match piece {
            Piece::Bytes(bytes) => {
                let end = index == last && ask.trailer.is_none();
                // An answer that is there already is kept whatever becomes of the rest.
                if let Err(error) = output.send_data(bytes.clone().into(), end) {
                    return if early.is_some() {
                        Ok(Sent::All(early))
                    } else {
                        Err(error)
                    };
                }
            }
            Piece::AwaitUpstream => {
                for _ in 0..A_WHILE.as_millis() / 5 {
                    if upstream.has_head() {
                        break;
                    }
                    sleep(Duration::from_millis(5)).await;
                }
            }
            Piece::AwaitAnswer => {
                if early.is_none() {
                    early = timeout(A_WHILE, &mut *answer).await.ok();
                }
            }
            Piece::AwaitFlag(flag) => {
                while !flag.is_set() {
                    sleep(Duration::from_millis(5)).await;
                }
            }
            Piece::Sleep(time) => sleep(*time).await,
            Piece::Leave => {
                // What was sent before must have gone out.
                sleep(Duration::from_millis(20)).await;
                return Ok(Sent::Left);
            }
        }
    }
    if let Some(value) = ask.trailer {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-probe", value.parse().unwrap());
        output.send_trailers(trailers)?;
    }
    Ok(Sent::All(early))
}

async fn receive(
    input: &mut RecvStream,
    upstream: &Upstream,
    got: &mut Got,
) -> Result<End, Box<dyn Error>> {
    while let Some(bytes) = input.data().await {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            // "Complete, and the rest of the request is not needed."
            Err(error) if error.reason() == Some(Reason::NO_ERROR) && input.is_end_stream() => {
                return Ok(End::Complete);
            }
            Err(error) => return Err(error.into()),
        };
        input.flow_control().release_capacity(bytes.len())?;
        got.body.extend_from_slice(&bytes);
        upstream.client_has_some();
    }
    if let Some(trailers) = input.trailers().await? {
        remember(&trailers, got);
    }
    Ok(End::Complete)
}

async fn echo(
    ask: &Ask,
    output: &mut SendStream<bytes::Bytes>,
    input: &mut RecvStream,
    got: &mut Got,
) -> Result<End, Box<dyn Error>> {
    let sent = ask.whole_body();
    output.send_data(sent.clone().into(), false)?;
    let mut back = Vec::new();
    while back.len() < sent.len() {
        let bytes = input.data().await.ok_or("the tunnel was closed")??;
        input.flow_control().release_capacity(bytes.len())?;
        back.extend_from_slice(&bytes);
    }
    got.echoed = back == sent;
    Ok(End::Complete)
}

fn remember(headers: &HeaderMap, got: &mut Got) {
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        got.headers.push((name.to_string(), value));
    }
}
