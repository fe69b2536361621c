//! Records of every format, read by somebody who knows the format alone.

use serde_json::{Value, json};

use super::*;

const RULES: &str = r#"
SecRuleEngine On
SecAuditEngine RelevantOnly
SecAuditLogParts ABCEFHIJKZ
SecAuditLogRelevantStatus "^5"
SecSensorId edge
SecComponentSignature "rules/1"
SecRule ARGS:q "@contains attack" "id:7,phase:2,deny,status:418,severity:CRITICAL,msg:'An attack',logdata:'%{MATCHED_VAR}',tag:'one',tag:'two',rev:'1',ver:'v/1',maturity:'2',accuracy:'3',auditlog"
SecAction "id:8,phase:1,pass,nolog,sanitiseArg:pin"
"#;

const JSON: &[(&str, &str)] = &[
    ("Host", "example.com"),
    ("X-Twice", "a"),
    ("User-Agent", "test"),
    ("x-twice", "b"),
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    ("Content-Type", "application/x-www-form-urlencoded"),
];

const ATTACK: Exchange<'_> = Exchange {
    target: "/a?q=an+attack&pin=123456",
    headers: JSON,
    body: b"b=\xff--",
    response_headers: &[("Content-Type", "text/html"), ("Content-Length", "4")],
    response_body: b"page",
};

fn record(rules: &str, exchange: Exchange<'_>, format: AuditFormat) -> Vec<u8> {
    let mut transaction = transaction(rules);
    exchange.run(&mut transaction);
    formatted(&transaction, format, &mut drawn)
}

fn json(format: AuditFormat) -> Value {
    serde_json::from_slice(&record(RULES, ATTACK, format)).unwrap()
}

/// The parts of a native record, by the grammar: boundary lines, each part ends with an empty line, A
/// comes first and Z last.
pub(super) fn parts(record: &[u8]) -> Vec<(char, String)> {
    let text = String::from_utf8_lossy(record).into_owned();
    let start = text.strip_prefix("--").unwrap();
    let (boundary, _) = start.split_once("-A--\n").unwrap();
    assert_eq!(boundary.len(), 8, "{boundary}");
    // A boundary begins a line.
    let text = format!("\n{text}");
    let mark = format!("\n--{boundary}-");
    let mut parts = Vec::new();
    for part in text.split(&mark).skip(1) {
        let (letter, content) = part.split_once("--\n").unwrap();
        let mut letters = letter.chars();
        let letter = letters.next().unwrap();
        assert!(letters.next().is_none() && "ABCEFHIJKZ".contains(letter));
        parts.push((letter, content.to_owned()));
    }
    assert_eq!(parts.first().unwrap().0, 'A');
    assert_eq!(parts.last().unwrap(), &('Z', "\n".to_owned()));
    parts
}

fn part(parts: &[(char, String)], letter: char) -> &str {
    &parts.iter().find(|(known, _)| *known == letter).unwrap().1
}

#[test]
fn native_records_have_the_parts_of_version_2() {
    let parts = parts(&record(RULES, ATTACK, AuditFormat::Native));
    let letters: String = parts.iter().map(|(letter, _)| letter).collect();
    assert_eq!(letters, "ABCFHKZ");
    assert_eq!(
        part(&parts, 'A'),
        "[29/Feb/2024:12:00:00.000000 +0000] u - 0 - 0\n"
    );
    let head = part(&parts, 'B');
    assert!(
        head.starts_with("POST /a?q=an+attack&pin=****** HTTP/1.1\nHost: example.com\n"),
        "{head}"
    );
    assert_eq!(part(&parts, 'C'), "b=\u{fffd}--\n");
    assert_eq!(part(&parts, 'F'), "HTTP/1.1 418\n");
    let trailer: Vec<&str> = part(&parts, 'H').lines().collect();
    assert_eq!(
        trailer[0],
        "Message: Access denied with code 418 (phase 2). Matched phrase \"attack\" at ARGS:q. \
         [file \"test.conf\"] [line \"12\"] [id \"7\"] [rev \"1\"] [msg \"An attack\"] \
         [data \"an attack\"] [severity \"CRITICAL\"] [ver \"v/1\"] [maturity \"2\"] \
         [accuracy \"3\"] [tag \"one\"] [tag \"two\"]"
            .replace(
                "Matched phrase \"attack\"",
                trailer[0]
                    .split("(phase 2). ")
                    .nth(1)
                    .unwrap()
                    .split(" at ARGS")
                    .next()
                    .unwrap()
            )
    );
    let version = env!("CARGO_PKG_VERSION");
    for line in [
        "Action: Intercepted (phase 2)",
        "Stopwatch: 1709208000000000 0 (- - -)",
        &format!("Producer: Parapet/{version}; rules/1."),
        "Sanitised-Args: \"pin\".",
        "Sensor-Id: \"edge\"",
        "Engine-Mode: \"ENABLED\"",
        "Request-Id: \"r\"",
        "Trace-Id: \"0af7651916cd43dd8448eb211c80319c\"",
    ] {
        assert!(trailer.contains(&line), "{line} in {trailer:#?}");
    }
}

