//! Whole transactions through small rule sets.

use std::rc::Rc;
use std::sync::Arc;

use super::*;
use crate::compile::{NoFiles, compile};

mod actions;
mod bodies;
mod bounds;
mod directives;
mod encodings;
mod flags;
mod folding;
mod json_names;
mod members;
mod readings;
mod work;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixNanos {
        1_709_208_000_000_000_000
    }
}

fn begin(rules: &str) -> Transaction {
    begin_without(rules, Ablation::default())
}

fn begin_without(rules: &str, ablation: Ablation) -> Transaction {
    let text = format!("SecRuleEngine On\nSecRequestBodyAccess On\n{rules}");
    let compiled = compile(&[("test.conf".into(), text.into_bytes())], &NoFiles);
    let program = compiled
        .program
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    let waf = Waf::ablated(program, Rc::new(Noon), ablation);
    Transaction::new(&waf, Connection::default())
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
    matched_without(rules, target, Ablation::default())
}

fn matched_without(rules: &str, target: &str, ablation: Ablation) -> Vec<u64> {
    let mut transaction = begin_without(rules, ablation);
    let _ = transaction.request_head(&head(target, &[]));
    let _ = transaction.end_request_body();
    transaction.finish();
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
    transaction.finish();
    transaction.finish();
    assert_eq!(
        transaction.record().interruption.map(|found| found.rule_id),
        Some(1)
    );
}

/// A clock that goes on by a millisecond each time it is asked.
#[derive(Default)]
struct Ticking(std::cell::Cell<u64>);

impl Clock for Ticking {
    fn now(&self) -> UnixNanos {
        self.0.set(self.0.get().saturating_add(1_000_000));
        self.0.get()
    }
}

/// A whole response with status 200.
fn respond(transaction: &mut Transaction, content_type: &[u8], body: &[u8]) {
    let _ = transaction.response_head(&ResponseHead {
        status: 200,
        protocol: b"HTTP/1.1",
        headers: &[(b"Content-Type", content_type)],
    });
    let _ = transaction.response_body(body);
    let _ = transaction.end_response_body();
}

fn run_to_the_end(transaction: &mut Transaction, body: &[u8], content_type: &[u8]) -> Record {
    let headers = [(b"Content-Type".as_slice(), content_type)];
    let _ = transaction.request_head(&head("/p?q=1", &headers));
    let _ = transaction.request_body(body);
    let _ = transaction.end_request_body();
    let response = ResponseHead {
        status: 404,
        protocol: b"HTTP/1.1",
        headers: &[(b"Content-Type", b"text/html")],
    };
    let _ = transaction.response_head(&response);
    let _ = transaction.response_body(b"<p>answer");
    let _ = transaction.end_response_body();
    transaction.finish();
    transaction.record()
}

/// The TX variable `x` after a whole exchange.
fn x_after(rules: &str, body: &str) -> Option<String> {
    let mut transaction = begin(&format!("SecResponseBodyAccess On\n{rules}"));
    run_to_the_end(&mut transaction, body.as_bytes(), FORM.1);
    tx(&transaction, "x")
}

#[test]
fn environment_and_rule_can_be_read() {
    let rules = "SecAction \"id:1,phase:1,nolog,pass,setenv:A=%{REQUEST_METHOD},setenv:b,setenv:c=1,setenv:!c\"\n\
                 SecRule ENV:a \"@streq POST\" \"id:2,phase:1,nolog,pass,setvar:tx.x=+1\"\n\
                 SecRule &ENV \"@eq 2\" \"id:3,phase:1,nolog,pass,setvar:tx.x=+1\"\n\
                 SecRule RULE:id \"@eq 4\" \"id:4,phase:1,nolog,pass,severity:2,setvar:tx.x=+1,chain\"\n\
                 SecRule RULE:severity \"@eq 2\" \"setvar:tx.x=+1\"";
    assert_eq!(x_after(rules, "").as_deref(), Some("4"));
}

#[test]
fn time_spent_is_told() {
    let text = "SecRuleEngine On\nSecRulePerfTime 1000\n\
                SecAction \"id:7,phase:1,nolog,pass\"\n\
                SecAction \"id:8,phase:5,nolog,pass,setvar:tx.one=%{PERF_PHASE1},\
                setvar:'tx.all=%{PERF_ALL}',setvar:tx.slow=%{PERF_RULES.7}\"";
    let compiled = compile(&[("test.conf".into(), text.into())], &NoFiles);
    let waf = Waf::new(compiled.program.unwrap(), Rc::new(Ticking::default()));
    let mut transaction = Transaction::new(&waf, Connection::default());
    let _ = transaction.request_head(&head("/", &[]));
    transaction.finish();
    let record = transaction.record();
    // Phase 1 asks for the time at its ends and around its rule.
    assert_eq!(tx(&transaction, "one").as_deref(), Some("3000"));
    assert_eq!(tx(&transaction, "slow").as_deref(), Some("1000"));
    assert_eq!(
        tx(&transaction, "all").as_deref(),
        Some("combined=3000, p1=3000, p2=0, p3=0, p4=0, p5=0, sr=0, sw=0, l=0, gc=0")
    );
    assert_eq!(record.slow_rules, [(7, 1000), (8, 1000)]);
}

