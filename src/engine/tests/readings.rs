//! Rule sets written for ModSecurity 3 mean here what they mean there, where version 2 says nothing
//! or nothing else.

use super::*;

/// The message and the status of the first match.
fn first(rules: &str, target: &str) -> (String, u16) {
    let mut transaction = begin(rules);
    let _ = transaction.request_head(&head(target, &[]));
    let _ = transaction.end_request_body();
    let found = transaction.drain_matches().swap_remove(0);
    let status = found.interruption.map_or(200, |one| one.status);
    (String::from_utf8(found.msg).unwrap(), status)
}

#[test]
fn patterns_of_selectors_are_perls() {
    let rules = "SecRule ARGS|!ARGS:/(?!ref)/ \"@rx a\" \"id:1,phase:1,pass\"\n\
                 SecRule ARGS:'/^(?!re)./' \"@rx a\" \"id:2,phase:1,pass\"\n\
                 SecAction \"id:3,phase:1,pass,nolog,ctl:ruleRemoveTargetById=4;ARGS:/^k(?=ey)/\"\n\
                 SecRule ARGS \"@rx a\" \"id:4,phase:1,pass\"";
    assert_eq!(matched(rules, "/?ref=a"), [4]);
    assert_eq!(matched(rules, "/?key=a"), [2]);
    assert_eq!(matched(rules, "/?Kex=a"), [2, 4]);
}

#[test]
fn a_selector_at_its_limit_selects_nothing_and_says_so() {
    let rules = "SecPcreMatchLimit 20\n\
                 SecRule ARGS:'/^(?:a|aa|[cd]{2})+(?!b)$/' \"@rx x\" \"id:1,phase:1,pass\"\n\
                 SecRule MSC_PCRE_LIMITS_EXCEEDED|TX:MSC_PCRE_LIMITS_EXCEEDED \"@eq 1\" \
                 \"id:2,phase:1,pass\"";
    assert_eq!(matched(rules, "/?a=x"), [1]);
    let long = format!("/?{}caa=x", "a".repeat(60));
    assert_eq!(matched(rules, &long), [2, 2]);
}

#[test]
fn macros_take_patterns() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.one=1,setvar:tx.two=2\"\n\
                 SecRule ARGS:a \"@streq %{TX:/^T.{1}O$/}%{ARGS./^b/}\" \
                 \"id:2,phase:1,pass,msg:'%{tx./none/}%{ARGS./^B/} %{tx./^o(?=ne)/}'\"";
    assert_eq!(first(rules, "/?b1=x&a=2x&b2=y").0, "x 1");
}

#[test]
fn a_percent_sign_behind_a_macro_belongs_to_it() {
    let rules = "SecAction \"id:1,phase:1,pass,msg:'%{ARGS.a}% of %{ARGS.a}%{ARGS.b}%% 5%'\"";
    assert_eq!(first(rules, "/?a=1&b=2").0, "1 of 12% 5%");
}

#[test]
fn later_rules_of_a_chain_may_say_what_the_first_does_not() {
    let rules = "SecRule ARGS:a \"@rx .\" \"id:1,phase:1,deny,chain,skipAfter:END\"\n\
                 SecRule ARGS:b \"@rx .\" \"id:7,phase:4,status:437,msg:'%{MATCHED_VAR}',chain\"\n\
                 SecRule ARGS:c \"@rx .\" \"status:500,msg:'third'\"\n\
                 SecMarker END";
    assert_eq!(first(rules, "/?a=1&b=2&c=3"), ("3".to_owned(), 437));
    let own = rules.replace("deny", "deny,status:418,msg:'own'");
    assert_eq!(first(&own, "/?a=1&b=2&c=3"), ("own".to_owned(), 418));
    let default = format!("SecDefaultAction \"phase:1,deny,status:406\"\n{rules}");
    assert_eq!(first(&default, "/?a=1&b=2&c=3").1, 437);
}

#[test]
fn flow_of_a_later_rule_of_a_chain_counts() {
    let rules = "SecRule ARGS:a \"@rx .\" \"id:1,phase:1,pass,nolog,chain\"\n\
                 SecRule ARGS:b \"@rx .\" \"skipAfter:END\"\n\
                 SecAction \"id:2,phase:1,pass\"\n\
                 SecMarker END\n\
                 SecAction \"id:3,phase:1,pass\"";
    assert_eq!(matched(rules, "/?a=1&b=2"), [3]);
    assert_eq!(matched(rules, "/?a=1"), [2, 3]);
}

#[test]
fn an_action_without_id_runs() {
    assert_eq!(matched("SecAction \"phase:1,pass\"", "/"), [0]);
}

#[test]
fn severity_0_is_the_highest() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog,severity:EMERGENCY\"\n\
                 SecAction \"id:2,phase:1,pass,nolog,severity:CRITICAL\"\n\
                 SecRule HIGHEST_SEVERITY \"@streq 0\" \"id:3,phase:1,pass\"";
    assert_eq!(matched(rules, "/"), [3]);
}

#[test]
fn a_response_that_declares_no_length_is_counted() {
    let rules = "SecResponseBodyAccess On\n\
                 SecRule RESPONSE_CONTENT_LENGTH \"@rx .\" \"id:1,phase:4,pass,msg:'%{MATCHED_VAR}'\"";
    for (declared, shown) in [(None, "8"), (Some(b"20".as_slice()), "20")] {
        let mut transaction = begin(rules);
        let _ = transaction.request_head(&head("/", &[]));
        let mut headers = vec![(b"Content-Type".as_slice(), b"text/html".as_slice())];
        headers.extend(declared.map(|length| (b"Content-Length".as_slice(), length)));
        let _ = transaction.response_head(&ResponseHead {
            status: 200,
            protocol: b"HTTP/1.1",
            headers: &headers,
        });
        let _ = transaction.response_body(b"no need.");
        let _ = transaction.end_response_body();
        assert_eq!(transaction.drain_matches()[0].msg, shown.as_bytes());
    }
}
