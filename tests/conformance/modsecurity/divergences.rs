//! Where a case may differ, and by which mechanism.
//!
//! A case that fails is held against this table. An entry looks at the facts: it says that the
//! difference is the one it is named for, and nothing else. `expectations.txt` holds the reason of
//! each by name, and whether ModSecurity 2.9 wins there or the case does not apply.

use parapet::compile::Compiled;
use parapet::diagnostic::{Code, Severity};
use parapet::engine::{Asked, Disposition};
use parapet::program::BodyLimitAction;
use parapet::transform::{Context, Outcome, Transformation};

use super::case::Case;
use super::drive::Seen;

/// A case that failed.
pub struct Deviation<'a> {
    pub case: &'a Case,
    pub compiled: &'a Compiled,
    /// What was seen of it; nothing where the rules were refused.
    pub seen: Option<&'a Seen>,
    /// Whether the case holds for other facts.
    pub holds: &'a dyn Fn(&Seen) -> bool,
    /// Whether its phrases hold where rules match and decide nothing.
    pub holds_undecided: &'a dyn Fn() -> bool,
}

/// The name of the mechanism that makes a case fail.
pub fn name(deviation: &Deviation<'_>) -> Option<&'static str> {
    let found = DIVERGENCES.iter().find(|(_, shows)| shows(deviation));
    found.map(|(name, _)| *name)
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    DIVERGENCES.iter().map(|(name, _)| *name)
}

type Divergence = (&'static str, fn(&Deviation<'_>) -> bool);

const DIVERGENCES: &[Divergence] = &[
    ("body-limit", body_limit),
    ("uninspected-body-limit", uninspected_body_limit),
    ("request-body", request_body),
    ("response-types", response_types),
    ("default-action-twice", default_action_twice),
    ("lacking-in-v3", lacking_in_v3),
    ("default-decides", default_decides),
    ("names-are-not-arguments", names_are_not_arguments),
    ("first-match-decides", first_match_decides),
    ("redirect-status", redirect_status),
    ("raw-uri", raw_uri),
    ("unopened-collection", unopened_collection),
    ("unmatched-boundary", unmatched_boundary),
    ("build", build),
    ("full-request", full_request),
    ("bad-pattern", bad_pattern),
    ("match-limit", match_limit),
    ("environment", environment),
    ("sandbox", sandbox),
];

/// A body over its limit was refused.
fn body_limit(it: &Deviation<'_>) -> bool {
    let Some(seen) = it.seen else { return false };
    let refused = seen.interruption.as_ref();
    let settings = &seen.program.settings;
    let request = it.case.request.body.0.len();
    let response = it.case.response.body.0.len();
    match refused.filter(|one| one.rule_id == 0).map(|one| one.status) {
        Some(413) => {
            request > settings.request_body_limit
                || request >= settings.request_body_no_files_limit
                || it.case.request.content_length() > settings.request_body_limit
        }
        Some(500) => response > settings.response_body_limit,
        _ => false,
    }
}

/// A body over its limit was not refused because nobody reads it.
fn uninspected_body_limit(it: &Deviation<'_>) -> bool {
    let Some(seen) = it.seen else { return false };
    let settings = &seen.program.settings;
    let request = !settings.request_body_access
        && settings.request_body_limit_action == BodyLimitAction::Reject
        && it.case.request.body.0.len() > settings.request_body_limit;
    let response = seen.values("RESPONSE_BODY").concat().is_empty()
        && settings.response_body_limit_action == BodyLimitAction::Reject
        && it.case.response.body.0.len() > settings.response_body_limit;
    seen.interruption.is_none() && it.case.expected.status() == 403 && (request || response)
}

/// REQUEST_BODY is empty for a body that a processor took apart.
fn request_body(it: &Deviation<'_>) -> bool {
    let Some(seen) = it.seen else { return false };
    let taken_apart = ["MULTIPART", "XML", "JSON"]
        .iter()
        .any(|name| seen.values("REQBODY_PROCESSOR") == [name.as_bytes()]);
    let no_processor = seen.values("REQBODY_PROCESSOR").concat().is_empty();
    (taken_apart || no_processor)
        && !it.case.request.body.0.is_empty()
        && seen.values("REQUEST_BODY").concat().is_empty()
        && word(&it.case.rules.0, "REQUEST_BODY")
}

