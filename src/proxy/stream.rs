//! One request and its response as the host's callbacks tell of them: the only place that decides
//! to continue, to pause, to answer or to reset.
//!
//! Each half goes from [`Side::New`] over [`Side::Collect`] to [`Side::Passed`], [`Side::Over`] or
//! [`Side::Cut`];
//! an answer of ours ends both. Every callback accepts every state, because hosts skip callbacks
//! (an upstream that answers early, a codec error), repeat them and call in odd orders. What cannot
//! be inspected is decided in one place, [`Stream::fail`].
//!
//! Invariants:
//! * after an answer of ours nothing of the client goes to the upstream;
//! * no byte of a body under inspection goes on before its phase is decided;
//! * the end of a half is never answered with a pause, unless an answer of ours was sent;
//! * a body changes only while its head waits to say its new length (see `effects`).

mod effects;
mod request;
mod response;

use std::rc::Rc;

use super::delay::{Delayed, SharedDelay};
use super::denial::Denial;
use super::filter::Filter;
use super::holding::{Head, SharedHead};
use super::host::{Direction, Host, HostError};
use super::inspect::{Inspect, Rules};
use super::log;
use super::metrics::{Count, Uninspected};
use super::settings::OnError;
use crate::engine::{BodyPlan, Interruption, Step};

/// What a callback tells the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Flow {
    /// Go on with everything there is.
    Continue,
    /// Keep it until a later callback continues.
    Pause,
}

/// Bytes read from a body buffer in one call: each call copies into the guest's memory.
const PIECE: usize = 64 * 1024;

/// How far one half has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    /// No head yet.
    New,
    /// The body is being inspected and kept by the host.
    Collect {
        /// Bytes inspected.
        seen: usize,
        /// Length of the body where what follows it is a tunnel.
        length: Option<usize>,
    },
    /// Decided, or not to be inspected: all that follows may pass.
    Passed,
    /// Decided, and the host said that nothing follows.
    Over,
    /// The upstream answered without the rest of this half, which was not inspected: it stays.
    Cut,
}

/// How a stream was ended by us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    /// With an answer, before the response's head came: response callbacks tell of our answer.
    Answered,
    /// With a reset, or in the middle of a response: whatever still comes is not ours.
    Cut,
}

/// Why a stream cannot be inspected as it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Failure {
    /// A host call failed.
    Host(HostError),
    /// The host reported a body that it then did not give.
    ShortBody,
    /// The host's callbacks came in an order that makes no sense.
    Order(&'static str),
    /// There is no rule set.
    NoRules,
    /// See [`Denial::AmbiguousUpgrade`].
    AmbiguousUpgrade,
}

/// One stream.
#[derive(Debug)]
pub struct Stream<R: Rules> {
    filter: Rc<Filter<R>>,
    context: u32,
    transaction: Option<R::Transaction>,
    unique_id: String,
    protocol: Vec<u8>,
    is_connect: bool,
    is_head: bool,
    request: Side,
    response: Side,
    request_head: Option<SharedHead>,
    response_head: Option<SharedHead>,
    /// The response's head is on its way to the client.
    committed: bool,
    ended: Option<Ended>,
    /// An answer of ours that waits.
    delay: Option<SharedDelay>,
    logged: bool,
}

impl<R: Rules> Stream<R> {
    /// A stream of a filter, under the host's number for it.
    pub fn new(filter: Rc<Filter<R>>, context: u32) -> Self {
        Self {
            filter,
            context,
            transaction: None,
            unique_id: String::new(),
            protocol: Vec::new(),
            is_connect: false,
            is_head: false,
            request: Side::New,
            response: Side::New,
            request_head: None,
            response_head: None,
            committed: false,
            ended: None,
            delay: None,
            logged: false,
        }
    }

    /// The stream is over: phase 5.
    pub fn on_log(&mut self, host: &dyn Host) {
        if std::mem::replace(&mut self.logged, true) {
            return;
        }
        self.free_heads();
        self.delay = None;
        let Some(mut transaction) = self.transaction.take() else {
            if self.request == Side::New {
                self.filter.count(host, Count::RejectedBeforeFilter);
            }
            return;
        };
        transaction.finish();
        log::matches(host, &mut transaction);
        if transaction.take_work_exceeded() {
            self.filter.count(host, Count::WorkLimit);
        }
    }

