//! Directives that set one thing, each through a whole transaction.

use super::*;

const MULTIPART: &[u8] = b"multipart/form-data; boundary=b";
/// 6 bytes of a file, and 102 of everything around it.
const UPLOAD: &[u8] =
    b"--b\r\nContent-Disposition: form-data; name=\"up\"; filename=\"f\"\r\n\r\n123456\r\n--b--\r\n";

/// The ids of the rules that an exchange matches, and the status of its interruption.
fn exchange(rules: &str, body: &[u8], content_type: &[u8]) -> (Vec<u64>, Option<u16>) {
    let mut transaction = begin(rules);
    let headers = [(b"Content-Type".as_slice(), content_type)];
    let _ = transaction.request_head(&head("/?q=1", &headers));
    let _ = transaction.request_body(body);
    let _ = transaction.end_request_body();
    respond(&mut transaction, b"text/html", b"0123456789");
    transaction.finish();
    let ids = transaction.drain_matches();
    let status = transaction.interruption().map(|one| one.status);
    (ids.iter().map(|one| one.rule_id).collect(), status)
}

fn form(rules: &str, body: &str) -> (Vec<u64>, Option<u16>) {
    exchange(rules, body.as_bytes(), FORM.1)
}

#[test]
fn request_body_limits_refuse_or_cut() {
    let rules = |directives: &str| {
        format!(
            "{directives}\n\
             SecRule INBOUND_DATA_ERROR \"@eq 1\" \"id:1,phase:2,pass\"\n\
             SecRule REQUEST_BODY \"@streq a=1234\" \"id:2,phase:2,pass\"\n\
             SecRule REQBODY_ERROR \"@eq 1\" \"id:3,phase:2,pass\""
        )
    };
    let limit = rules("SecRequestBodyLimit 6");
    assert_eq!(form(&limit, "a=1234"), (vec![2], None));
    assert_eq!(form(&limit, "a=12345"), (vec![0], Some(413)));
    let partial = rules("SecRequestBodyLimit 6\nSecRequestBodyLimitAction ProcessPartial");
    assert_eq!(form(&partial, "a=12345"), (vec![1, 2], None));
    let detecting = rules("SecRuleEngine DetectionOnly\nSecRequestBodyLimit 6");
    assert_eq!(form(&detecting, "a=12345"), (vec![1, 2], None));
    let off = rules("SecRequestBodyAccess Off\nSecRequestBodyLimit 6");
    assert_eq!(form(&off, "a=12345"), (vec![], None));
    let ctl = |ctl: &str| format!("SecAction \"id:9,phase:1,pass,nolog,ctl:{ctl}\"\n{limit}");
    assert_eq!(form(&ctl("requestBodyLimit=7"), "a=12345").1, None);
    assert_eq!(form(&ctl("requestBodyAccess=Off"), "a=12345").1, None);
    assert_eq!(
        form(&ctl("ruleEngine=DetectionOnly"), "a=12345"),
        (vec![1, 2], None)
    );
}

#[test]
fn files_do_not_count_for_the_limit_without_them() {
    let rules = |limit: usize| {
        format!(
            "SecRequestBodyNoFilesLimit {limit}\n\
             SecRule FILES_SIZES:up \"@eq 6\" \"id:1,phase:2,pass\""
        )
    };
    let around = UPLOAD.len() - 6;
    assert_eq!(
        exchange(&rules(around + 1), UPLOAD, MULTIPART),
        (vec![1], None)
    );
    assert_eq!(exchange(&rules(20), UPLOAD, MULTIPART).1, Some(413));
    assert_eq!(form(&rules(20), &"a".repeat(19)), (vec![], None));
    assert_eq!(form(&rules(20), &"a".repeat(20)), (vec![0], Some(413)));
    let partial = format!("SecRequestBodyLimitAction ProcessPartial\n{}", rules(20));
    assert_eq!(form(&partial, &"a".repeat(20)), (vec![], None));
}

#[test]
fn response_body_limits_refuse_or_cut() {
    let rules = |directives: &str| {
        format!(
            "SecResponseBodyAccess On\n{directives}\n\
             SecRule OUTBOUND_DATA_ERROR \"@eq 1\" \"id:1,phase:4,pass\"\n\
             SecRule RESPONSE_BODY \"@streq 01234\" \"id:2,phase:4,pass\""
        )
    };
    let ended = |directives: &str| form(&rules(directives), "");
    assert_eq!(ended("SecResponseBodyLimit 10"), (vec![], None));
    assert_eq!(ended("SecResponseBodyLimit 5"), (vec![0], Some(500)));
    let partial = "SecResponseBodyLimit 5\nSecResponseBodyLimitAction ProcessPartial";
    assert_eq!(ended(partial), (vec![1, 2], None));
    let detecting = "SecResponseBodyLimit 5\nSecRuleEngine DetectionOnly";
    assert_eq!(ended(detecting), (vec![1, 2], None));
    let other = "SecResponseBodyLimit 5\nSecResponseBodyMimeTypesClear\n\
                 SecResponseBodyMimeType text/plain";
    assert_eq!(ended(other), (vec![], None));
    let ctl = "SecResponseBodyLimit 5\n\
               SecAction \"id:9,phase:3,pass,nolog,ctl:responseBodyLimit=10\"";
    assert_eq!(ended(ctl), (vec![], None));
}

