//! Members of JSON documents are reported under v3's names and selected by v2's and Coraza's, too.

use super::*;

const JSON: &str = "SecAction \"id:90,phase:1,nolog,pass,ctl:requestBodyProcessor=JSON\"";

/// A transaction with a JSON body, to its end.
fn with_body(rules: &str, target: &str, body: &str) -> (Transaction, Record) {
    let mut transaction = begin(&format!("{JSON}\n{rules}"));
    let headers = [(b"Content-Type".as_slice(), b"application/json".as_slice())];
    let _ = transaction.request_head(&head(target, &headers));
    let _ = transaction.request_body(body.as_bytes());
    let _ = transaction.end_request_body();
    transaction.finish();
    let record = transaction.record();
    (transaction, record)
}

/// What a rule with these targets matches, in order: one target for each match.
fn found(targets: &str, target: &str, body: &str) -> Vec<String> {
    let rule = format!("SecRule {targets} \"@rx evil\" \"id:1,phase:2,pass,log\"");
    matched_targets(&rule, target, body)
}

fn matched_targets(rules: &str, target: &str, body: &str) -> Vec<String> {
    let (mut transaction, _) = with_body(rules, target, body);
    transaction
        .drain_matches()
        .into_iter()
        .map(|found| String::from_utf8(found.target).unwrap())
        .collect()
}

const BODY: &str = "{\"a\":{\"b\":\"evil 1\"},\"list\":[\"evil 2\",{\"c\":\"evil 3\"}]}";
const ALL: [&str; 3] = [
    "ARGS:json.a.b",
    "ARGS:json.list.array_0",
    "ARGS:json.list.array_1.c",
];

#[test]
fn every_scheme_selects_and_one_is_reported() {
    for (targets, expected) in [
        ("ARGS", &ALL[..]),
        ("ARGS:json.a.b", &ALL[..1]),
        ("ARGS:a.b", &ALL[..1]),
        ("ARGS:A.B", &ALL[..1]),
        ("ARGS:json.list.array_0", &ALL[1..2]),
        ("ARGS:list.list", &ALL[1..2]),
        ("ARGS:json.list.0", &ALL[1..2]),
        ("ARGS:list.list.c", &ALL[2..]),
        ("ARGS:json.list.1.c", &ALL[2..]),
        ("ARGS:b", &[]),
        ("ARGS:list.0", &[]),
        // Patterns are tried on every name.
        ("ARGS:/^a\\.b$/", &ALL[..1]),
        ("ARGS:/^list/", &ALL[1..]),
        ("ARGS:/^json\\.list\\.[0-9]+/", &ALL[1..]),
        ("ARGS:/./", &ALL[..]),
    ] {
        assert_eq!(found(targets, "/", BODY), expected, "{targets}");
    }
    let top = "[\"evil\"]";
    for key in ["json.array_0", "array.array", "json.0"] {
        let target = format!("ARGS:{key}");
        assert_eq!(found(&target, "/", top), ["ARGS:json.array_0"], "{key}");
    }
}

#[test]
fn an_argument_is_seen_once_for_a_target() {
    // The key and the pattern fit several of its names.
    assert_eq!(found("ARGS:/a/", "/", "{\"a\":\"evil\"}"), ["ARGS:json.a"]);
    assert_eq!(
        found("ARGS:json.a", "/", "{\"a\":\"evil\"}"),
        ["ARGS:json.a"]
    );
    // Two targets see it twice, as they see any argument.
    let twice = found("ARGS:json.a|ARGS:a", "/", "{\"a\":\"evil\"}");
    assert_eq!(twice, ["ARGS:json.a", "ARGS:json.a"]);
}

#[test]
fn every_scheme_excludes() {
    for (targets, expected) in [
        ("ARGS|!ARGS:a.b", &ALL[1..]),
        ("ARGS|!ARGS:list.list|!ARGS:json.list.1.c", &ALL[..1]),
        ("ARGS|!ARGS:/^list/", &ALL[..1]),
        ("ARGS:a.b|ARGS:list.list|!ARGS:json.a.b", &ALL[1..2]),
    ] {
        assert_eq!(found(targets, "/", BODY), expected, "{targets}");
    }
}

#[test]
fn a_name_of_another_engine_means_no_other_argument() {
    // Query arguments have the one name they came with.
    let target = "/?json.list.array_0=evil&list.list=evil&json.list.0=evil";
    let left = |exclusion: &str| {
        found(
            &format!("ARGS_GET|ARGS|!ARGS_GET:x|{exclusion}"),
            target,
            "",
        )
    };
    let all = left("!ARGS:none");
    assert_eq!(all.len(), 6);
    for name in ["json.list.array_0", "list.list", "json.list.0"] {
        let rest = left(&format!("!ARGS:{name}"));
        assert_eq!(rest.len(), 5, "{name}");
        assert!(!rest.contains(&format!("ARGS:{name}")), "{name}: {rest:?}");
    }
    // A name that both have means both, as in v2.
    let both = found("ARGS:a.b", "/?a.b=evil", BODY);
    assert_eq!(both, ["ARGS:a.b", "ARGS:json.a.b"]);
    assert_eq!(found("ARGS|!ARGS:a.b", "/?a.b=evil", BODY), ALL[1..]);
    // The member that is called like v3's name of an element is another argument.
    let member = "{\"list\":{\"array_0\":\"evil\"}}";
    assert_eq!(found("ARGS:list.list", "/", member), [""; 0]);
    assert_eq!(found("ARGS:json.list.0", "/", member), [""; 0]);
    assert_eq!(found("ARGS:list.array_0", "/", member), [ALL[1]]);
}

