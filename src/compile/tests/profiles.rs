//! Profiles that extend others, and updates wherever they stand.

use super::*;

fn lineage(texts: &[&str]) -> Compiled {
    let texts: Vec<Layer> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| Layer::new(format!("p{number}"), *text))
        .collect();
    compile_profile(&texts, &NoFiles)
}

fn ids(compiled: &Compiled) -> Vec<u64> {
    let program = compiled
        .program
        .as_ref()
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    program.meta.iter().map(|meta| meta.id).collect()
}

fn messages(compiled: &Compiled) -> Vec<Code> {
    compiled.diagnostics.iter().map(|one| one.code).collect()
}

#[test]
fn rules_are_inherited_unless_the_profile_says_no() {
    const BASE: &str = "SecRuleEngine On\nSecAction \"id:1\"\nSecAction \"id:2\"";
    for (texts, expected) in [
        (&[BASE][..], &[1, 2][..]),
        (&[BASE, "SecAction \"id:3\""], &[1, 2, 3]),
        (&[BASE, "SecAction \"id:3\"\nSecRuleInheritance Off"], &[3]),
        (
            &[BASE, "SecRuleInheritance Off", "SecAction \"id:4\""],
            &[4],
        ),
        // Each profile says it for itself.
        (
            &[
                BASE,
                "SecAction \"id:3\"",
                "SecRuleInheritance Off\nSecAction \"id:1\"",
            ],
            &[1],
        ),
        (
            &[
                "SecRuleInheritance Off\nSecAction \"id:1\"",
                "SecAction \"id:2\"",
            ],
            &[1, 2],
        ),
        (&[BASE, "SecRuleRemoveById 1"], &[2]),
        (
            &[
                "SecRuleRemoveById 3",
                "SecAction \"id:3\"\nSecAction \"id:4\"",
            ],
            &[4],
        ),
    ] {
        let compiled = lineage(texts);
        assert_eq!(ids(&compiled), expected, "{texts:?}");
    }
    let program = lineage(&[BASE, "SecRuleInheritance Off"]).program.unwrap();
    assert_eq!(program.settings.engine, crate::program::EngineMode::On);
}

#[test]
fn mistakes_between_profiles_are_told() {
    let taken = lineage(&[
        "SecAction \"id:1\"",
        "SecAction \"id:2\"\nSecAction \"id:1\"",
    ]);
    assert_eq!(messages(&taken), [Code::DuplicateId]);
    assert!(taken.program.is_none());
    let left_out = lineage(&[
        "SecIgnoreRuleCompilationErrors On\nSecAction \"id:1,phase:1\"",
        "SecAction \"id:1,phase:2\"",
    ]);
    assert_eq!(messages(&left_out), [Code::DuplicateId]);
    assert_eq!(
        left_out.program.unwrap().meta[0].phase,
        Phase::RequestHeaders
    );
    let open = lineage(&["SecRule ARGS a \"id:1,chain\"", "SecRule ARGS b \"id:2\""]);
    assert_eq!(messages(&open), [Code::OpenChain]);
    // Markers of the profile are seen from inherited rules.
    let marker = lineage(&["SecAction \"id:1,skipAfter:END\"", "SecMarker END"]);
    assert_eq!(messages(&marker), []);
}

#[test]
fn a_note_tells_of_updates_above_their_rule() {
    const RULE: &str = "SecRule ARGS \"@rx a\" \"id:1,pass,tag:t,msg:m\"";
    for update in [
        "SecRuleRemoveById 1",
        "SecRuleRemoveById 1-5",
        "SecRuleRemoveByTag t",
        "SecRuleRemoveByMsg m",
        "SecRuleUpdateTargetById 1 !ARGS:x",
        "SecRuleUpdateTargetByTag t !ARGS:x",
        "SecRuleUpdateTargetByMsg m !ARGS:x",
        "SecRuleUpdateActionById 1 nolog",
    ] {
        assert_eq!(codes(&format!("{RULE}\n{update}")), [], "{update}");
        let above = format!("{update}\n{RULE}");
        assert_eq!(codes(&above), [Code::UpdateBeforeRule], "{update}");
        let without = "SecAction \"id:7\"";
        assert_eq!(codes(&format!("{update}\n{without}")), [Code::UnusedUpdate]);
    }
    let between = format!("SecAction \"id:2\"\nSecRuleRemoveById 1-2\n{RULE}");
    assert_eq!(codes(&between), [Code::UpdateBeforeRule]);
    // What an earlier removal took does not move the others.
    let two =
        format!("SecAction \"id:2\"\n{RULE}\nSecRuleRemoveById 2\nSecRuleUpdateActionById 1 nolog");
    assert_eq!(codes(&two), []);
    // Of a chain the first rule counts.
    let inside = "SecRule ARGS a \"id:1,pass,chain\"\nSecRuleRemoveById 1\nSecRule ARGS b";
    assert_eq!(codes(inside), []);
    // Of profiles, what is inherited stands above.
    assert_eq!(messages(&lineage(&[RULE, "SecRuleRemoveById 1"])), []);
    let child = lineage(&[
        "SecAction \"id:2\"",
        &format!("SecRuleRemoveById 1\n{RULE}"),
    ]);
    assert_eq!(messages(&child), [Code::UpdateBeforeRule]);
}

