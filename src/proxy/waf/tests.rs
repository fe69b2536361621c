use super::super::fake::FakeHost;
use super::super::host::Level;
use super::super::{Flow, Stream};
use super::*;
use crate::engine::UnixNanos;
use crate::transform::{Context, Transformation};

struct NoTime;

impl Clock for NoTime {
    fn now(&self) -> UnixNanos {
        0
    }
}

pub(in crate::proxy) type Guarded = Rc<Filter<Shadowed<Rc<Waf>>>>;

fn filter(host: &FakeHost, config: &[u8]) -> Option<Guarded> {
    filter_in(&Rc::default(), host, config)
}

pub(in crate::proxy) fn filter_in(vm: &Rc<Vm>, host: &FakeHost, config: &[u8]) -> Option<Guarded> {
    let clock: Rc<dyn Clock> = Rc::new(NoTime);
    configure(host, config, vm, &clock).map(Rc::new)
}

/// The rules that a request for an authority gets.
pub(in crate::proxy) fn rules(filter: &Guarded, authority: &str) -> Shadowed<Rc<Waf>> {
    let host = FakeHost::default();
    let chosen = filter.profile(&host, Some(authority.as_bytes())).unwrap();
    chosen.rules.clone()
}

/// What becomes of a GET of a target.
pub(in crate::proxy) fn get(host: &FakeHost, filter: &Guarded, target: &str) -> Flow {
    get_with(host, filter, target, &[])
}

/// The same with more headers.
pub(in crate::proxy) fn get_with(
    host: &FakeHost,
    filter: &Guarded,
    target: &str,
    more: &[(&str, &str)],
) -> Flow {
    let head = [
        (":method", "GET"),
        (":path", target),
        (":authority", "example.com"),
    ];
    let headers = [("user-agent", "Mozilla/5.0"), ("accept", "*/*")];
    host.state(|state| {
        let all = head.into_iter().chain(headers);
        state.request_headers = Some(all.chain(more.iter().copied()).collect());
    });
    let mut stream = Stream::new(Rc::clone(filter), 1);
    let flow = stream.on_request_headers(host, true);
    stream.on_log(host);
    flow
}

#[test]
fn directives_and_files_of_a_configuration_judge_requests() {
    let host = FakeHost::default();
    host.set_fake_property(&["source", "address"], b"192.0.2.1:4711");
    let config = br#"{
        "data_files": {"words.data": "sesame\n"},
        "rules": ["SecRuleEngine On",
            "SecRule ARGS \"@pmFromFile words.data\" \"id:7,phase:2,deny,status:406,severity:ERROR,msg:'word'\""]
    }"#;
    let filter = filter(&host, config).expect("accepted");
    assert_eq!(get(&host, &filter, "/?open=please"), Flow::Continue);
    assert_eq!(host.log_text(), "");
    assert_eq!(get(&host, &filter, "/?open=sesame"), Flow::Pause);
    assert_eq!(host.state(|state| state.replies[0].status), 406);
    let (level, line) = host.state(|state| state.log[0].clone());
    let line = String::from_utf8(line).unwrap();
    assert_eq!(level, Level::Error);
    assert!(line.starts_with("[client 192.0.2.1] ModSecurity: Access denied with code 406"));
    assert!(
        line.contains("[line \"2\"] [id \"7\"]") && line.contains("[msg \"word\"]"),
        "{line}"
    );
}

#[test]
fn audit_records_are_lines_of_the_hosts_log() {
    let config = br#"{"rules": ["SecRuleEngine On", "SecAuditEngine RelevantOnly",
        "SecAuditLogFormat JSON",
        "SecRule ARGS:password \"@rx .\" \"id:7,phase:1,deny,msg:'%{MATCHED_VAR}'\""]}"#;
    let host = FakeHost::default();
    let filter = filter(&host, config).expect("accepted");
    assert_eq!(get(&host, &filter, "/?q=a"), Flow::Continue);
    assert_eq!(host.log_text(), "");
    assert_eq!(get(&host, &filter, "/?password=sesame99"), Flow::Pause);
    let (level, record) = host.state(|state| state.log[1].clone());
    assert_eq!(level, Level::Info);
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    assert_eq!(
        record["transaction"]["messages"][0]["details"]["ruleId"],
        "7"
    );
    assert!(!host.log_text().contains("sesame"));
}

