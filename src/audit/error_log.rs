//! The error log line of a match, in the format of ModSecurity 2.

use super::Redaction;
use crate::engine::{Disposition, LogContext, RuleMatch, Transaction};
use crate::program::CutLengths;

/// Most bytes of a name that the client may have chosen for its request.
const NAME: usize = 128;

/// Writes the matches of one transaction as lines of an error log.
///
/// A line has no line end and is ASCII: control and high bytes, quotes and backslashes of values are
/// escaped, and values are cut (SecParapetLogCutLengths). What texts of the client would give away is
/// covered ([`Redaction`]). Behind ModSecurity's fields stands one of our own, `request_id`, where
/// there is one.
#[derive(Debug)]
pub struct ErrorLog<'a> {
    context: LogContext,
    redaction: Redaction<'a>,
    cut: CutLengths,
}

impl<'a> ErrorLog<'a> {
    /// Looks at what a transaction holds by now.
    pub fn new(transaction: &'a Transaction) -> Self {
        Self {
            context: transaction.log_context(),
            redaction: Redaction::new(transaction),
            cut: transaction.program().settings.audit.cut,
        }
    }

    /// The line of a match.
    pub fn line(&self, found: &RuleMatch) -> String {
        let context = &self.context;
        let mut line = String::with_capacity(512);
        line.push_str("[client ");
        push_escaped(&mut line, &context.client, self.cut.value);
        line.push_str("] ModSecurity: ");
        push_message(&mut line, found, &self.redaction, self.cut);
        let fields = [
            ("hostname", &*context.hostname, self.cut.value),
            ("uri", &self.redaction.url(&context.uri), self.cut.text),
            ("unique_id", &context.unique_id, self.cut.value),
        ];
        for (name, value, most) in fields {
            push_field(&mut line, name, value, most);
        }
        if !context.request_id.is_empty() {
            push_field(&mut line, "request_id", &context.request_id, NAME);
        }
        line
    }
}

/// What is said of a match: the verdict, what matched, and the fields of the rule.
pub(super) fn push_message(
    line: &mut String,
    found: &RuleMatch,
    redaction: &Redaction<'_>,
    cut: CutLengths,
) {
    push_verdict(line, found, redaction, cut.value);
    line.push(' ');
    push_escaped_text(line, &redaction.text(&found.explanation), cut.text);
    let mut field = |name: &str, value: &[u8]| push_field(line, name, value, cut.value);
    if found.rule_id != 0 {
        field("file", found.file.as_bytes());
        field("line", found.line.to_string().as_bytes());
        field("id", found.rule_id.to_string().as_bytes());
    }
    for (name, value) in [
        ("rev", &found.rev),
        ("msg", &found.msg),
        ("data", &found.data),
    ] {
        if !value.is_empty() {
            field(name, &redaction.text(value));
        }
    }
    if let Some(severity) = found.severity {
        field("severity", severity_name(severity).as_bytes());
    }
    if !found.ver.is_empty() {
        field("ver", &found.ver);
    }
    for (name, number) in [("maturity", found.maturity), ("accuracy", found.accuracy)] {
        if let Some(number) = number {
            field(name, number.to_string().as_bytes());
        }
    }
    for tag in &found.tags {
        field("tag", &redaction.text(tag));
    }
}

/// `Access denied with code 403 (phase 2).`, or `Warning.` where nothing was stopped.
fn push_verdict(line: &mut String, found: &RuleMatch, redaction: &Redaction<'_>, most: usize) {
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
            push_escaped(line, &redaction.url(location), most);
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

pub(super) fn push_field(line: &mut String, name: &str, value: &[u8], most: usize) {
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

pub(super) fn push_bytes(line: &mut String, bytes: &[u8], most: usize, quotes: bool) {
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
        let log = ErrorLog {
            context: context.clone(),
            ..ErrorLog::new(&transaction)
        };
        log.line(found)
    }

    #[test]
    fn no_byte_ends_a_field_or_a_line() {
        let all: Vec<u8> = (0..=255).collect();
        let found = RuleMatch {
            msg: all.clone(),
            data: all.clone(),
            tags: vec![all.clone()],
            explanation: all.clone(),
            ..found()
        };
        let context = LogContext {
            client: all.clone(),
            hostname: all.clone(),
            uri: all.clone(),
            unique_id: all.clone(),
            request_id: all,
        };
        let line = line(&found, &context);
        assert!(line.bytes().all(|byte| (32..127).contains(&byte)), "{line}");
        // The engine's own words may quote; in values each quote is escaped.
        let fields = line.split_once(" [file ").unwrap().1;
        let bare = fields.replace("\\\\", "").replace("\\\"", "");
        assert_eq!(
            bare.matches('"').count(),
            2 * (1 + bare.matches(" \"").count()),
            "{bare}"
        );
    }

    #[test]
    fn lengths_can_be_set() {
        let rules = "SecParapetLogCutLengths 16 32";
        let transaction = super::super::tests::transaction(rules);
        let found = RuleMatch {
            msg: vec![b'm'; 100],
            explanation: vec![b'e'; 100],
            ..found()
        };
        let line = ErrorLog::new(&transaction).line(&found);
        assert!(
            line.contains(&format!("[msg \"{}...\"]", "m".repeat(16))),
            "{line}"
        );
        assert!(
            line.contains(&format!("Warning. {}... [", "e".repeat(32))),
            "{line}"
        );
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
