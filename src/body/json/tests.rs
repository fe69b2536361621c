use crate::body::Kind;
use crate::body::tests::{Case, Event};

fn check(body: &[u8], arguments: &[&str], error: &str) {
    let mut case = Case::new(Kind::Json);
    case.settings.limits.json_depth = 5;
    let outcome = case.read(body);
    assert_eq!(outcome.arguments(), arguments, "{}", body.escape_ascii());
    let message = outcome.error().trim_start_matches("JSON parsing error: ");
    assert!(
        if error.is_empty() {
            message.is_empty()
        } else {
            message.contains(error)
        },
        "{}: {message:?}",
        body.escape_ascii()
    );
    assert_eq!(outcome.finished.no_files_length, body.len());
}

#[test]
fn names() {
    check(b"", &[], "");
    check(b"1", &["json=1"], "");
    check(b" \"x\" \n", &["json=x"], "");
    check(b"[1,2]", &["json.array_0=1", "json.array_1=2"], "");
    check(
        b"[[1,[2]],3]",
        &[
            "json.array_0.array_0=1",
            "json.array_0.array_1.array_0=2",
            "json.array_1=3",
        ],
        "",
    );
    check(
        b"{\"a\":[{\"b\":1},{\"c\":[2,3]}],\"d\":{},\"e\":[]}",
        &[
            "json.a.array_0.b=1",
            "json.a.array_1.c.array_0=2",
            "json.a.array_1.c.array_1=3",
        ],
        "",
    );
    check(
        b"{\"a\":[1,{\"b\":2},3,[4]],\"c\":5}",
        &[
            "json.a.array_0=1",
            "json.a.array_1.b=2",
            "json.a.array_2=3",
            "json.a.array_3.array_0=4",
            "json.c=5",
        ],
        "",
    );
    check(b"{\"\":{\"\":1}}", &["json.empty-key.empty-key=1"], "");
    check(b"{\"a.b\":{\"c\":null}}", &["json.a.b.c="], "");
    check(b"{\"a\":1,\"a\":2}", &["json.a=1", "json.a=2"], "");
    check(b"{\"a\\u0000\\n\":true}", &["json.a\\x00\\n=true"], "");
    check(b"[]", &[], "");
    check(b"{ }", &[], "");
}

#[test]
fn values() {
    check(
        b"[true,false,null]",
        &["json.array_0=true", "json.array_1=false", "json.array_2="],
        "",
    );
    for number in [
        "0",
        "-0",
        "12",
        "-1.5",
        "1e3",
        "1E+3",
        "0.10e-07",
        "123456789012345678901234567890",
    ] {
        check(number.as_bytes(), &[&format!("json={number}")], "");
        check(
            format!("[{number}]").as_bytes(),
            &[&format!("json.array_0={number}")],
            "",
        );
    }
    check(
        b"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        &["json=a\\\"\\\\/\\x08\\x0c\\n\\r\\t"],
        "",
    );
    check(
        b"\"\\u0041\\u00e9\\u20AC\"",
        &["json=A\\xc3\\xa9\\xe2\\x82\\xac"],
        "",
    );
    check(
        "\"\u{e9}\u{20ac}\u{1f600}\"".as_bytes(),
        &["json=\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80"],
        "",
    );
    check(b"\"\x7f\"", &["json=\\x7f"], "");
    check(b"\x0B1\x0C", &["json=1"], "");
}

#[test]
fn surrogates() {
    check(b"\"\\ud83d\\ude00\"", &["json=\\xf0\\x9f\\x98\\x80"], "");
    check(b"\"\\ud800x\"", &["json=?x"], "");
    check(b"\"\\ud800\"", &["json=?"], "");
    check(b"\"\\ud800\\n\"", &["json=?\\n"], "");
    check(b"\"\\ud800\\u0041\"", &["json=?A"], "");
    check(
        b"\"\\ud800\\ud83d\\ude00\"",
        &["json=?\\xf0\\x9f\\x98\\x80"],
        "",
    );
    check(b"\"\\udc00\"", &["json=\\xed\\xb0\\x80"], "");
}

#[test]
fn errors_keep_what_stands_before() {
    check(b" ", &[], "premature EOF");
    check(b"{", &[], "premature EOF");
    check(b"[1", &["json.array_0=1"], "premature EOF");
    check(b"{\"a\":1", &["json.a=1"], "premature EOF");
    check(b"{\"a", &[], "premature EOF");
    check(b"{\"a\":1}x", &["json.a=1"], "trailing garbage");
    check(b"{\"a\":1} {", &["json.a=1"], "trailing garbage");
    check(b"{}\"x\"", &[], "trailing garbage");
    check(b"1 2", &["json=1"], "trailing garbage");
    check(b"01", &["json=0"], "trailing garbage");
    check(b"[01]", &["json.array_0=0"], "after array element");
    check(b"{\"a\":1 2}", &["json.a=1"], "after key and value");
    check(b"[1}", &["json.array_0=1"], "after array element");
    check(b"{\"a\":1]", &["json.a=1"], "after key and value");
    check(b"[1,]", &["json.array_0=1"], "unallowed token");
    check(b"[,]", &[], "unallowed token");
    check(b"]", &[], "unallowed token");
    check(b"{\"a\":}", &[], "unallowed token");
    check(b"{\"a\":1,}", &["json.a=1"], "invalid object key");
    check(b"{1:2}", &[], "invalid object key");
    check(b"{\"a\" 1}", &[], "separated by a colon");
    check(b"{'a':1}", &[], "invalid char in json text");
    check(b"\xEF\xBB\xBF{}", &[], "invalid char in json text");
    check(b"NaN", &[], "invalid char in json text");
    check(b"tru", &[], "invalid string in json text");
    check(b"[nulL]", &[], "invalid string in json text");
    check(b"// c\n1", &[], "probable comment");
    check(b"\"tab\there\"", &[], "invalid character inside string");
    check(b"\"\\x\"", &[], "which it may not");
    check(b"\"\\u12g4\"", &[], "invalid (non-hex) character");
    check(b"\"\xFF\"", &[], "invalid bytes in UTF8");
    check(b"\"\xC3\"", &[], "invalid bytes in UTF8");
    check(b"\"\x80\"", &[], "invalid bytes in UTF8");
    check(b"-", &[], "after the minus sign");
    check(b"-x", &[], "after the minus sign");
    check(b"1.", &[], "after the decimal point");
    check(b"1e", &[], "after the exponent");
    check(b"[1e+]", &[], "after the exponent");
}

