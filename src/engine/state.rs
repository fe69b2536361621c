//! What one transaction carries from step to step.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::Clock;
use super::api::{
    BodyEdits, Connection, Endpoint, Interruption, LimitsReached, ReplacedBody, RuleMatch,
    UnixNanos,
};
use super::audit::Kept;
use super::collection::{CollectionStore, Opened};
use super::mask::Masked;
use super::names::Names;
use super::perf::Perf;
use super::spare::{Spare, Spares};
use super::store::Store;
use super::target::Subject;
use super::time::{self, is_time};
use super::trace::Trace;
use super::transaction::Waf;
use super::values::{ValueId, Values};
use super::work::limit;
use crate::action::{AllowScope, Phase, XmlArgs};
use crate::body::xml::Document;
use crate::operator::Captures;
use crate::program::{AuditEngine, BodyLimitAction, EngineMode, Program, RuleIndex, TargetRemoval};
use crate::variable::Variable;
use crate::work::Work;

/// The state of one transaction; [`super::Transaction`] drives it.
pub(super) struct State {
    pub program: Arc<Program>,
    pub clock: Rc<dyn Clock>,
    pub connection: Rc<Connection>,
    /// When it began, if some rule asks for that.
    pub started: UnixNanos,
    /// How much it may do, and has done.
    pub work: Rc<Work>,
    /// Limits that it came to, until the host has asked.
    pub limits_reached: LimitsReached,
    /// Whether the log tells so of this half.
    pub work_told: bool,
    pub values: Values,
    pub store: Store,
    pub switches: Switches,
    /// The XML document of the request body.
    pub xml: Option<Document>,
    /// The XML document of the response body.
    pub response_xml: Option<Document>,
    /// Rules that `ctl` removed; sorted.
    pub removed: Vec<RuleIndex>,
    /// What `ctl` told rules not to look at.
    pub target_removals: Vec<Arc<TargetRemoval>>,
    /// What of that means the rule being evaluated.
    pub removed_targets: Vec<Arc<TargetRemoval>>,
    /// Results of selector patterns on names.
    pub names: Names,
    pub matched: Matched,
    /// Text of a variable that is being set.
    pub text: Vec<u8>,
    pub captures: Captures,
    pub interruption: Option<Interruption>,
    /// How long it waits, in milliseconds.
    pub pause: u32,
    pub allowed: Option<AllowScope>,
    pub matches: Vec<RuleMatch>,
    /// How often each rule matched.
    pub match_counts: HashMap<RuleIndex, u32, FixedState>,
    /// Matches that were not recorded, beyond [`MAX_MATCHES`] and [`MAX_OF_ONE_RULE`].
    pub suppressed: usize,
    pub phase: Phase,
    /// Whether what was found out when the rules were loaded holds for this transaction
    /// ([`crate::program::Fold`]): phase 1 has begun, and nothing out of the ordinary has come since.
    pub takes_its_course: bool,
    /// The starter of the rule being evaluated, for RULE and `%{rule.id}`.
    pub current: Option<RuleIndex>,
    /// Whether a rule or the status marked the transaction for the audit log.
    pub relevant: bool,
    pub perf: Perf,
    /// Persistent collections of this transaction.
    pub opened: Vec<Opened>,
    /// Where they are kept.
    pub collections: Rc<dyn CollectionStore>,
    /// Collections that could not be written.
    pub unsaved: usize,
    /// What the audit log does not show.
    pub masks: Vec<Masked>,
    /// What is kept for an audit record alone.
    pub kept: Option<Box<Kept>>,
    /// What rules have made of sensitive values.
    pub derived: Vec<ValueId>,
    /// Bytes of the long values that rules have set.
    pub set_bytes: usize,
    /// `prepend` and `append`.
    pub edits: BodyEdits,
    /// STREAM_INPUT_BODY.
    pub request_stream: Stream,
    /// STREAM_OUTPUT_BODY.
    pub response_stream: Stream,
    /// What was evaluated, if somebody wants to know.
    pub trace: Option<Trace>,
    /// Where values, variables and names go in the end.
    pub spares: Rc<Spares>,
}

/// What `ctl` can change for one transaction.
#[derive(Clone, Debug)]
pub(super) struct Switches {
    pub engine: EngineMode,
    pub request_body_access: bool,
    pub request_body_limit: usize,
    pub request_body_limit_action: BodyLimitAction,
    pub force_request_body: bool,
    /// The name of the body processor, in upper case; empty for none.
    pub body_processor: Box<str>,
    pub response_body_access: bool,
    pub response_body_limit: usize,
    pub xml_into_args: XmlArgs,
    pub audit_engine: AuditEngine,
    /// What of the audit log is wanted, if it is not as set.
    pub audit_parts: Option<Box<[u8]>>,
    pub debug_log_level: u8,
}

