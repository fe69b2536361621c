//! A transaction: one request and its response, step by step.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::api::{
    BodyEdits, BodyPlan, Clock, Connection, Interruption, LimitsReached, LogContext, ReplacedBody,
    RequestHead, ResponseHead, RuleMatch, Step,
};
use super::audit::may_audit;
use super::collection::{CollectionStore, MemoryCollections};
use super::perf::{Spent, is_perf};
use super::record::Record;
use super::request_body::RequestBody;
use super::response::ResponseBody;
use super::scratch::{Ablation, Scratch};
use super::spare::Spares;
use super::state::State;
use super::time::is_time;
use super::trace::{Evaluation, Trace};
use crate::action::Phase;
use crate::matching;
use crate::program::{EngineMode, LargeBody, Program};
use crate::variable::Variable;

/// The rules of one configuration, ready for transactions: one per VM and profile.
pub struct Waf {
    pub(super) program: Arc<Program>,
    pub(super) clock: Rc<dyn Clock>,
    pub(super) collections: Rc<dyn CollectionStore>,
    scratch: RefCell<Scratch>,
    /// Memory of transactions that are over.
    pub(super) spares: Rc<Spares>,
    /// Parts are switched off.
    is_ablated: bool,
    pub(super) asks: Asks,
}

/// What rules and settings ask of a transaction beyond what it needs itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asks {
    /// When the transaction began (TIME…, DURATION).
    pub start: bool,
    /// How long things take (PERF_…).
    pub durations: bool,
    /// A transaction may want an audit record.
    pub audit: bool,
}

impl Asks {
    fn new(program: &Program) -> Self {
        let reads = |fits: fn(Variable) -> bool| {
            let mut all = Variable::ALL.iter().copied().filter(|&one| fits(one));
            all.any(|one| program.reads.contains(one))
        };
        let audit = may_audit(program);
        Self {
            start: audit || reads(|one| is_time(one) || one == Variable::Duration),
            durations: reads(is_perf),
            audit,
        }
    }
}

impl Waf {
    /// Takes a program into service, with persistent collections of its own in memory.
    pub fn new(program: Arc<Program>, clock: Rc<dyn Clock>) -> Rc<Self> {
        Self::with_collections(program, clock, Rc::new(MemoryCollections::default()))
    }

    /// The same with a place for persistent collections, which other rules may share.
    pub fn with_collections(
        program: Arc<Program>,
        clock: Rc<dyn Clock>,
        collections: Rc<dyn CollectionStore>,
    ) -> Rc<Self> {
        Rc::new(Self {
            asks: Asks::new(&program),
            program,
            clock,
            collections,
            scratch: RefCell::default(),
            spares: Rc::default(),
            is_ablated: false,
        })
    }

    /// A firewall with parts switched off, to show that they change no verdict. Without them it has
    /// more to do, so there is no limit of work.
    pub fn ablated(program: Arc<Program>, clock: Rc<dyn Clock>, ablation: Ablation) -> Rc<Self> {
        let scratch = RefCell::new(Scratch {
            ablation,
            ..Scratch::default()
        });
        Rc::new(Self {
            asks: Asks::new(&program),
            program,
            clock,
            collections: Rc::new(MemoryCollections::default()),
            scratch,
            spares: Rc::default(),
            is_ablated: ablation != Ablation::default(),
        })
    }

    /// Bytes of memory that searches and evaluation keep from one transaction to the next.
    pub fn held_bytes(&self) -> usize {
        self.scratch
            .try_borrow()
            .map_or(0, |scratch| scratch.held_bytes())
            .saturating_add(self.spares.held_bytes())
    }

    /// Whether a transaction may want an audit record.
    pub fn may_audit(&self) -> bool {
        self.asks.audit
    }

    /// The rules.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }
}

impl std::fmt::Debug for Waf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waf")
            .field("rules", &self.program.rules.len())
            .finish_non_exhaustive()
    }
}

