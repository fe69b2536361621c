//! Whole transactions through small rule sets.

use std::rc::Rc;

use super::*;
use crate::compile::{NoFiles, compile};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixNanos {
        1_709_208_000_000_000_000
    }
}

fn begin(rules: &str) -> Transaction {
    let text = format!("SecRuleEngine On\nSecRequestBodyAccess On\n{rules}");
    let compiled = compile(&[("test.conf".into(), text.into_bytes())], &NoFiles);
    let program = compiled
        .program
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    Transaction::new(&Waf::new(program, Rc::new(Noon)), Connection::default())
}

const FORM: (&[u8], &[u8]) = (b"Content-Type", b"application/x-www-form-urlencoded");

fn head<'a>(target: &'a str, headers: &'a [(&'a [u8], &'a [u8])]) -> RequestHead<'a> {
    let method = if headers.is_empty() {
        b"GET".as_slice()
    } else {
        b"POST"
    };
    RequestHead {
        method,
        target: target.as_bytes(),
        protocol: b"HTTP/1.1",
        headers,
    }
}

/// The ids of the rules that a GET matches, in order.
fn matched(rules: &str, target: &str) -> Vec<u64> {
    let mut transaction = begin(rules);
    let _ = transaction.request_head(&head(target, &[]));
    let _ = transaction.end_request_body();
    let _ = transaction.finish();
    transaction
        .drain_matches()
        .iter()
        .map(|found| found.rule_id)
        .collect()
}

fn tx(transaction: &Transaction, name: &str) -> Option<String> {
    let found = transaction
        .tx_variables()
        .into_iter()
        .find(|(key, _)| key == name.as_bytes());
    found.map(|(_, value)| String::from_utf8(value).unwrap())
}

#[test]
fn a_rule_denies() {
    let mut transaction = begin("SecRule ARGS:q \"@rx evil\" \"id:1,phase:1,deny,status:418\"");
    let step = transaction.request_head(&head("/?q=so+evil", &[]));
    let interruption = step.interruption.unwrap();
    assert_eq!(
        (
            interruption.rule_id,
            interruption.status,
            interruption.phase
        ),
        (1, 418, 1)
    );
    assert_eq!(
        transaction.end_request_body().interruption.unwrap().rule_id,
        1
    );
}

#[test]
fn the_body_is_read_to_its_end_before_phase_2() {
    let mut transaction = begin("SecRule ARGS_POST:a \"@rx ^bad$\" \"id:1,phase:2,deny\"");
    let step = transaction.request_head(&head("/", &[FORM]));
    assert_eq!(step.body, BodyPlan::Inspect);
    for chunk in [b"a=b".as_slice(), b"a", b"d&x=1"] {
        assert_eq!(transaction.request_body(chunk).interruption, None);
    }
    assert_eq!(
        transaction.end_request_body().interruption.unwrap().rule_id,
        1
    );
}

#[test]
fn every_link_of_a_chain_must_match() {
    let rules = "SecRule ARGS \"@rx a\" \"id:1,phase:1,pass,chain,setvar:tx.first=+1\"\n\
                 SecRule ARGS \"@rx b\" \"setvar:tx.second=1\"";
    assert_eq!(matched(rules, "/?x=a"), [0u64; 0]);
    assert_eq!(matched(rules, "/?x=a&y=b"), [1]);
    let mut transaction = begin(rules);
    let _ = transaction.request_head(&head("/?x=a&y=a", &[]));
    assert_eq!(tx(&transaction, "first").as_deref(), Some("2"));
    assert_eq!(tx(&transaction, "second"), None);
}

#[test]
fn skip_and_skip_after_leave_rules_out() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog,skip:1\"\n\
                 SecAction \"id:2,phase:1,pass\"\n\
                 SecAction \"id:3,phase:1,pass,skipAfter:END\"\n\
                 SecAction \"id:4,phase:1,pass\"\n\
                 SecMarker END\n\
                 SecAction \"id:5,phase:1,pass\"";
    assert_eq!(matched(rules, "/"), [3, 5]);
}

