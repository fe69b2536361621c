//! Action lists: `id:1,phase:2,msg:'a text',deny`.

use super::ast::{ActionExpr, Word};
use super::cursor::is_blank;
use super::scan::Scan;
use crate::diagnostic::{Code, Diagnostic, shown};

/// Takes an action list apart.
///
/// Blanks and repeated commas between the entries do not matter. A value in `'…'` may hold anything;
/// in it `\'` and `\\` stand for the second character. A bare value ends at a comma that does not
/// stand in quotes after `=`, `:` or `;` (`setvar:tx.a='b,c'`; such quotes stay in the value), or,
/// as in ModSecurity 2, at a blank that another `name:` follows. Leaves out what it cannot read. An
/// empty list is fine.
pub fn actions(word: &Word, diagnostics: &mut Vec<Diagnostic>) -> Vec<ActionExpr> {
    let mut scan = Scan::new(word);
    let mut list = Vec::new();
    loop {
        scan.take_while(|byte| is_blank(byte) || byte == b',');
        if scan.peek().is_none() {
            return list;
        }
        match action(&mut scan, diagnostics) {
            Ok(action) => list.push(action),
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                scan.take_while(|byte| byte != b',');
            }
        }
    }
}

type Result<T> = std::result::Result<T, Box<Diagnostic>>;

fn action(scan: &mut Scan<'_>, diagnostics: &mut Vec<Diagnostic>) -> Result<ActionExpr> {
    let start = scan.at();
    let name = scan.take_while(is_name);
    if name.is_empty() {
        let at = scan.at();
        let found = scan.part(at..at.saturating_add(1));
        let message = format!("expected an action, found `{}`", shown(&found));
        let error = scan.error(Code::ActionSyntax, at..at.saturating_add(1), message);
        return Err(error
            .hint("write the list as `name:value,name,name:'value'`")
            .into());
    }
    let name = scan.part(name);
    let end = scan.at();
    scan.skip_blanks();
    if !scan.eat(b':') {
        let at = scan.at();
        return match scan.peek() {
            None | Some(b',') => Ok(ActionExpr {
                span: name.span,
                name,
                value: None,
            }),
            Some(byte) => {
                let message = format!(
                    "expected `:` or `,` after `{}`, found `{}`",
                    shown(&name),
                    shown(&[byte])
                );
                let hint = if at > end {
                    "put a comma between two actions; a value that holds a blank stands in `'…'`"
                } else {
                    "put a comma between two actions, and a colon before a value"
                };
                let range = at..at.saturating_add(1);
                Err(scan
                    .error(Code::ActionSyntax, range, message)
                    .hint(hint)
                    .into())
            }
        };
    }
    scan.skip_blanks();
    let value = if scan.peek() == Some(b'\'') {
        quoted_value(scan, &name, diagnostics)?
    } else {
        bare_value(scan)?
    };
    Ok(ActionExpr {
        name,
        value: Some(value),
        span: scan.span_from(start),
    })
}

