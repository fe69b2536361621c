//! Drives a whole server over the network and reads what it logs, as go-ftw does.
//!
//! Nothing ties the lines of a log to a request, so a request with a mark of its own is sent before
//! and after each exchange: the lines between two marks belong to what was sent between them. The
//! server's rules must log the header that carries the mark; rule 8910001 of `@ftw-conf` does.

mod backend;
mod log;
mod wire;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub(super) use backend::LiveBackend;

use super::driver::{Backend, Decider, Driver, DriverFactory, Exchanged, Sent};
use super::ftw::{HandedOver, ProxyAlone};
use super::message::{Headers, Request, header};
use log::LogFile;

/// How long to look for a mark before it is sent again: logs may be buffered, and a buffer that fills
/// is written.
const LOOK: Duration = Duration::from_millis(500);
/// Between two looks at the log.
const PAUSE: Duration = Duration::from_millis(5);
/// Lines of one exchange beyond this are no log of an exchange.
const MOST_LINES: usize = 100_000;

/// A proxy that is tested alone puts the protocol into this header that its filters would see.
const PROTOCOL: &[u8] = b"x-parapet-protocol";

/// Where a server is and what it takes to test it.
#[derive(Clone, Debug)]
pub(super) struct ServerSettings {
    pub(super) address: SocketAddr,
    /// The file that it logs to.
    pub(super) log: PathBuf,
    /// The header that carries marks.
    pub(super) marker: String,
    /// How long to wait for an answer, and for a mark in the log.
    pub(super) patience: Duration,
}

/// The address in a URL such as `http://localhost:8080`.
///
/// # Errors
///
/// A text for people.
pub(super) fn address(url: &str) -> Result<SocketAddr, String> {
    let wrong = |why: &str| format!("`{url}`: {why}; a server is given as http://HOST:PORT");
    let host = url
        .strip_prefix("http://")
        .ok_or_else(|| wrong("no http:// in front"))?;
    let host = host.strip_suffix('/').unwrap_or(host);
    if host.contains('/') {
        return Err(wrong("tests have targets of their own"));
    }
    let bare = host.rsplit(']').next().unwrap_or(host);
    let host = if bare.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut found = host
        .to_socket_addrs()
        .map_err(|error| wrong(&error.to_string()))?;
    found.next().ok_or_else(|| wrong("no such host"))
}

/// Makes drivers for a server.
pub(super) struct ServerFactory {
    pub(super) settings: ServerSettings,
    /// The backend behind the server, where it is ours.
    pub(super) backend: Option<Rc<LiveBackend>>,
}

impl DriverFactory for ServerFactory {
    fn name(&self) -> &'static str {
        "server"
    }

    fn driver(&mut self, first_directives: &str) -> Result<Box<dyn Driver>, String> {
        if !first_directives.is_empty() {
            return Err("a server cannot be given directives for single tests".to_owned());
        }
        let mut driver = ServerDriver {
            log: LogFile::open(&self.settings.log)?,
            settings: self.settings.clone(),
            backend: self.backend.clone(),
            run: format!("parapet-mark-{:08x}", std::process::id()),
            count: 0,
            lines: Vec::new(),
        };
        // What was logged before belongs to nobody here.
        drop(driver.mark()?);
        Ok(Box::new(driver))
    }
}

struct ServerDriver {
    settings: ServerSettings,
    backend: Option<Rc<LiveBackend>>,
    log: LogFile,
    /// What all marks of this run begin with.
    run: String,
    count: u64,
    /// Lines since the last mark, as far as they were read.
    lines: Vec<Vec<u8>>,
}

impl Driver for ServerDriver {
    fn exchange(&mut self, sent: &Sent, _: &dyn Backend) -> Result<Exchanged, String> {
        match (&self.backend, &sent.answer) {
            (Some(backend), answer) => backend.expect(answer.clone()),
            (None, Some(_)) => {
                return Err(
                    "the test wants an answer of its own from the backend, which only \
                            the backend of --backend can give"
                        .to_owned(),
                );
            }
            (None, None) => {}
        }
        let reply = wire::ask(self.settings.address, sent, self.settings.patience)?;
        Ok(Exchanged {
            log: self.mark()?,
            reply,
            decider: Decider::Server,
        })
    }
}

