//! A small HTTP/1.1 server: the upstream of the gateway example and of the tests.
//!
//! It serves whom it trusts (a proxy on the same machine) and nobody else: one thread for each
//! connection, bodies in memory.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
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
    let Some(head) = read_head(input)? else {
        return Ok(None);
    };
    let mut fields = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut parsed = httparse::Request::new(&mut fields);
    parsed
        .parse(&head)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed
            .headers
            .iter()
            .map(|field| (field.name.to_owned(), field.value.to_vec()))
            .collect(),
        body: Vec::new(),
    };
    let chunked = request
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"));
    request.body = if chunked {
        read_chunks(input)?
    } else {
        let length = request
            .header("content-length")
            .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok())
            .unwrap_or(0);
        let mut body = Vec::new();
        input.take(length).read_to_end(&mut body)?;
        body
    };
    Ok(Some(request))
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

fn read_chunks(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16)
            .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if size == 0 {
            break;
        }
        input.take(size).read_to_end(&mut body)?;
        input.read_line(&mut String::new())?;
    }
    // Trailers, up to the empty line.
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            return Ok(body);
        }
    }
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
    fn knows_the_end_of_a_connection_from_a_broken_one() {
        assert!(read_request(&mut &b""[..]).unwrap().is_none());
        assert!(read_request(&mut &b"GET / HTTP/1.1\r\n"[..]).is_err());
    }
}
