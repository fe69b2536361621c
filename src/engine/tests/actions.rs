//! Every action does what it does in ModSecurity 2.9, or says what it does instead.

use super::*;
use crate::diagnostic::Code;

/// The interruption that rules make of a GET, with what they are told when they load.
fn decided(rules: &str, target: &str) -> (Option<Interruption>, Vec<Code>) {
    let text = format!("SecRuleEngine On\n{rules}");
    let compiled = compile(&[("test.conf".into(), text.into_bytes())], &NoFiles);
    let codes = compiled.diagnostics.iter().map(|one| one.code).collect();
    let program = compiled
        .program
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    let mut transaction =
        Transaction::new(&Waf::new(program, Rc::new(Noon)), Connection::default());
    let _ = transaction.request_head(&head(target, &[]));
    let _ = transaction.end_request_body();
    (transaction.interruption().cloned(), codes)
}

#[test]
fn pause_waits_before_the_answer_and_leaves_the_decision() {
    let status = |rules: &str| {
        let mut transaction = begin(rules);
        let _ = transaction.request_head(&head("/?ms=25", &[]));
        let status = transaction.interruption().map(|one| one.status);
        (status, transaction.pause())
    };
    assert_eq!(status("SecAction \"id:1,phase:1,pause:1000\""), (None, 0));
    for (actions, milliseconds) in [
        ("deny,pause:1000", 1000),
        ("pause:%{ARGS.ms},deny", 25),
        ("deny,pause:%{ARGS.none}", 0),
        ("deny,pause:-5", 0),
        ("deny,pause:99999999", 60_000),
    ] {
        let rule = format!("SecAction \"id:1,phase:1,{actions}\"");
        assert_eq!(status(&rule), (Some(403), milliseconds), "{actions}");
    }
    let default = "SecDefaultAction \"phase:1,deny,status:418,pause:7\"\n";
    let rule = format!("{default}SecAction \"id:1,phase:1,block\"");
    assert_eq!(status(&rule), (Some(418), 7));
    let rule = format!("{default}SecAction \"id:1,phase:1,pause:10\"");
    assert_eq!(status(&rule), (Some(418), 10));
    assert_eq!(
        decided("SecAction \"id:1,phase:1,deny,pause:10\"", "/").1,
        []
    );
}

#[test]
fn proxy_denies_as_without_a_proxy() {
    let (interruption, codes) = decided("SecAction \"id:1,phase:1,proxy:http://x.example/\"", "/");
    assert_eq!(codes, [Code::SandboxLimit]);
    let interruption = interruption.unwrap();
    assert_eq!(
        (interruption.disposition, interruption.status),
        (Disposition::Deny, 500)
    );
}

#[test]
fn exec_is_told_and_the_rule_goes_on() {
    let (interruption, codes) = decided("SecAction \"id:1,phase:1,deny,exec:/bin/notify\"", "/");
    assert_eq!(codes, [Code::SandboxLimit]);
    assert_eq!(interruption.unwrap().status, 403);
}

#[test]
fn redirect_takes_macros_and_its_own_statuses() {
    for (status, expected) in [
        ("", 302),
        (",status:301", 301),
        (",status:303", 303),
        (",status:307", 307),
        (",status:308", 308),
        (",status:404", 302),
    ] {
        let rule = format!(
            "SecRule ARGS:a \"@rx .\" \
             \"id:1,phase:1,redirect:https://x.example/?u=%{{REQUEST_FILENAME}}{status}\""
        );
        let (interruption, codes) = decided(&rule, "/page?a=1");
        assert_eq!(codes, []);
        let interruption = interruption.unwrap();
        assert_eq!(interruption.status, expected);
        assert_eq!(
            interruption.location.as_deref(),
            Some(b"https://x.example/?u=/page".as_slice())
        );
    }
}

#[test]
fn drop_and_block_and_statuses() {
    let status = |rules: &str| {
        let interruption = decided(rules, "/").0.unwrap();
        (interruption.disposition, interruption.status)
    };
    assert_eq!(
        status("SecAction \"id:1,phase:1,drop\""),
        (Disposition::Drop, 403)
    );
    assert_eq!(
        status("SecAction \"id:1,phase:1,deny,status:429\""),
        (Disposition::Deny, 429)
    );
    // `block` takes the default of its phase, its status included.
    let rules = "SecDefaultAction \"phase:1,drop,status:444\"\n\
                 SecDefaultAction \"phase:2,deny,status:406\"\n\
                 SecAction \"id:1,phase:1,block\"";
    assert_eq!(status(rules), (Disposition::Drop, 444));
    assert_eq!(decided("SecAction \"id:1,phase:1,block\"", "/").0, None);
}

