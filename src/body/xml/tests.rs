use super::{Document, Path, PathError};
use crate::body::tests::{Case, Outcome};
use crate::body::{Kind, XmlIntoArgs};

fn read(body: &[u8]) -> Outcome {
    Case::new(Kind::Xml).read(body)
}

fn document(body: &str) -> Document {
    let outcome = read(body.as_bytes());
    assert_eq!(outcome.error(), "", "{body}");
    outcome.finished.xml.unwrap()
}

const NAMESPACES: &[(&[u8], &[u8])] = &[(b"p", b"urn:p"), (b"q", b"urn:q")];

fn select(document: &Document, path: &str) -> Vec<String> {
    let path = Path::parse(path.as_bytes(), NAMESPACES).unwrap_or_else(|e| panic!("{path}: {e}"));
    document
        .select(&path)
        .iter()
        .map(|value| value.escape_ascii().to_string())
        .collect()
}

#[test]
fn text() {
    for (body, expected) in [
        ("<a/>", ""),
        ("<a>x</a>", "x"),
        ("<a> <b>x</b>\n<c/> </a>", " x\\n "),
        ("<a>t<b>x</b>u</a>", "txu"),
        ("<a>1 &lt; 2 &amp;&gt;&quot;&apos;</a>", "1 < 2 &>\\\"\\'"),
        ("<a>&#65;&#x42;&#x20ac;</a>", "AB\\xe2\\x82\\xac"),
        ("<a><![CDATA[<b>&amp;]]>x</a>", "<b>&amp;x"),
        ("<a>x<!-- c -->y<?pi z?></a>", "xy"),
        ("<a>1\r\n2\r3</a>", "1\\n2\\n3"),
        ("<?xml version=\"1.0\"?>\n<!-- c --><a>x</a>\n<?pi?>\n", "x"),
        ("\u{feff}<a>x</a>", "x"),
        ("  <a>x</a>", "x"),
    ] {
        assert_eq!(select(&document(body), "/*"), [expected], "{body}");
    }
}

#[test]
fn attributes() {
    let document = document(
        "<a x='1' y = \"2&lt;&#65;\"\n z='p\tq\r\nr'><b xmlns='urn:p' xmlns:q='urn:q' q:w=\"3\"/></a>",
    );
    assert_eq!(select(&document, "//@*"), ["1", "2<A", "p q r", "3"]);
    assert_eq!(select(&document, "/a/@y"), ["2<A"]);
    assert_eq!(select(&document, "/a/p:b/@q:w"), ["3"]);
    assert_eq!(select(&document, "//@w"), [""; 0]);
    assert_eq!(select(&document, "//@q:*"), ["3"]);
    assert_eq!(select(&document, "/@x"), [""; 0]);
}

#[test]
fn paths() {
    let document = document(
        "<r><i k='1'>a</i><i k='2'>b<j>c</j></i><g><i>d</i><i>e</i></g>tail<n xmlns='urn:p'><m/>f</n></r>",
    );
    for (path, expected) in [
        ("/", &["abcdetailf"][..]),
        ("/*", &["abcdetailf"]),
        ("/r", &["abcdetailf"]),
        ("r/i", &["a", "bc"]),
        ("/x", &[]),
        ("/r/i", &["a", "bc"]),
        ("/r/*", &["a", "bc", "de", "f"]),
        ("//i", &["a", "bc", "d", "e"]),
        (
            "//*",
            &["abcdetailf", "a", "bc", "c", "de", "d", "e", "f", ""],
        ),
        ("/r//i", &["a", "bc", "d", "e"]),
        ("//i//j", &["c"]),
        ("//g/i", &["d", "e"]),
        ("//i[2]", &["bc", "e"]),
        ("/r/i[3]", &[]),
        ("//i[@k]", &["a", "bc"]),
        ("//i[@k='2']/j", &["c"]),
        ("//i[@k = \"2\"]", &["bc"]),
        ("//i[@k][2]", &["bc"]),
        ("/r/*[local-name()='i']", &["a", "bc"]),
        ("//*[local-name() = 'n']", &["f"]),
        ("//n", &[]),
        ("//p:n", &["f"]),
        ("//q:n", &[]),
        ("//p:*", &["f", ""]),
        ("/r[text()]/text()", &["tail"]),
        ("/r[n]", &[]),
        ("/r[i]/text()", &["tail"]),
        ("/r/text()", &["tail"]),
        ("//text()", &["a", "b", "c", "d", "e", "tail", "f"]),
        ("//i/@k", &["1", "2"]),
    ] {
        assert_eq!(select(&document, path), expected, "{path}");
    }
}

