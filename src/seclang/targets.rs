//! Target lists: `ARGS|!ARGS:/^x/|&TX:'a key'`.

use std::ops::Range;

use super::ast::{Selector, Target, Word};
use super::cursor::is_blank;
use super::scan::Scan;
use crate::diagnostic::{Code, Diagnostic, shown};

/// Takes a target list apart: the first argument of SecRule, the lists of SecRuleUpdateTarget* and
/// of `ctl:ruleRemoveTarget*`.
///
/// Entries are parted by `|` or `,`. A key may stand in `'…'`, where `\'`, `\\` and `\|` stand for
/// the second character; a key between slashes is a regular expression, where `\/` stands for `/`.
/// Keys of XML variables are XPath expressions and may hold separators in brackets and quotes.
/// `NAME.key` is read as `NAME:key`, as ModSecurity 3 does. Leaves out what it cannot read.
pub fn targets(word: &Word, diagnostics: &mut Vec<Diagnostic>) -> Vec<Target> {
    let mut scan = Scan::new(word);
    let mut list = Vec::new();
    let mut entries = 0_usize;
    loop {
        scan.take_while(|byte| is_blank(byte) || is_separator(byte));
        if scan.peek().is_none() {
            break;
        }
        entries = entries.saturating_add(1);
        match target(&mut scan) {
            Ok(target) => list.push(target),
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                scan.take_while(|byte| !is_separator(byte));
            }
        }
    }
    if entries == 0 {
        let diagnostic = scan.error(Code::TargetSyntax, 0..word.len(), "no target is named");
        diagnostics.push(diagnostic.hint("name a variable to look at, such as `ARGS`"));
    }
    list
}

type Result<T> = std::result::Result<T, Box<Diagnostic>>;

fn target(scan: &mut Scan<'_>) -> Result<Target> {
    let start = scan.at();
    let (exclude, count) = prefixes(scan)?;
    let name = scan.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if name.is_empty() {
        let at = scan.at();
        let found = scan.part(at..at.saturating_add(1));
        let message = if found.is_empty() {
            "the name of a variable is missing".to_owned()
        } else {
            format!("expected the name of a variable, found `{}`", shown(&found))
        };
        return Err(scan
            .error(Code::TargetSyntax, at..at.saturating_add(1), message)
            .into());
    }
    let name = scan.part(name);
    let selector = match scan.peek() {
        Some(b':' | b'.') => {
            scan.bump();
            Some(if is_xml(&name) {
                xpath(scan)?
            } else {
                selector(scan)?
            })
        }
        _ => None,
    };
    let span = scan.span_from(start);
    expect_separator(scan, selector.as_ref())?;
    Ok(Target {
        exclude,
        count,
        name,
        selector,
        span,
    })
}

/// Reads `!` and `&`, of which an entry has at most one.
fn prefixes(scan: &mut Scan<'_>) -> Result<(bool, bool)> {
    let start = scan.at();
    let marks = scan.take_while(|byte| matches!(byte, b'!' | b'&') || is_blank(byte));
    let text = scan.part(marks);
    let exclude = text.contains(&b'!');
    let count = text.contains(&b'&');
    let number = text.iter().filter(|byte| !is_blank(**byte)).count();
    if number > 1 {
        let message = if exclude && count {
            "`!` and `&` cannot stand together"
        } else {
            "an entry takes one prefix only"
        };
        return Err(scan
            .error(Code::TargetSyntax, start..scan.at(), message)
            .hint("`!` leaves a target out, `&` counts its values")
            .into());
    }
    Ok((exclude, count))
}

fn selector(scan: &mut Scan<'_>) -> Result<Selector> {
    match scan.peek() {
        Some(b'\'') => quoted(scan),
        Some(b'/') => regex(scan),
        _ => {
            let key = scan.take_while(|byte| !is_separator(byte) && !is_blank(byte));
            some_key(scan, scan.part(key)).map(Selector::Key)
        }
    }
}