/// How far a transaction has come. Steps may be left out (there was no body, the backend answered
/// early), never repeated or taken backwards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stage {
    New,
    /// Phase 1 has run.
    RequestHead,
    /// Phase 2 has run.
    RequestBody,
    /// Phase 3 has run.
    ResponseHead,
    /// Phase 4 has run.
    ResponseBody,
    /// Phase 5 has run.
    Finished,
}

/// One request and its response on their way through the phases.
///
/// Each step says what to do with the message; once there is an interruption every later step
/// repeats it. A step out of order does nothing and repeats the last answer: the host decides what
/// its own confusion means.
pub struct Transaction {
    waf: Rc<Waf>,
    state: State,
    stage: Stage,
    request_body: Option<RequestBody>,
    response_body: Option<ResponseBody>,
}

impl Transaction {
    /// Begins a transaction.
    pub fn new(waf: &Rc<Waf>, connection: impl Into<Rc<Connection>>) -> Self {
        let mut state = State::new(waf, connection.into());
        if waf.is_ablated {
            state.work.lift_limit();
        }
        let level = waf.program.settings.debug_log_level;
        if level > 0 {
            state.set_debug_log_level(level);
        }
        Self {
            waf: Rc::clone(waf),
            state,
            stage: Stage::New,
            request_body: None,
            response_body: None,
        }
    }

    /// The request line and headers: fills variables, runs phase 1.
    pub fn request_head(&mut self, head: &RequestHead<'_>) -> Step {
        if self.stage != Stage::New {
            return self.step();
        }
        self.stage = Stage::RequestHead;
        self.state.fill_request_head(head);
        self.run(Phase::RequestHeaders);
        if self.state.interruption.is_none() {
            self.request_body = self.state.request_body(head);
        }
        self.step()
    }

    /// Bytes of the request body, in order.
    pub fn request_body(&mut self, chunk: &[u8]) -> Step {
        if self.stage != Stage::RequestHead || self.state.interruption.is_some() {
            return self.step();
        }
        if let Some(body) = &mut self.request_body {
            if body.feed(chunk, &mut self.state) {
                // Over the limit: refused, or decided on what came so far.
                self.end_request_body()
            } else {
                self.step()
            }
        } else {
            self.step()
        }
    }

    /// The request is complete: reads the body to its end, runs phase 2.
    pub fn end_request_body(&mut self) -> Step {
        if self.stage != Stage::RequestHead {
            return self.step();
        }
        self.stage = Stage::RequestBody;
        if let Some(body) = self.request_body.take() {
            body.finish(&mut self.state);
        }
        self.run(Phase::RequestBody);
        self.step()
    }

    /// The status and headers of the response: fills variables, runs phase 3.
    ///
    /// A request that was not complete is decided on what came of it first: a backend may answer
    /// early.
    pub fn response_head(&mut self, head: &ResponseHead<'_>) -> Step {
        if self.stage == Stage::RequestHead {
            let _ = self.end_request_body();
        }
        if self.stage != Stage::RequestBody || self.state.interruption.is_some() {
            return self.step();
        }
        self.stage = Stage::ResponseHead;
        self.state.begin_response_work();
        self.state.fill_response_head(head);
        self.run(Phase::ResponseHeaders);
        if self.state.interruption.is_none() {
            self.response_body = self.state.response_body(head);
        }
        self.step()
    }

    /// Bytes of the response body, in order.
    pub fn response_body(&mut self, chunk: &[u8]) -> Step {
        if self.stage != Stage::ResponseHead || self.state.interruption.is_some() {
            return self.step();
        }
        if let Some(body) = &mut self.response_body {
            if body.feed(chunk, &mut self.state) {
                self.end_response_body()
            } else {
                self.step()
            }
        } else {
            self.step()
        }
    }

    /// The response is complete: runs phase 4.
    pub fn end_response_body(&mut self) -> Step {
        if self.stage != Stage::ResponseHead {
            return self.step();
        }
        self.stage = Stage::ResponseBody;
        if let Some(body) = self.response_body.take() {
            body.finish(&mut self.state);
        }
        self.run(Phase::ResponseBody);
        self.step()
    }

