//! Counters in the host. Names follow coraza-proxy-wasm, so that dashboards go on working.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::host::{Direction, Host, MetricId, MetricKind};
use super::selection::Doubt;
use crate::engine::Interruption;

/// Why something passed without the inspection it would otherwise get.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Uninspected {
    /// An upgraded connection or a tunnel.
    Tunnel,
    /// A gRPC stream.
    Grpc,
    /// A response that the client reads while it is being written.
    Stream,
    /// The upstream answered before the request's body was there; the rest is not forwarded.
    EarlyResponse,
    /// A body larger than the host keeps: its pieces went on as they were inspected, before the
    /// verdict.
    Large(Direction),
    /// The transactions hold too much memory, and the configuration says to let go.
    Overload,
    /// A limit of work was reached, and the configuration says to let go.
    WorkLimit,
    /// The host or the engine failed, and the configuration says to let go.
    Failure,
}

impl Uninspected {
    fn label(self) -> &'static str {
        match self {
            Self::Tunnel => "tunnel",
            Self::Grpc => "grpc",
            Self::Stream => "stream",
            Self::EarlyResponse => "early_response",
            Self::Large(Direction::Request) => "large_request",
            Self::Large(Direction::Response) => "large_response",
            Self::Overload => "overload",
            Self::WorkLimit => "work_limit",
            Self::Failure => "failure",
        }
    }
}

/// What can be counted.
#[derive(Clone, Copy, Debug)]
pub enum Count<'a> {
    /// A transaction began.
    Transaction,
    /// A transaction was interrupted.
    Interruption(&'a Interruption),
    /// A shadow would have interrupted a transaction.
    ShadowInterruption(&'a Interruption),
    /// A shadow was left out or ended for want of memory.
    ShadowDropped,
    /// Something passed uninspected.
    Uninspected(Uninspected),
    /// A request or a response took more work than SecParapetWorkLimit allows.
    WorkLimit,
    /// The client's address came from a header and was not believed.
    UntrustedAddress,
    /// The host, or the order of its callbacks, was at fault.
    HostFailure,
    /// The host answered the request before this filter saw it.
    RejectedBeforeFilter,
    /// The transactions of the VM hold as much memory as they may.
    Overload,
    /// The watchdog refused a head whose body did not come.
    HoldTimeout,
    /// A persistent collection was written by another worker at the same time: it is tried again.
    CollectionConflict,
    /// What a transaction counted in a persistent collection could not be written.
    CollectionLost,
    /// The strictest rules guard a request, because none are named for it.
    Strictest(&'a Doubt),
}

impl Count<'_> {
    fn name(self, labels: &str) -> String {
        let mut name = String::from("waf_filter.");
        let written = match self {
            Self::Transaction => write!(name, "tx.total"),
            Self::Interruption(interruption) => write!(
                name,
                "tx.interruptions_ruleid={}_phase={}{labels}",
                interruption.rule_id,
                phase_name(interruption.phase)
            ),
            Self::ShadowInterruption(interruption) => write!(
                name,
                "tx.shadow_interruptions_ruleid={}_phase={}{labels}",
                interruption.rule_id,
                phase_name(interruption.phase)
            ),
            Self::ShadowDropped => write!(name, "tx.shadow_dropped"),
            Self::Uninspected(reason) => {
                write!(name, "tx.uninspected_reason={}", reason.label())
            }
            Self::WorkLimit => write!(name, "tx.work_limits"),
            Self::UntrustedAddress => write!(name, "tx.untrusted_address"),
            Self::HostFailure => write!(name, "host.failures"),
            Self::RejectedBeforeFilter => write!(name, "tx.rejected_before_filter"),
            Self::Overload => write!(name, "tx.overload"),
            Self::HoldTimeout => write!(name, "tx.hold_timeouts"),
            Self::CollectionConflict => write!(name, "collections.conflicts"),
            Self::CollectionLost => write!(name, "collections.lost"),
            Self::Strictest(Doubt::Unmatched) => write!(name, "tx.strictest_reason=unmatched"),
            Self::Strictest(Doubt::UnknownProfile { .. }) => {
                write!(name, "tx.strictest_reason=unknown_profile")
            }
        };
        // Writing to a String cannot fail.
        let _: std::fmt::Result = written;
        name
    }
}

/// The names coraza-proxy-wasm gives the phases.
pub fn phase_name(phase: u8) -> &'static str {
    match phase {
        1 => "http_request_headers",
        2 => "http_request_body",
        3 => "http_response_headers",
        4 => "http_response_body",
        _ => "http_logging",
    }
}

