//! Cookie headers (REQUEST_COOKIES), v2's two formats. Nothing is URL-decoded.

use std::borrow::Cow;

use super::{is_space, split_where, trim_end, trim_start};

/// How a Cookie header is read (SecCookieFormat).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// 0, Netscape's: what browsers send. The name loses blanks in front, the value nothing. A
    /// comma separates only in a header without any semicolon.
    #[default]
    Netscape,
    /// 0 with the separator of SecCookieV0Separator.
    Separated(u8),
    /// 1, RFC 2109: quoted values, and attributes such as `$Path` that follow a cookie; they are
    /// named `$cookie_Path`.
    Rfc2109,
}

/// One cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// The name, never empty.
    pub name: Cow<'a, [u8]>,
    /// The value; empty where there is no `=`. Later `=` belong to it.
    pub value: &'a [u8],
}

/// The cookies of one header, in order. Those without a name are left out.
pub fn cookies(header: &[u8], format: Format) -> Cookies<'_> {
    let mode = match format {
        Format::Rfc2109 => Mode::Rfc2109 { previous: None },
        Format::Separated(separator) => Mode::Netscape { separator },
        Format::Netscape if memchr::memchr(b';', header).is_some() => {
            Mode::Netscape { separator: b';' }
        }
        Format::Netscape => Mode::Netscape { separator: b',' },
    };
    Cookies { rest: header, mode }
}

/// Iterator of [`cookies`].
#[derive(Clone, Debug)]
pub struct Cookies<'a> {
    rest: &'a [u8],
    mode: Mode<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Mode<'a> {
    Netscape {
        separator: u8,
    },
    Rfc2109 {
        /// The last name that is not an attribute.
        previous: Option<&'a [u8]>,
    },
}

impl<'a> Iterator for Cookies<'a> {
    type Item = Cookie<'a>;

    fn next(&mut self) -> Option<Cookie<'a>> {
        while !self.rest.is_empty() {
            let cookie = match self.mode {
                Mode::Netscape { separator } => self.netscape(separator),
                Mode::Rfc2109 { previous } => self.rfc2109(previous),
            };
            if cookie.is_some() {
                return cookie;
            }
        }
        None
    }
}

impl<'a> Cookies<'a> {
    fn netscape(&mut self, separator: u8) -> Option<Cookie<'a>> {
        let (segment, rest) = split_where(self.rest, |byte| byte == separator);
        self.rest = rest.split_first().map_or(&[], |(_, rest)| rest);
        let (name, value) = split_where(trim_start(segment), |byte| byte == b'=');
        let value = value.split_first().map_or(&[][..], |(_, value)| value);
        (!name.is_empty()).then_some(Cookie {
            name: Cow::Borrowed(name),
            value,
        })
    }

    fn rfc2109(&mut self, previous: Option<&'a [u8]>) -> Option<Cookie<'a>> {
        let (name, tail) = split_where(trim_start(self.rest), |byte| {
            matches!(byte, b'=' | b';' | b',')
        });
        let (value, tail) = match tail {
            [b'=', tail @ ..] => rfc2109_value(trim_start(tail)),
            tail => (&[][..], tail),
        };
        self.rest = split_where(tail, |byte| !matches!(byte, b',' | b';') && !is_space(byte)).1;
        let name = trim_end(name);
        let name = match (name, previous) {
            ([], _) => return None,
            ([b'$', attribute @ ..], Some(cookie)) => {
                Cow::Owned([b"$", cookie, b"_", attribute].concat())
            }
            ([b'$', ..], None) => Cow::Borrowed(name),
            _ => {
                self.mode = Mode::Rfc2109 {
                    previous: Some(name),
                };
                Cow::Borrowed(name)
            }
        };
        Some(Cookie { name, value })
    }
}

/// A value, quoted or not, and what follows it.
fn rfc2109_value(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes {
        [b'"', quoted @ ..] => {
            let (value, rest) = split_where(quoted, |byte| byte == b'"');
            (value, rest.split_first().map_or(&[], |(_, rest)| rest))
        }
        _ => {
            let (value, rest) = split_where(bytes, |byte| matches!(byte, b',' | b';'));
            (trim_end(value), rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, header: &str, expected: &[(&str, &str)]) {
        let found: Vec<_> = cookies(header.as_bytes(), format)
            .map(|c| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                (text(&c.name), text(c.value))
            })
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(found, expected, "{header}");
    }

    #[test]
    fn netscape() {
        let check = |header, expected: &[_]| check(Format::Netscape, header, expected);
        check("", &[]);
        check("a=z; t=b", &[("a", "z"), ("t", "b")]);
        check("a=z; foo= bar ", &[("a", "z"), ("foo", " bar ")]);
        check(" a =1;;  ;=x;b", &[("a ", "1"), ("b", "")]);
        check("a=b=c%20d", &[("a", "b=c%20d")]);
        check("a=1,b=2", &[("a", "1"), ("b", "2")]);
        check("a=1,b=2;c=3", &[("a", "1,b=2"), ("c", "3")]);
        check("a=\"x;y\"", &[("a", "\"x"), ("y\"", "")]);
        check("$Version=1; a=1", &[("$Version", "1"), ("a", "1")]);
    }

    #[test]
    fn another_separator() {
        check(
            Format::Separated(b'|'),
            "a=1;b|c=2",
            &[("a", "1;b"), ("c", "2")],
        );
    }

    #[test]
    fn rfc2109() {
        let check = |header, expected: &[_]| check(Format::Rfc2109, header, expected);
        check("", &[]);
        check("   ", &[]);
        check("a=z; t=b", &[("a", "z"), ("t", "b")]);
        check("a = \"x;y\" ; b = c ", &[("a", "x;y"), ("b", "c")]);
        check(
            "$Version=1; n=\"v\"; $Path=\"/\"; $Domain=d, m=w; $Path=/x",
            &[
                ("$Version", "1"),
                ("n", "v"),
                ("$n_Path", "/"),
                ("$n_Domain", "d"),
                ("m", "w"),
                ("$m_Path", "/x"),
            ],
        );
        check("a,b;c=", &[("a", ""), ("b", ""), ("c", "")]);
        check("=x; a=1", &[("a", "1")]);
        check("a=\"", &[("a", "")]);
        check("a=\"open", &[("a", "open")]);
        check("a=\"x\"y=1", &[("a", "x"), ("y", "1")]);
    }
}