#[test]
fn expressions_that_are_no_path_are_told_apart() {
    for (expression, at) in [
        ("", 0),
        ("//", 2),
        ("/a/", 3),
        ("/a[", 3),
        ("/a[last()]", 7),
        ("/a[@x='1]", 6),
        ("/a[local-name()]", 15),
        ("/a | /b", 2),
        ("count(/a)", 5),
        ("/child::a", 6),
        ("/a/..", 3),
        ("/a/@x/b", 5),
        ("/a/text()/b", 9),
        ("/a[99999999999999999999999]", 3),
        ("/1", 1),
    ] {
        let found = Path::parse(expression.as_bytes(), NAMESPACES);
        assert_eq!(found, Err(PathError::Unsupported { at }), "{expression}");
    }
    assert_eq!(
        Path::parse(b"/z:a", NAMESPACES),
        Err(PathError::UnknownPrefix(b"z".to_vec()))
    );
}

#[test]
fn namespaces() {
    let path = |text: &str| Path::parse(text.as_bytes(), NAMESPACES).unwrap();
    let count = |body: &str, text: &str| document(body).select(&path(text)).len();
    assert_eq!(count("<x:a xmlns:x='urn:p'><x:b/></x:a>", "/p:a/p:b"), 1);
    assert_eq!(count("<a xmlns='urn:p'><b xmlns=''/></a>", "/p:a/b"), 1);
    assert_eq!(
        count(
            "<a xmlns='urn:p'><b xmlns='urn:q'><c/></b><c/></a>",
            "//q:c"
        ),
        1
    );
    assert_eq!(count("<a xmlns='urn:p' x='1'/>", "//@x"), 1);
    // A prefix that is not bound: the whole name, no namespace.
    assert_eq!(count("<u:a u:x='1'/>", "/*[local-name()='u:a']"), 1);
    assert_eq!(count("<a xml:lang='en'/>", "//@*"), 1);
    assert_eq!(count("<a xml:lang='en'/>", "//@lang"), 0);
}

#[test]
fn errors_keep_what_stands_before() {
    for (body, text, error) in [
        (&b"<a>"[..], Some(""), "premature end"),
        (b"<a><b>x", Some("x"), "premature end"),
        (b"<a>x</b>", Some("x"), "expected"),
        (b"</a>", None, "does not match"),
        (b"<a>x</a><b/>", Some("x"), "extra content"),
        (b"<a>x</a> y", Some("x"), "outside of the root"),
        (b"<a>x</a>&amp;", Some("x"), "outside of the root"),
        (b"y<a>x</a>", None, "outside of the root"),
        (b"plain", None, "outside of the root"),
        (b"   ", None, "document is empty"),
        (b"<!-- c -->", None, "document is empty"),
        (b"<a x='1' x='2'>y</a>", None, "attribute redefined"),
        (b"<a x=1>y</a>", None, "invalid attribute"),
        (b"<a x>y</a>", None, "invalid attribute"),
        (b"<a x='1'y='2'>z</a>", None, "invalid attribute"),
        (b"<a x='<'>y</a>", None, "'<' in an attribute"),
        (b"<a x='&foo;'>y</a>", Some(""), "entity not defined"),
        (b"<a x='&lt'>y</a>", Some(""), "without semicolon"),
        (b"<1a>x</1a>", None, "invalid name"),
        ("<a\u{202e}>x</a\u{202e}>".as_bytes(), None, "invalid name"),
        ("<a \u{d7}='1'/>".as_bytes(), None, "invalid name"),
        (b"<a>x<b/c></a>", Some("x"), "invalid name"),
        (b"<a>x&foo;y</a>", Some("x"), "entity not defined"),
        (b"<a>x & y</a>", Some("x "), "at byte"),
        (
            b"<a>x &#0; y</a>",
            Some("x "),
            "invalid character reference",
        ),
        (b"<a>&#xD800;</a>", Some(""), "invalid character reference"),
        (b"<a>&#+65;</a>", Some(""), "invalid character reference"),
        (b"<a>x < y</a>", Some("x "), "at byte"),
        (b"<a>x]]>y</a>", Some("x]]>y"), "']]>' in text"),
        (b"<a>x<!-- -- --></a>", Some("x"), "at byte"),
        (b"<a>x<![CDATA[y</a>", Some("x"), "at byte"),
        (b"<a>x\x01y</a>", Some("x"), "invalid character"),
        (b"<a>x\xFFy</a>", Some("x"), "invalid UTF-8"),
        (b" <?xml version='1.0'?><a/>", None, "not at the start"),
        (b"<a/><?XML x?>", Some(""), "not at the start"),
        (b"<a/><!DOCTYPE a>", Some(""), "document type"),
        (b"<!DOCTYPE []><a/>", None, "invalid name"),
        (b"{\"a\":1}", None, "outside of the root"),
    ] {
        let outcome = read(body);
        let shown = body.escape_ascii();
        let message = outcome.error();
        assert!(
            message.starts_with("XML parsing error: XML: Failed parsing document: ")
                && message.contains(error),
            "{shown}: {message:?}"
        );
        let found = select(&outcome.finished.xml.unwrap(), "/*");
        assert_eq!(found.first().map(String::as_str), text, "{shown}");
    }
}

