//! Where parts begin and end.

use super::*;

#[test]
fn data_ends_before_the_line_end_of_the_boundary() {
    for (data, value) in [
        ("1\r\n", "1"),
        ("\r\n", ""),
        ("1\r\n\r\n", "1\\r\\n"),
        ("1\n2\r\n", "1\\n2"),
        ("1\r2\r\r\n", "1\\r2\\r"),
        ("--test\r\n", "--test"),
    ] {
        let body =
            format!("--0000\r\nContent-Disposition: form-data; name=a\r\n\r\n{data}--0000--\r\n");
        assert_eq!(read(&body).arguments(), [format!("a={value}")], "{data:?}");
    }
}

#[test]
fn a_boundary_without_data_before_it_is_an_invalid_part() {
    let outcome =
        read("--0000\r\nContent-Disposition: form-data; name=a\r\n\r\n--0000\r\n--0000--");
    assert_eq!(outcome.arguments(), ["a=--0000"]);
    assert_eq!(flags(&outcome), ["invalid_part"]);
    let outcome = read("--0000\r\nContent-Disposition: form-data; name=a\r\n\r\n--0000--");
    assert_eq!(outcome.arguments(), ["a="]);
    assert_eq!(flags(&outcome), ["invalid_part"]);
    assert_eq!(outcome.error(), "");
    let outcome = read("--0000\r\n--0000--");
    assert_eq!(flags(&outcome), ["invalid_part"]);
    assert!(outcome.events.is_empty());
    let outcome = read("--0000\r\n--0000--\r\n");
    assert_eq!(flags(&outcome), ["error", "invalid_part"]);
    assert!(
        outcome.error().contains("(colon missing): --0000--."),
        "{}",
        outcome.error()
    );
}

#[test]
fn quoted_and_blank_boundaries_are_errors() {
    let quoted = Case::multipart("multipart/form-data; boundary=\"0000\"");
    let outcome = quoted.read(format!("{A}--\"0000\"\r\n").as_bytes());
    assert_eq!(
        outcome.error(),
        "Multipart parsing error: Multipart: Invalid boundary (quotes)."
    );
    assert_eq!(flags(&outcome), ["error", "boundary_quoted"]);
    assert_eq!(
        read(&format!("{A}-- \t0000\r\n")).error(),
        "Multipart parsing error: Multipart: Invalid boundary (whitespace)."
    );
    assert_eq!(
        read(&format!("{A}--0000 \r\n")).error(),
        "Multipart parsing error: Multipart: Invalid boundary: --0000 \\r\\n"
    );
    assert_eq!(flags(&read(&format!("{A}--0000x\r\n"))), ["error"]);
    // What stood before is not lost: parts are reported as they end.
    assert_eq!(read(&format!("{A}{A}--0000x\r\n")).arguments(), ["a=1"]);
}

#[test]
fn the_end_must_be_there() {
    for (body, error) in [
        ("", ""),
        ("x", "Multipart: No boundaries found in payload."),
        ("--0000--", "Multipart: No boundaries found in payload."),
        ("--0000", "Multipart: No boundaries found in payload."),
        (A, "Multipart: Final boundary missing."),
        (&format!("{A}--0000"), "Multipart: Final boundary missing."),
        (
            &format!("{A}--0000--\r"),
            "Multipart: Final boundary missing.",
        ),
        (
            &format!("{A}x--0000--"),
            "Multipart: Final boundary missing.",
        ),
    ] {
        let outcome = read(body);
        assert_eq!(
            outcome
                .error()
                .trim_start_matches("Multipart parsing error: "),
            error,
            "{body:?}"
        );
        assert!(!outcome.finished.multipart.error, "{body:?}");
    }
}

#[test]
fn errors_in_the_content_type() {
    let outcome = Case::multipart("multipart/form-data, boundary=0000").read(A.as_bytes());
    assert_eq!(
        outcome.error(),
        "Multipart parsing error: Multipart: Invalid boundary in C-T (malformed)."
    );
    assert_eq!(flags(&outcome), ["error"]);
    assert!(outcome.finished.multipart.strict_error());
    assert!(outcome.events.is_empty());
}
