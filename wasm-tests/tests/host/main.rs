//! The host that plays the proxy in tests: it must behave as Envoy does, or what it shows of the
//! filter is worth nothing. Its guests are small filters written by hand.

use std::rc::Rc;

use parapet::wasm_host::{
    Exchange, HostError, Incoming, ManualClock, MetricKind, Module, Outcome, Plugin, Reply,
    Settings, UpstreamRequest,
};

const RECORDER: &str = include_str!("recorder.wat");
const SERVICES: &str = include_str!("services.wat");

/// What the recorder is told to do; see there.
#[derive(Clone, Copy)]
struct Orders([u8; 13]);

const REQUEST_HEADERS: usize = 0;
const REQUEST_BODY: usize = 1;
const REQUEST_END: usize = 2;
const REQUEST_TRAILERS: usize = 3;
const RESPONSE_HEADERS: usize = 4;
const RESPONSE_BODY: usize = 5;
const REPLY_IN: usize = 8;
const CLOSE_IN: usize = 9;
const TRAP_IN: usize = 10;
const RESUME_ON_TICK: usize = 11;
const CONFIGURE: usize = 12;

fn orders(changes: &[(usize, u8)]) -> Orders {
    let mut orders = [0; 13];
    orders[CONFIGURE] = 1;
    for &(place, value) in changes {
        orders[place] = value;
    }
    Orders(orders)
}

fn module(text: &str) -> Module {
    Module::compile(&wat::parse_str(text).unwrap()).unwrap()
}

fn settings(orders: Orders, holds_headers: bool) -> Settings {
    let mut settings = Settings::new(orders.0);
    settings.holds_headers = holds_headers;
    settings.clock = Rc::new(ManualClock::at(1_000_000_000));
    settings
}

fn plugin(settings: Settings) -> Plugin {
    Plugin::start(&module(RECORDER), settings).unwrap()
}

fn head(pairs: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    pairs
        .iter()
        .map(|&(name, value)| (bytes(name), bytes(value)))
        .collect()
}

fn request(chunks: &[&str]) -> Exchange {
    Exchange {
        request: Incoming {
            headers: head(&[(":method", "POST"), (":path", "/x")]),
            chunks: chunks
                .iter()
                .map(|chunk| chunk.as_bytes().to_vec())
                .collect(),
            ..Default::default()
        },
        ..Default::default()
    }
}

fn answer(chunks: &[&str]) -> Incoming {
    Incoming {
        headers: head(&[(":status", "200")]),
        chunks: chunks
            .iter()
            .map(|chunk| chunk.as_bytes().to_vec())
            .collect(),
        ..Default::default()
    }
}

/// Runs an exchange; what came of it, and the notes: tag and size, `!` at the end of the stream.
fn run(plugin: &mut Plugin, exchange: &Exchange, answer: &Incoming) -> (Outcome, String) {
    let outcome = plugin.exchange(exchange, &mut |_| answer.clone()).unwrap();
    (outcome, notes(plugin, false))
}

/// With `statuses`, each note ends in the status of reading the request's path.
fn notes(plugin: &mut Plugin, statuses: bool) -> String {
    let mut texts = Vec::new();
    for line in plugin.take_log() {
        let [tag, size, end, status] = line.text[..] else {
            panic!("{line:?}")
        };
        let mut text = format!(
            "{}{size}{}",
            char::from(tag),
            if end == 1 { "!" } else { "" }
        );
        if statuses {
            text.push_str(&format!("/{status}"));
        }
        texts.push(text);
    }
    texts.join(" ")
}

#[test]
fn a_request_without_a_body_ends_with_its_head() {
    let mut plugin = plugin(settings(orders(&[]), true));
    let (outcome, notes) = run(&mut plugin, &request(&[]), &answer(&[]));
    assert_eq!(notes, "R2! r1! L0 D0");
    assert!(matches!(outcome.reply, Reply::Upstream(_)));
    assert!(outcome.upstream.unwrap().complete);
}

