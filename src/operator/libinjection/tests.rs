//! Verdicts on plain attacks and on text that is none; the conformance suite has hundreds more.

use super::{sqli, xss};

fn fingerprint(value: &str) -> Option<String> {
    sqli::detect(value.as_bytes()).map(|found| String::from_utf8_lossy(found.as_bytes()).into())
}

#[test]
fn injections_of_sql() {
    for (value, expected) in [
        ("1' OR '1'='1", "s&sos"),
        ("1 UNION SELECT a FROM b", "1UEnk"),
        ("1; DROP TABLE users", "1;Tnn"),
        ("' or 1=1--", "s&1c"),
        ("1 /*! union */", "X"),
        ("1 or sleep(5)#", "1&f(1"),
        ("\" or \"\"=\"", "s&sos"),
        ("1 -- sp_password", "1c"),
    ] {
        assert_eq!(fingerprint(value).as_deref(), Some(expected), "{value}");
    }
}

#[test]
fn plain_text_is_no_sql() {
    for value in [
        "",
        " ",
        "hello world",
        "O'Neill",
        "1-2",
        "it's -- not",
        "a = b",
        "c# and f#",
    ] {
        assert_eq!(fingerprint(value), None, "{value}");
    }
}

#[test]
fn injections_of_scripts() {
    for value in [
        "<script>",
        "<ScRiPt >",
        "<img src=x onerror=alert(1)>",
        "x onload=1",
        "' onfocus=1 '",
        "\"><svg>",
        "<a href=\"java&#115;cript:x\">",
        "<!DOCTYPE x>",
        "<!--[if IE]>",
        "<!ENTITY x",
        "<s\0cript>",
        "` onerror=1",
        "<a style=x>",
        "<a attributename=onload>",
    ] {
        assert!(xss::detect(value.as_bytes()), "{value:?}");
    }
}

#[test]
fn plain_text_is_no_script() {
    for value in [
        "",
        "a < b",
        "<b>bold</b>",
        "<a href=\"/x\">",
        "onload",
        "1 > 0 & 2 < 3",
        "</p>",
        "<!-- note -->",
    ] {
        assert!(!xss::detect(value.as_bytes()), "{value:?}");
    }
}

/// Long values of all kinds of repetition end in good time.
#[test]
fn work_is_linear() {
    for part in [
        "'",
        "\"",
        "\\'",
        "''",
        "`",
        "/*",
        "/",
        "--",
        "#",
        "$",
        "$a$",
        "$$",
        "(",
        "{",
        "{``",
        "@",
        "[",
        "]",
        "b'0",
        "x'",
        "q'(",
        "n'",
        "u&'",
        "0x",
        "1.",
        ".",
        "a.",
        "1,-",
        "1+",
        "+",
        "a.b.",
        "select ",
        ";if",
        "<",
        "</",
        "<!",
        "<!--",
        "-",
        "-\0",
        "<%",
        "%",
        "<a ",
        "<a x=",
        "/>",
        "//",
        "<a '",
        "on",
        " onabcd=1",
        " href=&#x0",
        "&#x0",
        "<![CDATA[",
        "]]",
        "\0",
        " ",
        "<?",
    ] {
        let value = part.repeat(300_000 / part.len());
        let _ = (
            sqli::detect(value.as_bytes()),
            xss::detect(value.as_bytes()),
        );
    }
}

/// Every text of so many signs at most.
fn texts(alphabet: &[u8], longest: usize, see: impl Fn(&[u8])) {
    let mut texts = vec![Vec::new()];
    see(b"");
    for _ in 0..longest {
        let longer = texts.iter().flat_map(|text| {
            alphabet
                .iter()
                .map(|&sign| [text.as_slice(), &[sign]].concat())
        });
        texts = longer.collect();
        texts.iter().for_each(|text| see(text));
    }
}

/// What `@detectXSS` lets the prefilter know: without `<` and `=` there is nothing to find.
#[test]
fn scripts_need_a_tag_or_a_value() {
    texts(b"on/x >\"'`!-?\0&:", 5, |text| {
        assert!(!xss::detect(text), "{text:?}");
    });
    for text in [
        "onload onerror",
        "x onload",
        "style xmlns",
        "' onfocus '",
        "javascript:x",
    ] {
        assert!(!xss::detect(text.as_bytes()), "{text}");
    }
}

/// What `@detectSQLi` lets the prefilter know: letters and underscores are one word, and no
/// fingerprint of an injection is one word.
#[test]
fn one_word_is_no_sql() {
    texts(b"abenoqux_NUX", 5, |text| {
        assert!(sqli::detect(text).is_none(), "{text:?}");
    });
    let words = include_str!("sqli/words.txt");
    for word in words.lines().filter_map(|line| line.split('\t').next()) {
        let one = word
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if one {
            assert_eq!(fingerprint(word), None);
            assert_eq!(fingerprint(&word.repeat(9)), None);
        }
    }
    let fingerprints = include_str!("sqli/fingerprints.txt").lines();
    assert_eq!(
        fingerprints
            .filter(|line| line.len() == 1)
            .collect::<Vec<_>>(),
        ["X"]
    );
}
