//! What there is to record of a transaction when it is over.

use super::api::{Connection, Interruption, LogContext};
use super::mask::Masked;
use super::state::State;
use crate::matching::Scratch;
use crate::program::EngineMode;
use crate::variable::Variable;

/// A transaction, looked back on.
#[derive(Clone, Debug)]
pub struct Record {
    /// Who talked to whom, and UNIQUE_ID.
    pub connection: Connection,
    /// How it ended, if it was interrupted.
    pub interruption: Option<Interruption>,
    /// REQUEST_LINE.
    pub request_line: Vec<u8>,
    /// RESPONSE_STATUS; empty if there was no response.
    pub response_status: Vec<u8>,
    /// The most severe (lowest) severity that matched; 255 for none.
    pub highest_severity: u8,
    /// Steps of work in all (see [`crate::work`]).
    pub work: u64,
    /// Matches that were too many to keep.
    pub suppressed: usize,
    /// What the rules made of the engine: SecRuleEngine, or what `ctl` said last.
    pub engine: EngineMode,
    /// Whether the audit log wants it.
    pub audit: bool,
    /// The parts of it that the audit log wants: SecAuditLogParts, or what `ctl` made of it.
    pub audit_parts: Box<[u8]>,
    /// What the audit log must not show, in the order rules said so.
    pub masks: Vec<Masked>,
    /// Rules slower than SecRulePerfTime: id and microseconds.
    pub slow_rules: Vec<(u64, u64)>,
    /// Persistent collections that could not be written.
    pub unsaved_collections: usize,
}

impl State {
    pub(super) fn record(&self, scratch: &mut Scratch) -> Record {
        let text = |variable| {
            let mut text = Vec::new();
            self.scalar(variable, &mut text);
            text
        };
        Record {
            connection: Connection::clone(&self.connection),
            interruption: self.interruption.clone(),
            request_line: text(Variable::RequestLine),
            response_status: text(Variable::ResponseStatus),
            highest_severity: self.matched.highest_severity,
            work: self.work.spent(),
            suppressed: self.suppressed,
            engine: self.switches.engine,
            audit: self.is_audited(scratch),
            audit_parts: self.audit_parts().into(),
            masks: self.masks(),
            slow_rules: self.slow_rules(),
            unsaved_collections: self.unsaved,
        }
    }

    /// What every log line of this transaction says.
    pub(super) fn log_context(&self) -> LogContext {
        let text = |variable| {
            let mut text = Vec::new();
            self.scalar(variable, &mut text);
            text
        };
        LogContext {
            client: text(Variable::RemoteAddr),
            hostname: text(Variable::ServerName),
            uri: text(Variable::RequestUri),
            unique_id: self.connection.unique_id.to_string().into_bytes(),
            request_id: self.connection.request_id.clone(),
        }
    }
}
