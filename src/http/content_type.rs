//! Content types: `type/subtype; name=value; name="value"`.

use std::borrow::Cow;

use super::{split_where, trim_end, trim_start};

/// Whether a content type begins with `media_type`, without regard to case: v2's comparison, which
/// does not care what follows.
pub fn begins_with(content_type: &[u8], media_type: &[u8]) -> bool {
    content_type
        .get(..media_type.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(media_type))
}

/// `type/subtype` without parameters and blanks.
pub fn media_type(content_type: &[u8]) -> &[u8] {
    trim_end(trim_start(split_where(content_type, |byte| byte == b';').0))
}

/// The value of the first parameter of that name, without quotes. Names have no case.
pub fn parameter<'a>(content_type: &'a [u8], name: &[u8]) -> Option<Cow<'a, [u8]>> {
    parameters(content_type, name).next()
}

/// The values of all parameters of that name.
pub fn parameters<'a>(content_type: &'a [u8], name: &[u8]) -> impl Iterator<Item = Cow<'a, [u8]>> {
    let mut rest = split_where(content_type, |byte| byte == b';').1;
    std::iter::from_fn(move || {
        while let [b';', after @ ..] = rest {
            let (key, tail) = split_where(after, |byte| matches!(byte, b'=' | b';'));
            let value;
            (value, rest) = match tail {
                [b'=', tail @ ..] => parameter_value(trim_start(tail)),
                _ => (Cow::Borrowed(&[][..]), tail),
            };
            if trim_end(trim_start(key)).eq_ignore_ascii_case(name) {
                return Some(value);
            }
        }
        None
    })
}

/// A value, and what stands from the next `;` on.
fn parameter_value(bytes: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let [b'"', quoted @ ..] = bytes else {
        let (value, rest) = split_where(bytes, |byte| byte == b';');
        return (Cow::Borrowed(trim_end(value)), rest);
    };
    let mut value = Vec::new();
    let mut rest = quoted;
    loop {
        rest = match rest {
            [] | [b'"', ..] => break,
            [b'\\', byte, after @ ..] | [byte, after @ ..] => {
                value.push(*byte);
                after
            }
        };
    }
    (Cow::Owned(value), split_where(rest, |byte| byte == b';').1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        assert!(begins_with(
            b"Application/X-www-form-urlencoded; charset=x",
            b"application/x-www-form-urlencoded"
        ));
        assert!(begins_with(b"multipart/form-dataX", b"multipart/form-data"));
        assert!(!begins_with(b"multipart/form", b"multipart/form-data"));
    }

    #[test]
    fn media_types() {
        assert_eq!(media_type(b" text/html ; charset=utf-8"), b"text/html");
        assert_eq!(media_type(b"text/html"), b"text/html");
        assert_eq!(media_type(b""), b"");
    }

    #[test]
    fn parameters() {
        let check = |content_type: &str, name: &str, expected: Option<&str>| {
            let found = parameter(content_type.as_bytes(), name.as_bytes());
            assert_eq!(
                found.as_deref(),
                expected.map(str::as_bytes),
                "{content_type}"
            );
        };
        check("text/html; charset=utf-8", "charset", Some("utf-8"));
        check("text/html;Charset = utf-8 ; x=y", "charset", Some("utf-8"));
        check(
            "text/html; charset=\"a;b\\\"c\"; x=y",
            "charset",
            Some("a;b\"c"),
        );
        check("text/html; charset=\"a;b\"; x=y", "x", Some("y"));
        check("text/html; a; b=1", "b", Some("1"));
        check("text/html; a; b=1", "a", Some(""));
        check("text/html; a=1; a=2", "a", Some("1"));
        check("text/html; charset=\"open", "charset", Some("open"));
        check("text/html; charset=\"open\\", "charset", Some("open\\"));
        check("text/html", "charset", None);
        check("charset=x", "charset", None);
    }
}
