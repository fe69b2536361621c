//! Bodies under inspection.
//!
//! A body waits at the host until its phase is decided. One that is larger than the host keeps
//! cannot: the host itself would answer (413, or 500 for a response), whatever the rules say. The
//! rules say whether such a body is refused or streamed: its pieces then go on as they are inspected,
//! and the phase is decided before the last of them goes on.

use super::{Decision, Direction, Failure, Flow, Side, Stream};
use crate::engine::{Disposition, Interruption};
use crate::proxy::holding::SharedHead;
use crate::proxy::host::Host;
use crate::proxy::inspect::{Inspect, Rules};
use crate::proxy::log;
use crate::proxy::metrics::{Count, Uninspected};
use crate::proxy::settings::{BUFFER_LIMIT, OnError};

/// Bytes read from a body buffer in one call: each call copies into the guest's memory.
pub(super) const PIECE: usize = 64 * 1024;

/// Of a body of unknown length, what part of the host's buffer may fill before it is streamed. Over
/// HTTP/1 the next piece may be as long as nearly the whole buffer, and the host adds it before it
/// shows it: whoever waits for more gets an answer of the host instead.
const UNANNOUNCED: usize = 64;

/// How far a body has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Collected {
    /// Bytes of the host's buffer that were inspected.
    seen: usize,
    /// The length that the head announces, less what went on.
    announced: Option<usize>,
    /// A tunnel follows the announced bytes.
    tunnel: bool,
    /// Pieces go on as they are inspected.
    streamed: bool,
}

impl Collected {
    /// A body whose head announces a length, or none.
    pub(super) fn message(announced: Option<usize>) -> Self {
        Self {
            announced,
            ..Self::default()
        }
    }

    /// A body of so many bytes, and a tunnel behind it.
    pub(super) fn before_tunnel(length: usize) -> Self {
        Self {
            announced: Some(length),
            tunnel: true,
            ..Self::default()
        }
    }

    /// Whether a tunnel follows.
    pub(super) fn ends_in_tunnel(&self) -> bool {
        self.tunnel
    }

    /// Whether everything was inspected that the head announced.
    fn complete(&self) -> bool {
        self.announced.is_some_and(|length| self.seen >= length)
    }

    /// What was inspected goes on.
    fn let_on(&mut self) {
        self.announced = self
            .announced
            .map(|length| length.saturating_sub(self.seen));
        self.seen = 0;
    }
}

impl<R: Rules> Stream<R> {
    /// A head whose body is to be inspected: holds it, unless the body cannot wait at the host.
    pub(super) fn await_collected(
        &mut self,
        host: &dyn Host,
        direction: Direction,
        body: Collected,
    ) -> Flow {
        *self.side(direction) = Side::Collect(body);
        if self.outgrows(direction, &body, 0) {
            return self.outgrown(host, direction, body);
        }
        let held = self.filter.holding().hold(host, self.context, direction);
        let flow = match held {
            Some(_) => Flow::Pause,
            None => Flow::Continue,
        };
        self.set_head(direction, held);
        flow
    }

    /// More of a body, or its end. `size`: bytes in the host's buffer, all that was kept included.
    pub(super) fn collect(
        &mut self,
        host: &dyn Host,
        direction: Direction,
        size: usize,
        end: bool,
    ) -> Flow {
        let Side::Collect(mut body) = *self.side(direction) else {
            self.observe(host, direction, 0, size, end);
            return self.uncollected(host, direction, size);
        };
        let wanted = match body.announced {
            Some(length) if body.tunnel => size.min(length),
            _ => size,
        };
        // A last callback without bytes may report none although some are kept.
        if wanted < body.seen && size != 0 {
            return self.fail(
                host,
                direction,
                Failure::Order("a kept body became shorter"),
            );
        }
        while body.seen < wanted {
            let piece = PIECE.min(wanted.saturating_sub(body.seen));
            let bytes = match host.body(direction, body.seen, piece) {
                Ok(bytes) => bytes,
                Err(error) => return self.fail(host, direction, Failure::Host(error)),
            };
            let bytes = bytes.get(..piece).unwrap_or(&bytes);
            if bytes.is_empty() {
                return self.fail(host, direction, Failure::ShortBody);
            }
            body.seen = body.seen.saturating_add(bytes.len());
            *self.side(direction) = Side::Collect(body);
            let step = self.step(host, |transaction| match direction {
                Direction::Request => transaction.request_body(bytes),
                Direction::Response => transaction.response_body(bytes),
            });
            match self.decide(host, direction, step) {
                Decision::Ended(flow) => return flow,
                Decision::Skip => {
                    let flow = self.let_body_on(host, direction, false);
                    self.observe(host, direction, body.seen, size, end);
                    return flow;
                }
                Decision::Inspect if self.is_full(host) => {
                    return self.overload(host, direction);
                }
                Decision::Inspect => {}
            }
        }
        if end || (body.tunnel && body.complete()) {
            return self.end_collected(host, direction, end);
        }
        if body.streamed && body.complete() {
            // The other side takes these bytes for the whole of it, whether an end follows or not.
            return self.end_collected(host, direction, true);
        }
        if body.streamed {
            body.let_on();
            *self.side(direction) = Side::Collect(body);
            return Flow::Continue;
        }
        if self.outgrows(direction, &body, size) {
            return self.outgrown(host, direction, body);
        }
        Flow::Pause
    }

