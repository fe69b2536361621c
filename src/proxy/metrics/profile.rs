//! What is counted and measured for each profile.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::count::Count;
use super::labels::Labels;
use super::{Metrics, increment};
use crate::engine::{RuleMatch, UnixNanos};
use crate::proxy::host::{Host, MetricId, MetricKind};
use crate::proxy::inspect::Inspect;
use crate::proxy::settings::Settings;

/// The metrics of one profile, or of requests before their profile is known. Ids are kept: what every
/// request adds to needs no name.
#[derive(Debug, Default)]
pub struct ProfileMetrics {
    labels: Labels,
    transactions: OnceCell<Option<MetricId>>,
    engine_time: OnceCell<Option<MetricId>>,
    /// One for each entry of [`Settings::scores`].
    scores: Vec<OnceCell<Option<MetricId>>>,
}

impl ProfileMetrics {
    /// Those of a profile, which has a name where it is one of several.
    pub fn new(name: Option<&str>, settings: &Settings) -> Self {
        Self {
            labels: Labels::new(name, &settings.metric_labels),
            scores: settings.scores().iter().map(|_| OnceCell::new()).collect(),
            ..Self::default()
        }
    }

    /// Adds one.
    pub(in crate::proxy) fn count(&self, metrics: &Metrics, host: &dyn Host, count: Count<'_>) {
        metrics.count(host, count, &self.labels);
    }

    /// Counts a transaction of this profile, if there are others.
    pub(in crate::proxy) fn count_transaction(&self, metrics: &Metrics, host: &dyn Host) {
        if self.labels.profile.is_empty() {
            return;
        }
        let name = || Count::ProfileTransaction.name(&self.labels);
        let define = || metrics.id(host, MetricKind::Counter, name());
        increment(host, *self.transactions.get_or_init(define), 1);
    }

    /// Counts matches that are logged: rules that did not interrupt, and tags that begin with one of
    /// `tags`; each once. What clients make of tags with macros could be anything, secrets included.
    pub(in crate::proxy) fn count_matches<'a>(
        &self,
        metrics: &Metrics,
        host: &dyn Host,
        matches: &'a [RuleMatch],
        tags: &[String],
    ) {
        let detections = matches.iter().filter(|it| it.interruption.is_none());
        let detections: BTreeSet<_> = detections.map(|it| (it.rule_id, it.phase)).collect();
        for (rule_id, phase) in detections {
            self.count(metrics, host, Count::Detection { rule_id, phase });
        }
        let wanted = |tag: &&Vec<u8>| tags.iter().any(|begin| tag.starts_with(begin.as_bytes()));
        let fixed = |it: &'a RuleMatch| {
            let bits = (0..u64::BITS).zip(&it.tags);
            bits.filter(|(bit, _)| it.fixed_tags >> bit & 1 == 1)
                .map(|(_, tag)| tag)
        };
        let found = matches.iter().flat_map(fixed).filter(wanted);
        for tag in found.collect::<BTreeSet<_>>() {
            self.count(metrics, host, Count::Tag(tag));
        }
    }

    /// Takes the scores of a transaction that is over, as far as its rules have any.
    pub(in crate::proxy) fn record_scores(
        &self,
        metrics: &Metrics,
        host: &dyn Host,
        transaction: &impl Inspect,
        scores: &[(String, Vec<String>)],
    ) {
        for ((kind, variables), id) in scores.iter().zip(&self.scores) {
            let mut values = variables
                .iter()
                .filter_map(|variable| transaction.tx_variable(variable.as_bytes()));
            if let Some(score) = values.next().and_then(number) {
                let Labels { profile, fixed } = &self.labels;
                let name = || format!("waf_filter.tx.score{profile}_kind={kind}{fixed}");
                let define = || metrics.id(host, MetricKind::Histogram, name());
                record(host, *id.get_or_init(define), score);
            }
        }
    }

    /// Takes how long the engine was at work on a transaction.
    pub(in crate::proxy) fn record_engine_time(
        &self,
        metrics: &Metrics,
        host: &dyn Host,
        nanoseconds: UnixNanos,
    ) {
        let Labels { profile, fixed } = &self.labels;
        let name = || format!("waf_filter.tx.engine_micros{profile}{fixed}");
        let define = || metrics.id(host, MetricKind::Histogram, name());
        let id = *self.engine_time.get_or_init(define);
        record(host, id, nanoseconds.div_euclid(1_000));
    }
}

/// A score; one below nothing is none.
fn number(value: &[u8]) -> Option<u64> {
    let number: i64 = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
    Some(u64::try_from(number).unwrap_or(0))
}

fn record(host: &dyn Host, id: Option<MetricId>, value: u64) {
    if let Some(id) = id {
        // What cannot be measured changes no verdict.
        let _: Result<(), _> = host.record_metric(id, value);
    }
}
