//! Whether a stage went as expected.

use std::collections::BTreeSet;

use regex_lite::Regex;

use super::super::driver::{Decider, Exchanged};
use super::format::Output;

/// What is said about a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// What went wrong; empty if nothing did.
    pub(crate) failures: Vec<String>,
    /// The ids in the log lines.
    pub(crate) ids: BTreeSet<u64>,
    /// A status or an error was expected that only a server in front gives; it was not judged.
    pub(crate) server_only: bool,
}

/// Compares a stage's expectations with what happened.
///
/// # Errors
///
/// A text for people: an expectation that cannot be judged at all.
pub(crate) fn judge(expected: &Output, got: &Exchanged) -> Result<Judgement, String> {
    let mut judgement = Judgement {
        ids: rule_ids(&got.log),
        ..Default::default()
    };
    if expected.isolated && expected.log.expect_ids.len() != 1 {
        return Err("`isolated` needs exactly one id in `expect_ids`".to_owned());
    }
    status(expected, got, &mut judgement);
    log(expected, got, &mut judgement)?;
    if let Some(text) = &expected.response_contains {
        let response = got.reply.as_ref().map(|reply| {
            let heads = reply.headers.iter();
            let mut all: Vec<u8> = heads
                .flat_map(|(name, value)| [name, &b": "[..], value, b"\r\n"].concat())
                .collect();
            all.extend_from_slice(&reply.body);
            all
        });
        let found = response
            .is_some_and(|response| memchr::memmem::find(&response, text.as_bytes()).is_some());
        judgement.check(found, || format!("the response does not contain `{text}`"));
    }
    Ok(judgement)
}

/// A status is judged where it was decided as in earnest: when the rules interrupted, when the
/// backend's own answer was expected, and always behind a server. Otherwise an error status can only
/// come from the server that is missing.
fn status(expected: &Output, got: &Exchanged, judgement: &mut Judgement) {
    if expected.expect_error == Some(true) {
        match got.decider {
            Decider::Server => judgement.check(got.reply.is_none(), || {
                "an answer, where an error is expected".to_owned()
            }),
            Decider::Rules | Decider::Backend => judgement.server_only = true,
        }
        return;
    }
    let Some(wanted) = expected.status else {
        let answered = got.reply.is_some() || got.decider != Decider::Server;
        judgement.check(answered, || "no answer".to_owned());
        return;
    };
    let status = got.reply.as_ref().map(|reply| reply.status);
    if status == Some(wanted) {
        return;
    }
    if got.decider == Decider::Backend && wanted >= 400 {
        judgement.server_only = true;
        return;
    }
    judgement.failures.push(match status {
        Some(status) => format!("status {status} instead of {wanted}"),
        None => format!("no answer instead of status {wanted}"),
    });
}

fn log(expected: &Output, got: &Exchanged, judgement: &mut Judgement) -> Result<(), String> {
    let log = &expected.log;
    let missing: Vec<u64> = log
        .expect_ids
        .iter()
        .copied()
        .filter(|id| !judgement.ids.contains(id))
        .collect();
    judgement.check(missing.is_empty(), || {
        format!("not in the log: {missing:?}")
    });
    let unwanted: Vec<u64> = log
        .no_expect_ids
        .iter()
        .copied()
        .filter(|id| judgement.ids.contains(id))
        .collect();
    judgement.check(unwanted.is_empty(), || format!("in the log: {unwanted:?}"));
    if expected.isolated {
        let alone = judgement.ids.len() == 1;
        judgement.check(alone, || "other rules matched too".to_owned());
    }
    // The older names count where the newer ones say nothing.
    let wanted = log.match_regex.as_ref().or_else(|| {
        expected
            .log_contains
            .as_ref()
            .filter(|_| log.expect_ids.is_empty())
    });
    let unwanted = log.no_match_regex.as_ref().or_else(|| {
        expected
            .no_log_contains
            .as_ref()
            .filter(|_| log.no_expect_ids.is_empty())
    });
    if let Some(pattern) = wanted {
        let found = any_line(&got.log, pattern)?;
        judgement.check(found, || format!("no log line matches `{pattern}`"));
    }
    if let Some(pattern) = unwanted {
        let found = any_line(&got.log, pattern)?;
        judgement.check(!found, || format!("a log line matches `{pattern}`"));
    }
    Ok(())
}

impl Judgement {
    fn check(&mut self, good: bool, message: impl FnOnce() -> String) {
        if !good {
            self.failures.push(message());
        }
    }
}

fn any_line(lines: &[Vec<u8>], pattern: &str) -> Result<bool, String> {
    let regex = Regex::new(pattern).map_err(|error| format!("`{pattern}`: {error}"))?;
    Ok(lines
        .iter()
        .any(|line| regex.is_match(&String::from_utf8_lossy(line))))
}

