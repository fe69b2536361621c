//! Whether the host keeps heads back while bodies arrive.
//!
//! A host that holds headers (Envoy with `allow_on_headers_stop_iteration: true`) calls back with
//! the body while the head is paused; any other host stops everything until somebody resumes the
//! stream. No property tells them apart, and silence proves nothing: a client may be slow to send
//! its body. So holding is proved by the first body callback seen while a head is paused, and only
//! before that proof may the watchdog act. Only a resume that itself delivers body bytes which
//! were waiting shows that the host does not hold.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::host::{Direction, Host, LocalReply};
use crate::engine::UnixNanos;

/// Key `hold_headers` of the plugin configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HoldHeaders {
    /// Always hold; before the proof, a head whose body does not come is refused at the deadline.
    Required,
    /// Hold; before the proof, a head whose body does not come is let go at the deadline, and its
    /// body is still inspected.
    #[default]
    Auto,
    /// Never hold: the upstream sees the head of a request before its body is inspected.
    Off,
}

/// How often the watchdog looks, in milliseconds.
const TICK: u32 = 200;

/// A body that was waiting arrives in the same turn of the host's event loop as the resume, some
/// microseconds later. Nanoseconds.
const SAME_TURN: u64 = 1_000_000;

/// Largest number of heads watched; beyond it the deadline of further ones is not kept.
const WATCHED: usize = 65_536;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Knowledge {
    Unproved,
    Holds,
    DoesNot,
}

/// What became of a paused head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Head {
    /// Not paused, or no longer.
    Free,
    /// Paused.
    Held,
    /// The watchdog let it go; its body is still to be inspected.
    Resumed {
        /// When.
        at: UnixNanos,
        /// In which turn (see [`Holding::turn`]).
        turn: u64,
    },
    /// The watchdog refused it: an answer has been sent.
    Refused,
}

/// The state of a paused head, shared between its stream and the watchdog.
pub type SharedHead = Rc<Cell<Head>>;

#[derive(Debug)]
struct Watched {
    context: u32,
    direction: Direction,
    since: UnixNanos,
    head: Weak<Cell<Head>>,
}

/// What is known about the host, and the heads that wait for it to become known.
#[derive(Debug)]
pub struct Holding {
    mode: HoldHeaders,
    deadline: UnixNanos,
    knowledge: Cell<Knowledge>,
    watched: RefCell<Vec<Watched>>,
    ticking: Cell<bool>,
    turn: Cell<u64>,
}

impl Holding {
    /// A holding that knows nothing yet; `deadline_ms` is how long a head may wait for its body
    /// before the watchdog acts.
    pub fn new(mode: HoldHeaders, deadline_ms: u32) -> Self {
        Self {
            mode,
            deadline: u64::from(deadline_ms).saturating_mul(1_000_000),
            knowledge: Cell::new(Knowledge::Unproved),
            watched: RefCell::default(),
            ticking: Cell::new(false),
            turn: Cell::new(0),
        }
    }

    /// Asks the head whose callback is running to be paused. `None` where heads are not held; then
    /// the callback must continue.
    pub fn hold(&self, host: &dyn Host, context: u32, direction: Direction) -> Option<SharedHead> {
        let watch = match (self.mode, self.knowledge.get()) {
            (HoldHeaders::Off, _) | (HoldHeaders::Auto, Knowledge::DoesNot) => return None,
            (_, Knowledge::Holds) => false,
            (HoldHeaders::Auto, Knowledge::Unproved) => {
                // Without a watchdog a host that does not hold would hang this stream for ever.
                if !self.start_ticking(host) {
                    return None;
                }
                true
            }
            (HoldHeaders::Required, Knowledge::Unproved | Knowledge::DoesNot) => {
                self.start_ticking(host)
            }
        };
        let head = Rc::new(Cell::new(Head::Held));
        let mut watched = self.watched.borrow_mut();
        if watch && watched.len() >= WATCHED {
            watched.retain(|entry| entry.head.strong_count() > 0);
            if watched.len() >= WATCHED && self.mode == HoldHeaders::Auto {
                return None;
            }
        }
        if watch && watched.len() < WATCHED {
            let head = Rc::downgrade(&head);
            watched.push(Watched {
                context,
                direction,
                since: host.now(),
                head,
            });
        }
        Some(head)
    }

    /// Marks that the host has begun something new (anything but to deliver what a resume set free),
    /// so what it delivers from now on need not have waited.
    pub fn new_turn(&self) {
        self.turn.set(self.turn.get().wrapping_add(1));
    }

    /// Takes note of a body or trailers callback of a stream whose head is or was paused.
    /// `delivered`: it brought bytes, or the end.
    pub fn body_seen(&self, host: &dyn Host, head: Head, delivered: bool) {
        match head {
            Head::Held => self.knowledge.set(Knowledge::Holds),
            Head::Resumed { at, turn }
                if delivered
                    && self.knowledge.get() == Knowledge::Unproved
                    && turn == self.turn.get()
                    && host.now().saturating_sub(at) <= SAME_TURN =>
            {
                self.knowledge.set(Knowledge::DoesNot);
            }
            Head::Free | Head::Refused | Head::Resumed { .. } => {}
        }
    }

    /// The watchdog. `refusal` is the answer to heads that may not be let go; `busy` says that
    /// somebody else needs further ticks.
    pub fn tick(&self, host: &dyn Host, busy: bool, refusal: impl Fn(Direction) -> LocalReply) {
        self.new_turn();
        let knowledge = self.knowledge.get();
        // Taken out while the host is called: a host may call back at once.
        let mut watched = self.watched.take();
        if knowledge == Knowledge::Holds {
            watched.clear();
        }
        let now = host.now();
        watched.retain(|entry| {
            let Some(head) = entry.head.upgrade() else {
                return false;
            };
            if head.get() != Head::Held {
                return false;
            }
            let overdue = now.saturating_sub(entry.since) >= self.deadline;
            // Once the host is known not to hold, nothing is gained by waiting on.
            let pointless = self.mode == HoldHeaders::Auto && knowledge == Knowledge::DoesNot;
            if !(overdue || pointless) {
                return true;
            }
            if host.set_effective_context(entry.context).is_err() {
                return true;
            }
            if self.mode == HoldHeaders::Required {
                if host.reply(&refusal(entry.direction)).is_ok()
                    || host.close(entry.direction).is_ok()
                {
                    head.set(Head::Refused);
                }
            } else if host.resume(entry.direction).is_ok() {
                head.set(Head::Resumed {
                    at: host.now(),
                    turn: self.turn.get(),
                });
            }
            head.get() == Head::Held
        });
        watched.append(&mut self.watched.borrow_mut());
        if watched.is_empty() && !busy && host.set_tick_period(0).is_ok() {
            self.ticking.set(false);
        }
        self.watched.replace(watched);
    }

    /// Whether a body callback has proved that the host holds.
    pub fn proved(&self) -> bool {
        self.knowledge.get() == Knowledge::Holds
    }

    /// Asks the host for ticks; `false` if it gives none.
    pub fn start_ticking(&self, host: &dyn Host) -> bool {
        if !self.ticking.get() {
            self.ticking.set(host.set_tick_period(TICK).is_ok());
        }
        self.ticking.get()
    }
}