    /// Everything is over: runs phase 5, once.
    pub fn finish(&mut self) {
        if self.stage == Stage::Finished {
            return;
        }
        self.stage = Stage::Finished;
        self.request_body = None;
        self.response_body = None;
        if let Some(interruption) = &self.state.interruption {
            // Phase 5 sees what the client sees, as in v2.
            let status = interruption.status.to_string();
            self.state.set(Variable::ResponseStatus, status.as_bytes());
        }
        self.run(Phase::Logging);
    }

    /// What there is to record of it, once it is finished.
    pub fn record(&self) -> Record {
        match self.waf.scratch.try_borrow_mut() {
            Ok(mut scratch) => self.state.record(&mut scratch.matching),
            Err(_) => self.state.record(&mut matching::Scratch::new()),
        }
    }

    /// Whether the audit log wants a record of it, once it is finished (SecAuditEngine,
    /// SecAuditLogRelevantStatus, `auditlog`, `ctl:auditEngine`).
    pub fn is_audited(&self) -> bool {
        match self.waf.scratch.try_borrow_mut() {
            Ok(mut scratch) => self.state.is_audited(&mut scratch.matching),
            Err(_) => self.state.is_audited(&mut matching::Scratch::new()),
        }
    }

    /// Whether [`Self::drain_matches`] or [`Self::take_limits_reached`] have something to tell.
    pub fn has_news(&self) -> bool {
        self.state.limits_reached.any() || !self.state.matches.is_empty()
    }

    /// The matches since the last call, in order.
    pub fn drain_matches(&mut self) -> Vec<RuleMatch> {
        let matches = std::mem::take(&mut self.state.matches);
        if let Some(kept) = &mut self.state.kept {
            kept.note(&matches);
        }
        matches
    }

    /// The interruption, once there is one.
    pub fn interruption(&self) -> Option<&Interruption> {
        self.state.interruption.as_ref()
    }

    /// How long the host lets the answer of the interruption wait, in milliseconds: what `pause`
    /// says, a minute at most.
    pub fn pause(&self) -> u32 {
        self.state.pause
    }

    /// Steps of work so far (see [`crate::work`]): the same for the same request and rules.
    pub fn work(&self) -> u64 {
        self.state.work.spent()
    }

    /// The limits that it came to since this was asked last.
    pub fn take_limits_reached(&mut self) -> LimitsReached {
        std::mem::take(&mut self.state.limits_reached)
    }

    /// What rules want before and after the response body (SecContentInjection).
    pub fn response_edits(&self) -> &BodyEdits {
        &self.state.edits
    }

    /// Whether the host asks the backend for plain responses (SecDisableBackendCompression).
    pub fn wants_plain_response(&self) -> bool {
        self.state.program.settings.disable_backend_compression
    }

    /// What the host writes into the `server` header of responses (SecServerSignature).
    pub fn server_signature(&self) -> Option<&[u8]> {
        self.state.program.settings.server_signature.as_deref()
    }

    /// What the host sends to the backend instead of the request body, if a rule changed it: known
    /// once phase 2 is over.
    pub fn replaced_request_body(&self) -> Option<&ReplacedBody> {
        self.state.request_stream.replaced.as_ref()
    }

    /// What the host sends to the client instead of the response body, if a rule changed it: known
    /// once phase 4 is over. [`Self::response_edits`] go around it. Only with SecContentInjection,
    /// as in v2.
    pub fn replaced_response_body(&self) -> Option<&ReplacedBody> {
        self.state.response_stream.replaced.as_ref()
    }

    /// What every log line of this transaction says.
    pub fn log_context(&self) -> LogContext {
        self.state.log_context()
    }

    /// The TX variables that have a value, in the order they were first set.
    pub fn tx_variables(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.state
            .store
            .tx
            .iter(&self.state.program.keys, &self.state.values)
            .map(|(name, value)| (name.to_vec(), self.state.values.get(value).to_vec()))
            .collect()
    }

    /// The value of a TX variable that some rule names; the name in lower case.
    pub fn tx_variable(&self, name: &[u8]) -> Option<&[u8]> {
        let slot = self.state.program.keys.find(name)?;
        let value = self.state.store.tx.get(slot)?;
        Some(self.state.values.get(value))
    }

