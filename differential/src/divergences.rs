//! Where the two engines differ on purpose, or because libmodsecurity departs from ModSecurity 2.
//!
//! An entry explains a difference only if the side, the rule and the exchange are what it says. One
//! that explains nothing in a full run is stale and fails the run.

use crate::exchange::{Exchange, Profile, holds};
use crate::verdict::{Difference, Side};

/// One explained divergence.
pub struct Divergence {
    pub name: &'static str,
    pub explanation: &'static str,
    /// Who reports more.
    side: Side,
    /// Whether it explains this difference of this exchange.
    explains: fn(&Exchange, &Difference) -> bool,
}

/// All of them. The first that fits counts.
pub const DIVERGENCES: &[Divergence] = &[
    Divergence {
        name: "request-body-always",
        explanation: "v3 fills REQUEST_BODY whatever the body is; v2 only for forms and where \
            forceRequestBodyVariable asks for it.",
        side: Side::ModSecurity,
        explains: |exchange, difference| {
            difference.hit.target == b"REQUEST_BODY" && exchange.processor() != Processor::Form
                && exchange.processor() != Processor::None
        },
    },
    Divergence {
        name: "forced-body-is-a-form",
        explanation: "A body without a processor that forceRequestBodyVariable keeps is read as a \
            form in v2; in v3 the option does nothing.",
        side: Side::Parapet,
        explains: |exchange, difference| {
            let target = difference.hit.target.as_slice();
            exchange.processor() == Processor::None
                && !exchange.request.body.is_empty()
                && (target.starts_with(b"ARGS") || target == b"REQUEST_BODY" || target.starts_with(b"MATCHED_VARS"))
        },
    },
    Divergence {
        name: "empty-xml",
        explanation: "v3 calls a document of no bytes malformed; in v2 there is nothing to parse.",
        side: Side::ModSecurity,
        explains: |exchange, difference| {
            difference.rule == 200_002
                && exchange.processor() == Processor::Xml
                && exchange.request.body.is_empty()
        },
    },
    Divergence {
        name: "unmatched-boundary-forgotten",
        explanation: "In v3 any later boundary line overwrites MULTIPART_UNMATCHED_BOUNDARY with 2.",
        side: Side::Parapet,
        explains: |exchange, difference| {
            difference.rule == 200_004 && exchange.processor() == Processor::Multipart
        },
    },
];

/// Reported for rules that only add up what others found, and for an end that others brought about.
pub const CONSEQUENCE: Divergence = Divergence {
    name: "consequence",
    explanation: "Scores, the rules that follow an earlier end, and the end itself differ because a \
        rule does whose difference is explained.",
    side: Side::Parapet,
    explains: |_, _| false,
};

/// What a body is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Processor {
    None,
    Form,
    Multipart,
    Json,
    Xml,
}

impl Exchange {
    fn processor(&self) -> Processor {
        let kind = self.content_type();
        let starts = |with: &[u8]| kind.starts_with(with);
        if starts(b"application/x-www-form-urlencoded") {
            Processor::Form
        } else if starts(b"multipart/form-data") {
            Processor::Multipart
        } else if starts(b"text/xml") || starts(b"application/xml") || starts(b"application/soap+xml") {
            Processor::Xml
        } else if starts(b"application/json") || starts(b"application/") && holds(&kind, b"+json") {
            Processor::Json
        } else {
            Processor::None
        }
    }
}

/// The divergence behind each difference, in order; `None` for one that nothing explains.
pub fn explain(
    exchange: &Exchange,
    differences: &[Difference],
) -> Vec<Option<&'static Divergence>> {
    let mut found: Vec<_> = differences
        .iter()
        .map(|difference| {
            DIVERGENCES.iter().find(|divergence| {
                divergence.side == difference.side && (divergence.explains)(exchange, difference)
            })
        })
        .collect();
    if found.iter().all(Option::is_none) {
        return found;
    }
    let ends_differ = exchange.profile == Profile::Blocking
        && differences.iter().any(|difference| difference.rule == 0);
    for (difference, why) in differences.iter().zip(&mut found) {
        if why.is_none() && (is_sum(difference.rule) || ends_differ) {
            *why = Some(&CONSEQUENCE);
        }
    }
    found
}

/// Rules that add up scores and report them.
fn is_sum(rule: u64) -> bool {
    rule == 0 || matches!(rule / 1000, 949 | 959 | 980)
}
