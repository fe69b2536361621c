//! Overlays: what an application team may add to a base, and what it may not.

use super::*;
use crate::action::RuleSpec;

const BASE: &str = "SecRuleEngine On\n\
    SecAction \"id:900990,phase:1,pass,nolog,setvar:tx.threshold=5\"\n\
    SecRule TX:/^limit_/ \"@gt 9\" \"id:901000,phase:1,deny\"\n\
    SecRule ARGS \"@rx a\" \"id:942100,phase:2,pass,tag:sqli,setvar:tx.anomaly_score_pl1=+5,skipAfter:END\"\n\
    SecRule ARGS \"@rx b\" \"id:942110,phase:2,pass,tag:sqli\"\n\
    SecMarker END\n\
    SecRule TX:anomaly_score_pl1 \"@ge %{tx.threshold}\" \"id:949110,phase:2,deny,tag:sum\"\n\
    SecRule ARGS \"@rx c\" \"id:7,phase:2,deny,msg:own\"";

fn over(policy: OverlayPolicy, texts: &[&str]) -> Compiled {
    let policy = Arc::new(policy);
    let overlays = texts.iter().enumerate().map(|(number, text)| Layer {
        overlay: Some(Arc::clone(&policy)),
        ..Layer::new(format!("overlay{number}"), *text)
    });
    let layers: Vec<Layer> = std::iter::once(Layer::new("base", BASE))
        .chain(overlays)
        .collect();
    compile_profile(&layers, &NoFiles)
}

/// The codes of what is wrong with an overlay under the default policy.
fn refused(text: &str) -> Vec<Code> {
    codes_of(&over(OverlayPolicy::default(), &[text]))
}

fn codes_of(compiled: &Compiled) -> Vec<Code> {
    let errors = compiled.diagnostics.iter();
    let errors = errors.filter(|one| one.severity == Severity::Error);
    assert_eq!(compiled.program.is_none(), errors.clone().count() > 0);
    errors.map(|one| one.code).collect()
}

