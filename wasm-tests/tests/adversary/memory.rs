//! Memory of a VM: it never shrinks, so it must not grow.

use parapet::wasm_host::{Cue, Plugin, Scene};

use super::{BASELINE, FORM, counted, factor, none_arrives, page, pairs, request, start, words};

fn scene() -> Scene {
    Scene {
        request: pairs(&[
            (":authority", "shop.example.org"),
            (":method", "POST"),
            (":path", "/?q=a+few+words"),
            ("user-agent", "Mozilla/5.0"),
            FORM,
        ]),
        source: b"192.0.2.7:40000".to_vec(),
        protocol: b"HTTP/1.1".to_vec(),
        ..Scene::default()
    }
}

/// A stream with so much of its body, which then stops coming. Whether it was refused.
fn stuck(plugin: &mut Plugin, body: &[u8]) -> (u32, bool) {
    let id = plugin.stage(&scene());
    plugin.cue(id, &Cue::Create).unwrap();
    let head = plugin.cue(id, &Cue::RequestHeaders(false)).unwrap();
    let mut refused = head.reply.is_some();
    if !refused {
        let cue = Cue::RequestBody(body.to_vec(), false);
        refused = plugin.cue(id, &cue).unwrap().reply.is_some();
    }
    (id, refused)
}

fn end(plugin: &mut Plugin, id: u32) {
    for cue in [Cue::Log, Cue::Done, Cue::Delete] {
        plugin.cue(id, &cue).unwrap();
    }
    plugin.strike(id);
    plugin.take_log();
}

#[test]
fn ten_thousand_stuck_streams_stay_below_the_ceiling() {
    const CEILING: usize = 16 << 20;
    let keys = format!(r#", "bytes_in_flight_limit": {CEILING}"#);
    let mut plugin = start(&words("", &keys), |_| {});
    let before = plugin.memory_size();
    let body = b"field=some+words&".repeat(500);
    let mut live = Vec::new();
    let mut refused = 0;
    for _ in 0..10_000 {
        let (id, over) = stuck(&mut plugin, &body);
        refused += u64::from(over);
        live.push(id);
    }
    let after = plugin.memory_size();
    println!("linear memory: {before} bytes, {after} with 10000 stuck streams, {refused} refused");
    // Those that were refused wait for their end as well, and take a little each.
    assert!(after - before < CEILING * 3 / 2 + 10_000 * 1_024, "{after}");
    assert!(refused > 1_000, "{refused}");
    assert_eq!(counted(&plugin, "tx.overload"), refused);
    for id in live {
        end(&mut plugin, id);
    }
    // Everything was given back, and everybody gets in again.
    none_arrives(&mut plugin, "afterwards");
    assert_eq!(counted(&plugin, "tx.overload"), refused);
    let outcome = plugin
        .exchange(&request("/", &[b"a=1"]), &mut |_| page("fine", &[]))
        .unwrap();
    assert!(outcome.upstream.unwrap().complete);
}

#[test]
fn bursts_leave_the_memory_as_the_first_one_did() {
    let mut plugin = start(BASELINE, |_| {});
    let body = b"field=some+words&other=more+of+them&".repeat(800);
    let streams = 100;
    let mut first = 0;
    let bursts = 100;
    for burst in 0..bursts {
        let live: Vec<u32> = (0..streams).map(|_| stuck(&mut plugin, &body).0).collect();
        // Half end before their request does, in another order than they came.
        for (at, &id) in live.iter().enumerate().rev() {
            if at % 2 == 0 {
                plugin.cue(id, &Cue::RequestBody(Vec::new(), true)).unwrap();
            }
            end(&mut plugin, id);
        }
        if burst == 0 {
            first = plugin.memory_size();
        }
    }
    let last = plugin.memory_size();
    println!("linear memory: {first} bytes after one burst of {streams}, {last} after {bursts}");
    assert!(last <= first + (256 << 10), "{first} bytes, then {last}");
}

#[test]
fn one_huge_request_is_not_paid_for_by_the_next() {
    let mut plugin = start(BASELINE, |_| {});
    let huge = b"field="
        .iter()
        .copied()
        .chain(std::iter::repeat_n(b'x', 120_000));
    let huge: Vec<u8> = huge.collect();
    let mut after_first = 0;
    for round in 0..50 * factor() {
        let asked = request("/", &[&huge]);
        plugin.exchange(&asked, &mut |_| page("fine", &[])).unwrap();
        plugin
            .exchange(&request("/?a=1", &[]), &mut |_| page("fine", &[]))
            .unwrap();
        if round == 1 {
            after_first = plugin.memory_size();
        }
        plugin.take_log();
    }
    assert_eq!(plugin.memory_size(), after_first);
}
