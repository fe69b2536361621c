//! Metrics in the host. Names follow coraza-proxy-wasm, so that dashboards go on working.

mod count;
mod labels;
mod profile;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use super::host::{Host, MetricId, MetricKind};

pub use count::{Count, Limit, Uninspected};
pub use labels::Labels;
pub use profile::ProfileMetrics;

/// Ids of the metrics that have been used. One per VM: the host makes a new entry each time a
/// name is defined, even for a name it knows.
#[derive(Debug, Default)]
pub struct Metrics {
    /// The one that every request adds to.
    transactions: OnceCell<Option<MetricId>>,
    /// Gauges of all VMs.
    memory: OnceCell<Option<MetricId>>,
    in_flight: OnceCell<Option<MetricId>>,
    /// Takes what is beyond [`NAMES`].
    folded: OnceCell<Option<MetricId>>,
    ids: RefCell<BTreeMap<String, Option<MetricId>>>,
}

/// The gauge of [`Metrics::add_memory`].
const MEMORY: &str = "parapet.vm_memory_bytes";

/// The gauge of [`Metrics::add_in_flight`].
const IN_FLIGHT: &str = "parapet.bytes_in_flight";

/// Counts what would have had a name beyond [`NAMES`].
const FOLDED: &str = "waf_filter.metrics.folded.total";

/// Largest number of names, so that the host's memory is bounded; rule sets have fewer rules.
const NAMES: usize = 16_384;

impl Metrics {
    /// Adds one. A host without metrics is no error.
    pub fn count(&self, host: &dyn Host, count: Count<'_>, labels: &Labels) {
        self.add(host, count, labels, 1);
    }

    /// Adds so many.
    pub fn add(&self, host: &dyn Host, count: Count<'_>, labels: &Labels, many: u64) {
        let id = if matches!(count, Count::Transaction) {
            let define = || self.id(host, MetricKind::Counter, count.name(labels));
            *self.transactions.get_or_init(define)
        } else {
            self.id(host, MetricKind::Counter, count.name(labels))
        };
        increment(host, id, i64::try_from(many).unwrap_or(i64::MAX));
    }

    /// Adds to the memory of all VMs, in bytes. They share the gauge, so each adds what it grew by;
    /// one that trapped has no chance to take its part off again.
    pub fn add_memory(&self, host: &dyn Host, bytes: i64) {
        let define = || host.define_metric(MetricKind::Gauge, MEMORY).ok();
        increment(host, *self.memory.get_or_init(define), bytes);
    }

    /// Adds to what the transactions of all VMs hold, in bytes. As with the memory, what one that
    /// trapped held stays in it.
    pub fn add_in_flight(&self, host: &dyn Host, bytes: i64) {
        let define = || host.define_metric(MetricKind::Gauge, IN_FLIGHT).ok();
        increment(host, *self.in_flight.get_or_init(define), bytes);
    }

    /// Adds to the records that a persistent collection has in the host's shared data. All VMs share the
    /// gauge. What has expired counts until something else is written beside it.
    pub fn add_keys(&self, host: &dyn Host, collection: &str, keys: i64) {
        let name = format!("waf_filter.collections.keys_collection={collection}");
        increment(host, self.id(host, MetricKind::Gauge, name), keys);
    }

    /// The id of a name; the one of [`FOLDED`] if it is new and there are too many. A gauge or a
    /// histogram is dropped then.
    fn id(&self, host: &dyn Host, kind: MetricKind, name: String) -> Option<MetricId> {
        if let Some(id) = self.ids.borrow().get(&name) {
            return *id;
        }
        let mut ids = self.ids.borrow_mut();
        if ids.len() >= NAMES {
            let define = || host.define_metric(MetricKind::Counter, FOLDED).ok();
            let folded = *self.folded.get_or_init(define);
            return folded.filter(|_| kind == MetricKind::Counter);
        }
        let id = host.define_metric(kind, &name).ok();
        ids.insert(name, id);
        id
    }
}

fn increment(host: &dyn Host, id: Option<MetricId>, by: i64) {
    if let Some(id) = id {
        // What cannot be counted changes no verdict.
        let _: Result<(), _> = host.increment_metric(id, by);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeHost;
    use super::*;
    use crate::engine::{Disposition, Interruption};

    fn interruption() -> Interruption {
        Interruption {
            rule_id: 949_110,
            phase: 2,
            disposition: Disposition::Deny,
            status: 403,
            location: None,
        }
    }

    #[test]
    fn names_are_those_of_the_peer_and_defined_once() {
        let host = FakeHost::default();
        let metrics = Metrics::default();
        let own = [
            ("owner".into(), "co raza".into()),
            ("id".into(), "g".into()),
        ];
        let labels = Labels::new(None, &own);
        let by = interruption();
        for _ in 0..3 {
            metrics.count(&host, Count::Interruption(&by), &labels);
            metrics.count(&host, Count::Transaction, &labels);
        }
        assert_eq!(
            host.metrics(),
            [
                (
                    "waf_filter.tx.interruptions_ruleid=949110_phase=http_request_body\
                     _owner=co_raza_id=g.total"
                        .to_owned(),
                    3
                ),
                ("waf_filter.tx.total".to_owned(), 3),
            ]
        );
        assert_eq!(host.calls("define_metric"), 2);
    }

    #[test]
    fn one_of_several_profiles_stands_before_the_phase() {
        let labels = Labels::new(Some("shop"), &[("owner".into(), "a".into())]);
        assert_eq!(
            Count::Interruption(&interruption()).name(&labels),
            "waf_filter.tx.interruptions_ruleid=949110_profile=shop_phase=http_request_body_owner=a.total"
        );
        assert_eq!(
            Count::Tag(b"attack-x=y\xff").name(&labels),
            "waf_filter.tx.matches_profile=shop_tag=attack-x_y__owner=a.total"
        );
    }

    #[test]
    fn beyond_the_bound_no_name_is_new_to_the_host() {
        let host = FakeHost::default();
        let metrics = Metrics::default();
        let labels = Labels::default();
        let detect = |rule_id| {
            let count = Count::Detection { rule_id, phase: 1 };
            metrics.count(&host, count, &labels);
        };
        (0..16_384 + 10).for_each(detect);
        detect(0);
        assert_eq!(host.calls("define_metric"), NAMES + 1);
        assert_eq!(host.metric(FOLDED), 10);
        assert_eq!(host.metric("ruleid=0_"), 2);
        // A gauge is no counter.
        metrics.add_keys(&host, "IP", 5);
        assert_eq!(host.metric(FOLDED), 10);
        metrics.add_memory(&host, 7);
        assert_eq!(host.metric(MEMORY), 7);
    }

    #[test]
    fn a_host_without_metrics_is_asked_once() {
        let host = FakeHost::default();
        host.fail("define_metric");
        let metrics = Metrics::default();
        metrics.count(&host, Count::Transaction, &Labels::default());
        metrics.count(&host, Count::Transaction, &Labels::default());
        assert_eq!(host.calls("define_metric"), 1);
        assert_eq!(host.calls("increment_metric"), 0);
    }
}
