//! Bodies in any pieces, and bodies larger than the host keeps.

use parapet::wasm_host::{Exchange, Plugin, Reply};

use super::{BASELINE, arrived, counted, page, pairs, request, start, words};

#[test]
fn any_size_of_pieces_gives_the_same_verdict() {
    const JSON: &[u8] = br#"{"name": "Zoe", "note": "<script>alert(1)</script>", "n": [1, 2]}"#;
    const PARTS: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\
        1' or '1'='1\r\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\n\
        text\r\n--x--\r\n";
    let cases: [(&str, &[u8], bool); 5] = [
        (
            "application/x-www-form-urlencoded",
            b"a=1&b=1%27%20or%20%271%27=%271&c=3",
            true,
        ),
        (
            "application/x-www-form-urlencoded",
            b"a=1&b=two+words&c=%C3%A9",
            false,
        ),
        ("application/json", JSON, true),
        ("multipart/form-data; boundary=x", PARTS, true),
        (
            "application/json",
            br#"{"name": "Zoe", "list": [true, null, 1.5e3]}"#,
            false,
        ),
    ];
    let mut plugin = start(BASELINE, |_| {});
    for (kind, body, evil) in cases {
        for size in 1..=body.len() {
            for ending in 0..3 {
                let mut asked = request("/", &[]);
                asked.request.headers[1].1 = b"POST".to_vec();
                asked
                    .request
                    .headers
                    .extend(pairs(&[("content-type", kind)]));
                asked.request.chunks = body.chunks(size).map(<[u8]>::to_vec).collect();
                asked.request.end_with_last_chunk = ending == 1;
                if ending == 2 {
                    asked.request.trailers = pairs(&[("x-sum", "1")]);
                }
                let outcome = plugin.exchange(&asked, &mut |_| page("fine", &[])).unwrap();
                assert_eq!(
                    arrived(2, &outcome),
                    !evil,
                    "{kind}, {size} bytes, ending {ending}"
                );
                if !evil {
                    assert_eq!(outcome.upstream.unwrap().body, body);
                }
            }
            plugin.take_log();
        }
    }
}

/// An upload as browsers send it: fields, and a file of so many bytes.
fn upload(size: usize, field: &str, piece: usize, announced: bool) -> Exchange {
    let head = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.bin\"\r\n\
                Content-Type: application/octet-stream\r\n\r\n";
    let tail = format!(
        "\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{field}\r\n--x--\r\n"
    );
    let mut body = head.as_bytes().to_vec();
    let file = (0..size).map(|at| b"0123456789abcdef\r\n"[at % 18]);
    body.extend(file);
    body.extend_from_slice(tail.as_bytes());
    let mut asked = request("/upload", &[]);
    asked.request.headers[1].1 = b"POST".to_vec();
    let kind = ("content-type", "multipart/form-data; boundary=x");
    asked.request.headers.extend(pairs(&[kind]));
    if announced {
        let length = body.len().to_string();
        asked
            .request
            .headers
            .extend(pairs(&[("content-length", &length)]));
    }
    asked.request.chunks = body.chunks(piece).map(<[u8]>::to_vec).collect();
    asked
}

const STREAM: &str = r#", "SecParapetLargeRequestBody Stream", "SecParapetLargeResponseBody Stream",
    "SecResponseBodyLimit 1073741824""#;

fn pass(plugin: &mut Plugin, asked: &Exchange) -> (bool, Option<u16>, usize) {
    let outcome = plugin.exchange(asked, &mut |_| page("fine", &[])).unwrap();
    let upstream = outcome
        .upstream
        .as_ref()
        .map_or(0, |upstream| upstream.body.len());
    (arrived(2, &outcome), outcome.reply.status(), upstream)
}

#[test]
fn an_upload_of_50_megabytes_passes_a_host_that_keeps_one() {
    let mut plugin = start(&words(STREAM, ""), |_| {});
    // What all that follows needs once: tables, caches, one piece.
    pass(&mut plugin, &upload(2 << 20, "fine", 65_536, true));
    let before = plugin.memory_size();
    for announced in [true, false] {
        let asked = upload(50 << 20, "fine", 65_536, announced);
        let length: usize = asked.request.chunks.iter().map(Vec::len).sum();
        assert_eq!(pass(&mut plugin, &asked), (true, Some(200), length));
    }
    let after = plugin.memory_size();
    println!("linear memory: {before} bytes before, {after} after uploads of 50 MB");
    assert!(after <= before + 65_536, "{before} bytes, then {after}");
    assert_eq!(counted(&plugin, "uninspected_reason=large_request"), 3);
    let log = plugin.take_log();
    assert!(
        log.iter()
            .any(|line| line.text.starts_with(b"parapet: Request body goes on"))
    );
}

#[test]
fn an_attack_behind_a_large_file_is_cut_off() {
    let mut plugin = start(&words(STREAM, ""), |_| {});
    for announced in [true, false] {
        for piece in [1_000, 65_536, 1 << 20] {
            let asked = upload(4 << 20, "evil2", piece, announced);
            let (arrived, status, _) = pass(&mut plugin, &asked);
            assert!(!arrived, "{announced} {piece}");
            assert_eq!(status, Some(403));
        }
    }
}

#[test]
fn without_streaming_a_large_upload_is_refused() {
    let mut plugin = start(&words("", ""), |_| {});
    let asked = upload(4 << 20, "fine", 65_536, true);
    assert_eq!(pass(&mut plugin, &asked), (false, Some(413), 0));
    // Foreseen: no byte of it was read, and the log says so.
    let mut plugin = start(&words("", r#", "buffer_limit": 1048576"#), |_| {});
    let outcome = plugin.exchange(&asked, &mut |_| page("fine", &[])).unwrap();
    assert!(matches!(outcome.reply, Reply::Local(_)) && outcome.upstream.is_none());
    assert_eq!(outcome.reply.status(), Some(413));
    assert_eq!(counted(&plugin, "interruptions_ruleid=0"), 1);
}

#[test]
fn a_large_download_passes_and_a_leak_in_it_is_cut_off() {
    let mut plugin = start(&words(STREAM, ""), |_| {});
    for (evil, announced) in [(false, true), (false, false), (true, true), (true, false)] {
        let mut body = b"<p>text</p>\n".repeat(400_000);
        if evil {
            body.splice(3_000_000..3_000_005, *b"evil4");
        }
        let mut answer = page("fine", &[]);
        answer.chunks = body.chunks(50_000).map(<[u8]>::to_vec).collect();
        if announced {
            let length = body.len().to_string();
            answer.headers.extend(pairs(&[("content-length", &length)]));
        }
        let outcome = plugin
            .exchange(&request("/", &[]), &mut |_| answer.clone())
            .unwrap();
        match outcome.reply {
            Reply::Upstream(response) => assert!(!evil && response.body == body),
            Reply::Cut(_) | Reply::Closed => assert!(evil),
            reply => panic!("{reply:?}"),
        }
    }
}