#[test]
fn a_body_ends_with_an_empty_piece_or_with_its_last_chunk() {
    let mut plugin = plugin(settings(orders(&[]), true));
    let mut exchange = request(&["abc", "de"]);
    let (outcome, notes) = run(&mut plugin, &exchange, &answer(&["xyz"]));
    assert_eq!(notes, "R2 B3 B2 B0! r1 b3 b0! L0 D0");
    assert_eq!(outcome.upstream.unwrap().body, b"abcde");
    exchange.request.end_with_last_chunk = true;
    let (_, notes) = run(&mut plugin, &exchange, &answer(&[]));
    assert_eq!(notes, "R2 B3 B2! r1! L0 D0");
}

#[test]
fn a_paused_body_is_buffered_and_shown_whole() {
    let mut plugin = plugin(settings(orders(&[(REQUEST_BODY, 1)]), true));
    let (outcome, notes) = run(&mut plugin, &request(&["abc", "de"]), &answer(&[]));
    assert_eq!(notes, "R2 B3 B5 B5! r1! L0 D0");
    assert_eq!(outcome.upstream.unwrap().body, b"abcde");
}

#[test]
fn trailers_end_a_body() {
    let mut plugin = plugin(settings(orders(&[(REQUEST_BODY, 1)]), true));
    let mut exchange = request(&["abc"]);
    exchange.request.trailers = head(&[("x-sum", "1")]);
    let (outcome, notes) = run(&mut plugin, &exchange, &answer(&[]));
    assert_eq!(notes, "R2 B3 T1! r1! L0 D0");
    let upstream = outcome.upstream.unwrap();
    assert_eq!(
        (upstream.body.as_slice(), upstream.trailers.len()),
        (&b"abc"[..], 1)
    );
    // Paused in the trailers it never goes on.
    let paused = orders(&[(REQUEST_TRAILERS, 1)]);
    let mut plugin = Plugin::start(&module(RECORDER), settings(paused, true)).unwrap();
    assert_eq!(
        run(&mut plugin, &exchange, &answer(&[])).0.reply,
        Reply::Nothing
    );
}

#[test]
fn a_held_head_stays_readable_and_reaches_nobody_before_its_body() {
    let held = orders(&[(REQUEST_HEADERS, 1), (REQUEST_BODY, 1), (REPLY_IN, b'B')]);
    let mut plugin = plugin(settings(held, true));
    let outcome = plugin
        .exchange(&request(&["abc"]), &mut |_| panic!("not held"))
        .unwrap();
    assert_eq!(outcome.upstream, None);
    assert_eq!(outcome.reply.status(), Some(403));
    assert_eq!(
        notes(&mut plugin, true),
        "R2/0 B3/0 r1/0 b2/0 b0!/0 L0/0 D0/2"
    );
}

#[test]
fn a_head_that_went_on_cannot_be_read_any_more() {
    let mut plugin = plugin(settings(orders(&[(REPLY_IN, b'B')]), true));
    let outcome = plugin
        .exchange(&request(&["abc"]), &mut |_| answer(&[]))
        .unwrap();
    let upstream = outcome.upstream.expect("the head is with the upstream");
    assert!(!upstream.complete && upstream.body.is_empty());
    assert_eq!(outcome.reply.status(), Some(403));
    assert_eq!(
        notes(&mut plugin, true),
        "R2/0 B3/2 r1/2 b2/2 b0!/2 L0/0 D0/2"
    );
}

#[test]
fn without_holding_a_paused_head_waits_for_a_resume() {
    let paused = orders(&[(REQUEST_HEADERS, 1)]);
    let mut plugin = Plugin::start(&module(RECORDER), settings(paused, false)).unwrap();
    let (outcome, notes) = run(&mut plugin, &request(&["abc", "de"]), &answer(&[]));
    assert_eq!((outcome.reply, outcome.upstream), (Reply::Nothing, None));
    assert_eq!(notes, "R2 L0 D0");
    // A tick resumes it: the body that waited comes in one piece.
    let resumed = orders(&[(REQUEST_HEADERS, 1), (RESUME_ON_TICK, 1)]);
    let mut plugin = Plugin::start(&module(RECORDER), settings(resumed, false)).unwrap();
    let (outcome, notes) = run(&mut plugin, &request(&["abc", "de"]), &answer(&[]));
    assert_eq!(notes, "R2 B5 B0! r1! L0 D0");
    assert_eq!(outcome.upstream.unwrap().body, b"abcde");
}