/// `/…/` up to the slash that no backslash escapes.
fn regex(scan: &mut Scan<'_>) -> Result<Selector> {
    let open = scan.at();
    scan.bump();
    let start = scan.at();
    while let Some(byte) = scan.peek() {
        match byte {
            b'/' => {
                let text = scan.part(start..scan.at());
                scan.bump();
                return Ok(Selector::Regex(unescape(&text, b'/')));
            }
            b'\\' => {
                scan.bump();
                scan.bump();
            }
            _ => scan.bump(),
        }
    }
    Err(scan
        .error(Code::TargetSyntax, open..open.saturating_add(1), "this slash is not closed")
        .hint("close the regular expression with `/`, or write a key that begins with a slash in `'…'`")
        .into())
}

/// `'key'` or `'/regex/'`.
fn quoted(scan: &mut Scan<'_>) -> Result<Selector> {
    let open = scan.at();
    let Some(text) = scan.quoted() else {
        return Err(scan
            .error(
                Code::TargetSyntax,
                open..open.saturating_add(1),
                "this quote is not closed",
            )
            .hint("close it with `'`; write `\\'` for a quote inside the key")
            .into());
    };
    if let [b'/', .., b'/'] = &*text {
        let inner = text.part(1..text.len().saturating_sub(1));
        return Ok(Selector::Regex(unescape(&inner, b'/')));
    }
    some_key(scan, unescape(&text, b'|')).map(Selector::Key)
}

/// An XPath expression, up to a separator that stands in no bracket and no quote.
fn xpath(scan: &mut Scan<'_>) -> Result<Selector> {
    if scan.peek() == Some(b'\'') {
        let open = scan.at();
        return match scan.quoted() {
            Some(text) => some_key(scan, text).map(Selector::Key),
            None => Err(scan
                .error(
                    Code::TargetSyntax,
                    open..open.saturating_add(1),
                    "this quote is not closed",
                )
                .into()),
        };
    }
    let start = scan.at();
    let mut depth = 0_usize;
    let mut quote = None;
    while let Some(byte) = scan.peek() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'[' | b'(') => depth = depth.saturating_add(1),
            (None, b']' | b')') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 && is_separator(byte) => break,
            _ => {}
        }
        scan.bump();
    }
    let range = scan.trim_end(start..scan.at());
    if quote.is_some() || depth > 0 {
        let message = "a bracket or quote of this XPath expression is not closed";
        return Err(scan.error(Code::TargetSyntax, range, message).into());
    }
    some_key(scan, scan.part(range)).map(Selector::Key)
}

fn some_key(scan: &Scan<'_>, key: Word) -> Result<Word> {
    if !key.is_empty() {
        return Ok(key);
    }
    let before = scan.at().saturating_sub(1);
    Err(scan
        .error(Code::TargetSyntax, before..scan.at(), "the key is missing")
        .hint("remove the colon to look at every value, or name a key")
        .into())
}

fn expect_separator(scan: &mut Scan<'_>, selector: Option<&Selector>) -> Result<()> {
    scan.skip_blanks();
    let at = scan.at();
    let Some(byte) = scan.peek().filter(|byte| !is_separator(*byte)) else {
        return Ok(());
    };
    let message = format!("expected `|` before `{}`", shown(&[byte]));
    let error = scan.error(Code::TargetSyntax, at..at.saturating_add(1), message);
    Err(match selector {
        Some(Selector::Regex(_)) => error.hint(
            "the regular expression ends at the slash before; write `\\/` for a slash inside; it \
             takes no flags and ignores letter case",
        ),
        Some(Selector::Key(_)) => error.hint("write a key that holds a blank in `'…'`"),
        None => error.hint("write `|` between two targets"),
    }
    .into())
}

/// The word without the backslashes that stand before this byte.
fn unescape(word: &Word, escaped: u8) -> Word {
    let mut builder = super::word::Builder::new(word.span.source);
    let mut run: Range<usize> = 0..0;
    let mut bytes = word.iter().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        run.end = at.saturating_add(1);
        if *byte != b'\\' {
            continue;
        }
        let Some((next, byte)) = bytes.next() else {
            continue;
        };
        if *byte == escaped {
            builder.push_part(word, run.start..at);
            run.start = next;
        }
        run.end = next.saturating_add(1);
    }
    builder.push_part(word, run);
    builder.finish(word.span, word.quoted)
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'|' | b',')
}