#[test]
fn ctl_removes_rules_and_targets() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveById=2-3,\
                 ctl:ruleRemoveTargetByTag=t;ARGS:x\"\n\
                 SecAction \"id:2,phase:1,pass\"\n\
                 SecAction \"id:3,phase:1,pass\"\n\
                 SecRule ARGS \"@rx a\" \"id:4,phase:1,pass,tag:t\"\n\
                 SecRule ARGS \"@rx a\" \"id:5,phase:1,pass\"";
    assert_eq!(matched(rules, "/?x=a"), [5]);
    assert_eq!(matched(rules, "/?y=a"), [4, 5]);
}

#[test]
fn exclusions_and_counts() {
    let rules = "SecRule ARGS|!ARGS:x|!ARGS:/^y/ \"@rx a\" \"id:1,phase:1,pass\"\n\
                 SecRule &ARGS \"@eq 2\" \"id:2,phase:1,pass\"\n\
                 SecRule &ARGS:none \"@eq 0\" \"id:3,phase:1,pass\"\n\
                 SecRule ARGS:none \"!@rx a\" \"id:4,phase:1,pass\"";
    assert_eq!(matched(rules, "/?x=a&y1=a"), [2, 3]);
    assert_eq!(matched(rules, "/?z=a"), [1, 3]);
}

#[test]
fn variables_are_set_added_and_removed() {
    let mut transaction = begin(
        "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.a=5,setvar:tx.a=+3,setvar:tx.a=-10,\
         setvar:tx.b=%{tx.a}x,setvar:tx.c=1,setvar:!tx.c,setvar:'tx.%{tx.b}-k=%{request_method}'\"",
    );
    let _ = transaction.request_head(&head("/", &[]));
    assert_eq!(tx(&transaction, "a").as_deref(), Some("0"));
    assert_eq!(tx(&transaction, "b").as_deref(), Some("0x"));
    assert_eq!(tx(&transaction, "c"), None);
    assert_eq!(tx(&transaction, "0x-k").as_deref(), Some("GET"));
}

#[test]
fn captures_and_matched_variables() {
    let mut transaction = begin(
        "SecRule ARGS \"@rx (a)(b)?(c)\" \"id:1,phase:1,pass,capture,chain,logdata:'%{MATCHED_VAR_NAME}=%{TX.0}'\"\n\
         SecRule TX:3 \"@streq c\" \"setvar:tx.got=%{tx.1}%{tx.2}%{tx.3}\"",
    );
    let _ = transaction.request_head(&head("/?Q=xacx", &[]));
    assert_eq!(tx(&transaction, "got").as_deref(), Some("ac"));
    let matches = transaction.drain_matches();
    assert_eq!(matches[0].data, b"TX:3=ac");
}

#[test]
fn detection_only_decides_nothing() {
    let rules = "SecRuleEngine DetectionOnly\nSecAction \"id:1,phase:1,deny\"\n\
                 SecAction \"id:2,phase:1,allow\"\nSecAction \"id:3,phase:2,pass\"";
    assert_eq!(matched(rules, "/"), [1, 2, 3]);
}

#[test]
fn allow_skips_its_scope() {
    let rules = |scope: &str| {
        format!(
            "SecAction \"id:1,phase:1,nolog,{scope}\"\nSecAction \"id:2,phase:1,pass\"\n\
             SecAction \"id:3,phase:2,pass\"\nSecAction \"id:4,phase:5,pass\""
        )
    };
    assert_eq!(matched(&rules("allow"), "/"), [4]);
    assert_eq!(matched(&rules("allow:phase"), "/"), [3, 4]);
    assert_eq!(matched(&rules("allow:request"), "/"), [4]);
}

#[test]
fn multi_match_asks_after_every_change() {
    let rules = "SecRule ARGS \"@rx ^a|^A\" \"id:1,phase:1,pass,multiMatch,t:lowercase\"";
    assert_eq!(matched(rules, "/?x=A"), [1, 1]);
    assert_eq!(matched(rules, "/?x=a"), [1]);
}