impl ServerDriver {
    /// Sends a mark and waits until the log shows it. The answer is the lines before it.
    fn mark(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let ServerSettings {
            address,
            log,
            marker,
            patience,
        } = &self.settings;
        self.count = self.count.saturating_add(1);
        // Ends in a letter, so that no mark is the beginning of another.
        let mark = format!("{}-{}x", self.run, self.count);
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: parapet test\r\nAccept: */*\r\n\
             {marker}: {mark}\r\nConnection: close\r\n\r\n"
        );
        let request = Sent::new(request.into_bytes(), Request::default());
        let end = Instant::now().checked_add(*patience);
        while !is_past(end) {
            wire::ask(*address, &request, *patience)?;
            let look = Instant::now().checked_add(LOOK);
            loop {
                self.log.read(&mut self.lines)?;
                if let Some(before) = split(&mut self.lines, mark.as_bytes()) {
                    // A mark that was sent twice shows up twice.
                    let theirs = |line: &Vec<u8>| !contains(line, self.run.as_bytes());
                    return Ok(before.into_iter().filter(theirs).collect());
                }
                if self.lines.len() > MOST_LINES {
                    return Err(format!(
                        "{}: too many lines between two marks",
                        log.display()
                    ));
                }
                if is_past(look) {
                    break;
                }
                std::thread::sleep(PAUSE);
            }
        }
        Err(format!(
            "no mark ever showed up in {}: is it the log of {address}, and does a rule log the \
             header {marker} there? Rule 8910001 of @ftw-conf does",
            log.display()
        ))
    }
}

fn is_past(end: Option<Instant>) -> bool {
    end.is_none_or(|end| Instant::now() >= end)
}

/// Takes the lines before the one with the mark, and drops that one.
fn split(lines: &mut Vec<Vec<u8>>, mark: &[u8]) -> Option<Vec<Vec<u8>>> {
    let at = lines.iter().position(|line| contains(line, mark))?;
    let mut rest = lines.split_off(at);
    rest.remove(0);
    Some(std::mem::replace(lines, rest))
}

fn contains(line: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(line, text).is_some()
}

/// The same proxy without a filter, in front of our backend.
pub(super) struct BareProxy {
    pub(super) address: SocketAddr,
    pub(super) backend: Rc<LiveBackend>,
    pub(super) patience: Duration,
}

impl ProxyAlone for BareProxy {
    fn hand_over(&mut self, sent: &Sent) -> Result<HandedOver, String> {
        self.backend.expect(sent.answer.clone());
        let reply = wire::ask(self.address, sent, self.patience)?;
        Ok(match self.backend.first() {
            Some(request) => HandedOver::Passed(as_filters_see_it(request, &sent.request)),
            None => HandedOver::Refused(reply.map(|reply| reply.status)),
        })
    }
}

/// What a proxy does to a request behind its filters is undone: the framing of its own, and the
/// protocol that it speaks with backends.
fn as_filters_see_it(mut request: Request, sent: &Request) -> Request {
    let length =
        |request: &Request| header(&request.headers, b"content-length").map(<[u8]>::to_vec);
    if length(&request).as_deref() == Some(b"0") && length(sent).is_none() {
        remove(&mut request.headers, b"content-length");
    }
    if let Some(protocol) = header(&request.headers, PROTOCOL) {
        request.protocol = protocol.to_vec();
    }
    // Over HTTP/1, no length and chunks come to the same.
    if length(&request).is_some() || !request.protocol.starts_with(b"HTTP/1") {
        remove(&mut request.headers, b"transfer-encoding");
    }
    remove(&mut request.headers, PROTOCOL);
    request
}

fn remove(headers: &mut Headers, name: &[u8]) {
    headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
}

#[cfg(test)]
mod tests;