    /// More of a body, or its end. `size`: bytes in the host's buffer, all that was kept included.
    fn collect(&mut self, host: &dyn Host, direction: Direction, size: usize, end: bool) -> Flow {
        let Side::Collect { mut seen, length } = *self.side(direction) else {
            return self.uncollected(host, direction, size);
        };
        let wanted = length.map_or(size, |length| size.min(length));
        // A last callback without bytes may report none although some are kept.
        if wanted < seen && size != 0 {
            return self.fail(
                host,
                direction,
                Failure::Order("a kept body became shorter"),
            );
        }
        while seen < wanted {
            let piece = PIECE.min(wanted.saturating_sub(seen));
            let bytes = match host.body(direction, seen, piece) {
                Ok(bytes) => bytes,
                Err(error) => return self.fail(host, direction, Failure::Host(error)),
            };
            let bytes = bytes.get(..piece).unwrap_or(&bytes);
            if bytes.is_empty() {
                return self.fail(host, direction, Failure::ShortBody);
            }
            seen = seen.saturating_add(bytes.len());
            *self.side(direction) = Side::Collect { seen, length };
            let step = self.step(host, |transaction| match direction {
                Direction::Request => transaction.request_body(bytes),
                Direction::Response => transaction.response_body(bytes),
            });
            match self.decide(host, direction, step) {
                Decision::Ended(flow) => return flow,
                Decision::Skip => return self.let_body_on(host, direction, false),
                Decision::Inspect => {}
            }
        }
        if end || length.is_some_and(|length| seen >= length) {
            return self.end_collected(host, direction, end);
        }
        Flow::Pause
    }

    /// A body or trailers callback outside [`Side::Collect`].
    fn uncollected(&mut self, host: &dyn Host, direction: Direction, size: usize) -> Flow {
        match *self.side(direction) {
            Side::New => self.fail(host, direction, Failure::Order("a body before its head")),
            Side::Over if size > 0 => {
                self.fail(host, direction, Failure::Order("more body after its end"))
            }
            Side::Collect { .. } | Side::Passed | Side::Over => Flow::Continue,
            Side::Cut => Flow::Pause,
        }
    }

    /// All of a body was inspected: decides its phase and lets it pass or not. `end`: nothing
    /// follows it.
    fn end_collected(&mut self, host: &dyn Host, direction: Direction, end: bool) -> Flow {
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
        flow
    }

    /// Decides the phase of a body.
    fn end_step(&mut self, host: &dyn Host, direction: Direction) -> Option<Step> {
        self.step(host, |transaction| match direction {
            Direction::Request => transaction.end_request_body(),
            Direction::Response => transaction.end_response_body(),
        })
    }

    /// There is no body (`end`), or it is not wanted: decides its phase and lets it pass or not.
    fn end_head(&mut self, host: &dyn Host, direction: Direction, end: bool) -> Flow {
        let step = self.end_step(host, direction);
        match self.decide(host, direction, step) {
            Decision::Ended(flow) => flow,
            Decision::Skip | Decision::Inspect => {
                let flow = self.pass(direction);
                if end {
                    *self.side(direction) = Side::Over;
                }
                flow
            }
        }
    }

    /// The rest of the request is not inspected and stays where it is.
    fn cut_request(&mut self) {
        self.request = Side::Cut;
        if let Some(head) = &self.request_head {
            head.set(Head::Free);
        }
    }

    fn pass(&mut self, direction: Direction) -> Flow {
        *self.side(direction) = Side::Passed;
        if let Some(head) = self.head(direction) {
            head.set(Head::Free);
        }
        if direction == Direction::Response {
            self.committed = true;
        }
        Flow::Continue
    }

    /// Runs one step of the transaction and logs what it matched.
    fn step(
        &mut self,
        host: &dyn Host,
        run: impl FnOnce(&mut R::Transaction) -> Step,
    ) -> Option<Step> {
        let transaction = self.transaction.as_mut()?;
        let step = run(transaction);
        log::matches(host, transaction);
        if transaction.take_work_exceeded() {
            self.filter.count(host, Count::WorkLimit);
            if step.interruption.is_none() {
                self.filter
                    .count(host, Count::Uninspected(Uninspected::WorkLimit));
            }
        }
        Some(step)
    }

    fn decide(&mut self, host: &dyn Host, direction: Direction, step: Option<Step>) -> Decision {
        match step {
            None => Decision::Ended(self.fail(
                host,
                direction,
                Failure::Order("a body without its head"),
            )),
            Some(Step {
                interruption: Some(interruption),
                ..
            }) => Decision::Ended(self.interrupt(host, direction, interruption)),
            Some(Step {
                body: BodyPlan::Skip,
                ..
            }) => Decision::Skip,
            Some(Step {
                body: BodyPlan::Inspect,
                ..
            }) => Decision::Inspect,
        }
    }

    fn interrupt(&mut self, host: &dyn Host, direction: Direction, by: Interruption) -> Flow {
        self.filter.count(host, Count::Interruption(&by));
        if by.rule_id == 0 {
            log::limit(host, &by, &self.unique_id);
        }
        let pause = self.transaction.as_ref().map_or(0, Inspect::pause);
        let denial = Denial::Interruption(by);
        match self.end_later(host, direction, &denial, pause) {
            Some(flow) => flow,
            None => self.end(host, direction, &denial),
        }
    }

