//! What can be counted, and under which name.

use std::fmt::Write as _;

use super::labels::{Labels, push_fitting};
use crate::engine::Interruption;
use crate::proxy::host::Direction;
use crate::proxy::selection::Doubt;

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

/// A limit that a transaction came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// SecParapetWorkLimit.
    Work,
    /// SecArgumentsLimit.
    Arguments,
    /// SecRequestBodyLimit and its kin.
    RequestBody,
    /// SecResponseBodyLimit.
    ResponseBody,
}

impl Limit {
    fn label(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Arguments => "arguments",
            Self::RequestBody => "request_body",
            Self::ResponseBody => "response_body",
        }
    }
}

/// What can be counted.
#[derive(Clone, Copy, Debug)]
pub enum Count<'a> {
    /// A transaction began.
    Transaction,
    /// It found its profile. Where there is only one, this would say the same again.
    ProfileTransaction,
    /// A transaction was interrupted.
    Interruption(&'a Interruption),
    /// A rule matched, is to be logged and did not itself interrupt: as in DetectionOnly, or where
    /// rules only add to a score. Once for each rule, phase and time that matches are reported.
    Detection {
        /// The rule's id; of a chain, the first one's.
        rule_id: u64,
        /// 1 to 5.
        phase: u8,
    },
    /// A rule with this tag matched and is to be logged, whether it interrupted or not. Once for each
    /// tag and time that matches are reported.
    Tag(&'a [u8]),
    /// A shadow would have interrupted a transaction.
    ShadowInterruption(&'a Interruption),
    /// A shadow was left out or ended for want of memory.
    ShadowDropped,
    /// Something passed uninspected.
    Uninspected(Uninspected),
    /// A limit was reached.
    Limit(Limit),
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
    /// There is an audit record.
    AuditRecord,
    /// A collector took one.
    AuditSent,
    /// One was lost: there was no more room, or the collector did not want it.
    AuditLost,
    /// A request to the collector failed.
    AuditFailure,
    /// The strictest rules guard a request, because none are named for it.
    Strictest(&'a Doubt),
}

impl Count<'_> {
    /// The name. Keys of labels have no `_`, so that an expression can tell them from values;
    /// `metric_labels` come last, as in coraza-proxy-wasm. The `total` that Prometheus wants of counters
    /// ends the name: where it is no part of any label, and the peer's expressions go on working.
    pub(super) fn name(self, labels: &Labels) -> String {
        let mut name = String::from("waf_filter.");
        let Labels { profile, fixed } = labels;
        let by_rule = |name: &mut String, what: &str, rule_id: u64, phase: u8| {
            let phase = phase_name(phase);
            write!(
                name,
                "tx.{what}_ruleid={rule_id}{profile}_phase={phase}{fixed}"
            )
        };
        let written = match self {
            Self::Transaction => write!(name, "tx.total"),
            Self::ProfileTransaction => write!(name, "tx.requests{profile}{fixed}"),
            Self::Interruption(by) => by_rule(&mut name, "interruptions", by.rule_id, by.phase),
            Self::Detection { rule_id, phase } => by_rule(&mut name, "detections", rule_id, phase),
            Self::ShadowInterruption(by) => {
                by_rule(&mut name, "shadow_interruptions", by.rule_id, by.phase)
            }
            Self::Tag(tag) => {
                let begun = write!(name, "tx.matches{profile}_tag=");
                push_fitting(&mut name, &String::from_utf8_lossy(tag));
                name.push_str(fixed);
                begun
            }
            Self::ShadowDropped => write!(name, "tx.shadow_dropped"),
            Self::Uninspected(reason) => {
                let reason = reason.label();
                write!(name, "tx.uninspected{profile}_reason={reason}{fixed}")
            }
            Self::Limit(limit) => {
                let limit = limit.label();
                write!(name, "tx.limits{profile}_limit={limit}{fixed}")
            }
            Self::UntrustedAddress => write!(name, "tx.untrusted_address"),
            Self::HostFailure => write!(name, "host.failures"),
            Self::RejectedBeforeFilter => write!(name, "tx.rejected_before_filter"),
            Self::Overload => write!(name, "tx.overload"),
            Self::HoldTimeout => write!(name, "tx.hold_timeouts"),
            Self::CollectionConflict => write!(name, "collections.conflicts"),
            Self::CollectionLost => write!(name, "collections.lost"),
            Self::AuditRecord => write!(name, "audit.records"),
            Self::AuditSent => write!(name, "audit.sent"),
            Self::AuditLost => write!(name, "audit.lost"),
            Self::AuditFailure => write!(name, "audit.failures"),
            Self::Strictest(Doubt::Unmatched) => write!(name, "tx.strictest_reason=unmatched"),
            Self::Strictest(Doubt::UnknownProfile { .. }) => {
                write!(name, "tx.strictest_reason=unknown_profile")
            }
        };
        if !matches!(self, Self::Transaction) {
            name.push_str(".total");
        }
        // Writing to a String cannot fail.
        let _: std::fmt::Result = written;
        name
    }
}

/// The names coraza-proxy-wasm gives the phases.
fn phase_name(phase: u8) -> &'static str {
    match phase {
        1 => "http_request_headers",
        2 => "http_request_body",
        3 => "http_response_headers",
        4 => "http_response_body",
        _ => "http_logging",
    }
}
