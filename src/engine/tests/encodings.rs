//! Bodies in charsets and codings, through whole transactions.

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

use super::*;

const CODED: (&[u8], &[u8]) = (b"Content-Encoding", b"deflate");
const JSON: (&[u8], &[u8]) = (b"Content-Type", b"application/json");

/// Inflates requests, and keeps what became of the body in TX.
const RULES: &str = "SecParapetInflateRequestBody On\n\
    SecRequestBodyLimit 200000\n\
    SecRequestBodyNoFilesLimit 10000000\n\
    SecRule ARGS:a \"@streq <b>\" \"id:3,phase:2,pass,nolog,setvar:tx.hit=1\"\n\
    SecAction \"id:1,phase:2,pass,nolog,\
    setvar:'tx.body=%{REQUEST_BODY}',setvar:'tx.length=%{REQUEST_BODY_LENGTH}',\
    setvar:'tx.error=%{REQBODY_ERROR}',setvar:'tx.message=%{REQBODY_ERROR_MSG}',\
    setvar:'tx.inbound=%{INBOUND_DATA_ERROR}',setvar:'tx.a=%{ARGS.a}',\
    setvar:'tx.full=%{FULL_REQUEST_LENGTH}'\"";

struct Outcome {
    transaction: Transaction,
    interruption: Option<Interruption>,
}

impl Outcome {
    fn tx(&self, name: &str) -> String {
        tx(&self.transaction, name).unwrap_or_default()
    }
}

/// Sends a body in cuts of several sizes, with one outcome.
fn send(rules: &str, headers: &[(&[u8], &[u8])], body: &[u8]) -> Outcome {
    let run = |chunk: usize| {
        let mut transaction = begin(rules);
        let mut step = transaction.request_head(&head("/", headers));
        for piece in body.chunks(chunk.max(1)) {
            if step.body == BodyPlan::Skip {
                break;
            }
            step = transaction.request_body(piece);
        }
        let interruption = transaction.end_request_body().interruption;
        Outcome {
            transaction,
            interruption,
        }
    };
    let whole = run(body.len());
    for chunk in [1, 7, 4096] {
        let cut = run(chunk);
        assert_eq!(cut.interruption, whole.interruption);
        assert_eq!(
            cut.transaction.tx_variables(),
            whole.transaction.tx_variables(),
            "chunks of {chunk}"
        );
    }
    whole
}

#[test]
fn a_compressed_form_is_read() {
    let text = b"a=<script>&b=2";
    let found = send(RULES, &[FORM, CODED], &compress_to_vec_zlib(text, 6));
    assert_eq!(found.tx("a"), "<script>");
    assert_eq!(found.tx("body").as_bytes(), text);
    assert_eq!(found.tx("length"), text.len().to_string());
    assert_eq!(
        (found.tx("error").as_str(), found.tx("inbound").as_str()),
        ("0", "0")
    );
    assert_eq!(found.interruption, None);
    // Without the directive it is what it is.
    let off = RULES.replace("Body On", "Body Off");
    let body = compress_to_vec_zlib(text, 6);
    let found = send(&off, &[FORM, CODED], &body);
    assert_eq!(found.tx("a"), "");
    assert_eq!(found.tx("length"), body.len().to_string());
}

#[test]
fn a_compressed_body_is_kept_by_force_and_as_it_came() {
    let rules = format!(
        "{RULES},setvar:'tx.stream=%{{STREAM_INPUT_BODY}}'\"\nSecStreamInBodyInspection On\n\
         SecAction \"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON,\
         ctl:forceRequestBodyVariable=On\""
    )
    .replace("\",setvar:'tx.stream", ",setvar:'tx.stream");
    let text = b"{\"a\":1}";
    let body = compress_to_vec(text, 0);
    let found = send(&rules, &[JSON, CODED], &body);
    assert_eq!(found.tx("body").as_bytes(), text);
    assert_eq!(found.tx("error"), "0");
    let stream = found
        .transaction
        .tx_variables()
        .into_iter()
        .find(|(name, _)| name == b"stream");
    assert_eq!(stream.unwrap().1, body);
}

#[test]
fn a_broken_coding_is_an_error() {
    let text = b"a=<script>&b=2";
    let whole = compress_to_vec_zlib(text, 6);
    let cut = &whole[..whole.len() - 2];
    let found = send(RULES, &[FORM, CODED], cut);
    assert_eq!(
        (found.tx("error").as_str(), found.tx("a").as_str()),
        ("1", "<script>")
    );
    assert_eq!(
        found.tx("message"),
        "The compressed body cannot be read: it ends too early."
    );
    // Not coded at all: read as it is, and an error.
    let found = send(RULES, &[FORM, (b"Content-Encoding", b"gzip")], text);
    assert_eq!(
        (found.tx("error").as_str(), found.tx("a").as_str()),
        ("1", "<script>")
    );
    let found = send(RULES, &[FORM, (b"Content-Encoding", b"zstd")], text);
    assert_eq!(found.tx("message"), "Unknown Content-Encoding: zstd");
    assert_eq!(found.tx("a"), "<script>");
    // No body is no broken body.
    let found = send(RULES, &[FORM, CODED], b"");
    assert_eq!(found.tx("error"), "0");
}

