mod boundaries;
mod headers;

use crate::body::Settings;
use crate::body::tests::{Case, Event, Outcome};

const CONTENT_TYPE: &str = "multipart/form-data; boundary=0000";

fn read(body: &str) -> Outcome {
    Case::multipart(CONTENT_TYPE).read(body.as_bytes())
}

/// A whole body of one part with these header lines.
fn with_headers(headers: &str) -> Outcome {
    read(&format!("--0000\r\n{headers}\r\nv\r\n--0000--\r\n"))
}

/// Flags that are set, but `crlf_line`, which any ordinary body sets.
fn flags(outcome: &Outcome) -> Vec<&'static str> {
    let flags = outcome.finished.multipart;
    [
        ("error", flags.error),
        ("boundary_quoted", flags.boundary_quoted),
        ("boundary_whitespace", flags.boundary_whitespace),
        ("data_before", flags.data_before),
        ("data_after", flags.data_after),
        ("header_folding", flags.header_folding),
        ("invalid_header_folding", flags.invalid_header_folding),
        ("lf_line", flags.lf_line),
        ("missing_semicolon", flags.missing_semicolon),
        ("invalid_quoting", flags.invalid_quoting),
        ("invalid_part", flags.invalid_part),
        ("file_limit_exceeded", flags.file_limit_exceeded),
        ("unmatched_boundary", flags.unmatched_boundary),
    ]
    .into_iter()
    .filter_map(|(name, set)| set.then_some(name))
    .collect()
}

const A: &str = "--0000\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";

#[test]
fn an_ordinary_body() {
    let outcome = read(concat!(
        "--0000\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nBrian\r\n",
        "--0000\r\nContent-Disposition: form-data; name=\"image\"; filename=\"i.jpg\"\r\n",
        "Content-Type: image/jpeg\r\n\r\nBINARY\r\nDATA\r\n",
        "--0000\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n",
        "--0000--\r\n",
    ));
    let bytes = |text: &str| text.as_bytes().to_vec();
    assert_eq!(
        outcome.events,
        [
            Event::PartHeader(
                bytes("name"),
                bytes("Content-Disposition: form-data; name=\"name\"")
            ),
            Event::Argument(bytes("name"), bytes("Brian")),
            Event::PartHeader(
                bytes("image"),
                bytes("Content-Disposition: form-data; name=\"image\"; filename=\"i.jpg\"")
            ),
            Event::PartHeader(bytes("image"), bytes("Content-Type: image/jpeg")),
            Event::File {
                part: bytes("image"),
                name: bytes("i.jpg"),
                size: 12,
                extracted: false
            },
            Event::PartHeader(
                bytes("empty"),
                bytes("Content-Disposition: form-data; name=\"empty\"")
            ),
            Event::Argument(bytes("empty"), bytes("")),
        ]
    );
    assert_eq!(outcome.error(), "");
    assert_eq!(flags(&outcome), [""; 0]);
    assert!(outcome.finished.multipart.crlf_line);
    assert!(!outcome.finished.multipart.strict_error());
    assert_eq!(outcome.finished.multipart_name, b"empty");
    assert_eq!(outcome.finished.multipart_filename, b"i.jpg");
    // Header lines with their line ends, and the content of what is no file.
    let headers: usize = outcome
        .events
        .iter()
        .map(|event| match event {
            Event::PartHeader(_, line) => line.len() + 2,
            _ => 0,
        })
        .sum();
    assert_eq!(
        outcome.finished.no_files_length,
        headers + 3 * 2 + "Brian".len()
    );
}

#[test]
fn the_flags_of_lines() {
    for (body, expected) in [
        (format!("{A}--0000--\r\n"), &[][..]),
        (format!("{A}--0000--"), &[]),
        (format!("\r\n{A}--0000--\r\n"), &["data_before"]),
        (format!("preamble\r\n{A}--0000--\r\n"), &["data_before"]),
        (format!("{A}--0000--\r\n\r\n"), &["data_after"]),
        (format!("{A}--0000--\r\n{A}"), &["data_after"]),
        (format!("{A}--0000--\n"), &["lf_line"]),
        (A.replace("\r\n", "\n") + "--0000--\n", &["lf_line"]),
        // A bare LF before the boundary, and nowhere else.
        (
            "--0000\r\nContent-Disposition: form-data; name=a\r\n\r\n1\n--0000--\r\n".into(),
            &["lf_line"],
        ),
        (
            "--0000\r\nContent-Disposition: form-data; name=a\r\n\r\n1\n--0000--".into(),
            &["lf_line"],
        ),
        (
            "--0000\r\nContent-Disposition: form-data; name=a\r\n\r\n1\n2\r\n--0000--\r\n".into(),
            &[],
        ),
        (
            "--0000\r\nContent-Disposition: form-data; name=a\n\r\n1\r\n--0000--\r\n".into(),
            &["lf_line"],
        ),
        // Lines that look like boundaries.
        (
            format!("{A}--test\r\n--0000--\r\n"),
            &["unmatched_boundary"],
        ),
        (format!("{A}--\r\n--0000--\r\n"), &["unmatched_boundary"]),
        (format!("{A}--\n2\r\n--0000--\r\n"), &[]),
        (format!("{A}-- x\r\n--0000--\r\n"), &["unmatched_boundary"]),
        (
            format!("{A}x--0000--\r\n--0000--\r\n"),
            &["unmatched_boundary"],
        ),
        (format!("{A}x--000\r\n--0000--\r\n"), &[]),
        (
            format!("--0001\r\n{A}--0000--\r\n"),
            &["data_before", "unmatched_boundary"],
        ),
        (format!("{A}--x\0y\r\n--0000--\r\n"), &[]),
    ] {
        let outcome = read(&body);
        assert_eq!(flags(&outcome), expected, "{body:?}");
        assert_eq!(outcome.error(), "", "{body:?}");
        assert!(!outcome.events.is_empty());
    }
}