#[test]
fn allow_in_all_its_forms() {
    let rules = |scope: &str, engine: &str| {
        format!(
            "SecRuleEngine {engine}\nSecAction \"id:1,phase:1,nolog,{scope}\"\n\
             SecAction \"id:2,phase:1,pass\"\nSecAction \"id:3,phase:2,pass\"\n\
             SecAction \"id:4,phase:3,pass\"\nSecAction \"id:5,phase:4,pass\"\n\
             SecAction \"id:6,phase:5,pass\""
        )
    };
    let ids = |scope: &str, engine: &str| {
        let mut transaction = begin(&rules(scope, engine));
        let _ = run_to_the_end(&mut transaction, b"", FORM.1);
        let matches = transaction.drain_matches();
        matches.iter().map(|one| one.rule_id).collect::<Vec<_>>()
    };
    assert_eq!(ids("allow", "On"), [6]);
    assert_eq!(ids("allow:phase", "On"), [3, 4, 5, 6]);
    assert_eq!(ids("allow:request", "On"), [4, 5, 6]);
    for scope in ["allow", "allow:phase", "allow:request"] {
        assert_eq!(ids(scope, "DetectionOnly"), [2, 3, 4, 5, 6], "{scope}");
    }
}

#[test]
fn setenv_sets_changes_and_removes() {
    let rules = "SecAction \"id:1,phase:1,nolog,pass,setenv:seen,setenv:who=%{ARGS.u},\
                   setenv:gone=1,setenv:!gone\"\n\
                 SecRule ENV:seen \"@streq 1\" \"id:2,phase:1,pass\"\n\
                 SecRule ENV:WHO \"@streq joe\" \"id:3,phase:1,pass,msg:'%{ENV.who}'\"\n\
                 SecRule &ENV:gone \"@eq 0\" \"id:4,phase:1,pass\"\n\
                 SecRule &ENV \"@eq 2\" \"id:5,phase:1,pass\"";
    assert_eq!(matched(rules, "/?u=joe"), [2, 3, 4, 5]);
}

#[test]
fn ctl_takes_ranges_lists_and_patterns() {
    let rules = |ctl: &str| {
        format!(
            "SecAction \"id:1,phase:1,pass,nolog,{ctl}\"\n\
             SecRule ARGS \"@rx evil\" \"id:10,phase:1,pass,tag:'web/a.b',msg:'No evil'\"\n\
             SecRule ARGS:pass|ARGS:page \"@rx evil\" \"id:11,phase:1,pass,tag:other,chain\"\n\
             SecRule ARGS \"@rx evil\"\n\
             SecRule ARGS_NAMES|REQUEST_URI \"@rx p\" \"id:20,phase:1,pass\""
        )
    };
    let ids = |ctl: &str, target: &str| matched(&rules(ctl), target);
    let evil = "/?pass=evil&page=evil&q=evil";
    assert_eq!(
        ids("ctl:ruleRemoveById=99-100", evil),
        [10, 10, 10, 11, 11, 11, 20, 20, 20]
    );
    for (ctl, left) in [
        ("ctl:ruleRemoveById=10-11", [0u64; 0].as_slice()),
        ("ctl:'ruleRemoveById=10,11'", &[]),
        ("ctl:'ruleRemoveById=10 11'", &[]),
        ("ctl:ruleRemoveByTag=^web/", &[11, 11, 11]),
        ("ctl:ruleRemoveByTag=web/a.b", &[11, 11, 11]),
        ("ctl:ruleRemoveByMsg=^No", &[11, 11, 11]),
        ("ctl:ruleRemoveTargetById=10;ARGS", &[11, 11, 11]),
        ("ctl:ruleRemoveTargetById=10-12;ARGS:/^PA/", &[10]),
        (
            "ctl:'ruleRemoveTargetById=10,11;ARGS:pass,ARGS:page'",
            &[10],
        ),
        (
            "ctl:ruleRemoveTargetById=10;ARGS:pass|ARGS:q",
            &[10, 11, 11, 11],
        ),
        (
            "ctl:ruleRemoveTargetByTag=web/a.b;ARGS:Q",
            &[10, 10, 11, 11, 11],
        ),
        (
            "ctl:'ruleRemoveTargetByMsg=No evil;ARGS:/p/'",
            &[10, 11, 11, 11],
        ),
    ] {
        // A rule of a chain that is told not to look somewhere does not, whichever link it is.
        let found = ids(ctl, evil);
        let found: Vec<u64> = found.into_iter().filter(|id| *id != 20).collect();
        assert_eq!(found, left, "{ctl}");
    }
    assert_eq!(
        ids("ctl:ruleRemoveTargetById=20;REQUEST_URI", "/p"),
        [0u64; 0]
    );
    assert_eq!(ids("ctl:ruleEngine=Off", evil), [0u64; 0]);
}

