//! Whole files: what becomes of each line, and what is said about it.

mod corpora;
mod robustness;

use super::ast::{Directive, Selector, Word};
use super::{actions, operator, parse, targets};
use crate::diagnostic::{Diagnostic, SourceId, SourceMap, render_line};

const SOURCE: SourceId = SourceId(0);

/// Directives as `Name <argument> <argument>`, broken ones with a `!` in front.
fn show(directives: &[Directive]) -> Vec<String> {
    let show_one = |directive: &Directive| {
        let mut text = if directive.broken {
            "!".to_owned()
        } else {
            String::new()
        };
        text.push_str(&String::from_utf8_lossy(&directive.name));
        for argument in &directive.arguments {
            let argument = String::from_utf8_lossy(argument).replace('\n', "⏎");
            text.push_str(&format!(" <{argument}>"));
        }
        text
    };
    directives.iter().map(show_one).collect()
}

/// What is said, as `line:column code`.
fn said(text: &[u8], diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut sources = SourceMap::default();
    sources.add("f", text);
    let say = |diagnostic: &Diagnostic| {
        let line = render_line(diagnostic, &sources);
        assert!(!line.contains('\n'));
        let at = sources.location(diagnostic.span.unwrap());
        format!("{}:{} {}", at.line, at.column, diagnostic.code.as_str())
    };
    diagnostics.iter().map(say).collect()
}

/// Takes every list apart that has a language of its own.
fn take_apart(directives: &[Directive], diagnostics: &mut Vec<Diagnostic>) -> Vec<Word> {
    let mut words = Vec::new();
    for directive in directives {
        words.push(directive.name.clone());
        words.extend(directive.arguments.iter().cloned());
        let name = directive.name.to_ascii_lowercase();
        let argument = |at: usize| directive.arguments.get(at);
        if name == b"secrule" {
            for target in argument(0).map_or(Vec::new(), |word| targets(word, diagnostics)) {
                words.push(target.name);
                words.extend(target.selector.map(|selector| match selector {
                    Selector::Key(word) | Selector::Regex(word) => word,
                }));
            }
            words.extend(
                argument(1)
                    .and_then(|word| operator(word, diagnostics))
                    .map(|o| o.argument),
            );
        }
        let list = match name.as_slice() {
            b"secrule" => argument(2),
            b"secaction" | b"secdefaultaction" => argument(0),
            _ => None,
        };
        for action in list.map_or(Vec::new(), |word| actions(word, diagnostics)) {
            words.push(action.name);
            words.extend(action.value);
        }
    }
    words
}

/// Reads a text and checks what must hold whatever the text: places lie in it, and every byte of a
/// word stands where the word says.
fn read(text: &[u8]) -> (Vec<Directive>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let directives = parse(SOURCE, text, &mut diagnostics);
    let words = take_apart(&directives, &mut diagnostics);
    for word in words {
        for (at, byte) in word.iter().enumerate() {
            let span = word.span_of(at..at.saturating_add(1));
            let place = usize::try_from(span.start).unwrap();
            assert_eq!(text.get(place), Some(byte), "{word:?} at {at}");
        }
    }
    for diagnostic in &diagnostics {
        let related = diagnostic.related.iter().map(|(span, _)| *span);
        for span in diagnostic.span.into_iter().chain(related) {
            assert!(span.start <= span.end, "{diagnostic:?}");
            assert!(
                usize::try_from(span.end).unwrap() <= text.len(),
                "{diagnostic:?}"
            );
        }
    }
    (directives, diagnostics)
}

fn check(text: &str, directives: &[&str], diagnostics: &[&str]) {
    let mut found = Vec::new();
    let parsed = parse(SOURCE, text.as_bytes(), &mut found);
    assert_eq!(show(&parsed), directives, "{text}");
    assert_eq!(said(text.as_bytes(), &found), diagnostics, "{text}");
    read(text.as_bytes());
}

