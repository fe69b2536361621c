//! The `parapet` tool as a person or a script meets it: arguments, output, exit status.
#![cfg(feature = "cli")]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: a panic is a failure, and it writes the files the tool reads"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory of one test, removed when the test is over.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn parapet(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_parapet"))
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const RULES: &str = "SecRuleEngine On\nSecRequestBodyAccess On\n\
    SecRule ARGS \"@contains attack\" \"id:7,phase:2,deny,status:418,log,msg:'Found it',\
    setvar:tx.anomaly_score=+5\"\n";

#[test]
fn check_says_what_it_saw() {
    let place = Place::new("check-clean");
    let rules = place.file("a.conf", RULES);
    place.file("b.conf", "SecAction \"id:8,pass,nolog\"\n");
    let both = place.0.join("*.conf").to_str().unwrap().to_owned();
    let output = parapet(&["check", &rules]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("1 rule, 1 file, 0 errors, 0 warnings, "));
    assert!(stdout(&parapet(&["check", &both])).starts_with("2 rules, 2 files, "));
}

#[test]
fn check_shows_the_place_of_a_mistake() {
    let place = Place::new("check-broken");
    let rules = place.file(
        "bad.conf",
        "SecRule ARGS \"@containz x\" \"id:1,deny\"\nSecRul x\n",
    );
    let output = parapet(&["check", &rules]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(
        text.contains("bad.conf:1:16") && text.contains("@contains"),
        "{text}"
    );
    assert!(
        text.contains("bad.conf:2:1") && text.contains("SecRule"),
        "{text}"
    );
    assert!(stdout(&output).starts_with("does not load, 1 file, 2 errors, "));
    let output = parapet(&["check", "--json", &rules]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["errors"], 2);
    assert_eq!(json["diagnostics"][0]["line"], 1);
    assert_eq!(json["rules"], serde_json::Value::Null);
}

#[test]
fn check_can_take_warnings_for_errors() {
    let place = Place::new("check-strict");
    let rules = place.file(
        "warn.conf",
        "SecAction \"id:1,pass,nolog,skipAfter:NOWHERE\"\n",
    );
    assert_eq!(parapet(&["check", &rules]).status.code(), Some(0));
    let output = parapet(&["check", "--strict", &rules]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
}

#[test]
fn check_reads_plugin_configurations() {
    let place = Place::new("check-plugin");
    let good = r#"{"directives_map": {"a": ["Include x.conf"], "b": ["SecRuleEngine On"]},
        "default_directives": "a", "data_files": {"x.conf": "SecAction \"id:1,pass,nolog\""}}"#;
    let good = place.file("good.json", good);
    let output = parapet(&["check", &good]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).starts_with("1 rule, "),
        "{}",
        stdout(&output)
    );
    let bad = place.file("bad.json", r#"{"directive_map": {}}"#);
    let output = parapet(&["check", &bad]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("did you mean `directives_map`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn check_refuses_overlays_that_disarm_their_base() {
    let place = Place::new("check-overlay");
    let check = |directive: &str| {
        let plugin = serde_json::json!({
            "directives_map": {
                "base": {
                    "directives": ["Include @demo-conf", "Include @baseline/*.conf"],
                    "overlay_policy": { "ids": ["10000-19999"] }, "shadow": "next",
                    "denial": { "status": 404 },
                },
                "next": { "extends": "base" },
                "team": { "extends": "base", "overlay": true, "directives": [directive] },
            },
            "per_route_directives": { "shop/*": "team" }, "profile_metadata": {},
            "default_directives": "base", "strictest_directives": "base", "filter_state": "all",
        });
        let file = place.file("plugin.json", &plugin.to_string());
        let output = parapet(&["check", &file]);
        (output.status.code(), stderr(&output))
    };
    let (status, messages) = check("SecRuleUpdateTargetById 8050000 \"!ARGS:comment\"");
    assert_eq!(status, Some(0), "{messages}");
    for (directive, message) in [
        (
            "SecRuleRemoveById 8090000-8099999",
            "error[P0615]: an overlay may not change rule 8090000: the base locks it\n",
        ),
        (
            "SecRuleEngine Off",
            "error[P0611]: an overlay may not use SecRuleEngine",
        ),
        (
            "SecAction id:1,pass",
            "error[P0613]: an overlay may not have a rule 1",
        ),
    ] {
        let (status, messages) = check(directive);
        assert_eq!(status, Some(1), "{directive}");
        assert!(messages.contains(message), "{directive}: {messages}");
        assert!(
            messages.contains("--> directives_map.team:1:1"),
            "{messages}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_a_matter_of_usage() {
    for arguments in [
        &["check", "/no/such/file.conf"][..],
        &["check", "/no/such/*.conf"],
        &["check"],
        &["run", "--config", "/no/such/file.conf", "-"],
        &["unknown"],
    ] {
        let output = parapet(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[cfg(feature = "wasm-host")]
#[test]
fn pack_shows_mistakes_before_it_begins() {
    let place = Place::new("pack");
    let bad = place.file("bad.json", "{\"rules\": [\"SecRulee ARGS\"]}");
    let filter = place.file("filter.wasm", "no module");
    let out = place.0.join("packed.wasm");
    let pack = |config: &str, wasm: &str| {
        let output = out.to_str().unwrap();
        let output = parapet(&["pack", "--config", config, "--wasm", wasm, "-o", output]);
        assert!(!out.exists());
        (output.status.code(), stderr(&output))
    };
    let (status, messages) = pack(&bad, &filter);
    assert_eq!(status, Some(1));
    assert!(messages.contains("P0201") && messages.contains("SecRulee"));
    let good = place.file("good.json", "{\"rules\": [\"SecRuleEngine On\"]}");
    for wasm in [&*filter, "/no/such/filter.wasm"] {
        let (status, messages) = pack(&good, wasm);
        assert_eq!(status, Some(2), "{messages}");
        assert!(messages.contains(wasm), "{messages}");
    }
}

#[test]
fn run_prints_the_verdict() {
    let place = Place::new("run");
    let rules = place.file("rules.conf", RULES);
    let attack = place.file(
        "attack.http",
        "POST /?q=x HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 10\r\n\r\na=attack%FF",
    );
    let verdict = |arguments: &[&str]| -> serde_json::Value {
        let output = parapet(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let json = verdict(&["run", "--config", &rules, &attack]);
    assert_eq!(json["verdict"], "deny");
    assert_eq!(json["interruption"]["rule_id"], 7);
    assert_eq!(json["interruption"]["status"], 418);
    assert_eq!(json["interruption"]["phase"], 2);
    assert_eq!(json["matches"][0]["message"], "Found it");
    assert_eq!(json["matches"][0]["target"], "ARGS:a");
    assert_eq!(json["scores"]["anomaly_score"], 5);
    let harmless = place.file("harmless.http", "GET /?q=x HTTP/1.1\nHost: h\n\n");
    let json = verdict(&["run", "--config", &rules, &harmless]);
    assert_eq!(
        (&json["verdict"], json["matches"].as_array().unwrap().len()),
        (&"pass".into(), 0)
    );
}

#[test]
fn run_writes_the_debug_log() {
    let place = Place::new("run-debug");
    let rules = place.file("rules.conf", RULES);
    let request = place.file("r.http", "GET /?a=attack HTTP/1.1\nHost: h\n\n");
    let debug = |level: &[&str]| {
        let output = parapet(&[&["run", "--config", &rules, &request], level].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output)
    };
    assert_eq!(debug(&[]), "");
    let said = debug(&["--debug", "9"]);
    assert!(
        said.contains("rule 7: ARGS:a \"attack\"") && said.contains("rule 7 matches."),
        "{said}"
    );
}

#[test]
fn run_takes_the_backends_answer() {
    let place = Place::new("run-response");
    let rules = place.file(
        "rules.conf",
        "SecRuleEngine On\nSecResponseBodyAccess On\nSecResponseBodyMimeType text/plain\n\
         SecRule RESPONSE_BODY \"@contains secret\" \"id:9,phase:4,deny\"\n\
         SecRule RESPONSE_STATUS \"@streq 404\" \"id:10,phase:3,redirect:/gone,status:301\"\n",
    );
    let request = place.file("r.http", "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let judge = |response: &str| -> serde_json::Value {
        let response = place.file("response.http", response);
        let all = ["run", "--config", &rules, &request, "--response", &response];
        serde_json::from_slice(&parapet(&all).stdout).unwrap()
    };
    let leak = judge("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nthe secret");
    assert_eq!(leak["interruption"]["rule_id"], 9);
    let gone = judge("HTTP/1.1 404 Not Found\r\n\r\n");
    assert_eq!(
        (&gone["verdict"], &gone["interruption"]["location"]),
        (&"redirect".into(), &"/gone".into())
    );
    assert_eq!(judge("HTTP/1.1 200 OK\r\n\r\n")["verdict"], "pass");
}

const TESTS: &str = "rule_id: 7\ntests:\n\
    - {test_id: 1, stages: [{input: {uri: '/?a=attack'}, output: {status: 418, log: {expect_ids: [7]}}}]}\n\
    - {test_id: 2, stages: [{input: {uri: '/?a=b'}, output: {status: 200, log: {no_expect_ids: [7]}}}]}\n\
    - {test_id: 3, stages: [{input: {uri: '/?a=b'}, output: {log: {expect_ids: [7]}}}]}\n";

#[test]
fn test_ends_with_its_counts() {
    let place = Place::new("test");
    let rules = place.file("rules.conf", RULES);
    let tests = place.file("7.yaml", TESTS);
    let last = |output: &Output| stdout(output).lines().last().unwrap().to_owned();
    let output = parapet(&["test", "--config", &rules, &tests]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(last(&output), "2 passed, 1 failed, 0 skipped");
    assert!(stdout(&output).contains("FAIL 7-3"), "{}", stdout(&output));
    assert!(
        stderr(&output).contains("3 of 3 tests"),
        "{}",
        stderr(&output)
    );

    let output = parapet(&[
        "test",
        "--quiet",
        "--config",
        &rules,
        "--exclude",
        "-3$",
        &tests,
    ]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(last(&output), "2 passed, 0 failed, 1 skipped");
    assert!(output.stderr.is_empty());
}

#[test]
fn only_what_nobody_expected_fails_a_run() {
    let place = Place::new("test-expected");
    let rules = place.file("rules.conf", RULES);
    let tests = place.file("7.yaml", TESTS);
    let run = |list: &str| {
        let list = place.file("expected.yaml", list);
        let output = parapet(&[
            "test",
            "--config",
            &rules,
            "--expected-failures",
            &list,
            &tests,
        ]);
        (output.status.code(), stdout(&output))
    };
    let (status, text) = run("expected_failures: [{tests: [7-3], reason: known}]");
    assert_eq!(status, Some(0), "{text}");
    assert!(text.ends_with("2 passed, 1 failed, 0 skipped\n"), "{text}");
    let (status, text) =
        run("expected_failures: [{tests: [7-3], reason: known}, {tests: [7-2, 8-1], reason: x}]");
    assert_eq!(status, Some(1));
    assert!(
        text.contains("SURPRISE 7-2") && text.contains("STALE 8-1"),
        "{text}"
    );
}

#[test]
fn overrides_and_settings_change_single_tests() {
    let place = Place::new("test-overrides");
    let rules = place.file("rules.conf", RULES);
    let tests = place.file("7.yaml", TESTS);
    let overrides = place.file(
        "overrides.yaml",
        "version: v0\nmeta: {engine: x, platform: y}\ntest_overrides:\n\
         - {rule_id: 7, test_ids: [3], reason: r, output: {log: {no_expect_ids: [7]}}}\n",
    );
    let output = parapet(&[
        "test",
        "--config",
        &rules,
        "--overrides",
        &overrides,
        &tests,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let settings = place.file(
        "settings.yaml",
        "settings:\n- {tests: [7-3], reason: r, directives: 'SecAction \"id:99,phase:1,pass,log\"'}\n\
         - {tests: [7-3], reason: r, directives: 'SecRule ARGS \"@streq b\" \"id:98,pass,log\"'}\n",
    );
    let report = place.0.join("report.json").to_str().unwrap().to_owned();
    let all = [
        "test",
        "--config",
        &rules,
        "--settings",
        &settings,
        "--report",
        &report,
        &tests,
    ];
    assert_eq!(parapet(&all).status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let ids = |test: usize| json[0]["tests"][test]["stages"][0]["ids"].to_string();
    assert_eq!((ids(1), ids(2)), ("[]".to_owned(), "[98,99]".to_owned()));
}

#[test]
fn a_run_without_tests_fails() {
    let place = Place::new("test-empty");
    let rules = place.file("rules.conf", RULES);
    let tests = place.file("7.yaml", "rule_id: 7\ntests: []\n");
    let output = parapet(&["test", "--quiet", "--config", &rules, &tests]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("EMPTY"));
}

#[test]
fn bench_measures_every_request() {
    let place = Place::new("bench");
    let rules = place.file("rules.conf", RULES);
    place.file("get.http", "GET /?q=words HTTP/1.1\r\nHost: h\r\n\r\n");
    place.file("attack.http", "GET /?q=attack HTTP/1.1\r\nHost: h\r\n\r\n");
    let directory = place.0.to_str().unwrap();
    let all = [
        "bench",
        "--json",
        "--seconds",
        "0.02",
        "--config",
        &rules,
        directory,
    ];
    let output = parapet(&all);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let requests = json["engines"][0]["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        (&requests[0]["request"], &requests[0]["passes"]),
        (&"attack".into(), &false.into())
    );
    assert_eq!(requests[1]["passes"], true);
    assert!(requests[1]["median_microseconds"].as_f64().unwrap() > 0.0);
    assert!(requests[1]["allocations"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_key_that_keygen_makes_decrypts_what_records_seal() {
    let place = Place::new("seal");
    let path = |name: &str| place.0.join(name).to_str().unwrap().to_owned();
    let keys = [path("a.key"), path("b.key")];
    let [directive, _] = keys.each_ref().map(|key| {
        let made = parapet(&["keygen", key]);
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        stdout(&made)
    });
    let again = parapet(&["keygen", &keys[0]]);
    assert_eq!(again.status.code(), Some(2), "a key is not written over");

    let rules = format!("{RULES}SecAuditEngine On\nSecAuditLogFormat JSON\n{directive}");
    let rules = place.file("a.conf", &rules);
    let request = "GET /?password=attack-by-word HTTP/1.1\r\nHost: h\r\n\r\n";
    let request = place.file("request", request);
    let record = stdout(&parapet(&["run", "--config", &rules, "--audit", &request]));
    assert!(!record.contains("attack-by-word"), "{record}");
    let log = place.file("log", &format!("a line\n{record}"));

    let read = parapet(&["decrypt", "--key", &keys[0], &log]);
    assert_eq!(read.status.code(), Some(0), "{}", stderr(&read));
    let value = "\"target\":\"ARGS:password\",\"value\":\"attack-by-word\"";
    assert!(stdout(&read).contains(value), "{}", stdout(&read));

    let other = parapet(&["decrypt", "--key", &keys[1], &log]);
    assert_eq!(other.status.code(), Some(1));
    assert_eq!(stdout(&other), "");
    let line = format!("{log}:2: this is damaged, or sealed to another key\n");
    assert_eq!(stderr(&other), line);

    let secret = std::fs::read_to_string(&keys[0]).unwrap();
    let secret = secret.lines().nth(1).unwrap();
    for wrong in [
        secret,
        "c2hvcnQ=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ] {
        let rules = place.file("wrong.conf", &format!("SecParapetSealKey {wrong}\n"));
        assert_eq!(
            parapet(&["check", &rules]).status.code(),
            Some(1),
            "{wrong}"
        );
    }
    let none = place.file("none.key", "no key\n");
    assert_eq!(
        parapet(&["decrypt", "--key", &none, &log]).status.code(),
        Some(2)
    );
}