/// text/plain and text/html are on the list of types that another directive makes longer.
fn response_types(it: &Deviation<'_>) -> bool {
    let rules = it.case.rules.0.to_ascii_lowercase();
    rules.contains("secresponsebodymimetype ")
        && !rules.contains("secresponsebodymimetypesclear")
        && it
            .case
            .expected
            .debug_log
            .contains("is not marked to be inspected")
}

/// Two defaults for one phase.
fn default_action_twice(it: &Deviation<'_>) -> bool {
    let error = it.case.expected.parser_error.as_deref();
    let twice = error.is_some_and(|text| text.contains("can only be placed once"));
    it.compiled.program.is_some() && twice
}

/// A member that v3 knows by name only.
fn lacking_in_v3(it: &Deviation<'_>) -> bool {
    let error = it.case.expected.parser_error.as_deref();
    it.compiled.program.is_some() && error.is_some_and(|text| text.contains(" supported"))
}

/// A rule that says nothing was stopped by the default of its phase.
fn default_decides(it: &Deviation<'_>) -> bool {
    let Some(seen) = it.seen else { return false };
    let deciding = seen.matches.iter().find(|one| one.interruption.is_some());
    let default = seen.rules.to_ascii_lowercase().contains("secdefaultaction");
    deciding.is_some_and(|one| {
        let actions = seen.actions(one.line);
        let own = [
            "allow", "block", "deny", "drop", "pass", "pause", "proxy", "redirect",
        ];
        default && !actions.iter().any(|action| own.contains(action))
    })
}

/// An exclusion of ARGS left names of arguments in.
fn names_are_not_arguments(it: &Deviation<'_>) -> bool {
    let Some(seen) = it.seen else { return false };
    let rules = &it.case.rules.0;
    let excluded = ["!ARGS:", ";ARGS:", "!ARGS_GET:", "!ARGS_POST:"];
    let name = |target: &[u8]| {
        let collection = target
            .split(|&byte| byte == b':')
            .next()
            .unwrap_or_default();
        collection.starts_with(b"ARGS") && collection.ends_with(b"_NAMES")
    };
    let stopped = seen.matches.iter().find(|one| one.interruption.is_some());
    stopped.is_some_and(|one| name(&one.target)) && excluded.iter().any(|one| rules.contains(one))
}

/// A rule that decided was not asked about its other values.
fn first_match_decides(it: &Deviation<'_>) -> bool {
    it.seen.is_some_and(|seen| {
        seen.interruption.is_some()
            && seen.status() == it.case.expected.status()
            && (it.holds_undecided)()
    })
}

/// A redirection with a status that is none for redirections.
fn redirect_status(it: &Deviation<'_>) -> bool {
    it.seen.is_some_and(|seen| {
        let wanted = it.case.expected.status();
        seen.is(Disposition::Redirect)
            && seen.status() == 302
            && !matches!(wanted, 200 | 301..=308)
            && it.case.rules.0.contains(&format!("status:{wanted}"))
    })
}

/// REQUEST_URI is as it was sent.
fn raw_uri(it: &Deviation<'_>) -> bool {
    holds_with(it, |asked| {
        if asked.target == b"REQUEST_URI" {
            let mut out = Vec::new();
            let decoded = Transformation::by_name("urlDecode")
                .map(|decode| decode.apply(&asked.value, &mut out, Context::default()));
            if decoded == Some(Outcome::Changed) {
                asked.value = out;
            }
        }
    })
}

