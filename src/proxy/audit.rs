//! Where audit records go.

use super::host::{Host, Level};
use super::inspect::Inspect;

/// Writes the record of a transaction that is over, if the audit log wants one, into the host's log: one
/// line (SecAuditLogType Serial, and all other types until a filter can do better).
pub(super) fn deliver(host: &dyn Host, transaction: &impl Inspect) {
    if let Some(record) = transaction.audit_record() {
        host.log(Level::Info, &record);
    }
}
