//! The backend of the tests on a port of its own, for servers that have it as their upstream.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::super::ftw;
use super::super::message::{Request, Response};
use super::wire::{read_request, write_response};

/// It answers until the process ends.
pub(in super::super) struct LiveBackend {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The answer to everything, where a test wants that.
    answer: Option<Response>,
    /// The first request since the last one was announced.
    first: Option<Request>,
}

impl LiveBackend {
    /// Listens.
    ///
    /// # Errors
    ///
    /// A text for people: the address cannot be had.
    pub(in super::super) fn start(address: SocketAddr) -> Result<Self, String> {
        let listener = TcpListener::bind(address)
            .map_err(|error| format!("no backend on {address}: {error}"))?;
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A connection that breaks concerns only its client.
                thread::spawn(move || converse(stream, &state));
            }
        });
        Ok(Self { state })
    }

    /// Announces a request. `answer` is what it gets, if it matters.
    pub(super) fn expect(&self, answer: Option<Response>) {
        let mut state = lock(&self.state);
        state.answer = answer;
        state.first = None;
    }

    /// The first request that came since the last was announced.
    pub(super) fn first(&self) -> Option<Request> {
        lock(&self.state).first.clone()
    }
}

fn converse(stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    while let Some(request) = read_request(&mut input)? {
        let answer = {
            let mut state = lock(state);
            state.first.get_or_insert_with(|| request.clone());
            state.answer.clone()
        };
        let answer = answer.unwrap_or_else(|| ftw::answer_to(&request));
        output.write_all(&write_response(&answer, &request.method))?;
    }
    Ok(())
}

/// A thread that panicked while it held the lock left nothing half done.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
