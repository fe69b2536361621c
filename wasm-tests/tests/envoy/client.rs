//! Clients that send exactly what a test says, over HTTP/1.1 and over HTTP/2 with prior knowledge.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer of a gateway on this machine takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http1,
    Http2,
}

pub const VERSIONS: [Version; 2] = [Version::Http1, Version::Http2];

#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// A GET with the headers that a browser sends.
    pub fn get(path: impl Into<String>) -> Self {
        let headers = [
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ),
            (
                "accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            ),
            ("accept-language", "en-GB,en;q=0.5"),
            ("accept-encoding", "gzip, deflate, br"),
            ("cookie", "session=2b0c7f19d4; theme=dark"),
            ("upgrade-insecure-requests", "1"),
        ];
        Self {
            method: "GET",
            path: path.into(),
            headers: headers.map(|(name, value)| (name, value.to_owned())).into(),
            body: Vec::new(),
        }
    }

    /// A POST with a browser's headers.
    pub fn post(path: impl Into<String>, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST",
            body: body.into(),
            ..Self::get(path)
        }
        .header("content-type", content_type)
    }

    pub fn form(path: impl Into<String>, body: &str) -> Self {
        Self::post(path, "application/x-www-form-urlencoded", body)
    }

    pub fn json(path: impl Into<String>, body: &str) -> Self {
        Self::post(path, "application/json", body)
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Sends one request on a connection of its own.
///
/// # Panics
/// Where no answer comes: a test has nothing to go on with.
pub fn send(version: Version, gateway: SocketAddr, request: &Request) -> Answer {
    let answer = match version {
        Version::Http1 => http1(gateway, request),
        Version::Http2 => http2(gateway, request),
    };
    answer
        .unwrap_or_else(|error| panic!("{version:?} {} {}: {error}", request.method, request.path))
}

const AUTHORITY: &str = "shop.example";

fn http1(gateway: SocketAddr, request: &Request) -> Result<Answer, Box<dyn std::error::Error>> {
    let mut bytes = format!(
        "{} {} HTTP/1.1\r\nHost: {AUTHORITY}\r\n",
        request.method, request.path
    )
    .into_bytes();
    for (name, value) in &request.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if request.method != "GET" {
        bytes.extend_from_slice(format!("content-length: {}\r\n", request.body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"connection: close\r\n\r\n");
    bytes.extend_from_slice(&request.body);

    let mut stream = TcpStream::connect_timeout(&gateway, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&bytes)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;

    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(&answer)? else {
        return Err(format!("half an answer: {}", answer.escape_ascii()).into());
    };
    Ok(Answer {
        status: head.code.ok_or("no status")?,
        headers: head
            .headers
            .iter()
            .map(|field| (field.name.to_lowercase(), text(field.value)))
            .collect(),
        body: answer[length..].to_vec(),
    })
}

fn http2(gateway: SocketAddr, request: &Request) -> Result<Answer, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, exchange(gateway, request)).await? })
}

async fn exchange(
    gateway: SocketAddr,
    request: &Request,
) -> Result<Answer, Box<dyn std::error::Error>> {
    let stream = tokio::net::TcpStream::connect(gateway).await?;
    let (sender, connection) = h2::client::handshake(stream).await?;
    let driver = tokio::spawn(connection);
    let mut head = http::Request::builder()
        .method(request.method)
        .uri(format!("http://{AUTHORITY}{}", request.path));
    for (name, value) in &request.headers {
        head = head.header(*name, value);
    }
    let end = request.body.is_empty();
    let (answer, mut body) = sender.ready().await?.send_request(head.body(())?, end)?;
    if !end {
        body.send_data(request.body.clone().into(), true)?;
    }
    let (head, mut body) = answer.await?.into_parts();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    driver.abort();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect(),
        body: bytes,
    })
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}
