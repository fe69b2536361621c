//! What is kept of a transaction for its audit record, and where the record finds the rest.

use super::api::{Connection, RuleMatch, UnixNanos};
use super::state::{MAX_MATCHES, State};
use super::transaction::Transaction;
use crate::action::{Ctl, SwitchMode};
use crate::body::Kind;
use crate::matching;
use crate::program::{AuditEngine, Effect, EngineMode, Program};
use crate::variable::Variable as V;

/// What nothing else keeps; none where no rule and no setting can ask for a record.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The matches that the host has taken.
    matches: Vec<RuleMatch>,
    request_body: KeptBody,
}

/// A body as it was read, without its codings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptBody {
    /// Its beginning, as much as SecParapetAuditBodyLimit allows.
    pub bytes: Vec<u8>,
    /// How many bytes were read in all.
    pub length: usize,
}

impl Kept {
    /// Keeps matches that the host takes.
    pub(super) fn note(&mut self, matches: &[RuleMatch]) {
        let room = MAX_MATCHES.saturating_sub(self.matches.len());
        self.matches.extend(matches.iter().take(room).cloned());
    }

    pub(super) fn held_bytes(&self) -> usize {
        let matches = self.matches.capacity();
        matches
            .saturating_mul(size_of::<RuleMatch>())
            .saturating_add(self.request_body.bytes.capacity())
    }
}

/// Whether a transaction of these rules may want a record.
pub(super) fn may_audit(program: &Program) -> bool {
    let switches_on = |effect: &Effect| matches!(effect, Effect::Ctl(Ctl::AuditEngine(mode)) if *mode != SwitchMode::Off);
    program.settings.audit.engine != AuditEngine::Off
        || program
            .rules
            .iter()
            .any(|rule| rule.effects.iter().any(switches_on))
}

impl State {
    /// Keeps a piece of the request body, if a record may show it.
    pub(super) fn keep_request_body(&mut self, piece: &[u8]) {
        let limit = self.program.settings.audit.body_limit;
        let wanted = self.audit_parts().contains(&b'C');
        let Some(kept) = &mut self.kept else {
            return;
        };
        let KeptBody { bytes, length } = &mut kept.request_body;
        *length = length.saturating_add(piece.len());
        let room = limit.saturating_sub(bytes.len());
        if wanted && room > 0 {
            bytes.extend(piece.iter().take(room));
        }
    }

    /// SecAuditLogParts, or what `ctl` made of it.
    pub(super) fn audit_parts(&self) -> &[u8] {
        let changed = self.switches.audit_parts.as_ref();
        changed.unwrap_or(&self.program.settings.audit.parts)
    }

    /// Whether the audit log wants the transaction, as far as it has come.
    pub(super) fn is_audited(&self, scratch: &mut matching::Scratch) -> bool {
        match self.switches.audit_engine {
            AuditEngine::On => true,
            AuditEngine::Off => false,
            AuditEngine::RelevantOnly => {
                let status = self.store.scalar(V::ResponseStatus);
                let status = status.map_or(&b""[..], |status| self.values.get(status));
                let pattern = self.program.settings.audit.relevant_status.as_ref();
                self.relevant || pattern.is_some_and(|one| one.is_match(status, scratch))
            }
        }
    }
}

/// What an audit record is made of.
impl Transaction {
    /// Who talked to whom.
    pub fn connection(&self) -> &Connection {
        &self.state().connection
    }

    /// When it began; 0 where no rule and no setting asks.
    pub fn started(&self) -> UnixNanos {
        self.state().started
    }

    /// What the clock says now, and its offset from UTC in seconds.
    pub fn clock(&self) -> (UnixNanos, i32) {
        let clock = &self.state().clock;
        (clock.now(), clock.utc_offset())
    }

    /// SecAuditLogParts, or what `ctl` made of it.
    pub fn audit_parts(&self) -> &[u8] {
        self.state().audit_parts()
    }

    /// SecRuleEngine, or what `ctl` made of it.
    pub fn engine_mode(&self) -> EngineMode {
        self.state().switches.engine
    }

    /// The matches so far, also those that [`Self::drain_matches`] has handed out.
    pub fn all_matches(&self) -> impl Iterator<Item = &RuleMatch> {
        let state = self.state();
        let kept = state.kept.iter().flat_map(|kept| &kept.matches);
        kept.chain(&state.matches)
    }

    /// What came of the request body, if a record may show it.
    pub fn kept_request_body(&self) -> Option<&KeptBody> {
        let body = &self.state().kept.as_ref()?.request_body;
        (body.length > 0).then_some(body)
    }

    /// What read the request body.
    pub fn request_body_kind(&self) -> Option<Kind> {
        Kind::by_name(self.scalar(V::ReqbodyProcessor)?)
    }

    /// REQUEST_LINE.
    pub fn request_line(&self) -> Vec<u8> {
        self.state().request_line().unwrap_or_default()
    }

    /// SERVER_NAME.
    pub fn server_name(&self) -> &[u8] {
        self.state().server_name().unwrap_or_default()
    }

    /// The most severe (lowest) severity that matched; 255 for none.
    pub fn highest_severity(&self) -> u8 {
        self.state().matched.highest_severity
    }

    /// Rules slower than SecRulePerfTime: id and microseconds.
    pub fn slow_rules(&self) -> Vec<(u64, u64)> {
        self.state().slow_rules()
    }
}
