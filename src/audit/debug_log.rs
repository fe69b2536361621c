//! The debug log (SecDebugLogLevel): which rules were asked about what, and what they answered.

use super::Redaction;
use super::error_log::{push_bytes, push_field};
use crate::engine::{Asked, Evaluation, Transaction};
use crate::transform::Transformation;

/// Most bytes of a value or an argument.
const LONGEST: usize = 256;

/// From this level on values that matched are shown, and from [`ALL`] on all that were asked about.
const MATCHES: u8 = 5;

/// See [`MATCHES`].
const ALL: u8 = 9;

/// What was evaluated since this was asked last, as lines: no line ends, ASCII, values cut, secrets
/// covered.
pub fn debug_lines(transaction: &mut Transaction) -> Vec<Vec<u8>> {
    let (evaluations, left_out) = transaction.take_evaluations();
    let level = transaction.debug_log_level();
    let redaction = Redaction::new(transaction);
    let context = transaction.log_context();
    let mut lines = Vec::new();
    let mut add = |mut line: String| {
        push_field(&mut line, "unique_id", &context.unique_id, LONGEST);
        lines.push(line.into_bytes());
    };
    for one in &evaluations {
        let shown = |asked: &&Asked| level >= ALL || level >= MATCHES && asked.matched;
        for asked in one.asked.iter().filter(shown) {
            add(asked_line(one, asked, &redaction));
        }
        add(outcome_line(one));
    }
    if left_out {
        add("debug: there is more of this transaction than the debug log takes".to_owned());
    }
    lines
}

fn rule(one: &Evaluation) -> String {
    let mut line = format!("debug: phase {}, ", one.phase);
    if one.rule_id == 0 {
        line.push_str("a rule without id");
    } else {
        line.push_str(&format!("rule {}", one.rule_id));
    }
    if one.link > 0 {
        line.push_str(&format!(" link {}", one.link));
    }
    line
}

fn outcome_line(one: &Evaluation) -> String {
    let mut line = rule(one);
    line.push_str(match (one.matched, one.asked.is_empty(), &one.operator) {
        (true, ..) => " matches.",
        (false, true, Some(_)) => " does not match: none of its targets has a value.",
        (false, ..) => " does not match.",
    });
    push_field(&mut line, "file", one.file.as_bytes(), LONGEST);
    push_field(&mut line, "line", one.line.to_string().as_bytes(), LONGEST);
    line
}

/// `debug: phase 2, rule 7: ARGS:x "value" after t:lowercase is asked @rx "a": yes.`
fn asked_line(one: &Evaluation, asked: &Asked, redaction: &Redaction<'_>) -> String {
    let mut line = rule(one);
    line.push_str(": ");
    push_bytes(&mut line, &redaction.text(&asked.target), LONGEST, true);
    if asked.sensitive || !redaction.is_empty() && one.transformations.iter().any(hides) {
        line.push_str(" <redacted>");
    } else {
        push_quoted(&mut line, &redaction.text(&asked.value));
    }
    if !one.transformations.is_empty() {
        let names = one
            .transformations
            .iter()
            .map(|it| format!("t:{}", it.def().name));
        line.push_str(&format!(" after {}", names.collect::<Vec<_>>().join(",")));
    }
    if let Some((name, argument)) = &one.operator {
        line.push_str(if one.negated {
            " is asked !@"
        } else {
            " is asked @"
        });
        line.push_str(name);
        if !argument.is_empty() {
            push_quoted(&mut line, &redaction.text(argument));
        }
    }
    line.push_str(if asked.matched { ": yes." } else { ": no." });
    line
}

fn push_quoted(line: &mut String, text: &[u8]) {
    line.push_str(" \"");
    push_bytes(line, text, LONGEST, true);
    line.push('"');
}

