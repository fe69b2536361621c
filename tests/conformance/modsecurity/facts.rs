//! Facts of a transaction, written out as v3's logs tell them.

use std::fmt::Write as _;

use parapet::engine::{Disposition, Evaluation, RuleMatch};

use super::drive::Seen;

/// A value as v3 prints it.
pub fn shown(value: &[u8]) -> String {
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
pub fn operator(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    match name {
        "streq" => "StrEq".to_owned(),
        _ => first.to_ascii_uppercase() + rest,
    }
}

/// What was asked and answered.
pub fn evaluations(seen: &Seen) -> String {
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
            if one.value.iter().any(u8::is_ascii_control) {
                writeln!(text, "{}", String::from_utf8_lossy(&one.value)).unwrap();
            }
            // v3 names the path, too.
            for path in seen.xml_paths(*line).iter().filter(|_| name == "XML") {
                writeln!(text, "Target value: \"{value}\" (Variable: {path})").unwrap();
            }
        }
        writeln!(text, " Rule returned {}.", u8::from(*matched)).unwrap();
    }
    text
}

/// The phases that ran, and how many rules they have.
pub fn phases(seen: &Seen) -> String {
    const NAMES: [&str; 5] = [
        "REQUEST_HEADERS",
        "REQUEST_BODY",
        "RESPONSE_HEADERS",
        "RESPONSE_BODY",
        "LOGGING",
    ];
    let last = seen.interruption.as_ref().map_or(5, |one| one.phase);
    let mut text = String::new();
    for ((phase, number), program) in NAMES.iter().zip(1u8..).zip(&seen.program.phases) {
        if number > last && number < 5 {
            continue;
        }
        let rules = program.entries.len();
        writeln!(
            text,
            "Starting phase {phase}. (SecRules {number}) This phase consists of {rules} rule(s)."
        )
        .unwrap();
    }
    text
}

/// The namespaces that the rules declare.
pub fn namespaces(seen: &Seen) -> String {
    let mut text = String::new();
    for declared in seen.rules.split("xmlns:").skip(1) {
        let words = declared.split(['=', '"', ',', '\'']).map(str::trim);
        let mut words = words.filter(|word| !word.is_empty());
        let (prefix, uri) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        writeln!(
            text,
            "Registered XML namespace href \"{uri}\" prefix \"{prefix}\""
        )
        .unwrap();
    }
    text
}

/// A target without its key.
fn collection(name: &[u8]) -> String {
    let name = target(name);
    name.split(':').next().unwrap().to_owned()
}

/// What matched, what it did and said.
pub fn matches(seen: &Seen) -> String {
    let mut text = String::new();
    for found in &seen.matches {
        let RuleMatch {
            rule_id,
            line,
            msg,
            tags,
            log,
            ..
        } = found;
        let msg = shown(msg);
        writeln!(text, "Saving msg: {msg}").unwrap();
        let decided = found
            .interruption
            .as_ref()
            .map(|one| match one.disposition {
                Disposition::Deny => "deny",
                Disposition::Drop => "drop",
                Disposition::Redirect => "redirect",
            });
        for action in seen.actions(*line).into_iter().chain(decided) {
            writeln!(
                text,
                "Running action: {action} Running action {action} \
                 Running (disruptive)     action: {action}. \
                 Running [independent] (non-disruptive) action: {action}"
            )
            .unwrap();
        }
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
            "Running action: log {}",
            told(found, &[("line", &line.to_string())])
        )
        .unwrap();
    }
    text
}

/// The fields of a match, as v3 writes them: empty ones, and 0 for numbers, where there is none.
fn told(found: &RuleMatch, more: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let number = |number: Option<u8>| number.unwrap_or(0).to_string();
    let fields = [
        ("id", found.rule_id.to_string()),
        ("rev", shown(&found.rev)),
        ("msg", shown(&found.msg)),
        ("data", shown(&found.data)),
        ("severity", number(found.severity)),
        ("ver", shown(&found.ver)),
        ("maturity", number(found.maturity)),
        ("accuracy", number(found.accuracy)),
    ];
    for (name, value) in more {
        write!(text, "[{name} \"{value}\"] ").unwrap();
    }
    for (name, value) in fields {
        write!(text, "[{name} \"{value}\"] ").unwrap();
    }
    for tag in &found.tags {
        write!(text, "[tag \"{}\"] ", shown(tag)).unwrap();
    }
    text
}

/// The audit log: nothing, or the record in v3's words. Its parts are those that the record has, and
/// its messages those that stand there.
///
/// # Errors
/// A format other than the native one: what it holds is not compared.
pub fn audit(seen: &Seen) -> Result<String, String> {
    let Some(record) = &seen.audit else {
        return Ok(String::new());
    };
    if !record.starts_with("--") {
        return Err("text of an audit log in JSON".to_owned());
    }
    let mut text = String::new();
    for line in record.lines() {
        if let Some(part) = part(line) {
            writeln!(text, "---00000000---{part}--").unwrap();
        }
        let told_here = |found: &&RuleMatch| {
            let id = format!("[id \"{}\"]", found.rule_id);
            line.starts_with("Message: ") && line.contains(&id)
        };
        for found in seen.matches.iter().filter(told_here) {
            writeln!(text, "ModSecurity: Warning. {}", told(found, &[])).unwrap();
        }
    }
    Ok(text)
}

/// The part that a line of a native record begins: `--1234abcd-H--`.
fn part(line: &str) -> Option<char> {
    let boundary = line.strip_prefix("--")?.strip_suffix("--")?;
    let (_, part) = boundary.split_once('-')?;
    let mut letters = part.chars();
    letters.next().filter(|_| letters.next().is_none())
}

/// The variables at the end.
pub fn variables(seen: &Seen) -> String {
    let mut text = String::new();
    for (name, value) in seen.variables.iter().flatten() {
        let value = shown(value);
        let name = target(name.as_bytes());
        writeln!(text, "Saving variable: {name} with value: {value}").unwrap();
        let (collection, key) = name.split_once(':').unwrap_or((&name, ""));
        match collection {
            "ENV" => writeln!(text, "Setting environment variable: {key} to {value}").unwrap(),
            "ARGS" | "ARGS_GET" | "ARGS_POST" => {
                let sources: &[&str] = match collection {
                    "ARGS_GET" => &["GET"],
                    "ARGS_POST" => &["BODY", "POST"],
                    _ => &["JSON", "XML"],
                };
                for from in sources {
                    writeln!(
                        text,
                        "Adding request argument ({from}): name \"{key}\", value \"{value}\" \
                         name: {key} variable: {value}"
                    )
                    .unwrap();
                }
            }
            "SERVER_NAME" => {
                writeln!(text, "[hostname: \"{value}\"] [hostname \"{value}\"]").unwrap()
            }
            "TX" => {
                writeln!(text, "Added regex subexpression TX.{key}: {value}").unwrap();
                for kind in ["pm", "DetectSQLi", "DetectXSS"] {
                    writeln!(text, "Added {kind} match TX.{key}: {value}").unwrap();
                }
                for kind in ["CC", "CPF", "SSN", "SVNR"] {
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
    fn values_are_shown_as_v3_does() {
        assert_eq!(shown(b"a\xC2\n"), r"a\xc2\x0a");
        assert_eq!(operator("streq"), "StrEq");
    }
}
