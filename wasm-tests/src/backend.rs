//! A small HTTP/1.1 server: the upstream of the gateway example and of the tests.
//!
//! It serves whom it trusts (a proxy on the same machine) and nobody else: one thread for each
//! connection, bodies in memory.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Heads beyond this are refused.
const HEAD_LIMIT: usize = 256 * 1024;
const HEADER_LIMIT: usize = 256;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    /// Names in the case they were sent in.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }
}

/// An answer; its length is added when it is sent.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// `200` with plain text.
    pub fn text(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".into(), "text/plain; charset=utf-8".into())],
            body: body.into().into_bytes(),
        }
    }
}

/// Answers every request with what `answer` says, for as long as the process lives.
pub fn serve<F>(listener: TcpListener, answer: F)
where
    F: Fn(&Request) -> Response + Send + Sync + 'static,
{
    let answer = Arc::new(answer);
    for stream in listener.incoming().flatten() {
        let answer = Arc::clone(&answer);
        // A connection that breaks concerns only its client.
        thread::spawn(move || converse(stream, &*answer));
    }
}

/// Answers the requests of one connection until the client closes it.
///
/// # Errors
/// What the connection reports, and `InvalidData` for what is no HTTP/1.1.
pub fn converse(stream: TcpStream, answer: &impl Fn(&Request) -> Response) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    while let Some(request) = read_request(&mut input)? {
        let response = answer(&request);
        let mut bytes = format!("HTTP/1.1 {} Answer\r\n", response.status).into_bytes();
        for (name, value) in &response.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(
            format!("content-length: {}\r\n\r\n", response.body.len()).as_bytes(),
        );
        if request.method != "HEAD" {
            bytes.extend_from_slice(&response.body);
        }
        output.write_all(&bytes)?;
    }
    Ok(())
}

/// `None` where the client closed the connection between two requests.
fn read_request(input: &mut impl BufRead) -> io::Result<Option<Request>> {
    let Some(mut request) = receive_head(input)? else {
        return Ok(None);
    };
    let mut body = Vec::new();
    receive_body(input, &request, |bytes| body.extend_from_slice(bytes))?;
    request.body = body;
    Ok(Some(request))
}

/// The head of the next request, without its body. `None` where the client closed the connection
/// before it.
///
/// # Errors
/// What the connection reports, and `InvalidData` for what is no HTTP/1.1.
pub fn receive_head(input: &mut impl BufRead) -> io::Result<Option<Request>> {
    let Some(head) = read_head(input)? else {
        return Ok(None);
    };
    let mut fields = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut parsed = httparse::Request::new(&mut fields);
    parsed
        .parse(&head)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    Ok(Some(Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed
            .headers
            .iter()
            .map(|field| (field.name.to_owned(), field.value.to_vec()))
            .collect(),
        body: Vec::new(),
    }))
}

/// Gives the bytes of a request's body to `take` as they come. Returns the lines of its trailers.
///
/// # Errors
/// What the connection reports; `UnexpectedEof` where the body ends too early, `InvalidData` for
/// what is no chunk.
pub fn receive_body(
    input: &mut impl BufRead,
    request: &Request,
    mut take: impl FnMut(&[u8]),
) -> io::Result<Vec<String>> {
    let chunked = request
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"));
    if chunked {
        return receive_chunks(input, take);
    }
    let length = request
        .header("content-length")
        .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok())
        .unwrap_or(0);
    receive(input, length, &mut take)?;
    Ok(Vec::new())
}

fn receive(input: &mut impl BufRead, length: u64, take: &mut impl FnMut(&[u8])) -> io::Result<()> {
    let mut left = length;
    while left > 0 {
        let bytes = input.fill_buf()?;
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        if wanted == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        take(&bytes[..wanted]);
        input.consume(wanted);
        left -= wanted as u64;
    }
    Ok(())
}

fn read_head(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        if input.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() {
                Ok(None)
            } else {
                Err(ErrorKind::UnexpectedEof.into())
            };
        }
        if head.len() > HEAD_LIMIT {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "the head is too long",
            ));
        }
        if matches!(head.get(before..), Some(b"\r\n" | b"\n")) && before > 0 {
            return Ok(Some(head));
        }
    }
}

fn receive_chunks(
    input: &mut impl BufRead,
    mut take: impl FnMut(&[u8]),
) -> io::Result<Vec<String>> {
    loop {
        let line = read_line(input)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16)
            .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if size == 0 {
            break;
        }
        receive(input, size, &mut take)?;
        read_line(input)?;
    }
    let mut trailers = Vec::new();
    loop {
        let line = read_line(input)?;
        if line.is_empty() {
            return Ok(trailers);
        }
        trailers.push(line);
    }
}

/// A line without its end.
fn read_line(input: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(bytes: &str) -> Request {
        read_request(&mut bytes.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn reads_a_body_with_a_length() {
        let request = request("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nd=e--");
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("POST", "/a?b=c")
        );
        assert_eq!(request.header("host"), Some(&b"x"[..]));
        assert_eq!(request.body, b"d=e");
    }

    #[test]
    fn reads_a_body_in_chunks() {
        let request = request(
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nd=e\r\n2;x=y\r\nfg\r\n0\r\nTrailer: t\r\n\r\n",
        );
        assert_eq!(request.body, b"d=efg");
    }

    #[test]
    fn a_body_that_breaks_off_is_told_as_far_as_it_came() {
        for text in [
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nd=e\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nd=e",
        ] {
            let mut input = text.as_bytes();
            let request = receive_head(&mut input).unwrap().unwrap();
            let mut body = Vec::new();
            let end = receive_body(&mut input, &request, |bytes| body.extend_from_slice(bytes));
            assert_eq!(end.unwrap_err().kind(), ErrorKind::UnexpectedEof);
            assert_eq!(body, b"d=e");
        }
    }

    #[test]
    fn knows_the_end_of_a_connection_from_a_broken_one() {
        assert!(read_request(&mut &b""[..]).unwrap().is_none());
        assert!(read_request(&mut &b"GET / HTTP/1.1\r\n"[..]).is_err());
    }
}
