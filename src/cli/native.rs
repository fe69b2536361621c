//! Drives the engine directly, without a filter around it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::driver::{Backend, Decider, Driver, DriverFactory, Exchanged, Sent};
use super::message::{Headers, Request, Response, header};
use super::random;
use crate::audit::{ErrorLog, audit_record, debug_lines};
use crate::engine::{
    Ablation, BodyPlan, Clock, Connection, Disposition, Endpoint, Interruption, RequestHead,
    ResponseHead, RuleMatch, Step, Transaction, UniqueId, UnixNanos, Waf,
};
use crate::program::Program;
use crate::proxy::Selection;

/// The clock of this machine, in UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> UnixNanos {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
            })
    }
}

/// The engine with all sets of rules of a configuration.
pub(super) struct Native {
    sets: Vec<Rc<Waf>>,
    selection: Selection,
    transactions: Cell<u64>,
    debug_log_level: Option<u8>,
}

/// Everything the engine said about one exchange.
pub(super) struct Inspected {
    pub(super) matches: Vec<RuleMatch>,
    pub(super) interruption: Option<Interruption>,
    /// TX variables at the end.
    pub(super) variables: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) log: Vec<Vec<u8>>,
    /// Lines of the debug log.
    pub(super) debug: Vec<Vec<u8>>,
    /// The audit record, if the rules want one.
    pub(super) audit: Option<Vec<u8>>,
    /// The backend's answer, if the request got that far.
    pub(super) response: Option<Response>,
}

/// What one exchange took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Worked {
    /// Steps of work.
    pub(super) steps: u64,
    /// Whether the limit of work ended it.
    pub(super) limited: bool,
}

impl Native {
    /// An engine; `selection` names the programs by their places, `ablation` what it goes without.
    pub(super) fn new(
        programs: Vec<Arc<Program>>,
        selection: Selection,
        ablation: Ablation,
    ) -> Self {
        let clock = Rc::new(MachineClock);
        let sets = programs
            .into_iter()
            .map(|program| Waf::ablated(program, clock.clone(), ablation));
        Self {
            sets: sets.collect(),
            selection,
            transactions: Cell::new(0),
            debug_log_level: None,
        }
    }

    /// The same with a level of the debug log instead of the rules' own.
    pub(super) fn with_debug_log_level(mut self, level: Option<u8>) -> Self {
        self.debug_log_level = level;
        self
    }

    /// Takes a request and its response through all phases.
    ///
    /// # Errors
    ///
    /// A text for people: there are no rules at all.
    pub(super) fn inspect(
        &self,
        request: &Request,
        backend: &dyn Backend,
    ) -> Result<Inspected, String> {
        let mut transaction = self.begin(request).ok_or("there are no rules")?;
        let response = self.request(&mut transaction, request).then(|| {
            let response = backend.respond(request);
            answer(&mut transaction, &response);
            response
        });
        transaction.finish();
        let matches = transaction.drain_matches();
        let debug = debug_lines(&mut transaction);
        let log = ErrorLog::new(&transaction);
        let logged = matches.iter().filter(|found| found.log);
        let log = logged.map(|found| log.line(found).into_bytes()).collect();
        Ok(Inspected {
            log,
            debug,
            audit: audit_record(&transaction, &mut random),
            interruption: transaction.interruption().cloned(),
            variables: transaction.tx_variables(),
            matches,
            response,
        })
    }

    /// The programs of all sets.
    pub(super) fn programs(&self) -> impl Iterator<Item = &Program> {
        self.sets.iter().map(|set| &**set.program())
    }

    /// An engine with the same rules that has not searched for anything yet.
    pub(super) fn renewed(&self) -> Self {
        let programs = self.sets.iter().map(|set| Arc::clone(set.program()));
        Self::new(
            programs.collect(),
            self.selection.clone(),
            Ablation::default(),
        )
    }

    /// The shortest way through all phases, and what it took.
    pub(super) fn work(&self, request: &Request, response: &Response) -> Worked {
        let Some(mut transaction) = self.begin(request) else {
            return Worked::default();
        };
        if self.request(&mut transaction, request) {
            answer(&mut transaction, response);
        }
        transaction.finish();
        let record = transaction.record();
        drop(transaction.drain_matches());
        Worked {
            steps: record.work,
            limited: transaction.take_limits_reached().work,
        }
    }