#[test]
fn what_disarms_the_base_is_refused() {
    use Code::{DuplicateId, LockedRule, OverlayAction, OverlayDirective, OverlayId, OverlayName};
    let action = |actions: &str| format!("SecAction \"id:1,phase:1,pass,{actions}\"");
    for (text, code) in [
        ("SecRuleRemoveById 949110", LockedRule),
        ("SecRuleRemoveById 1-999999", LockedRule),
        ("SecRuleRemoveById 7", LockedRule),
        ("SecRuleRemoveByTag sum", LockedRule),
        ("SecRuleRemoveByTag .", LockedRule),
        ("SecRuleRemoveByMsg own", LockedRule),
        ("SecRuleUpdateTargetById 949110 !TX", LockedRule),
        ("SecRuleUpdateTargetByTag sum !TX", LockedRule),
        ("SecRuleUpdateTargetByMsg own ARGS_GET ARGS", LockedRule),
        ("SecRuleUpdateActionById 949110 pass", OverlayDirective),
        (&action("ctl:ruleRemoveById=949110"), LockedRule),
        (&action("ctl:ruleRemoveByTag=sum"), LockedRule),
        (&action("ctl:ruleRemoveByMsg=own"), LockedRule),
        (&action("ctl:ruleRemoveTargetById=949110;TX"), LockedRule),
        (&action("ctl:ruleRemoveTargetByTag=sum;TX"), LockedRule),
        (
            "SecRule ARGS a \"id:1,pass,chain\"\nSecRule ARGS b \"ctl:ruleRemoveById=949110\"",
            LockedRule,
        ),
        (&action("ctl:ruleEngine=DetectionOnly"), OverlayAction),
        (&action("ctl:requestBodyAccess=Off"), OverlayAction),
        (&action("ctl:requestBodyProcessor=JSON"), OverlayAction),
        (&action("ctl:requestBodyLimit=1"), OverlayAction),
        (&action("ctl:auditEngine=Off"), OverlayAction),
        ("SecAction \"id:1,phase:1,allow\"", OverlayAction),
        ("SecAction \"id:1,phase:1,allow:phase\"", OverlayAction),
        ("SecAction \"id:1,phase:1,allow:request\"", OverlayAction),
        (&action("skip:9"), OverlayAction),
        (&action("skipAfter:END"), OverlayAction),
        (&action("skipAfter:949110"), OverlayAction),
        (&action("setvar:tx.threshold=1000"), OverlayAction),
        (&action("setvar:TX.THRESHOLD=+1000"), OverlayAction),
        (&action("setvar:!tx.threshold"), OverlayAction),
        (&action("setvar:tx.anomaly_score_pl1=0"), OverlayAction),
        (&action("setvar:tx.anomaly_score_pl1=-5"), OverlayAction),
        (&action("setvar:tx.anomaly_score_pl1=+-5"), OverlayAction),
        (
            &action("setvar:tx.anomaly_score_pl1=+%{ARGS.x}"),
            OverlayAction,
        ),
        (&action("setvar:tx.limit_x=1"), OverlayAction),
        (&action("setvar:tx.%{ARGS.x}=1"), OverlayAction),
        (&action("setvar:ip.x=1"), OverlayAction),
        (&action("initcol:ip=x"), OverlayAction),
        (&action("setenv:a=1"), OverlayAction),
        (&action("pause:1000"), OverlayAction),
        (&action("append:x"), OverlayAction),
        (
            "SecRule STREAM_INPUT_BODY \"@rsub s/a//\" \"id:1,pass\"",
            OverlayAction,
        ),
        ("SecRuleEngine Off", OverlayDirective),
        ("SecRequestBodyAccess Off", OverlayDirective),
        ("SecRequestBodyLimit 1", OverlayDirective),
        ("SecArgumentsLimit 1", OverlayDirective),
        ("SecResponseBodyMimeTypesClear", OverlayDirective),
        ("SecDefaultAction \"phase:2,pass\"", OverlayDirective),
        ("SecRuleInheritance Off", OverlayDirective),
        ("SecIgnoreRuleCompilationErrors On", OverlayDirective),
        ("SecAuditEngine Off", OverlayDirective),
        ("SecMarker END", OverlayName),
        ("SecAction \"id:949111,pass\"", OverlayId),
        ("SecAction \"pass\"", OverlayId),
        ("SecAction \"id:7,pass\"", DuplicateId),
    ] {
        assert_eq!(refused(text), [code], "{text}");
    }
}

#[test]
fn every_directive_is_either_allowable_or_refused() {
    for def in DirectiveDef::all() {
        let allowed = OverlayPolicy::default().directives.contains(&def.name);
        let arguments = ["a"].repeat(def.arguments.0).join(" ");
        let codes = refused(&format!("{} {arguments}", def.name));
        assert_eq!(
            !codes.contains(&Code::OverlayDirective),
            allowed,
            "{}",
            def.name
        );
    }
    for (name, _) in OverlayPolicy::ALLOWABLE {
        assert!(
            DirectiveDef::all().iter().any(|def| def.name == name),
            "{name}"
        );
    }
}

#[test]
fn exclusions_and_own_rules_are_what_overlays_are_for() {
    for text in [
        "SecRuleRemoveById 942100",
        "SecRuleRemoveByTag sqli",
        "SecRuleUpdateTargetByTag sqli \"!ARGS:comment\"",
        "SecAction \"id:1,phase:1,pass,ctl:ruleRemoveByTag=sqli\"",
        "SecRule ARGS a \"id:1,phase:2,deny,chain\"\nSecRule ARGS b \"setvar:tx.own=1\"",
        "SecAction \"id:1,phase:2,pass,setvar:tx.own=1,skipAfter:OWN\"\nSecMarker OWN",
        "SecAction \"id:1,phase:2,pass,setvar:tx.anomaly_score_pl1=+5\"",
        "SecRule TX:anomaly_score_pl1 \"@gt %{tx.threshold}\" \"id:1,phase:2,block\"",
    ] {
        assert_eq!(refused(text), [], "{text}");
    }
    // The base's own rules are there, whatever the overlay leaves out.
    let program = over(OverlayPolicy::default(), &["SecRuleRemoveByTag sqli"]).program;
    let ids: Vec<u64> = program.unwrap().meta.iter().map(|meta| meta.id).collect();
    assert_eq!(ids, [900_990, 901_000, 949_110, 7]);
    // One overlay may change rules of another one.
    let two = ["SecAction \"id:1,phase:1,pass\"", "SecRuleRemoveById 1"];
    assert_eq!(codes_of(&over(OverlayPolicy::default(), &two)), []);
}

