//! No secret of a request shows in what Envoy writes or counts, even where rules match on all of them.

use super::client::{Request, VERSIONS};
use super::gateway::{Gateway, LISTENER, at, filter};
use super::{plugin, project};
use serde_json::json;
use std::thread;
use std::time::Duration;

const OPERATOR: &str = "operators-secret-0123456789";

const SECRETS: [&str; 10] = [
    "Corr3ct-Horse",
    "corr3ct-horse",
    "T0k3nValue99",
    "4111111111111111",
    "s3ss10nCookie",
    "B4sicPassw0rd",
    "dXNlcjpCNHNpY1Bhc3N3MHJk",
    "beArerCr3dential",
    "ap1k3yInHeader",
    OPERATOR,
];

/// Rules that match on everything, tell all they can, and make tags of it.
const CURIOUS: [&str; 4] = [
    "SecRule ARGS|REQUEST_COOKIES|REQUEST_HEADERS|REQUEST_URI|REQUEST_LINE|REMOTE_USER|QUERY_STRING \
        \"@rx ^(.*)$\" \"id:10,phase:1,pass,capture,log,auditlog,msg:'%{MATCHED_VAR}',\
        logdata:'%{TX.1} %{ARGS.password}',tag:'attack-%{MATCHED_VAR}',setvar:'tx.copy=%{MATCHED_VAR}'\"",
    "SecRule ARGS|REQUEST_BODY|FULL_REQUEST|TX:copy \"@rx (?s)^.*$\" \"id:11,phase:2,pass,log,\
        msg:'%{MATCHED_VAR}',logdata:'%{REQUEST_BODY}',tag:'attack-%{MATCHED_VAR}'\"",
    "SecRule ARGS|REQUEST_HEADERS \"@unconditionalMatch\" \"id:12,phase:2,pass,log,t:none,t:lowercase,\
        t:urlDecodeUni,msg:'%{MATCHED_VAR}',tag:'attack-%{MATCHED_VAR}'\"",
    "SecRule RESPONSE_HEADERS|RESPONSE_BODY \"@rx .\" \"id:13,phase:4,pass,log,msg:'%{MATCHED_VAR}'\"",
];

fn requests() -> Vec<Request> {
    let target = "/reset?q=shoes&password=Corr3ct-Horse&tok%65n=T0k3n%56alue99&x=T0k3nValue99";
    let with = |request: Request, authorization: &str| {
        request
            .header("authorization", authorization)
            .header("x-api-key", "ap1k3yInHeader")
            .header("cookie", "sid=s3ss10nCookie; lang=de")
            .header(
                "referer",
                "https://user:Corr3ct-Horse@example.com/?token=T0k3nValue99",
            )
            .header("x-parapet-debug", OPERATOR)
    };
    let basic = "Basic dXNlcjpCNHNpY1Bhc3N3MHJk";
    vec![
        with(Request::get(target), basic),
        with(
            Request::form(target, "new_password=Corr3ct%2DHorse&card=4111111111111111"),
            "Bearer beArerCr3dential",
        ),
        with(
            Request::json(
                "/",
                r#"{"p\u0061ssword": "Corr3ct\u002dHorse", "card": 4111111111111111}"#,
            ),
            basic,
        ),
    ]
}

#[test]
fn no_log_and_no_metric_shows_a_secret() {
    let mut directives = vec!["Include @demo-conf", "SecParapetWorkLimit 1000000000"];
    if project().join("rules/crs").is_dir() {
        directives.extend([
            "Include @crs-setup-conf",
            "SecAction \"id:900000,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level=4\"",
            "Include @owasp_crs/*.conf",
        ]);
    }
    directives.extend(CURIOUS);
    for format in ["Native", "JSON", "OCSF"] {
        let format = format!("SecAuditLogFormat {format}");
        let mut all = directives.clone();
        all.extend([
            "SecRuleEngine DetectionOnly",
            "SecAuditEngine On",
            "SecAuditLogParts ABCEFHIJKZ",
            &format,
        ]);
        let mut plugin = plugin(&all);
        plugin["debug_header"] = json!({});
        let gateway = Gateway::start_example(&plugin, |example| {
            let config = filter(at(example, LISTENER));
            config["vm_config"]["environment_variables"] =
                json!({ "key_values": { "PARAPET_DEBUG_SECRET": OPERATOR } });
        });
        for version in VERSIONS {
            for request in requests() {
                assert_eq!(
                    gateway.send(version, &request).status,
                    200,
                    "{}",
                    gateway.log()
                );
            }
        }
        let last = gateway.backend.last().unwrap();
        assert_eq!(last.header("x-parapet-debug"), None);
        thread::sleep(Duration::from_millis(500));
        let log = gateway.log();
        let metrics = gateway.ask_admin("/stats").unwrap();
        assert!(
            metrics.contains("waf_filter.tx.detections_ruleid=12_"),
            "{metrics}"
        );
        for part in [
            "id \"12\"",
            "debug: phase 2, rule 12: ARGS:q \"shoes\"",
            "<redacted>",
        ] {
            assert!(log.contains(part), "{part}");
        }
        for secret in SECRETS {
            let leak = log
                .lines()
                .chain(metrics.lines())
                .find(|line| line.contains(secret));
            assert_eq!(leak, None, "{format}: {secret}");
        }
    }
}