#[test]
fn an_empty_body_is_no_error_and_no_tree() {
    let outcome = read(b"");
    assert_eq!((outcome.error(), &outcome.finished.xml), ("", &None));
}

#[test]
fn internal_entities_show_their_text() {
    for (body, text) in [
        ("<!DOCTYPE a [<!ENTITY e \"evil\">]><a>z&e;y</a>", "zevily"),
        ("<!DOCTYPE a [<!ENTITY e '&#60;b>'>]><a>&e;</a>", "<b>"),
        (
            "<!DOCTYPE a [<!ENTITY i 'in'><!ENTITY e 'x&i;y'>]><a>&e;</a>",
            "xiny",
        ),
        (
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"/etc/passwd\">]><a>z&x;y</a>",
            "zy",
        ),
        ("<!DOCTYPE a SYSTEM \"x.dtd\"><a>z&e;y</a>", "z&e;y"),
        (
            "<!DOCTYPE a [<!ENTITY % p SYSTEM 'x'>%p;]><a>z&e;y</a>",
            "z&e;y",
        ),
        // A declaration in a comment does not hide the real one.
        (
            "<!DOCTYPE a [<!-- <!ENTITY e 'ok'> --><!ENTITY e 'evil'>]><a>&e;</a>",
            "okevil",
        ),
    ] {
        assert_eq!(select(&document(body), "/*"), [text], "{body}");
    }
    let attribute = document("<!DOCTYPE a [<!ENTITY e \"evil\">]><a x='&e;'/>");
    assert_eq!(select(&attribute, "//@*"), ["evil"]);
}

#[test]
fn entities_cannot_explode() {
    let mut laughs = String::from("<!DOCTYPE a [<!ENTITY e0 \"ha\">");
    for n in 1..20 {
        laughs.push_str(&format!(
            "<!ENTITY e{n} \"{}\">",
            format!("&e{};", n - 1).repeat(10)
        ));
    }
    for body in [
        format!("{laughs}]><a>&e19;</a>"),
        format!("{laughs}]><a>&e7;</a>"),
        "<!DOCTYPE a [<!ENTITY e \"&e;\">]><a>&e;</a>".to_owned(),
        format!(
            "<!DOCTYPE a [<!ENTITY e \"{}\">]><a>{}</a>",
            "x".repeat(2000),
            "&e;".repeat(2000)
        ),
    ] {
        let outcome = read(body.as_bytes());
        assert!(outcome.error().contains("entities"), "{}", outcome.error());
    }
}

#[test]
fn declarations_are_read_once() {
    for piece in [
        "<!ENTITY",
        "<!ENTITY ",
        "<!ENTITY a '",
        "<!ENTITY a \"'",
        "[",
        "<!--",
    ] {
        let body = format!("<!DOCTYPE a [{}]><a/>", piece.repeat(100_000));
        read(body.as_bytes());
    }
}

#[test]
fn limits() {
    let mut case = Case::new(Kind::Xml);
    case.settings.limits.xml_depth = 3;
    assert_eq!(case.read(b"<a><b><c/></b></a>").error(), "");
    assert!(
        case.read(b"<a><b><c><d/></c></b></a>")
            .error()
            .contains("nested too deep")
    );
    case.settings.limits.xml_nodes = 4;
    assert_eq!(
        case.read(b"<a x='1'>y<b/>").error(),
        case.read(b"<a x='1'>y<b/>").error()
    );
    assert_eq!(case.read(b"<a x='1'>y<b/></a>").error(), "");
    assert!(
        case.read(b"<a x='1'>y<b/>z</a>")
            .error()
            .contains("too many nodes")
    );
    assert!(
        case.read(b"<a v='' w='' x='' y=''/>")
            .error()
            .contains("too many nodes")
    );
    let declarations: String = (0..300).map(|n| format!(" xmlns:n{n}='u'")).collect();
    case.settings.limits.xml_nodes = 1000;
    let body = format!("<a{declarations}/>");
    assert!(
        case.read(body.as_bytes())
            .error()
            .contains("too many namespace declarations")
    );
}

