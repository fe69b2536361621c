//! What ModSecurity v3's log phrases stand for.
//!
//! A case expects a pattern to be found in v3's debug log, error log or audit log. The wording is
//! v3's own and appears nowhere in this project's logs; what it tells can be seen here as well: the
//! value of a target, an operator's answer, a rule's message. Each entry of [`PHRASES`] knows a piece
//! of wording and says which facts it is about. Facts that carry names and values are written out
//! as v3 would ([`super::facts`]), and the pattern is searched in that; others are true or false.

use parapet::engine::Disposition;
use parapet::program::EngineMode;
use regex_lite::Regex;

use super::case::Case;
use super::drive::Seen;
use super::facts;
use super::origins;

/// How many characters of what was found a message shows.
const MAX_SHOWN: usize = 1000;

/// What a phrase is about.
#[derive(Clone, Copy)]
enum Facts {
    /// Rules asked, with their values and answers.
    Evaluations,
    /// Matches, their actions and messages.
    Matches,
    /// Variables at the end.
    Variables,
    /// What the audit log holds.
    Audit,
    /// Something that is so or not.
    Is(fn(&Seen) -> bool),
    /// The number in the phrase is the id of a rule that was not evaluated.
    NotEvaluated,
    /// Where in which value a match was.
    Origins,
    /// The prefixes of XML namespaces.
    Namespaces,
    /// The phases that ran.
    Phases,
}

/// Wording, without its escapes, and what it is about. The first entry that fits counts.
const PHRASES: &[(&str, Facts)] = &[
    ("Skipped rule id", Facts::NotEvaluated),
    (" was skipped due to a ", Facts::NotEvaluated),
    ("Target value: ", Facts::Evaluations),
    ("Variable: ", Facts::Evaluations),
    ("Rule returned ", Facts::Evaluations),
    ("Executing operator ", Facts::Evaluations),
    ("Executing unconditional rule", Facts::Evaluations),
    (" t:", Facts::Evaluations),
    (r"\x0", Facts::Evaluations),
    ("Rule: ", Facts::Evaluations),
    ("Saving msg: ", Facts::Matches),
    ("Rule tag: ", Facts::Matches),
    (
        "Running action deny",
        Facts::Is(|seen| seen.is(Disposition::Deny)),
    ),
    ("Running action", Facts::Matches),
    ("Running (disruptive)", Facts::Matches),
    ("Running [independent]", Facts::Matches),
    ("Operator `", Facts::Matches),
    ("against variable `", Facts::Matches),
    ("with parameter `", Facts::Matches),
    ("Value: `", Facts::Matches),
    ("MatchedVar On ", Facts::Matches),
    ("msg \"", Facts::Matches),
    ("data \"", Facts::Matches),
    ("tag \"", Facts::Matches),
    ("id \"", Facts::Matches),
    ("line \"", Facts::Matches),
    ("Access denied with code ", Facts::Matches),
    ("action: deny", Facts::Is(|seen| seen.is(Disposition::Deny))),
    ("Saving variable: ", Facts::Variables),
    ("Setting environment variable: ", Facts::Variables),
    ("Adding request argument (", Facts::Variables),
    ("Added regex subexpression TX", Facts::Variables),
    ("Added pm match TX", Facts::Variables),
    ("Added DetectSQLi match TX", Facts::Variables),
    ("Added DetectXSS match TX", Facts::Variables),
    ("Added VerifyCC match TX", Facts::Variables),
    ("Added VerifyCPF match TX", Facts::Variables),
    ("Added VerifySSN match TX", Facts::Variables),
    ("Added VerifySVNR match TX", Facts::Variables),
    (" with value: ", Facts::Variables),
    ("hostname: ", Facts::Variables),
    ("hostname \"", Facts::Variables),
    (
        "SecRuleEngine to DetectionOnly",
        Facts::Is(|seen| engine(seen, EngineMode::DetectionOnly)),
    ),
    (
        "SecRuleEngine to Disabled",
        Facts::Is(|seen| engine(seen, EngineMode::Off)),
    ),
    (
        "SecRuleEngine to Enabled",
        Facts::Is(|seen| engine(seen, EngineMode::On)),
    ),
    (
        "Rule engine disabled",
        Facts::Is(|seen| engine(seen, EngineMode::Off)),
    ),
    (
        "disabled to this transaction due to ctl:requestBodyAccess",
        Facts::Is(no_body),
    ),
    ("is not marked to be inspected", Facts::Is(no_response_body)),
    (
        "seen data before first boundary",
        Facts::Is(|seen| seen.flag("MULTIPART_DATA_BEFORE")),
    ),
    (
        "seen data after last boundary",
        Facts::Is(|seen| seen.flag("MULTIPART_DATA_AFTER")),
    ),
    (
        "incorrect line endings used (LF)",
        Facts::Is(|seen| seen.flag("MULTIPART_LF_LINE")),
    ),
    (
        "mixed line endings used",
        Facts::Is(|seen| seen.flag("MULTIPART_CRLF_LF_LINES")),
    ),
    (
        "boundary whitespace in C-T",
        Facts::Is(|seen| seen.flag("MULTIPART_BOUNDARY_WHITESPACE")),
    ),
    (
        "missing semicolon in C-T",
        Facts::Is(|seen| seen.flag("MULTIPART_MISSING_SEMICOLON")),
    ),
    (
        "invalid header folding used",
        Facts::Is(|seen| seen.flag("MULTIPART_INVALID_HEADER_FOLDING")),
    ),
    (
        "header folding used",
        Facts::Is(|seen| seen.flag("MULTIPART_HEADER_FOLDING")),
    ),
    (
        "invalid quoting used",
        Facts::Is(|seen| seen.flag("MULTIPART_INVALID_QUOTING")),
    ),
    (
        "invalid part parsing",
        Facts::Is(|seen| seen.flag("MULTIPART_INVALID_PART")),
    ),
    (
        "Upload file limit exceeded",
        Facts::Is(|seen| seen.flag("MULTIPART_FILE_LIMIT_EXCEEDED")),
    ),
    (
        "Request body excluding files is bigger",
        Facts::Is(|seen| seen.flag("INBOUND_DATA_ERROR")),
    ),
    (
        "Skipping request argument, over limit",
        Facts::Is(over_arguments),
    ),
    (
        "boundary in C-T (tolerated)",
        Facts::Is(|seen| !bad_body(seen)),
    ),
    ("boundary in C-T", Facts::Is(bad_body)),
    ("boundary parameters in C-T", Facts::Is(bad_body)),
    ("oundary not found in C-T", Facts::Is(bad_body)),
    ("nvalid part header", Facts::Is(bad_body)),
    ("uplicate part header", Facts::Is(bad_body)),
    ("Part header line over", Facts::Is(bad_body)),
    ("byte in part headers", Facts::Is(bad_body)),
    ("Content-Disposition ", Facts::Is(bad_body)),
    ("no filename= but filename*", Facts::Is(bad_body)),
    ("Final boundary missing", Facts::Is(bad_body)),
    ("No boundaries found in payload", Facts::Is(bad_body)),
    (
        "boundary was quoted",
        Facts::Is(|seen| seen.flag("MULTIPART_BOUNDARY_QUOTED")),
    ),
    ("Failed to parse request body", Facts::Is(bad_body)),
    ("JSON parsing error", Facts::Is(bad_body)),
    ("depth limit exceeded", Facts::Is(bad_body)),
    ("XML parsing error", Facts::Is(bad_body)),
    ("Failed parsing document", Facts::Is(bad_body)),
    ("Failed to create parsing context", Facts::Is(bad_body)),
    ("Unknown request body processor", Facts::Is(bad_body)),
    (
        "Initialising parser",
        Facts::Is(|seen| !seen.values("REQBODY_PROCESSOR").concat().is_empty()),
    ),
    (
        "Multipart: Boundary: ",
        Facts::Is(|seen| seen.values("REQBODY_PROCESSOR") == [b"MULTIPART"]),
    ),
    ("name: a.*variable: ", Facts::Variables),
    ("Registered XML namespace ", Facts::Namespaces),
    ("Starting phase ", Facts::Phases),
    ("This phase consists of ", Facts::Phases),
    ("marked to process partial", Facts::Is(processed_partially)),
    ("marked to reject", Facts::Is(refused_for_a_limit)),
];