#[test]
fn layers_and_ratio_have_limits() {
    let text = b"a=1";
    let twice = compress_to_vec_zlib(&compress_to_vec_zlib(text, 6), 6);
    let coded: (&[u8], &[u8]) = (b"Content-Encoding", b"deflate, deflate");
    assert_eq!(send(RULES, &[FORM, coded], &twice).tx("a"), "1");
    let one = format!("{RULES}\nSecParapetInflateLayersLimit 1");
    let found = send(&one, &[FORM, coded], &twice);
    assert_eq!(
        found.tx("message"),
        "More than 1 layers of Content-Encoding"
    );

    let bomb = compress_to_vec_zlib(&vec![b'a'; 1 << 20], 6);
    let wide = RULES.replace("Limit 200000", "Limit 20000000");
    let found = send(&wide, &[FORM, CODED], &bomb);
    assert_eq!(
        (found.tx("error"), found.tx("inbound")),
        ("1".into(), "1".into())
    );
    assert!(found.tx("message").contains("expands too much"));
    let wider = format!("{wide}\nSecParapetInflateRatioLimit 2000");
    assert_eq!(
        send(&wider, &[FORM, CODED], &bomb).tx("length"),
        (1 << 20).to_string()
    );
}

#[test]
fn the_body_limit_holds_for_what_a_body_stands_for() {
    let text = [&b"a=1&b="[..], &vec![b'x'; 300_000]].concat();
    let body = compress_to_vec_zlib(&text, 6);
    let rules = format!("{RULES}\nSecParapetInflateRatioLimit 2000");
    let found = send(&rules, &[FORM, CODED], &body);
    let stopped = found.interruption.unwrap();
    assert_eq!((stopped.status, stopped.rule_id), (413, 0));
    let partial = format!("{rules}\nSecRequestBodyLimitAction ProcessPartial");
    let found = send(&partial, &[FORM, CODED], &body);
    assert_eq!(found.interruption, None);
    assert_eq!(
        (found.tx("inbound").as_str(), found.tx("a").as_str()),
        ("1", "1")
    );
    assert_eq!(found.tx("length"), "200000");
    assert_eq!(found.tx("error"), "0");
    // And for what was sent.
    let narrow = rules.replace("Limit 200000", "Limit 10");
    assert_eq!(
        send(&narrow, &[FORM, CODED], &body)
            .interruption
            .unwrap()
            .status,
        413
    );
    let no_files = rules.replace("NoFilesLimit 10000000", "NoFilesLimit 5000");
    assert_eq!(
        send(&no_files, &[FORM, CODED], &body)
            .interruption
            .unwrap()
            .status,
        413
    );
}

#[test]
fn request_body_is_the_decoded_text() {
    let rules = format!("{RULES}\nSecParapetDecodeCharsets On");
    let utf16: Vec<u8> = "a=<b>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let form: (&[u8], &[u8]) = (
        b"Content-Type",
        b"application/x-www-form-urlencoded; charset=utf-16le",
    );
    let found = send(&rules, &[form], &utf16);
    assert_eq!(
        (found.tx("body").as_str(), found.tx("hit").as_str()),
        ("a=<b>", "1")
    );
    assert_eq!(found.tx("error"), "0");
    // Under a coding, too.
    let found = send(&rules, &[form, CODED], &compress_to_vec(&utf16, 6));
    assert_eq!(found.tx("hit"), "1");
    // Malformed text stays as it is.
    let found = send(&rules, &[form], b"a=<b>");
    assert_eq!(
        (found.tx("body").as_str(), found.tx("a").as_str()),
        ("a=<b>", "<b>")
    );
    assert_eq!(found.tx("error"), "1");
    // UTF-8 is not touched.
    let utf8: (&[u8], &[u8]) = (
        b"Content-Type",
        b"application/x-www-form-urlencoded; charset=utf-8",
    );
    let found = send(&rules, &[utf8], b"a=+ADw-");
    assert_eq!(
        (found.tx("a").as_str(), found.tx("error").as_str()),
        (" ADw-", "0")
    );
}

#[test]
fn responses_are_inflated() {
    let rules = "SecParapetInflateResponseBody On\nSecResponseBodyAccess On\n\
        SecResponseBodyLimit 1000\nSecResponseBodyLimitAction ProcessPartial\n\
        SecAction \"id:1,phase:4,pass,nolog,setvar:'tx.body=%{RESPONSE_BODY}',\
        setvar:'tx.outbound=%{OUTBOUND_DATA_ERROR}'\"";
    let answer = |coding: &[u8], body: &[u8], chunk: usize| {
        let mut transaction = begin(rules);
        let _ = transaction.request_head(&head("/", &[]));
        let _ = transaction.end_request_body();
        let _ = transaction.response_head(&ResponseHead {
            status: 200,
            protocol: b"HTTP/1.1",
            headers: &[
                (b"content-type", b"text/html"),
                (b"content-encoding", coding),
            ],
        });
        for piece in body.chunks(chunk.max(1)) {
            let _ = transaction.response_body(piece);
        }
        let _ = transaction.end_response_body();
        let found = |name| tx(&transaction, name).unwrap_or_default();
        (found("body"), found("outbound"))
    };
    let long = "x".repeat(2000);
    for (text, outbound) in [("secret", "0"), (long.as_str(), "1")] {
        let body = compress_to_vec_zlib(text.as_bytes(), 6);
        let expected = text.get(..1000).unwrap_or(text);
        for chunk in [1, body.len()] {
            assert_eq!(
                answer(b"deflate", &body, chunk),
                (expected.to_owned(), outbound.to_owned())
            );
        }
    }
    // What is not known or not coded stays as it is.
    assert_eq!(answer(b"zstd", b"secret", 1).0, "secret");
    assert_eq!(answer(b"gzip", b"secret", 1).0, "secret");
}
