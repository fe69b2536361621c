//! Tests of the compiler as a whole; messages have golden tests of their own.

use super::*;
use crate::program::{Decision, Flow};

mod overlays;
mod profiles;

fn compile_text(text: &str) -> Compiled {
    compile(
        &[("test.conf".to_owned(), text.as_bytes().to_vec())],
        &NoFiles,
    )
}

fn program(text: &str) -> Arc<Program> {
    let compiled = compile_text(text);
    compiled
        .program
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

fn codes(text: &str) -> Vec<Code> {
    compile_text(text)
        .diagnostics
        .iter()
        .map(|one| one.code)
        .collect()
}

#[test]
fn block_takes_the_default_of_its_phase() {
    let program = program(
        "SecDefaultAction \"phase:1,log,deny,status:406\"\n\
         SecRule ARGS \"@rx a\" \"id:1,phase:1,block\"\n\
         SecRule ARGS \"@rx a\" \"id:2,phase:2,block\"\n\
         SecRule ARGS \"@rx a\" \"id:3,phase:1,pass\"\n",
    );
    let decisions: Vec<_> = program
        .meta
        .iter()
        .map(|meta| meta.decision.clone())
        .collect();
    assert_eq!(
        decisions,
        [Decision::Deny(406), Decision::Pass, Decision::Pass]
    );
    let both = compile_text(
        "SecDefaultAction \"phase:1,deny,block\"\nSecRule ARGS a \"id:1,phase:1,block\"",
    );
    assert_eq!(both.diagnostics.len(), 1, "{:?}", both.diagnostics);
    let program = both.program.unwrap();
    assert_eq!(program.meta[0].decision, Decision::Deny(403));
}

#[test]
fn skip_after_goes_to_its_marker_in_the_phase() {
    let program = program(
        "SecAction \"id:1,phase:1,pass,skipAfter:END\"\n\
         SecAction \"id:2,phase:1,pass\"\n\
         SecAction \"id:3,phase:2,pass\"\n\
         SecMarker END\n\
         SecAction \"id:4,phase:1,pass\"\n",
    );
    assert_eq!(program.meta[0].flow, Flow::Goto(2));
    assert_eq!(
        codes("SecAction \"id:1,phase:1,pass,skipAfter:NO\""),
        [Code::UnknownMarker]
    );
}

#[test]
fn updates_hold_wherever_they_stand() {
    let program = program(
        "SecRuleRemoveById 2\n\
         SecRuleUpdateTargetById 1 \"!ARGS:x\"\n\
         SecRuleUpdateActionById 3 \"deny,status:500\"\n\
         SecRule ARGS \"@rx a\" \"id:1,pass\"\n\
         SecRule ARGS \"@rx a\" \"id:2,pass\"\n\
         SecRule ARGS \"@rx a\" \"id:3,pass\"\n",
    );
    assert_eq!(program.rules.len(), 2);
    assert_eq!(program.rules[0].exclusions.len(), 1);
    assert_eq!(program.meta[1].decision, Decision::Deny(500));
}

#[test]
fn only_rules_whose_groups_are_read_keep_them() {
    use crate::operator::Capture;
    let program = program(
        "SecRule ARGS \"@rx (a)(b)\" \"id:1,capture,chain,pass\"\n\
         SecRule TX:2 \"@streq b\"\n\
         SecRule ARGS \"@rx (a)(b)\" \"id:2,capture,pass,msg:'%{TX.0}'\"\n",
    );
    let captures: Vec<_> = program
        .rules
        .iter()
        .filter_map(|rule| rule.test.as_ref())
        .map(|test| test.capture)
        .collect();
    assert_eq!(captures, [Capture::Groups, Capture::None, Capture::Whole]);
}

#[test]
fn mistakes_have_codes() {
    let table: &[(&str, &[Code])] = &[
        ("SecRul ARGS x", &[Code::UnknownDirective]),
        ("SecRule ARGZ \"@rx a\" \"id:1\"", &[Code::UnknownVariable]),
        ("SecRule ARGS \"@rxx a\" \"id:1\"", &[Code::UnknownOperator]),
        ("SecRule ARGS \"@rx (\" \"id:1\"", &[Code::BadRegex]),
        (
            "SecRule ARGS \"@rx a\" \"id:1,t:lowercas\"",
            &[Code::UnknownTransformation],
        ),
        (
            "SecRule ARGS \"@rx a\" \"id:1,denny\"",
            &[Code::UnknownAction],
        ),
        ("SecRule ARGS \"@rx a\" \"phase:1\"", &[Code::MissingId]),
        (
            "SecRule ARGS \"@rx a\" \"id:1,phase:7\"",
            &[Code::ActionValue],
        ),
        ("SecRule ARGS \"@rx a\" \"id:1,chain\"", &[Code::OpenChain]),
        (
            "SecAction \"id:1\"\nSecAction \"id:1\"",
            &[Code::DuplicateId],
        ),
        ("SecRuleEngine Maybe", &[Code::DirectiveValue]),
        ("SecRuleEngine", &[Code::ArgumentCount]),
        (
            "SecRule REQUEST_METHOD:x \"@rx a\" \"id:1\"",
            &[Code::BadSelector],
        ),
        ("SecAction \"id:1,msg:'%{NOPE}'\"", &[Code::MacroSyntax]),
        (
            "SecRule ARGS a \"id:1,chain\"\nSecRule ARGS b \"deny\"",
            &[Code::ActionInChain],
        ),
        ("SecDefaultAction \"pass\"", &[Code::DefaultAction]),
        ("SecDefaultAction \"phase:1,log\"", &[Code::DefaultAction]),
        (
            "SecDefaultAction \"phase:1,block\"",
            &[Code::DefaultAction, Code::DefaultAction],
        ),
        ("SecAction \"id:1,phase:5,deny\"", &[Code::ActionPhase]),
        (
            "SecRule ARGS a \"id:1,t:urlEncode,t:urlEncode,t:urlEncode,t:urlEncode\"",
            &[Code::TooMuchGrowth],
        ),
        ("Include nowhere.conf", &[Code::FileNotFound]),
        ("SecChrootDir /x", &[Code::IgnoredDirective]),
        ("SecContentInjection On", &[]),
        (
            "SecAction \"exec:/x,append:x,proxy:http://x/\"",
            &[Code::SandboxLimit, Code::SandboxLimit, Code::MissingId],
        ),
        ("SecRuleRemoveById 7", &[Code::UnusedUpdate]),
        ("SecRule ARGS \"@rx a(?=b)\" \"id:1\"", &[Code::Backtracks]),
        ("SecRule ARGS \"@rx (a)(?1)\" \"id:1\"", &[Code::BadRegex]),
    ];
    for (text, expected) in table {
        assert_eq!(codes(text), *expected, "{text}");
    }
}

#[test]
fn bad_rules_can_be_left_out() {
    let text = "SecIgnoreRuleCompilationErrors On\n\
                SecRule ARGS \"@rx (\" \"id:1\"\n\
                SecRule ARGS \"@rx a\" \"id:1,pass\"\n\
                SecRule ARGS \"@rx a\" \"id:2,pass,chain\"\n\
                SecRule NOPE \"@rx a\" \"chain\"\n\
                SecRule ARGS \"@rx b\"\n\
                SecRule ARGS \"@rx (\" \"id:3,pass,chain\"\n\
                SecRule ARGS \"@rx a\" \"chain\"\n\
                SecRule ARGS \"@rx b\"\n\
                SecRule ARGS \"@rx a\" \"id:1,pass\"\n\
                SecRule ARGS \"@rx a\" \"id:4,pass\"\n";
    let compiled = compile_text(text);
    assert!(
        compiled
            .diagnostics
            .iter()
            .all(|one| one.severity == Severity::Warning)
    );
    let codes: Vec<Code> = compiled.diagnostics.iter().map(|one| one.code).collect();
    assert_eq!(
        codes,
        [
            Code::BadRegex,
            Code::UnknownVariable,
            Code::BadRegex,
            Code::DuplicateId
        ]
    );
    let ids: Vec<u64> = compiled
        .program
        .unwrap()
        .meta
        .iter()
        .map(|meta| meta.id)
        .collect();
    assert_eq!(ids, [1, 4]);
    // Switched off again, or never on, a bad rule is an error.
    let off = "SecIgnoreRuleCompilationErrors On\nSecIgnoreRuleCompilationErrors Off\n\
               SecRule ARGS \"@rx (\" \"id:1\"";
    assert!(compile_text(off).program.is_none());
}

#[test]
fn settings_for_hosts() {
    let program = program(
        "SecServerSignature \"x\"\nSecDisableBackendCompression On\nSecContentInjection On\n\
         SecRuleInheritance Off\nSecUploadKeepFiles RelevantOnly\nSecRulePerfTime 250\n",
    );
    let settings = &program.settings;
    assert_eq!(settings.server_signature.as_deref(), Some(b"x".as_slice()));
    assert!(settings.disable_backend_compression && settings.content_injection);
    assert!(settings.keep_files && !settings.save_files && !settings.inherit_rules);
    assert_eq!(settings.rule_perf_time, 250);
}

#[test]
fn the_code_page_holds_wherever_it_stands() {
    struct Map;
    impl Loader for Map {
        fn read(&self, _: &str) -> Result<Vec<u8>, String> {
            Ok(b"1 (one)\n00e9:65\n2 (two)\n00e9:66\n".to_vec())
        }
        fn glob(&self, _: &str) -> Result<Vec<String>, String> {
            Ok(Vec::new())
        }
    }
    for text in [
        "SecUnicodeCodePage 2\nSecUnicodeMapFile u.map",
        "SecUnicodeMap u.map\nSecUnicodeCodePage 2",
        "SecUnicodeCodePage 1\nSecUnicodeMapFile u.map 2",
    ] {
        let compiled = compile(&[("a.conf".into(), text.into())], &Map);
        let program = compiled
            .program
            .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let context = crate::transform::Context {
            unicode_map: program.settings.unicode_map.as_ref(),
        };
        let mut out = Vec::new();
        let _ = crate::transform::Transformation::UrlDecodeUni.apply(b"%u00e9", &mut out, context);
        assert_eq!(out, b"f", "{text}");
    }
}

#[test]
fn what_rules_read_is_known() {
    let program = program(
        "SecRule ARGS \"@rx %{FULL_REQUEST}\" \"id:1,pass,logdata:'%{PERF_ALL}',\
         setvar:'tx.%{ENV.x}=%{SESSION.y}'\"\n\
         SecDefaultAction \"phase:2,pass,setvar:tx.a=%{GLOBAL.x}\"\n\
         SecAction \"id:2\"\n",
    );
    use crate::variable::Variable as V;
    let expected = [
        V::Args,
        V::FullRequest,
        V::PerfAll,
        V::Env,
        V::Session,
        V::Global,
    ];
    for &variable in V::ALL {
        assert_eq!(
            program.reads.contains(variable),
            expected.contains(&variable),
            "{variable:?}"
        );
    }
}

#[test]
fn what_v3_takes_is_told_and_taken() {
    let told = |text: &str| {
        let compiled = compile_text(text);
        let told: Vec<_> = compiled
            .diagnostics
            .iter()
            .map(|one| (one.code, one.severity))
            .collect();
        (compiled.program.is_some(), told)
    };
    let warning = |code| (true, vec![(code, Severity::Warning)]);
    let chain = |actions: &str| {
        told(&format!(
            "SecRule ARGS \"@rx a\" \"id:1,phase:2,pass,chain\"\n\
             SecRule ARGS \"@rx b\" \"{actions}\"\n"
        ))
    };
    assert_eq!(
        told("SecAction \"phase:1,pass\"\n"),
        warning(Code::MissingId)
    );
    assert!(!told("SecRule ARGS \"@rx a\" \"phase:1,pass\"\n").0);
    for actions in ["id:2", "phase:1", "msg:'x'", "severity:2", "skip:1"] {
        assert_eq!(chain(actions), warning(Code::ActionInChain), "{actions}");
    }
    assert_eq!(chain("status:418"), (true, Vec::new()));
    assert!(!chain("deny").0 && !chain("block").0);
    assert_eq!(
        told("SecRule ARGS:/^(?!a)/ \"@rx a\" \"id:1,phase:2,pass\"\n").1,
        [(Code::Backtracks, Severity::Note)]
    );
}

#[test]
fn namespaces_are_uris() {
    let codes_of = |xmlns: &str| {
        codes(&format!(
            "SecRule XML:/a:b \"@rx a\" \"id:1,phase:2,pass,xmlns:{xmlns}\"\n"
        ))
    };
    assert_eq!(codes_of("a=http://example.com/a"), []);
    assert_eq!(codes_of("a=urn:a"), []);
    for bad in ["a=example.com/a", "a", "=urn:a"] {
        assert!(codes_of(bad).contains(&Code::ActionValue), "{bad}");
    }
}
