//! An upstream that can be slow, break off, and die, and that looks at every byte it gets.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Stands in everything that must not pass.
pub const ATTACK: &str = "union%20select%20password%20from%20users";
/// Stands in the targets of requests whose arrivals are counted.
pub const COUNTED: &str = "/counted";

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// At once.
    Prompt,
    /// After a while.
    Slow(Duration),
    /// With half an answer.
    BreaksOff,
}

#[derive(Clone)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    manner: Mutex<Manner>,
    /// Of the life that is current; a killed upstream has none.
    connections: Mutex<Option<Vec<TcpStream>>>,
    attacks: AtomicUsize,
    counted: AtomicUsize,
    life: AtomicU64,
}

impl Upstream {
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let upstream = Self {
            address,
            shared: Arc::new(Shared {
                manner: Mutex::new(Manner::Prompt),
                connections: Mutex::new(None),
                attacks: AtomicUsize::new(0),
                counted: AtomicUsize::new(0),
                life: AtomicU64::new(0),
            }),
        };
        upstream.revive()?;
        Ok(upstream)
    }

    /// Listens again.
    pub fn revive(&self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address)?;
        let life = self.shared.life.load(Ordering::SeqCst);
        *lock(&self.shared.connections) = Some(Vec::new());
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.life.load(Ordering::SeqCst) != life {
                    return;
                }
                let Ok(stream) = stream else { continue };
                if let (Some(known), Ok(copy)) =
                    (lock(&shared.connections).as_mut(), stream.try_clone())
                {
                    known.push(copy);
                }
                let shared = Arc::clone(&shared);
                thread::spawn(move || converse(stream, &shared));
            }
        });
        Ok(())
    }

    /// Closes the port and all connections.
    pub fn kill(&self) {
        self.shared.life.fetch_add(1, Ordering::SeqCst);
        for stream in lock(&self.shared.connections).take().unwrap_or_default() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the thread that accepts, which then ends.
        let _ = TcpStream::connect(self.address);
    }

    pub fn behave(&self, manner: Manner) {
        *lock(&self.shared.manner) = manner;
    }

    /// How often the marker of attacks came here, wherever it stood.
    pub fn attacks(&self) -> usize {
        self.shared.attacks.load(Ordering::SeqCst)
    }

    /// Whole requests for [`COUNTED`], since the last call.
    pub fn take_counted(&self) -> usize {
        self.shared.counted.swap(0, Ordering::SeqCst)
    }
}

fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut output = stream.try_clone()?;
    let mut input = BufReader::new(Watched {
        stream,
        shared,
        tail: Vec::new(),
    });
    loop {
        let mut head = Vec::new();
        loop {
            let before = head.len();
            if input.read_until(b'\n', &mut head)? == 0 {
                return Ok(());
            }
            if &head[before..] == b"\r\n" {
                break;
            }
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let value = |name: &str| {
            let mut lines = head.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        if value("transfer-encoding").is_some() {
            let mut line = String::new();
            // Chunks here are whole lines, with lines around them.
            while line.trim() != "0" {
                line.clear();
                if input.read_line(&mut line)? == 0 {
                    return Ok(());
                }
            }
            input.read_line(&mut line)?;
        } else {
            let length = value("content-length").and_then(|value| value.parse().ok());
            let length = length.unwrap_or(0);
            if io::copy(&mut (&mut input).take(length), &mut io::sink())? < length {
                return Ok(());
            }
        }
        if head.contains(COUNTED) {
            shared.counted.fetch_add(1, Ordering::SeqCst);
        }
        let manner = *lock(&shared.manner);
        if let Manner::Slow(time) = manner {
            thread::sleep(time);
        }
        output.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\r\nhel",
        )?;
        if manner == Manner::BreaksOff {
            return output.shutdown(Shutdown::Both);
        }
        output.write_all(b"lo\n")?;
    }
}

/// Looks for the marker in all that is read.
struct Watched<'a> {
    stream: TcpStream,
    shared: &'a Shared,
    tail: Vec<u8>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.stream.read(buffer)?;
        self.tail.extend_from_slice(&buffer[..size]);
        let marker = ATTACK.as_bytes();
        if let Some(at) = self.tail.windows(marker.len()).position(|it| it == marker) {
            self.shared.attacks.fetch_add(1, Ordering::SeqCst);
            self.tail.drain(..at + marker.len());
        }
        let keep = self.tail.len().min(marker.len() - 1);
        self.tail.drain(..self.tail.len() - keep);
        Ok(size)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