fn engine(seen: &Seen, mode: EngineMode) -> bool {
    seen.record.engine == mode
}

fn bad_body(seen: &Seen) -> bool {
    seen.flag("REQBODY_ERROR")
}

fn processed_partially(seen: &Seen) -> bool {
    let over = seen.flag("INBOUND_DATA_ERROR") || seen.flag("OUTBOUND_DATA_ERROR");
    over && !refused_for_a_limit(seen)
}

fn refused_for_a_limit(seen: &Seen) -> bool {
    seen.interruption
        .as_ref()
        .is_some_and(|one| one.rule_id == 0)
}

fn no_response_body(seen: &Seen) -> bool {
    seen.values("RESPONSE_BODY").concat().is_empty()
}

fn no_body(seen: &Seen) -> bool {
    seen.variables.is_some()
        && seen.values("ARGS_POST").is_empty()
        && seen.values("REQUEST_BODY").is_empty()
}

fn over_arguments(seen: &Seen) -> bool {
    bad_body(seen)
        && seen.values("REQBODY_ERROR_MSG").iter().any(|text| {
            text.windows("SecArgumentsLimit".len())
                .any(|part| part == b"SecArgumentsLimit")
        })
}

/// A phrase that is understood.
pub struct Phrase {
    pattern: Regex,
    text: String,
    facts: Facts,
}

/// Which log a phrase is expected in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Log {
    Debug,
    Error,
    Audit,
}

