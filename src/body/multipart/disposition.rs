//! The Content-Disposition header of a part.

use super::MultipartFlags;
use crate::http::split_where;

/// `name` and `filename` of a part.
#[derive(Debug, Default)]
pub(super) struct Disposition {
    pub(super) name: Option<Vec<u8>>,
    pub(super) file_name: Option<Vec<u8>>,
}

/// Reads a header value. It is `form-data`, then parameters, each behind a `;`.
///
/// The error is v2's code for what is wrong (-16 to -21, `filename*`, are v3's); what was read
/// before it stands in `found`.
pub(super) fn parse(
    value: &[u8],
    found: &mut Disposition,
    flags: &mut MultipartFlags,
) -> Result<(), i8> {
    let mut encoded_name = false;
    let mut rest = match skip_blanks(value.strip_prefix(b"form-data").ok_or(-1)?) {
        [] => return Ok(()),
        [b';', rest @ ..] => rest,
        _ => return Err(-2),
    };
    while !rest.is_empty() {
        let (name, after) = parameter_name(rest)?;
        let (value, after) = match name {
            b"filename*" => encoded(after)?,
            _ => parameter_value(after, flags)?,
        };
        match name {
            b"name" => once(&mut found.name, value.bytes, -14)?,
            b"filename" => once(&mut found.file_name, value.bytes, -15)?,
            b"filename*" if encoded_name => return Err(-20),
            b"filename*" => encoded_name = true,
            _ => return Err(-11),
        }
        rest = match skip_blanks(after) {
            [] => &[],
            [b';', rest @ ..] => rest,
            [_, ..] => {
                flags.invalid_quoting |=
                    value.ends_in_quote && matches!(after, [b, ..] if !is_blank(*b));
                return Err(-12);
            }
        };
    }
    if encoded_name && found.file_name.is_none() {
        return Err(-21);
    }
    Ok(())
}

/// Keeps the last value also where it is one too many, for MULTIPART_NAME and _FILENAME.
fn once(slot: &mut Option<Vec<u8>>, value: Vec<u8>, code: i8) -> Result<(), i8> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(code),
    }
}

/// The name of a parameter, and what stands behind `=` and blanks.
fn parameter_name(bytes: &[u8]) -> Result<(&[u8], &[u8]), i8> {
    let bytes = skip_blanks(bytes);
    if bytes.is_empty() {
        return Err(-3);
    }
    let (name, rest) = split_where(bytes, |byte| byte == b'=' || is_blank(byte));
    if rest.is_empty() {
        return Err(-4);
    }
    let value = match skip_blanks(rest) {
        [] => return Err(-5),
        [b'=', rest @ ..] => skip_blanks(rest),
        _ => return Err(-13),
    };
    if value.is_empty() {
        Err(-6)
    } else {
        Ok((name, value))
    }
}

#[derive(Default)]
struct Value {
    bytes: Vec<u8>,
    ends_in_quote: bool,
}

/// A value in double or single quotes or without any, and what follows it. A backslash takes the
/// quote and the backslash behind it; before anything else it stands for itself, as IE sends it.
fn parameter_value<'a>(
    bytes: &'a [u8],
    flags: &mut MultipartFlags,
) -> Result<(Value, &'a [u8]), i8> {
    let (quote, mut rest) = match bytes {
        [quote @ (b'"' | b'\''), rest @ ..] => (*quote, rest),
        _ => {
            let (token, rest) = split_where(bytes, |byte| !is_token(byte));
            flags.invalid_quoting |= token.contains(&b'\'');
            let ends_in_quote = token.last() == Some(&b'\'');
            return Ok((
                Value {
                    bytes: token.to_vec(),
                    ends_in_quote,
                },
                rest,
            ));
        }
    };
    flags.invalid_quoting |= quote == b'\'';
    if rest.is_empty() {
        return Err(-7);
    }
    let mut value = Vec::new();
    loop {
        rest = match rest {
            [] => return Err(-10),
            [b'\\'] => return Err(-8),
            [b'\\', byte, rest @ ..] if *byte == quote || *byte == b'\\' => {
                value.push(*byte);
                rest
            }
            [byte, rest @ ..] if *byte == quote => {
                return Ok((
                    Value {
                        bytes: value,
                        ends_in_quote: true,
                    },
                    rest,
                ));
            }
            [byte, rest @ ..] => {
                value.push(*byte);
                rest
            }
        };
    }
}