    /// A body or trailers callback outside [`Side::Collect`].
    pub(super) fn uncollected(
        &mut self,
        host: &dyn Host,
        direction: Direction,
        size: usize,
    ) -> Flow {
        match *self.side(direction) {
            Side::New => self.fail(host, direction, Failure::Order("a body before its head")),
            Side::Over if size > 0 => {
                self.fail(host, direction, Failure::Order("more body after its end"))
            }
            Side::Collect(_) | Side::Passed | Side::Over => Flow::Continue,
            Side::Cut => Flow::Pause,
        }
    }

    /// All of a body was inspected: decides its phase and lets it pass or not. `end`: nothing
    /// follows it.
    pub(super) fn end_collected(
        &mut self,
        host: &dyn Host,
        direction: Direction,
        end: bool,
    ) -> Flow {
        let step = self.end_step(host, direction);
        match self.decide(host, direction, step) {
            Decision::Ended(flow) => flow,
            Decision::Skip | Decision::Inspect => self.let_body_on(host, direction, end),
        }
    }

    /// A body that was inspected, to its end or its limit, goes on as the rules want it.
    fn let_body_on(&mut self, host: &dyn Host, direction: Direction, end: bool) -> Flow {
        if let Err(error) = self.edit_body(host, direction, end) {
            // Half changed, with a length that may be wrong: no policy lets that go on.
            return self.fail_under(OnError::Deny, host, direction, Failure::Host(error));
        }
        let flow = self.pass(direction);
        if end {
            *self.side(direction) = Side::Over;
        }
        self.tell_passed(host);
        flow
    }

    /// Whether the host would have to keep more of a body than it can. `size`: bytes that it would
    /// keep now.
    fn outgrows(&self, direction: Direction, body: &Collected, size: usize) -> bool {
        let Some(transaction) = &self.transaction else {
            return false;
        };
        let told = self.filter.settings().buffer_limit;
        let streams = transaction.streams_large_body(direction);
        // A host that was never asked about knows best how much it keeps, and refuses by itself.
        if told.is_none() && !streams {
            return false;
        }
        let room = told.unwrap_or(BUFFER_LIMIT);
        let most = transaction.body_limit(direction);
        match body.announced {
            Some(length) => length.min(most) > room,
            None if streams => most > room && size > room / UNANNOUNCED,
            None => size > room,
        }
    }

    /// A body that the host cannot keep is refused or streamed.
    fn outgrown(&mut self, host: &dyn Host, direction: Direction, mut body: Collected) -> Flow {
        let streams = self
            .transaction
            .as_ref()
            .is_some_and(|transaction| transaction.streams_large_body(direction));
        if !streams {
            let (phase, status) = match direction {
                Direction::Request => (2, 413),
                Direction::Response => (4, 500),
            };
            let by = Interruption {
                rule_id: 0,
                phase,
                disposition: Disposition::Deny,
                status,
                location: None,
            };
            return self.interrupt(host, direction, by);
        }
        let reason = Uninspected::Large(direction);
        self.count(host, Count::Uninspected(reason));
        log::streamed(host, direction, &self.ids());
        body.streamed = true;
        body.let_on();
        let flow = self.pass(direction);
        *self.side(direction) = Side::Collect(body);
        flow
    }

    fn set_head(&mut self, direction: Direction, held: Option<SharedHead>) {
        if direction == Direction::Response && held.is_none() {
            self.committed = true;
        }
        match direction {
            Direction::Request => self.request_head = held,
            Direction::Response => self.response_head = held,
        }
    }
}