/// Ids of the counters that have been used. One per VM: the host makes a new entry each time a
/// name is defined, even for a name it knows.
#[derive(Debug, Default)]
pub struct Metrics {
    /// The one that every request adds to.
    transactions: OnceCell<Option<MetricId>>,
    ids: RefCell<BTreeMap<String, Option<MetricId>>>,
}

/// The gauge of [`Metrics::add_memory`].
const MEMORY: &str = "parapet.vm_memory_bytes";

/// Largest number of names; a rule set has fewer rules that can interrupt.
const NAMES: usize = 16_384;

impl Metrics {
    /// Adds one. `labels` is the suffix of [`label_suffix`]. A host without metrics is no error.
    pub fn count(&self, host: &dyn Host, count: Count<'_>, labels: &str) {
        if matches!(count, Count::Transaction) {
            let define = || {
                host.define_metric(MetricKind::Counter, &count.name(labels))
                    .ok()
            };
            increment(host, *self.transactions.get_or_init(define), 1);
            return;
        }
        self.add(host, MetricKind::Counter, count.name(labels), 1);
    }

    /// Adds to the memory of all VMs, in bytes. They share the gauge, so each adds what it grew by;
    /// one that trapped has no chance to take its part off again.
    pub fn add_memory(&self, host: &dyn Host, bytes: i64) {
        self.add(host, MetricKind::Gauge, MEMORY.to_owned(), bytes);
    }

    /// Adds to the records that a persistent collection has in the host's shared data. All VMs share the
    /// gauge. What has expired counts until something else is written beside it.
    pub fn add_keys(&self, host: &dyn Host, collection: &str, keys: i64) {
        let name = format!("waf_filter.collections.keys_collection={collection}");
        self.add(host, MetricKind::Gauge, name, keys);
    }

    fn add(&self, host: &dyn Host, kind: MetricKind, name: String, by: i64) {
        let known = self.ids.borrow().get(&name).copied();
        let id = known.unwrap_or_else(|| {
            let defined = host.define_metric(kind, &name).ok();
            let mut ids = self.ids.borrow_mut();
            if ids.len() < NAMES {
                ids.insert(name, defined);
            }
            defined
        });
        increment(host, id, by);
    }
}

fn increment(host: &dyn Host, id: Option<MetricId>, by: i64) {
    if let Some(id) = id {
        // What cannot be counted changes no verdict.
        let _: Result<(), _> = host.increment_metric(id, by);
    }
}

/// The labels of the plugin configuration as they stand at the end of a metric's name. Spaces and
/// bytes beyond printable ASCII become `_`.
pub fn label_suffix(labels: &[(String, String)]) -> String {
    let mut suffix = String::new();
    for (key, value) in labels {
        for (mark, text) in [('_', key), ('=', value)] {
            suffix.push(mark);
            suffix.extend(
                text.chars()
                    .map(|c| if c.is_ascii_graphic() { c } else { '_' }),
            );
        }
    }
    suffix
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeHost;
    use super::*;
    use crate::engine::Disposition;

    #[test]
    fn names_are_those_of_the_peer_and_defined_once() {
        let host = FakeHost::default();
        let metrics = Metrics::default();
        let labels = label_suffix(&[
            ("owner".into(), "co raza".into()),
            ("id".into(), "g".into()),
        ]);
        let interruption = Interruption {
            rule_id: 949_110,
            phase: 2,
            disposition: Disposition::Deny,
            status: 403,
            location: None,
        };
        for _ in 0..3 {
            metrics.count(&host, Count::Interruption(&interruption), &labels);
            metrics.count(&host, Count::Transaction, &labels);
        }
        assert_eq!(
            host.metrics(),
            [
                (
                    "waf_filter.tx.interruptions_ruleid=949110_phase=http_request_body\
                     _owner=co_raza_id=g"
                        .to_owned(),
                    3
                ),
                ("waf_filter.tx.total".to_owned(), 3),
            ]
        );
    }

    #[test]
    fn a_host_without_metrics_is_asked_once() {
        let host = FakeHost::default();
        host.fail("define_metric");
        let metrics = Metrics::default();
        metrics.count(&host, Count::Transaction, "");
        metrics.count(&host, Count::Transaction, "");
        assert_eq!(host.calls("define_metric"), 1);
        assert_eq!(host.calls("increment_metric"), 0);
    }
}