/// The ids in log lines: every `[id "123"]`.
fn rule_ids(lines: &[Vec<u8>]) -> BTreeSet<u64> {
    let mut ids = BTreeSet::new();
    for line in lines {
        for at in memchr::memmem::find_iter(line, b"[id \"") {
            let digits: Vec<u8> = line
                .iter()
                .skip(at.saturating_add(5))
                .copied()
                .take_while(u8::is_ascii_digit)
                .collect();
            ids.extend(
                std::str::from_utf8(&digits)
                    .ok()
                    .and_then(|text| text.parse::<u64>().ok()),
            );
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::{Judgement, judge};
    use crate::cli::driver::{Decider, Exchanged};
    use crate::cli::message::Response;

    fn exchanged(status: u16, decider: Decider) -> Exchanged {
        Exchanged {
            log: vec![
                b"ModSecurity: Warning. [file \"a\"] [id \"942100\"] [msg \"x\"]".to_vec(),
                b"ModSecurity: Warning. [id \"949110\"] [msg \"Score\xff 5\"]".to_vec(),
            ],
            reply: Some(Response {
                status,
                body: b"hello".to_vec(),
                ..Default::default()
            }),
            decider,
        }
    }

    fn judged(expected: &str, got: &Exchanged) -> Judgement {
        judge(&serde_saphyr::from_str(expected).unwrap(), got).unwrap()
    }

    #[test]
    fn ids() {
        let got = exchanged(200, Decider::Backend);
        assert!(
            judged("log: {expect_ids: [942100, 949110]}", &got)
                .failures
                .is_empty()
        );
        assert!(
            judged("log: {no_expect_ids: [9421]}", &got)
                .failures
                .is_empty()
        );
        assert_eq!(
            judged("log: {expect_ids: [942100, 1, 2]}", &got)
                .failures
                .len(),
            1
        );
        assert_eq!(
            judged("log: {no_expect_ids: [942100]}", &got)
                .failures
                .len(),
            1
        );
        assert_eq!(
            judged("{isolated: true, log: {expect_ids: [942100]}}", &got).failures,
            ["other rules matched too"]
        );
        let isolated = serde_saphyr::from_str("{isolated: true}").unwrap();
        assert!(judge(&isolated, &got).is_err());
    }

    #[test]
    fn patterns_match_within_a_line() {
        let got = exchanged(200, Decider::Backend);
        assert!(
            judged(r"log: {match_regex: 'Score.* \d'}", &got)
                .failures
                .is_empty()
        );
        assert_eq!(
            judged("log: {match_regex: 'x.*Score'}", &got)
                .failures
                .len(),
            1
        );
        assert_eq!(
            judged(r"log: {no_match_regex: '\[id \S'}", &got)
                .failures
                .len(),
            1
        );
        assert!(
            judged("log_contains: 'id \"942100\"'", &got)
                .failures
                .is_empty()
        );
        assert_eq!(
            judged("no_log_contains: 'id \"942100\"'", &got)
                .failures
                .len(),
            1
        );
        assert!(
            judge(
                &serde_saphyr::from_str("log: {match_regex: '('}").unwrap(),
                &got
            )
            .is_err()
        );
    }

    #[test]
    fn a_status_is_judged_where_the_engine_decides_it() {
        let passed = exchanged(200, Decider::Backend);
        assert!(judged("status: 200", &passed).failures.is_empty());
        let refused_by_a_server = judged("status: 400", &passed);
        assert!(refused_by_a_server.failures.is_empty() && refused_by_a_server.server_only);
        assert!(judged("expect_error: true", &passed).server_only);
        let denied = exchanged(403, Decider::Rules);
        assert_eq!(
            judged("status: 200", &denied).failures,
            ["status 403 instead of 200"]
        );
        assert_eq!(judged("status: 400", &denied).failures.len(), 1);
        assert!(judged("status: 403", &denied).failures.is_empty());
    }

    #[test]
    fn a_whole_server_is_judged_by_all_that_it_says() {
        let passed = exchanged(200, Decider::Server);
        assert_eq!(judged("status: 400", &passed).failures.len(), 1);
        assert_eq!(judged("expect_error: true", &passed).failures.len(), 1);
        let silent = Exchanged {
            reply: None,
            ..exchanged(200, Decider::Server)
        };
        assert!(judged("expect_error: true", &silent).failures.is_empty());
        assert_eq!(judged("{}", &silent).failures, ["no answer"]);
        assert_eq!(
            judged("status: 200", &silent).failures,
            ["no answer instead of status 200"]
        );
        assert!(!judged("status: 400", &silent).server_only);
    }

    #[test]
    fn the_response_is_searched() {
        let got = exchanged(200, Decider::Backend);
        assert!(judged("response_contains: ell", &got).failures.is_empty());
        assert_eq!(judged("response_contains: bye", &got).failures.len(), 1);
    }
}
