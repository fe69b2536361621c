//! Form encoding: query strings and `application/x-www-form-urlencoded` bodies.
//!
//! v2's rules. Every terminated segment is an argument, even an empty one; what follows the last
//! separator is one only if there is something. The first `=` parts name and value. `+` is a
//! space, `%XX` a byte; a `%` without two hexadecimal digits stays as it is and counts as invalid
//! (URLENCODED_ERROR), and decoding goes on with the byte behind it.

use std::borrow::Cow;

/// One decoded argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The name; empty where the segment has none.
    pub name: Cow<'a, [u8]>,
    /// The value; empty where the segment has no `=`.
    pub value: Cow<'a, [u8]>,
    /// Whether an invalid `%` sequence stood in either.
    pub invalid: bool,
}

/// The arguments of a query string or of a whole body, in order.
pub fn pairs(form: &[u8], separator: u8) -> Pairs<'_> {
    Pairs {
        rest: form,
        separator,
    }
}

/// Iterator of [`pairs`].
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    rest: &'a [u8],
    separator: u8,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (segment, rest) = split_once(self.rest, self.separator).unwrap_or((self.rest, &[]));
        self.rest = rest;
        Some(pair(segment))
    }
}

/// One segment as an argument.
pub fn pair(segment: &[u8]) -> Pair<'_> {
    let (name, value) = split_once(segment, b'=').unwrap_or((segment, &[]));
    let (name, bad_name) = decode(name);
    let (value, bad_value) = decode(value);
    Pair {
        name,
        value,
        invalid: bad_name || bad_value,
    }
}

/// Decodes the `%XX` of a path, where `+` stands for itself. Invalid sequences stay.
///
/// v2 on httpd (once the server has read the path), v3 and Coraza all show rules the decoded path.
pub fn decode_path(raw: &[u8]) -> Cow<'_, [u8]> {
    decode_with(raw, b'%').0
}

/// Decodes `+` and `%XX`, and says whether an invalid `%` sequence was met.
pub fn decode(raw: &[u8]) -> (Cow<'_, [u8]>, bool) {
    decode_with(raw, b'+')
}

/// Decodes `%XX`, and turns `plus` into a blank unless it is the percent sign.
fn decode_with(raw: &[u8], plus: u8) -> (Cow<'_, [u8]>, bool) {
    if memchr::memchr2(b'%', plus, raw).is_none() {
        return (Cow::Borrowed(raw), false);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut invalid = false;
    let mut rest = raw;
    while let Some((plain, tail)) =
        memchr::memchr2(b'%', plus, rest).and_then(|at| rest.split_at_checked(at))
    {
        out.extend_from_slice(plain);
        rest = match tail {
            [first, after @ ..] if *first == plus && plus != b'%' => {
                out.push(b' ');
                after
            }
            [percent, after @ ..] => match escaped(after) {
                Some((byte, after)) => {
                    out.push(byte);
                    after
                }
                None => {
                    out.push(*percent);
                    invalid = true;
                    after
                }
            },
            [] => break,
        };
    }
    out.extend_from_slice(rest);
    (Cow::Owned(out), invalid)
}

/// The byte that two hexadecimal digits stand for, and what follows them.
fn escaped(after_percent: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = after_percent else {
        return None;
    };
    Some(((nibble(*high)? << 4) | nibble(*low)?, rest))
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// What stands before and after the first `separator`.
pub(crate) fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let (before, from) = bytes.split_at_checked(memchr::memchr(separator, bytes)?)?;
    Some((before, from.split_first()?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every argument as `name=value`, with `!` behind where something was invalid.
    fn check(form: &[u8], expected: &[&str]) {
        let found: Vec<String> = pairs(form, b'&')
            .map(|p| {
                let mark = if p.invalid { "!" } else { "" };
                format!("{}={}{mark}", p.name.escape_ascii(), p.value.escape_ascii())
            })
            .collect();
        assert_eq!(found, expected, "{}", form.escape_ascii());
    }

    #[test]
    fn segments() {
        check(b"", &[]);
        check(b"a", &["a="]);
        check(b"a=", &["a="]);
        check(b"=b", &["=b"]);
        check(b"=", &["="]);
        check(b"a=1&b=2", &["a=1", "b=2"]);
        check(b"a=1&&b=2", &["a=1", "=", "b=2"]);
        check(b"a=1&", &["a=1"]);
        check(b"&", &["="]);
        check(b"&&a", &["=", "=", "a="]);
        check(b"a=b=c", &["a=b=c"]);
        check(b"a;b=1", &["a;b=1"]);
    }

    #[test]
    fn decoding() {
        check(b"a+b=c%20d", &["a b=c d"]);
        check(b"%61=%4a%4A", &["a=JJ"]);
        check(b"a=%26%3d", &["a=&="]);
        check(b"a=%00%ff", &["a=\\x00\\xff"]);
        check(b"a=%", &["a=%!"]);
        check(b"a=%4", &["a=%4!"]);
        check(b"a=%zz&b=1", &["a=%zz!", "b=1"]);
        check(b"a=%%41", &["a=%A!"]);
        check(b"a=%4%41+", &["a=%4A !"]);
        check(b"%u0041=1", &["%u0041=1!"]);
        check(b"a=100%+b", &["a=100% b!"]);
    }

    #[test]
    fn another_separator() {
        let names: Vec<_> = pairs(b"a=1;b&c=2", b';')
            .map(|p| p.name.into_owned())
            .collect();
        assert_eq!(names, [b"a".to_vec(), b"b&c".to_vec()]);
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(
            pair(b"name=value"),
            Pair {
                name: Cow::Borrowed(_),
                value: Cow::Borrowed(_),
                ..
            }
        ));
    }

    #[test]
    fn paths_keep_their_plus() {
        assert_eq!(*decode_path(b"/a%20b+c%2Fd%zz%2"), *b"/a b+c/d%zz%2");
        assert!(matches!(decode_path(b"/a+b"), Cow::Borrowed(_)));
    }
}
