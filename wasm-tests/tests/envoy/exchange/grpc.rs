//! The upstream's side of gRPC: HTTP/2 with prior knowledge, one message back, then the trailers.

use super::upstream::{Play, State};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use std::io;
use std::net::TcpStream;

pub fn converse(stream: TcpStream, play: &Play, state: &State) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime
        .block_on(serve(stream, play, state))
        .map_err(io::Error::other)
}

async fn serve(stream: TcpStream, play: &Play, state: &State) -> Result<(), h2::Error> {
    let stream = tokio::net::TcpStream::from_std(stream).unwrap();
    let mut connection = h2::server::handshake(stream).await?;
    // One after the other will do: the connection goes on while a call is answered only because
    // nothing here waits for more than what has arrived.
    while let Some(call) = connection.accept().await {
        let (request, mut answer) = call?;
        let index = state.begin();
        let mut input = request.into_body();
        let receive = async {
            while let Some(bytes) = input.data().await {
                let bytes = bytes?;
                input.flow_control().release_capacity(bytes.len())?;
                state.note(|seen| seen.requests[index].body.extend_from_slice(&bytes));
            }
            Ok::<(), h2::Error>(())
        };
        let received = tokio::select! {
            received = receive => received,
            closed = std::future::poll_fn(|context| connection.poll_closed(context)) => closed,
        };
        state.note(|seen| seen.requests[index].complete = Some(received.is_ok()));
        if received.is_err() {
            continue;
        }
        let mut head = Response::builder()
            .header("content-type", "application/grpc")
            .header("x-from", "upstream");
        for line in play.head.lines() {
            let (name, value) = line.split_once(": ").unwrap();
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            head = head.header(name, HeaderValue::from_str(value).unwrap());
        }
        let mut output = answer.send_response(head.body(()).unwrap(), false)?;
        output.send_data(Bytes::from(play.body.clone()), false)?;
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        output.send_trailers(trailers)?;
    }
    Ok(())
}
