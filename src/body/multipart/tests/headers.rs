//! The headers of parts.

use super::*;

#[test]
fn folding() {
    let outcome =
        with_headers("Content-Disposition: form-data;\r\n\t name=\"a\"\r\nX: y\r\n z\r\n");
    assert_eq!(outcome.arguments(), ["a=v"]);
    assert_eq!(flags(&outcome), ["header_folding"]);
    let line = |text: &str| Event::PartHeader(b"a".to_vec(), text.as_bytes().to_vec());
    assert_eq!(
        outcome.events[..2],
        [
            line("Content-Disposition: form-data; name=\"a\""),
            line("X: y z")
        ]
    );
    for fold in ["\x0Cname=a", "\x0Bname=a", "\rname=a", " \x0Cname=a"] {
        let outcome = with_headers(&format!("Content-Disposition: form-data;\r\n{fold}\r\n"));
        assert_eq!(outcome.arguments(), ["a=v"], "{fold:?}");
        assert_eq!(
            flags(&outcome),
            ["header_folding", "invalid_header_folding"],
            "{fold:?}"
        );
    }
    // Nothing but blanks: the line end counts as one of them.
    let outcome = with_headers("Content-Disposition: form-data; name=a\r\n \r\n");
    assert_eq!(
        flags(&outcome),
        ["header_folding", "invalid_header_folding"]
    );
}

#[test]
fn errors_in_part_headers() {
    let long = "x".repeat(4094);
    for (headers, error) in [
        ("", "Part missing Content-Disposition header."),
        ("X: y\r\n", "Part missing Content-Disposition header."),
        (
            "Content-Disposition: form-data; name=a\0\r\n",
            "Nul byte in part headers.",
        ),
        (" X: y\r\n", "Invalid part header (folding error)."),
        (
            "no colon\r\n",
            "Invalid part header (colon missing): no colon.",
        ),
        (": x\r\n", "Invalid part header (header name missing)."),
        (
            "X\x0E: y\r\n",
            "Invalid part header (contains invalid character).",
        ),
        (
            "X Y: y\r\n",
            "Invalid part header (contains invalid character).",
        ),
        (
            "X\x7F: y\r\n",
            "Invalid part header (contains invalid character).",
        ),
        (
            "X\u{e9}: y\r\n",
            "Invalid part header (contains invalid character).",
        ),
        ("X: 1\r\nY: 2\r\nx: 3\r\n", "Duplicate part header: x."),
        (
            "Content-Disposition: attachment; name=a\r\n",
            "Invalid Content-Disposition header (-1): attachment; name=a.",
        ),
        (
            "Content-Disposition: form-data; name=a; name=b\r\n",
            "Invalid Content-Disposition header (-14): form-data; name=a; name=b.",
        ),
        (
            "Content-Disposition: form-data;\r\n",
            "Content-Disposition header missing name field.",
        ),
        (
            "Content-Disposition: form-data; name=a; filename =b\r\n",
            "Invalid Content-Disposition header (filename).",
        ),
        (
            &format!("{long}\r\n"),
            "Part header line over 4096 bytes long",
        ),
        (
            &format!("X:{}\r\n {long}", "x".repeat(100)),
            "Part header line over 4096 bytes long",
        ),
        (
            &format!("X:{}\r\n {}\r\n", "x".repeat(2000), "x".repeat(2096)),
            "Part header too long.",
        ),
    ] {
        let outcome = with_headers(headers);
        let expected = format!("Multipart parsing error: Multipart: {error}");
        assert_eq!(outcome.error(), expected, "{headers:?}");
        assert!(outcome.finished.multipart.error, "{headers:?}");
        assert!(outcome.arguments().is_empty(), "{headers:?}");
    }
}

#[test]
fn the_longest_header_line() {
    let line = |length: usize| format!("X: {}\r\n", "x".repeat(length - 5));
    let disposition = "Content-Disposition: form-data; name=a\r\n";
    assert_eq!(
        with_headers(&format!("{disposition}{}", line(4095))).arguments(),
        ["a=v"]
    );
    assert!(
        with_headers(&format!("{disposition}{}", line(4096)))
            .error()
            .contains("over 4096")
    );
    assert!(
        with_headers(&format!("{disposition}{}", line(4097)))
            .error()
            .contains("over 4096")
    );
}

#[test]
fn content_disposition_has_no_case_but_its_words_do() {
    assert_eq!(
        with_headers("CONTENT-disposition:form-data; name=a\r\n").arguments(),
        ["a=v"]
    );
    assert!(
        with_headers("Content-Disposition: form-data; NAME=a\r\n")
            .error()
            .contains("(-11)")
    );
}

#[test]
fn quoting() {
    for (name, value, expected) in [
        ("\"it's\"", "it's", &[][..]),
        ("'a'", "a", &["invalid_quoting"]),
        ("it's", "it's", &["invalid_quoting"]),
    ] {
        let outcome = with_headers(&format!("Content-Disposition: form-data; name={name}\r\n"));
        assert_eq!(flags(&outcome), expected, "{name}");
        let argument = Event::Argument(value.as_bytes().to_vec(), b"v".to_vec());
        assert_eq!(outcome.events.last(), Some(&argument), "{name}");
    }
}

#[test]
fn names_are_known_up_to_the_error() {
    let outcome = with_headers("Content-Disposition: form-data; name=a; filename=b; name=c\r\n");
    assert_eq!(outcome.finished.multipart_name, b"c");
    assert_eq!(outcome.finished.multipart_filename, b"b");
}