#[test]
fn work_beyond_the_limit_is_counted() {
    let target = format!("/?q={}", "a".repeat(5000));
    for (action, flow, uninspected) in [
        ("Reject", Flow::Pause, 0),
        ("ProcessPartial", Flow::Continue, 1),
    ] {
        let config = format!(
            r#"{{"rules": ["SecRuleEngine On", "SecParapetWorkLimit 9000",
                "SecParapetWorkLimitAction {action}",
                "SecRule ARGS \"@rx b\" \"id:1,phase:1,pass\""]}}"#
        );
        let host = FakeHost::default();
        let filter = filter(&host, config.as_bytes()).expect("accepted");
        assert_eq!(get(&host, &filter, "/?q=a"), Flow::Continue);
        assert_eq!(host.log_text(), "");
        assert_eq!(get(&host, &filter, &target), flow, "{action}");
        assert_eq!(host.metric("tx.limits_limit=work"), 1);
        assert_eq!(
            host.metric("tx.uninspected_reason=work_limit"),
            uninspected,
            "{action}"
        );
        assert!(
            host.log_text()
                .contains("Work limit of 9000 steps is spent")
        );
    }
}

#[test]
fn files_of_a_configuration_need_not_be_text() {
    let mut base64 = Vec::new();
    let file = crate::operator::small_geography();
    Transformation::Base64Encode.apply(&file, &mut base64, Context::default());
    let config = format!(
        r#"{{"data_files": {{"geo.mmdb": {{"base64": "{}"}}}},
            "rules": ["SecRuleEngine On", "SecGeoLookupDb geo.mmdb",
                "SecRule ARGS:ip \"@geoLookup\" \"id:1,phase:1,pass,nolog,chain\"",
                "SecRule GEO:COUNTRY_CODE \"@streq NZ\" \"t:none\"",
                "SecRule &GEO \"@gt 0\" \"id:2,phase:1,deny\""]}}"#,
        String::from_utf8(base64).unwrap()
    );
    let host = FakeHost::default();
    let filter = filter(&host, config.as_bytes()).expect("accepted");
    assert_eq!(get(&host, &filter, "/?ip=192.0.2.1"), Flow::Pause);
    assert_eq!(get(&host, &filter, "/?ip=10.0.0.1"), Flow::Continue);
}

#[test]
fn without_a_configuration_the_embedded_rules_guard() {
    let host = FakeHost::default();
    let filter = filter(&host, b"").expect("the embedded default always works");
    assert_eq!(
        get(&host, &filter, "/?q=shoes"),
        Flow::Continue,
        "{}",
        host.log_text()
    );
    assert_eq!(get(&host, &filter, "/?q=1'%20OR%20'1'='1"), Flow::Pause);
    assert_eq!(host.state(|state| state.replies[0].status), 403);
}

#[test]
fn a_profile_inherits_settings_always_and_rules_unless_it_says_no() {
    let host = FakeHost::default();
    let config = |switch: &str| {
        serde_json::json!({
            "directives_map": {
                "base": ["SecRuleEngine On",
                    "SecDefaultAction \"phase:1,log,deny,status:406\"",
                    "SecRule ARGS \"@rx one\" \"id:1,phase:1,block\"",
                    "SecRule ARGS \"@rx three\" \"id:3,phase:1,block\""],
                "shop": {"extends": "base", "directives": [
                    "SecRule ARGS \"@rx two\" \"id:2,phase:1,block\"",
                    "SecRuleRemoveById 3",
                    switch]}
            },
            "default_directives": "shop"
        })
        .to_string()
    };
    for (switch, one) in [
        ("", Flow::Pause),
        ("SecRuleInheritance On", Flow::Pause),
        ("SecRuleInheritance Off", Flow::Continue),
    ] {
        let filter = filter(&host, config(switch).as_bytes()).expect(switch);
        assert_eq!(get(&host, &filter, "/?a=one"), one, "{switch}");
        assert_eq!(get(&host, &filter, "/?a=three"), Flow::Continue, "{switch}");
        assert_eq!(get(&host, &filter, "/?a=two"), Flow::Pause, "{switch}");
        assert_eq!(host.state(|state| state.replies.pop().unwrap().status), 406);
    }
}

#[test]
fn what_is_wrong_with_a_parent_is_told_once() {
    let host = FakeHost::default();
    let config = br#"{"directives_map": {"base": ["SecRulee"], "a": {"extends": "base"},
                                         "b": {"extends": "a", "directives": ["SecRull"]}},
                      "default_directives": "b"}"#;
    assert!(filter(&host, config).is_none());
    let log = host.log_text();
    assert_eq!(log.matches("P0201").count(), 2, "{log}");
    assert!(log.contains("refused: 2 error(s)"), "{log}");
}