    /// Keeps, from now on, which rules are evaluated and what they answer. This costs time and
    /// memory: it is for tests and for people who ask why.
    pub fn trace(&mut self) {
        self.state.trace = Some(Trace::default());
        self.state.takes_its_course = false;
    }

    /// What was evaluated since [`Self::trace`], in order.
    pub fn evaluations(&self) -> &[Evaluation] {
        self.state
            .trace
            .as_ref()
            .map_or(&[], |trace| trace.done.as_slice())
    }

    /// How much the debug log tells (SecDebugLogLevel, `ctl:debugLogLevel`), 0 to 9.
    pub fn debug_log_level(&self) -> u8 {
        self.state.switches.debug_log_level
    }

    /// Sets that for this transaction. Of the phase that is being evaluated, rules that only compare
    /// what one target holds may be left out.
    pub fn set_debug_log_level(&mut self, level: u8) {
        self.state.set_debug_log_level(level);
    }

    /// Whether there is something for the debug log.
    pub fn has_evaluations(&self) -> bool {
        let trace = self.state.trace.as_ref();
        trace.is_some_and(|trace| !trace.done.is_empty())
    }

    /// What was evaluated since this was asked last, and whether that is not all.
    pub fn take_evaluations(&mut self) -> (Vec<Evaluation>, bool) {
        self.state
            .trace
            .as_mut()
            .map(Trace::take)
            .unwrap_or_default()
    }

    /// Whether a request body larger than the host keeps goes on while it is inspected
    /// (SecParapetLargeRequestBody). Without a verdict to enforce there is no reason to refuse it.
    pub fn streams_large_request(&self) -> bool {
        self.state.program.settings.large_request_body == LargeBody::Stream || !self.enforces()
    }

    /// The same for responses (SecParapetLargeResponseBody).
    pub fn streams_large_response(&self) -> bool {
        self.state.program.settings.large_response_body == LargeBody::Stream || !self.enforces()
    }

    /// Most bytes of the request body that are inspected; beyond them it is refused, or passes.
    pub fn request_body_limit(&self) -> usize {
        self.state.switches.request_body_limit
    }

    /// Most bytes of the response body that are inspected.
    pub fn response_body_limit(&self) -> usize {
        self.state.switches.response_body_limit
    }

    fn enforces(&self) -> bool {
        self.state.switches.engine == EngineMode::On
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn open_bodies(&self) -> (Option<&RequestBody>, Option<&ResponseBody>) {
        (self.request_body.as_ref(), self.response_body.as_ref())
    }

    /// Runs a phase. The scratch space is free: no step runs inside another.
    fn run(&mut self, phase: Phase) {
        let begun = self.state.begin_timing();
        match self.waf.scratch.try_borrow_mut() {
            Ok(mut scratch) => {
                self.state.run_phase(phase, &mut scratch);
                if phase == Phase::Logging {
                    scratch.relax();
                }
            }
            Err(_) => self.state.run_phase(phase, &mut Scratch::default()),
        }
        self.state.end_timing(begun, Spent::Phase(phase));
        // The request is decided: others must see its counters before the response is there, which
        // may take long, or never come.
        let decided = self.state.interruption.is_some();
        if decided || matches!(phase, Phase::RequestBody | Phase::Logging) {
            self.state.store_collections();
        }
    }

    fn step(&self) -> Step {
        let waits = match self.stage {
            Stage::New => true,
            Stage::RequestHead => self.request_body.is_some(),
            Stage::ResponseHead => self.response_body.is_some(),
            Stage::RequestBody | Stage::ResponseBody | Stage::Finished => false,
        };
        let on = self.state.switches.engine != EngineMode::Off;
        let interruption = self.state.interruption.clone();
        let inspect = waits && on && interruption.is_none();
        Step {
            interruption,
            body: if inspect {
                BodyPlan::Inspect
            } else {
                BodyPlan::Skip
            },
        }
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction")
            .field("stage", &self.stage)
            .field("interruption", &self.state.interruption)
            .finish_non_exhaustive()
    }
}