#[test]
fn depth() {
    check(
        b"[[[[[1]]]]]",
        &["json.array_0.array_0.array_0.array_0.array_0=1"],
        "",
    );
    check(
        b"{\"a\":1,\"b\":[[[[[[1]]]]]]}",
        &["json.a=1"],
        "JSON depth limit exceeded",
    );
    let mut case = Case::new(Kind::Json);
    case.settings.limits.json_depth = usize::MAX;
    let deep = b"[".repeat(100_000);
    assert!(case.read(&deep).error().contains("premature EOF"));
}

#[test]
fn the_arguments_limit_ends_the_document() {
    let mut case = Case::new(Kind::Json);
    case.settings.limits.arguments = 2;
    let outcome = case.read(b"[1,2,3,4");
    assert_eq!(outcome.arguments(), ["json.array_0=1", "json.array_1=2"]);
    assert_eq!(
        outcome.error(),
        "JSON parsing error: SecArgumentsLimit exceeded"
    );
}

#[test]
fn names_cannot_ask_for_more_memory_than_the_body_is_worth() {
    let key = "k".repeat(50_000);
    let body = format!("{{\"{key}\":[{}1]}}", "1,".repeat(500));
    let outcome = Case::new(Kind::Json).read(body.as_bytes());
    assert_eq!(
        outcome.error(),
        "JSON parsing error: JSON argument names too long"
    );
    assert!(!outcome.arguments().is_empty());
    let body = format!("{{\"{}\":[{}1]}}", "k".repeat(1000), "1,".repeat(500));
    assert_eq!(Case::new(Kind::Json).read(body.as_bytes()).error(), "");
}

/// `v3 = v2 | Coraza` of every argument.
fn all_names(body: &[u8]) -> Vec<String> {
    let mut case = Case::new(Kind::Json);
    case.settings.other_names = true;
    let mut names = Vec::new();
    let mut others = String::new();
    for event in case.read(body).events {
        match event {
            Event::OtherNames(v2, coraza) => {
                others = format!("{} | {}", v2.escape_ascii(), coraza.escape_ascii());
            }
            Event::Argument(name, _) => names.push(format!("{} = {others}", name.escape_ascii())),
            _ => {}
        }
    }
    names
}

#[test]
fn other_engines_names() {
    for (body, expected) in [
        ("{\"a\":{\"b\":1}}", &["json.a.b = a.b | json.a.b"][..]),
        (
            "{\"arr\":[1,2]}",
            &[
                "json.arr.array_0 = arr.arr | json.arr.0",
                "json.arr.array_1 = arr.arr | json.arr.1",
            ],
        ),
        ("[true]", &["json.array_0 = array.array | json.0"]),
        (
            "[{\"b\":1},[2]]",
            &[
                "json.array_0.b = array.array.b | json.0.b",
                "json.array_1.array_0 = array.array.array | json.1.0",
            ],
        ),
        (
            "{\"a\":[1,{\"b\":[2]},[3]],\"c\":4}",
            &[
                "json.a.array_0 = a.a | json.a.0",
                "json.a.array_1.b.array_0 = a.a.b.b | json.a.1.b.0",
                "json.a.array_2.array_0 = a.a.a | json.a.2.0",
                "json.c = c | json.c",
            ],
        ),
        (
            "{\"x.y\":[1],\"\":{\"\":2},\"array_0\":3}",
            &[
                "json.x.y.array_0 = x.y.x.y | json.x.y.0",
                "json.empty-key.empty-key = . | json..",
                "json.array_0 = array_0 | json.array_0",
            ],
        ),
        ("7", &["json =  | json"]),
    ] {
        assert_eq!(all_names(body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn names_of_other_engines_are_bounded_too() {
    let mut case = Case::new(Kind::Json);
    case.settings.other_names = true;
    case.settings.limits.json_depth = usize::MAX;
    // v2 repeats the key at each of 10,000 levels: 50 MB for one name.
    let body = format!("{{\"{}\":{}", "k".repeat(5000), "[".repeat(10_000));
    let names_too_long = "JSON parsing error: JSON argument names too long";
    assert_eq!(case.read(body.as_bytes()).error(), names_too_long);
    case.settings.other_names = false;
    assert!(case.read(body.as_bytes()).error().contains("premature EOF"));
}