/// What came of a phrase.
pub enum Verdict {
    Holds,
    Fails(String),
    /// Part of it cannot be seen from here.
    Unknown(String),
}

impl Phrase {
    /// Understands a pattern; `None` for the empty pattern and the one that everything contains.
    ///
    /// # Errors
    /// Why the pattern says nothing to this table.
    pub fn read(pattern: &str, log: Log, rules: &str) -> Result<Option<Self>, String> {
        if matches!(pattern, "" | ".*") {
            return Ok(None);
        }
        let unknown = || format!("unknown phrase `{pattern}`");
        // Debug lines begin with their level, which is not compared.
        let pattern = pattern.strip_prefix(r"\[9\]").unwrap_or(pattern);
        let text = plain(pattern.trim_start());
        let known = PHRASES.iter().find(|(wording, _)| text.contains(wording));
        let facts = match known {
            _ if log == Log::Audit => Facts::Audit,
            _ if origins::are_meant(&text) => Facts::Origins,
            _ if text.starts_with("t:") => Facts::Evaluations,
            Some((_, facts)) => *facts,
            // The rules say it themselves.
            None if rules.contains(&text) => Facts::Matches,
            // One word alone is a name or a value.
            None if !text.contains(' ') => Facts::Evaluations,
            None => return Err(unknown()),
        };
        let pattern = names(pattern.trim_start());
        let pattern = Regex::new(&format!("(?sm){pattern}")).map_err(|_| unknown())?;
        Ok(Some(Self {
            pattern,
            text,
            facts,
        }))
    }

    /// Whether what the phrase says is so.
    pub fn holds(&self, case: &Case, seen: &Seen) -> Verdict {
        let found = match self.facts {
            Facts::Is(fact) if fact(seen) => return Verdict::Holds,
            Facts::Is(_) => return Verdict::Fails(format!("not so: {}", self.text)),
            Facts::NotEvaluated => {
                return match self.not_evaluated(seen) {
                    Ok(()) => Verdict::Holds,
                    Err(why) => Verdict::Fails(why),
                };
            }
            Facts::Origins => return origins::hold(&self.text, case, seen),
            Facts::Evaluations => facts::evaluations(seen),
            Facts::Matches => facts::matches(seen),
            Facts::Variables => facts::variables(seen),
            Facts::Namespaces => facts::namespaces(seen),
            Facts::Phases => facts::phases(seen),
            Facts::Audit => match facts::audit(seen) {
                Ok(text) => text,
                Err(why) => return Verdict::Unknown(why),
            },
        };
        if self.pattern.is_match(&found) {
            return Verdict::Holds;
        }
        let found: String = found.chars().take(MAX_SHOWN).collect();
        let found = found.replace('\n', "; ");
        Verdict::Fails(format!("no {} in {found}", self.pattern.as_str()))
    }

    fn not_evaluated(&self, seen: &Seen) -> Result<(), String> {
        let digits: String = self
            .text
            .chars()
            .skip_while(|character| !character.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        let id: u64 = digits
            .parse()
            .map_err(|_| format!("no rule id in {}", self.text))?;
        if !seen.rules.contains(&digits) {
            return Err(format!("there is no rule {id}"));
        }
        if seen.evaluations.iter().any(|one| one.rule_id == id) {
            return Err(format!("rule {id} was evaluated"));
        }
        Ok(())
    }
}

/// A pattern in which the names of variables stand as this project has them: in any letter case, and
/// entries of persistent collections without the key and the application, which v3 puts before.
fn names(pattern: &str) -> String {
    let record = Regex::new("(RESOURCE|SESSION|USER|IP|GLOBAL):[^:]*::[^:]*::").unwrap();
    let pattern = record.replace_all(pattern, "$1:");
    match pattern.split_once("Variable: ") {
        Some((before, name)) => format!("{before}(?i)Variable: {name}"),
        None => pattern.into_owned(),
    }
}

/// A pattern with the escapes of punctuation removed.
fn plain(pattern: &str) -> String {
    let mut text = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(next) if character == '\\' && next.is_ascii_punctuation() => {
                text.extend(characters.next());
            }
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str) -> Result<Option<Phrase>, String> {
        Phrase::read(
            pattern,
            Log::Debug,
            "SecAction \"id:1,msg:'A rule speaks'\"",
        )
    }

    #[test]
    fn unknown_wording_is_not_understood() {
        assert!(read("Something v3 says").is_err());
        assert!(read("").unwrap().is_none() && read(".*").unwrap().is_none());
        assert!(
            read(r#"Target value: "1" \(Variable: TX:x\)"#)
                .unwrap()
                .is_some()
        );
        assert!(read("v193,516t:trim").unwrap().is_some());
        assert!(read("rule speaks").unwrap().is_some());
    }

    #[test]
    fn escapes_are_removed() {
        assert_eq!(plain(r"a\(b\) \d \\x"), r"a(b) \d \x");
    }
}