#[test]
fn counts_names_and_macros() {
    let (transaction, _) = with_body(
        "SecRule &ARGS:list.list \"@eq 1\" \"id:1,phase:2,pass,nolog,setvar:tx.count=1\"\n\
         SecRule &ARGS:/^list/ \"@eq 2\" \"id:2,phase:2,pass,nolog,setvar:tx.both=1\"\n\
         SecRule ARGS_NAMES:a.b \"@streq json.a.b\" \"id:3,phase:2,pass,nolog,setvar:tx.name=1\"\n\
         SecRule ARGS_NAMES|!ARGS_NAMES:/^list/ \"@contains list\" \
         \"id:4,phase:2,pass,nolog,setvar:tx.wrong=%{MATCHED_VAR}\"\n\
         SecAction \"id:5,phase:2,pass,nolog,setvar:'tx.two=%{ARGS.a.b}',\
         setvar:'tx.coraza=%{ARGS.json.list.1.c}',setvar:'tx.three=%{ARGS.json.list.array_0}'\"",
        "/",
        BODY,
    );
    for (name, expected) in [
        ("count", Some("1")),
        ("both", Some("1")),
        ("name", Some("1")),
        ("wrong", None),
        ("two", Some("evil 1")),
        ("coraza", Some("evil 3")),
        ("three", Some("evil 2")),
    ] {
        assert_eq!(tx(&transaction, name).as_deref(), expected, "{name}");
    }
}

#[test]
fn updates_and_ctl_take_any_name() {
    let rule = "SecRule ARGS \"@rx evil\" \"id:1,phase:2,pass,log,tag:t,msg:m\"";
    for update in [
        "SecRuleUpdateTargetById 1 \"!ARGS:a.b\"",
        "SecRuleUpdateTargetByTag t \"!ARGS:a.b\"",
        "SecRuleUpdateTargetByMsg m \"!ARGS:/^a\\.b$/\"",
        "SecAction \"id:2,phase:1,nolog,pass,ctl:ruleRemoveTargetById=1;ARGS:a.b\"",
        "SecAction \"id:2,phase:1,nolog,pass,ctl:ruleRemoveTargetByTag=t;ARGS:a.b\"",
        "SecAction \"id:2,phase:1,nolog,pass,ctl:ruleRemoveTargetByMsg=m;ARGS:/^a\\.b$/\"",
    ] {
        let rules = format!("{update}\n{rule}");
        assert_eq!(matched_targets(&rules, "/", BODY), ALL[1..], "{update}");
    }
    let coraza = format!("SecRuleUpdateTargetById 1 \"!ARGS:json.list.0\"\n{rule}");
    assert_eq!(matched_targets(&coraza, "/", BODY), [ALL[0], ALL[2]]);
    let added = "SecRule REQUEST_URI \"@rx evil\" \"id:1,phase:2,pass,log\"\n\
                 SecRuleUpdateTargetById 1 \"ARGS:list.list.c\"";
    assert_eq!(matched_targets(added, "/", BODY), ALL[2..]);
}

#[test]
fn masks_take_any_name() {
    let rules = "SecAction \"id:1,phase:1,nolog,pass,sanitiseArg:a.b,sanitiseArg:json.list.0\"";
    let (_, record) = with_body(rules, "/?a.b=1", BODY);
    let names: Vec<String> = record
        .masks
        .iter()
        .map(|mask| String::from_utf8(mask.name.clone()).unwrap())
        .collect();
    let expected = ["a.b", "json.list.0", "json.a.b", "json.list.array_0"];
    assert_eq!(names, expected);
}

#[test]
fn members_of_responses_have_all_names() {
    let mut transaction = begin(
        "SecResponseBodyAccess On\nSecResponseBodyMimeType application/json\n\
         SecAction \"id:1,phase:3,pass,nolog,ctl:responseBodyProcessor=JSON\"\n\
         SecRule RESPONSE_ARGS:json.list.0|RESPONSE_ARGS:a.b|!RESPONSE_ARGS:list.list.c \
         \"@rx evil\" \"id:2,phase:4,pass,log\"",
    );
    let _ = transaction.request_head(&head("/", &[]));
    let _ = transaction.end_request_body();
    respond(&mut transaction, b"application/json", BODY.as_bytes());
    transaction.finish();
    let found: Vec<Vec<u8>> = transaction
        .drain_matches()
        .into_iter()
        .map(|found| found.target)
        .collect();
    assert_eq!(
        found,
        [
            b"RESPONSE_ARGS:json.list.array_0".to_vec(),
            b"RESPONSE_ARGS:json.a.b".to_vec()
        ]
    );
}

#[test]
fn a_decoded_document_has_all_names() {
    let mut transaction = begin(&format!(
        "SecParapetDecodeCharsets OnlyDecoded\n{JSON}\n\
         SecRule ARGS:list.list \"@rx evil\" \"id:1,phase:2,pass,log\""
    ));
    let headers = [(
        b"Content-Type".as_slice(),
        b"application/json; charset=utf-16le".as_slice(),
    )];
    let _ = transaction.request_head(&head("/", &headers));
    let body: Vec<u8> = BODY.bytes().flat_map(|byte| [byte, 0]).collect();
    let _ = transaction.request_body(&body);
    let _ = transaction.end_request_body();
    transaction.finish();
    let found = transaction.drain_matches();
    let targets: Vec<&[u8]> = found.iter().map(|found| found.target.as_slice()).collect();
    assert_eq!(targets, [b"ARGS:json.list.array_0"]);
}
