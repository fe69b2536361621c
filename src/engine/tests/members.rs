//! Members of the language that do more than ask: databases, changed bodies, what a sandbox lacks.

use super::*;
use crate::compile::{Compiled, Loader};
use crate::diagnostic::{Code, Severity};

/// One database, and a file that is none.
struct Files;

impl Loader for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        match path {
            "small.mmdb" => Ok(crate::operator::small_geography()),
            "old.dat" => Ok([&[0; 40][..], &[0xFF, 0xFF, 0xFF, 2, 0, 0, 0]].concat()),
            "cut.mmdb" => {
                let mut file = crate::operator::small_geography();
                file.truncate(file.len() / 2);
                Ok(file)
            }
            _ => Err("no such file".to_owned()),
        }
    }

    fn glob(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

fn load(rules: &str) -> Compiled {
    let text = format!("SecRuleEngine On\nSecRequestBodyAccess On\n{rules}");
    compile(&[("test.conf".into(), text.into_bytes())], &Files)
}

/// The codes of the messages, and whether the rules load.
fn codes(rules: &str) -> (Vec<&'static str>, bool) {
    let compiled = load(rules);
    let codes = compiled.diagnostics.iter().map(|one| one.code.as_str());
    (codes.collect(), compiled.program.is_some())
}

fn start(rules: &str) -> Transaction {
    let compiled = load(rules);
    let program = compiled
        .program
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    Transaction::new(&Waf::new(program, Rc::new(Noon)), Connection::default())
}

/// The ids that match a GET.
fn ids(rules: &str, target: &str) -> Vec<u64> {
    let mut transaction = start(rules);
    let _ = transaction.request_head(&head(target, &[]));
    let _ = transaction.end_request_body();
    transaction.finish();
    let matches = transaction.drain_matches();
    matches.iter().map(|found| found.rule_id).collect()
}

#[test]
fn a_lookup_fills_geo() {
    let rules = "SecRule ARGS:ip \"@geoLookup\" \"id:1,phase:1,pass,chain,\
                   setvar:tx.place=%{GEO.COUNTRY_CODE}-%{GEO.CITY}\"\n\
                 SecRule GEO:COUNTRY_CODE3 \"@streq NZL\" \"setvar:tx.known=%{geo.region}\"\n\
                 SecRule &GEO \"@eq 9\" \"id:2,phase:1,pass\"\n\
                 SecRule ARGS:other \"!@geoLookup\" \"id:3,phase:1,pass\"\n\
                 SecRule &GEO \"@eq 0\" \"id:4,phase:1,pass\"\n\
                 SecGeoLookupDb small.mmdb";
    assert_eq!(ids(rules, "/?ip=192.0.2.9"), [1, 2]);
    // A lookup that fails empties GEO.
    assert_eq!(ids(rules, "/?ip=192.0.2.9&other=10.0.0.1"), [1, 2, 3, 4]);
    assert_eq!(ids(rules, "/?ip=nowhere"), [4]);
    let mut transaction = start(rules);
    let _ = transaction.request_head(&head("/?ip=192.0.2.9", &[]));
    assert_eq!(tx(&transaction, "place").as_deref(), Some("NZ-Amaurot"));
    assert_eq!(tx(&transaction, "known").as_deref(), Some("AUK"));
}

#[test]
fn a_lookup_without_a_fit_database_is_told() {
    let rule = "SecRule ARGS:ip \"!@geoLookup\" \"id:1,phase:1,pass\"";
    assert_eq!(codes(rule), (vec!["P0808"], true));
    assert_eq!(ids(rule, "/?ip=10.0.0.1"), [0u64; 0]);
    for (file, code) in [
        ("old.dat", Code::BadDatabase),
        ("cut.mmdb", Code::BadDatabase),
        ("none.mmdb", Code::FileNotFound),
    ] {
        let compiled = load(&format!("SecGeoLookupDb {file}"));
        assert!(compiled.program.is_none());
        assert_eq!(compiled.diagnostics[0].code, code, "{file}");
    }
    let old = load("SecGeoLookupDb old.dat");
    assert!(
        old.diagnostics[0]
            .hint
            .as_deref()
            .unwrap()
            .contains(".mmdb")
    );
    assert!(
        load("SecGeoLookupDb maxminddb small.mmdb")
            .program
            .is_some()
    );
}

#[test]
fn what_a_sandbox_cannot_ask_never_matches() {
    for operator in [
        "fuzzyHash hashes 90",
        "gsbLookup .*",
        "inspectFile /bin/scan",
        "rbl list.example",
        "validateDTD a.dtd",
        "validateHash .*",
        "validateSchema a.xsd",
    ] {
        for negation in ["", "!"] {
            let rule = format!("SecRule ARGS \"{negation}@{operator}\" \"id:1,phase:1,deny\"");
            assert_eq!(codes(&rule), (vec!["P0802"], true), "{rule}");
            assert_eq!(ids(&rule, "/?a=b"), [0u64; 0], "{rule}");
        }
    }
}

#[test]
fn rules_from_a_server_are_not_fetched() {
    let rules = "SecRemoteRules key https://rules.example/";
    assert_eq!(codes(rules), (vec!["P0801"], true));
    assert_eq!(
        codes(&format!("{rules}\nSecRemoteRulesFailAction Warn")),
        (vec!["P0801"], true)
    );
    let abort = load(&format!("SecRemoteRulesFailAction Abort\n{rules}"));
    assert!(abort.program.is_none());
    assert_eq!(abort.diagnostics[0].severity, Severity::Error);
    assert_eq!(codes("SecRemoteRulesFailAction Abort"), (vec![], true));
    assert!(!codes("SecRemoteRulesFailAction Maybe").1);
}

/// What becomes of a request body under rules.
fn request(rules: &str, body: &str) -> (Option<String>, Vec<u64>) {
    let mut transaction = start(&format!("SecStreamInBodyInspection On\n{rules}"));
    let _ = transaction.request_head(&head("/?w=%5C1.b%2F", &[FORM]));
    let _ = transaction.request_body(body.as_bytes());
    let _ = transaction.end_request_body();
    let replaced = transaction.replaced_request_body().map(|replaced| {
        assert_eq!(replaced.replaces, body.len());
        String::from_utf8(replaced.bytes.clone()).unwrap()
    });
    let matches = transaction.drain_matches();
    (
        replaced,
        matches.iter().map(|found| found.rule_id).collect(),
    )
}

#[test]
fn request_bodies_are_changed() {
    let rule = "SecRule STREAM_INPUT_BODY \"@rsub s/(secret)=(\\d+)/\\1=XX/\" \
                  \"id:1,phase:2,pass\"\n\
                SecRule STREAM_INPUT_BODY \"@contains XX\" \"id:2,phase:2,pass\"";
    let (body, ids) = request(rule, "a=1&secret=42&secret=7");
    assert_eq!(body.as_deref(), Some("a=1&secret=XX&secret=XX"));
    assert_eq!(ids, [1, 2]);
    // It matches whether something is replaced or not, as in v2.
    assert_eq!(request(rule, "a=1"), (Some("a=1".to_owned()), vec![1]));
    // Later rules work on what earlier ones made.
    let twice = "SecRule STREAM_INPUT_BODY \"@rsub s/a/b/\" \"id:1,phase:2,pass\"\n\
                 SecRule STREAM_INPUT_BODY \"@rsub s/b/c/\" \"id:2,phase:2,pass\"";
    assert_eq!(request(twice, "a").0.as_deref(), Some("c"));
}

#[test]
fn macros_in_substitutions_mean_themselves() {
    let rule =
        "SecRule STREAM_INPUT_BODY \"@rsub s/x(.)/[%{ARGS.w}|2f|\\1]/\" \"id:1,phase:2,pass\"";
    assert_eq!(request(rule, "xy").0.as_deref(), Some("[\\1.b//y]"));
    let literal = "SecRule STREAM_INPUT_BODY \"@rsub s/%{ARGS.w}/-/d\" \"id:1,phase:2,pass\"";
    assert_eq!(request(literal, "a\\1.b/c").0.as_deref(), Some("a-c"));
}

#[test]
fn only_bodies_can_be_changed() {
    let rule = "SecRule ARGS|STREAM_INPUT_BODY \"@rsub s/a/b/\" \"id:1,phase:2,pass\"";
    assert_eq!(codes(rule), (vec!["P0809"], true));
    let (body, ids) = request(rule, "x=a");
    assert_eq!((body.as_deref(), ids), (Some("x=b"), vec![1]));
    let negated = "SecRule ARGS \"!@rsub s/a/b/\" \"id:1,phase:2,pass\"";
    assert_eq!(request(negated, "x=c"), (None, vec![]));
    // A body that is not there is not changed.
    let rule = "SecRule STREAM_INPUT_BODY \"@rsub s/a/b/\" \"id:1,phase:1,pass\"";
    assert_eq!(request(rule, "x=a"), (None, vec![]));
    // Neither is the request's once it is on its way.
    let late = "SecRule STREAM_INPUT_BODY \"@rsub s/a/b/\" \"id:1,phase:5,pass\"";
    let mut transaction = start(&format!("SecStreamInBodyInspection On\n{late}"));
    let _ = transaction.request_head(&head("/", &[FORM]));
    let _ = transaction.request_body(b"x=a");
    let _ = transaction.end_request_body();
    transaction.finish();
    assert!(transaction.replaced_request_body().is_none());
}

#[test]
fn response_bodies_are_changed_with_content_injection() {
    for (injection, expected) in [("On", Some("<b>ok</b>")), ("Off", None)] {
        let mut transaction = start(&format!(
            "SecResponseBodyAccess On\nSecStreamOutBodyInspection On\n\
             SecContentInjection {injection}\n\
             SecRule STREAM_OUTPUT_BODY \"@rsub s/<(\\/?)i>/<\\1b>/i\" \"id:1,phase:4,pass,nolog\""
        ));
        let _ = transaction.request_head(&head("/", &[]));
        let _ = transaction.end_request_body();
        let _ = transaction.response_head(&ResponseHead {
            status: 200,
            protocol: b"HTTP/1.1",
            headers: &[(b"Content-Type", b"text/html")],
        });
        let _ = transaction.response_body(b"<I>ok");
        let _ = transaction.response_body(b"</i>");
        let _ = transaction.end_response_body();
        let replaced = transaction.replaced_response_body();
        assert_eq!(
            replaced.map(|one| String::from_utf8(one.bytes.clone()).unwrap()),
            expected.map(str::to_owned)
        );
        assert_eq!(replaced.map(|one| one.replaces), expected.map(|_| 9));
    }
}