#[test]
fn masks_are_recorded() {
    let mut transaction = begin(
        "SecAction \"id:1,phase:1,nolog,pass,sanitiseArg:password,\
         sanitizeRequestHeader:Authorization,sanitiseResponseHeader:X-Key\"\n\
         SecRule ARGS_POST \"@rx [0-9]{4,}\" \"id:2,phase:2,nolog,pass,capture,\
         sanitiseMatchedBytes:1/2\"\n\
         SecRule REQUEST_HEADERS:Content-Type \"@rx form\" \"id:3,phase:2,nolog,pass,\
         sanitiseMatched\"",
    );
    let record = run_to_the_end(&mut transaction, b"card=no+12345", FORM.1);
    let mask = |part, name: &str, extent| Masked {
        part,
        name: name.as_bytes().to_vec(),
        extent,
    };
    let bytes = Extent::Bytes {
        found: b"12345".to_vec(),
        first: 1,
        last: 2,
    };
    assert_eq!(
        record.masks,
        [
            mask(MaskedPart::Argument, "password", Extent::Whole),
            mask(MaskedPart::RequestHeader, "Authorization", Extent::Whole),
            mask(MaskedPart::ResponseHeader, "X-Key", Extent::Whole),
            mask(MaskedPart::Argument, "card", bytes),
            mask(MaskedPart::RequestHeader, "Content-Type", Extent::Whole),
        ]
    );
}

#[test]
fn response_edits_need_content_injection() {
    let rules = "SecAction \"id:1,phase:3,nolog,pass,prepend:'<!-- %{RESPONSE_STATUS} -->',\
                 append:'one'\"\nSecAction \"id:2,phase:4,nolog,pass,append:'end'\"";
    for (switch, expected) in [("On", ("<!-- 404 -->", "end")), ("Off", ("", ""))] {
        let mut transaction = begin(&format!("SecContentInjection {switch}\n{rules}"));
        run_to_the_end(&mut transaction, b"", FORM.1);
        let edits = transaction.response_edits();
        let found = (edits.prepend.as_slice(), edits.append.as_slice());
        assert_eq!(found, (expected.0.as_bytes(), expected.1.as_bytes()));
    }
}

#[test]
fn what_a_sandbox_cannot_do_passes_or_denies() {
    let mut transaction = begin(
        "SecAction \"id:1,phase:1,pause:1000\"\n\
         SecAction \"id:2,phase:2,proxy:http://honeypot.example/\"",
    );
    assert_eq!(transaction.request_head(&head("/", &[])).interruption, None);
    let stopped = transaction.end_request_body().interruption.unwrap();
    assert_eq!((stopped.rule_id, stopped.status), (2, 500));
}
#[test]
fn phase_5_sees_the_status_of_the_interruption() {
    let rules = "SecAction \"id:1,phase:1,deny,status:418\"\n\
                 SecRule RESPONSE_STATUS \"@streq 418\" \"id:2,phase:5,pass\"";
    assert_eq!(matched(rules, "/"), [1, 2]);
}

#[test]
fn userid_is_what_setuid_said_last() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog,setuid:a\"\n\
                 SecAction \"id:2,phase:1,pass,nolog,setuid:b\"\n\
                 SecRule USERID \"@streq b\" \"id:3,phase:1,pass,chain\"\n\
                 SecRule USER:key \"@streq a\" \"\"";
    assert_eq!(matched(rules, "/"), [3]);
}

#[test]
fn a_trace_says_what_was_asked() {
    let rules = "SecRule &ARGS|ARGS \"@streq %{tx.x}1\" \"id:7,phase:1,pass,t:lowercase,chain\"\n\
                 SecRule ARGS:none \"@rx .\" \"\"\n\
                 SecAction \"id:8,phase:1,pass\"";
    let mut transaction = begin(rules);
    transaction.trace();
    let _ = transaction.request_head(&head("/?a=X", &[]));
    let traced: Vec<_> = transaction
        .evaluations()
        .iter()
        .map(|one| {
            let asked: Vec<_> = one
                .asked
                .iter()
                .map(|asked| (&*asked.target, &*asked.value, asked.matched))
                .collect();
            let operator = one.operator.as_ref().map(|(name, text)| (*name, &**text));
            (one.rule_id, one.link, operator, asked, one.matched)
        })
        .collect();
    let values: [(&[u8], &[u8], bool); 2] = [(b"&ARGS", b"1", true), (b"ARGS:a", b"x", false)];
    assert_eq!(
        traced,
        [
            (7, 0, Some(("streq", &b"1"[..])), values.to_vec(), true),
            (7, 1, Some(("rx", &b""[..])), vec![], false),
            (8, 0, None, vec![], true),
        ]
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
