//! Where the two engines differ on purpose, or because libmodsecurity departs from ModSecurity 2.
//!
//! An entry of the list explains a difference only if the side, the rule and the exchange are what it
//! says. One that explains nothing in a full run is stale and fails the run.

mod json;
mod list;

use std::path::Path;

use crate::exchange::{Exchange, Profile, find, holds};
use crate::verdict::{Difference, Side, Verdict};

pub use self::list::DIVERGENCES;

/// One explained divergence.
pub struct Divergence {
    pub name: &'static str,
    pub explanation: &'static str,
    /// Whether it explains this difference.
    explains: fn(&Case<'_>) -> bool,
}

/// Reported for what differs only because something else does: scores and what they lead to, and
/// whatever follows where one engine has ended the exchange before the other.
pub const CONSEQUENCE: Divergence = Divergence {
    name: "consequence",
    explanation: "scores, the end, and rules behind an earlier end differ because an explained rule does",
    explains: |_| false,
};

/// One difference and what belongs to it.
struct Case<'a> {
    exchange: &'a Exchange,
    difference: &'a Difference,
    parapet: &'a Verdict,
    modsecurity: &'a Verdict,
    /// The folder of the rules, for their phrase lists.
    rules: &'a Path,
}

/// What a body is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Processor {
    None,
    Form,
    Multipart,
    Json,
    Xml,
}

/// The divergence behind each difference, in order; `None` for one that nothing explains.
pub fn explain(
    exchange: &Exchange,
    parapet: &Verdict,
    modsecurity: &Verdict,
    differences: &[Difference],
    rules: &Path,
) -> Vec<Option<&'static Divergence>> {
    let mut found: Vec<_> = differences
        .iter()
        .map(|difference| {
            let case = Case {
                exchange,
                difference,
                parapet,
                modsecurity,
                rules,
            };
            DIVERGENCES.iter().find(|one| (one.explains)(&case))
        })
        .collect();
    if found.iter().all(Option::is_none) {
        return found;
    }
    let ends_differ = exchange.profile == Profile::Blocking
        && differences.iter().any(|difference| difference.rule == 0);
    for (difference, why) in differences.iter().zip(&mut found) {
        if why.is_none() && (adds_up(difference.rule) || ends_differ) {
            *why = Some(&CONSEQUENCE);
        }
    }
    found
}

/// Whether a rule adds up scores and reports or acts on them; 0 is the end of the exchange.
fn adds_up(rule: u64) -> bool {
    rule == 0 || matches!(rule / 1000, 949 | 959 | 980)
}

/// `application/*+json`, as the engine settings recognise it.
fn is_json_kin(kind: &[u8]) -> bool {
    let Some(rest) = kind.strip_prefix(b"application/") else {
        return false;
    };
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let end = rest
        .iter()
        .position(|byte| !plain(byte))
        .unwrap_or(rest.len());
    end > 0 && rest[end..].starts_with(b"+json")
}