#[test]
fn other_encodings_keep_their_ascii() {
    let body = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE9 x</a>";
    let outcome = read(body);
    assert_eq!(outcome.error(), "");
    assert_eq!(
        select(&outcome.finished.xml.unwrap(), "/*"),
        ["\\xc3\\xa9 x"]
    );
    let outcome = read(b"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a>+ADw-</a>");
    assert!(outcome.error().contains("unsupported encoding"));
    assert_eq!(select(&outcome.finished.xml.unwrap(), "/*"), ["+ADw-"]);
}

#[test]
fn leaves_become_arguments() {
    let body = b"<a k='0'><b>x</b><p:c xmlns:p='u'/><d> <e>1</e> </d><b>y&amp;<!-- -->z</b></a>";
    let mut case = Case::new(Kind::Xml);
    assert!(case.read(body).events.is_empty());
    case.settings.xml_into_args = XmlIntoArgs::On;
    let outcome = case.read(body);
    let arguments = ["xml.a.b=x", "xml.a.c=", "xml.a.d.e=1", "xml.a.b=y&z"];
    assert_eq!(outcome.arguments(), arguments);
    assert!(outcome.finished.xml.is_some());
    case.settings.xml_into_args = XmlIntoArgs::OnlyArgs;
    let outcome = case.read(body);
    assert_eq!(outcome.arguments(), arguments);
    assert_eq!((outcome.error(), &outcome.finished.xml), ("", &None));
}

#[test]
fn arguments_stop_at_their_limit_and_the_tree_goes_on() {
    let mut case = Case::new(Kind::Xml);
    case.settings.xml_into_args = XmlIntoArgs::On;
    case.settings.limits.arguments = 2;
    let outcome = case.read(b"<a><b>1</b><b>2</b><b>3</b></a>");
    assert_eq!(outcome.arguments(), ["xml.a.b=1", "xml.a.b=2"]);
    assert_eq!(outcome.error(), "XML parsing error: More than 2 XML keys");
    assert_eq!(select(&outcome.finished.xml.unwrap(), "/*"), ["123"]);
}

#[test]
fn argument_names_cannot_ask_for_more_memory_than_the_body_is_worth() {
    let mut case = Case::new(Kind::Xml);
    case.settings.xml_into_args = XmlIntoArgs::On;
    let long = "n".repeat(50_000);
    let body = format!("<{long}>{}</{long}>", "<b/>".repeat(500));
    assert!(
        case.read(body.as_bytes())
            .error()
            .contains("argument names too long")
    );
}

#[test]
fn names_have_letters_of_all_languages() {
    let body = "<\u{fc}ber \u{3b1}\u{b7}='1'>\u{d7}</\u{fc}ber>";
    assert_eq!(read(body.as_bytes()).error(), "");
}

#[test]
fn a_namespace_without_a_prefix_to_declare_is_an_attribute() {
    let found = document("<a xmlns:='x' xmlns:b='y' xmlns='z' c='w' xmlns:4='v'/>");
    assert_eq!(select(&found, "//@*"), ["x", "w", "v"]);
}

#[test]
fn the_declaration_is_checked() {
    let message = |declaration: &str| {
        read(format!("{declaration}<a>b</a>").as_bytes())
            .finished
            .error
    };
    for declaration in [
        "<?xml version='1.0'?>",
        "<?xml version=\"1.1\" encoding='utf-8' standalone='no' ?>",
        "<?xml\nversion = '1.0' standalone='yes'?>",
    ] {
        assert_eq!(message(declaration), None, "{declaration}");
    }
    for declaration in [
        "<?xml?>",
        "<?xml ?>",
        "<?xml version='2.0'?>",
        "<?xml version='1.'?>",
        "<?xml version='1.0'encoding='utf-8'?>",
        "<?xml encoding='utf-8' version='1.0'?>",
        "<?xml encoding='utf-8'?>",
        "<?xml version='1.0' encoding='1'?>",
        "<?xml version='1.0' standalone='maybe'?>",
        "<?xml version='1.0' other='x'?>",
    ] {
        assert!(message(declaration).is_some(), "{declaration}");
    }
}