/// Whether nobody could find a secret in what it makes of a text around it.
fn hides(transformation: &Transformation) -> bool {
    use Transformation as T;
    matches!(
        transformation,
        T::Base64Encode | T::HexEncode | T::Md5 | T::Sha1 | T::UrlEncode
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::transaction;
    use super::debug_lines;
    use crate::engine::RequestHead;

    fn lines(level: u8, rules: &str, target: &str) -> Vec<String> {
        let mut transaction = transaction(&format!("SecDebugLogLevel {level}\n{rules}"));
        let _ = transaction.request_head(&RequestHead {
            method: b"GET",
            target: target.as_bytes(),
            protocol: b"HTTP/1.1",
            headers: &[(b"Authorization", b"Bearer c2VzYW1lLW9wZW4")],
        });
        let lines = debug_lines(&mut transaction).into_iter();
        let text = lines.map(|line| String::from_utf8(line).unwrap());
        text.map(|line| line.split(" [").next().unwrap().to_owned())
            .collect()
    }

    const RULES: &str = "SecRule ARGS \"@rx ^x\" \"id:1,phase:1,pass,t:lowercase,t:trim,chain\"\n\
        SecRule ARGS:none \"!@streq a\" \"\"\n\
        SecAction \"id:2,phase:1,pass\"";

    #[test]
    fn levels_tell_more_and_more() {
        assert_eq!(lines(3, RULES, "/?a=X").len(), 0);
        let outcomes = [
            "debug: phase 1, rule 1 matches.",
            "debug: phase 1, rule 1 link 1 does not match: none of its targets has a value.",
            "debug: phase 1, rule 2 matches.",
        ];
        assert_eq!(lines(4, RULES, "/?a=X&b=y"), outcomes);
        let yes = "debug: phase 1, rule 1: ARGS:a \"x\" after t:lowercase,t:trim is asked @rx \
                   \"^x\": yes.";
        let no = "debug: phase 1, rule 1: ARGS:b \"y\\\"\\n\" after t:lowercase,t:trim is asked @rx \
                  \"^x\": no.";
        let at = lines(5, RULES, "/?a=X&b=y%22%0a");
        assert_eq!((&*at[0], &at[1..]), (yes, &outcomes.map(str::to_owned)[..]));
        let at = lines(9, RULES, "/?a=X&b=y%22%0az");
        assert_eq!(
            (&*at[0], &*at[1]),
            (yes, no.replace("\\n", "\\nz").as_str())
        );
    }

    #[test]
    fn a_level_that_rules_set_holds_for_what_follows() {
        let rules = "SecAction \"id:1,phase:1,pass,ctl:debugLogLevel=9\"\n\
                     SecRule ARGS \"@rx y\" \"id:2,phase:1,pass,t:none\"";
        let at = lines(0, rules, "/?a=y");
        assert_eq!(
            at[0],
            "debug: phase 1, rule 2: ARGS:a \"y\" is asked @rx \"y\": yes."
        );
        assert_eq!(
            lines(
                9,
                "SecAction \"id:1,phase:1,pass,ctl:debugLogLevel=0\"",
                "/"
            )
            .len(),
            0
        );
    }

    #[test]
    fn secrets_are_covered_in_values_arguments_and_what_is_made_of_them() {
        let rules = "SecRule ARGS|QUERY_STRING|REQUEST_HEADERS \"@rx no\" \"id:1,phase:1,pass,t:none\"\n\
            SecRule QUERY_STRING \"@streq %{ARGS.password}\" \"id:2,phase:1,pass,t:none,t:hexEncode\"\n\
            SecRule REQUEST_HEADERS \"@rx no\" \"id:3,phase:1,pass,t:none,t:base64DecodeExt,t:uppercase\"";
        let text = lines(9, rules, "/?password=open-sesame-7&q=shown")
            .join("\n")
            .to_lowercase();
        for secret in ["sesame", "c2vzyw1l", "736573616d65"] {
            assert!(!text.contains(secret), "{secret}\n{text}");
        }
        assert!(
            text.contains("args:q \"shown\"") && text.contains("<redacted>"),
            "{text}"
        );
    }
}