impl Case<'_> {
    fn only(&self, side: Side) -> bool {
        self.difference.side == side
    }

    fn rule(&self, rules: &[u64]) -> bool {
        rules.contains(&self.difference.rule)
    }

    /// Whether the difference is about one of these collections or variables, directly, by what was
    /// matched in it before, or by what rules noted in TX of it.
    fn about(&self, variables: &[&str]) -> bool {
        let target = &self.difference.hit.target;
        let mut target = target.strip_prefix(b"&").unwrap_or(target);
        for prefix in [
            &b"MATCHED_VARS:"[..],
            b"MATCHED_VARS:",
            b"TX:rfi_parameter_",
        ] {
            target = target.strip_prefix(prefix).unwrap_or(target);
        }
        variables.iter().any(|variable| {
            target
                .split_at_checked(variable.len())
                .is_some_and(|(start, rest)| {
                    start.eq_ignore_ascii_case(variable.as_bytes())
                        && matches!(rest, [] | [b':', ..])
                })
        }) || variables.contains(&"ARGS_NAMES") && target.starts_with(b"TX:paramcounter_")
            || variables.contains(&"MULTIPART_PART_HEADERS")
                && target.starts_with(b"TX:multipart_headers_")
    }

    /// Whether both engines report a rule.
    fn both(&self, rule: u64) -> bool {
        self.parapet.hits.contains_key(&rule) && self.modsecurity.hits.contains_key(&rule)
    }

    fn processor(&self) -> Processor {
        let kind = self.exchange.content_type();
        let starts = |with: &str| kind.starts_with(with.as_bytes());
        if starts("application/x-www-form-urlencoded") {
            Processor::Form
        } else if starts("multipart/form-data") {
            Processor::Multipart
        } else if ["text/xml", "application/xml", "application/soap+xml"]
            .into_iter()
            .any(starts)
        {
            Processor::Xml
        } else if starts("application/json") || is_json_kin(&kind) {
            Processor::Json
        } else {
            Processor::None
        }
    }

    fn is(&self, processor: Processor) -> bool {
        self.processor() == processor
    }

    fn body(&self) -> &[u8] {
        &self.exchange.request.body
    }

    /// Whether a path segment of a text, as it is or percent-encoded, ends in two dots and is not
    /// just these.
    fn has_dotted_segment(&self) -> bool {
        let request = &self.exchange.request;
        let texts = [&self.difference.hit.value, &request.target, &request.body];
        texts.into_iter().any(|text| {
            let text = text.to_ascii_lowercase();
            let segments = text.split(|byte| b"/\\&?=; ".contains(byte));
            let mut segments = segments.chain(text.split(|byte| b"/\\".contains(byte)));
            segments.any(|segment| segment.len() > 2 && segment.ends_with(b".."))
        })
    }

    /// Whether the target of the request names a scheme and a host.
    fn is_absolute(&self) -> bool {
        let path = self
            .exchange
            .request
            .target
            .split(|&byte| byte == b'/')
            .next();
        path.is_some_and(|start| start.ends_with(b":"))
    }

    /// Whether the value that matched has a line feed. Where libmodsecurity shows only the beginning
    /// of a value, the request must have one.
    fn has_line_feed(&self) -> bool {
        let value = &self.difference.hit.value;
        let request = &self.exchange.request;
        let written = |text: &[u8]| {
            let text = text.to_ascii_lowercase();
            [&b"\n"[..], b"%0a", b"\\n"]
                .iter()
                .any(|feed| holds(&text, feed))
        };
        holds(value, b"\\x0a")
            || holds(value, b"\n")
            || holds(value, b"characters omitted)")
                && (written(&request.target) || written(&request.body))
    }

    fn hit_is(&self, target: &str) -> bool {
        self.difference
            .hit
            .target
            .eq_ignore_ascii_case(target.as_bytes())
    }

    /// The rule's last link looks at what its first captured.
    fn is_captured(&self) -> bool {
        matches!(
            &self.difference.hit.target[..],
            [b'T', b'X', b':', b'0'..=b'9']
        )
    }

    /// Whether the difference is about the name of a JSON member that holds others.
    fn about_json_container(&self) -> bool {
        let target = self.difference.hit.target.to_ascii_lowercase();
        let names = json::containers(self.body());
        let mut names = names.iter().map(|name| name.to_ascii_lowercase());
        names.any(|name| target.ends_with(format!("args_names:{name}").as_bytes()))
    }

    /// How many arguments the query and a form have.
    fn arguments(&self) -> usize {
        let target = &self.exchange.request.target;
        let query = target.iter().position(|&byte| byte == b'?');
        let query = query.map_or(&[][..], |at| &target[at..]);
        let body = if self.is(Processor::Form) {
            self.body()
        } else {
            &[]
        };
        let all = [query, body].into_iter().filter(|text| !text.is_empty());
        all.map(|text| text.split(|&byte| byte == b'&').count())
            .sum()
    }

    /// How often the request has a header.
    fn header_count(&self, name: &str) -> usize {
        let headers = self.exchange.request.headers.iter();
        headers
            .filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
            .count()
    }

    /// What follows the JSON value that the body begins with.
    fn behind_json(&self) -> &[u8] {
        let mut values =
            serde_json::Deserializer::from_slice(self.body()).into_iter::<serde::de::IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => self.body()[values.byte_offset()..].trim_ascii_start(),
            _ => &[],
        }
    }

    /// The type of the response is among those that are inspected, and there is a body.
    fn inspected_response(&self) -> bool {
        let Some(response) = &self.exchange.response else {
            return false;
        };
        let kind = find(&response.headers, "content-type").unwrap_or_default();
        let kind = kind.split(|&byte| byte == b';').next().unwrap_or_default();
        let listed = ["text/plain", "text/html", "text/xml", "application/json"];
        let listed = listed.into_iter().any(|one| kind == one.as_bytes());
        listed && !response.body.is_empty()
    }

    /// Whether a text holds a phrase of a list, looked for as simply as can be.
    fn holds_phrase(&self, list: &str, text: &[u8]) -> bool {
        let list = std::fs::read(self.rules.join(list)).unwrap_or_default();
        let text = text.to_ascii_lowercase();
        list.split(|&byte| byte == b'\n').any(|line| {
            let line = line.trim_ascii().to_ascii_lowercase();
            !line.is_empty() && !line.starts_with(b"#") && holds(&text, &line)
        })
    }
}
