//! Persistent collections: what rules count is the same for all workers.

use super::client::{self, Request, Version};
use super::gateway::Gateway;
use super::plugin;
use serde_json::Value;
use std::thread;
use std::time::{Duration, Instant};
use wasm_tests::project;

const WORKERS: u32 = 4;
const CLIENTS: usize = 8;

fn start(plugin: &Value) -> Gateway {
    Gateway::start_workers(WORKERS, plugin, |_| {})
}

/// How many workers took connections of the listener.
fn busy_workers(gateway: &Gateway) -> usize {
    let statistics = gateway.ask_admin("/stats?filter=worker_.*downstream_cx_total");
    let statistics = statistics.expect("the admin interface answers");
    let counts = statistics.lines().filter_map(|line| line.rsplit_once(": "));
    // That of the admin interface begins with its name.
    let listener = counts.filter(|(name, _)| name.starts_with("listener.1"));
    listener.filter(|(_, count)| *count != "0").count()
}

#[test]
fn eight_clients_and_four_workers_count_to_ten_thousand() {
    const REQUESTS: usize = 10_000;
    let gateway = start(&plugin(&[
        "SecRuleEngine On",
        "SecAction \"id:1,phase:1,pass,nolog,initcol:resource=/counted\"",
        "SecRule REQUEST_FILENAME \"@streq /counted\" \"id:2,phase:1,pass,nolog,setvar:resource.hits=+1\"",
        "SecRule REQUEST_FILENAME \"@streq /total\" \"id:3,phase:1,deny,status:410,log,\
            logdata:'%{resource.hits}',chain\"",
        &format!("SecRule RESOURCE:HITS \"@eq {REQUESTS}\""),
        "SecRule REQUEST_FILENAME \"@streq /total\" \"id:4,phase:1,deny,status:409,log,\
            logdata:'%{resource.hits}'\"",
    ]));
    let address = gateway.address;
    let clients = (0..CLIENTS).map(|_| {
        thread::spawn(move || {
            let request = Request::get("/counted");
            for _ in 0..REQUESTS / CLIENTS {
                let answer = client::send(Version::Http1, address, &request);
                assert_eq!(answer.status, 200);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.join().unwrap();
    }
    // The last of them are stored when they are answered.
    let answer = gateway.send(Version::Http1, &Request::get("/total"));
    assert_eq!(answer.status, 410, "{}", gateway.log());
    assert!(busy_workers(&gateway) > 1, "one worker did it all");
    let lost = gateway.ask_admin("/stats?filter=collections.lost").unwrap();
    // The counter is defined when something is lost first.
    assert!(!lost.contains("collections.lost"), "{lost}");
}

#[test]
fn who_tries_to_log_in_too_often_waits_whatever_worker_it_meets() {
    const WINDOW: &str = "tx.login_window=60";
    let file = project().join("rules/examples/login-brute-force.conf");
    let rules = std::fs::read_to_string(file).unwrap();
    assert!(rules.contains(WINDOW));
    let rules = rules.replace(WINDOW, "tx.login_window=8");
    let gateway = start(&plugin(&[
        "SecRuleEngine On",
        "SecRequestBodyAccess On",
        &rules,
    ]));
    let attempt = || {
        let form = Request::form("/login", "user=ada&password=guess");
        gateway.send(Version::Http1, &form).status
    };
    for number in 1..=10 {
        assert_eq!(attempt(), 200, "attempt {number}\n{}", gateway.log());
    }
    for number in 11..=20 {
        assert_eq!(attempt(), 429, "attempt {number}\n{}", gateway.log());
    }
    let page = gateway.send(Version::Http1, &Request::get("/"));
    assert_eq!(page.status, 200, "{}", gateway.log());
    assert!(busy_workers(&gateway) > 1, "one worker did it all");
    // Each attempt begins the time anew.
    let begun = Instant::now();
    thread::sleep(Duration::from_millis(9_500));
    assert_eq!(attempt(), 200, "after {:?}", begun.elapsed());
}