    /// The shortest way through all phases, for measuring: nothing is kept. Whether it passed.
    pub(super) fn pass(&self, request: &Request, response: &Response) -> bool {
        let Some(mut transaction) = self.begin(request) else {
            return true;
        };
        if self.request(&mut transaction, request) {
            answer(&mut transaction, response);
        }
        transaction.finish();
        drop(transaction.drain_matches());
        drop(audit_record(&transaction, &mut random));
        transaction.interruption().is_none()
    }

    /// Phases 1 and 2; whether the backend gets to see the request.
    fn request(&self, transaction: &mut Transaction, request: &Request) -> bool {
        let headers = borrowed(&request.headers);
        let head = RequestHead {
            method: &request.method,
            target: &request.target,
            protocol: &request.protocol,
            headers: &headers,
        };
        let mut step = transaction.request_head(&head);
        if wants(&step) && !request.body.is_empty() {
            step = transaction.request_body(&request.body);
        }
        if step.interruption.is_none() {
            step = transaction.end_request_body();
        }
        step.interruption.is_none()
    }

    fn begin(&self, request: &Request) -> Option<Transaction> {
        let authority = header(&request.headers, b"host");
        let place = self.selection.by_authority(authority).profile;
        let mut transaction = Transaction::new(self.sets.get(place)?, self.connection());
        if let Some(level) = self.debug_log_level {
            transaction.set_debug_log_level(level);
        }
        Some(transaction)
    }

    fn connection(&self) -> Connection {
        let number = self.transactions.get();
        self.transactions.set(number.wrapping_add(1));
        let endpoint = |at: std::net::SocketAddr| Endpoint {
            address: at.ip(),
            port: at.port(),
        };
        Connection {
            client: Some(endpoint(super::CLIENT)),
            server: Some(endpoint(super::SERVER)),
            unique_id: UniqueId::Text(format!("{:016x}{number:08x}", MachineClock.now()).into()),
            request_id: Vec::new(),
        }
    }
}

/// Phases 3 and 4.
fn answer(transaction: &mut Transaction, response: &Response) {
    let headers = borrowed(&response.headers);
    let head = ResponseHead {
        status: response.status,
        protocol: &response.protocol,
        headers: &headers,
    };
    let mut step = transaction.response_head(&head);
    if wants(&step) && !response.body.is_empty() {
        step = transaction.response_body(&response.body);
    }
    if step.interruption.is_none() {
        let _ = transaction.end_response_body();
    }
}

impl Driver for Native {
    fn exchange(&mut self, sent: &Sent, backend: &dyn Backend) -> Result<Exchanged, String> {
        let inspected = self.inspect(&sent.request, backend)?;
        let (reply, decider) = match &inspected.interruption {
            None => (inspected.response, Decider::Backend),
            Some(interruption) => (denial(interruption), Decider::Rules),
        };
        Ok(Exchanged {
            log: inspected.log,
            reply,
            decider,
        })
    }
}

/// What the client gets of an interruption; a dropped connection gives nothing.
fn denial(interruption: &Interruption) -> Option<Response> {
    if interruption.disposition == Disposition::Drop {
        return None;
    }
    let location = interruption.location.iter();
    Some(Response {
        status: interruption.status,
        protocol: b"HTTP/1.1".to_vec(),
        headers: location
            .map(|target| (b"Location".to_vec(), target.clone()))
            .collect(),
        body: Vec::new(),
    })
}

/// Makes engines for variants of a configuration.
pub(super) struct NativeFactory<F> {
    pub(super) name: String,
    pub(super) make: F,
}

impl<F: Fn(&str) -> Result<Native, String>> DriverFactory for NativeFactory<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn driver(&mut self, first_directives: &str) -> Result<Box<dyn Driver>, String> {
        Ok(Box::new((self.make)(first_directives)?))
    }
}

fn wants(step: &Step) -> bool {
    step.interruption.is_none() && step.body == BodyPlan::Inspect
}

fn borrowed(headers: &Headers) -> Vec<(&[u8], &[u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect()
}
