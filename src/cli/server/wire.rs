//! HTTP/1 over connections: sends bytes as they are, and reads whole messages.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::super::driver::Sent;
use super::super::message::{Framing, Request, Response, framing};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);
/// Largest head and largest body that are read.
const HEAD: usize = 1 << 20;
const BODY: u64 = 64 << 20;

/// Sends a request on a connection of its own and reads the answer; `None` if there is none that
/// can be read within `patience`.
///
/// # Errors
///
/// A text for people: the server cannot be reached.
pub(super) fn ask(
    server: SocketAddr,
    sent: &Sent,
    patience: Duration,
) -> Result<Option<Response>, String> {
    let failed = |error: io::Error| format!("the server {server} cannot be reached: {error}");
    let mut stream = TcpStream::connect_timeout(&server, CONNECT).map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    stream.set_write_timeout(Some(patience)).map_err(failed)?;
    let mut input = BufReader::new(Patient {
        stream: stream.try_clone().map_err(failed)?,
        deadline: Instant::now().checked_add(patience),
    });
    // A server that has read enough to refuse the rest closes its side; its answer is there all the
    // same.
    let _: io::Result<()> = stream.write_all(&sent.bytes);
    let reply = read_response(&mut input, &sent.request.method);
    Ok(reply.ok().flatten())
}

/// Reads until a deadline.
struct Patient {
    stream: TcpStream,
    deadline: Option<Instant>,
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
        }
        self.stream.read(buffer)
    }
}

/// Reads a response to a request with this method, interim ones skipped; `None` if the connection ends before one begins.
///
/// # Errors
///
/// What the connection reports; the end of input inside a message; a message that is none or too
/// large.
pub(super) fn read_response(
    input: &mut impl BufRead,
    method: &[u8],
) -> io::Result<Option<Response>> {
    loop {
        let Some(mut bytes) = read_head(input)? else {
            return Ok(None);
        };
        let mut response = Response::parse(&bytes).map_err(invalid)?;
        if matches!(response.status, 100 | 102..=199) {
            continue;
        }
        if has_no_body(method, response.status) {
            return Ok(Some(response));
        }
        match framing(&mut response.headers) {
            Framing::None => {
                input.take(BODY).read_to_end(&mut bytes)?;
            }
            framing => read_body(input, &framing, &mut bytes)?,
        }
        return Response::parse(&bytes).map(Some).map_err(invalid);
    }
}

/// Reads a request; `None` if the connection ends before one begins.
///
/// # Errors
///
/// As for responses.
pub(super) fn read_request(input: &mut impl BufRead) -> io::Result<Option<Request>> {
    let Some(mut bytes) = read_head(input)? else {
        return Ok(None);
    };
    let mut headers = Request::parse(&bytes).headers;
    read_body(input, &framing(&mut headers), &mut bytes)?;
    Ok(Some(Request::parse(&bytes)))
}

