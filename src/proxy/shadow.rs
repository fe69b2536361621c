//! A second rule set that runs on the same traffic without effect.
//!
//! It has a transaction of its own, with its own limits, variables and collections, so that it can
//! change no verdict. It sees what the first rule set sees; a body that the first does not want
//! passes as it comes, and the shadow sees it pass. Once the first rule set has stopped a request,
//! the shadow sees no more of it.

use std::rc::Rc;

use super::collector::Destination;
use super::host::Direction;
use super::inspect::{Inspect, NoCollectorUrl, Rules};
use crate::audit::Random;
use crate::engine::{
    BodyEdits, BodyPlan, Connection, Interruption, LimitsReached, ReplacedBody, RequestHead,
    ResponseHead, RuleMatch, Step,
};

/// A rule set, and perhaps one in its shadow.
#[derive(Clone, Debug)]
pub struct Shadowed<R> {
    rules: R,
    shadow: Option<(Rc<str>, R)>,
}

impl<R> Shadowed<R> {
    /// A rule set alone.
    pub fn alone(rules: R) -> Self {
        Self {
            rules,
            shadow: None,
        }
    }

    /// A rule set and another one of that name in its shadow. The two must not share persistent
    /// collections.
    pub fn new(rules: R, name: &str, shadow: R) -> Self {
        Self {
            rules,
            shadow: Some((name.into(), shadow)),
        }
    }

    /// The rules that decide.
    pub fn rules(&self) -> &R {
        &self.rules
    }

    /// The name and the rules of the shadow.
    pub fn shadow(&self) -> Option<(&str, &R)> {
        self.shadow.as_ref().map(|(name, rules)| (&**name, rules))
    }
}

impl<R: Rules> Rules for Shadowed<R> {
    type Transaction = ShadowedTransaction<R::Transaction>;

    fn begin(&self, connection: &Rc<Connection>) -> Self::Transaction {
        let shadow = self.shadow.as_ref().map(|(name, rules)| {
            Box::new(Shadow {
                name: Rc::clone(name),
                transaction: rules.begin(connection),
                request: Half::default(),
                response: Half::default(),
                verdict: None,
                told: false,
            })
        });
        ShadowedTransaction {
            rules: self.rules.begin(connection),
            wanted: false,
            stopped: false,
            shadow,
        }
    }

    /// A shadow writes no records.
    fn collector(&self) -> Option<Result<Destination, NoCollectorUrl>> {
        self.rules.collector()
    }

    fn reads_server(&self) -> bool {
        let shadow = self.shadow.as_ref();
        self.rules.reads_server() || shadow.is_some_and(|(_, rules)| rules.reads_server())
    }
}

/// A transaction of [`Shadowed`] rules.
#[derive(Debug)]
pub struct ShadowedTransaction<T> {
    rules: T,
    /// Whether the rules wanted the body at the last step.
    wanted: bool,
    /// The rules have interrupted.
    stopped: bool,
    /// Apart, because hardly any has one.
    shadow: Option<Box<Shadow<T>>>,
}

#[derive(Debug)]
struct Shadow<T> {
    name: Rc<str>,
    transaction: T,
    request: Half,
    response: Half,
    /// What it would have done, until that is told.
    verdict: Option<Interruption>,
    told: bool,
}

/// One half, as the shadow sees it.
#[derive(Clone, Copy, Debug, Default)]
struct Half {
    /// It wants the body.
    wants: bool,
    /// Its phase has run.
    over: bool,
}

/// What a shadow would have done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShadowVerdict {
    /// The name of its rules.
    pub name: Rc<str>,
    /// Its interruption.
    pub interruption: Interruption,
}