/// A variable of a collection that no rule opened was not set.
fn unopened_collection(it: &Deviation<'_>) -> bool {
    let rules = it.case.rules.0.to_ascii_lowercase();
    let collections = [
        ("ip", "initcol:ip"),
        ("global", "initcol:global"),
        ("resource", "initcol:resource"),
        ("resource", "setrsc:"),
        ("session", "setsid:"),
        ("user", "setuid:"),
    ];
    let log = it.case.expected.debug_log.to_ascii_lowercase();
    it.seen.is_some()
        && collections.iter().any(|(name, _)| {
            let mut ways = collections.iter().filter(|(known, _)| known == name);
            log.contains(&format!("{name}:"))
                && rules.contains(&format!("{name}."))
                && !ways.any(|(_, way)| rules.contains(way))
        })
}

/// MULTIPART_UNMATCHED_BOUNDARY is never 2.
fn unmatched_boundary(it: &Deviation<'_>) -> bool {
    let Some(seen) = it.seen else { return false };
    let asked = seen.evaluations.iter().flat_map(|one| &one.asked);
    asked
        .filter(|asked| asked.target == b"MULTIPART_UNMATCHED_BOUNDARY")
        .any(|asked| matches!(&*asked.value, b"0" | b"1"))
}

/// MODSEC_BUILD is of version 2.
fn build(it: &Deviation<'_>) -> bool {
    holds_with(it, |asked| {
        if asked.target == b"MODSEC_BUILD" {
            asked.value = b"030000000".to_vec();
        }
    })
}

/// FULL_REQUEST begins with the request line and an empty line.
fn full_request(it: &Deviation<'_>) -> bool {
    let request = &it.case.request;
    let method = request.method.as_deref().unwrap_or("GET");
    let uri = request.uri.as_deref().unwrap_or("/");
    let version = request.http_version.as_deref().unwrap_or_default();
    let before = format!("{method} {uri} HTTP/{version}\n\n").len();
    holds_with(it, |asked| match &*asked.target {
        b"FULL_REQUEST" => {
            asked.value.drain(..before.min(asked.value.len()));
        }
        b"FULL_REQUEST_LENGTH" => {
            let length = String::from_utf8_lossy(&asked.value)
                .parse()
                .unwrap_or(0usize);
            asked.value = length.saturating_sub(before).to_string().into_bytes();
        }
        _ => {}
    })
}

/// A pattern that the case itself calls bad.
fn bad_pattern(it: &Deviation<'_>) -> bool {
    let errors = || {
        let all = it.compiled.diagnostics.iter();
        all.filter(|one| one.severity == Severity::Error)
    };
    errors().next().is_some()
        && errors().all(|one| one.code == Code::BadRegex)
        && it
            .case
            .expected
            .debug_log
            .contains("rror with regular expression")
}

/// A match limit that a linear search cannot exceed.
fn match_limit(it: &Deviation<'_>) -> bool {
    let expected = &it.case.expected;
    let limit = |log: &str| log.contains("MATCH_LIMIT") || log.contains("MSC_PCRE_");
    let backtracks = it.compiled.diagnostics.iter();
    (limit(&expected.debug_log) || limit(&expected.error_log))
        && !backtracks.clone().any(|one| one.code == Code::Backtracks)
        && it.seen.is_some()
}

/// A variable of the process.
fn environment(it: &Deviation<'_>) -> bool {
    it.seen.is_some()
        && it.case.expected.debug_log.contains("ENV:")
        && !it.case.rules.0.contains("setenv")
}

/// A member that was loaded with the warning that it has no effect here.
fn sandbox(it: &Deviation<'_>) -> bool {
    let mut all = it.compiled.diagnostics.iter();
    all.any(|one| one.code == Code::SandboxLimit)
}

/// Whether the case holds once values asked about are other ones.
fn holds_with(it: &Deviation<'_>, change: impl Fn(&mut Asked)) -> bool {
    let Some(seen) = it.seen else { return false };
    let mut other = seen.clone();
    let evaluations = other.evaluations.iter_mut();
    evaluations.flat_map(|one| &mut one.asked).for_each(change);
    other.evaluations != seen.evaluations && (it.holds)(&other)
}

/// Whether a text has a word of its own.
fn word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|one| one.eq_ignore_ascii_case(word))
}
