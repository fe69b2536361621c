//! The error log line of a match, in the format of ModSecurity 2.

use super::Redaction;
use crate::engine::{Disposition, LogContext, RuleMatch};

/// Most bytes of a name that the client may have chosen for its request.
const NAME: usize = 128;
/// Most bytes of a message, a tag, an address.
const SHORT: usize = 512;
/// Most bytes of the match text and of the address of the request.
const LONG: usize = 1024;

/// One line without a line end. It is ASCII: control and high bytes, quotes and backslashes of
/// values are escaped, and values are cut at 512 bytes (1,024 for match text and address). Behind
/// ModSecurity's fields stands one of our own, `request_id`, where there is one.
///
/// What texts of the client would give away is covered ([`Redaction`]).
pub fn error_log_line(
    found: &RuleMatch,
    context: &LogContext,
    redaction: &Redaction<'_>,
) -> String {
    let optional = |line: &mut String, name: &str, value: &[u8]| {
        push_optional(line, name, &redaction.text(value));
    };
    let mut line = String::with_capacity(512);
    line.push_str("[client ");
    push_escaped(&mut line, &context.client, SHORT);
    line.push_str("] ModSecurity: ");
    push_verdict(&mut line, found, redaction);
    line.push(' ');
    push_escaped_text(&mut line, &redaction.text(&found.explanation), LONG);
    if found.rule_id != 0 {
        push_field(&mut line, "file", found.file.as_bytes(), SHORT);
        push_field(&mut line, "line", found.line.to_string().as_bytes(), SHORT);
        push_field(&mut line, "id", found.rule_id.to_string().as_bytes(), SHORT);
    }
    push_optional(&mut line, "rev", &found.rev);
    optional(&mut line, "msg", &found.msg);
    optional(&mut line, "data", &found.data);
    if let Some(severity) = found.severity {
        push_field(
            &mut line,
            "severity",
            severity_name(severity).as_bytes(),
            SHORT,
        );
    }
    push_optional(&mut line, "ver", &found.ver);
    if let Some(maturity) = found.maturity {
        push_field(
            &mut line,
            "maturity",
            maturity.to_string().as_bytes(),
            SHORT,
        );
    }
    if let Some(accuracy) = found.accuracy {
        push_field(
            &mut line,
            "accuracy",
            accuracy.to_string().as_bytes(),
            SHORT,
        );
    }
    for tag in &found.tags {
        push_field(&mut line, "tag", &redaction.text(tag), SHORT);
    }
    push_field(&mut line, "hostname", &context.hostname, SHORT);
    push_field(&mut line, "uri", &redaction.url(&context.uri), LONG);
    push_field(&mut line, "unique_id", &context.unique_id, SHORT);
    if !context.request_id.is_empty() {
        push_field(&mut line, "request_id", &context.request_id, NAME);
    }
    line
}

/// `Access denied with code 403 (phase 2).`, or `Warning.` where nothing was stopped.
fn push_verdict(line: &mut String, found: &RuleMatch, redaction: &Redaction<'_>) {
    let Some(interruption) = &found.interruption else {
        line.push_str("Warning.");
        return;
    };
    let phase = interruption.phase;
    match interruption.disposition {
        Disposition::Deny => {
            let status = interruption.status;
            line.push_str(&format!(
                "Access denied with code {status} (phase {phase})."
            ));
        }
        Disposition::Drop => {
            line.push_str(&format!(
                "Access denied with connection close (phase {phase})."
            ));
        }
        Disposition::Redirect => {
            line.push_str("Access denied with redirection to ");
            let location = interruption.location.as_deref().unwrap_or_default();
            push_escaped(line, &redaction.url(location), SHORT);
            let status = interruption.status;
            line.push_str(&format!(" using status {status} (phase {phase})."));
        }
    }
}

/// The name of a severity, 0 to 7.
pub(crate) fn severity_name(severity: u8) -> &'static str {
    match severity {
        0 => "EMERGENCY",
        1 => "ALERT",
        2 => "CRITICAL",
        3 => "ERROR",
        4 => "WARNING",
        5 => "NOTICE",
        6 => "INFO",
        _ => "DEBUG",
    }
}