#[test]
fn ctl_changes_what_becomes_of_bodies() {
    let form = b"a=1&b=2";
    let x = |rules: &str| {
        let mut transaction = begin(rules);
        let _ = run_to_the_end(&mut transaction, form, FORM.1);
        let matches = transaction.drain_matches();
        matches.iter().map(|one| one.rule_id).collect::<Vec<_>>()
    };
    let rules = |ctl: &str| {
        format!(
            "SecResponseBodyAccess On\nSecAction \"id:1,phase:1,pass,nolog,{ctl}\"\n\
             SecRule &ARGS_POST \"@eq 2\" \"id:2,phase:2,pass\"\n\
             SecRule REQUEST_BODY \"@contains a=1\" \"id:3,phase:2,pass\"\n\
             SecRule REQBODY_PROCESSOR \"@streq JSON\" \"id:4,phase:2,pass\"\n\
             SecRule RESPONSE_BODY \"@rx .\" \"id:5,phase:4,pass\"\n\
             SecRule INBOUND_DATA_ERROR \"@eq 1\" \"id:6,phase:2,pass\""
        )
    };
    assert_eq!(x(&rules("ctl:requestBodyAccess=On")), [2, 3, 5]);
    assert_eq!(x(&rules("ctl:requestBodyAccess=Off")), [5]);
    assert_eq!(x(&rules("ctl:requestBodyProcessor=json")), [4, 5]);
    assert_eq!(
        x(&rules(
            "ctl:requestBodyProcessor=JSON,ctl:forceRequestBodyVariable=On"
        )),
        [3, 4, 5]
    );
    assert_eq!(x(&rules("ctl:responseBodyAccess=Off")), [2, 3]);
    assert_eq!(x(&rules("ctl:requestBodyLimit=3")), [0]);
    // DetectionOnly relaxes the limit.
    assert_eq!(
        x(&rules(
            "ctl:requestBodyLimit=3,ctl:ruleEngine=DetectionOnly"
        )),
        [3, 6, 5]
    );
    assert_eq!(x(&rules("ctl:responseBodyLimit=1")), [2, 3, 0]);
}

#[test]
fn responses_have_processors_of_their_own() {
    let ids = |ctl: &str, content_type: &[u8], body: &[u8]| {
        let mut transaction = begin(&format!(
            "SecResponseBodyAccess On\nSecResponseBodyMimeType application/json text/xml\n\
             SecAction \"id:1,phase:3,pass,nolog,{ctl}\"\n\
             SecRule RESPONSE_ARGS:json.user.0.name \"@streq joe\" \"id:2,phase:4,pass\"\n\
             SecRule RESPONSE_XML:/a/b/text() \"@streq x\" \"id:3,phase:4,pass\"\n\
             SecRule RES_BODY_PROCESSOR \"@within JSON XML TEXT\" \"id:4,phase:4,pass\"\n\
             SecRule RES_BODY_ERROR \"@eq 1\" \"id:5,phase:4,pass\"\n\
             SecRule RESPONSE_BODY \"@rx .\" \"id:6,phase:4,pass\""
        ));
        let _ = transaction.request_head(&head("/", &[]));
        let _ = transaction.end_request_body();
        respond(&mut transaction, content_type, body);
        let matches = transaction.drain_matches();
        matches.iter().map(|one| one.rule_id).collect::<Vec<_>>()
    };
    let json = br#"{"user":[{"name":"joe"}]}"#;
    assert_eq!(
        ids("ctl:responseBodyProcessor=json", b"application/json", json),
        [2, 4, 6]
    );
    assert_eq!(
        ids("ctl:responseBodyProcessor=JSON", b"application/json", b"{"),
        [4, 5, 6]
    );
    assert_eq!(
        ids(
            "ctl:responseBodyProcessor=XML",
            b"text/xml",
            b"<a><b>x</b></a>"
        ),
        [3, 4, 6]
    );
    assert_eq!(
        ids("ctl:responseBodyProcessor=TEXT", b"application/json", json),
        [4, 5, 6]
    );
    assert_eq!(
        ids(
            "ctl:forceResponseBodyVariable=On",
            b"application/json",
            json
        ),
        [6]
    );
}

#[test]
fn scripts_count_as_rules_that_never_match() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog,skip:1\"\n\
                 SecRuleScript a.lua \"phase:1,deny\"\n\
                 SecAction \"id:2,phase:1,pass\"\n\
                 SecRule ARGS \"@rx .\" \"id:3,phase:1,deny,chain\"\n\
                 SecRuleScript b.lua\n\
                 SecRuleScript c.lua \"id:4,phase:1,deny,chain\"\n\
                 SecRule ARGS \"@rx .\"\n\
                 SecAction \"id:5,phase:1,pass\"";
    assert_eq!(matched(rules, "/?a=b"), [2, 5]);
}