#[test]
fn words() {
    for (text, directives) in [
        ("", &[][..]),
        ("\n\n  \n", &[]),
        ("SecRuleEngine On", &["SecRuleEngine <On>"]),
        ("\u{feff}SecRuleEngine On\n", &["SecRuleEngine <On>"]),
        (
            "  SecRuleEngine\t On \r\n\tSecMarker X\r\n",
            &["SecRuleEngine <On>", "SecMarker <X>"],
        ),
        ("SecMarker \"END HERE\"", &["SecMarker <END HERE>"]),
        (
            "SecAction 'id:1,msg:\"x\"'",
            &["SecAction <id:1,msg:\"x\">"],
        ),
        ("SecAction \"\"", &["SecAction <>"]),
        (
            "SecRule A \"@rx \\\"\\d\\\\\"",
            &["SecRule <A> <@rx \"\\d\\\\>"],
        ),
        ("SecRule A \"a\\\\\\\"b\"", &["SecRule <A> <a\\\\\"b>"]),
        ("SecRule A \"x\"\"id:1\"", &["SecRule <A> <x> <id:1>"]),
        ("SecRule A it's \"id:1\"", &["SecRule <A> <it's> <id:1>"]),
        ("SecRule ARGS:'a b'|C x", &["SecRule <ARGS:'a b'|C> <x>"]),
        ("SecRule ARGS:'a\\' b' x", &["SecRule <ARGS:'a\\' b'> <x>"]),
        ("SecRule ARGS:'a b x", &["SecRule <ARGS:'a> <b> <x>"]),
        (
            "SecRule XML:/a[b='c d'] x",
            &["SecRule <XML:/a[b='c d']> <x>"],
        ),
        (
            "SecAction id:1,msg:'a b',deny",
            &["SecAction <id:1,msg:'a b',deny>"],
        ),
        ("SecRule A ` \"id:1\"", &["SecRule <A> <`> <id:1>"]),
        ("SecAction \"a\rb\"\r\n", &["SecAction <a\rb>"]),
        ("SecAction \"a\r\"\n", &["SecAction <a\r>"]),
        ("Include rules/*.conf", &["Include <rules/*.conf>"]),
    ] {
        check(text, directives, &[]);
    }
}

#[test]
fn continuations() {
    for (text, directives) in [
        (
            "SecAction \\\n  \"id:1,\\\n  pass\"\n",
            &["SecAction <id:1,  pass>"][..],
        ),
        (
            "SecAction \\\r\n  \"id:1,\\\r\n  pass\"\r\n",
            &["SecAction <id:1,  pass>"],
        ),
        ("SecAc\\\ntion a\\\nb c", &["SecAction <ab> <c>"]),
        (
            "SecAction a \\\n\nSecMarker b",
            &["SecAction <a>", "SecMarker <b>"],
        ),
        ("SecAction \"a\\\\\nb\"", &["SecAction <a\\b>"]),
        ("SecAction a\\", &["SecAction <a>"]),
        ("SecAction a \\\n\\\n\\\n b", &["SecAction <a> <b>"]),
        ("\\\nSecAction a", &["SecAction <a>"]),
    ] {
        check(text, directives, &[]);
    }
    check(
        "SecAction \"a,\\ \t\n b\"",
        &["SecAction <a, b>"],
        &["1:14 P0902"],
    );
    check(
        "SecAction \"a,\\\n # c,\\\n#d\n b\"",
        &["SecAction <a, b>"],
        &["2:2 P0901"],
    );
}

#[test]
fn comments() {
    for (text, directives) in [
        ("# a\n#b\n  #c\nSecMarker x\n", &["SecMarker <x>"][..]),
        (
            "#SecAction \\\n#  \"id:1\"\nSecMarker x\n",
            &["SecMarker <x>"],
        ),
        (
            "#SecAction \\\n  \"id:1,\\\n pass\"\nSecMarker x\n",
            &["SecMarker <x>"],
        ),
        ("# a \\ \nSecMarker x\n", &["SecMarker <x>"]),
        ("# a \\", &[]),
        ("SecMarker #x", &["SecMarker <#x>"]),
    ] {
        check(text, directives, &[]);
    }
    check(
        "# C:\\\n SecMarker x\nSecMarker y",
        &["SecMarker <y>"],
        &["2:2 P0806"],
    );
    check("# C:\\\r\nInclude x\\\r\nSecond", &[], &["2:1 P0806"]);
}

#[test]
fn literals() {
    check(
        "SecDataset names `\n# one\na \\\nb\n`\nSecMarker x",
        &["SecDataset <names> <⏎# one⏎a \\⏎b⏎>", "SecMarker <x>"],
        &[],
    );
    check("secdataset n `a`\n", &["secdataset <n> <a>"], &[]);
    check(
        "SecDataset n `\na\nb\n\nSecMarker x",
        &["!SecDataset <n>", "SecMarker <x>"],
        &["1:14 P0101"],
    );
}