#[test]
fn a_pause_at_the_end_of_the_stream_is_for_ever() {
    for order in [REQUEST_HEADERS, REQUEST_END] {
        let mut plugin = plugin(settings(orders(&[(order, 1)]), true));
        let chunks: &[&str] = if order == REQUEST_HEADERS {
            &[]
        } else {
            &["abc"]
        };
        assert_eq!(
            run(&mut plugin, &request(chunks), &answer(&[])).0.reply,
            Reply::Nothing
        );
    }
}

#[test]
fn a_local_reply_passes_the_response_callbacks() {
    let mut plugin = plugin(settings(orders(&[(REPLY_IN, b'R')]), true));
    let (outcome, notes) = run(&mut plugin, &request(&["abc"]), &answer(&[]));
    assert_eq!(notes, "R2 r1 b2 b0! L0 D0");
    let Reply::Local(reply) = outcome.reply else {
        panic!("{:?}", outcome.reply)
    };
    assert_eq!((reply.status, reply.body.as_slice()), (403, &b"no"[..]));
    assert_eq!(reply.details, b"refused_by_a_test");
    assert_eq!(outcome.upstream, None);
}

#[test]
fn a_late_reply_is_clean_only_while_the_response_is_held() {
    let denied = |tag, held: u8| {
        let told = orders(&[
            (RESPONSE_HEADERS, held),
            (RESPONSE_BODY, 1),
            (REPLY_IN, tag),
        ]);
        let mut plugin = plugin(settings(told, true));
        run(&mut plugin, &request(&[]), &answer(&["xyz"])).0.reply
    };
    assert!(matches!(denied(b'r', 0), Reply::Local(_)));
    assert!(matches!(denied(b'b', 1), Reply::Local(_)));
    assert!(matches!(denied(b'b', 0), Reply::Cut(_)));
}

#[test]
fn a_full_buffer_is_an_answer_of_the_proxy() {
    let mut told = settings(orders(&[(REQUEST_BODY, 1)]), true);
    told.buffer_limit = 4;
    let (outcome, notes) = run(&mut plugin(told), &request(&["abc", "de"]), &answer(&[]));
    assert_eq!(
        outcome.reply,
        Reply::Proxy(413, "request_payload_too_large")
    );
    assert_eq!(notes, "R2 B3 B5 r1! L0 D0");
    for (held, expected) in [(1, Some(500)), (0, Some(200))] {
        let told = orders(&[(RESPONSE_HEADERS, held), (RESPONSE_BODY, 1)]);
        let mut told = settings(told, true);
        told.buffer_limit = 4;
        let (outcome, _) = run(&mut plugin(told), &request(&[]), &answer(&["abc", "de"]));
        assert_eq!(outcome.reply.status(), expected);
        assert_eq!(matches!(outcome.reply, Reply::Cut(_)), held == 0);
    }
}

#[test]
fn an_early_answer_overtakes_the_body() {
    let mut plugin = plugin(settings(orders(&[]), true));
    let mut exchange = request(&["abc"]);
    exchange.answer_before_body = true;
    let (outcome, notes) = run(&mut plugin, &exchange, &answer(&[]));
    assert_eq!(notes, "R2 r1! L0 D0");
    assert!(!outcome.upstream.unwrap().complete);
}

#[test]
fn a_request_the_proxy_rejects_is_only_logged() {
    let mut plugin = plugin(settings(orders(&[]), true));
    let mut exchange = request(&[]);
    exchange.rejected_by_proxy = Some(400);
    let (outcome, notes) = run(&mut plugin, &exchange, &answer(&[]));
    assert_eq!(notes, "L0 D0");
    assert_eq!(outcome.reply.status(), Some(400));
}

#[test]
fn a_closed_stream_has_no_answer() {
    let mut plugin = plugin(settings(orders(&[(CLOSE_IN, b'R')]), true));
    let (outcome, _) = run(&mut plugin, &request(&[]), &answer(&[]));
    assert_eq!(outcome.reply, Reply::Closed);
}

