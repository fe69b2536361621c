//! The limit of work (SecParapetWorkLimit): how much a transaction may do, and what becomes of one
//! that has done it.
//!
//! The request has the limit, and the response has it anew: a request must not decide how much is
//! left for an answer. Once it is spent no more rules of that half are evaluated. Phase 5 runs in any
//! case, on a small part of the limit of its own.

use super::api::RuleMatch;
use super::state::State;
use crate::action::Phase;
use crate::program::{BodyLimitAction, EngineMode, Settings};
use crate::variable::WORK_LIMIT_EXCEEDED;

/// The status of a transaction that has spent its work: that of a rule which denies. The message is
/// within its size, and no error of the server, so neither 413 nor 5xx says what happened.
const DENIED: u16 = 403;
/// Phase 5 gets the limit divided by this.
const LOGGING_SHARE: u64 = 10;

/// Steps of one half; 0 in the settings is no limit.
pub(super) fn limit(settings: &Settings) -> u64 {
    match settings.work_limit {
        0 => u64::MAX,
        limit => limit,
    }
}

impl State {
    /// Gives the response its share.
    pub(super) fn begin_response_work(&mut self) {
        self.work.grant(limit(&self.program.settings));
        self.work_told = false;
    }

    /// Gives phase 5 its share.
    pub(super) fn begin_logging_work(&mut self) {
        let limit = limit(&self.program.settings);
        let share = limit.checked_div(LOGGING_SHARE).unwrap_or(0);
        self.work.grant(share);
        self.work_told = false;
    }

    /// Says that the rest of the phase is not evaluated, in the log, in TX and to the host, and
    /// denies if that is what the limit is for. DetectionOnly never denies.
    pub(super) fn work_is_spent(&mut self) {
        let decided = self.interruption.is_some() && self.phase != Phase::Logging;
        if decided || std::mem::replace(&mut self.work_told, true) {
            return;
        }
        self.limits_reached.work = true;
        self.raise(WORK_LIMIT_EXCEEDED);
        let settings = &self.program.settings;
        let phase = self.phase;
        let why = format!(
            "Work limit of {} steps is spent: the rest of phase {} is not evaluated.",
            settings.work_limit,
            phase.number()
        );
        let rejects = settings.work_limit_action == BodyLimitAction::Reject
            && self.switches.engine == EngineMode::On
            && phase != Phase::Logging;
        if rejects {
            self.refuse(phase, DENIED, &why);
        } else {
            self.relevant = true;
            self.matches.push(RuleMatch {
                phase: phase.number(),
                explanation: why.into_bytes(),
                log: true,
                audit: true,
                ..RuleMatch::default()
            });
        }
    }
}
