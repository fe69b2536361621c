//! What the worst requests spend, in steps: the same on every machine.

use std::path::{Path, PathBuf};

use super::*;
use crate::program::Settings;

/// How many of the rules are tried in each place; another one each time.
const BAITS: usize = 12;

/// The Core Rule Set at paranoia 4; none where it is not embedded.
fn engine() -> Option<Native> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = Config::load(&[root.join("benches/worst.json")]).unwrap();
    let engine = config.engine().ok();
    if engine.is_none() {
        println!("skipped: run `make crs` first");
    }
    engine
}

/// No operation is so long that a request comes far beyond its limit before it notices.
#[test]
fn the_limit_stops_the_worst_requests_in_time() {
    let Some(engine) = engine() else { return };
    let limit = Settings::default().work_limit;
    let baits: Vec<Bait> = engine.programs().flat_map(values::baits).collect();
    assert!(baits.len() > 300, "{} rules", baits.len());
    let mut random = Random::new(7);
    let mut limited = 0;
    for placement in Placement::ALL {
        for number in 0..BAITS {
            let bait = random.pick(&baits).unwrap();
            let taste = Taste::ALL[number % Taste::ALL.len()];
            let request = placement.request(&mut |length| bait.text(taste, length, &mut random));
            let worked = engine.work(&request, &nothing());
            let what = format!("{} {} {}", placement.name(), bait.rule, taste.name());
            // Phase 5 has a tenth of its own; the groups of one match as long as a body are the
            // dearest operation that does not ask before.
            assert!(worked.steps < limit / 10 * 17, "{what}: {}", worked.steps);
            limited += usize::from(worked.limited);
            if number == 0 {
                let again = engine.renewed().work(&request, &nothing());
                assert_eq!(again, worked, "{what}: with cold caches");
            }
        }
    }
    println!("{limited} came to the limit");
}

/// At paranoia 1, a text as long as the recommended limits allow is no reason to refuse a request.
#[test]
fn the_longest_prose_is_within_the_limit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = Config::load(&[root.join("benches/plugin.json")]).unwrap();
    let Ok(engine) = config.engine() else {
        println!("skipped: run `make crs` first");
        return;
    };
    let licence = std::fs::read(root.join("LICENSE")).unwrap();
    let prose: Vec<u8> = licence.iter().copied().cycle().take(120 << 10).collect();
    let text = String::from_utf8(prose).unwrap();
    let body = serde_json::json!({ "text": text }).to_string();
    assert!(
        (120 << 10..128 << 10).contains(&body.len()),
        "{}",
        body.len()
    );
    let length = body.len();
    let head = format!(
        "POST /articles HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: a\r\nAccept: */*\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let request = Request::parse([head, body].concat().as_bytes());
    let worked = engine.work(&request, &nothing());
    println!("{} steps", worked.steps);
    assert!(!worked.limited && worked.steps > 1 << 20, "{worked:?}");
}

/// What people send is far from the limit, paranoia 4 or not.
#[test]
fn benign_requests_are_far_from_the_limit() {
    let Some(engine) = engine() else { return };
    let limit = Settings::default().work_limit;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/requests");
    for (name, share) in [
        ("browser-get", 30),
        ("form-1k", 20),
        ("sqli-get", 30),
        ("xss-form", 30),
        ("json-8k", 4),
    ] {
        let path: PathBuf = root.join(format!("{name}.http"));
        let request = Request::parse(&std::fs::read(path).unwrap());
        let steps = engine.work(&request, &nothing()).steps;
        println!("{name}: {steps} steps");
        assert!(steps < limit / share, "{name}: {steps}");
    }
}