#[test]
fn a_body_of_another_length_than_announced_is_noticed() {
    let mut plugin = plugin(settings(orders(&[]), true));
    let mut exchange = request(&["abc"]);
    exchange
        .request
        .headers
        .extend(head(&[("content-length", "3")]));
    assert!(!run(&mut plugin, &exchange, &answer(&[])).0.length_broken);
    exchange.request.headers.pop();
    exchange
        .request
        .headers
        .extend(head(&[("content-length", "4")]));
    assert!(run(&mut plugin, &exchange, &answer(&[])).0.length_broken);
}

#[test]
fn a_trap_kills_the_vm() {
    let mut plugin = plugin(settings(orders(&[(TRAP_IN, b'B')]), true));
    let mut upstream = |_: &UpstreamRequest| answer(&[]);
    let error = plugin
        .exchange(&request(&["abc"]), &mut upstream)
        .unwrap_err();
    let HostError::Trap { callback, message } = &error else {
        panic!("{error}")
    };
    assert_eq!(*callback, "proxy_on_request_body");
    assert!(message.contains("unreachable"), "{message}");
    assert!(!plugin.is_alive());
    assert_eq!(
        plugin.exchange(&request(&[]), &mut upstream).unwrap_err(),
        error
    );
}

#[test]
fn refusals_and_strangers_are_errors() {
    let start = |text: &str, orders: Orders| Plugin::start(&module(text), settings(orders, true));
    let Err(refused) = start(RECORDER, orders(&[(CONFIGURE, 0)])) else {
        panic!("started")
    };
    assert!(matches!(
        refused,
        HostError::Refused {
            callback: "proxy_on_configure",
            ..
        }
    ));
    let Err(error) = start("(module)", orders(&[])) else {
        panic!("started")
    };
    assert!(matches!(error, HostError::MissingExport(_)));
    let stranger = r#"(module (import "wasi_snapshot_preview1" "fd_filestat_get"
        (func (param i32 i32) (result i32))))"#;
    let Err(error) = Module::compile(&wat::parse_str(stranger).unwrap()) else {
        panic!("loaded")
    };
    let name = "wasi_snapshot_preview1.fd_filestat_get".to_owned();
    assert_eq!(error, HostError::MissingImports(vec![name]));
    assert!(matches!(
        Module::compile(b"no module"),
        Err(HostError::Compile(_))
    ));
}

#[test]
fn services_answer_as_the_abi_says() {
    let module = module(SERVICES);
    let mut settings = settings(orders(&[]), true);
    settings.environment = vec![("A".to_owned(), "b".to_owned())];
    let mut first = Plugin::start(&module, settings).unwrap();
    let statuses = |plugin: &mut Plugin| -> Vec<u8> {
        let lines = plugin
            .take_log()
            .into_iter()
            .filter(|line| line.text != b"printed");
        lines.flat_map(|line| line.text).collect()
    };
    let metrics = [0, 0, 0, 2, 0, 0, 1, 2];
    let data = [1, 0, 8, 0, 0];
    let queue = [0, 7, 0, 0];
    let lookups = [0, 1, 2, 2, 6];
    let wasi = [0, 8, 0, 28, 0, 28, 0, 1];
    let expected = [&metrics[..], &data, &queue, &lookups, &wasi].concat();
    assert_eq!(statuses(&mut first), expected);
    let counter = first.metrics()["requests"];
    assert_eq!((counter.kind, counter.value), (MetricKind::Counter, 5));
    assert_eq!(first.metrics()["key"].value, 7);
    // Another VM of the same plugin sees the data, and has metrics of its own.
    let mut second = first.start_sibling(&module).unwrap();
    let shared = [&metrics[..], &[0, 0, 8, 0, 0], &queue, &lookups, &wasi].concat();
    assert_eq!(statuses(&mut second), shared);
    assert_eq!(second.metrics()["requests"].value, 5);
    assert_eq!(second.memory_size(), 128 << 10);
}
