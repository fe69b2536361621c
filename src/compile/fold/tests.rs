//! What is known of rules, and what is not.

use std::sync::Arc;

use super::facts::{Facts, Pool};
use super::{MOST_WAITING, Waiting};
use crate::compile::{NoFiles, compile};
use crate::program::Program;
use crate::variable::KeyTable;

fn program(text: &str) -> Arc<Program> {
    let compiled = compile(&[("test.conf".into(), text.into())], &NoFiles);
    compiled
        .program
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

/// The runs of a phase: the ids of the first rule and of the one behind it, and what they set.
fn runs(text: &str, phase: usize) -> Vec<String> {
    let program = program(text);
    let entries = &program.phases[phase.checked_sub(1).unwrap()].entries;
    let values: Vec<&[u8]> = program.constants.values().collect();
    let id = |entry: usize| {
        let entry = entries.get(entry);
        entry.map_or(0, |entry| program.meta(entry.starter).unwrap().id)
    };
    let shown = |(entry, fold): (usize, &crate::program::Fold)| {
        let mut text = format!("{}-{}", id(entry), id(usize::try_from(fold.next).unwrap()));
        for one in program.constants.assignments(fold) {
            let name = String::from_utf8_lossy(program.keys.name(one.variable));
            text += &match one.value {
                Some(value) => {
                    format!(" {name}={}", String::from_utf8_lossy(values[value.index()]))
                }
                None => format!(" !{name}"),
            };
        }
        text
    };
    let folds = entries.iter().enumerate();
    folds
        .filter_map(|(entry, one)| Some((entry, one.fold.as_ref()?)))
        .map(shown)
        .collect()
}

/// What a run leaves of rules that follow `SecAction` with these actions, in phase 1.
fn after(actions: &str, rules: &str) -> Vec<String> {
    runs(
        &format!("SecAction \"id:1,phase:1,nolog,pass,{actions}\"\n{rules}"),
        1,
    )
}

#[test]
fn defaults_and_switches_are_one_run() {
    let text = "SecAction \"id:1,phase:1,nolog,pass,setvar:tx.level=2\"\n\
        SecRule &TX:level \"@eq 0\" \"id:2,phase:1,nolog,pass,setvar:tx.level=1\"\n\
        SecRule &TX:detection \"@eq 0\" \
        \"id:3,phase:1,nolog,pass,setvar:'tx.detection=%{tx.level}'\"\n\
        SecRule &TX:gone \"@eq 0\" \"id:4,phase:1,nolog,pass,setvar:tx.gone=x,setvar:!tx.gone\"\n\
        SecRule TX:detection \"@lt 3\" \"id:5,phase:1,nolog,pass,skipAfter:END\"\n\
        SecRule ARGS \"@rx evil\" \"id:6,phase:1,deny\"\n\
        SecMarker END\n\
        SecRule ARGS \"@rx bad\" \"id:7,phase:1,deny\"\n\
        SecRule TX:detection \"@lt %{tx.level}\" \"id:8,phase:1,deny\"\n\
        SecRule TX:detection \"@lt 3\" \"id:9,phase:2,nolog,pass,skip:1\"\n\
        SecRule ARGS \"@rx worse\" \"id:10,phase:2,deny\"\n\
        SecRule ARGS \"@rx worst\" \"id:11,phase:2,deny\"";
    assert_eq!(
        runs(text, 1),
        ["1-7 level=2 detection=2 gone=x !gone", "8-0"]
    );
    assert_eq!(runs(text, 2), ["9-11"]);
    // What nobody comes to is not looked for.
    let program = program(text);
    let slots = program
        .rules
        .iter()
        .filter_map(|rule| rule.test.as_ref()?.slot);
    assert_eq!(slots.collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn numbers_are_counted_as_the_engine_does() {
    let sum = |change: &str| after(&format!("setvar:tx.a=5,setvar:tx.a={change}"), "");
    assert_eq!(sum("+3"), ["1-0 a=5 a=8"]);
    assert_eq!(sum("-7"), ["1-0 a=5 a=0"]);
    assert_eq!(sum("+x"), ["1-0 a=5 a=5"]);
    assert_eq!(sum("+%{tx.a}"), ["1-0 a=5 a=10"]);
    assert_eq!(sum("%{tx.a}%{tx.b}1"), ["1-0 a=5 a=51"]);
    assert_eq!(after("setvar:tx.a=+2", ""), ["1-0 a=2"]);
    assert_eq!(
        after("setvar:tx.a=+2,setvar:!tx.a,setvar:tx.a=", ""),
        ["1-0 a=2 !a a="]
    );
}

#[test]
fn comparisons_are_answered() {
    for (question, matches) in [
        ("TX:a \"@eq 5\"", true),
        ("TX:a \"!@eq 5\"", false),
        ("TX:a \"@within 4 5 6\"", true),
        ("TX:a \"@streq %{tx.a}\"", true),
        ("TX:a \"@contains %{tx.none}\"", true),
        ("TX:a|TX:none \"@ge 5\"", true),
        ("TX:none \"!@eq 5\"", false),
        ("TX:none \"@rx x\"", false),
        ("&TX:a \"@gt 0\"", true),
        ("&TX:none \"@gt 0\"", false),
        ("TX:a \"@unconditionalMatch\"", true),
        ("TX:a \"@noMatch\"", false),
    ] {
        let rule = format!("SecRule {question} \"id:2,phase:1,nolog,pass,t:none,setvar:tx.b=1\"");
        let expected = if matches { "1-0 a=5 b=1" } else { "1-0 a=5" };
        assert_eq!(after("setvar:tx.a=5", &rule), [expected], "{question}");
    }
    let rule = "SecRule TX:a \"@streq 1\" \"id:2,phase:1,nolog,pass,t:length,setvar:tx.b=1\"";
    assert_eq!(after("setvar:tx.a=5", rule), ["1-0 a=5 b=1"]);
}

#[test]
fn what_depends_on_the_request_or_is_seen_is_evaluated() {
    for rule in [
        // Depends on the request.
        "SecRule ARGS \"@eq 5\" \"id:2,phase:1,nolog,pass\"",
        "SecRule TX:a|ARGS \"@eq 5\" \"id:2,phase:1,nolog,pass\"",
        "SecRule TX \"@eq 5\" \"id:2,phase:1,nolog,pass\"",
        "SecRule TX:/a/ \"@eq 5\" \"id:2,phase:1,nolog,pass\"",
        "SecRule TX:a \"@eq %{ARGS.x}\" \"id:2,phase:1,nolog,pass\"",
        "SecRule TX:0 \"@eq 5\" \"id:2,phase:1,nolog,pass\"",
        "SecRule &TX:msc_pcre_limits_exceeded \"@eq 0\" \"id:2,phase:1,nolog,pass\"",
        "SecRule &TX:msc_work_limit_exceeded \"@eq 0\" \"id:2,phase:1,nolog,pass\"",
        "SecAction \"id:2,phase:1,nolog,pass,setvar:tx.b=%{REQUEST_METHOD}\"",
        // Is not asked when rules are loaded, or more than once.
        "SecRule TX:a \"@rx 5\" \"id:2,phase:1,nolog,pass\"",
        "SecRule TX:a|!TX:b \"@eq 5\" \"id:2,phase:1,nolog,pass\"",
        "SecRule TX:a|&TX:a \"@ge 1\" \"id:2,phase:1,nolog,pass,setvar:tx.b=+1\"",
        "SecRule TX:a \"@eq 5\" \"id:2,phase:1,nolog,pass,multiMatch,t:length\"",
        // Leaves something else.
        "SecAction \"id:2,phase:1,log,noauditlog,pass\"",
        "SecAction \"id:2,phase:1,nolog,auditlog,pass\"",
        "SecAction \"id:2,phase:1,nolog,pass,severity:2\"",
        "SecAction \"id:2,phase:1,nolog,deny\"",
        "SecAction \"id:2,phase:1,nolog,allow\"",
        "SecAction \"id:2,phase:1,nolog,pass,ctl:requestBodyAccess=Off\"",
        "SecAction \"id:2,phase:1,nolog,pass,ctl:ruleRemoveById=1\"",
        "SecAction \"id:2,phase:1,nolog,pass,initcol:ip=x\"",
        "SecAction \"id:2,phase:1,nolog,pass,setvar:ip.x=1\"",
        "SecAction \"id:2,phase:1,nolog,pass,setenv:x=1\"",
        "SecAction \"id:2,phase:1,nolog,pass,setvar:tx.%{tx.a}=1\"",
        "SecAction \"id:2,phase:1,nolog,pass,setvar:tx.0=1\"",
        "SecRule TX:a \"@contains 5\" \"id:2,phase:1,nolog,pass,capture\"",
        "SecRule TX:a \"@eq 5\" \"id:2,phase:1,nolog,pass,chain\"\nSecRule ARGS \"@eq 1\"",
    ] {
        assert_eq!(after("setvar:tx.a=5", rule), ["1-2 a=5"], "{rule}");
    }
}

#[test]
fn what_is_evaluated_may_still_be_known() {
    let rules = "SecAction \"id:2,phase:1,log,pass,setvar:tx.a=3\"\n\
        SecRule TX:a \"@eq 3\" \"id:3,phase:1,log,pass,skipAfter:END\"\n\
        SecRule ARGS \"@rx x\" \"id:4,phase:1,deny,setvar:tx.a=4\"\n\
        SecMarker END\n\
        SecRule TX:a \"@eq 3\" \"id:5,phase:1,nolog,pass,setvar:tx.b=1\"";
    assert_eq!(after("setvar:tx.a=5", rules), ["1-2 a=5", "5-0 b=1"]);
}

#[test]
fn rules_that_may_match_leave_what_both_ways_have() {
    let rules = |open: &str| {
        format!(
            "SecRule ARGS \"@rx x\" \"id:2,phase:1,nolog,pass,{open}\"\n\
             SecAction \"id:3,phase:1,nolog,pass,setvar:tx.b=1\"\n\
             SecMarker END\n\
             SecRule TX:a \"@eq 5\" \"id:4,phase:1,nolog,pass,setvar:tx.c=1\""
        )
    };
    let after = |open: &str| after("setvar:tx.a=5,setvar:tx.b=1", &rules(open));
    assert_eq!(after("setvar:tx.z=1"), ["1-2 a=5 b=1", "3-0 b=1 c=1"]);
    assert_eq!(after("setvar:tx.a=5"), ["1-2 a=5 b=1", "3-0 b=1 c=1"]);
    for change in [
        "setvar:tx.a=6",
        "setvar:!tx.a",
        "setvar:tx.a=+1",
        "setvar:tx.a=%{ARGS.x}",
        "setvar:tx.%{ARGS.x}=1",
        "setvar:tx.A%{ARGS.x}=1",
    ] {
        assert_eq!(after(change), ["1-2 a=5 b=1", "3-4 b=1"], "{change}");
    }
    assert_eq!(
        after("setvar:tx.b%{ARGS.x}=1"),
        ["1-2 a=5 b=1", "3-0 b=1 c=1"]
    );
    // A run begins where two ways meet.
    assert_eq!(
        after("skipAfter:END"),
        ["1-2 a=5 b=1", "3-4 b=1", "4-0 c=1"]
    );
    assert_eq!(after("skip:1"), ["1-2 a=5 b=1", "3-4 b=1", "4-0 c=1"]);
    assert_eq!(after("skipAfter:NOWHERE"), ["1-2 a=5 b=1", "3-0 b=1 c=1"]);
}

#[test]
fn ways_that_set_different_values_meet() {
    let rules = "SecRule ARGS \"@rx x\" \"id:2,phase:1,nolog,pass,skip:2\"\n\
        SecAction \"id:3,phase:1,nolog,pass,setvar:tx.a=6,setvar:tx.b=1\"\n\
        SecAction \"id:4,phase:1,nolog,pass,skip:1\"\n\
        SecAction \"id:5,phase:1,nolog,pass,setvar:tx.a=5,setvar:tx.b=1\"\n\
        SecRule TX:b \"@eq 1\" \"id:6,phase:1,nolog,pass,setvar:tx.c=1\"\n\
        SecRule TX:a \"@eq 5\" \"id:7,phase:1,nolog,pass\"";
    assert_eq!(
        after("setvar:tx.a=5", rules),
        ["1-2 a=5", "3-6 a=6 b=1", "5-6 a=5 b=1", "6-7 c=1"]
    );
}

#[test]
fn chains_are_known_if_all_their_links_are() {
    let rules = |second: &str| {
        format!(
            "SecRule TX:a \"@eq 5\" \"id:2,phase:1,nolog,pass,setvar:tx.b=1,skip:1,chain\"\n\
             SecRule {second} \"setvar:tx.c=2\"\n\
             SecAction \"id:3,phase:1,nolog,pass,setvar:tx.d=1\""
        )
    };
    let after = |second: &str| after("setvar:tx.a=5", &rules(second));
    assert_eq!(after("TX:b \"@eq 1\""), ["1-0 a=5 b=1 c=2"]);
    // The first link does what it does at its match.
    assert_eq!(after("TX:b \"@eq 0\""), ["1-0 a=5 b=1 d=1"]);
    assert_eq!(after("ARGS \"@eq 0\""), ["1-2 a=5", "3-0 d=1"]);
    assert_eq!(after("MATCHED_VAR \"@eq 5\""), ["1-2 a=5", "3-0 d=1"]);
    let text = "SecRule TX:a \"@eq 5\" \"id:2,phase:1,deny,chain\"\nSecRule ARGS \"@eq 0\"";
    assert_eq!(runs(text, 1), ["2-0"]);
}

#[test]
fn a_match_that_is_read_later_is_evaluated() {
    let text = "SecRule &TX:a \"@eq 0\" \"id:1,phase:1,nolog,pass,setvar:tx.a=1\"\n\
        SecRule &TX:a \"@eq 0\" \"id:2,phase:1,nolog,pass,setvar:tx.a=1\"\n";
    assert_eq!(runs(text, 1), ["1-0 a=1"]);
    for reader in [
        "SecRule MATCHED_VAR \"@eq 0\" \"id:3,phase:5,nolog,pass\"",
        "SecRule ARGS \"@eq %{MATCHED_VAR_NAME}\" \"id:3,phase:5,nolog,pass\"",
        "SecAction \"id:3,phase:5,nolog,pass,setvar:tx.b=%{MATCHED_VAR}\"",
        "SecAction \"id:3,phase:5,nolog,pass,setvar:tx.%{MATCHED_VAR}=1\"",
        "SecAction \"id:3,phase:5,log,pass,logdata:'%{MATCHED_VAR}'\"",
        "SecAction \"id:3,phase:5,log,pass,tag:'%{MATCHED_VAR}'\"",
        "SecAction \"id:3,phase:5,nolog,pass,sanitiseMatched\"",
        "SecAction \"id:3,phase:5,nolog,pass,logdata:'%{MATCHED_VAR}',setvar:tx.b=%{rule.logdata}\"",
        "SecAction \"id:3,phase:5,nolog,pass,chain\"\nSecRule MATCHED_VAR \"@eq 0\"",
        "SecDefaultAction \"phase:5,nolog,pass,setvar:tx.b=%{MATCHED_VAR}\"\n\
         SecAction \"id:3,phase:5\"",
    ] {
        // The second rule leaves nothing, so that nothing can be seen of it.
        assert_eq!(runs(&format!("{text}{reader}"), 1), ["2-0"], "{reader}");
    }
    for reader in [
        "SecRule ARGS \"@eq 0\" \"id:3,phase:5,log,pass,logdata:'%{MATCHED_VAR}'\"",
        "SecRule ARGS \"@eq 0\" \"id:3,phase:5,nolog,pass,chain\"\nSecRule MATCHED_VAR \"@eq 0\"",
        "SecRule ARGS \"@eq 0\" \"id:3,phase:5,nolog,pass,setvar:tx.b=%{MATCHED_VAR}\"",
        "SecAction \"id:3,phase:5,nolog,pass,chain\"\nSecRule MATCHED_VARS \"@eq 0\"",
    ] {
        assert_eq!(runs(&format!("{text}{reader}"), 1), ["1-0 a=1"], "{reader}");
    }
}

#[test]
fn the_time_of_each_rule_is_taken() {
    assert_eq!(after("setvar:tx.a=5", "").len(), 1);
    assert_eq!(after("setvar:tx.a=5", "SecRulePerfTime 10").len(), 0);
}

#[test]
fn phases_begin_where_others_may_have_ended() {
    let text = |decides: &str| {
        format!(
            "SecRule ARGS \"@rx x\" \"id:1,phase:1,nolog,{decides}\"\n\
             SecAction \"id:2,phase:1,nolog,pass,setvar:tx.a=5\"\n\
             SecRule TX:a \"@eq 5\" \"id:3,phase:2,nolog,pass\"\n\
             SecRule TX:a \"@eq 5\" \"id:4,phase:3,nolog,pass\"\n\
             SecRule TX:a \"@eq 5\" \"id:5,phase:4,nolog,pass\"\n\
             SecRule TX:a \"@eq 5\" \"id:6,phase:5,nolog,pass\""
        )
    };
    let known = |decides: &str| {
        let text = text(decides);
        (2..=5)
            .map(|phase| runs(&text, phase).len())
            .collect::<Vec<_>>()
    };
    assert_eq!(known("pass"), [1, 1, 1, 1]);
    // Only phase 5 follows an interruption.
    assert_eq!(known("deny"), [1, 1, 1, 0]);
    assert_eq!(known("redirect:http://x.test/"), [1, 1, 1, 0]);
    assert_eq!(known("allow"), [1, 1, 1, 0]);
    assert_eq!(known("allow:phase"), [0, 0, 0, 0]);
    assert_eq!(known("allow:request"), [1, 0, 0, 0]);
    // Whether the client waits for an answer or not.
    let text = "SecAction \"id:1,phase:3,nolog,pass,setvar:tx.a=5\"\n\
        SecRule TX:a \"@eq 5\" \"id:2,phase:4,nolog,pass\"\n\
        SecRule TX:a \"@eq 5\" \"id:3,phase:5,nolog,pass\"";
    assert_eq!((runs(text, 4).len(), runs(text, 5).len()), (1, 0));
}

#[test]
fn a_decision_that_is_known_may_not_be_taken() {
    // DetectionOnly goes on.
    let text = "SecAction \"id:1,phase:1,nolog,deny\"\n\
        SecAction \"id:2,phase:1,nolog,pass,setvar:tx.a=5\"\n\
        SecRule TX:a \"@eq 5\" \"id:3,phase:2,nolog,pass\"";
    assert_eq!(runs(text, 1), ["2-0 a=5"]);
    assert_eq!(runs(text, 2), ["3-0"]);
}

#[test]
fn rules_that_others_follow_from_are_marked() {
    let program = program(
        "SecAction \"id:1,phase:1,nolog,pass,setvar:tx.a=5\"\n\
         SecRule TX:a \"@eq 5\" \"id:2,phase:1,nolog,pass,chain\"\nSecRule TX:b \"@eq 5\"\n\
         SecRule TX:a \"@eq 5\" \"id:3,phase:1,nolog,pass,chain\"\nSecRule ARGS \"@eq 5\"\n\
         SecRule TX:b \"@eq 5\" \"id:4,phase:1,nolog,pass,chain\"\nSecRule ARGS \"@eq 5\"\n\
         SecAction \"id:5,phase:1,log,pass\"",
    );
    let known: Vec<bool> = program.rules.iter().map(|rule| rule.is_known).collect();
    assert_eq!(known, [true, true, true, false, false, true, false, true]);
}

#[test]
fn long_values_are_followed_while_there_is_room() {
    let long = "x".repeat(300);
    let set = format!("setvar:tx.a={long}");
    let program = program(&format!(
        "SecAction \"id:1,phase:1,nolog,pass,{set},{set}\""
    ));
    let fold = program.phases[0].entries[0].fold.unwrap();
    assert_eq!(fold.long_bytes, 600);
    // A rule that may have taken all of it.
    let taken = "SecRule ARGS \"@rx x\" \"id:2,phase:1,nolog,pass,setvar:tx.b=%{ARGS.x}\"\n";
    let rules = format!("{taken}SecAction \"id:3,phase:1,nolog,pass,{set}\"");
    assert_eq!(after("setvar:tx.c=1", &rules), ["1-2 c=1"]);
    let too_long = "x".repeat(9000);
    assert_eq!(after(&format!("setvar:tx.a={too_long}"), ""), [""; 0]);
    let mut pool = Pool::new();
    let known = (0..20u8).filter_map(|byte| pool.add(&[byte; 8192]));
    assert_eq!(known.count(), 4);
}

#[test]
fn facts_that_wait_are_bounded() {
    let mut keys = KeyTable::default();
    for number in 0..1000 {
        keys.slot(format!("x{number}").as_bytes());
    }
    let facts = Facts::at_start(&keys);
    let mut waiting = Waiting::default();
    for entry in 0..1000 {
        waiting.add(entry, &facts);
        waiting.add(entry, &facts);
        assert!(waiting.count <= MOST_WAITING);
    }
    let kept = (0..1000).filter(|&entry| waiting.take(entry).unwrap().len() > 0);
    assert_eq!(kept.count(), MOST_WAITING / facts.len());
    assert_eq!(waiting.count, 0);
}
