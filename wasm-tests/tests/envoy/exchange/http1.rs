//! A client over HTTP/1.1 or 1.0 that sends its request byte by byte as it was described.

use super::upstream::Upstream;
use super::{A_WHILE, Ask, End, Framing, Got, Piece, Tunnel};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// Longer than Envoy or the filter ever keep a client waiting here.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn exchange(gateway: SocketAddr, ask: &Ask, upstream: &Upstream) -> Got {
    let mut got = Got::default();
    let mut stream = TcpStream::connect(gateway).unwrap();
    stream.set_nodelay(true).unwrap();
    // A server that has answered may close before all is sent; what counts is the answer.
    match send(&mut stream, ask, upstream) {
        Ok(Sent::All) | Err(_) => {}
        Ok(Sent::Left) => {
            got.end = End::Left;
            return got;
        }
    }
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut input = BufReader::new(stream);
    got.end = match receive(&mut input, ask, upstream, &mut got) {
        Ok(()) => End::Complete,
        Err(error) if error.kind() == ErrorKind::WouldBlock => End::Silence,
        Err(_) => End::Cut,
    };
    got
}

enum Sent {
    All,
    Left,
}

fn send(stream: &mut TcpStream, ask: &Ask, upstream: &Upstream) -> io::Result<Sent> {
    let mut first = head(ask, &upstream.address).into_bytes();
    // The bytes of a tunnel follow when it is open.
    let mut pieces = match ask.tunnel {
        Some(_) => &[],
        None => &ask.body[..],
    };
    // What comes at once comes in one piece: no answer can come in between.
    if let ([Piece::Bytes(bytes), rest @ ..], false) = (pieces, ask.framing == Framing::Chunked) {
        first.extend(bytes);
        pieces = rest;
    }
    stream.write_all(&first)?;
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) if ask.framing == Framing::Chunked => {
                let size = format!("{:x}\r\n", bytes.len()).into_bytes();
                stream.write_all(&[&size, &bytes[..], b"\r\n"].concat())?;
            }
            Piece::Bytes(bytes) => stream.write_all(bytes)?,
            Piece::AwaitUpstream => upstream.await_head(A_WHILE),
            Piece::AwaitAnswer => {
                stream.set_read_timeout(Some(A_WHILE))?;
                // Whether one came is seen later.
                let _: io::Result<usize> = stream.peek(&mut [0]);
            }
            Piece::AwaitFlag(flag) => flag.wait(),
            Piece::Sleep(time) => thread::sleep(*time),
            Piece::Leave => return Ok(Sent::Left),
        }
    }
    if ask.framing == Framing::Chunked {
        let trailer = ask.trailer.map(|value| format!("x-probe: {value}\r\n"));
        let end = format!("0\r\n{}\r\n", trailer.unwrap_or_default());
        stream.write_all(end.as_bytes())?;
    }
    Ok(Sent::All)
}

fn head(ask: &Ask, upstream: &str) -> String {
    if let Some(raw) = ask.raw {
        return raw.replace("{upstream}", upstream);
    }
    let target = match ask.tunnel {
        Some(Tunnel::Connect) => ask.authority,
        _ => &ask.path,
    };
    let version = if ask.old { "1.0" } else { "1.1" };
    let mut head = format!(
        "{} {target} HTTP/{version}\r\nhost: {}\r\nx-upstream: {upstream}\r\n",
        ask.method, ask.authority
    );
    for (name, value) in &ask.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if ask.tunnel == Some(Tunnel::WebSocket) {
        head += "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                 sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    }
    if ask.framing == Framing::Chunked {
        head += "transfer-encoding: chunked\r\n";
    }
    if let Some(length) = ask.length() {
        head += &format!("content-length: {length}\r\n");
    }
    head + "\r\n"
}

fn receive(
    input: &mut BufReader<TcpStream>,
    ask: &Ask,
    upstream: &Upstream,
    got: &mut Got,
) -> io::Result<()> {
    let status = loop {
        let status = receive_head(input, got)?;
        if status >= 200 || status == 101 {
            break status;
        }
        got.interim = true;
    };
    got.status = Some(status);
    let connected = ask.tunnel == Some(Tunnel::Connect) && status < 300;
    if status == 101 || connected {
        let sent = ask.whole_body();
        input.get_mut().write_all(&sent)?;
        let mut back = vec![0; sent.len()];
        input.read_exact(&mut back)?;
        got.echoed = back == sent;
        return Ok(());
    }
    if ask.method == "HEAD" || matches!(status, 204 | 304) {
        return Ok(());
    }
    if got.header("transfer-encoding") == Some("chunked") {
        return receive_chunks(input, upstream, got);
    }
    let length = got.header("content-length").map(|text| text.parse::<u64>());
    match length {
        Some(Ok(length)) => take(input, length, upstream, got),
        Some(Err(error)) => Err(io::Error::new(ErrorKind::InvalidData, error)),
        None => {
            input.read_to_end(&mut got.body)?;
            Ok(())
        }
    }
}

fn receive_head(input: &mut impl BufRead, got: &mut Got) -> io::Result<u16> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if input.read_until(b'\n', &mut bytes)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut head = httparse::Response::new(&mut fields);
    head.parse(&bytes)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    let headers = head.headers.iter().map(|field| {
        let value = String::from_utf8_lossy(field.value).into_owned();
        (field.name.to_lowercase(), value)
    });
    got.headers = headers.collect();
    Ok(head.code.unwrap_or(0))
}

/// Bytes of a body, which the upstream may be waiting to see arrive.
fn take(
    input: &mut impl BufRead,
    length: u64,
    upstream: &Upstream,
    got: &mut Got,
) -> io::Result<()> {
    let mut left = usize::try_from(length).unwrap();
    while left > 0 {
        let bytes = input.fill_buf()?;
        let size = bytes.len().min(left);
        if size == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        got.body.extend_from_slice(&bytes[..size]);
        input.consume(size);
        left -= size;
        upstream.client_has_some();
    }
    Ok(())
}

fn receive_chunks(input: &mut impl BufRead, upstream: &Upstream, got: &mut Got) -> io::Result<()> {
    loop {
        let size = line(input)?;
        let size = u64::from_str_radix(&size, 16)
            .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if size == 0 {
            break;
        }
        take(input, size, upstream, got)?;
        line(input)?;
    }
    loop {
        let line = line(input)?;
        let Some((name, value)) = line.split_once(": ") else {
            return Ok(());
        };
        got.headers.push((name.to_lowercase(), value.to_owned()));
    }
}

fn line(input: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
