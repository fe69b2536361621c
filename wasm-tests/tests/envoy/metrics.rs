//! Metrics as Prometheus takes them from Envoy, with the shipped `envoy/stats-tags.yaml`, and the
//! queries of the shipped dashboard in a real Prometheus.

use super::client::{Request, Version};
use super::gateway::{Gateway, free_address};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use wasm_tests::project;

/// Requests before and after the first scrape: rates need both.
const ROUNDS: usize = 4;

/// Two profiles, all kinds of matches, scores, a shadow, a collection and limits.
fn plugin() -> Value {
    let rules = json!([
        "SecRuleEngine On",
        "SecRequestBodyAccess On",
        "SecRequestBodyLimit 1000",
        "SecRequestBodyLimitAction ProcessPartial",
        "SecArgumentsLimit 3",
        "SecAction \"id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.hits=+1,\
            setvar:tx.blocking_inbound_anomaly_score=7\"",
        "SecRule ARGS:q \"@streq noted\" \"id:2,phase:1,pass,log,tag:'attack-sqli',tag:'other',tag:'attack-%{ARGS.q}'\"",
        "SecRule ARGS:q \"@streq bad\" \"id:3,phase:1,deny,log,tag:'attack-xss'\"",
        "SecRule REQUEST_BODY \"@contains bad\" \"id:4,phase:2,deny,log,tag:'attack-xss'\"",
    ]);
    json!({
        "directives_map": {
            "shop_front": { "directives": rules, "shadow": "strict" },
            "strict": ["SecRuleEngine On", "SecRule ARGS:q \"@streq odd\" \"id:9,phase:1,deny\""],
        },
        "default_directives": "shop_front",
        "metric_labels": { "owner": "team_a", "region": "eu-1" },
        "engine_time_every": 1,
    })
}

fn start() -> Gateway {
    Gateway::start_example(&plugin(), |example| {
        let text = fs::read_to_string(project().join("envoy/stats-tags.yaml")).unwrap();
        let mut stats: Value = serde_saphyr::from_str(&text).unwrap();
        let tags = stats["stats_config"]["stats_tags"].as_array_mut().unwrap();
        // As the file says: one such entry for each key.
        let owner = tags.iter().find(|tag| tag["tag_name"] == "owner").unwrap();
        let region = owner.to_string().replace("owner", "region");
        tags.push(serde_json::from_str(&region).unwrap());
        example["stats_config"] = stats["stats_config"].clone();
        example["stats_flush_interval"] = json!("1s");
    })
}

fn traffic(gateway: &Gateway) {
    let form = |body: String| Request::form("/", &body);
    for (request, status) in [
        (Request::get("/?q=fine"), 200),
        (Request::get("/?q=noted"), 200),
        (Request::get("/?q=odd"), 200),
        (Request::get("/?q=bad"), 403),
        (form("q=bad".to_owned()), 403),
        (Request::get("/?a=1&b=2&c=3&d=4"), 200),
        (form(format!("q={}", "x".repeat(2_000))), 200),
    ] {
        let answer = gateway.send(Version::Http1, &request);
        assert_eq!(answer.status, status, "{request:?}\n{}", gateway.log());
    }
}

/// The lines of the filter's metrics; without their buckets' bounds, as Envoy estimates those.
fn exposition(gateway: &Gateway) -> String {
    let answer = gateway.ask_admin("/stats/prometheus").unwrap();
    let ours = |line: &&str| {
        let name = line.strip_prefix("# TYPE ").unwrap_or(line);
        name.starts_with("waf_filter_") || name.starts_with("parapet_")
    };
    let lines = answer.lines().map(str::trim_end).filter(ours);
    lines.fold(String::new(), |text, line| text + line + "\n")
}

type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

fn samples(text: &str) -> Samples {
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels
            .trim_end_matches('}')
            .split(',')
            .filter(|it| !it.is_empty());
        let labels = labels.map(|label| {
            let (key, value) = label.split_once('=').unwrap();
            (key.to_owned(), value.trim_matches('"').to_owned())
        });
        ((name.to_owned(), labels.collect()), value.parse().unwrap())
    };
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(sample)
        .collect()
}

