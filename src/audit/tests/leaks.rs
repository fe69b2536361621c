//! No secret of a request leaves the engine in a text.

use super::*;

/// Rules that match on everything there is, and tell all they can.
const CURIOUS: &str = r#"
SecAction "id:1,phase:1,pass,nolog,ctl:auditLogParts=ABCDEFGHIJKZ"
SecRule ARGS|ARGS_NAMES|REQUEST_COOKIES|REQUEST_HEADERS|QUERY_STRING|REQUEST_URI|REQUEST_URI_RAW|REQUEST_LINE|REQUEST_FILENAME|REMOTE_USER|AUTH_TYPE|FULL_REQUEST "@rx (?s)^(.*?)(.{0,7}).?$" "id:10,phase:2,pass,capture,log,auditlog,msg:'%{MATCHED_VAR_NAME} %{MATCHED_VAR} %{TX.2}',logdata:'%{TX.0} %{TX.1} %{TX.2} %{MATCHED_VAR} %{ARGS.password} %{REQUEST_COOKIES.sid} %{REQUEST_HEADERS.authorization}',tag:'%{MATCHED_VAR}',setvar:'tx.copy_%{MATCHED_VAR_NAME}=%{MATCHED_VAR}',setvar:'tx.part_%{MATCHED_VAR_NAME}=%{TX.2}'"
SecRule ARGS|REQUEST_COOKIES|REQUEST_HEADERS "@rx ." "id:11,phase:2,pass,log,t:none,t:lowercase,t:base64Encode,msg:'%{MATCHED_VAR}',setvar:'tx.base64_%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'"
SecRule ARGS|REQUEST_COOKIES|REQUEST_HEADERS|REQUEST_BODY "@contains e" "id:12,phase:2,pass,log,t:urlDecodeUni,t:lowercase,t:removeWhitespace,msg:'%{MATCHED_VAR}'"
SecRule ARGS|REQUEST_BODY|XML:/*|XML://@* "@rx ^." "id:13,phase:2,pass,log,t:none,msg:'%{MATCHED_VAR}',logdata:'%{REQUEST_BODY} %{REQUEST_URI} %{MATCHED_VARS}'"
SecRule RESPONSE_HEADERS|RESPONSE_BODY|RESPONSE_ARGS "@rx ." "id:14,phase:4,pass,log,capture,msg:'%{TX.0} %{MATCHED_VAR}',logdata:'%{RESPONSE_HEADERS.set-cookie} %{RESPONSE_BODY}'"
SecRule TX "@rx ..." "id:15,phase:5,pass,log,auditlog,msg:'%{MATCHED_VAR}',logdata:'%{MATCHED_VAR_NAME}'"
SecRule ARGS:password "@streq %{ARGS.password}" "id:16,phase:2,pass,log,msg:'same'"
SecRule ARGS:password "@within a %{ARGS.password} b" "id:17,phase:2,pass,log,msg:'within'"
SecRule REQUEST_URI "@rx reset" "id:18,phase:1,pass,log,msg:'early %{REQUEST_URI} %{REQUEST_HEADERS.cookie}'"
"#;

/// What the requests below have to hide.
const SECRETS: [&str; 12] = [
    "Corr3ct-Horse",
    "corr3ct-horse",
    "T0k3nValue99",
    "4111111111111111",
    "s3ss10nCookie",
    "B4sicPassw0rd",
    "dXNlcjpCNHNpY1Bhc3N3MHJk",
    "beArerCr3dential",
    "N3wCookieValue",
    "ap1k3yInHeader",
    "X9q",
    "r3sponseTok3n",
];

const HEADERS: [(&str, &str); 9] = [
    ("Host", "example.com"),
    ("Authorization", "Basic dXNlcjpCNHNpY1Bhc3N3MHJk"),
    ("Proxy-Authorization", "Bearer beArerCr3dential"),
    ("Cookie", "sid=s3ss10nCookie; pin=X9q; lang=de"),
    (
        "Referer",
        "https://user:Corr3ct-Horse@example.com/?token=T0k3nValue99&q=1",
    ),
    ("X-Api-Key", "ap1k3yInHeader"),
    ("X-Echo", "s3ss10nCookie"),
    ("User-Agent", "test"),
    ("X-Request-Id", "r"),
];

const TARGET: &str =
    "/reset?q=shoes&password=Corr3ct-Horse&tok%65n=T0k3n%56alue99&cvv=X9q&copy=T0k3nValue99";

const RESPONSE: [(&str, &str); 3] = [
    ("Content-Type", "application/json"),
    ("Set-Cookie", "sid=N3wCookieValue; Path=/; HttpOnly"),
    ("Location", "/next?token=T0k3nValue99"),
];

fn bodies() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "application/x-www-form-urlencoded",
            "user=me&new_password=Corr3ct%2DHorse&card=4111111111111111&cvv=X9q",
        ),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nCorr3ct-Horse\r\n\
             --b\r\nContent-Disposition: form-data; name=\"cvv\"\r\n\r\nX9q\r\n--b--\r\n",
        ),
        (
            "application/json",
            r#"{"user": "me", "p\u0061ssword": "Corr3ct\u002dHorse", "cards": [{"number": 4111111111111111}], "cvv": "X9q"}"#,
        ),
        (
            "text/xml",
            "<a><password>Corr3ct&#45;Horse</password><b token=\"T0k3nValue99\">x</b><cvv>X9q</cvv></a>",
        ),
        ("text/plain", "password is Corr3ct-Horse"),
    ]
}

const PROCESSORS: &str = r#"
SecRule REQUEST_HEADERS:Content-Type "@contains json" "id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "@contains xml" "id:3,phase:1,pass,nolog,ctl:requestBodyProcessor=XML"
SecAction "id:5,phase:3,pass,nolog,ctl:responseBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "@contains plain" "id:4,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
"#;

/// Everything that the engine tells of one request.
fn told(rules: &str, content_type: &str, body: &str) -> Vec<(&'static str, String)> {
    let mut transaction = transaction(&format!("SecDebugLogLevel 9\n{PROCESSORS}{CURIOUS}{rules}"));
    let mut headers = HEADERS.to_vec();
    headers.push(("Content-Type", content_type));
    let log = Exchange {
        target: TARGET,
        headers: &headers,
        body: body.as_bytes(),
        response_headers: &RESPONSE,
        response_body: br#"{"token": "r3sponseTok3n", "a": "N3wCookieValue"}"#,
    }
    .run(&mut transaction);
    let debug = debug_lines(&mut transaction).into_iter();
    let debug: Vec<_> = debug.map(|line| String::from_utf8(line).unwrap()).collect();
    assert!(debug.len() > 20, "{debug:?}");
    let mut told = vec![("error log", log), ("debug log", debug.join("\n"))];
    for (name, format) in FORMATS {
        let record = formatted(&transaction, format, &mut drawn);
        let line = one_line(&record, format);
        told.push((name, String::from_utf8(record).unwrap()));
        told.push((name, String::from_utf8(line).unwrap()));
    }
    told
}

#[test]
fn no_text_shows_a_secret() {
    for (content_type, body) in bodies() {
        for (text, shown) in told("", content_type, body) {
            assert!(shown.contains("<redacted>"), "{text}");
            for secret in SECRETS {
                let leak = shown.lines().find(|line| line.contains(secret));
                assert_eq!(leak, None, "{text} of {content_type} shows {secret}");
            }
        }
    }
}

#[test]
fn without_redaction_texts_show_what_rules_saw() {
    let (content_type, body) = bodies()[0];
    for (_, shown) in told("SecParapetRedaction Off", content_type, body) {
        for secret in ["s3ss10nCookie", "Corr3ct-Horse"] {
            assert!(shown.contains(secret), "{secret}");
        }
        assert!(!shown.contains("<redacted>"));
    }
}

#[test]
fn lists_of_names_can_be_changed() {
    let shown = |rules: &str| {
        let (content_type, body) = bodies()[0];
        let mut told = told(rules, content_type, body);
        told.remove(0).1
    };
    let kept = shown("SecParapetRedactArguments -cvv -card +user\nSecParapetRedactHeaders -cookie");
    assert!(kept.contains("4111111111111111") && kept.contains("s3ss10nCookie"));
    assert!(!kept.contains("Corr3ct-Horse"));
    let only = shown("SecParapetRedactArguments q\nSecParapetRedactHeaders x-echo");
    assert!(only.contains("Corr3ct-Horse") && only.contains("beArerCr3dential"));
    assert!(!only.contains("shoes") && !only.contains("s3ss10nCookie"));
}
