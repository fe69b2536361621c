//! What a stream tells besides its answer: lines in the log, entries for access logs, and to the
//! shadow what passes.

use super::{Direction, Side, Stream};
use crate::proxy::denial::Denial;
use crate::proxy::host::{Host, HostError};
use crate::proxy::inspect::{Inspect, Rules};
use crate::proxy::log;
use crate::proxy::metrics::{Count, Limit, Uninspected};
use crate::proxy::settings::FilterState;

impl<R: Rules> Stream<R> {
    /// Logs and counts what rules matched since the last call, and what a shadow would have done.
    pub(super) fn report(&mut self, host: &dyn Host) {
        let Some(transaction) = self.transaction.as_deref_mut() else {
            return;
        };
        let matches = log::matches(host, transaction);
        self.filter.count_matches(host, &self.metrics, &matches);
        if let Some(verdict) = transaction.take_shadow_verdict() {
            let by = &verdict.interruption;
            self.filter
                .count_in(host, &self.metrics, Count::ShadowInterruption(by));
            log::shadow(host, &verdict, &self.ids());
            let rule = by.rule_id.to_string();
            set_state(host, "shadow_rule", rule.as_bytes());
        }
    }

    /// Counts the limits that were reached since the last call; `passes`: the rest of a half for which
    /// there was too much work goes on uninspected.
    pub(super) fn count_limits(&mut self, host: &dyn Host, passes: bool) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        let reached = transaction.take_limits_reached();
        for (is_reached, limit) in [
            (reached.work, Limit::Work),
            (reached.arguments, Limit::Arguments),
            (reached.request_body, Limit::RequestBody),
            (reached.response_body, Limit::ResponseBody),
        ] {
            if is_reached {
                self.count(host, Count::Limit(limit));
            }
        }
        if reached.work && passes {
            self.count(host, Count::Uninspected(Uninspected::WorkLimit));
        }
    }

    /// Takes what histograms want of a transaction that is over.
    pub(super) fn measure(&self, host: &dyn Host, transaction: &R::Transaction) {
        let metrics = self.filter.vm_metrics();
        let scores = self.filter.settings().scores();
        self.metrics
            .record_scores(metrics, host, transaction, scores);
        if let Some(time) = self.engine_time {
            self.metrics.record_engine_time(metrics, host, time);
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
                let value = value.get(..LONGEST_SCORE).unwrap_or(value);
                set_state(host, name, value);
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