fn quoted_value(
    scan: &mut Scan<'_>,
    name: &Word,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Word> {
    let open = scan.at();
    let mark = open..open.saturating_add(1);
    let Some(value) = scan.quoted() else {
        let rest = scan.part(mark.end..scan.at());
        let message = format!("the value of `{}` is not closed", shown(name));
        if rest.contains(&b',') {
            return Err(scan
                .error(Code::ActionSyntax, mark, message)
                .hint("close it with `'`; write `\\'` for a quote inside the value")
                .into());
        }
        // Coraza takes it, and nothing else can be meant.
        diagnostics.push(
            scan.error(Code::UnclosedValue, mark, message)
                .hint("it is read up to the end of the list; close it with `'`"),
        );
        return Ok(rest);
    };
    match scan.peek() {
        None | Some(b',') => Ok(value),
        Some(byte) if is_blank(byte) => Ok(value),
        Some(byte) => {
            let at = scan.at();
            let message = format!(
                "expected `,` after the closing quote, found `{}`",
                shown(&[byte])
            );
            Err(scan
                .error(Code::ActionSyntax, at..at.saturating_add(1), message)
                .related(scan.part(mark).span, "the value opens here")
                .hint("write `\\'` for a quote inside the value")
                .into())
        }
    }
}

fn bare_value(scan: &mut Scan<'_>) -> Result<Word> {
    let start = scan.at();
    let mut previous = 0;
    // End of the quoted part that the scan is in.
    let mut protected = start;
    while let Some(byte) = scan.peek() {
        if scan.at() >= protected {
            if byte == b',' {
                break;
            }
            if is_blank(byte) {
                let end = scan.at();
                expect_next_action(scan)?;
                return Ok(scan.part(start..end));
            }
            if byte == b'\'' && matches!(previous, b'=' | b':' | b';') {
                protected = closing_quote(scan);
            }
        }
        previous = byte;
        scan.bump();
    }
    Ok(scan.part(start..scan.at()))
}

/// After a blank that follows a bare value: a comma, the end, or another `name:`.
fn expect_next_action(scan: &mut Scan<'_>) -> Result<()> {
    scan.skip_blanks();
    let mut ahead = scan.clone();
    let word = ahead.take_while(|byte| byte != b',' && byte != b':' && !is_blank(byte));
    let named = ahead.peek() == Some(b':') && scan.part(word.clone()).iter().copied().all(is_name);
    if named || matches!(scan.peek(), None | Some(b',')) {
        return Ok(());
    }
    let message = format!(
        "`{}` follows a blank in a bare value",
        shown(&scan.part(word.clone()))
    );
    Err(scan
        .error(Code::ActionSyntax, word, message)
        .hint("write the value in `'…'` if this belongs to it, or a comma if it is another action")
        .into())
}

/// Place of the `'` that closes the one the scan stands on; the place itself if there is none.
fn closing_quote(scan: &Scan<'_>) -> usize {
    let mut ahead = scan.clone();
    match ahead.quoted() {
        Some(_) => ahead.at().saturating_sub(1),
        None => scan.at(),
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{SourceId, Span};

    fn read(text: &str) -> (Vec<String>, Vec<(std::ops::Range<u32>, Code)>) {
        let end = u32::try_from(text.len()).unwrap();
        let word = Word::synthetic(
            text,
            Span {
                source: SourceId(0),
                start: 0,
                end,
            },
        );
        let mut diagnostics = Vec::new();
        let list = actions(&word, &mut diagnostics);
        let show = |action: &ActionExpr| {
            let name = String::from_utf8_lossy(&action.name);
            match &action.value {
                None => name.into_owned(),
                Some(value) => format!("{name}={}", String::from_utf8_lossy(value)),
            }
        };
        let place = |diagnostic: &Diagnostic| {
            let span = diagnostic.span.unwrap();
            (span.start..span.end, diagnostic.code)
        };
        (
            list.iter().map(show).collect(),
            diagnostics.iter().map(place).collect(),
        )
    }

    #[test]
    fn takes_lists_apart() {
        for (text, expected) in [
            ("", &[][..]),
            (" , ,", &[]),
            ("deny", &["deny"]),
            (" id:1 ,,\t phase : 2, deny ,", &["id=1", "phase=2", "deny"]),
            ("id:'1',msg: 'a, b: c'", &["id=1", "msg=a, b: c"]),
            (r"msg:'it\'s \\ \d',deny", &[r"msg=it's \ \d", "deny"]),
            ("setvar:'tx.a=%{b}, c'", &["setvar=tx.a=%{b}, c"]),
            ("setvar:tx.a=+%{tx.b:c}", &["setvar=tx.a=+%{tx.b:c}"]),
            ("setvar:tx.a='b, c',deny", &["setvar=tx.a='b, c'", "deny"]),
            ("xmlns:soap='http://a/b,c'", &["xmlns=soap='http://a/b,c'"]),
            (
                "ctl:ruleRemoveTargetById=1;ARGS:'a b'",
                &["ctl=ruleRemoveTargetById=1;ARGS:'a b'"],
            ),
            (
                "ctl:ruleRemoveTargetById=1;ARGS:/a|b/",
                &["ctl=ruleRemoveTargetById=1;ARGS:/a|b/"],
            ),
            ("logdata:it's,deny", &["logdata=it's", "deny"]),
            ("logdata:a='b,deny", &["logdata=a='b", "deny"]),
            ("redirect:http://a/?b=c", &["redirect=http://a/?b=c"]),
            ("msg:'',t:,deny", &["msg=", "t=", "deny"]),
            (
                "t:none t:lowercase id:3",
                &["t=none", "t=lowercase", "id=3"],
            ),
            ("msg:'a' tag:'b'", &["msg=a", "tag=b"]),
            (
                "t:-lowercase,sanitiseMatchedBytes:1/2",
                &["t=-lowercase", "sanitiseMatchedBytes=1/2"],
            ),
        ] {
            let (list, diagnostics) = read(text);
            assert_eq!(list, expected, "{text}");
            assert_eq!(diagnostics, [], "{text}");
        }
    }

    #[test]
    fn says_what_cannot_be_read_and_reads_the_rest() {
        for (text, expected, at) in [
            ("'id:1',deny", &["deny"][..], 0..1),
            (":1,deny", &["deny"], 0..1),
            ("id=1,deny", &["deny"], 2..3),
            ("pass deny,log", &["log"], 5..6),
            ("msg:hello world,log", &["log"], 10..15),
            ("id:'1,phase:2", &[], 3..4),
            ("msg:'it's',log", &["log"], 8..9),
            ("ops \"id:1", &[], 4..5),
        ] {
            let (list, diagnostics) = read(text);
            assert_eq!(list, expected, "{text}");
            assert_eq!(diagnostics, [(at, Code::ActionSyntax)], "{text}");
        }
    }

    #[test]
    fn an_open_quote_at_the_end_is_taken_with_a_warning() {
        let (list, diagnostics) = read("deny,msg:'failed validation.");
        assert_eq!(list, ["deny", "msg=failed validation."]);
        assert_eq!(diagnostics, [(9..10, Code::UnclosedValue)]);
    }
}
