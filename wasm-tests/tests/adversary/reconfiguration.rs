//! New configurations while streams are under way.

use parapet::wasm_host::{Cue, Plugin, Scene, Told};

use super::{FORM, counted, factor, none_arrives, page, pairs, request, start, words};

fn begin(plugin: &mut Plugin) -> u32 {
    let id = plugin.stage(&Scene {
        request: pairs(&[
            (":authority", "shop.example.org"),
            (":method", "POST"),
            (":path", "/"),
            FORM,
        ]),
        source: b"192.0.2.7:40000".to_vec(),
        protocol: b"HTTP/1.1".to_vec(),
        ..Scene::default()
    });
    plugin.cue(id, &Cue::Create).unwrap();
    plugin.cue(id, &Cue::RequestHeaders(false)).unwrap();
    id
}

fn finish(plugin: &mut Plugin, id: u32, body: &str) -> Told {
    let told = plugin
        .cue(id, &Cue::RequestBody(body.into(), true))
        .unwrap();
    for cue in [Cue::Log, Cue::Done, Cue::Delete] {
        plugin.cue(id, &cue).unwrap();
    }
    plugin.strike(id);
    told
}

fn denying(word: &str) -> String {
    format!(
        r#"{{"rules": ["SecRuleEngine On", "SecRequestBodyAccess On",
        "SecRule ARGS \"@streq {word}\" \"id:1,phase:2,deny,log\""]}}"#
    )
}

#[test]
fn streams_end_on_the_rules_they_began_with() {
    let mut plugin = start(&denying("old"), |_| {});
    let (first, second) = (begin(&mut plugin), begin(&mut plugin));
    assert!(plugin.reconfigure(denying("new")).unwrap());
    let (third, fourth) = (begin(&mut plugin), begin(&mut plugin));
    assert!(!finish(&mut plugin, first, "a=old").goes_on());
    assert!(finish(&mut plugin, third, "a=old").goes_on());
    // Even when their root is gone.
    plugin.drain().unwrap();
    plugin.tick().unwrap();
    assert!(finish(&mut plugin, second, "a=new").goes_on());
    assert!(!finish(&mut plugin, fourth, "a=new").goes_on());
}

#[test]
fn a_refused_configuration_leaves_the_old_one_serving() {
    let mut plugin = start(&words("", ""), |_| {});
    let under_way = begin(&mut plugin);
    for refused in [
        "{",
        r#"{"rulez": []}"#,
        r#"{"rules": ["SecRulee"]}"#,
        r#"{"rules": ["SecRule ARGS \"@rx (\" \"id:1,phase:2,deny\""]}"#,
        r#"{"buffer_limit": 0}"#,
    ] {
        assert!(!plugin.reconfigure(refused).unwrap(), "{refused}");
        let log = plugin.take_log();
        let said = |line: &str| log.iter().any(|it| it.text.ends_with(line.as_bytes()));
        assert!(said("see the lines above"), "{refused}");
        none_arrives(&mut plugin, refused);
    }
    assert!(!finish(&mut plugin, under_way, "a=evil2").goes_on());
    let fine = request("/", &[b"a=1"]);
    let outcome = plugin.exchange(&fine, &mut |_| page("fine", &[])).unwrap();
    assert!(outcome.upstream.unwrap().complete);
}

#[test]
fn what_old_streams_hold_counts_for_new_configurations() {
    let keys = r#", "bytes_in_flight_limit": 1048576"#;
    let mut plugin = start(&words("", keys), |_| {});
    let piece = "a=some+words&".repeat(10_000);
    let old: Vec<u32> = (0..20).map(|_| begin(&mut plugin)).collect();
    for &id in &old {
        let cue = Cue::RequestBody(piece.clone().into(), false);
        plugin.cue(id, &cue).unwrap();
    }
    assert!(counted(&plugin, "tx.overload") > 0);
    assert!(plugin.reconfigure(words("", keys)).unwrap());
    let fine = request("/", &[]);
    let ask = |plugin: &mut Plugin| {
        let outcome = plugin.exchange(&fine, &mut |_| page("fine", &[])).unwrap();
        outcome.reply.status()
    };
    assert_eq!(ask(&mut plugin), Some(503));
    for id in old {
        finish(&mut plugin, id, &piece);
    }
    assert_eq!(ask(&mut plugin), Some(200));
}

/// The embedded rules; in long runs the Core Rule Set, where the filter has it.
fn rules() -> String {
    let crs = r#"{"rules": ["Include @demo-conf", "Include @crs-setup-conf",
        "Include @owasp_crs/*.conf"]}"#;
    let takes_crs =
        || Plugin::start(super::module(), parapet::wasm_host::Settings::new(crs)).is_ok();
    if factor() > 1 && takes_crs() {
        crs.to_owned()
    } else {
        super::BASELINE.to_owned()
    }
}

#[test]
fn configurations_that_come_and_go_leave_no_memory_behind() {
    let rules = rules();
    let mut plugin = start(&rules, |_| {});
    // The allocator needs some rounds until every hole has found what fits into it.
    let (settled, all) = (29, 100);
    let mut warm = 0;
    for round in 0..all {
        let under_way = begin(&mut plugin);
        assert!(plugin.reconfigure(rules.as_str()).unwrap());
        assert!(!plugin.reconfigure(r#"{"rules": ["SecRulee"]}"#).unwrap());
        assert!(finish(&mut plugin, under_way, "a=1").goes_on());
        plugin.drain().unwrap();
        let fine = request("/?a=1", &[b"b=2"]);
        plugin.exchange(&fine, &mut |_| page("fine", &[])).unwrap();
        plugin.take_log();
        if round == settled {
            warm = plugin.memory_size();
        }
    }
    let end = plugin.memory_size();
    println!("linear memory: {warm} bytes after {settled} configurations, {end} after {all}");
    assert_eq!(end, warm);
}