#[test]
fn part_k_has_the_rules_as_they_are_written() {
    let chain = "SecRule ARGS:q \"@contains at\" \\\n    \"id:9,phase:2,pass,log,\\\n    chain\"\n  \
                 SecRule ARGS:q \"@streq an attack\"\nSecAction \"id:10,phase:5,pass,nolog\"";
    let parts = parts(&record(
        &format!("{RULES}{chain}"),
        ATTACK,
        AuditFormat::Native,
    ));
    let rules: Vec<&str> = part(&parts, 'K').lines().collect();
    let written = RULES.lines().find(|line| line.contains("id:7")).unwrap();
    assert_eq!(&rules[..2], ["# test.conf:12", written]);
    let detects = RULES.replace("SecRuleEngine On", "SecRuleEngine DetectionOnly");
    let parts = super::records::parts(&record(
        &format!("{detects}{chain}"),
        ATTACK,
        AuditFormat::Native,
    ));
    let all = part(&parts, 'K');
    let linked = "SecRule ARGS:q \"@contains at\" \"id:9,phase:2,pass,log, chain\"\n\
                  SecRule ARGS:q \"@streq an attack\"\n";
    assert!(all.contains(linked) && !all.contains("id:10"), "{all}");
}

#[test]
fn a_client_cannot_forge_lines_of_a_record() {
    let value = "x\r\n--uuuuuuuu-H--\r\nMessage: forged";
    let exchange = Exchange {
        headers: &[("X-A", value), ("Host", "h")],
        target: "/a\n--0000000u-Z--\n?q=attack",
        ..ATTACK
    };
    let record = record(RULES, exchange, AuditFormat::Native);
    assert!(!part(&parts(&record), 'B').contains("\nMessage"));
    let line = one_line(&record, AuditFormat::Native);
    assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
}