#[test]
fn updates_reach_whole_chains_and_their_links() {
    let chain = "SecRule ARGS \"@rx a\" \"id:10,phase:1,deny,status:400,chain,tag:x/y\"\n\
                 SecRule ARGS \"@rx b\" \"t:lowercase,chain\"\n\
                 SecRule ARGS \"@rx c\"\n\
                 SecAction \"id:20,phase:1,tag:xay\"\n";
    let rules = |update: &str| {
        let compiled = compile_text(&format!("{update}\n{chain}"));
        compiled
            .program
            .unwrap_or_else(|| panic!("{update}: {:?}", compiled.diagnostics))
    };
    // A removal takes the links, too; a tag is a pattern or the text itself.
    for (update, left) in [
        ("SecRuleRemoveById 10", &[20][..]),
        ("SecRuleRemoveById 1-9 \"15-25\"", &[10, 0, 0]),
        ("SecRuleRemoveById \"1-9, 20\"", &[10, 0, 0]),
        ("SecRuleRemoveByTag x/y", &[20]),
        ("SecRuleRemoveByTag ^x.y$", &[]),
    ] {
        let left_ids: Vec<u64> = rules(update).meta.iter().map(|meta| meta.id).collect();
        assert_eq!(left_ids, left, "{update}");
    }
    // Targets are the first rule's.
    let updated = rules("SecRuleUpdateTargetById 10 \"!ARGS:q|REQUEST_URI\"");
    let counts: Vec<(usize, usize)> = updated
        .rules
        .iter()
        .map(|rule| (rule.targets.len(), rule.exclusions.len()))
        .collect();
    assert_eq!(counts, [(2, 1), (1, 0), (1, 0), (0, 0)]);
    let replaced = rules("SecRuleUpdateTargetById 10 REQUEST_URI ARGS");
    assert_eq!(replaced.rules[0].targets.len(), 1);
    assert_eq!(
        replaced.rules[0].targets[0].variable,
        crate::variable::Variable::RequestUri
    );
    // Actions are those of the link named: new ones replace, transformations add up.
    let acted = rules("SecRuleUpdateActionById 10 \"pass,t:trim\"");
    assert_eq!(acted.meta[0].decision, Decision::Pass);
    let acted = rules("SecRuleUpdateActionById 10:1 \"t:trim\"");
    let chain_of = |at: usize| acted.chains.steps(acted.rules[at].transformations).len();
    assert_eq!([chain_of(0), chain_of(1), chain_of(2)], [0, 2, 0]);
    let short = compile_text(&format!("{chain}SecRuleUpdateActionById 10:3 \"t:trim\""));
    assert_eq!(messages(&short), [Code::UnusedUpdate]);
    assert!(short.diagnostics[0].message.contains("no link 3"));
    for action in ["id:5", "phase:2", "chain"] {
        let wrong = compile_text(&format!("{chain}SecRuleUpdateActionById 10 \"{action}\""));
        assert_eq!(messages(&wrong), [Code::ActionValue], "{action}");
    }
}

#[test]
fn updates_reach_included_files() {
    struct Files;
    impl Loader for Files {
        fn read(&self, path: &str) -> Result<Vec<u8>, String> {
            match path {
                "rules.conf" => Ok(b"SecAction \"id:1\"\nSecAction \"id:2\"".to_vec()),
                "changes.conf" => Ok(b"SecRuleRemoveById 1".to_vec()),
                _ => Err("not here".to_owned()),
            }
        }
        fn glob(&self, _: &str) -> Result<Vec<String>, String> {
            Ok(Vec::new())
        }
    }
    for (text, notes) in [
        ("Include rules.conf\nInclude changes.conf", &[][..]),
        ("Include rules.conf\nSecRuleRemoveById 1", &[]),
        (
            "Include changes.conf\nInclude rules.conf",
            &[Code::UpdateBeforeRule],
        ),
        (
            "SecRuleRemoveById 1\nInclude rules.conf",
            &[Code::UpdateBeforeRule],
        ),
    ] {
        let compiled = compile(&[("test.conf".to_owned(), text.into())], &Files);
        assert_eq!(ids(&compiled), [2], "{text}");
        assert_eq!(messages(&compiled), notes, "{text}");
    }
}
