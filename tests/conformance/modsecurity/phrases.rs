//! What ModSecurity v3's log phrases stand for.
//!
//! A case expects a pattern to be found in v3's debug log or error log. The wording is v3's own and
//! appears nowhere in this project's logs; what it tells can be seen here as well: the value of a
//! target, an operator's answer, a rule's message. Each entry of [`PHRASES`] knows a piece of
//! wording and says which facts it is about. Facts that carry names and values are written out
//! as v3 would, and the pattern is searched in that; others are true or false.

use std::fmt::Write as _;

use parapet::engine::{Disposition, Evaluation, RuleMatch};
use parapet::program::EngineMode;
use regex_lite::Regex;

use super::drive::Seen;

/// How many characters of what was found a message shows.
const MAX_SHOWN: usize = 1000;

/// What a phrase is about.
#[derive(Clone, Copy)]
enum Facts {
    /// Rules asked, with their values and answers.
    Evaluations,
    /// Matches that are logged.
    Matches,
    /// Variables at the end.
    Variables,
    /// Something that is so or not.
    Is(fn(&Seen) -> bool),
    /// The number in the phrase is the id of a rule that was not evaluated.
    NotEvaluated,
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
    ("t:trim: ", Facts::Evaluations),
    ("t:base64", Facts::Evaluations),
    ("t:lowercase", Facts::Evaluations),
    ("Rule: ", Facts::Evaluations),
    ("Saving msg: ", Facts::Matches),
    ("Rule tag: ", Facts::Matches),
    ("Running action: log", Facts::Matches),
    ("Operator `", Facts::Matches),
    ("against variable `", Facts::Matches),
    ("with parameter `", Facts::Matches),
    ("Value: `", Facts::Matches),
    ("MatchedVar On ", Facts::Matches),
    ("msg \"", Facts::Matches),
    ("line \"", Facts::Matches),
    ("Access denied with code ", Facts::Matches),
    (
        "Running action deny",
        Facts::Is(|seen| seen.is(Disposition::Deny)),
    ),
    ("action: deny", Facts::Is(|seen| seen.is(Disposition::Deny))),
    ("Saving variable: ", Facts::Variables),
    ("Setting environment variable: ", Facts::Variables),
    ("Adding request argument (BODY): ", Facts::Variables),
    ("Added regex subexpression TX", Facts::Variables),
    ("Added VerifyCC match TX", Facts::Variables),
    ("Added VerifyCPF match TX", Facts::Variables),
    ("Added VerifySSN match TX", Facts::Variables),
    (" with value: ", Facts::Variables),
    ("hostname: ", Facts::Variables),
    (
        "SecRuleEngine to DetectionOnly",
        Facts::Is(|seen| seen.record.engine == EngineMode::DetectionOnly),
    ),
    (
        "SecRuleEngine to Disabled",
        Facts::Is(|seen| seen.record.engine == EngineMode::Off),
    ),
    (
        "SecRuleEngine to Enabled",
        Facts::Is(|seen| seen.record.engine == EngineMode::On),
    ),
    (
        "Rule engine disabled",
        Facts::Is(|seen| seen.record.engine == EngineMode::Off),
    ),
    (
        "disabled to this transaction due to ctl:requestBodyAccess",
        Facts::Is(no_body),
    ),
    (
        "is not marked to be inspected",
        Facts::Is(|seen| seen.values("RESPONSE_BODY").concat().is_empty()),
    ),
    (
        "seen data before first boundary",
        Facts::Is(|seen| seen.flag("MULTIPART_DATA_BEFORE")),
    ),
    (
        "incorrect line endings used (LF)",
        Facts::Is(|seen| seen.flag("MULTIPART_LF_LINE")),
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
    ("nvalid part header", Facts::Is(bad_body)),
    ("Content-Disposition header", Facts::Is(bad_body)),
    ("no filename= but filename*", Facts::Is(bad_body)),
    ("Failed to parse request body", Facts::Is(bad_body)),
    ("name: a.*variable: ", Facts::Variables),
    ("Failed parsing document", Facts::Is(bad_body)),
];

fn bad_body(seen: &Seen) -> bool {
    seen.flag("REQBODY_ERROR")
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

impl Phrase {
    /// Understands a pattern; `None` for the empty pattern and the one that everything contains.
    ///
    /// # Errors
    /// Why the pattern says nothing to this table.
    pub fn read(pattern: &str) -> Result<Option<Self>, String> {
        if matches!(pattern, "" | ".*") {
            return Ok(None);
        }
        let unknown = || format!("unknown phrase `{pattern}`");
        // Debug lines begin with their level, which is not compared.
        let pattern = pattern.strip_prefix(r"\[9\]").unwrap_or(pattern);
        let text = plain(pattern.trim_start());
        if is_offset(&text) {
            return Err("v3's offsets of matches in values".to_owned());
        }
        let known = PHRASES.iter().find(|(wording, _)| text.contains(wording));
        let facts = match known {
            Some((_, facts)) => *facts,
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
    pub fn holds(&self, seen: &Seen) -> Result<(), String> {
        let found = match self.facts {
            Facts::Is(fact) => {
                return fact(seen)
                    .then_some(())
                    .ok_or(format!("not so: {}", self.text));
            }
            Facts::NotEvaluated => return self.not_evaluated(seen),
            Facts::Evaluations => evaluations(seen),
            Facts::Matches => matches(seen),
            Facts::Variables => variables(seen),
        };
        if self.pattern.is_match(&found) {
            return Ok(());
        }
        let found: String = found.chars().take(MAX_SHOWN).collect();
        let found = found.replace('\n', "; ");
        Err(format!("no {} in {found}", self.pattern.as_str()))
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

/// v3's notes of where in which value a match was, such as `o0,6v17,6`: nobody else has them.
fn is_offset(text: &str) -> bool {
    Regex::new(r"^o?(\d+,\d+)?v\d+,\d+").unwrap().is_match(text)
}

/// A value as v3 prints it.
fn shown(value: &[u8]) -> String {
    let mut text = String::new();
    for &byte in value {
        if (32..127).contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "\\x{byte:02x}").unwrap();
        }
    }
    text
}

/// A target as v3 names it: without `&`.
fn target(name: &[u8]) -> String {
    shown(name.strip_prefix(b"&").unwrap_or(name))
}

/// v3 names operators with capitals where SecLang has none.
fn operator(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    match name {
        "streq" => "StrEq".to_owned(),
        _ => first.to_ascii_uppercase() + rest,
    }
}

fn evaluations(seen: &Seen) -> String {
    let mut text = String::new();
    for Evaluation {
        rule_id,
        operator: asks,
        asked,
        matched,
        line,
        ..
    } in &seen.evaluations
    {
        match asks {
            Some((name, argument)) => {
                let mut names: Vec<_> = asked.iter().map(|one| collection(&one.target)).collect();
                names.dedup();
                let (name, argument, names) = (operator(name), shown(argument), names.join("|"));
                write!(text, "(Rule: {rule_id}) Executing operator \"{name}\" with param \"{argument}\" against {names}. ").unwrap();
            }
            None => write!(text, "(Rule: {rule_id}) Executing unconditional rule ").unwrap(),
        }
        for one in asked {
            let (value, name) = (shown(&one.value), target(&one.target));
            for transformation in seen.transformations(*line) {
                writeln!(text, " T (0) {transformation}: \"{value}\"").unwrap();
            }
            writeln!(text, "Target value: \"{value}\" (Variable: {name})").unwrap();
            // v3 names the path, too.
            for path in seen.xml_paths(*line).iter().filter(|_| name == "XML") {
                writeln!(text, "Target value: \"{value}\" (Variable: {path})").unwrap();
            }
        }
        writeln!(text, " Rule returned {}.", u8::from(*matched)).unwrap();
    }
    text
}

/// A target without its key.
fn collection(name: &[u8]) -> String {
    let name = target(name);
    name.split(':').next().unwrap().to_owned()
}

fn matches(seen: &Seen) -> String {
    let mut text = String::new();
    for found in &seen.matches {
        let RuleMatch {
            rule_id,
            line,
            msg,
            data,
            tags,
            log,
            ..
        } = found;
        let (msg, data) = (shown(msg), shown(data));
        writeln!(text, "Saving msg: {msg}").unwrap();
        for tag in tags {
            writeln!(text, "Rule tag: {}", shown(tag)).unwrap();
        }
        if !log {
            continue;
        }
        if let Some(interruption) = &found.interruption {
            write!(text, "Access denied with code {} ", interruption.status).unwrap();
        }
        for one in seen
            .evaluations
            .iter()
            .filter(|one| one.rule_id == *rule_id)
        {
            let Some((name, argument)) = &one.operator else {
                continue;
            };
            for asked in one.asked.iter().filter(|asked| asked.matched) {
                let (name, argument) = (operator(name), shown(argument));
                let (value, variable) = (shown(&asked.value), target(&asked.target));
                write!(text, "Matched \"Operator `{name}' with parameter `{argument}' against variable `{variable}' (Value: `{value}' ) ").unwrap();
            }
        }
        writeln!(
            text,
            "Running action: log [line \"{line}\"] [msg \"{msg}\"] [data \"{data}\"]"
        )
        .unwrap();
    }
    text
}

fn variables(seen: &Seen) -> String {
    let mut text = String::new();
    for (name, value) in seen.variables.iter().flatten() {
        let value = shown(value);
        let name = target(name.as_bytes());
        writeln!(text, "Saving variable: {name} with value: {value}").unwrap();
        let (collection, key) = name.split_once(':').unwrap_or((&name, ""));
        match collection {
            "ENV" => writeln!(text, "Setting environment variable: {key} to {value}").unwrap(),
            "ARGS_POST" => writeln!(
                text,
                "Adding request argument (BODY): name \"{key}\", value \"{value}\" \
                 name: {key} variable: {value}"
            )
            .unwrap(),
            "SERVER_NAME" => writeln!(text, "[hostname: \"{value}\"]").unwrap(),
            "TX" => {
                writeln!(text, "Added regex subexpression TX.{key}: {value}").unwrap();
                for kind in ["CC", "CPF", "SSN"] {
                    writeln!(text, "Added Verify{kind} match TX.{key}: {value}").unwrap();
                }
            }
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_wording_is_not_understood() {
        assert!(Phrase::read("Something v3 says").is_err());
        assert!(Phrase::read("o0,6v17,6t:trim").is_err());
        assert!(Phrase::read("v193,516t:trim").is_err());
        assert!(Phrase::read("").unwrap().is_none());
        assert!(
            Phrase::read(r#"Target value: "1" \(Variable: TX:x\)"#)
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn escapes_are_removed() {
        assert_eq!(plain(r"a\(b\) \d \\x"), r"a(b) \d \x");
        assert_eq!(shown(b"a\xC2\n"), r"a\xc2\x0a");
    }
}
