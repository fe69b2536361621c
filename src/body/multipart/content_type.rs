//! The boundary in a Content-Type header, read as strictly as v2 does: what two parsers could
//! read differently is an error.

use super::{MEDIA_TYPE, MultipartFlags};
use crate::http::content_type::begins_with;
use crate::http::{is_space, split_where};

/// Longest Content-Type header in bytes.
const LONGEST: usize = 1024;

/// The boundary, or what is wrong with it.
pub(super) fn boundary(
    content_type: &[u8],
    flags: &mut MultipartFlags,
) -> Result<Vec<u8>, &'static str> {
    if content_type.is_empty() {
        return Err("Multipart: Content-Type header not available.");
    }
    if content_type.len() > LONGEST {
        return Err("Multipart: Invalid boundary in C-T (length).");
    }
    if !begins_with(content_type, MEDIA_TYPE) {
        return Err("Multipart: Invalid MIME type.");
    }
    if parameters(content_type) > 1 {
        return Err("Multipart: Multiple boundary parameters in C-T.");
    }
    let Some((before, after)) = find(content_type, |word| word == WORD) else {
        return Err(if parameters(content_type) > 0 {
            "Multipart: Invalid boundary in C-T (case sensitivity)."
        } else {
            "Multipart: Boundary not found in C-T."
        });
    };
    let mut semicolons = 0usize;
    for &byte in before.get(MEDIA_TYPE.len()..).unwrap_or_default() {
        match byte {
            b';' if semicolons == 0 => semicolons = 1,
            _ if is_space(byte) => {}
            _ => return Err("Multipart: Invalid boundary in C-T (malformed)."),
        }
    }
    flags.missing_semicolon = semicolons == 0;

    let (gap, value) = split_where(after, |byte| byte == b'=');
    let Some((_, value)) = value.split_first() else {
        return Err("Multipart: Invalid boundary in C-T (malformed).");
    };
    for &byte in gap {
        if !is_space(byte) {
            return Err("Multipart: Invalid boundary in C-T (parameter name).");
        }
        flags.boundary_whitespace = true;
    }
    if value.first().is_some_and(|&byte| is_space(byte)) {
        flags.boundary_whitespace = true;
    }
    let boundary = match value {
        [b'"', quoted @ .., b'"'] => {
            flags.boundary_quoted = true;
            quoted
        }
        [b'"', ..] | [_, .., b'"'] => return Err("Multipart: Invalid boundary in C-T (quote)."),
        plain => plain,
    };
    // Some clients put a charset behind the boundary; v3 tolerates it, and so do backends.
    let boundary = if characters_are_valid(boundary) {
        boundary
    } else {
        split_where(boundary, |byte| byte == b';').0
    };
    if !characters_are_valid(boundary) {
        return Err("Multipart: Invalid boundary in C-T (characters).");
    }
    if boundary.is_empty() {
        return Err("Multipart: Invalid boundary in C-T (empty).");
    }
    Ok(boundary.to_vec())
}

const WORD: &[u8] = b"boundary";

/// How often the word stands in front of some `=`, in any case.
fn parameters(text: &[u8]) -> usize {
    let mut count = 0usize;
    let mut rest = text;
    while let Some((_, after)) = find(rest, |word| word.eq_ignore_ascii_case(WORD)) {
        if !after.contains(&b'=') {
            break;
        }
        count = count.saturating_add(1);
        rest = after;
    }
    count
}

/// What stands before and after the first word that fits.
fn find(text: &[u8], fits: impl Fn(&[u8]) -> bool) -> Option<(&[u8], &[u8])> {
    let at = text.windows(WORD.len()).position(fits)?;
    Some((text.get(..at)?, text.get(at.saturating_add(WORD.len())..)?))
}

