//! Where audit records go.

use super::collector::Collector;
use super::host::{Host, Level};
use super::inspect::Inspect;
use super::metrics::{Count, Labels, Metrics};

/// Where audit records go.
#[derive(Debug, Default)]
pub(super) struct AuditLog {
    /// The way to the collector, if there is one.
    collector: Option<Collector>,
}

impl AuditLog {
    pub(super) fn new(collector: Option<Collector>) -> Self {
        Self { collector }
    }

    /// Takes the record of a transaction that is over, if the audit log wants one: for the collector
    /// (SecAuditLogType HTTPS), or as one line of the host's log. Whether ticks are needed from now on.
    pub(super) fn deliver(
        &self,
        host: &dyn Host,
        metrics: &Metrics,
        transaction: &impl Inspect,
    ) -> bool {
        let Some(record) = transaction.audit_record(&mut |bytes| host.random(bytes)) else {
            return false;
        };
        metrics.count(host, Count::AuditRecord, &Labels::default());
        let destination = transaction.audit_destination();
        let left = match (&self.collector, destination) {
            (Some(collector), Some(destination)) => {
                collector.offer(host, metrics, destination, record)
            }
            _ => Some(record),
        };
        match left {
            Some(record) => {
                host.log(Level::Info, &record);
                false
            }
            None => true,
        }
    }

    /// Sends what is due to the collector; whether ticks are still needed.
    pub(super) fn tick(&self, host: &dyn Host, metrics: &Metrics) -> bool {
        let collector = self.collector.as_ref();
        collector.is_some_and(|collector| collector.tick(host, metrics))
    }

    /// A call has ended.
    pub(super) fn on_response(
        &self,
        host: &dyn Host,
        metrics: &Metrics,
        token: u32,
        answered: bool,
    ) {
        if let Some(collector) = &self.collector {
            collector.on_response(host, metrics, token, answered);
        }
    }

    /// There will be no more ticks: what has not arrived goes into the host's log.
    pub(super) fn close(&self, host: &dyn Host) {
        for record in self.collector.iter().flat_map(Collector::close) {
            host.log(Level::Info, &record);
        }
    }
}