/// `charset'language'%XX-encoded`: checked, not decoded.
fn encoded(bytes: &[u8]) -> Result<(Value, &[u8]), i8> {
    let (charset, rest) = split_where(bytes, |byte| {
        !byte.is_ascii_alphanumeric() && !b"!#$%&+-^_`{}~".contains(&byte)
    });
    let language = match rest {
        [b'\'', rest @ ..] if !charset.is_empty() => rest,
        _ => return Err(-16),
    };
    let (_, rest) = split_where(language, |byte| byte == b'\'');
    let Some((_, mut rest)) = rest.split_first() else {
        return Err(-17);
    };
    loop {
        rest = match rest {
            [] | [b';', ..] => return Ok((Value::default(), rest)),
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest
            }
            [b'%', ..] => return Err(-18),
            [byte, rest @ ..] if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`~".contains(byte) => {
                rest
            }
            _ => return Err(-19),
        };
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn skip_blanks(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&byte| !is_blank(byte));
    start
        .and_then(|start| bytes.get(start..))
        .unwrap_or_default()
}

/// RFC 2616's token characters.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> (Result<(), i8>, Disposition, bool) {
        let mut flags = MultipartFlags::default();
        let mut found = Disposition::default();
        let result = parse(value.as_bytes(), &mut found, &mut flags);
        (result, found, flags.invalid_quoting)
    }

    fn check(value: &str, name: Option<&str>, file_name: Option<&str>, invalid_quoting: bool) {
        let (result, found, quoting) = parsed(value);
        assert_eq!(result, Ok(()), "{value}");
        assert_eq!(found.name.as_deref(), name.map(str::as_bytes), "{value}");
        assert_eq!(
            found.file_name.as_deref(),
            file_name.map(str::as_bytes),
            "{value}"
        );
        assert_eq!(quoting, invalid_quoting, "{value}");
    }

    #[test]
    fn values() {
        check("form-data", None, None, false);
        check("form-data  ", None, None, false);
        check("form-data;", None, None, false);
        check("form-data; name=a", Some("a"), None, false);
        check("form-data; name=\"\"", Some(""), None, false);
        check(
            "form-data;name = \"a b\" ;\tfilename=\"c.d\"",
            Some("a b"),
            Some("c.d"),
            false,
        );
        check(
            "form-data; name=\"a;b\"; filename=\"x\\\"y\\\\z\\q\"",
            Some("a;b"),
            Some("x\"y\\z\\q"),
            false,
        );
        check("form-data; name=\"it's\"", Some("it's"), None, false);
        check("form-data; name='a b'", Some("a b"), None, true);
        check("form-data; name=it's", Some("it's"), None, true);
        check(
            "form-data; name=a; filename=b; filename*=utf-8''%41b",
            Some("a"),
            Some("b"),
            false,
        );
        check(
            "form-data; filename*=utf-8'en'x; filename=b; name=a",
            Some("a"),
            Some("b"),
            false,
        );
    }

    #[test]
    fn errors() {
        for (value, code) in [
            ("attachment; name=a", -1),
            ("Form-Data; name=a", -1),
            ("form-datax", -2),
            ("form-data name=\"a\"", -2),
            ("form-data; ", -3),
            ("form-data; name=a; ", -3),
            ("form-data; name", -4),
            ("form-data; name ", -5),
            ("form-data; name=", -6),
            ("form-data; name=  ", -6),
            ("form-data; name=\"", -7),
            ("form-data; name=\"a\\", -8),
            ("form-data; name=\"a", -10),
            ("form-data; name=\"a\\\"", -10),
            ("form-data; size=1", -11),
            ("form-data; Name=a", -11),
            ("form-data; name=a b", -12),
            ("form-data; name=a\"b\"", -12),
            ("form-data; name x", -13),
            ("form-data; name=a; name=b", -14),
            ("form-data; filename=a; filename=b", -15),
            ("form-data; filename*=''a", -16),
            ("form-data; filename*=utf-8", -16),
            ("form-data; filename*=utf-8'en", -17),
            ("form-data; filename*=utf-8''%4", -18),
            ("form-data; filename*=utf-8''%zz", -18),
            ("form-data; filename*=utf-8''a b", -19),
            ("form-data; filename*=utf-8''a/b", -19),
            ("form-data; filename*=a''b; filename*=a''b", -20),
            ("form-data; name=a; filename*=utf-8''b", -21),
        ] {
            assert_eq!(parsed(value).0, Err(code), "{value}");
        }
    }

    #[test]
    fn text_behind_a_closing_quote_is_invalid_quoting() {
        assert!(parsed("form-data; name=\"a\"b").2);
        assert!(parsed("form-data; name=a'\"b").2);
        assert!(!parsed("form-data; name=\"a\" b").2);
        assert!(!parsed("form-data; name=a\"b").2);
    }

    #[test]
    fn the_last_name_is_kept_before_the_error() {
        let (_, found, _) = parsed("form-data; name=a; name=b");
        assert_eq!(found.name.as_deref(), Some(&b"b"[..]));
    }
}