/// What matched last, and in the current chain.
#[derive(Debug)]
pub(super) struct Matched {
    pub value: ValueId,
    /// What the value is called: its text is made when somebody asks.
    pub subject: Option<Subject>,
    /// MATCHED_VARS of the current chain that are not listed there yet.
    pub unlisted: Vec<(Subject, ValueId)>,
    /// 255 before any match with a severity.
    pub highest_severity: u8,
}

/// A body that rules can change.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// How many bytes of it were taken.
    pub taken: usize,
    /// What `@rsub` made of them.
    pub replaced: Option<ReplacedBody>,
}

/// Most matches recorded in one transaction.
pub(super) const MAX_MATCHES: usize = 1000;
/// Most matches recorded of one rule: one that matches every one of a thousand arguments says
/// nothing more after that, and must not drown what the others say.
pub(super) const MAX_OF_ONE_RULE: u32 = 25;

impl Drop for State {
    fn drop(&mut self) {
        self.spares.give_back(Spare {
            values: std::mem::take(&mut self.values),
            store: std::mem::take(&mut self.store),
            names: std::mem::take(&mut self.names),
            work: Rc::clone(&self.work),
        });
    }
}

impl State {
    pub(super) fn new(waf: &Waf, connection: Rc<Connection>) -> Self {
        let program = &waf.program;
        let settings = &program.settings;
        let switches = Switches {
            engine: settings.engine,
            request_body_access: settings.request_body_access,
            request_body_limit: settings.request_body_limit,
            request_body_limit_action: settings.request_body_limit_action,
            force_request_body: false,
            body_processor: "".into(),
            response_body_access: settings.response_body_access,
            response_body_limit: settings.response_body_limit,
            xml_into_args: settings.xml_into_args,
            audit_engine: settings.audit.engine,
            audit_parts: None,
            debug_log_level: settings.debug_log_level,
        };
        let Spare {
            mut values,
            mut store,
            names,
            work,
        } = waf.spares.take(&program.constants);
        work.renew(limit(settings));
        values.set_work(Rc::clone(&work));
        store.tx.begin(&program.keys);
        Self {
            started: if waf.asks.start { waf.clock.now() } else { 0 },
            clock: Rc::clone(&waf.clock),
            connection,
            values,
            work,
            limits_reached: LimitsReached::default(),
            work_told: false,
            store,
            switches,
            xml: None,
            response_xml: None,
            removed: Vec::new(),
            target_removals: Vec::new(),
            removed_targets: Vec::new(),
            names,
            matched: Matched {
                value: ValueId::EMPTY,
                subject: None,
                unlisted: Vec::new(),
                highest_severity: u8::MAX,
            },
            text: Vec::new(),
            captures: Captures::default(),
            interruption: None,
            pause: 0,
            allowed: None,
            matches: Vec::new(),
            match_counts: HashMap::default(),
            suppressed: 0,
            phase: Phase::RequestHeaders,
            takes_its_course: false,
            current: None,
            relevant: false,
            perf: Perf::new(waf.asks.durations),
            opened: Vec::new(),
            collections: Rc::clone(&waf.collections),
            unsaved: 0,
            masks: Vec::new(),
            kept: waf.asks.audit.then(Box::default),
            derived: Vec::new(),
            set_bytes: 0,
            edits: BodyEdits::default(),
            request_stream: Stream::default(),
            response_stream: Stream::default(),
            trace: None,
            spares: Rc::clone(&waf.spares),
            program: Arc::clone(program),
        }
    }

    /// Sets a scalar to some bytes.
    pub(super) fn set(&mut self, variable: Variable, text: &[u8]) {
        let value = self.values.intern(text);
        self.store.set(variable, value);
    }

    /// Sets a scalar to `1` or `0`.
    pub(super) fn set_flag(&mut self, variable: Variable, flag: bool) {
        self.set(variable, if flag { b"1" } else { b"0" });
    }

    /// `@rsub` made another text of a body: the variable shows it at once, and the host gets it.
    pub(super) fn replace_stream(&mut self, variable: Variable, text: &[u8]) -> ValueId {
        let value = self.values.intern(text);
        self.store.set(variable, value);
        let stream = match variable {
            Variable::StreamInputBody if self.phase <= Phase::RequestBody => {
                &mut self.request_stream
            }
            Variable::StreamOutputBody if self.program.settings.content_injection => {
                &mut self.response_stream
            }
            _ => return value,
        };
        stream.replaced = Some(ReplacedBody {
            bytes: text.to_vec(),
            replaces: stream.taken,
        });
        value
    }