/// RFC 2046's `bchars`: a space may stand inside, not at the end.
fn characters_are_valid(boundary: &[u8]) -> bool {
    boundary.last() != Some(&b' ')
        && boundary.iter().all(|&byte| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'\''
                        | b'('
                        | b')'
                        | b'+'
                        | b'_'
                        | b','
                        | b'-'
                        | b'.'
                        | b'/'
                        | b':'
                        | b'='
                        | b'?'
                        | b' '
                )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The boundary (or the word in the error's parentheses) and the flags that are set.
    fn check(content_type: &str, expected: Result<&str, &str>, expected_flags: &[&str]) {
        let mut flags = MultipartFlags::default();
        let found = boundary(content_type.as_bytes(), &mut flags);
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected.as_bytes(), "{content_type}"),
            (Err(found), Err(expected)) => {
                assert!(found.contains(expected), "{content_type}: {found}")
            }
            _ => panic!("{content_type}: {found:?}"),
        }
        let mut set = Vec::new();
        for (name, flag) in [
            ("quoted", flags.boundary_quoted),
            ("whitespace", flags.boundary_whitespace),
            ("semicolon", flags.missing_semicolon),
        ] {
            if flag {
                set.push(name);
            }
        }
        assert_eq!(set, expected_flags, "{content_type}");
    }

    #[test]
    fn boundaries() {
        check("multipart/form-data; boundary=0000", Ok("0000"), &[]);
        check(
            "Multipart/Form-Data;boundary=a'b(c)d+e_f,g-h.i/j:k=l?m",
            Ok("a'b(c)d+e_f,g-h.i/j:k=l?m"),
            &[],
        );
        check("multipart/form-data ; boundary=a b", Ok("a b"), &[]);
        check(
            "multipart/form-data; boundary=\"0000\"",
            Ok("0000"),
            &["quoted"],
        );
        check(
            "multipart/form-data boundary=0000",
            Ok("0000"),
            &["semicolon"],
        );
        check(
            "multipart/form-data; boundary =0000",
            Ok("0000"),
            &["whitespace"],
        );
        check(
            "multipart/form-data; boundary= 0000",
            Ok(" 0000"),
            &["whitespace"],
        );
        check(
            "multipart/form-data; boundary=---boundary",
            Ok("---boundary"),
            &[],
        );
        check(
            "multipart/form-data; boundary=---0xKhTmLbOuNdArY",
            Ok("---0xKhTmLbOuNdArY"),
            &[],
        );
        check(
            "multipart/form-data; boundary=0000; charset=UTF-8",
            Ok("0000"),
            &[],
        );
        check("multipart/form-data; boundary=0000;", Ok("0000"), &[]);
    }

    #[test]
    fn errors() {
        check("", Err("not available"), &[]);
        check(
            &format!("multipart/form-data; boundary={}", "a".repeat(1024)),
            Err("(length)"),
            &[],
        );
        check("multipart/mixed; boundary=0000", Err("MIME type"), &[]);
        check("multipart/form-data", Err("Boundary not found"), &[]);
        check("multipart/form-data; boundary", Err("(malformed)"), &[]);
        check(
            "multipart/form-data; bOundAry=0000",
            Err("(case sensitivity)"),
            &[],
        );
        check(
            "multipart/form-data; boundary=\"0000\"; boundary=1111",
            Err("Multiple"),
            &[],
        );
        check(
            "multipart/form-data; boundary=0; BOUNDARY=1",
            Err("Multiple"),
            &[],
        );
        check(
            "multipart/form-data, boundary=0000",
            Err("(malformed)"),
            &[],
        );
        check(
            "multipart/form-data; charset=x; boundary=0000",
            Err("(malformed)"),
            &[],
        );
        check(
            "multipart/form-data;; boundary=0000",
            Err("(malformed)"),
            &[],
        );
        check(
            "multipart/form-data; boundaryX=0000",
            Err("(parameter name)"),
            &[],
        );
        check("multipart/form-data; boundary=\"0000", Err("(quote)"), &[]);
        check("multipart/form-data; boundary=0000\"", Err("(quote)"), &[]);
        check("multipart/form-data; boundary=\"", Err("(quote)"), &[]);
        check(
            "multipart/form-data; boundary=\"0000\"; charset=x",
            Err("(quote)"),
            &[],
        );
        check(
            "multipart/form-data; boundary=\"00\"00\"",
            Err("(characters)"),
            &["quoted"],
        );
        check(
            "multipart/form-data; boundary=\"0000 \"",
            Err("(characters)"),
            &["quoted"],
        );
        check(
            "multipart/form-data; boundary=0000!1",
            Err("(characters)"),
            &[],
        );
        check(
            "multipart/form-data; boundary=0000 ; charset=x",
            Err("(characters)"),
            &[],
        );
        check(
            "multipart/form-data; boundary=\u{e9}",
            Err("(characters)"),
            &[],
        );
        check("multipart/form-data; boundary=", Err("(empty)"), &[]);
        check(
            "multipart/form-data; boundary=\"\"",
            Err("(empty)"),
            &["quoted"],
        );
        check("multipart/form-data; boundary=;x", Err("(empty)"), &[]);
    }

    #[test]
    fn the_word_inside_the_value_is_an_error_only_before_an_equals_sign() {
        // v2 counts it as a second parameter before it looks at the value.
        check(
            "multipart/form-data; boundary=boundary=1",
            Err("Multiple"),
            &[],
        );
        check(
            "multipart/form-data; boundary=boundary",
            Ok("boundary"),
            &[],
        );
    }
}
