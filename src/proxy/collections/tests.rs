//! The store over a host that keeps its shared data in memory.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers; one that overflows fails the test"
)]

use super::super::fake::FakeHost;
use super::super::host::{
    CallToken, Direction, HeaderMap, HttpCall, LocalReply, MetricId, MetricKind, Place,
};
use super::super::pairs::Pairs;
use super::*;
use crate::engine::{Retention, UnixNanos};
use std::cell::Cell;

/// A worker: a VM of its own over the shared data of one host.
fn worker(host: &Rc<FakeHost>, shadow: Option<&str>) -> Rc<dyn CollectionStore> {
    let host: Rc<dyn Host> = Rc::<FakeHost>::clone(host);
    Rc::new(Vm::sharing(host)).collections(shadow)
}

/// Adds one to the number in a record.
fn count(store: &dyn CollectionStore, key: &[u8]) -> bool {
    store.update(key, &mut |stored| record(number(stored) + 1, 1_000))
}

fn record(number: u64, written: u64) -> StoredRecord {
    StoredRecord {
        bytes: number.to_le_bytes().to_vec(),
        retention: Retention {
            expires: written + 3_600,
            written,
            blocks_until: 0,
            updates: number,
        },
    }
}

fn number(stored: Option<&[u8]>) -> u64 {
    stored.map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
}

/// Bytes of all values in the shared data.
fn shared_bytes(host: &FakeHost) -> usize {
    host.state(|state| state.shared.values().map(|(value, _)| value.len()).sum())
}

#[test]
fn workers_count_in_one_place_and_shadows_in_their_own() {
    let host = Rc::new(FakeHost::default());
    let workers = [worker(&host, None), worker(&host, None)];
    let shadow = worker(&host, Some("next"));
    for _ in 0..50 {
        for worker in &workers {
            assert!(count(&**worker, b"IP\0\x0010.0.0.1"));
        }
    }
    assert!(count(&*shadow, b"IP\0\x0010.0.0.1"));
    let counted = |store: &Rc<dyn CollectionStore>, key: &[u8]| number(store.load(key).as_deref());
    assert_eq!(counted(&workers[0], b"IP\0\x0010.0.0.1"), 100);
    assert_eq!(counted(&workers[1], b"IP\0\x0010.0.0.1"), 100);
    assert_eq!(counted(&shadow, b"IP\0\x0010.0.0.1"), 1);
    assert_eq!(counted(&workers[0], b"IP\0\x0010.0.0.2"), 0);
    assert_eq!(host.metric("collections.keys_collection=IP"), 2);
    assert_eq!(host.metric("collections.lost"), 0);
}

/// A host on which another worker writes between a read and the write that follows it.
#[derive(Debug)]
struct Contended {
    shared: Rc<FakeHost>,
    other: Rc<dyn CollectionStore>,
    intrusions: Cell<u32>,
}

impl Contended {
    /// A store of a worker that is disturbed so many times.
    fn store(shared: &Rc<FakeHost>, intrusions: u32) -> Rc<dyn CollectionStore> {
        let host: Rc<dyn Host> = Rc::new(Self {
            shared: Rc::clone(shared),
            other: worker(shared, None),
            intrusions: Cell::new(intrusions),
        });
        Rc::new(Vm::sharing(host)).collections(None)
    }
}

/// Calls that go to the host as they are.
macro_rules! forwarded {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($argument: $type),*) -> $result {
            self.shared.$name($($argument),*)
        })*
    };
}

impl Host for Contended {
    fn set_shared_data(&self, key: &[u8], value: &[u8], cas: u32) -> Result<(), HostError> {
        let left = self.intrusions.get();
        if left > 0 && key != HASH_KEY {
            self.intrusions.set(left - 1);
            assert!(count(&*self.other, b"IP\0\0a"));
        }
        self.shared.set_shared_data(key, value, cas)
    }