#[test]
fn a_policy_locks_frees_and_grants() {
    let ids = |id| vec![RuleSpec::Ids([(id, id)].into())];
    let policy = OverlayPolicy {
        directives: vec!["SecAction", "SecRuleRemoveById", "SecRuleUpdateActionById"],
        ids: vec![(50, 59)],
        locked: ids(942_110),
        unlocked: ids(7),
        variables: vec!["threshold".into()],
        scores: Vec::new(),
        most_removed: 1,
    };
    for (text, codes) in [
        ("SecRuleRemoveById 7", &[][..]),
        ("SecRuleRemoveById 942110", &[Code::LockedRule]),
        ("SecRuleRemoveById 7 942100", &[Code::LockedRule]),
        (
            "SecRuleRemoveById 7\nSecRuleRemoveById 942100",
            &[Code::LockedRule],
        ),
        ("SecRuleRemoveById 7\nSecRuleRemoveById 7", &[]),
        (
            "SecAction \"id:50,phase:1,pass,setvar:tx.threshold=9\"",
            &[],
        ),
        (
            "SecAction \"id:50,phase:1,pass,setvar:tx.anomaly_score_pl1=+5\"",
            &[Code::OverlayAction],
        ),
        ("SecAction \"id:60,phase:1,pass\"", &[Code::OverlayId]),
        ("SecRuleRemoveByTag sqli", &[Code::OverlayDirective]),
        ("SecRuleUpdateActionById 7 pass", &[]),
        ("SecRuleUpdateActionById 949110 pass", &[Code::LockedRule]),
        (
            "SecRuleUpdateActionById 7 skipAfter:END",
            &[Code::OverlayAction],
        ),
        (
            "SecRuleUpdateActionById 7 ctl:ruleRemoveById=949110",
            &[Code::OverlayAction],
        ),
        ("SecRuleUpdateActionById 7 allow", &[Code::OverlayAction]),
    ] {
        assert_eq!(codes_of(&over(policy.clone(), &[text])), codes, "{text}");
    }
}

#[test]
fn what_is_refused_is_never_just_left_out() {
    let base = Layer::new(
        "base",
        "SecIgnoreRuleCompilationErrors On\nSecAction \"id:1\"",
    );
    let overlay = Layer {
        overlay: Some(Arc::default()),
        ..Layer::new("overlay", "SecAction \"id:2,phase:1,allow\"")
    };
    let compiled = compile_profile(&[base, overlay], &NoFiles);
    assert_eq!(codes_of(&compiled), [Code::OverlayAction]);
}

#[test]
fn included_files_and_later_profiles() {
    struct Files;
    impl Loader for Files {
        fn read(&self, _: &str) -> Result<Vec<u8>, String> {
            Ok(b"SecRuleEngine Off".to_vec())
        }
        fn glob(&self, _: &str) -> Result<Vec<String>, String> {
            Ok(Vec::new())
        }
    }
    let overlay = |text: &str| Layer {
        overlay: Some(Arc::default()),
        ..Layer::new("overlay", text)
    };
    let base = || Layer::new("base", BASE);
    let included = compile_profile(&[base(), overlay("Include team.conf")], &Files);
    assert_eq!(codes_of(&included), [Code::OverlayDirective]);
    // What extends an overlay and is none itself is free again.
    let later = Layer::new(
        "later",
        "SecRuleEngine DetectionOnly\nSecRuleRemoveById 949110",
    );
    let after = compile_profile(
        &[base(), overlay("SecAction id:1,phase:1,pass"), later],
        &NoFiles,
    );
    assert_eq!(codes_of(&after), []);
}
