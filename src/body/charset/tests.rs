//! Texts in each charset, whole and broken, and what bodies become of them.

use super::*;
use crate::body::tests::{Case, Random};
use crate::body::{Charsets, Kind, XmlIntoArgs};

/// Decodes a text whole and byte by byte: the outcome must be the same.
fn decode(name: &str, text: &[u8]) -> (String, Option<&'static str>) {
    let charset = Charset::by_name(name.as_bytes()).unwrap_or_else(|| panic!("{name}"));
    let whole = charset.decode(text);
    let mut decoder = Decoder::new(charset);
    let mut out = Vec::new();
    for chunk in text.chunks(1) {
        decoder.feed(chunk, &mut out);
    }
    let malformed = decoder.finish(&mut out);
    assert_eq!((&out, malformed), (&whole.0, whole.1));
    (String::from_utf8(whole.0).unwrap(), whole.1)
}

fn utf16(text: &str, little: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

fn utf32(text: &str) -> Vec<u8> {
    text.chars()
        .flat_map(|character| u32::from(character).to_le_bytes())
        .collect()
}

/// Text in IBM037: letters, digits and some signs.
fn ebcdic(text: &str) -> Vec<u8> {
    let page = ebcdic::Page::by_name(b"ibm037").unwrap();
    text.chars()
        .map(|character| {
            (0..=255)
                .find(|&byte| page.decode(byte) == character)
                .unwrap()
        })
        .collect()
}

const TEXT: &str = "a=<b>&c='é€😀";

#[test]
fn names_stand_for_charsets() {
    for (name, expected) in [
        ("UTF-16", Some("UTF-16")),
        ("utf-16LE", Some("UTF-16")),
        ("unicodeFFFE", Some("UTF-16")),
        ("UTF-32be", Some("UTF-32")),
        ("utf-7", Some("UTF-7")),
        ("ISO-2022-JP", Some("ISO 2022")),
        ("IBM037", Some("EBCDIC")),
        ("ibm-1047", Some("EBCDIC")),
        ("IBM01140", Some("EBCDIC")),
        ("cp500", Some("EBCDIC")),
        ("x-IBM285", Some("EBCDIC")),
        ("ebcdic-cp-us", Some("EBCDIC")),
        ("cp1252", None),
        ("ibm850", None),
        ("ibm9999999999", None),
        ("utf-8", None),
        ("", None),
    ] {
        let found = Charset::by_name(name.as_bytes()).map(Charset::name);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn content_types_declare_charsets() {
    let check = |content_type: &str, expected: &str| {
        let found = match declared(content_type.as_bytes()) {
            Declared::Plain => "plain".to_owned(),
            Declared::Hiding(charset) => charset.name().to_owned(),
            Declared::Unclear(why) => why,
        };
        assert_eq!(found, expected, "{content_type}");
    };
    check("text/plain", "plain");
    check("text/plain; charset=UTF-8", "plain");
    check("text/plain; charset=", "plain");
    check("text/plain; charset=Windows-1252; x=y", "plain");
    check("text/plain; charset=\"utf-16\"", "UTF-16");
    check("text/plain; Charset = ibm500 ", "EBCDIC");
    check("text/plain; charset=utf-8; charset=UTF-8", "plain");
    check(
        "text/plain; charset=utf-8; charset=utf-7",
        "More than one charset is declared.",
    );
    check("text/plain; charset=x\x01", "Unknown charset: x\\x01");
}

#[test]
fn wide_texts() {
    let plain = |text: &str| (text.to_owned(), None);
    assert_eq!(decode("utf-16le", &utf16(TEXT, true)), plain(TEXT));
    assert_eq!(decode("utf-16be", &utf16(TEXT, false)), plain(TEXT));
    assert_eq!(decode("utf-32le", &utf32(TEXT)), plain(TEXT));
    for little in [true, false] {
        let marked = utf16(&format!("\u{feff}{TEXT}"), little);
        assert_eq!(decode("utf-16", &marked), plain(TEXT));
    }
    let marked = utf32(&format!("\u{feff}{TEXT}"));
    assert_eq!(decode("utf-32", &marked), plain(TEXT));
    assert_eq!(decode("utf-32le", &marked), plain(TEXT));
    assert_eq!(decode("utf-16", b""), plain(""));
    // A second mark is a character.
    let twice = utf16("\u{feff}\u{feff}a", true);
    assert_eq!(decode("utf-16", &twice), plain("\u{feff}a"));
}

#[test]
fn an_open_byte_order_is_told() {
    for little in [true, false] {
        let (text, malformed) = decode("utf-16", &utf16("ab", little));
        assert_eq!((text.as_str(), malformed.is_some()), ("ab", true));
    }
    let (_, malformed) = decode("utf-16be", &utf16("\u{feff}ab", true));
    assert!(malformed.unwrap().contains("contradicts"));
}

#[test]
fn broken_wide_texts() {
    for (name, text, expected) in [
        ("utf-16be", &b"\0a\0"[..], "a\u{fffd}"),
        ("utf-16be", b"\xD8\x00\0a", "\u{fffd}a"),
        ("utf-16be", b"\xDC\x00\0a", "\u{fffd}a"),
        ("utf-16be", b"\xD8\x00\xD8\x00\xDC\x00", "\u{fffd}\u{10000}"),
        ("utf-16be", b"\0a\xD8\x00", "a\u{fffd}"),
        ("utf-32be", b"\0\0\0a\0\x11\0\0", "a\u{fffd}"),
        ("utf-32be", b"\0\0\xD8\0", "\u{fffd}"),
    ] {
        let (text, malformed) = decode(name, text);
        assert_eq!(text, expected, "{name}");
        assert!(malformed.is_some());
    }
}

#[test]
fn utf7_texts() {
    for (text, expected, well_formed) in [
        ("a+ADw-script+AD4-", "a<script>", true),
        ("+ADw-+AD4-", "<>", true),
        ("1 +- 2 +AOk-.", "1 + 2 é.", true),
        ("+2D3eAA-!", "😀!", true),
        ("+/v8-a", "a", true),
        // No minus is needed before what is not base64.
        ("+ADw script", "< script", true),
        ("+ADwAPg", "<>", true),
        ("a+ b", "a+ b", false),
        ("a+", "a+", false),
        ("+A-", "\u{fffd}", false),
        ("+ADx-", "<\u{fffd}", false),
        ("+2D0-a", "\u{fffd}a", false),
        ("a\u{e9}", "a\u{fffd}\u{fffd}", false),
    ] {
        let (found, malformed) = decode("utf-7", text.as_bytes());
        assert_eq!(
            (found.as_str(), malformed.is_none()),
            (expected, well_formed),
            "{text}"
        );
    }
}

#[test]
fn ebcdic_texts() {
    assert_eq!(decode("ibm037", b"\x4C\x6F\xA7\x94\x93").0, "<?xml");
    // Where code pages differ: brackets and the exclamation mark.
    assert_eq!(decode("ibm500", b"\x4A\x4F\x5A").0, "[!]");
    assert_eq!(decode("ibm1047", b"\xAD\x5A\xBD").0, "[!]");
    assert_eq!(decode("ibm037", b"\xBA\x5A\xBB").0, "[!]");
    assert_eq!(decode("ibm1148", b"\x4A\x4F\x5A").0, "[!]");
    // Every page holds all of Latin-1.
    for name in [
        "037", "273", "277", "278", "280", "284", "285", "297", "500", "871", "1047", "1143",
    ] {
        let page = ebcdic::Page::by_name(format!("ibm{name}").as_bytes()).unwrap();
        let characters: std::collections::BTreeSet<char> =
            (0..=255).map(|byte| page.decode(byte)).collect();
        assert_eq!(characters.len(), 256, "{name}");
    }
}

#[test]
fn iso_2022_texts() {
    for (text, expected, well_formed) in [
        (&b"<scr\x1B(Bipt>"[..], "<script>", true),
        (
            b"a\x1B$B\x23\x41\x30\x21\x1B(Bb",
            "a\u{ff21}\u{fffd}b",
            true,
        ),
        (b"\x1B$)C\x0E\x30\x21\x0Fa", "\u{fffd}a", true),
        (b"\x1B(I\x31\x1B(J<", "\u{ff71}<", true),
        (b"\x1B$B\x30\x21\na", "\u{fffd}\na", true),
        (b"\x1B$B\x30", "\u{fffd}", false),
        (b"a\x1B", "a\u{fffd}", false),
        (b"a\x1B\x01b", "a\u{fffd}\x01b", false),
        (b"a\x80", "a\u{fffd}", false),
    ] {
        let (found, malformed) = decode("iso-2022-jp", text);
        assert_eq!(
            (found.as_str(), malformed.is_none()),
            (expected, well_formed)
        );
    }
}

#[test]
fn no_bytes_panic() {
    const BYTES: &[u8] = b"\0\x1B$B(+-/aA\xD8\xDC\xFE\xFF\x0E\n ";
    let names = [
        "utf-16",
        "utf-16le",
        "utf-32",
        "utf-7",
        "ibm285",
        "iso-2022-kr",
    ];
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let text: Vec<u8> = (0..random.below(60))
            .map(|_| BYTES[random.below(BYTES.len())])
            .collect();
        let (decoded, _) = decode(names[random.below(names.len())], &text);
        assert!(decoded.len() <= 3 * text.len() + 4);
    }
}

fn case(kind: Kind, content_type: &str, charsets: Charsets) -> Case {
    let mut case = Case::new(kind);
    case.content_type = content_type.as_bytes().to_vec();
    case.settings.charsets = charsets;
    case
}

#[test]
fn forms_are_read_as_they_are_and_decoded() {
    let form = |charset: &str, body: &[u8], charsets| {
        let content_type = format!("application/x-www-form-urlencoded; charset={charset}");
        let outcome = case(Kind::UrlEncoded, &content_type, charsets).read(body);
        (outcome.arguments(), outcome.finished.error)
    };
    // The whole form is in the charset.
    let (arguments, error) = form("ibm037", &ebcdic("id=1 or 1&x=<b>"), Charsets::On);
    assert!(arguments.contains(&"id=1 or 1".to_owned()), "{arguments:?}");
    assert!(arguments.contains(&"x=<b>".to_owned()), "{arguments:?}");
    assert_eq!(error, None);
    // Only names and values are.
    let (arguments, error) = form("utf-16le", b"%69%00=%3C%00a%00", Charsets::On);
    assert_eq!(arguments[..2], ["i\\x00=<\\x00a\\x00", "i=<a"]);
    assert_eq!(error, None);
    // The backend may pay no attention: the attack is seen all the same.
    let (arguments, _) = form("utf-16", b"id=1' or '1'='1&z=", Charsets::On);
    assert_eq!(arguments[0], "id=1\\' or \\'1\\'=\\'1");
    let (arguments, error) = form("utf-16", b"id=1", Charsets::Off);
    assert_eq!((arguments, error), (vec!["id=1".to_owned()], None));
    // What says the same thing twice is said once.
    let (arguments, error) = form("utf-7", b"a=1&a=1&b=%2BADw-", Charsets::On);
    assert_eq!(arguments, ["a=1", "a=1", "b=+ADw-", "b=<"]);
    assert_eq!(error, None);
    let (arguments, _) = form("utf-7", b"b=%2BADw-&a=1", Charsets::OnlyDecoded);
    assert_eq!(arguments, ["b=<", "a=1", "b=+ADw-"]);
    // Neither reading is in the charset.
    let (_, error) = form("utf-16le", b"id=1&ab", Charsets::On);
    assert!(error.unwrap().contains("is not the UTF-16 text"));
    let (arguments, error) = form("klingon", b"id=1", Charsets::On);
    assert_eq!(arguments, ["id=1"]);
    assert_eq!(error.as_deref(), Some("Unknown charset: klingon"));
}

#[test]
fn json_is_decoded() {
    let json = |charset: &str, body: &[u8]| {
        let content_type = format!("application/json; charset={charset}");
        let outcome = case(Kind::Json, &content_type, Charsets::On).read(body);
        (outcome.arguments(), outcome.finished.error)
    };
    let text = "{\"a\":{\"b\":\"<x>\"}}";
    let expected = vec!["json.a.b=<x>".to_owned()];
    for (charset, body) in [
        ("utf-16be", utf16(text, false)),
        ("utf-16", utf16(&format!("\u{feff}{text}"), true)),
        ("utf-32le", utf32(text)),
        ("ibm037", ebcdic(text)),
        ("utf-7", b"{\"a\":{\"b\":\"+ADw-x>\"}}".to_vec()),
    ] {
        let (mut arguments, error) = json(charset, &body);
        arguments.retain(|argument| !argument.contains('+'));
        assert_eq!((arguments, error), (expected.clone(), None), "{charset}");
    }
    // Declared to be what it is not: read as it is, and an error.
    let (arguments, error) = json("utf-16le", text.as_bytes());
    assert_eq!(arguments, expected);
    assert!(error.is_some());
}

#[test]
fn xml_is_decoded() {
    let xml = |content_type: &str, body: &[u8]| {
        let mut case = case(Kind::Xml, content_type, Charsets::On);
        case.settings.xml_into_args = XmlIntoArgs::On;
        let outcome = case.read(body);
        assert!(outcome.finished.xml.is_some());
        (outcome.arguments(), outcome.finished.error)
    };
    let text = "<?xml version='1.0'?><a><b>1 &lt; 2</b></a>";
    let expected = (vec!["xml.a.b=1 < 2".to_owned()], None);
    for (content_type, body) in [
        ("text/xml; charset=utf-16le", utf16(text, true)),
        (
            "text/xml; charset=utf-7",
            utf16(&format!("\u{feff}{text}"), true),
        ),
        ("text/xml", utf16(&format!("\u{feff}{text}"), false)),
        ("text/xml", utf16(text, false)),
        ("text/xml", utf32(text)),
        ("text/xml; charset=ibm037", ebcdic(text)),
        (
            "text/xml",
            ebcdic("<?xml version='1.0' encoding='ibm037'?><a><b>1 &lt; 2</b></a>"),
        ),
        (
            "text/xml; charset=utf-8",
            b"<?xml version='1.0' encoding='utf-7'?><a><b>1 +ACY-lt; 2</b></a>".to_vec(),
        ),
    ] {
        assert_eq!(xml(content_type, &body), expected, "{content_type}");
    }
    // Declared to be what it is not: read as it is, and an error.
    let (arguments, error) = xml("text/xml; charset=utf-16", text.as_bytes());
    assert!(arguments.contains(&expected.0[0]));
    assert!(error.is_some());
}

#[test]
fn parts_have_charsets_of_their_own() {
    let body = |content_type: &str, value: &[u8]| {
        let head = format!(
            "--0000\r\nContent-Disposition: form-data; name=\"a\"\r\n\
             Content-Type: {content_type}\r\n\r\n"
        );
        [head.as_bytes(), value, b"\r\n--0000--\r\n"].concat()
    };
    let read = |content_type: &str, body: &[u8], charsets| {
        let outcome = case(Kind::Multipart, content_type, charsets).read(body);
        (outcome.arguments(), outcome.finished.error)
    };
    let plain = "multipart/form-data; boundary=0000";
    let part = body("text/plain; charset=utf-7", b"+ADw-b>");
    let (arguments, error) = read(plain, &part, Charsets::On);
    assert_eq!(
        (arguments, error),
        (vec!["a=+ADw-b>".into(), "a=<b>".into()], None)
    );
    let (arguments, _) = read(plain, &part, Charsets::OnlyDecoded);
    assert_eq!(arguments, ["a=<b>"]);
    let (arguments, _) = read(plain, &part, Charsets::Off);
    assert_eq!(arguments, ["a=+ADw-b>"]);
    let (_, error) = read(plain, &body("text/plain; charset=x", b"1"), Charsets::On);
    assert!(error.unwrap().contains("Unknown charset: x"));
    let (_, error) = read(
        plain,
        &body("text/plain; charset=utf-16be", b"1"),
        Charsets::On,
    );
    assert!(error.unwrap().contains("A part is not the UTF-16 text"));

    // A charset for the whole body: of the values, or of everything.
    let all = "multipart/form-data; boundary=0000; charset=ibm037";
    let (arguments, error) = read(all, &body("text/plain", &ebcdic("<b>")), Charsets::On);
    assert!(arguments.contains(&"a=<b>".to_owned()), "{arguments:?}");
    assert_eq!(error, None);
    let text = String::from_utf8(body("text/plain", b"<b>")).unwrap();
    let (arguments, error) = read(all, &ebcdic(&text), Charsets::On);
    assert!(arguments.contains(&"a=<b>".to_owned()), "{arguments:?}");
    assert_eq!(error, None);
}

#[test]
fn a_cut_goes_through_a_character() {
    let case = case(Kind::Json, "x; charset=utf-16be", Charsets::On);
    let body = utf16("{\"a\":\"bc", false);
    let outcome = case.read_cut(&body[..body.len() - 1]);
    assert_eq!(outcome.arguments(), ["json.a=b\\xef\\xbf\\xbd"]);
    assert_eq!(outcome.error(), "");
}
