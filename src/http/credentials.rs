//! Where the secret part of a header stands: names of cookies, their attributes and schemes are for
//! everyone to see.

use std::ops::Range;

/// The secret stretches of a header's value, in order: the values of cookies (RFC 6265), what follows
/// the scheme of credentials (RFC 9110, 11.4), and all of any other header.
pub fn credentials(name: &[u8], value: &[u8]) -> Vec<Range<usize>> {
    let whole = 0..value.len();
    if name.eq_ignore_ascii_case(b"cookie") {
        cookies(value)
    } else if name.eq_ignore_ascii_case(b"set-cookie") {
        cookies(value).into_iter().take(1).collect()
    } else if is_authorization(name) {
        let scheme = value.iter().position(|&byte| byte == b' ');
        let start = scheme.map_or(0, |at| at.saturating_add(1));
        std::iter::once(start..value.len()).collect()
    } else {
        std::iter::once(whole).collect()
    }
}

/// Whether a text stands in what of a header is no secret, whatever its letter case.
pub fn is_public(name: &[u8], value: &[u8], text: &[u8]) -> bool {
    let mut at = 0;
    let mut public = Vec::new();
    for range in credentials(name, value) {
        public.push(at..range.start);
        at = range.end;
    }
    public.push(at..value.len());
    let mut public = public.into_iter().filter_map(|range| value.get(range));
    public.any(|part| {
        let mut windows = part.windows(text.len().max(1));
        windows.any(|window| window.eq_ignore_ascii_case(text))
    })
}

/// Whether a header holds a scheme and credentials.
fn is_authorization(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"authorization") || name.eq_ignore_ascii_case(b"proxy-authorization")
}

/// The values of cookies. A piece without a name is a value.
fn cookies(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0_usize;
    for piece in text.split(|&byte| byte == b';') {
        let trimmed = piece.trim_ascii_start();
        let blanks = piece.len().saturating_sub(trimmed.len());
        let begin = start.saturating_add(blanks);
        let end = begin.saturating_add(trimmed.trim_ascii_end().len());
        let equals = trimmed.iter().position(|&byte| byte == b'=');
        let value = equals.map_or(begin, |at| begin.saturating_add(at).saturating_add(1));
        found.push(value.min(end)..end);
        start = start.saturating_add(piece.len()).saturating_add(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(name: &str, value: &'a str) -> Vec<&'a str> {
        let ranges = credentials(name.as_bytes(), value.as_bytes()).into_iter();
        ranges.map(|range| value.get(range).unwrap()).collect()
    }

    #[test]
    fn what_is_secret_has_a_place() {
        assert_eq!(
            found("Cookie", "a=1; b = 2 ;three;"),
            ["1", " 2", "three", ""]
        );
        assert_eq!(found("set-cookie", "id=abc; Path=/; HttpOnly"), ["abc"]);
        assert_eq!(found("Authorization", "Basic abc"), ["abc"]);
        assert_eq!(found("proxy-authorization", "abc"), ["abc"]);
        assert_eq!(found("x-api-key", "abc"), ["abc"]);
    }

    #[test]
    fn the_rest_is_public() {
        let public =
            |text: &str| is_public(b"cookie", b"PHPSESSID=secret; lang=de", text.as_bytes());
        assert!(public("phpsessid") && public("lang=") && public("; "));
        assert!(!public("secret") && !public("D=s") && !public(""));
        assert!(!is_public(b"x-api-key", b"abc", b"a"));
    }
}
