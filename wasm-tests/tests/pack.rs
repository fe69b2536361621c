//! Packed filters: they decide as the filter does that compiles its rules itself, and hold nothing
//! that a VM must have of its own.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::OnceLock;

use parapet::wasm_host::{
    Exchange, HostError, Incoming, ManualClock, Module, Packed, Plugin, Reply, Settings, pack,
};
use wasm_tests::project;

/// The Core Rule Set at two levels, by authority; without it the embedded rules.
fn configuration() -> String {
    let level = |paranoia: u8| {
        if !project().join("rules/crs").is_dir() {
            assert!(
                std::env::var_os("PARAPET_REQUIRE_DATA").is_none(),
                "rules/crs is missing: run `make crs`"
            );
            return serde_json::json!(["Include @demo-conf", "Include @baseline/*.conf"]);
        }
        let set = format!(
            "SecAction \"id:1,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level={paranoia}\""
        );
        let lines = ["Include @demo-conf", "Include @crs-setup-conf", &set];
        serde_json::json!([&lines[..], &["Include @owasp_crs/*.conf"]].concat())
    };
    // What else rules can be made of: loading any of it must ask the host for nothing.
    let all = [
        "SecRuleEngine On",
        "SecUnicodeMapFile unicode.mapping 20127",
        "SecDataset words `\nbarley\noats\n`",
        "SecRule ARGS \"@pmFromDataset words\" \"id:10,phase:2,deny\"",
        "SecRule ARGS \"@pmFromFile more\" \"id:11,phase:2,deny,chain\"",
        "SecRule TX:/^seen_/|ARGS:/^a/|!ARGS:b \"@rx (a)(?=b)%{tx.end}\" \"capture,t:lowercase\"",
        "SecRule REMOTE_ADDR \"@ipMatchFromFile nets\" \"id:12,phase:1,deny,skipAfter:END\"",
        "SecAction \"id:13,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:tx.seen_%{ARGS.x}=1\"",
        "SecRule STREAM_OUTPUT_BODY \"@rsub s/a/b/\" \"id:14,phase:4,pass,nolog\"",
        "SecRule XML:/* \"@detectSQLi\" \"id:15,phase:2,deny\"",
        "SecMarker END",
    ];
    serde_json::json!({
        "directives_map": {
            "one": level(1),
            "four": level(4),
            "all": {"directives": all, "overlay_policy": {"unlocked": ["15"]}},
            "shop": {"extends": "all", "overlay": true, "shadow": "one",
                "directives": ["SecRuleUpdateTargetById 15 \"!XML:/a\""]},
        },
        "data_files": {"more": "rye\n", "nets": "10.0.0.0/8\n"},
        "metric_labels": {"owner": "a"},
        "profile_metadata": {},
        "per_route_directives": {"all": "all"},
        "default_directives": "one",
        "per_authority_directives": {"four.example": "four", "shop.example": "shop"},
    })
    .to_string()
}

fn filter() -> Vec<u8> {
    std::fs::read(wasm_tests::wasm()).unwrap()
}

/// Packed once for all tests.
fn packed() -> &'static Packed {
    static PACKED: OnceLock<Packed> = OnceLock::new();
    PACKED.get_or_init(|| pack(&filter(), configuration().as_bytes()).unwrap())
}

/// VMs of it count their instructions.
fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::compile_counting(&packed().module).unwrap())
}

/// The filter itself.
fn unpacked() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::compile_counting(&filter()).unwrap())
}

fn settings(configuration: &str) -> Settings {
    let mut settings = Settings::new(configuration);
    settings.clock = Rc::new(ManualClock::at(1_700_000_000_000_000_000));
    settings
}

fn start(module: &Module, configuration: &str) -> Plugin {
    Plugin::start(module, settings(configuration)).unwrap()
}

