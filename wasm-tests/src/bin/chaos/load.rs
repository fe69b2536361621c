//! Clients that go on whatever happens, and remember what they got.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::upstream::ATTACK;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Clients at once; half of what each sends is an attack.
const CLIENTS: usize = 4;

/// One request and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub attack: bool,
    /// `None` if there was no whole answer.
    pub status: Option<u16>,
}

/// Clients at work.
pub struct Load {
    stop: Arc<AtomicBool>,
    events: Arc<Mutex<Vec<Event>>>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    pub fn start(gateway: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let events = Arc::new(Mutex::new(Vec::new()));
        let clients = (0..CLIENTS).map(|_| {
            let (stop, events) = (Arc::clone(&stop), Arc::clone(&events));
            thread::spawn(move || {
                let mut attack = false;
                while !stop.load(Ordering::SeqCst) {
                    attack = !attack;
                    let status = exchange(gateway, &request(attack));
                    events
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(Event { attack, status });
                    thread::sleep(Duration::from_millis(2));
                }
            })
        });
        Self {
            clients: clients.collect(),
            stop,
            events,
        }
    }

    /// Ends the clients and returns all that happened.
    pub fn end(self) -> Vec<Event> {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            let _ = client.join();
        }
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.clone()
    }
}

/// A request that passes, or one that is denied.
fn request(attack: bool) -> Vec<u8> {
    let query = if attack {
        format!("id=1%27%20{ATTACK}--")
    } else {
        "id=17".to_owned()
    };
    message("GET", &format!("/shop?{query}"), "", b"")
}

/// The bytes of a request with a browser's headers. `more`: further header lines.
pub fn message(method: &str, target: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "{method} {target} HTTP/1.1\r\nHost: shop.example\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
         Accept: */*\r\n{more}\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends a request on a connection of its own; the status, if a whole answer came.
pub fn exchange(gateway: SocketAddr, request: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(gateway).ok()?;
    stream.write_all(request).ok()?;
    finish(stream)
}

/// The status of the answer that is to come on a connection.
pub fn finish(mut stream: TcpStream) -> Option<u16> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some((head, body)) = parts(&answer) {
            let length = head.lines().find_map(|line| {
                line.strip_prefix("content-length: ")?
                    .trim()
                    .parse::<usize>()
                    .ok()
            });
            if body >= length? {
                return head.get(9..12)?.parse().ok();
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(size) => answer.extend_from_slice(&piece[..size]),
        }
    }
}

/// The head of an answer, and how much of its body has come.
fn parts(answer: &[u8]) -> Option<(String, usize)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    Some((head, answer.len() - end - 4))
}
