//! What a stream tells besides its answer: lines in the log, entries for access logs, and to the
//! shadow what passes.

use super::{Direction, Side, Stream};
use crate::proxy::denial::Denial;
use crate::proxy::host::{Host, HostError};
use crate::proxy::inspect::{Inspect, Rules};
use crate::proxy::log;
use crate::proxy::metrics::{Count, Uninspected};
use crate::proxy::settings::FilterState;

impl<R: Rules> Stream<R> {
    /// Logs what rules matched since the last call, and what a shadow would have done.
    pub(super) fn report(&mut self, host: &dyn Host) {
        let Some(transaction) = self.transaction.as_deref_mut() else {
            return;
        };
        log::matches(host, transaction);
        if let Some(verdict) = transaction.take_shadow_verdict() {
            let by = &verdict.interruption;
            self.filter.count(host, Count::ShadowInterruption(by));
            log::shadow(host, &verdict, &self.ids());
            let rule = by.rule_id.to_string();
            set_state(host, "shadow_rule", rule.as_bytes());
        }
    }

    /// Counts a limit of work that was reached since the last call; `passes`: the rest of the half
    /// goes on uninspected.
    pub(super) fn count_work_limit(&mut self, host: &dyn Host, passes: bool) {
        let transaction = self.transaction.as_mut();
        if !transaction.is_some_and(|transaction| transaction.take_work_exceeded()) {
            return;
        }
        self.filter.count(host, Count::WorkLimit);
        if passes {
            let reason = Uninspected::WorkLimit;
            self.filter.count(host, Count::Uninspected(reason));
        }
    }

    /// Access logs show why the stream was ended.
    pub(super) fn tell_verdict(&self, host: &dyn Host, denial: &Denial) {
        set_state(host, "verdict", b"deny");
        set_state(host, "rule", denial.rule_id().to_string().as_bytes());
        self.tell_scores(host);
    }

    /// A half passed; access logs show it where they are to.
    pub(super) fn tell_passed(&self, host: &dyn Host) {
        if self.filter.settings().filter_state == FilterState::All {
            set_state(host, "verdict", b"pass");
            self.tell_scores(host);
        }
    }

    /// Something passes although it was not inspected.
    pub(super) fn tell_uninspected(&self, host: &dyn Host) {
        set_state(host, "verdict", b"uninspected");
    }

    fn tell_scores(&self, host: &dyn Host) {
        let Some(transaction) = &self.transaction else {
            return;
        };
        for (name, variables) in self.filter.settings().scores() {
            let mut values = variables
                .iter()
                .filter_map(|variable| transaction.tx_variable(variable.as_bytes()));
            if let Some(value) = values.next() {
                let value: Vec<u8> = value.into_iter().take(LONGEST_SCORE).collect();
                set_state(host, name, &value);
            }
        }
    }

    /// Lets the shadow see what passes uninspected otherwise. `from`: where in the host's buffer
    /// begins what it has not seen. A host that does not give it shortens what the shadow sees, and
    /// no more.
    pub(super) fn observe(
        &mut self,
        host: &dyn Host,
        direction: Direction,
        from: usize,
        size: usize,
        end: bool,
    ) {
        let observes = self
            .transaction
            .as_deref()
            .is_some_and(|transaction| transaction.observes(direction));
        if !observes || !matches!(self.side(direction), Side::Passed) || !self.is_message(direction)
        {
            return;
        }
        let mut at = from;
        while let Some(transaction) = &mut self.transaction
            && transaction.observes(direction)
        {
            let piece = super::collect::PIECE.min(size.saturating_sub(at));
            let bytes = if piece == 0 {
                Ok(Vec::new())
            } else {
                host.body(direction, at, piece)
            };
            let Ok(bytes) = bytes else { break };
            at = at.saturating_add(bytes.len());
            let last = bytes.is_empty() || at >= size;
            transaction.observe(direction, &bytes, end && last);
            if last {
                break;
            }
        }
        self.report(host);
    }
}

/// Most bytes of a score in an access log.
const LONGEST_SCORE: usize = 32;

/// Sets `wasm.parapet.NAME` in the filter state; a host that does not keep it changes no verdict.
fn set_state(host: &dyn Host, name: &str, value: &[u8]) {
    let name = format!("parapet.{name}");
    let _: Result<(), HostError> = host.set_property(&name, value);
}