fn get(authority: &str, path: &str, agent: &str) -> Exchange {
    let head = [
        (":authority", authority),
        (":method", "GET"),
        (":path", path),
        (":scheme", "http"),
        ("user-agent", agent),
        ("accept", "text/html"),
    ];
    Exchange {
        request: Incoming {
            headers: head
                .iter()
                .map(|&(name, value)| (name.into(), value.into()))
                .collect(),
            ..Default::default()
        },
        protocol: b"HTTP/1.1".to_vec(),
        source: b"192.0.2.7:40000".to_vec(),
        destination: b"198.51.100.1:8080".to_vec(),
        ..Default::default()
    }
}

/// The status of a denial, none for what passes, and the log without what names the transaction.
fn outcome(plugin: &mut Plugin, exchange: &Exchange) -> (Option<u16>, Vec<String>) {
    let _ = plugin.take_log();
    let page = |_: &_| Incoming {
        headers: vec![(b":status".to_vec(), b"200".to_vec())],
        ..Default::default()
    };
    let outcome = plugin.exchange(exchange, &mut { page }).unwrap();
    let status = match outcome.reply {
        Reply::Upstream(_) => None,
        reply => Some(reply.status().unwrap()),
    };
    let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    let log = plugin.take_log().into_iter().map(|line| text(&line.text));
    let anonymous = |line: String| line.split(" [unique_id").next().unwrap_or("").to_owned();
    (status, log.map(anonymous).collect())
}

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0";

#[test]
fn verdicts_are_those_of_the_filter_that_compiles_its_rules() {
    let mut packed = start(module(), "");
    let mut other = start(unpacked(), &configuration());
    let mut denied = 0;
    for authority in ["one.example", "four.example"] {
        for path in [
            "/",
            "/search?q=sandbox&page=2",
            "/search?q=sel%C3%A9ct+*+from+the+menu",
            "/item?id=1%27%20OR%20%271%27=%271",
            "/?m=%3Cscript%3Ealert(1)%3C/script%3E",
            "/?file=../../../../etc/passwd",
            "/?run=;cat%20/etc/shadow",
            "/?x=${jndi:ldap://evil.example/a}",
        ] {
            for agent in [BROWSER, "sqlmap/1.8"] {
                let asked = get(authority, path, agent);
                let (status, log) = outcome(&mut packed, &asked);
                let expected = outcome(&mut other, &asked);
                assert_eq!((status, log), expected, "{authority}{path}");
                denied += usize::from(status.is_some());
            }
        }
    }
    assert!((10..28).contains(&denied), "{denied} of 32 were denied");
}

#[test]
fn a_packed_module_starts_at_once() {
    let instructions = |plugin: &Plugin| plugin.instructions().unwrap();
    let cold = instructions(&start(unpacked(), &configuration()));
    // The same lists under other settings are found, too.
    let equal = configuration().replacen('{', "{\"grpc\": \"inspect\",", 1);
    for configuration in ["", &equal] {
        let packed = start(module(), configuration);
        let warm = instructions(&packed);
        assert!(warm < cold / 500, "{warm} instructions instead of {cold}");
        assert_eq!(packed.memory_size(), self::packed().memory);
    }
}

