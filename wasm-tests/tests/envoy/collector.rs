//! Audit records go to a real HTTP server; it dies and comes back.

use super::client::{Request, Version};
use super::gateway::{Gateway, at, free_address};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use wasm_tests::backend::{self, Response};

const SECRET: &str = "Bearer collector-sesame";

/// A server that keeps what it is sent.
struct Collector {
    stop: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Option<thread::JoinHandle<()>>,
}

type Received = Arc<Mutex<Vec<backend::Request>>>;

impl Collector {
    fn start(address: SocketAddr, received: &Received) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let streams = Arc::new(Mutex::new(Vec::new()));
        let (stopping, kept, received) = (stop.clone(), streams.clone(), received.clone());
        let accepting = thread::spawn(move || {
            while !stopping.load(Ordering::SeqCst) {
                let Ok((stream, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(10));
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                kept.lock().unwrap().push(stream.try_clone().unwrap());
                let received = received.clone();
                thread::spawn(move || {
                    backend::converse(stream, &|request: &backend::Request| {
                        received.lock().unwrap().push(request.clone());
                        Response::text("taken".to_owned())
                    })
                });
            }
        });
        Self {
            stop,
            streams,
            accepting: Some(accepting),
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn start(collector: SocketAddr) -> Gateway {
    let plugin = json!({
        "rules": [
            "SecRuleEngine On",
            "SecAuditEngine On",
            "SecAuditLogFormat JSON",
            "SecAuditLogType HTTPS",
            "SecAuditLog https://logs.example:8443/parapet?tenant=1",
        ],
        "audit_log": {
            "cluster": "collector",
            "flush_ms": 100,
            "queue_bytes": 65_536,
            "headers": { "authorization": SECRET },
        },
    });
    Gateway::start_example(&plugin, |example| {
        let clusters = at(example, "/static_resources/clusters")
            .as_array_mut()
            .unwrap();
        let mut cluster = clusters[0].clone();
        let name = "/load_assignment/cluster_name";
        let port = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address\
                    /port_value";
        cluster["name"] = json!("collector");
        *cluster.pointer_mut(name).unwrap() = json!("collector");
        *cluster.pointer_mut(port).unwrap() = json!(collector.port());
        clusters.push(cluster);
    })
}

/// The unique ids of the records, in the order they came.
fn ids(received: &Received) -> Vec<String> {
    let received = received.lock().unwrap();
    let bodies = received
        .iter()
        .map(|request| String::from_utf8(request.body.clone()).unwrap());
    let lines: Vec<String> = bodies
        .flat_map(|body| body.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let id = |line: &String| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["transaction"]["unique_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    lines.iter().map(id).collect()
}

fn counter(gateway: &Gateway, name: &str) -> u64 {
    let answer = gateway.ask_admin("/stats?filter=waf_filter.audit").unwrap();
    let prefix = format!("wasmcustom.waf_filter.audit.{name}.total: ");
    let line = answer.lines().find_map(|line| line.strip_prefix(&prefix));
    line.map_or(0, |value| value.trim().parse().unwrap())
}

fn wait_for(what: &str, gateway: &Gateway, ready: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ready() {
        assert!(Instant::now() < deadline, "{what}\n{}", gateway.log());
        thread::sleep(Duration::from_millis(50));
    }
}

fn requests(gateway: &Gateway, count: usize) {
    for number in 0..count {
        let request = Request::get(format!("/page/{number}?password=gate-sesame-{number}"));
        assert_eq!(gateway.send(Version::Http1, &request).status, 200);
    }
}

#[test]
fn records_reach_a_collector_that_dies_and_comes_back() {
    let address = free_address();
    let received = Received::default();
    let collector = Collector::start(address, &received);
    let gateway = start(address);
    requests(&gateway, 20);
    wait_for("twenty records", &gateway, || ids(&received).len() >= 20);
    wait_for("their count", &gateway, || counter(&gateway, "sent") == 20);
    {
        let received = received.lock().unwrap();
        let first = &received[0];
        assert_eq!(
            (&*first.method, &*first.target),
            ("POST", "/parapet?tenant=1")
        );
        for (name, value) in [
            ("host", "logs.example:8443"),
            ("content-type", "application/x-ndjson"),
            ("authorization", SECRET),
        ] {
            assert_eq!(first.header(name), Some(value.as_bytes()), "{name}");
        }
        assert!(received.len() < 20, "each record came alone");
    }

    drop(collector);
    let begun = Instant::now();
    requests(&gateway, 300);
    // Nobody waits for a collector that is gone: each of its failures takes a second.
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    wait_for("losses", &gateway, || counter(&gateway, "lost") > 0);
    wait_for("failures", &gateway, || counter(&gateway, "failures") > 1);
    let log = gateway.log();
    assert!(
        log.contains("the collector of audit records fails"),
        "{log}"
    );

    let _collector = Collector::start(address, &received);
    let (records, sent, lost) = ("records", "sent", "lost");
    wait_for("recovery", &gateway, || {
        counter(&gateway, records) == counter(&gateway, sent) + counter(&gateway, lost)
    });
    requests(&gateway, 20);
    wait_for("the records after it", &gateway, || {
        counter(&gateway, records) == 340
            && counter(&gateway, sent) + counter(&gateway, lost) == 340
    });
    let lost = counter(&gateway, lost);
    // Two workers keep 64 KiB each, which are some thirty records.
    assert!((1..300).contains(&lost), "{lost} were lost");
    let distinct = BTreeSet::from_iter(ids(&received));
    assert!(
        distinct.len() as u64 >= 340 - lost,
        "{} and {lost}",
        distinct.len()
    );
    let all = received.lock().unwrap();
    let bodies = all
        .iter()
        .map(|request| String::from_utf8_lossy(&request.body).into_owned());
    let text = gateway.log() + &bodies.collect::<String>();
    assert!(!text.contains("sesame"), "a secret in a log or a record");
}