    /// Lets the answer wait, so many milliseconds; `None` if it cannot.
    fn end_later(
        &mut self,
        host: &dyn Host,
        direction: Direction,
        denial: &Denial,
        pause: u32,
    ) -> Option<Flow> {
        if pause == 0 || self.committed || !self.filter.holding().start_ticking(host) {
            return None;
        }
        let delayed = Delayed::new(
            self.context,
            direction,
            host.now()
                .saturating_add(u64::from(pause).saturating_mul(1_000_000)),
            self.denial_reply(denial),
            denial.drops(),
        );
        self.delay = Some(self.filter.delays().wait(delayed)?);
        self.tell_verdict(host, denial);
        self.free_heads();
        self.ended = Some(match direction {
            Direction::Request => Ended::Answered,
            Direction::Response => Ended::Cut,
        });
        Some(Flow::Pause)
    }

    /// Access logs show these; a host that does not keep them changes no verdict.
    fn tell_verdict(&self, host: &dyn Host, denial: &Denial) {
        let _: Result<(), _> = host.set_property(&["parapet.verdict"], b"deny");
        let rule = denial.rule_id().to_string();
        let _: Result<(), _> = host.set_property(&["parapet.rule"], rule.as_bytes());
    }

    /// The policy for what cannot be inspected.
    fn fail(&mut self, host: &dyn Host, direction: Direction, failure: Failure) -> Flow {
        let policy = self.filter.settings().on_error;
        self.fail_under(policy, host, direction, failure)
    }

    fn fail_under(
        &mut self,
        policy: OnError,
        host: &dyn Host,
        direction: Direction,
        failure: Failure,
    ) -> Flow {
        self.filter.count(host, Count::HostFailure);
        log::failure(
            host,
            &format!("{failure:?}"),
            direction,
            policy,
            &self.unique_id,
        );
        match policy {
            OnError::Deny => {
                let denial = match failure {
                    Failure::AmbiguousUpgrade => Denial::AmbiguousUpgrade,
                    _ => Denial::Failure,
                };
                self.end(host, direction, &denial)
            }
            OnError::Allow => {
                self.filter
                    .count(host, Count::Uninspected(Uninspected::Failure));
                self.pass(direction)
            }
        }
    }

    /// Ends the stream: with an answer while there is still one to give, else with a reset.
    fn end(&mut self, host: &dyn Host, direction: Direction, denial: &Denial) -> Flow {
        let committed = self.committed;
        self.tell_verdict(host, denial);
        let reset = || host.close(direction).is_ok();
        let answer = || {
            let reply = self.denial_reply(denial);
            host.reply(&reply).is_ok()
        };
        let answered = if committed || denial.drops() {
            // A host without resets still takes an answer, which cuts a response under way.
            !reset() && answer() && !committed
        } else {
            let answered = answer();
            if !answered {
                reset();
            }
            answered
        };
        self.free_heads();
        let ours_follows = answered && direction == Direction::Request;
        self.ended = Some(if ours_follows {
            Ended::Answered
        } else {
            Ended::Cut
        });
        Flow::Pause
    }

    /// Takes over what the watchdog did since the last callback.
    fn notice_watchdog(&mut self) {
        let is = |head: &Option<SharedHead>| head.as_ref().map(|head| head.get());
        if is(&self.request_head) == Some(Head::Refused) && self.ended.is_none() {
            self.ended = Some(Ended::Answered);
        }
        match is(&self.response_head) {
            Some(Head::Refused) if self.ended.is_none() => self.ended = Some(Ended::Cut),
            Some(Head::Resumed { .. }) => self.committed = true,
            _ => {}
        }
    }

    /// Tells the filter what a body or trailers callback shows about the host.
    fn notice_body(&self, host: &dyn Host, direction: Direction, delivered: bool) {
        let head = match direction {
            Direction::Request => &self.request_head,
            Direction::Response => &self.response_head,
        };
        if let Some(head) = head {
            self.filter.holding().body_seen(host, head.get(), delivered);
        }
    }

    /// Leaves nothing for the watchdog: it must not resume what has been decided.
    fn free_heads(&self) {
        for head in [&self.request_head, &self.response_head]
            .into_iter()
            .flatten()
        {
            head.set(Head::Free);
        }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    fn head(&self, direction: Direction) -> Option<&SharedHead> {
        match direction {
            Direction::Request => self.request_head.as_ref(),
            Direction::Response => self.response_head.as_ref(),
        }
    }
}

enum Decision {
    Ended(Flow),
    Skip,
    Inspect,
}

#[cfg(test)]
mod tests;