/// Variables whose key is an XPath expression.
fn is_xml(name: &[u8]) -> bool {
    [&b"XML"[..], b"REQUEST_XML", b"RESPONSE_XML"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
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
        let list = targets(&word, &mut diagnostics);
        let show = |target: &Target| {
            let prefix = match (target.exclude, target.count) {
                (false, false) => "",
                (true, false) => "!",
                (false, true) => "&",
                (true, true) => "both ",
            };
            let name = String::from_utf8_lossy(&target.name);
            match &target.selector {
                None => format!("{prefix}{name}"),
                Some(Selector::Key(key)) => {
                    format!("{prefix}{name} = {}", String::from_utf8_lossy(key))
                }
                Some(Selector::Regex(regex)) => {
                    format!("{prefix}{name} ~ {}", String::from_utf8_lossy(regex))
                }
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
            ("ARGS", &["ARGS"][..]),
            (
                "ARGS|REQUEST_COOKIES,&TX",
                &["ARGS", "REQUEST_COOKIES", "&TX"],
            ),
            (" ARGS | !ARGS:a , ", &["ARGS", "!ARGS = a"]),
            ("ARGS||TX", &["ARGS", "TX"]),
            ("! ARGS|& TX", &["!ARGS", "&TX"]),
            (
                "REQUEST_HEADERS:User-Agent",
                &["REQUEST_HEADERS = User-Agent"],
            ),
            ("TX.lua_set_var", &["TX = lua_set_var"]),
            ("TX:a.b.c", &["TX = a.b.c"]),
            ("TX:10:b", &["TX = 10:b"]),
            ("ARGS:'a key, with | all'", &["ARGS = a key, with | all"]),
            (r"ARGS:'a \| b'", &["ARGS = a | b"]),
            (r"ARGS:'it\'s \\ \x'", &[r"ARGS = it's \ \x"]),
            ("ARGS:/^a,b|c$/|TX", &["ARGS ~ ^a,b|c$", "TX"]),
            (r"!ARGS:/a\/b\d\\/", &[r"!ARGS ~ a/b\d\\"]),
            (r"ARGS:'/k .*\/|x/'", &["ARGS ~ k .*/|x"]),
            ("ARGS:'/'", &["ARGS = /"]),
            ("ARGS://", &["ARGS ~ "]),
            ("XML:/*|XML://@*|ARGS", &["XML = /*", "XML = //@*", "ARGS"]),
            ("xml:/a/b[text()] , ARGS", &["xml = /a/b[text()]", "ARGS"]),
            (
                "XML://*[local-name()='a|b']|TX",
                &["XML = //*[local-name()='a|b']", "TX"],
            ),
            (
                "XML:/a[contains(b,\"]\") or c]",
                &["XML = /a[contains(b,\"]\") or c]"],
            ),
            ("XML:'/a | /b/'", &["XML = /a | /b/"]),
        ] {
            let (list, diagnostics) = read(text);
            assert_eq!(list, expected, "{text}");
            assert_eq!(diagnostics, [], "{text}");
        }
    }

    #[test]
    fn says_what_cannot_be_read_and_reads_the_rest() {
        for (text, expected, at) in [
            ("", &[][..], 0..0),
            ("| ,", &[], 0..3),
            ("&!ARGS|TX", &["TX"], 0..2),
            ("TX|! &ARGS", &["TX"], 3..6),
            ("!!ARGS|TX", &["TX"], 0..2),
            ("&&ARGS", &[], 0..2),
            ("!|TX", &["TX"], 1..2),
            ("TX|!", &["TX"], 3..4),
            ("@rx|TX", &["TX"], 0..1),
            ("ARGS:|TX", &["TX"], 4..5),
            ("ARGS:''|TX", &["TX"], 6..7),
            ("ARGS:a b|TX", &["TX"], 7..8),
            ("ARGS TX", &[], 5..6),
            ("ARGS:/a|TX", &[], 5..6),
            ("ARGS:/a/i|TX", &["TX"], 8..9),
            ("ARGS:'a|TX", &[], 5..6),
            ("ARGS:'a'b|TX", &["TX"], 8..9),
            ("XML:/a[b|TX", &[], 4..11),
            ("XML:/a[b='|TX", &[], 4..13),
        ] {
            let (list, diagnostics) = read(text);
            assert_eq!(list, expected, "{text}");
            assert_eq!(diagnostics, [(at, Code::TargetSyntax)], "{text}");
        }
    }
}