#[test]
fn one_bad_line_does_not_hide_the_next() {
    for (text, directives, diagnostics) in [
        (
            "SecRule A \"x\n    \"id:1,\\\n    pass\"\nSecMarker y",
            &["!SecRule <A>", "SecMarker <y>"][..],
            &["1:11 P0101"][..],
        ),
        (
            "SecRule A x \"id:1,\n  phase:1,\\\n  pass\"\n\nSecMarker y",
            &["!SecRule <A> <x>", "SecMarker <y>"],
            &["1:13 P0101"],
        ),
        (
            "SecRule A x 'id:1\nsecmarker y",
            &["SecRule <A> <x> <id:1>", "secmarker <y>"],
            &["1:13 P0101"],
        ),
        (
            "SecRule A x\n  \"id:1\"\nSecMarker y",
            &["!SecRule <A> <x>", "SecMarker <y>"],
            &["2:3 P0110"],
        ),
        (
            "SecRule A x \\\n \"id:1,\\\n  pass\" \\\nSecRule B y \"id:2\"",
            &["!SecRule <A> <x> <id:1,  pass>", "SecRule <B> <y> <id:2>"],
            &["4:1 P0109"],
        ),
        (
            "SecRule A \"a\"b\" \"id:1\"\nSecMarker y",
            &["!SecRule <A> <a> <b\"> <id:1>", "SecMarker <y>"],
            &["1:14 P0108"],
        ),
        (
            "phase:1,pass\nSecMarker y",
            &["SecMarker <y>"],
            &["1:1 P0110"],
        ),
        (
            "\"id:1\nSecMarker y",
            &["SecMarker <y>"],
            &["1:1 P0101", "1:1 P0110"],
        ),
        (
            "SecFilterEngine On\nSecMarker y",
            &["SecMarker <y>"],
            &["1:1 P0209"],
        ),
        (
            "secfilterFoo On\nSecMarker y",
            &["SecMarker <y>"],
            &["1:1 P0209"],
        ),
        (
            "<IfModule security2_module>\nSecMarker y\n</IfModule>\nSecMarker z",
            &["SecMarker <y>", "SecMarker <z>"],
            &["1:1 P0111"],
        ),
        (
            "  <LocationMatch \"^/a\">\n</LocationMatch>\n</If>",
            &[],
            &["1:3 P0111", "3:1 P0111"],
        ),
        (
            "SecMarker a\0b\nSecMarker \0y",
            &["!SecMarker <a\0b>", "!SecMarker <\0y>"],
            &["1:12 P0102"],
        ),
    ] {
        check(text, directives, diagnostics);
    }
}

#[test]
fn wide_encodings_are_told() {
    let text: Vec<u8> = "\u{feff}SecMarker x\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut diagnostics = Vec::new();
    parse(SOURCE, &text, &mut diagnostics);
    assert_eq!(diagnostics[0].code.as_str(), "P0102");
    assert!(diagnostics[0].hint.as_ref().unwrap().contains("UTF-16"));
}

#[test]
fn places_lead_through_continuations() {
    let text = b"SecRule ARGS \\\n  \"@rx a\\\nb(\\\"c\" \\\n  \"id:1,\\\n   msg:'it\\'s (',deny\"";
    let mut sources = SourceMap::default();
    sources.add("f", text);
    let mut diagnostics = Vec::new();
    let directives = parse(SOURCE, text, &mut diagnostics);
    let [directive] = directives.as_slice() else {
        panic!("{directives:?}")
    };
    let argument = operator(&directive.arguments[1], &mut diagnostics)
        .unwrap()
        .argument;
    assert_eq!(&*argument, b"ab(\"c");
    assert_eq!(sources.slice(argument.span_of(2..3)), b"(");
    assert_eq!(sources.slice(argument.span_of(2..4)), b"(\\\"");
    assert_eq!(sources.location(argument.span_of(2..3)).line, 3);
    let list = actions(&directive.arguments[2], &mut diagnostics);
    let value = list[1].value.as_ref().unwrap();
    assert_eq!(&**value, b"it's (");
    assert_eq!(sources.slice(value.span), b"'it\\'s ('");
    assert_eq!(sources.slice(value.span_of(5..6)), b"(");
    assert_eq!(sources.slice(list[1].span), b"msg:'it\\'s ('");
    assert_eq!(sources.slice(directive.span), text);
    assert_eq!(diagnostics, []);
}
