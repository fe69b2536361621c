//! Answers that wait: a rule that denies with `pause` keeps its client waiting first.
//!
//! Nothing sleeps: the stream stays paused and the host's tick sends the answer. How long it takes
//! is as exact as the tick.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::host::{Direction, Host, LocalReply};
use crate::engine::UnixNanos;

/// Most answers that wait at one time; further ones are given at once. A stream that waits holds
/// memory of the proxy, and it is clients who make it wait.
const MOST: usize = 1024;

/// Whether the answer of a stream still waits; shared between the stream and the tick.
pub type SharedDelay = Rc<Cell<bool>>;

/// The answers that wait.
#[derive(Debug, Default)]
pub struct Delays(RefCell<Vec<Delayed>>);

/// One answer.
#[derive(Debug)]
pub struct Delayed {
    /// The host's number of the stream.
    context: u32,
    /// What the answer cuts short.
    direction: Direction,
    /// When it is given.
    due: UnixNanos,
    /// The answer.
    reply: LocalReply,
    /// The connection is cut instead.
    drops: bool,
    /// The stream, while it is there.
    stream: Weak<Cell<bool>>,
}

impl Delayed {
    /// An answer for a stream.
    pub fn new(
        context: u32,
        direction: Direction,
        due: UnixNanos,
        reply: LocalReply,
        drops: bool,
    ) -> Self {
        Self {
            context,
            direction,
            due,
            reply,
            drops,
            stream: Weak::new(),
        }
    }
}

impl Delays {
    /// Lets an answer wait, if there is room for one more.
    pub fn wait(&self, delayed: Delayed) -> Option<SharedDelay> {
        let mut waiting = self.0.borrow_mut();
        if waiting.len() >= MOST {
            waiting.retain(|one| one.stream.strong_count() > 0);
        }
        if waiting.len() >= MOST {
            return None;
        }
        let stream = Rc::new(Cell::new(true));
        waiting.push(Delayed {
            stream: Rc::downgrade(&stream),
            ..delayed
        });
        Some(stream)
    }

    /// Gives the answers that are due. Says whether others still wait.
    pub fn tick(&self, host: &dyn Host) -> bool {
        let now = host.now();
        // Taken out while the host is called: a host may call back at once.
        let mut waiting = self.0.take();
        waiting.retain(|one| {
            let Some(stream) = one.stream.upgrade() else {
                return false;
            };
            if now < one.due {
                return true;
            }
            if host.set_effective_context(one.context).is_err() {
                return true;
            }
            // What the host calls back with is the answer, and may pass.
            stream.set(false);
            let reset = || host.close(one.direction).is_ok();
            let answer = || host.reply(&one.reply).is_ok();
            let given = match one.drops {
                true => reset() || answer(),
                false => answer() || reset(),
            };
            // A host that takes neither is asked again.
            stream.set(!given);
            !given
        });
        waiting.append(&mut self.0.borrow_mut());
        let busy = !waiting.is_empty();
        self.0.replace(waiting);
        busy
    }
}