#[test]
fn mistakes_in_rules_are_told_with_their_line() {
    let host = FakeHost::default();
    let config = br#"{"rules": ["SecRuleEngine On", "SecRulee ARGS \"@rx a\" \"id:1\""]}"#;
    assert!(filter(&host, config).is_none());
    let log = host.log_text();
    assert!(
        log.contains("Error parapet: directives_map.default:2:1: P0201"),
        "{log}"
    );
    assert!(log.ends_with("the configuration is refused: 1 error(s), see the lines above\n"));
}

#[test]
fn equal_rules_are_there_once_and_go_with_their_last_user() {
    let host = FakeHost::default();
    let vm = Rc::default();
    let config = |word: &str, more: &str| {
        format!(
            r#"{{"directives_map": {{
                "a": {{"directives": ["SecRuleEngine On", "SecRule ARGS \"@pmFromFile w\" \"id:1,deny\""],
                      "shadow": "b"}},
                "b": ["SecRuleEngine On", "SecRule ARGS \"@pmFromFile w\" \"id:1,deny\""],
                "c": ["SecRuleEngine Off"]}},
              "data_files": {{"w": "{word}"}}, "default_directives": "a",
              "per_authority_directives": {{"b": "b", "c": "c"}}{more}}}"#
        )
    };
    let one = filter_in(&vm, &host, config("x", "").as_bytes()).unwrap();
    // `a` and `b` are equal, and so is the shadow, but what rules remember is its own.
    let (a, b, c) = (rules(&one, "a"), rules(&one, "b"), rules(&one, "c"));
    let program = |rules: &Rc<Waf>| std::sync::Arc::clone(rules.program());
    let same =
        |one: &Rc<Waf>, other: &Rc<Waf>| std::sync::Arc::ptr_eq(&program(one), &program(other));
    assert!(Rc::ptr_eq(a.rules(), b.rules()));
    assert!(!same(a.rules(), c.rules()));
    let (_, shadow) = a.shadow().unwrap();
    assert!(!Rc::ptr_eq(a.rules(), shadow));
    assert!(same(a.rules(), shadow));
    assert_eq!(vm.programs.in_use(), 2);
    // Another plugin of the VM, or a new generation with other settings.
    let two = filter_in(&vm, &host, config("x", r#", "grpc": "inspect""#).as_bytes()).unwrap();
    assert_eq!(vm.programs.in_use(), 2);
    assert!(same(a.rules(), rules(&two, "a").rules()));
    assert!(!Rc::ptr_eq(a.rules(), rules(&two, "a").rules()));
    // Other files, other rules.
    let three = filter_in(&vm, &host, config("y", "").as_bytes()).unwrap();
    assert_eq!(vm.programs.in_use(), 4);
    assert_eq!(get(&host, &two, "/?a=y"), Flow::Continue);
    assert_eq!(get(&host, &three, "/?a=y"), Flow::Pause);
    drop((one, a, b, c, three));
    assert_eq!(vm.programs.in_use(), 2);
    drop(two);
    assert_eq!(vm.programs.in_use(), 0);
}

#[test]
fn profiles_have_shadows_and_pages_of_their_own() {
    let host = FakeHost::default();
    let config = br#"{
        "denial": {"body": "general", "headers": {"x-request": "%{request_id}"}},
        "directives_map": {
            "old": {"directives": ["SecRuleEngine On", "SecRule ARGS \"@streq a\" \"id:1,phase:1,deny\""],
                    "shadow": "new", "denial": {"status": 404}},
            "new": {"extends": "old", "denial": {"body": "new"}, "directives": [
                    "SecRule ARGS \"@streq b\" \"id:2,phase:1,deny,msg:'b',setvar:tx.anomaly_score=9\""]}},
        "default_directives": "old", "per_authority_directives": {"n": "new"}}"#;
    let filter = filter(&host, config).expect("accepted");
    assert_eq!(get(&host, &filter, "/?x=b"), Flow::Continue);
    let log = host.log_text();
    assert!(log.contains("ModSecurity: Warning. "), "{log}");
    assert!(
        log.contains("[id \"2\"]") && log.contains("[shadow \"new\"]"),
        "{log}"
    );
    assert!(log.contains("shadow \"new\" would have denied with 403 in phase 1 by rule 2"));
    assert_eq!(get(&host, &filter, "/?x=a"), Flow::Pause);
    let reply = host.state(|state| state.replies[0].clone());
    assert_eq!((reply.status, &reply.body[..]), (404, &b"general"[..]));
    let page = filter.profile(&host, Some(b"n")).unwrap().page;
    assert_eq!(page.status, Some(404));
    assert_eq!(page.headers.len(), 1);
    assert_ne!(page.body, filter.page().body);
}
