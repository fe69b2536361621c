//! HTTP pieces that variables are made of: request targets, query strings, cookies, content types,
//! host names.
//!
//! Everything works on bytes and borrows from them; a copy is made only where decoding changes
//! something.

pub mod content_type;
pub mod cookie;
mod credentials;
pub mod form;
pub mod host;
pub mod status;
pub mod target;

pub use credentials::{credentials, is_public};

/// The value of the first header of that name. Names are compared without regard to ASCII case.
pub fn header<'a>(headers: &[(&[u8], &'a [u8])], name: &[u8]) -> Option<&'a [u8]> {
    headers
        .iter()
        .find(|(have, _)| have.eq_ignore_ascii_case(name))
        .map(|(_, value)| *value)
}

/// C's `isspace`, which v2 trims with: unlike [`u8::is_ascii_whitespace`], it counts the vertical
/// tab.
pub(crate) fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0B
}

/// The bytes without the blanks in front.
pub(crate) fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_space(*first)
    {
        bytes = rest;
    }
    bytes
}

/// The bytes without the blanks behind.
pub(crate) fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_space(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Splits at the first byte that fits: what stands before it, and what stands from it on.
pub(crate) fn split_where(bytes: &[u8], fits: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    bytes
        .iter()
        .position(|&byte| fits(byte))
        .and_then(|at| bytes.split_at_checked(at))
        .unwrap_or((bytes, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_have_no_case() {
        let headers: &[(&[u8], &[u8])] = &[
            (b"Host", b"a"),
            (b"content-TYPE", b"x"),
            (b"Content-Type", b"y"),
        ];
        assert_eq!(header(headers, b"Content-Type"), Some(&b"x"[..]));
        assert_eq!(header(headers, b"Cookie"), None);
    }

    #[test]
    fn trimming_counts_the_vertical_tab() {
        assert_eq!(trim_start(b" \t\r\n\x0B\x0Ca "), b"a ");
        assert_eq!(trim_end(b" a\x0B\n"), b" a");
        assert_eq!(trim_end(b"  "), b"");
    }

    #[test]
    fn splitting_keeps_the_found_byte() {
        assert_eq!(
            split_where(b"ab;c", |b| b == b';'),
            (&b"ab"[..], &b";c"[..])
        );
        assert_eq!(split_where(b"abc", |b| b == b';'), (&b"abc"[..], &b""[..]));
    }
}
