//! Rules about one variable of TX and a number, which are answered before they are evaluated.

use super::*;

/// The ids that match, which evaluation must agree with.
fn ids(rules: &str) -> Vec<u64> {
    let ablation = Ablation {
        flags: true,
        ..Ablation::default()
    };
    let ids = matched(rules, "/?q=1");
    assert_eq!(ids, matched_without(rules, "/?q=1", ablation), "{rules}");
    ids
}

/// A rule for each question, after `tx.a` was set to a text.
fn answers(value: &str, questions: &[&str]) -> Vec<u64> {
    let mut rules = format!("SecAction \"id:100,phase:1,pass,nolog,setvar:'tx.a={value}'\"\n");
    for (number, question) in (1..).zip(questions) {
        rules.push_str(&format!(
            "SecRule {question} \"id:{number},phase:1,pass\"\n"
        ));
    }
    ids(&rules)
}

#[test]
fn numbers_are_read_as_the_operators_do() {
    let questions = [
        "TX:a \"@eq 5\"",
        "TX:a \"@ge 5\"",
        "TX:a \"@gt 5\"",
        "TX:a \"@le 5\"",
        "TX:a \"@lt 5\"",
        "TX:a \"!@eq 5\"",
        "TX:a \"!@lt 5\"",
    ];
    assert_eq!(answers("5", &questions), [1, 2, 4, 7]);
    assert_eq!(answers(" 6x", &questions), [2, 3, 6, 7]);
    assert_eq!(answers("-7", &questions), [4, 5, 6]);
    assert_eq!(answers("none", &questions), [4, 5, 6]);
}

#[test]
fn what_is_not_there_matches_nothing_but_is_counted() {
    let questions = [
        "&TX:a \"@eq 1\"",
        "&TX:a \"@eq 0\"",
        "&TX:b \"@eq 0\"",
        "&TX:b \"!@eq 0\"",
        "&TX:b \"@lt 1\"",
        "TX:b \"@eq 0\"",
        "TX:b \"!@eq 1\"",
        "TX:a|TX:b \"@eq 5\"",
        "TX:a \"@eq 5000000000\"",
        "TX:a \"@eq %{TX.a}\"",
    ];
    assert_eq!(answers("5", &questions), [1, 3, 5, 8, 10]);
}

#[test]
fn what_a_rule_must_not_look_at_is_not_asked() {
    let set = "SecAction \"id:100,phase:1,pass,nolog,setvar:tx.a=5";
    let rules = "SecRule &TX:a \"@eq 0\" \"id:1,phase:1,pass\"\n\
        SecRule TX:a \"@eq 5\" \"id:2,phase:1,pass\"\n\
        SecRule TX:a|!TX \"@eq 5\" \"id:3,phase:1,pass\"";
    assert_eq!(ids(&format!("{set}\"\n{rules}")), [2]);
    let removals = "ctl:ruleRemoveTargetById=1;TX,ctl:ruleRemoveTargetById=2;TX";
    assert_eq!(ids(&format!("{set},{removals}\"\n{rules}")), [1]);
}

#[test]
fn chains_begin_with_flags() {
    let rules = "SecAction \"id:100,phase:1,pass,nolog,setvar:tx.a=5\"\n\
        SecRule TX:a \"@gt 4\" \"id:1,phase:1,pass,chain\"\nSecRule ARGS:q \"@eq 1\"\n\
        SecRule TX:a \"@lt 4\" \"id:2,phase:1,pass,chain\"\nSecRule ARGS:q \"@eq 1\"\n\
        SecRule TX:a \"@gt 4\" \"id:3,phase:1,pass,nolog,skipAfter:END\"\n\
        SecRule ARGS:q \"@eq 1\" \"id:4,phase:1,pass\"\nSecMarker END";
    assert_eq!(ids(rules), [1]);
}

#[test]
fn comparisons_of_one_target_agree() {
    let questions = [
        "&ARGS \"@ge 1\"",
        "&ARGS:q \"@eq 0\"",
        "&ARGS:none \"@eq 0\"",
        "&ARGS \"!@eq 1\"",
        "ARGS:q \"@streq 1\"",
        "ARGS:q \"!@streq 1\"",
        "ARGS:none \"!@streq 1\"",
        "REQUEST_METHOD \"@within GET HEAD\"",
        "REQUEST_METHOD \"!@within GET HEAD\"",
        "REQUEST_METHOD \"@beginsWith G\"",
        "REQBODY_ERROR \"!@eq 0\"",
        "REQBODY_ERROR \"@eq 0\"",
        "ARGS:q \"@within %{tx.a}\"",
        "TX:a \"@contains %{tx.none}\"",
        "TX:a \"@endsWith 15\"",
        "ARGS \"@eq %{rule.id}\"",
        "&ARGS \"@eq %{MATCHED_VAR}\"",
        "REQUEST_METHOD \"@noMatch\"",
        "REQUEST_METHOD \"@unconditionalMatch\"",
    ];
    let expected = [1, 3, 5, 8, 10, 12, 13, 14, 15, 19];
    assert_eq!(answers("215", &questions), expected);
    let own = "SecRule ARGS \"@eq %{rule.id}\" \"id:1,phase:1,pass\"";
    assert_eq!(ids(own), [1]);
}

#[test]
fn what_is_left_out_is_not_counted() {
    let set = "SecAction \"id:100,phase:1,pass,nolog";
    let rules = "SecRule &ARGS:q \"@eq 0\" \"id:1,phase:1,pass\"\n\
        SecRule &ARGS \"@eq 0\" \"id:2,phase:1,pass\"\n\
        SecRule ARGS:q \"@eq 1\" \"id:3,phase:1,pass\"\n\
        SecRule ARGS|!ARGS:q \"@eq 1\" \"id:4,phase:1,pass\"";
    assert_eq!(ids(&format!("{set}\"\n{rules}")), [3]);
    let removals: String = (1..=4)
        .map(|id| format!(",ctl:ruleRemoveTargetById={id};ARGS:q"))
        .collect();
    assert_eq!(ids(&format!("{set}{removals}\"\n{rules}")), [1, 2]);
}

#[test]
fn values_that_change_are_compared_anew() {
    let rules = "SecRule REQBODY_PROCESSOR \"@streq JSON\" \"id:1,phase:1,pass\"\n\
        SecAction \"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n\
        SecRule REQBODY_PROCESSOR \"@streq JSON\" \"id:3,phase:1,pass\"";
    assert_eq!(ids(rules), [3]);
}
