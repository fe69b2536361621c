mod profiles;

use super::*;
use crate::action::RuleSpec;
use crate::compile::OverlayPolicy;
use crate::proxy::fake::{FakeHost, FakeRules};
use crate::proxy::{AcceptEncoding, Grpc, HoldHeaders, OnError};

fn refused(text: &str) -> String {
    let problems = PluginConfig::parse(text.as_bytes()).expect_err(text);
    assert!(problems.is_fatal());
    problems
        .lines()
        .map(|(_, line)| line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn text(layer: &Layer) -> String {
    String::from_utf8(layer.text.clone()).unwrap()
}

/// The directives an authority is judged by.
fn chosen(config: &PluginConfig, authority: Option<&str>) -> String {
    let filter = config
        .build(Rc::default(), |lineage, _| {
            let texts: Vec<String> = lineage
                .iter()
                .map(|layer| format!("{}: {}", layer.name, text(layer)))
                .collect();
            let name: &'static str = Box::leak(texts.join(" + ").into_boxed_str());
            Some(FakeRules {
                name,
                ..FakeRules::default()
            })
        })
        .unwrap();
    filter
        .profile(&FakeHost::default(), authority.map(str::as_bytes))
        .unwrap()
        .rules
        .rules()
        .name
        .to_owned()
}

const STRICT: &str =
    "directives_map.(embedded default): Include @demo-conf\nInclude @baseline/*.conf";

#[test]
fn the_peers_documented_keys_work_unchanged() {
    let config = PluginConfig::parse(
        br#"{
            "metric_labels": {"owner": "coraza", "identifier": "global", "n": 1},
            "directives_map": {
                "default": ["SecRuleEngine On", "Include @crs-setup-conf"],
                "rs1": ["SecAuditLogType wasmSerial"]
            },
            "default_directives": "default",
            "per_authority_directives": {"Foo.example.com": "rs1", "bar.example.com:8080": "rs1"}
        }"#,
    )
    .unwrap();
    let labels: Vec<&str> = config
        .settings
        .metric_labels
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(labels, ["owner", "identifier", "n"]);
    let rs1 = "directives_map.rs1: SecAuditLogType wasmSerial";
    let default = "directives_map.default: SecRuleEngine On\nInclude @crs-setup-conf";
    assert_eq!(chosen(&config, Some("foo.example.com:443")), rs1);
    assert_eq!(chosen(&config, Some("bar.example.com")), rs1);
    assert_eq!(chosen(&config, Some("elsewhere")), default);
    assert_eq!(chosen(&config, None), default);
}

#[test]
fn legacy_rules_are_one_list_for_everything() {
    let config = PluginConfig::parse(br#"{"rules": ["SecRuleEngine On"]}"#).unwrap();
    assert_eq!(
        chosen(&config, Some("any")),
        "directives_map.default: SecRuleEngine On"
    );
    let both = refused(r#"{"rules": [], "directives_map": {"a": []}}"#);
    assert!(
        both.contains("`rules` is the older form of `directives_map`"),
        "{both}"
    );
}

#[test]
fn nothing_passes_without_rules() {
    for text in [
        "",
        " \n",
        "{}",
        "\u{feff}",
        r#"{"metric_labels": {}}"#,
        r#"{"directives_map": {}}"#,
    ] {
        let config = PluginConfig::parse(text.as_bytes()).unwrap();
        assert!(config.needs_strictest(), "{text}");
        assert_eq!(chosen(&config, Some("any")), STRICT, "{text}");
    }
    let config = PluginConfig::parse(
        br#"{"directives_map": {"a": ["SecRuleEngine Off"]}, "per_authority_directives": {"a": "a"}}"#,
    )
    .unwrap();
    assert_eq!(
        chosen(&config, Some("a")),
        "directives_map.a: SecRuleEngine Off"
    );
    assert_eq!(chosen(&config, Some("b")), STRICT);
    assert_eq!(chosen(&config, None), STRICT);
}

/// The place of the rule set that a request gets, and whether it is for want of a better one.
fn place(config: &PluginConfig, properties: &[(&[&str], &str)]) -> (usize, bool) {
    let host = FakeHost::default();
    for (path, value) in properties {
        host.set_fake_property(path, value.as_bytes());
    }
    let choice = config.selection().choose(&host, Some(b"a"));
    (choice.profile, choice.doubt.is_some())
}

#[test]
fn routes_and_metadata_choose_rules() {
    const ROUTE: &[&str] = &["xds", "route_name"];
    const LISTENER: &[&str] = &["xds", "listener_metadata", "filter_metadata", "waf", "set"];
    let config = |more: &str| {
        let text = format!(
            r#"{{"directives_map": {{"one": ["A"], "two": ["B"], "three": ["C"]}},
                 "per_route_directives": {{"shop/*": "one"}},
                 "profile_metadata": {{"namespace": "waf", "key": "set", "from": ["listener"]}}{more}}}"#
        );
        PluginConfig::parse(text.as_bytes()).unwrap()
    };
    let default = config(r#", "default_directives": "two""#);
    assert_eq!(place(&default, &[]), (1, false));
    assert_eq!(place(&default, &[(ROUTE, "shop/x")]), (0, false));
    assert_eq!(
        place(&default, &[(ROUTE, "x"), (LISTENER, "three")]),
        (2, false)
    );
    // The embedded rules stand behind the three.
    assert!(default.needs_strictest());
    assert_eq!(default.lineages().len(), 4);
    assert_eq!(place(&default, &[(LISTENER, "four")]), (3, true));
    let own = config(r#", "strictest_directives": "three""#);
    assert!(!own.needs_strictest());
    assert_eq!(own.lineages().len(), 3);
    assert_eq!(place(&own, &[(LISTENER, "four")]), (2, true));
    assert_eq!(place(&own, &[]), (2, true));
    // Nothing to choose from, nothing to doubt.
    let alone = PluginConfig::parse(br#"{"directives_map": {"one": []}}"#).unwrap();
    assert_eq!(place(&alone, &[]), (1, false));
    let all = PluginConfig::parse(br#"{"profile_metadata": {}}"#).unwrap();
    assert_eq!(all.metadata, Some(ProfileMetadata::default()));
}

#[test]
fn our_own_keys() {
    let config = PluginConfig::parse(
        br#"{
            "hold_headers": "required", "hold_timeout_ms": 500.0, "forwarded_trusted": true,
            "on_error": "allow", "grpc": "inspect", "accept_encoding": "remove",
            "data_files": {"bad.data": "a\nb", "geo.mmdb": {"base64": "/wA="}},
            "denial": {"body": "<p>%{unique_id}", "content_type": "text/html",
                       "headers": {"X-Rule": "%{rule_id}"}}
        }"#,
    )
    .unwrap();
    let settings = &config.settings;
    assert_eq!(settings.hold_headers, HoldHeaders::Required);
    assert_eq!(settings.hold_timeout(), 500);
    assert!(settings.forwarded_trusted);
    assert_eq!(settings.on_error, OnError::Allow);
    assert_eq!(settings.grpc, Grpc::Inspect);
    assert_eq!(settings.accept_encoding, AcceptEncoding::Remove);
    assert_eq!(
        config.data_files,
        [
            ("bad.data".to_owned(), b"a\nb".to_vec()),
            ("geo.mmdb".to_owned(), vec![0xFF, 0])
        ]
    );
    assert_eq!(settings.denial.headers[0].0, "x-rule");
    let off = PluginConfig::parse(br#"{"hold_headers": false}"#).unwrap();
    assert_eq!(off.settings.hold_headers, HoldHeaders::Off);
}

#[test]
fn every_documented_key_is_read() {
    // A key that nobody reads would be an unknown one; a wrong type is a message of its own.
    for (key, _) in KEYS {
        let text = format!("{{\"{key}\": null}}");
        if let Err(problems) = PluginConfig::parse(text.as_bytes()) {
            let line = problems.lines().map(|(_, line)| line).collect::<String>();
            assert!(line.contains(&format!("P0601: `{key}`")), "{line}");
        }
    }
    for (key, _) in PROFILE_KEYS {
        let line = refused(&format!(
            "{{\"directives_map\": {{\"a\": {{\"{key}\": 1}}}}}}"
        ));
        assert!(
            line.contains(&format!("P0601: `directives_map`: `a`: `{key}`")),
            "{line}"
        );
    }
    for (key, _) in OVERLAY_KEYS {
        let line = refused(&format!(
            "{{\"directives_map\": {{\"a\": {{\"overlay_policy\": {{\"{key}\": {{}}}}}}}}}}"
        ));
        let path = "`directives_map`: `a`: `overlay_policy`";
        assert!(line.contains(&format!("P0601: {path}: `{key}`")), "{line}");
    }
    for (key, _) in METADATA_KEYS {
        let line = refused(&format!("{{\"profile_metadata\": {{\"{key}\": 1}}}}"));
        assert!(
            line.contains(&format!("P0601: `profile_metadata`: `{key}`")),
            "{line}"
        );
    }
    for (key, _) in DEBUG_HEADER_KEYS {
        let line = refused(&format!("{{\"debug_header\": {{\"{key}\": [1]}}}}"));
        assert!(
            line.contains(&format!("P0601: `debug_header`: `{key}`")),
            "{line}"
        );
    }
    for (key, _) in AUDIT_LOG_KEYS {
        let line = refused(&format!("{{\"audit_log\": {{\"{key}\": 1}}}}"));
        assert!(
            line.contains(&format!("P0601: `audit_log`: `{key}`")),
            "{line}"
        );
    }
    for (key, _) in DENIAL_KEYS {
        let line = refused(&format!("{{\"denial\": {{\"{key}\": 1}}}}"));
        assert!(
            line.contains(&format!("P0601: `denial`: `{key}`")),
            "{line}"
        );
    }
}

#[test]
fn values_of_the_collectors_headers_stand_in_no_message() {
    let header = |name: &str, value: &str| {
        let value = serde_json::json!(value);
        let text =
            format!(r#"{{"audit_log": {{"cluster": "c", "headers": {{"{name}": {value}}}}}}}"#);
        let refused = PluginConfig::parse(text.as_bytes());
        refused
            .err()
            .map(|problems| problems.lines().next().unwrap().1)
    };
    assert_eq!(header("Authorization", "Bearer sesame"), None);
    let line = header("authorization", "sesame\n").unwrap();
    assert!(line.contains("the value of `authorization` has"), "{line}");
    let line = header(":path", "sesame").unwrap();
    assert!(line.contains("`:path` is no name of a header"), "{line}");
    let config =
        PluginConfig::parse(br#"{"audit_log": {"cluster": "c", "headers": {"a": "sesame"}}}"#);
    assert!(!format!("{:?}", config.unwrap()).contains("sesame"));
}

#[test]
fn messages_name_the_key_and_the_place() {
    for (text, message) in [
        (
            "{\n  \"hold_header\": \"auto\"\n}",
            "plugin configuration:2:15: P0602: unknown key `hold_header`, did you mean \
             `hold_headers`? | \"hold_header\": \"auto\"",
        ),
        (
            r#"{"denial": {"bodi": ""}}"#,
            "P0602: `denial`: unknown key `bodi`, did you mean `body`?",
        ),
        (
            r#"{"zzzzzz": 1}"#,
            "P0602: unknown key `zzzzzz`, the keys are directives_map, ",
        ),
        (
            r#"{"directives_map": []}"#,
            "P0601: `directives_map`: invalid type: sequence, expected",
        ),
        (
            r#"{"directives_map": {"a": ["x", 5]}}"#,
            "P0601: `directives_map`: `a`: invalid type: integer `5`, expected a string",
        ),
        (r#"{"rules": ["a"], "rules": []}"#, "`rules` is given twice"),
        (
            r#"{"data_files": {"a": "", "a": ""}}"#,
            "`data_files`: `a` is given twice",
        ),
        (
            r#"{"data_files": {"a": {"base64": "!"}}}"#,
            "`data_files`: `a`: `base64`: not base64",
        ),
        (
            r#"{"data_files": {"a": {"hex": "00"}}}"#,
            "`data_files`: `a`: the only key is `base64`",
        ),
        (
            r#"{"hold_headers": "always"}"#,
            "`hold_headers`: `always` is none of `auto`, `requ",
        ),
        (
            r#"{"hold_timeout_ms": 0}"#,
            "`hold_timeout_ms`: 0 is no whole number from 1 to 600000",
        ),
        (
            r#"{"hold_timeout_ms": 1.5}"#,
            "`hold_timeout_ms`: 1.5 is no whole number",
        ),
        (
            r#"{"forwarded_trusted": "yes"}"#,
            "`forwarded_trusted`: invalid type: string \"yes\"",
        ),
        (
            r#"{"denial": {"status": 100}}"#,
            "`status`: 100 is no whole number from 200 to 599",
        ),
        (
            r#"{"denial": {"status": 404, "redirect": "/"}}"#,
            "`status`: with `redirect` it is one of 301,",
        ),
        (
            r#"{"scores": {"verdict": ["a"]}}"#,
            "`scores`: `verdict` cannot be the name of an entry",
        ),
        (
            r#"{"filter_state": "none"}"#,
            "`filter_state`: `none` is none of `denied`, `all`",
        ),
        (
            r#"{"directives_map": {"a": {"shadow": "b"}}}"#,
            "P0604: `directives_map.a.shadow` names `b`",
        ),
        (
            r#"{"directives_map": {"a": {"shadow": "a"}}}"#,
            "P0601: `directives_map.a.shadow`: a profile cannot be its own shadow",
        ),
        (
            r#"{"denial": {"body": "%{rule}"}}"#,
            "`body`: `rule` cannot be filled in",
        ),
        (
            r#"{"denial": {"headers": {"a b": ""}}}"#,
            "`headers.a b`: not a header name",
        ),
        (
            r#"{"denial": {"headers": {"Content-Length": ""}}}"#,
            "not free to choose",
        ),
        (
            r#"{"denial": {"headers": {"a": "x\r\ny"}}}"#,
            "has no control characters",
        ),
        (
            r#"{"default_directives": "a"}"#,
            "`default_directives` names `a`, which is not in",
        ),
        (
            r#"{"strictest_directives": "a"}"#,
            "`strictest_directives` names `a`, which is not in",
        ),
        (
            r#"{"per_route_directives": {"r": "a"}}"#,
            "P0604: `per_route_directives.r` names `a`, which is not in",
        ),
        (
            r#"{"profile_metadata": {"from": ["routes"]}}"#,
            "`from`: `routes` is none of `route`, `virtual_host`, `cluster`, `listener`",
        ),
        (
            r#"{"profile_metadata": {"from": []}}"#,
            "`from` names nothing",
        ),
        (
            r#"{"profile_metadata": {"key": "a\u0000b"}}"#,
            "`key`: empty, or with control characters",
        ),
        (
            r#"{"directives_map": {"strict": []}, "default_directives": "strct"}"#,
            "did you mean `strict`?",
        ),
        (
            r#"{"directives_map": {"a": []}, "per_authority_directives": {"*": "a", "x": "b"}}"#,
            "`per_authority_directives.*` has a `*` that is not the first label of a longer \
             name\nP0604: `per_authority_directives.x` names `b`",
        ),
        (
            r#"{"directives_map": {"a": {"extend": "b"}}}"#,
            "P0602: `directives_map`: `a`: unknown key `extend`, did you mean `extends`?",
        ),
        (
            r#"{"directives_map": {"base": [], "a": {"extends": "bass"}}}"#,
            "P0604: `directives_map.a.extends` names `bass`, which is not in `directives_map`, \
             did you mean `base`?",
        ),
        (
            r#"{"directives_map": {"a": {"extends": "a"}}}"#,
            "P0603: `directives_map.a.extends`: the profile extends itself: `a` extends `a`",
        ),
        (
            r#"{"directives_map": {"d": {"extends": "a"}, "a": {"extends": "b"},
                                   "b": {"extends": "c"}, "c": {"extends": "a"}}}"#,
            "P0603: `directives_map.a.extends`: the profile extends itself: `a` extends `b` \
             extends `c` extends `a`",
        ),
        (
            r#"{"directives_map": {"a": {"overlay": true}}}"#,
            "P0601: `directives_map.a.overlay`: an overlay needs a base that it `extends`",
        ),
        (
            r#"{"directives_map": {"b": [], "a": {"extends": "b", "overlay": true,
                                                  "overlay_policy": {}}}}"#,
            "P0601: `directives_map.a.overlay_policy` stands in an overlay: only a base has one",
        ),
        (
            r#"{"directives_map": {"b": {"overlay_policy": {"directives": ["SecRuleEngine"]}}}}"#,
            "`overlay_policy`: `directives`: `SecRuleEngine` cannot be allowed to overlays, there",
        ),
        (
            r#"{"directives_map": {"b": {"overlay_policy": {"ids": ["9-1"]}}}}"#,
            "`overlay_policy`: `ids`: the range `9-1` runs backwards",
        ),
        (
            r#"{"directives_map": {"b": {"overlay_policy": {"locked": [5, "tag:"]}}}}"#,
            "`overlay_policy`: `locked`: a tag without a name",
        ),
        (
            r#"{"directives_map": {"b": {"overlay_policy": {"variables": "tx."}}}}"#,
            "`overlay_policy`: `variables`: `tx.` names no variable",
        ),
        (
            "[]",
            "plugin configuration:1:1: P0601: invalid type: sequence, expected an object",
        ),
        ("{\"rules\": [}", "P0601: `rules`: expected value"),
        ("{} x", "P0601: trailing characters"),
        ("nonsense", "P0601: expected ident"),
    ] {
        let line = refused(text);
        assert!(
            line.contains(message),
            "{text}\n  gave   {line}\n  wanted {message}"
        );
    }
}

#[test]
fn a_struct_is_read_like_its_json() {
    let json = serde_json::json!({
        "directives_map": {"default": ["SecRuleEngine On"]},
        "default_directives": "default",
        "hold_timeout_ms": 700,
    });
    let config = PluginConfig::parse(&structure::tests::encode(&json)).unwrap();
    assert_eq!(
        config,
        PluginConfig::parse(json.to_string().as_bytes()).unwrap()
    );
    let wrong = structure::tests::encode(&serde_json::json!({"rulez": []}));
    let problems = PluginConfig::parse(&wrong).unwrap_err();
    let line = problems.lines().next().unwrap().1;
    assert!(
        line.starts_with("plugin configuration (Struct):1:"),
        "{line}"
    );
    assert!(line.contains("did you mean `rules`?"), "{line}");
}

#[test]
fn equal_lists_are_compiled_once_and_all_mistakes_are_told() {
    let config = PluginConfig::parse(
        br#"{"directives_map": {"a": ["x"], "b": ["x"], "c": ["y"]}, "default_directives": "a"}"#,
    )
    .unwrap();
    let mut compiled = Vec::new();
    let filter = config.build(Rc::default(), |lineage, _| {
        let own = lineage.last().unwrap();
        compiled.push(format!("{}={}", own.name, text(own)));
        Some(FakeRules::default())
    });
    assert!(filter.is_some());
    assert_eq!(compiled, ["directives_map.a=x", "directives_map.c=y"]);
    let mut tried = 0;
    let refused = config.build::<FakeRules>(Rc::default(), |_, _| {
        tried += 1;
        None
    });
    assert!(refused.is_none());
    assert_eq!(tried, 2);
}

#[test]
fn directives_may_be_one_text_and_join_by_lines() {
    let config = PluginConfig::parse(
        br#"{"directives_map": {"a/b": ["SecRule A \\", "  \"@rx x\""]}, "default_directives": "a/b"}"#,
    )
    .unwrap();
    assert_eq!(
        chosen(&config, None),
        "directives_map.a.b: SecRule A \\\n  \"@rx x\""
    );
    let text = PluginConfig::parse(br#"{"rules": "A\nB"}"#).unwrap();
    assert_eq!(chosen(&text, None), "directives_map.default: A\nB");
}