fn push_optional(line: &mut String, name: &str, value: &[u8]) {
    if !value.is_empty() {
        push_field(line, name, value, SHORT);
    }
}

fn push_field(line: &mut String, name: &str, value: &[u8], most: usize) {
    line.push_str(" [");
    line.push_str(name);
    line.push_str(" \"");
    push_escaped(line, value, most);
    line.push_str("\"]");
}

/// Bytes of a value: nothing in it can end the field or the line.
fn push_escaped(line: &mut String, value: &[u8], most: usize) {
    push_bytes(line, value, most, true);
}

/// The match text: its own quotes stay, for they were written by the engine.
fn push_escaped_text(line: &mut String, text: &[u8], most: usize) {
    push_bytes(line, text, most, false);
}

fn push_bytes(line: &mut String, bytes: &[u8], most: usize, quotes: bool) {
    for &byte in bytes.iter().take(most) {
        match byte {
            b'"' | b'\\' if quotes => {
                line.push('\\');
                line.push(char::from(byte));
            }
            b'\n' => line.push_str("\\n"),
            b'\r' => line.push_str("\\r"),
            b'\t' => line.push_str("\\t"),
            0x20..=0x7E => line.push(char::from(byte)),
            _ => line.push_str(&format!("\\x{byte:02x}")),
        }
    }
    if bytes.len() > most {
        line.push_str("...");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Interruption;

    fn found() -> RuleMatch {
        RuleMatch {
            rule_id: 7,
            phase: 2,
            file: "a.conf".into(),
            line: 3,
            rev: Vec::new(),
            ver: b"v/1".to_vec(),
            msg: b"Say \"hi\"\n[id \"8\"]".to_vec(),
            data: vec![0xFF, 0],
            severity: Some(2),
            maturity: None,
            accuracy: None,
            tags: vec![b"one".to_vec(), b"two".to_vec()],
            explanation: b"Pattern match \"a\" at ARGS:x.".to_vec(),
            log: true,
            audit: true,
            ..RuleMatch::default()
        }
    }

    fn line(found: &RuleMatch, context: &LogContext) -> String {
        let transaction = super::super::tests::transaction("");
        error_log_line(found, context, &Redaction::new(&transaction))
    }

    #[test]
    fn a_line_is_what_searchers_expect() {
        let context = LogContext {
            client: b"10.0.0.1".to_vec(),
            hostname: b"h".to_vec(),
            uri: b"/a".to_vec(),
            unique_id: b"u".to_vec(),
            request_id: Vec::new(),
        };
        assert_eq!(
            line(&found(), &context),
            "[client 10.0.0.1] ModSecurity: Warning. Pattern match \"a\" at ARGS:x. \
             [file \"a.conf\"] [line \"3\"] [id \"7\"] \
             [msg \"Say \\\"hi\\\"\\n[id \\\"8\\\"]\"] [data \"\\xff\\x00\"] \
             [severity \"CRITICAL\"] [ver \"v/1\"] [tag \"one\"] [tag \"two\"] \
             [hostname \"h\"] [uri \"/a\"] [unique_id \"u\"]"
        );
    }

    #[test]
    fn a_request_id_is_a_field_of_its_own_and_forges_none() {
        let context = LogContext {
            unique_id: b"u".to_vec(),
            request_id: [&b"x\"] [id \"1\"]\n"[..], &[b'y'; 200]].concat(),
            ..LogContext::default()
        };
        let line = line(&found(), &context);
        let id = format!("x\\\"] [id \\\"1\\\"]\\n{}...", "y".repeat(115));
        let end = format!("[unique_id \"u\"] [request_id \"{id}\"]");
        assert!(line.ends_with(&end), "{line}");
    }

    #[test]
    fn denials_say_so() {
        let mut found = found();
        found.interruption = Some(Interruption {
            rule_id: 7,
            phase: 2,
            disposition: Disposition::Deny,
            status: 403,
            location: None,
        });
        let line = line(&found, &LogContext::default());
        assert!(
            line.contains("Access denied with code 403 (phase 2)."),
            "{line}"
        );
    }
}