#[test]
fn prometheus_sees_labels_and_exact_counts() {
    let gateway = start();
    (0..ROUNDS).for_each(|_| traffic(&gateway));
    // Envoy merges the workers' histograms when it flushes.
    thread::sleep(Duration::from_millis(2_500));
    let text = exposition(&gateway);
    let found = samples(&text);
    let count = |name: &str, labels: &[(&str, &str)]| {
        let mut labels: BTreeMap<String, String> = labels
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        if !labels.is_empty() {
            for (key, value) in [
                ("profile", "shop_front"),
                ("owner", "team_a"),
                ("region", "eu-1"),
            ] {
                labels.insert(key.to_owned(), value.to_owned());
            }
        }
        let found = found.get(&(name.to_owned(), labels));
        *found.unwrap_or_else(|| panic!("{name} is missing in\n{text}"))
    };
    let each = ROUNDS as f64;
    let head = ("phase", "http_request_headers");
    let body = ("phase", "http_request_body");
    for (name, labels, expected) in [
        ("waf_filter_tx_total", &[][..], 7.0 * each),
        (
            "waf_filter_tx_requests_total",
            &[("profile", "shop_front")],
            7.0 * each,
        ),
        (
            "waf_filter_tx_interruptions_total",
            &[("rule_id", "3"), head],
            each,
        ),
        (
            "waf_filter_tx_interruptions_total",
            &[("rule_id", "4"), body],
            each,
        ),
        (
            "waf_filter_tx_detections_total",
            &[("rule_id", "2"), head],
            each,
        ),
        (
            "waf_filter_tx_shadow_interruptions_total",
            &[("rule_id", "9"), head],
            each,
        ),
        (
            "waf_filter_tx_matches_total",
            &[("tag", "attack-sqli")],
            each,
        ),
        (
            "waf_filter_tx_matches_total",
            &[("tag", "attack-xss")],
            2.0 * each,
        ),
        (
            "waf_filter_tx_limits_total",
            &[("limit", "request_body")],
            each,
        ),
        (
            "waf_filter_tx_limits_total",
            &[("limit", "arguments")],
            each,
        ),
        (
            "waf_filter_tx_score_count",
            &[("kind", "score")],
            7.0 * each,
        ),
        (
            "waf_filter_tx_engine_micros_count",
            &[("profile", "shop_front")],
            7.0 * each,
        ),
    ] {
        assert_eq!(count(name, labels), expected, "{name} {labels:?}\n{text}");
    }
    let has = |line: &str| assert!(text.contains(line), "{line}\n{text}");
    has("waf_filter_collections_keys{collection=\"IP\"} 1\n");
    has("# TYPE parapet_vm_memory_bytes gauge\n");
    // The buckets are those of the file: 7 lies between 5 and 8.
    let bucket = |bound| {
        count(
            "waf_filter_tx_score_bucket",
            &[("kind", "score"), ("le", bound)],
        )
    };
    assert_eq!((bucket("5"), bucket("8")), (0.0, 7.0 * each), "{text}");
    assert!(
        !text.contains("other") && !text.contains("attack-noted"),
        "a tag that nobody asked for\n{text}"
    );
    check_by_promtool(&text);
}

fn prometheus(program: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PROMETHEUS").map(PathBuf::from);
    let required = std::env::var_os("PARAPET_REQUIRE_DATA").is_some();
    assert!(folder.is_some() || !required, "PROMETHEUS: run scripts/e2e");
    folder.map(|folder| folder.join(program))
}

/// `promtool check metrics` complains of nothing but the help texts that Envoy does not write.
fn check_by_promtool(text: &str) {
    let Some(promtool) = prometheus("promtool") else {
        eprintln!("no Prometheus: not checked");
        return;
    };
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    let lines = said.lines().filter(|line| !line.is_empty());
    let others: Vec<&str> = lines
        .clone()
        .filter(|line| !line.ends_with("no help text"))
        .collect();
    assert!(others.is_empty(), "{others:?}\n{text}");
    // It has read them: Envoy has no help texts, and promtool misses them.
    assert!(lines.count() > 5, "{said}");
}

struct Prometheus {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Prometheus {
    fn start(program: PathBuf, target: SocketAddr) -> Self {
        let address = free_address();
        let folder =
            std::env::temp_dir().join(format!("parapet-prometheus-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let configuration = json!({
            "global": { "scrape_interval": "1s", "scrape_timeout": "1s" },
            "scrape_configs": [{
                "job_name": "envoy",
                "metrics_path": "/stats/prometheus",
                "static_configs": [{ "targets": [target.to_string()] }],
            }],
        });
        let file = folder.join("prometheus.yml");
        fs::write(&file, configuration.to_string()).unwrap();
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            address,
            folder,
        }
    }

    fn ask(&self, query: &str) -> Option<Value> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .ok()?;
        let head = format!(
            "GET /api/v1/query?query={escaped} HTTP/1.0\r\nhost: prometheus\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        serde_json::from_str(body).ok()
    }

    /// Waits until a query has a result.
    fn wait_for(&self, query: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(answer) = self.ask(query)
                && answer["data"]["result"]
                    .as_array()
                    .is_some_and(|it| !it.is_empty())
            {
                return answer;
            }
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(
                Instant::now() < deadline,
                "{query} gives nothing\n{}",
                log()
            );
            thread::sleep(Duration::from_millis(200));
        }
    }
}

/// What the traffic of this test has nothing of.
const EMPTY: [&str; 14] = [
    "waf_filter_host_failures_total",
    "waf_filter_tx_overload_total",
    "waf_filter_tx_hold_timeouts_total",
    "waf_filter_tx_untrusted_address_total",
    "waf_filter_tx_rejected_before_filter_total",
    "waf_filter_tx_strictest_total",
    "waf_filter_tx_uninspected_total",
    "waf_filter_collections_conflicts_total",
    "waf_filter_collections_lost_total",
    "waf_filter_metrics_folded_total",
    "waf_filter_audit_records_total",
    "waf_filter_audit_sent_total",
    "waf_filter_audit_lost_total",
    "waf_filter_audit_failures_total",
];

#[test]
fn the_dashboards_queries_have_answers() {
    let Some(program) = prometheus("prometheus") else {
        eprintln!("no Prometheus: not run");
        return;
    };
    let gateway = start();
    traffic(&gateway);
    let prometheus = Prometheus::start(program, gateway.admin());
    prometheus.wait_for("waf_filter_tx_score_count > 0");
    (0..ROUNDS).for_each(|_| traffic(&gateway));
    prometheus.wait_for("rate(waf_filter_tx_score_count[1m]) > 0");
    let dashboard = fs::read(project().join("envoy/grafana-dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_slice(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let mut asked = 0;
    for target in targets {
        let query = target["expr"].as_str().unwrap();
        let query = query
            .replace("$__rate_interval", "1m")
            .replace("$profile", ".*");
        assert!(!query.contains('$'), "{query}");
        let answer = prometheus.ask(&query).unwrap();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let results = answer["data"]["result"].as_array().unwrap();
        let empty = EMPTY.iter().any(|name| query.contains(name));
        assert_eq!(results.is_empty(), empty, "{query}: {answer}");
        asked += 1;
    }
    assert!(asked >= 20, "{asked} queries");
}