/// The bytes of a response to a request with this method.
pub(super) fn write_response(response: &Response, method: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Answer\r\n", response.status).into_bytes();
    for (name, value) in &response.headers {
        bytes.extend([name, &b": "[..], value, b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    if !has_no_body(method, response.status) {
        bytes.extend_from_slice(&response.body);
    }
    bytes
}

/// Whether nothing follows the head of an answer, or something that is no body (RFC 9112 §6.3).
fn has_no_body(method: &[u8], status: u16) -> bool {
    match method {
        b"HEAD" => true,
        b"CONNECT" if matches!(status, 200..=299) => true,
        _ => matches!(status, 101 | 204 | 304),
    }
}

/// A head with the blank line behind it.
fn read_head(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let limit = u64::try_from(HEAD).unwrap_or(u64::MAX);
    let mut input = input.take(limit);
    loop {
        let before = head.len();
        if input.read_until(b'\n', &mut head)? == 0 {
            return match (head.is_empty(), head.len() >= HEAD) {
                (true, _) => Ok(None),
                (_, true) => Err(invalid("the head is too long".to_owned())),
                (false, false) => Err(ErrorKind::UnexpectedEof.into()),
            };
        }
        if matches!(head.get(before..), Some(b"\r\n" | b"\n")) {
            if before > 0 {
                return Ok(Some(head));
            }
            // Blank lines before a message mean nothing.
            head.clear();
        }
    }
}

/// Appends a body as it is framed.
fn read_body(input: &mut impl BufRead, framing: &Framing, bytes: &mut Vec<u8>) -> io::Result<()> {
    match framing {
        Framing::None => Ok(()),
        Framing::Length(length) => {
            read_exactly(input, u64::try_from(*length).unwrap_or(BODY), bytes)
        }
        Framing::Chunked => read_chunks(input, bytes),
    }
}

fn read_chunks(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut left = BODY;
    loop {
        let line = read_line(input, bytes)?;
        let digits: String = line
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .map(|&byte| char::from(byte))
            .collect();
        let size = u64::from_str_radix(&digits, 16)
            .map_err(|_| invalid("a chunk without a size".to_owned()))?;
        if size == 0 {
            while !read_line(input, bytes)?.trim_ascii().is_empty() {}
            return Ok(());
        }
        left = left
            .checked_sub(size)
            .ok_or_else(|| invalid("the body is too long".to_owned()))?;
        read_exactly(input, size, bytes)?;
        read_line(input, bytes)?;
    }
}

/// Appends a line and hands out a copy.
fn read_line(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let limit = u64::try_from(HEAD).unwrap_or(u64::MAX);
    input.take(limit).read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    bytes.extend_from_slice(&line);
    Ok(line)
}

fn read_exactly(input: &mut impl BufRead, length: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    if length > BODY {
        return Err(invalid("the body is too long".to_owned()));
    }
    let read = input.take(length).read_to_end(bytes)?;
    if u64::try_from(read).is_ok_and(|read| read == length) {
        Ok(())
    } else {
        Err(ErrorKind::UnexpectedEof.into())
    }
}

fn invalid(error: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::{read_request, read_response, write_response};

    #[test]
    fn messages_end_where_they_say() {
        let mut input = &b"\r\nPOST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiPUT /b HTTP/1.1\r\n\
            Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: t\r\n\r\nGET / HTTP/1.1\n\n"[..];
        let bodies: Vec<_> = std::iter::from_fn(|| read_request(&mut input).unwrap())
            .map(|request| (request.target, request.body))
            .collect();
        let expected = [("/a", "hi"), ("/b", "abc"), ("/", "")];
        assert_eq!(
            bodies,
            expected.map(|(target, body)| (target.into(), body.into()))
        );
    }

    #[test]
    fn a_message_that_is_cut_is_an_error() {
        for text in [
            "GET / HTTP/1.1\r\nA: b",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        ] {
            assert!(read_request(&mut text.as_bytes()).is_err(), "{text}");
        }
        assert!(
            read_response(
                &mut &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1"[..],
                b"GET"
            )
            .is_err()
        );
        assert!(read_response(&mut &b"<html>\r\n\r\n"[..], b"GET").is_err());
        assert!(read_response(&mut &b""[..], b"GET").unwrap().is_none());
    }

    #[test]
    fn responses_without_a_body_have_none() {
        let read = |text: &str, method| {
            read_response(&mut text.as_bytes(), method)
                .unwrap()
                .unwrap()
        };
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(read(interim, b"GET").body, b"hi");
        assert_eq!(read(interim, b"HEAD").body, b"");
        assert_eq!(read("HTTP/1.1 204 No\r\n\r\nhi", b"GET").body, b"");
        assert_eq!(
            read("HTTP/1.1 200 OK\r\n\r\nto the end", b"GET").body,
            b"to the end"
        );
        let again = write_response(&read(interim, b"GET"), b"GET");
        assert_eq!(again, b"HTTP/1.1 200 Answer\r\nContent-Length: 2\r\n\r\nhi");
    }
}
