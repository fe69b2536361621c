//! The content type a server gives to a body that has none, after the WHATWG MIME sniffing
//! standard (§7.1), as far as response rules can tell the difference.
//!
//! The reflector of the reference set-up is a server that sniffs, and response bodies are only
//! inspected when their type is listed: without this, no response test could match.

/// How far into a body the standard looks.
const WINDOW: usize = 512;

/// Tags that begin a document, without `<`; a space or `>` follows.
const HTML: &[&[u8]] = &[
    b"!DOCTYPE HTML",
    b"HTML",
    b"HEAD",
    b"SCRIPT",
    b"IFRAME",
    b"H1",
    b"DIV",
    b"FONT",
    b"TABLE",
    b"A",
    b"STYLE",
    b"TITLE",
    b"B",
    b"BODY",
    b"BR",
    b"P",
];

/// Beginnings that decide, with their types.
const MAGIC: &[(&[u8], &str)] = &[
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xfe\xff", "text/plain; charset=utf-16be"),
    (b"\xff\xfe", "text/plain; charset=utf-16le"),
    (b"\xef\xbb\xbf", "text/plain; charset=utf-8"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"BM", "image/bmp"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07\x00", "application/x-rar-compressed"),
    (b"Rar!\x1a\x07\x01\x00", "application/x-rar-compressed"),
    (b"\x00asm", "application/wasm"),
];

/// The type of a body.
pub(super) fn content_type(body: &[u8]) -> &'static str {
    let window = body.get(..WINDOW).unwrap_or(body);
    let text = window.trim_ascii_start();
    if is_html(text) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    if let Some((_, kind)) = MAGIC.iter().find(|(start, _)| window.starts_with(start)) {
        return kind;
    }
    let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if window.iter().any(binary) {
        "application/octet-stream"
    } else {
        "text/plain; charset=utf-8"
    }
}

fn is_html(text: &[u8]) -> bool {
    let Some(tag) = text.strip_prefix(b"<") else {
        return false;
    };
    tag.starts_with(b"!--")
        || HTML.iter().any(|name| {
            tag.split_at_checked(name.len())
                .is_some_and(|(start, rest)| {
                    start.eq_ignore_ascii_case(name) && matches!(rest.first(), Some(b' ' | b'>'))
                })
        })
}

#[cfg(test)]
mod tests {
    use super::content_type;

    #[test]
    fn types() {
        for (body, expected) in [
            (&b""[..], "text/plain; charset=utf-8"),
            (b"Warning: mysql_connect()", "text/plain; charset=utf-8"),
            (b" \n<!doctype html>", "text/html; charset=utf-8"),
            (b"<h1>x", "text/html; charset=utf-8"),
            (b"<h1x", "text/plain; charset=utf-8"),
            (b"<!-- a", "text/html; charset=utf-8"),
            (b"<?xml version", "text/xml; charset=utf-8"),
            (b"<?php echo", "text/plain; charset=utf-8"),
            (b"PK\x03\x04\x00", "application/zip"),
            (b"a\x00b", "application/octet-stream"),
        ] {
            assert_eq!(content_type(body), expected, "{}", body.escape_ascii());
        }
    }
}
