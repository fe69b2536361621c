//! From the bytes of a document to its text.

use std::borrow::Cow;

use crate::body::End;
use crate::body::charset::{Charset, keeps_ascii};
use crate::http::split_where;

/// The text up to the first byte that cannot stand in a document, and why it ends there.
///
/// Documents are UTF-8 unless they declare something else. Bytes of another encoding that keeps
/// ASCII in its place are taken for Latin-1: markup and the ASCII part of every value come out
/// right. Encodings that hide ASCII (UTF-7, UTF-16, EBCDIC) are read the same way, but are an
/// error: nothing in them could be inspected.
pub(super) fn decode(body: &[u8], end: End) -> (Cow<'_, str>, Option<&'static str>) {
    let (body, utf8_mark) = match body.strip_prefix(b"\xEF\xBB\xBF") {
        Some(body) => (body, true),
        None => (body, false),
    };
    let declared = if utf8_mark { None } else { declared(body) };
    let hidden = match declared {
        Some(name) if !keeps_ascii(name) => Some("unsupported encoding"),
        _ if body.starts_with(b"\xFE\xFF") || body.starts_with(b"\xFF\xFE") => {
            Some("unsupported encoding")
        }
        _ => None,
    };
    let control = body
        .iter()
        .position(|&byte| byte < 0x20 && !b"\t\n\r".contains(&byte));
    let bad_character = control.map(|_| "invalid character");
    let body = control.and_then(|at| body.get(..at)).unwrap_or(body);
    match std::str::from_utf8(body) {
        Ok(text) => (Cow::Borrowed(text), hidden.or(bad_character)),
        Err(error) if declared.is_none_or(is_utf8) && hidden.is_none() => {
            let valid = body.get(..error.valid_up_to()).unwrap_or_default();
            let text = std::str::from_utf8(valid).unwrap_or_default();
            // A cut may go through a character.
            let cut = end == End::Cut && control.is_none() && error.error_len().is_none();
            (Cow::Borrowed(text), (!cut).then_some("invalid UTF-8"))
        }
        Err(_) => {
            let text = body.iter().map(|&byte| char::from(byte)).collect();
            (Cow::Owned(text), hidden.or(bad_character))
        }
    }
}

/// The charset that hides a document, if one does. A byte order mark comes first, then what the
/// Content-Type said (`external`), then what the first bytes and the declaration show.
pub(super) fn hidden(body: &[u8], external: Option<Charset>) -> Option<Charset> {
    let named = |name: &[u8]| Charset::by_name(name);
    match body {
        [0xFF, 0xFE, 0, 0, ..] => return named(b"utf-32le"),
        [0, 0, 0xFE, 0xFF, ..] => return named(b"utf-32be"),
        [0xFF, 0xFE, ..] => return named(b"utf-16le"),
        [0xFE, 0xFF, ..] => return named(b"utf-16be"),
        [0xEF, 0xBB, 0xBF, ..] => return None,
        _ if external.is_some() => return external,
        [b'<', 0, 0, 0, ..] => return named(b"utf-32le"),
        [0, 0, 0, b'<', ..] => return named(b"utf-32be"),
        [b'<', 0, ..] => return named(b"utf-16le"),
        [0, b'<', ..] => return named(b"utf-16be"),
        _ => {}
    }
    let ebcdic = named(b"ibm037")?;
    if body.starts_with(EBCDIC_XML) {
        // The characters of a declaration are the same in all code pages.
        let start = body.get(..DECLARATION).unwrap_or(body);
        let (text, _) = ebcdic.decode(start);
        return declared(&text).and_then(named).or(Some(ebcdic));
    }
    // Nothing else that hides ASCII can say so in ASCII.
    declared(body)
        .and_then(named)
        .filter(|charset| matches!(charset, Charset::Utf7 | Charset::Iso2022))
}

/// `<?xml` in EBCDIC.
const EBCDIC_XML: &[u8] = b"\x4C\x6F\xA7\x94\x93";
/// Bytes in which a declaration is looked for.
const DECLARATION: usize = 256;

/// A text that was decoded, up to the first character that cannot stand in a document.
pub(super) fn text(decoded: &[u8]) -> (&str, Option<&'static str>) {
    let control = decoded
        .iter()
        .position(|&byte| byte < 0x20 && !b"\t\n\r".contains(&byte));
    let text = control.and_then(|at| decoded.get(..at)).unwrap_or(decoded);
    match std::str::from_utf8(text) {
        Ok(text) => (text, control.map(|_| "invalid character")),
        Err(_) => ("", Some("invalid UTF-8")),
    }
}

/// The encoding that an XML declaration names.
fn declared(body: &[u8]) -> Option<&[u8]> {
    let rest = body.strip_prefix(b"<?xml")?;
    let declaration = rest.get(..memchr::memmem::find(rest, b"?>")?)?;
    let at = memchr::memmem::find(declaration, b"encoding")?;
    let (_, value) = split_where(declaration.get(at..)?, |byte| byte == b'"' || byte == b'\'');
    let (quote, value) = value.split_first()?;
    Some(split_where(value, |byte| byte == *quote).0)
}

fn is_utf8(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"UTF-8") || name.eq_ignore_ascii_case(b"UTF8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], text: &str, error: Option<&str>) {
        let (found, reason) = decode(body, End::Complete);
        assert_eq!((&*found, reason), (text, error), "{}", body.escape_ascii());
    }

    #[test]
    fn utf8_unless_declared() {
        check(b"<a>\xC3\xA9</a>", "<a>\u{e9}</a>", None);
        check(b"\xEF\xBB\xBF<a/>", "<a/>", None);
        check(b"<a>x\xFF</a>", "<a>x", Some("invalid UTF-8"));
        check(b"<a>x\x01</a>", "<a>x", Some("invalid character"));
        check(b"<a>x\0</a>", "<a>x", Some("invalid character"));
        check(b"", "", None);
    }

    #[test]
    fn declared_encodings() {
        let document =
            |name: &str| format!("<?xml version='1.0' encoding=\"{name}\"?><a>").into_bytes();
        for (name, error) in [
            ("ISO-8859-1", None),
            ("windows-1252", None),
            ("GB18030", None),
            ("Shift_JIS", None),
            ("UTF-7", Some("unsupported encoding")),
            ("UTF-16", Some("unsupported encoding")),
            ("IBM037", Some("unsupported encoding")),
            ("iso-2022-jp", Some("unsupported encoding")),
        ] {
            let mut body = document(name);
            body.push(0xE9);
            let (text, reason) = decode(&body, End::Complete);
            assert!(text.ends_with("<a>\u{e9}"), "{name}: {text}");
            assert_eq!(reason, error, "{name}");
        }
        let mut body = document("utf-8");
        body.push(0xE9);
        assert_eq!(decode(&body, End::Complete).1, Some("invalid UTF-8"));
    }

    #[test]
    fn a_cut_may_go_through_a_character() {
        assert_eq!(
            decode(b"<a>x\xE2\x82", End::Cut),
            (Cow::Borrowed("<a>x"), None)
        );
        assert_eq!(decode(b"<a>x\xE2x", End::Cut).1, Some("invalid UTF-8"));
        assert_eq!(
            decode(b"<a>x\xE2\x82\x01", End::Cut).1,
            Some("invalid UTF-8")
        );
    }

    #[test]
    fn sixteen_bit_text_is_an_error() {
        assert_eq!(
            decode(b"\xFF\xFE<\0a\0", End::Complete).1,
            Some("unsupported encoding")
        );
        assert_eq!(
            decode(b"<\0a\0/\0>\0", End::Complete).1,
            Some("invalid character")
        );
    }
}