#[test]
fn a_packed_module_takes_other_configurations() {
    let rules = r#"{"rules": ["SecRuleEngine On",
        "SecRule ARGS \"@streq barley\" \"id:1,phase:1,deny,status:406\""]}"#;
    let mut plugin = start(module(), rules);
    let status = |plugin: &mut Plugin, path| outcome(plugin, &get("a.example", path, BROWSER)).0;
    let attack = "/item?id=1%27%20OR%20%271%27=%271";
    assert_eq!(status(&mut plugin, "/?q=barley"), Some(406));
    assert_eq!(status(&mut plugin, attack), None);
    assert!(plugin.reconfigure("").unwrap());
    assert_eq!(status(&mut plugin, "/?q=barley"), None);
    assert_eq!(status(&mut plugin, attack), Some(403));
    assert!(!plugin.reconfigure(r#"{"rules": ["SecRulee"]}"#).unwrap());
    assert_eq!(status(&mut plugin, attack), Some(403));
}

#[test]
fn every_vm_hashes_with_a_key_of_its_own() {
    let memory = |seed: u64| {
        let mut settings = settings("");
        settings.seed = seed;
        let plugin = Plugin::start(module(), settings).unwrap();
        plugin.memory().to_vec()
    };
    // The host's random numbers are all that can differ. A VM whose key had been packed would not ask
    // for any.
    let one = memory(1);
    assert!(one == memory(1), "something else than the seed differs");
    let other = memory(2);
    let differ = one.iter().zip(&other).filter(|(one, other)| one != other);
    let differ = differ.count();
    assert!(differ >= 12, "{differ} bytes differ");
}

#[test]
fn packing_twice_makes_the_same_module() {
    let again = pack(&filter(), configuration().as_bytes()).unwrap();
    assert!(again.module == packed().module);
}

#[test]
fn hosts_load_it_like_any_filter() {
    let imports: BTreeSet<String> = unpacked().imports().into_iter().collect();
    assert_eq!(imports, module().imports().into_iter().collect());
    // A host that calls `_initialize` may, and finds it; nothing else can be packed again.
    let mut exports: BTreeSet<String> = unpacked().exports().into_iter().collect();
    assert!(exports.remove("wizer-initialize") && exports.remove("wizer-resume"));
    assert_eq!(exports, module().exports().into_iter().collect());
    let error = pack(&packed().module, b"").unwrap_err();
    let missing = HostError::MissingExport("wizer-initialize".to_owned());
    assert_eq!(error, missing);
}

#[test]
fn broken_rules_are_not_packed() {
    let rules = r#"{"rules": ["SecRule ARGS \"@rx (\" \"id:1,deny\"", "Include @no-such-conf"]}"#;
    let error = pack(&filter(), rules.as_bytes()).unwrap_err();
    let HostError::Refused { callback, log } = &error else {
        panic!("{error}")
    };
    assert_eq!(*callback, "wizer-initialize");
    for message in ["P0302", "no-such-conf", "2 error(s)"] {
        assert!(log.iter().any(|line| line.contains(message)), "{log:?}");
    }
}

/// A module whose `wizer-initialize` does something, with an import that it may call.
fn guest(initialize: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "random_get"
                (func $random (param i32 i32) (result i32)))
            (import "env" "proxy_get_buffer_bytes"
                (func $buffer (param i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (global $state (mut i64) (i64.const 1))
            (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 64))
            (func (export "_initialize") (global.set $state (i64.const 2)))
            (func (export "wizer-resume"))
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "proxy_on_context_create") (param i32 i32))
            (func (export "state") (result i64)
                (i64.add (global.get $state) (i64.load (i32.const 64))))
            (func (export "wizer-initialize")
                (global.set $state (i64.const 3))
                {initialize}))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn what_depends_on_a_host_is_not_packed() {
    let error = pack(
        &guest("(drop (call $random (i32.const 0) (i32.const 8)))"),
        b"",
    )
    .unwrap_err();
    let name = "wasi_snapshot_preview1.random_get";
    assert_eq!(error, HostError::ForbiddenImport(name.to_owned()));
    assert!(error.to_string().contains(name));
    let error = pack(&guest("unreachable"), b"").unwrap_err();
    assert!(matches!(error, HostError::Trap { .. }), "{error}");
    let error = pack(b"no module", b"").unwrap_err();
    assert!(matches!(error, HostError::Pack(_)), "{error}");
}

#[test]
fn memory_and_globals_are_packed_and_nothing_runs_again() {
    let read = "(drop (call $buffer (i32.const 7) (i32.const 0) (i32.const -1) (i32.const 0)
        (i32.const 4)))";
    let packed = pack(&guest(read), &[40]).unwrap();
    assert_eq!(packed.memory, 64 << 10);
    // The host calls `_initialize`, which would set the state to 2.
    let mut plugin = start(&Module::compile(&packed.module).unwrap(), "");
    assert_eq!(plugin.counter("state"), Ok(Some(43)));
}