    forwarded! {
        shared_data(key: &[u8]) -> Result<(Vec<u8>, u32), HostError>;
        headers(map: HeaderMap) -> Result<Pairs, HostError>;
        remove_header(map: HeaderMap, name: &str) -> Result<(), HostError>;
        set_header(map: HeaderMap, name: &str, value: &[u8]) -> Result<(), HostError>;
        body(body: Direction, start: usize, length: usize) -> Result<Vec<u8>, HostError>;
        set_body(body: Direction, place: Place, bytes: &[u8]) -> Result<(), HostError>;
        property(path: &str) -> Option<Vec<u8>>;
        set_property(path: &str, value: &[u8]) -> Result<(), HostError>;
        reply(reply: &LocalReply) -> Result<(), HostError>;
        resume(direction: Direction) -> Result<(), HostError>;
        close(direction: Direction) -> Result<(), HostError>;
        log(level: Level, line: &[u8]) -> ();
        now() -> UnixNanos;
        random(bytes: &mut [u8]) -> bool;
        define_metric(kind: MetricKind, name: &str) -> Result<MetricId, HostError>;
        increment_metric(metric: MetricId, by: i64) -> Result<(), HostError>;
        record_metric(metric: MetricId, value: u64) -> Result<(), HostError>;
        call(call: &HttpCall<'_>) -> Result<CallToken, HostError>;
        set_effective_context(context: u32) -> Result<(), HostError>;
        set_tick_period(milliseconds: u32) -> Result<(), HostError>;
        environment(name: &str) -> Option<Vec<u8>>;
        plugin_configuration(size: usize) -> Result<Vec<u8>, HostError>;
    }
}

#[test]
fn a_count_is_not_lost_to_another_worker_that_writes_at_the_same_time() {
    let host = Rc::new(FakeHost::default());
    // The first of them makes the bucket, which this worker has seen to be absent.
    let store = Contended::store(&host, 20);
    for _ in 0..5 {
        assert!(count(&*store, b"IP\0\0a"));
    }
    assert_eq!(number(store.load(b"IP\0\0a").as_deref()), 25);
    assert_eq!(host.metric("collections.conflicts"), 20);
    assert_eq!(host.metric("collections.lost"), 0);
}

#[test]
fn a_count_that_cannot_be_written_is_told() {
    let host = Rc::new(FakeHost::default());
    let store = Contended::store(&host, u32::MAX);
    assert!(!count(&*store, b"IP\0\0a"));
    assert_eq!(host.metric("collections.lost"), 1);
    let store = worker(&host, None);
    assert!(store.load(b"IP\0\0a").is_some());
    host.fail("set_shared_data");
    assert!(!count(&*store, b"IP\0\0a"));
    assert_eq!(host.metric("collections.lost"), 2);
}

#[test]
fn a_host_that_shares_nothing_leaves_each_worker_its_own() {
    let host = Rc::new(FakeHost::default());
    host.fail("shared_data");
    let (one, other) = (worker(&host, None), worker(&host, None));
    assert!(count(&*one, b"IP\0\0a") && count(&*one, b"IP\0\0a"));
    assert_eq!(number(one.load(b"IP\0\0a").as_deref()), 2);
    assert_eq!(other.load(b"IP\0\0a"), None);
    assert_eq!(host.log_text().matches("shares no data").count(), 2);
}

#[test]
fn a_flood_of_keys_stays_below_the_cap_and_a_blocked_client_blocked() {
    flood(20_000, 20);
}

#[test]
#[ignore = "long: `make flood`"]
fn a_flood_of_a_million_keys() {
    flood(1_000_000, 1_000);
}

/// Writes so many keys that somebody made up, and looks now and then whether the client that was blocked
/// before still is, and the one that is counted still counted.
fn flood(keys: u64, looks: u64) {
    let host = Rc::new(FakeHost::default());
    let store = worker(&host, None);
    let padding = 200;
    let made_up = |number: u64| StoredRecord {
        bytes: vec![b'x'; padding],
        ..record(1, 1_000 + number / 1_000)
    };
    assert!(store.update(b"IP\0\0blocked", &mut |_| {
        let mut blocking = record(1, 1_000);
        blocking.retention.blocks_until = 100_000;
        blocking
    }));
    for _ in 0..6 {
        assert!(count(&*store, b"IP\0\0counted"));
    }
    for number in 0..keys {
        let key = format!("IP\0\0{number}");
        assert!(store.update(key.as_bytes(), &mut |_| made_up(number)));
        if number % (keys / looks) == 0 {
            assert!(store.load(b"IP\0\0blocked").is_some(), "after {number}");
            assert!(store.load(key.as_bytes()).is_some());
        }
    }
    let cap = usize::try_from(BUCKETS).unwrap() * bucket::MAX_BYTES;
    assert!(shared_bytes(&host) <= cap + 16);
    assert!(host.state(|state| state.shared.len()) <= usize::try_from(BUCKETS).unwrap() + 1);
    assert!(store.load(b"IP\0\0blocked").is_some());
    // Those that were not stale when there was no more room.
    let last = format!("IP\0\0{}", keys - 1);
    assert!(store.load(last.as_bytes()).is_some());
    let (seen, taken) = (host.metric("collections.keys"), padding + 40 + 5);
    assert!(usize::try_from(seen).unwrap() <= cap / taken);
    if keys > 100_000 {
        assert!(store.load(b"IP\0\x000").is_none(), "the first is stale");
    }
}