#[test]
fn a_response_that_tells_of_too_long_a_body_is_refused_at_its_head() {
    let refused = |directives: &str, method: &[u8], status: u16, length: &[u8]| {
        let mut transaction = begin(&format!("SecResponseBodyAccess On\n{directives}"));
        let _ = transaction.request_head(&RequestHead {
            method,
            target: b"/",
            protocol: b"HTTP/1.1",
            headers: &[],
        });
        let step = transaction.response_head(&ResponseHead {
            status,
            protocol: b"HTTP/1.1",
            headers: &[
                (b"content-type".as_slice(), b"text/html".as_slice()),
                (b"content-length", length),
            ],
        });
        step.interruption.map(|interruption| interruption.status)
    };
    let limit = "SecResponseBodyLimit 5";
    assert_eq!(refused(limit, b"GET", 200, b"6"), Some(500));
    assert_eq!(refused(limit, b"GET", 200, b"5"), None);
    assert_eq!(refused(limit, b"GET", 200, b"six"), None);
    assert_eq!(refused(limit, b"GET", 304, b"6"), None);
    assert_eq!(refused(limit, b"HEAD", 200, b"6"), None);
    for lenient in [
        "SecResponseBodyLimitAction ProcessPartial",
        "SecRuleEngine DetectionOnly",
        "SecResponseBodyMimeTypesClear",
    ] {
        let directives = format!("{limit}\n{lenient}");
        assert_eq!(refused(&directives, b"GET", 200, b"6"), None, "{lenient}");
    }
}