impl<T: Inspect> Shadow<T> {
    /// Takes over what a step says; it counts once.
    fn note(&mut self, direction: Direction, step: Step) {
        let half = match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        };
        half.wants = step.body == BodyPlan::Inspect && step.interruption.is_none();
        if let Some(interruption) = step.interruption
            && !std::mem::replace(&mut self.told, true)
        {
            self.verdict = Some(interruption);
        }
    }

    fn half(&self, direction: Direction) -> Half {
        match direction {
            Direction::Request => self.request,
            Direction::Response => self.response,
        }
    }

    fn body(&mut self, direction: Direction, bytes: &[u8]) {
        if self.half(direction).wants && !bytes.is_empty() {
            let step = match direction {
                Direction::Request => self.transaction.request_body(bytes),
                Direction::Response => self.transaction.response_body(bytes),
            };
            self.note(direction, step);
        }
    }

    fn end(&mut self, direction: Direction) {
        if self.half(direction).over {
            return;
        }
        let step = match direction {
            Direction::Request => self.transaction.end_request_body(),
            Direction::Response => self.transaction.end_response_body(),
        };
        self.note(direction, step);
        let over = Half {
            wants: false,
            over: true,
        };
        match direction {
            Direction::Request => self.request = over,
            Direction::Response => self.response = over,
        }
    }
}

impl<T: Inspect> ShadowedTransaction<T> {
    /// Notes what the rules said, and lets the shadow do the same unless they have stopped it all.
    fn step(&mut self, step: Step, follow: impl FnOnce(&mut Shadow<T>)) -> Step {
        let stopped_before = std::mem::replace(&mut self.stopped, step.interruption.is_some());
        self.wanted = step.body == BodyPlan::Inspect;
        if let Some(shadow) = self.shadow.as_mut().filter(|_| !stopped_before) {
            follow(shadow);
        }
        step
    }

    /// The rules' half is over. The shadow's is, too, unless the rules wanted nothing of a body
    /// that it still waits for.
    fn end(&mut self, direction: Direction, step: Step, wanted: bool) -> Step {
        self.step(step, |shadow| {
            if wanted || !shadow.half(direction).wants {
                shadow.end(direction);
            }
        })
    }
}

impl<T: Inspect> Inspect for ShadowedTransaction<T> {
    fn request_head(&mut self, head: &RequestHead<'_>) -> Step {
        let step = self.rules.request_head(head);
        self.step(step, |shadow| {
            let step = shadow.transaction.request_head(head);
            shadow.note(Direction::Request, step);
        })
    }

    fn request_body(&mut self, bytes: &[u8]) -> Step {
        let step = self.rules.request_body(bytes);
        self.step(step, |shadow| shadow.body(Direction::Request, bytes))
    }

    fn end_request_body(&mut self) -> Step {
        let wanted = self.wanted;
        let step = self.rules.end_request_body();
        self.end(Direction::Request, step, wanted)
    }

    fn response_head(&mut self, head: &ResponseHead<'_>) -> Step {
        let step = self.rules.response_head(head);
        self.step(step, |shadow| {
            shadow.end(Direction::Request);
            let step = shadow.transaction.response_head(head);
            shadow.note(Direction::Response, step);
        })
    }

    fn response_body(&mut self, bytes: &[u8]) -> Step {
        let step = self.rules.response_body(bytes);
        self.step(step, |shadow| shadow.body(Direction::Response, bytes))
    }

    fn end_response_body(&mut self) -> Step {
        let wanted = self.wanted;
        let step = self.rules.end_response_body();
        self.end(Direction::Response, step, wanted)
    }

    fn streams_large_body(&self, direction: Direction) -> bool {
        self.rules.streams_large_body(direction)
    }

    fn body_limit(&self, direction: Direction) -> usize {
        self.rules.body_limit(direction)
    }

    fn held_bytes(&self) -> usize {
        let shadow = self.shadow.as_ref();
        let shadow = shadow.map_or(0, |shadow| shadow.transaction.held_bytes());
        self.rules.held_bytes().saturating_add(shadow)
    }

