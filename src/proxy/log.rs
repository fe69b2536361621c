//! Lines for the host's log. Hosts neither escape nor cut them, so a client could forge lines: no
//! byte that is not printable ASCII leaves here unescaped.

use super::host::{Direction, Host, Level};
use super::inspect::Inspect;
use super::selection::Doubt;
use super::settings::OnError;
use super::shadow::ShadowVerdict;
use crate::engine::{Interruption, RuleMatch};

/// Longest line of a message about the filter itself or its configuration, in bytes.
const LONGEST: usize = 2_048;
/// Most bytes of a name that a client or a control plane chose.
const LONGEST_NAME: usize = 128;

/// Writes the matches since the last call, each at the level of its severity; those of a shadow are
/// marked. Gives those that are logged and not the shadow's.
pub(super) fn matches(host: &dyn Host, transaction: &mut impl Inspect) -> Vec<RuleMatch> {
    let mut matches = transaction.drain_matches();
    matches.retain(|matched| matched.log);
    if !matches.is_empty() {
        for (matched, line) in matches.iter().zip(transaction.log_lines(&matches)) {
            host.log(level(matched), &line);
        }
    }
    for (matched, line) in transaction.drain_shadow() {
        host.log(level(&matched), &line);
    }
    matches
}

/// Says that a shadow would have stopped a transaction.
pub(super) fn shadow(host: &dyn Host, verdict: &ShadowVerdict, ids: &str) {
    let ShadowVerdict { name, interruption } = verdict;
    let Interruption {
        rule_id,
        phase,
        status,
        ..
    } = interruption;
    let name = name.escape_default();
    let by = match rule_id {
        0 => "a limit".to_owned(),
        id => format!("rule {id}"),
    };
    line(
        host,
        Level::Warn,
        &format!(
            "shadow \"{name}\" would have denied with {status} in phase {phase} by {by} \
             {ids}"
        ),
    );
}

/// The names of a transaction and its request as they stand at the end of every line about them.
/// The client may have chosen the latter.
pub(super) fn ids(unique_id: &str, request_id: &[u8]) -> String {
    let unique_id = format!("[unique_id \"{unique_id}\"]");
    if request_id.is_empty() {
        return unique_id;
    }
    format!("{unique_id} [request_id \"{}\"]", short(request_id))
}

/// A name that somebody else chose, escaped and cut.
fn short(name: &[u8]) -> String {
    let name: Vec<u8> = name.iter().copied().take(LONGEST_NAME).collect();
    name.escape_ascii().to_string()
}

/// Says that a limit, not a rule, interrupted.
pub(super) fn limit(host: &dyn Host, by: &Interruption, ids: &str) {
    let Interruption { phase, status, .. } = by;
    line(
        host,
        Level::Warn,
        &format!("a limit ended the transaction with {status} in phase {phase} {ids}"),
    );
}

/// Says that a stream could not be inspected.
pub(super) fn failure(
    host: &dyn Host,
    what: &str,
    direction: Direction,
    policy: OnError,
    ids: &str,
) {
    let outcome = match policy {
        OnError::Deny => "denied",
        OnError::Allow => "passes uninspected",
    };
    line(
        host,
        Level::Error,
        &format!("{direction:?} {outcome}: {what} {ids}"),
    );
}

/// Says that a body goes on before its verdict.
pub(super) fn streamed(host: &dyn Host, direction: Direction, ids: &str) {
    line(
        host,
        Level::Warn,
        &format!(
            "{direction:?} body goes on while it is inspected: it is larger than the host keeps {ids}"
        ),
    );
}

/// Says that a body stays as it is although rules want it changed.
pub(super) fn unchanged(host: &dyn Host, direction: Direction, why: &str, ids: &str) {
    line(
        host,
        Level::Info,
        &format!("{direction:?} body is not changed: {why} {ids}"),
    );
}

/// Says that no rule set is named for a request. `untold`: how many like it came since the last
/// such line.
pub(super) fn doubt(host: &dyn Host, doubt: &Doubt, authority: Option<&[u8]>, untold: u64) {
    let why = match doubt {
        Doubt::Unmatched => {
            "no rules are named for it, and there are no `default_directives`".to_owned()
        }
        Doubt::UnknownProfile { from, name } => format!(
            "the metadata of its {} names the profile \"{}\", which is not in `directives_map`",
            from.name(),
            short(name)
        ),
    };
    let more = match untold {
        0 => String::new(),
        untold => format!("; {untold} more since the last such line"),
    };
    let text = format!(
        "the strictest rules guard a request for \"{}\": {why}{more}",
        short(authority.unwrap_or_default())
    );
    line(host, Level::Warn, &text);
}

/// Writes one line about the filter itself.
pub fn line(host: &dyn Host, level: Level, text: &str) {
    let mut out = b"parapet: ".to_vec();
    escape(text.as_bytes(), &mut out);
    host.log(level, &out);
}

/// Appends a text so that it stays on one line: control and other odd bytes as `\xHH`. Cuts at
/// [`LONGEST`].
fn escape(text: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    for &byte in text {
        if out.len() >= LONGEST {
            out.extend_from_slice(b"...");
            return;
        }
        match byte {
            b' '..=b'~' => out.push(byte),
            b'\n' => out.extend_from_slice(b"\\n"),
            _ => out.extend([b'\\', b'x', digit(byte >> 4), digit(byte & 15)]),
        }
    }
}

/// Without a severity, a match that denies is an error and any other worth knowing.
fn level(matched: &RuleMatch) -> Level {
    match matched.severity {
        Some(0..=2) => Level::Critical,
        Some(3) => Level::Error,
        Some(4) => Level::Warn,
        Some(5 | 6) => Level::Info,
        Some(_) => Level::Debug,
        None if matched.interruption.is_some() => Level::Error,
        None => Level::Info,
    }
}