#[test]
fn json_is_what_version_3_writes_and_more() {
    let record = json(AuditFormat::Json);
    let transaction = &record["transaction"];
    assert_eq!(transaction["time_stamp"], "Thu Feb 29 12:00:00 2024");
    assert_eq!(transaction["unique_id"], "u");
    assert_eq!(transaction["server_id"], "edge");
    assert_eq!(transaction["request_id"], "r");
    assert_eq!(transaction["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(transaction["request"]["method"], "POST");
    assert_eq!(transaction["request"]["uri"], "/a?q=an+attack&pin=******");
    assert_eq!(
        transaction["request"]["headers"]["X-Twice"],
        json!(["a", "b"])
    );
    assert_eq!(transaction["request"]["headers"]["Host"], "example.com");
    assert_eq!(transaction["request"]["body"], "b=\\xff--");
    assert_eq!(transaction["response"]["http_code"], 418);
    assert_eq!(transaction["producer"]["secrules_engine"], "Enabled");
    assert_eq!(transaction["producer"]["components"], json!(["rules/1"]));
    let message = &transaction["messages"][0];
    assert_eq!(message["message"], "An attack");
    let details = &message["details"];
    assert_eq!(details["ruleId"], "7");
    assert_eq!(details["severity"], "2");
    assert_eq!(details["data"], "an attack");
    assert_eq!(details["tags"], json!(["one", "two"]));
    assert_eq!(details["interrupted"], true);
    assert_eq!(transaction["interruption"]["status"], 418);
    assert_eq!(transaction["sanitised"]["arguments"], json!(["pin"]));
}

#[test]
fn other_engines_shapes_are_theirs() {
    let coraza = json(AuditFormat::Coraza);
    assert_eq!(coraza["transaction"]["timestamp"], "2024/02/29 12:00:00");
    assert_eq!(
        coraza["transaction"]["unix_timestamp"],
        1_709_208_000_000_000_000_u64
    );
    assert_eq!(
        coraza["transaction"]["request"]["headers"]["Host"],
        json!(["example.com"])
    );
    assert_eq!(coraza["transaction"]["is_interrupted"], true);
    assert_eq!(coraza["transaction"]["highest_severity"], "critical");
    assert_eq!(coraza["messages"][0]["data"]["id"], 7);
    let legacy = json(AuditFormat::JsonLegacy);
    assert_eq!(legacy["transaction"]["transaction_id"], "u");
    assert_eq!(
        legacy["request"]["request_line"],
        "POST /a?q=an+attack&pin=****** HTTP/1.1"
    );
    assert_eq!(legacy["audit_data"]["action"]["phase"], 2);
    assert_eq!(legacy["audit_data"]["sanitized"]["args"], json!(["pin"]));
    let ocsf = json(AuditFormat::Ocsf);
    assert_eq!(ocsf["class_uid"], 4002);
    assert_eq!(ocsf["type_uid"], 400_206);
    assert_eq!(ocsf["disposition"], "Blocked");
    assert_eq!(ocsf["firewall_rule"]["uid"], "7");
    assert_eq!(
        ocsf["http_request"]["url"]["query_string"],
        "q=an+attack&pin=******"
    );
}

#[test]
fn responses_and_uploads_are_recorded() {
    let body = b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx y\r\n--b\r\n\
        Content-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\n\r\ncontent\r\n--b--\r\n";
    let exchange = Exchange {
        target: "/upload",
        headers: &[
            ("Host", "h"),
            ("Content-Type", "multipart/form-data; boundary=b"),
        ],
        body,
        ..ATTACK
    };
    let rules = "SecAuditEngine On\nSecAuditLogParts ABCEFHIJKZ\nSecParapetAuditBodyLimit 3";
    let parts = parts(&record(rules, exchange, AuditFormat::Native));
    let letters: String = parts.iter().map(|(letter, _)| letter).collect();
    assert_eq!(letters, "ABIFEHJKZ");
    assert_eq!(part(&parts, 'I'), "a=x+y\n");
    assert_eq!(part(&parts, 'E'), "pag\n");
    assert_eq!(part(&parts, 'J'), "1,7,\"n.txt\",\"f\"\nTotal,7\n");
    assert!(part(&parts, 'F').starts_with("HTTP/1.1 200 OK\nContent-Type: text/html\n"));
    assert!(part(&parts, 'H').contains("Response-Body-Cut: 4 bytes in all\n"));
}

#[test]
fn who_is_recorded_follows_from_relevance() {
    let recorded = |rules: &str, exchange: Exchange<'_>| {
        let mut transaction = transaction(rules);
        exchange.run(&mut transaction);
        audit_record(&transaction, &mut drawn).is_some()
    };
    let harmless = Exchange {
        target: "/",
        ..ATTACK
    };
    assert!(recorded(RULES, ATTACK) && !recorded(RULES, harmless));
    assert!(recorded("SecAuditEngine On", harmless));
    assert!(!recorded("", ATTACK) && !recorded("SecAuditEngine Off", ATTACK));
    let by_status = "SecAuditEngine RelevantOnly\nSecAuditLogRelevantStatus ^2";
    assert!(recorded(by_status, harmless));
    let switched = "SecAction \"id:1,phase:5,pass,nolog,ctl:auditEngine=On\"";
    assert!(recorded(switched, harmless));
    let silent = "SecAuditEngine RelevantOnly\nSecAction \"id:1,phase:1,pass,log,noauditlog\"";
    assert!(!recorded(silent, harmless));
}

#[test]
fn any_bytes_make_a_record() {
    let all: Vec<u8> = (0..=255).collect();
    for shift in 0..32_usize {
        let body: Vec<u8> = all
            .iter()
            .cycle()
            .skip(shift * 7)
            .take(300)
            .copied()
            .collect();
        let text = String::from_utf8_lossy(&body).into_owned();
        let exchange = Exchange {
            target: &text,
            headers: &[
                ("Host", &text),
                (&text, &text),
                ("Cookie", &text),
                ("Content-Type", "text/plain"),
            ],
            body: &body,
            response_headers: &[("Set-Cookie", &text)],
            response_body: &body,
        };
        let rules = "SecAuditEngine On\nSecAuditLogParts ABCEFHIJKZ\nSecRule ARGS|REQUEST_HEADERS \"@rx .\" \"id:1,phase:2,pass,log,msg:'%{MATCHED_VAR}'\"";
        let mut transaction = transaction(rules);
        exchange.run(&mut transaction);
        parts(&formatted(&transaction, AuditFormat::Native, &mut drawn));
        for (name, format) in FORMATS.into_iter().skip(1) {
            let record = formatted(&transaction, format, &mut drawn);
            let read: Result<Value, _> = serde_json::from_slice(&record);
            assert!(read.is_ok(), "{name}");
            assert!(!record.contains(&b'\n'));
        }
    }
}