#[test]
fn arguments_beyond_the_limit_are_left_out_and_told() {
    let rules = "SecArgumentsLimit 3\n\
                 SecRule REQUEST_HEADERS:Content-Type \"@rx (json|xml)\" \
                 \"id:8,phase:1,pass,nolog,capture,ctl:requestBodyProcessor=%{tx.1}\"\n\
                 SecRule &ARGS \"@eq 3\" \"id:1,phase:2,pass\"\n\
                 SecRule REQBODY_ERROR \"@eq 1\" \"id:2,phase:2,pass,chain\"\n\
                 SecRule REQBODY_ERROR_MSG \"@contains SecArgumentsLimit\" \"t:none\"";
    let rules = rules.replace("%{tx.1}", "JSON");
    assert_eq!(form(&rules, "a=1&b=2"), (vec![1], None));
    assert_eq!(form(&rules, "a=1&b=2&c=3"), (vec![1, 2], None));
    let json = b"application/json";
    assert_eq!(exchange(&rules, br#"{"a":1,"b":2}"#, json).0, [1]);
    assert_eq!(exchange(&rules, br#"{"a":1,"b":2,"c":3}"#, json).0, [1, 2]);
    let limit = "SecArgumentsLimit 1\nSecRule REQBODY_ERROR \"@eq 1\" \"id:1,phase:1,pass\"";
    assert_eq!(matched(limit, "/?a=1"), [0u64; 0]);
    assert_eq!(matched(limit, "/?a=1&b=2"), [1]);
}

#[test]
fn leaves_of_xml_become_arguments_where_wanted() {
    let body = b"<?xml version=\"1.0\"?><r><n:a xmlns:n=\"urn:n\">1</n:a><b><c>2</c></b></r>";
    let rules = |mode: &str, more: &str| {
        format!(
            "SecParseXmlIntoArgs {mode}\n{more}\n\
             SecAction \"id:9,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n\
             SecRule ARGS:xml.r.a \"@streq 1\" \"id:1,phase:2,pass\"\n\
             SecRule ARGS:xml.r.b.c \"@streq 2\" \"id:2,phase:2,pass\"\n\
             SecRule XML:/* \"@rx 2\" \"id:3,phase:2,pass\"\n\
             SecRule REQBODY_ERROR \"@eq 1\" \"id:4,phase:2,pass\""
        )
    };
    let ids = |mode: &str, more: &str| exchange(&rules(mode, more), body, b"text/xml").0;
    assert_eq!(ids("Off", ""), [3]);
    assert_eq!(ids("On", ""), [1, 2, 3]);
    assert_eq!(ids("OnlyArgs", ""), [1, 2]);
    assert_eq!(ids("On", "SecArgumentsLimit 2"), [1, 3, 4]);
    let ctl = "SecAction \"id:8,phase:1,pass,nolog,ctl:parseXmlIntoArgs=On\"";
    assert_eq!(ids("Off", ctl), [1, 2, 3]);
}

#[test]
fn cookies_are_read_in_the_format_said() {
    let names = |directives: &str, header: &str| {
        let rules = format!(
            "{directives}\nSecRule REQUEST_COOKIES \"@rx .*\" \
             \"id:1,phase:1,pass,nolog,setvar:'tx.%{{MATCHED_VAR_NAME}}=%{{MATCHED_VAR}}'\""
        );
        let mut transaction = begin(&rules);
        let headers = [(b"Cookie".as_slice(), header.as_bytes())];
        let _ = transaction.request_head(&head("/", &headers));
        let shown = transaction.tx_variables().into_iter().map(|(name, value)| {
            let name = String::from_utf8(name).unwrap();
            let name = name.replace("request_cookies:", "");
            format!("{name}={}", String::from_utf8(value).unwrap())
        });
        shown.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("", "a=1; b=2,c=3"), "a=1 b=2,c=3");
    assert_eq!(names("", "a=1,b=2"), "a=1 b=2");
    assert_eq!(
        names("SecCookieFormat 0", "a=\"1\"; $Path=/"),
        "a=\"1\" $path=/"
    );
    assert_eq!(
        names("SecCookieFormat 1", "a=\"1\"; $Path=/"),
        "a=1 $a_path=/"
    );
    assert_eq!(names("SecCookieV0Separator |", "a=1; b|c=3"), "a=1; b c=3");
    assert_eq!(
        names("SecCookieV0Separator |\nSecCookieFormat 1", "a=1; b=2"),
        "a=1 b=2"
    );
}

#[test]
fn an_operator_that_fails_matches_where_wanted() {
    let rules = "SecRule ARGS:a \"@rx %{ARGS.p}\" \"id:1,phase:1,pass\"\n\
                 SecRule ARGS:a \"!@rx %{ARGS.p}\" \"id:2,phase:1,pass\"\n\
                 SecRule MSC_PCRE_ERROR \"@eq 1\" \"id:3,phase:1,pass\"";
    assert_eq!(matched(rules, "/?a=1&p=("), [3]);
    let on = format!("SecInterceptOnError On\n{rules}");
    assert_eq!(matched(&on, "/?a=1&p=("), [1, 2, 3]);
    assert_eq!(matched(&on, "/?a=1&p=2"), [2]);
}

#[test]
fn names_of_application_and_sensor_are_kept() {
    let rules = "SecWebAppId shop\nSecSensorId edge\n\
                 SecRule WEBAPPID \"@streq shop\" \"id:1,phase:1,pass\"";
    assert_eq!(matched(rules, "/"), [1]);
    let text = rules.as_bytes().to_vec();
    let compiled = compile(&[("test.conf".into(), text)], &NoFiles);
    assert_eq!(&*compiled.program.unwrap().settings.sensor_id, b"edge");
    assert_eq!(
        matched(
            "SecRule WEBAPPID \"@streq default\" \"id:1,phase:1,pass\"",
            "/"
        ),
        [1]
    );
}

#[test]
fn what_makes_a_transaction_relevant_for_the_audit_log() {
    let audit = |rules: &str, status: u16| {
        let mut transaction = begin(&format!(
            "SecAuditLogRelevantStatus \"^(?:5|4(?!04))\"\n{rules}"
        ));
        let _ = transaction.request_head(&head("/?a=1", &[]));
        let _ = transaction.end_request_body();
        let _ = transaction.response_head(&ResponseHead {
            status,
            protocol: b"HTTP/1.1",
            headers: &[],
        });
        transaction.finish();
        let record = transaction.record();
        (
            record.audit,
            String::from_utf8(record.audit_parts.to_vec()).unwrap(),
        )
    };
    let relevant = "SecAuditEngine RelevantOnly\n";
    for (rule, status, expected) in [
        ("", 200, false),
        ("", 404, false),
        ("", 403, true),
        ("SecAction \"id:1,phase:1,pass,nolog\"", 200, false),
        ("SecAction \"id:1,phase:1,pass,log,noauditlog\"", 200, false),
        ("SecAction \"id:1,phase:1,pass,nolog,auditlog\"", 200, true),
        ("SecAction \"id:1,phase:1,pass\"", 200, true),
        ("SecAction \"id:1,phase:1,deny,nolog\"", 200, true),
        (
            "SecAction \"id:1,phase:1,pass,ctl:auditEngine=Off\"",
            500,
            false,
        ),
    ] {
        assert_eq!(
            audit(&format!("{relevant}{rule}"), status).0,
            expected,
            "{rule}"
        );
    }
    let parts = "SecAuditEngine On\nSecAuditLogParts ABHZ\n\
                 SecAction \"id:1,phase:1,pass,nolog,ctl:auditLogParts=+E,ctl:auditLogParts=-B\"";
    assert_eq!(audit(parts, 200), (true, "AEHZ".to_owned()));
}