#[test]
fn strict_error_is_any_flag_but_unmatched_boundaries() {
    assert!(
        !read(&format!("{A}--test\r\n--0000--\r\n"))
            .finished
            .multipart
            .strict_error()
    );
    assert!(
        read(&format!("{A}--0000--\n"))
            .finished
            .multipart
            .strict_error()
    );
    let mixed = read(&format!("{A}--0000--\n")).finished.multipart;
    assert!(mixed.crlf_lf_lines());
    assert!(
        !read(&format!("{A}--0000--\r\n"))
            .finished
            .multipart
            .crlf_lf_lines()
    );
}

#[test]
fn long_lines_come_in_pieces() {
    // A delimiter that stands at the start of a piece, but not of a line, is content.
    for length in [4090, 4093, 4094, 4095, 4096, 4097, 8191, 8192, 9000] {
        for tail in ["\r\n", "--0000\r\n", "\r\r\n", "\n"] {
            let data = format!("{}{tail}", "x".repeat(length));
            let body = format!(
                "--0000\r\nContent-Disposition: form-data; name=a\r\n\r\n{data}--0000--\r\n"
            );
            let outcome = read(&body);
            assert_eq!(outcome.error(), "", "{length} {tail:?}");
            let Some(Event::Argument(_, value)) = outcome.events.last() else {
                panic!()
            };
            let content = data
                .strip_suffix("\r\n")
                .or(data.strip_suffix("\n"))
                .unwrap();
            assert!(value == content.as_bytes(), "{length} {tail:?}");
            assert_eq!(
                outcome.finished.multipart.lf_line,
                tail == "\n",
                "{length} {tail:?}"
            );
        }
    }
}

#[test]
fn file_contents_are_reported_where_they_are_wanted() {
    let files = (1..=3)
        .map(|n| {
            format!(
                "--0000\r\nContent-Disposition: form-data; name=f{n}; filename=n{n}\r\n\r\nab\r\nc{n}\r\n"
            )
        })
        .collect::<String>()
        + "--0000--\r\n";
    let mut case = Case::multipart(CONTENT_TYPE);
    case.settings.limits.files = 2;
    let outcome = case.read(files.as_bytes());
    assert_eq!(flags(&outcome), [""; 0]);
    assert!(
        !outcome
            .events
            .iter()
            .any(|event| matches!(event, Event::Content(..)))
    );

    case.settings = Settings {
        extract_files: true,
        ..case.settings
    };
    let outcome = case.read(files.as_bytes());
    assert_eq!(flags(&outcome), ["file_limit_exceeded"]);
    assert_eq!(outcome.error(), "");
    let found: Vec<_> = outcome
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Content(part, content) => Some(format!(
                "{}: {}",
                part.escape_ascii(),
                content.escape_ascii()
            )),
            Event::File {
                part,
                size,
                extracted,
                ..
            } => Some(format!("{} {size} {extracted}", part.escape_ascii())),
            _ => None,
        })
        .collect();
    assert_eq!(
        found,
        [
            "f1: ab\\r\\nc1",
            "f1 6 true",
            "f2: ab\\r\\nc2",
            "f2 6 true",
            "f3 6 false"
        ]
    );
}

#[test]
fn over_the_arguments_limit_files_still_come() {
    let body = format!(
        "{A}{A}--0000\r\nContent-Disposition: form-data; name=f; filename=n\r\n\r\nx\r\n--0000--\r\n"
    );
    let mut case = Case::multipart(CONTENT_TYPE);
    case.settings.limits.arguments = 1;
    let outcome = case.read(body.as_bytes());
    assert_eq!(outcome.arguments(), ["a=1"]);
    assert_eq!(outcome.error(), "SecArgumentsLimit exceeded");
    assert!(matches!(outcome.events.last(), Some(Event::File { .. })));
}

#[test]
fn many_headers_and_lines_take_linear_time() {
    let mut body = String::from("--0000\r\nContent-Disposition: form-data; name=a\r\n");
    for n in 0..50_000 {
        body.push_str(&format!("h{n}:\r\n"));
    }
    body.push_str("\r\n");
    body.push_str(&"-\n".repeat(200_000));
    body.push_str("--0000--\r\n");
    let outcome = Case::multipart(CONTENT_TYPE).read(body.as_bytes());
    assert_eq!(outcome.error(), "");
    assert_eq!(outcome.events.len(), 50_002);
}