    /// Adds an entry to a collection.
    pub(super) fn push(&mut self, variable: Variable, name: &[u8], value: &[u8]) {
        let entry = super::store::Entry {
            name: self.values.intern(name),
            value: self.values.intern(value),
        };
        self.store.push(variable, entry);
    }

    /// The bytes of a scalar, stored or computed now; `false` if it has no value.
    pub(super) fn scalar(&self, variable: Variable, out: &mut Vec<u8>) -> bool {
        if let Some(text) = self.computed(variable) {
            out.extend_from_slice(&text);
            return true;
        }
        match self.store.scalar(variable) {
            Some(value) => {
                out.extend_from_slice(self.values.get(value));
                true
            }
            None => match default_scalar(variable) {
                Some(text) => {
                    out.extend_from_slice(text);
                    true
                }
                None => false,
            },
        }
    }

    /// What the value that matched last is called.
    pub(super) fn matched_name(&self) -> Vec<u8> {
        let subject = self.matched.subject.as_ref();
        subject.map_or_else(Vec::new, |subject| self.subject_name(subject))
    }

    /// A scalar that is computed when asked for.
    fn computed(&self, variable: Variable) -> Option<Vec<u8>> {
        use Variable as V;
        let number = |number: usize| Some(number.to_string().into_bytes());
        let address = |end: Option<Endpoint>| Some(end?.address.to_string().into_bytes());
        let port = |end: Option<Endpoint>| Some(end?.port.to_string().into_bytes());
        match variable {
            V::RemoteAddr | V::RemoteHost => address(self.connection.client),
            V::RemotePort => port(self.connection.client),
            V::ServerAddr => address(self.connection.server),
            V::ServerPort => port(self.connection.server),
            V::ServerName => self.server_name().map(<[u8]>::to_vec),
            V::RequestLine => self.request_line(),
            V::PathInfo => {
                let path = self.store.scalar(V::RequestFilename)?;
                Some(self.values.get(path).to_vec())
            }
            V::MatchedVar => Some(self.values.get(self.matched.value).to_vec()),
            V::MatchedVarName => Some(self.matched_name()),
            V::HighestSeverity => number(usize::from(self.matched.highest_severity)),
            V::ArgsCombinedSize => number(self.store.args_size),
            V::Duration => {
                let elapsed = self.clock.now().saturating_sub(self.started);
                Some(elapsed.checked_div(1000)?.to_string().into_bytes())
            }
            V::UniqueId => Some(self.connection.unique_id.to_string().into_bytes()),
            V::Webappid => Some(self.program.settings.web_app_id.to_vec()),
            V::ModsecBuild => Some(MODSEC_BUILD.to_vec()),
            _ if is_time(variable) => time::text(variable, self.started, self.clock.utc_offset()),
            _ => self.perf.text(variable).map(String::into_bytes),
        }
    }
}

/// ModSecurity 2.9.8, the version whose language is spoken: two digits each of major, minor and
/// patch, then the number that stands for a release, and no tag.
const MODSEC_BUILD: &[u8] = b"020908900";

/// The value of a scalar that was not set: v2's flags and counts are 0 then.
fn default_scalar(variable: Variable) -> Option<&'static [u8]> {
    use Variable as V;
    let zero = matches!(
        variable,
        V::FilesCombinedSize
            | V::InboundDataError
            | V::MscPcreError
            | V::MscPcreLimitsExceeded
            | V::MultipartBoundaryQuoted
            | V::MultipartBoundaryWhitespace
            | V::MultipartCrlfLfLines
            | V::MultipartCrlfLine
            | V::MultipartDataAfter
            | V::MultipartDataBefore
            | V::MultipartFileLimitExceeded
            | V::MultipartHeaderFolding
            | V::MultipartInvalidHeaderFolding
            | V::MultipartInvalidPart
            | V::MultipartInvalidQuoting
            | V::MultipartLfLine
            | V::MultipartMissingSemicolon
            | V::MultipartStrictError
            | V::MultipartUnmatchedBoundary
            | V::OutboundDataError
            | V::ReqbodyError
            | V::ResBodyError
            | V::RequestBodyLength
            | V::UrlencodedError
    );
    zero.then_some(b"0")
}