    fn pause(&self) -> u32 {
        self.rules.pause()
    }

    /// The shadow's own limits show in its verdict and its matches.
    fn take_limits_reached(&mut self) -> LimitsReached {
        if let Some(shadow) = &mut self.shadow {
            shadow.transaction.take_limits_reached();
        }
        self.rules.take_limits_reached()
    }

    fn replaced_body(&self, direction: Direction) -> Option<&ReplacedBody> {
        self.rules.replaced_body(direction)
    }

    fn response_edits(&self) -> &BodyEdits {
        self.rules.response_edits()
    }

    fn wants_plain_response(&self) -> bool {
        self.rules.wants_plain_response()
    }

    fn server_signature(&self) -> Option<&[u8]> {
        self.rules.server_signature()
    }

    fn finish(&mut self) {
        self.rules.finish();
        if let Some(shadow) = &mut self.shadow {
            if !self.stopped {
                shadow.end(Direction::Request);
            }
            shadow.transaction.finish();
        }
    }

    fn has_news(&self) -> bool {
        let shadow = self.shadow.as_ref();
        self.rules.has_news()
            || shadow
                .is_some_and(|shadow| shadow.verdict.is_some() || shadow.transaction.has_news())
    }

    fn drain_matches(&mut self) -> Vec<RuleMatch> {
        self.rules.drain_matches()
    }

    fn log_lines(&self, matches: &[RuleMatch]) -> Vec<Vec<u8>> {
        self.rules.log_lines(matches)
    }

    /// The shadow has none.
    fn debug_lines(&mut self) -> Vec<Vec<u8>> {
        self.rules.debug_lines()
    }

    fn set_debug_log_level(&mut self, level: u8) {
        self.rules.set_debug_log_level(level);
    }

    /// The shadow has none: its matches stand in the error log, marked.
    fn audit_record(&self, random: &mut Random<'_>) -> Option<Vec<u8>> {
        self.rules.audit_record(random)
    }

    fn audit_destination(&self) -> Option<Destination> {
        self.rules.audit_destination()
    }

    fn tx_variable(&self, name: &[u8]) -> Option<&[u8]> {
        self.rules.tx_variable(name)
    }

    fn observes(&self, direction: Direction) -> bool {
        let shadow = self.shadow.as_ref();
        !self.stopped && shadow.is_some_and(|shadow| shadow.half(direction).wants)
    }

    fn observe(&mut self, direction: Direction, bytes: &[u8], end: bool) {
        if let Some(shadow) = self.shadow.as_mut().filter(|_| !self.stopped) {
            shadow.body(direction, bytes);
            if end {
                shadow.end(direction);
            }
        }
    }

    /// Nothing was stopped: no line says so.
    fn drain_shadow(&mut self) -> Vec<(RuleMatch, Vec<u8>)> {
        let Some(shadow) = &mut self.shadow else {
            return Vec::new();
        };
        let mut matches = shadow.transaction.drain_matches();
        matches.retain(|matched| matched.log);
        if matches.is_empty() {
            return Vec::new();
        }
        for matched in &mut matches {
            matched.interruption = None;
        }
        let lines = shadow.transaction.log_lines(&matches);
        let logged = matches.into_iter().zip(lines).map(|(matched, mut line)| {
            line.extend_from_slice(b" [shadow \"");
            for byte in shadow.name.bytes() {
                line.extend(std::ascii::escape_default(byte));
            }
            line.extend_from_slice(b"\"]");
            (matched, line)
        });
        logged.collect()
    }

    fn drop_shadow(&mut self) -> bool {
        self.shadow.take().is_some()
    }

    fn take_shadow_verdict(&mut self) -> Option<ShadowVerdict> {
        let shadow = self.shadow.as_mut()?;
        let interruption = shadow.verdict.take()?;
        Some(ShadowVerdict {
            name: Rc::clone(&shadow.name),
            interruption,
        })
    }
}