#[test]
fn body_limits_reject_or_inspect_the_beginning() {
    let rules = "SecRequestBodyLimit 4\nSecRule ARGS_POST:a \"@streq 12\" \"id:1,phase:2,deny\"";
    let mut transaction = begin(rules);
    let _ = transaction.request_head(&head("/", &[FORM]));
    let step = transaction.request_body(b"a=123456");
    assert_eq!(step.interruption.unwrap().status, 413);
    let mut transaction = begin(&format!(
        "SecRequestBodyLimitAction ProcessPartial\n{rules}"
    ));
    let _ = transaction.request_head(&head("/", &[FORM]));
    let step = transaction.request_body(b"a=123456");
    assert_eq!(step.interruption.unwrap().rule_id, 1);
    let mut transaction = begin(rules);
    let headers = [FORM, (b"content-length".as_slice(), b"5".as_slice())];
    let step = transaction.request_head(&head("/", &headers));
    assert_eq!(step.interruption.unwrap().status, 413);
}

#[test]
fn responses_are_inspected_where_wanted() {
    let rules = "SecResponseBodyAccess On\n\
                 SecRule RESPONSE_BODY \"@rx secret\" \"id:1,phase:4,deny,status:502\"";
    for (content_type, expected) in [
        (b"text/html; charset=x".as_slice(), Some(502)),
        (b"image/png", None),
    ] {
        let mut transaction = begin(rules);
        let _ = transaction.request_head(&head("/", &[]));
        let _ = transaction.end_request_body();
        let headers = [(b"content-type".as_slice(), content_type)];
        let response = ResponseHead {
            status: 200,
            protocol: b"HTTP/1.1",
            headers: &headers,
        };
        let step = transaction.response_head(&response);
        assert_eq!(step.body == BodyPlan::Inspect, expected.is_some());
        let _ = transaction.response_body(b"a sec");
        let _ = transaction.response_body(b"ret");
        let step = transaction.end_response_body();
        assert_eq!(step.interruption.map(|found| found.status), expected);
    }
}

#[test]
fn steps_out_of_order_do_nothing() {
    let mut transaction = begin("SecAction \"id:1,phase:2,deny\"");
    assert_eq!(transaction.request_body(b"x").interruption, None);
    assert_eq!(transaction.end_request_body().interruption, None);
    let _ = transaction.request_head(&head("/", &[]));
    assert!(transaction.end_request_body().interruption.is_some());
    assert!(
        transaction
            .request_head(&head("/", &[]))
            .interruption
            .is_some()
    );
    let _ = transaction.finish();
    assert_eq!(
        transaction.finish().interruption.map(|found| found.rule_id),
        Some(1)
    );
}

/// A pattern that comes to its limit says neither yes nor no, and says so.
#[test]
fn pattern_limits_are_told() {
    let rules = "SecPcreMatchLimit 1000\n\
        SecRule ARGS:a \"@rx (a+)+(?!.)\" \"id:1,phase:1,pass\"\n\
        SecRule ARGS:a \"!@rx (a+)+(?!.)\" \"id:2,phase:1,pass\"\n\
        SecRule TX:/^MSC_/ \"!@streq 0\" \"id:3,phase:1,pass\"\n\
        SecRule MSC_PCRE_LIMITS_EXCEEDED \"@eq 1\" \"id:4,phase:1,pass\"\n\
        SecRule MSC_PCRE_ERROR \"@eq 1\" \"id:5,phase:1,pass\"\n\
        SecRule ARGS:a \"@rx (a)\\1b\" \"id:6,phase:1,pass\"\n";
    let hard = format!("/?a={}b", "a".repeat(40));
    assert_eq!(matched(rules, &hard), [3, 4, 5, 6]);
    assert_eq!(matched(rules, "/?a=aab"), [2, 6]);
    assert_eq!(matched(rules, "/?a=ab"), [2]);
}
