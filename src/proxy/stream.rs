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
//! * no byte of a body under inspection goes on before its phase is decided; of one that is larger
//!   than the host keeps (see `collect`), not the last;
//! * the end of a half is never answered with a pause, unless an answer of ours was sent;
//! * a body changes only while its head waits to say its new length (see `effects`).

mod collect;
mod effects;
mod report;
mod request;
mod response;

use std::rc::Rc;

use self::collect::Collected;
use super::delay::{Delayed, SharedDelay};
use super::denial::{Denial, DenialPage};
use super::filter::Filter;
use super::holding::{Head, SharedHead};
use super::host::{Direction, Host, HostError, Level};
use super::inspect::{Inspect, Rules};
use super::log;
use super::metrics::{Count, ProfileMetrics, Uninspected};
use super::settings::OnError;
use super::vm::Claim;
use crate::engine::{BodyPlan, Connection, Interruption, Step, UnixNanos};

/// What a callback tells the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Flow {
    /// Go on with everything there is.
    Continue,
    /// Keep it until a later callback continues.
    Pause,
}

/// How far one half has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    /// No head yet.
    New,
    /// The body is being inspected.
    Collect(Collected),
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
    /// See [`Filter::is_full`].
    Overload,
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
    /// Apart, because a stream outlives it, and some have none.
    transaction: Option<Box<R::Transaction>>,
    /// What the transaction holds.
    claim: Claim,
    /// Who talks to whom, once there is a head.
    connection: Option<Rc<Connection>>,
    /// What denials of its profile look like.
    page: Rc<DenialPage>,
    /// What is counted and measured of its profile.
    metrics: Rc<ProfileMetrics>,
    /// How long the engine was at work on it, if that is measured.
    engine_time: Option<UnixNanos>,
    protocol: Vec<u8>,
    is_connect: bool,
    is_head: bool,
    /// The body of the request is one that ends, and no stream.
    request_is_message: bool,
    /// That of the response is.
    response_is_message: bool,
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
            claim: filter.claim(),
            page: Rc::clone(filter.page()),
            metrics: Rc::clone(filter.metrics()),
            engine_time: None,
            filter,
            context,
            transaction: None,
            connection: None,
            protocol: Vec::new(),
            is_connect: false,
            is_head: false,
            request_is_message: false,
            response_is_message: false,
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
        self.filter.holding().new_turn();
        self.free_heads();
        self.delay = None;
        if self.transaction.is_none() {
            if self.request == Side::New {
                self.count(host, Count::RejectedBeforeFilter);
            }
            return;
        }
        self.timed(host, Inspect::finish);
        if self.transaction.as_ref().is_some_and(|it| it.has_news()) {
            self.count_limits(host, false);
            self.report(host);
        }
        if let Some(transaction) = self.transaction.take() {
            self.measure(host, &transaction);
            self.filter.deliver(host, &transaction);
        }
        self.claim.set(0);
        self.filter.note_in_flight(host);
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
                    self.observe(host, direction, 0, 0, true);
                    *self.side(direction) = Side::Over;
                }
                self.tell_passed(host);
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
        let step = self.timed(host, run)?;
        if self.transaction.as_ref().is_some_and(|it| it.has_news()) {
            self.count_limits(host, step.interruption.is_none());
            self.report(host);
        }
        Some(step)
    }

    /// Lets the engine work, writes what the debug log wants, and takes the time where it is measured.
    fn timed<T>(
        &mut self,
        host: &dyn Host,
        run: impl FnOnce(&mut R::Transaction) -> T,
    ) -> Option<T> {
        let begun = self.engine_time.map(|before| (before, host.now()));
        let transaction = self.transaction.as_mut()?;
        let done = run(transaction);
        for line in transaction.debug_lines() {
            host.log(Level::Info, &line);
        }
        self.engine_time =
            begun.map(|(before, begun)| before.saturating_add(host.now().saturating_sub(begun)));
        Some(done)
    }

    /// How lines in the log name it.
    fn ids(&self) -> String {
        let (unique_id, request_id) = self.names();
        log::ids(&unique_id, request_id)
    }

    /// The names of the transaction and of the request, empty where they have none.
    fn names(&self) -> (String, &[u8]) {
        self.connection
            .as_ref()
            .map_or((String::new(), &[]), |connection| {
                (connection.unique_id.to_string(), &connection.request_id)
            })
    }

    /// Notes what the transaction holds: at the end of each callback, and before it is asked whether
    /// that is too much.
    fn claim_held(&mut self) {
        if let Some(transaction) = &self.transaction {
            self.claim.set(transaction.held_bytes());
        }
    }

    fn count(&self, host: &dyn Host, count: Count<'_>) {
        self.filter.count_in(host, &self.metrics, count);
    }

    /// Whether there is no more memory, not even without the shadow.
    fn is_full(&mut self, host: &dyn Host) -> bool {
        self.claim_held();
        if !self.filter.is_full() {
            return false;
        }
        self.drop_shadow(host);
        self.filter.is_full()
    }

    fn drop_shadow(&mut self, host: &dyn Host) {
        if self
            .transaction
            .as_deref_mut()
            .is_some_and(Inspect::drop_shadow)
        {
            self.claim_held();
            self.count(host, Count::ShadowDropped);
        }
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
        self.count(host, Count::Interruption(&by));
        if by.rule_id == 0 {
            log::limit(host, &by, &self.ids());
        }
        let pause = self.transaction.as_deref().map_or(0, Inspect::pause);
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

    /// The policy for what cannot be inspected.
    fn fail(&mut self, host: &dyn Host, direction: Direction, failure: Failure) -> Flow {
        let policy = self.filter.settings().on_error;
        self.fail_under(policy, host, direction, failure)
    }

    /// Too much memory is held: the stream ends, or goes on without its transaction.
    fn overload(&mut self, host: &dyn Host, direction: Direction) -> Flow {
        let policy = self.filter.settings().on_overload;
        if policy == OnError::Allow {
            self.transaction = None;
            self.claim.set(0);
        }
        self.fail_under(policy, host, direction, Failure::Overload)
    }

    fn fail_under(
        &mut self,
        policy: OnError,
        host: &dyn Host,
        direction: Direction,
        failure: Failure,
    ) -> Flow {
        let (count, reason) = match failure {
            Failure::Overload => (Count::Overload, Uninspected::Overload),
            _ => (Count::HostFailure, Uninspected::Failure),
        };
        self.count(host, count);
        log::failure(
            host,
            &format!("{failure:?}"),
            direction,
            policy,
            &self.ids(),
        );
        match policy {
            OnError::Deny => {
                let denial = match failure {
                    Failure::AmbiguousUpgrade => Denial::AmbiguousUpgrade,
                    Failure::Overload => Denial::Overload,
                    _ => Denial::Failure,
                };
                self.end(host, direction, &denial)
            }
            OnError::Allow => {
                self.count(host, Count::Uninspected(reason));
                self.tell_uninspected(host);
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
        let head = head.as_ref().map_or(Head::Free, |head| head.get());
        if !matches!(head, Head::Resumed { .. }) {
            self.filter.holding().new_turn();
        }
        self.filter.holding().body_seen(host, head, delivered);
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

    /// Whether a body ends, and is no stream.
    fn is_message(&self, direction: Direction) -> bool {
        match direction {
            Direction::Request => self.request_is_message,
            Direction::Response => self.response_is_message,
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
