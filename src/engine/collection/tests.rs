//! Collections through whole transactions.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;

use crate::compile::{NoFiles, compile};
use crate::engine::{
    Clock, CollectionStore, Connection, Endpoint, MemoryCollections, RequestHead, StoredRecord,
    Transaction, UnixNanos, Waf,
};

/// A clock that tests move, in seconds.
#[derive(Default)]
struct Hands(Cell<u64>);

impl Clock for Hands {
    fn now(&self) -> UnixNanos {
        self.0.get().saturating_mul(1_000_000_000)
    }
}

struct Bench {
    waf: Rc<Waf>,
    clock: Rc<Hands>,
}

impl Bench {
    fn new(rules: &str) -> Self {
        Self::with_store(rules, Rc::new(MemoryCollections::default()))
    }

    fn with_store(rules: &str, store: Rc<dyn CollectionStore>) -> Self {
        let text = format!("SecRuleEngine On\n{rules}");
        let compiled = compile(&[("test.conf".into(), text.into_bytes())], &NoFiles);
        let program = compiled
            .program
            .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let clock = Rc::new(Hands(Cell::new(1_000_000)));
        Self {
            waf: Waf::with_collections(program, clock.clone(), store),
            clock,
        }
    }

    fn wait(&self, seconds: u64) {
        self.clock.0.set(self.clock.0.get().saturating_add(seconds));
    }

    fn begin(&self, target: &str) -> Transaction {
        self.begin_on(Connection::default(), target)
    }

    fn begin_on(&self, connection: Connection, target: &str) -> Transaction {
        let mut transaction = Transaction::new(&self.waf, connection);
        let head = RequestHead {
            method: b"GET",
            target: target.as_bytes(),
            protocol: b"HTTP/1.1",
            headers: &[],
        };
        let _ = transaction.request_head(&head);
        transaction
    }

    /// Takes a request of a client through all phases.
    fn run_from(&self, address: impl Into<IpAddr>, target: &str) -> Transaction {
        let connection = Connection {
            client: Some(Endpoint {
                address: address.into(),
                port: 1,
            }),
            ..Connection::default()
        };
        let mut transaction = self.begin_on(connection, target);
        let _ = transaction.end_request_body();
        transaction.finish();
        transaction
    }

    /// Takes a request through all phases; the TX variables at the end, as `name=value`.
    fn run(&self, target: &str) -> String {
        let mut transaction = self.begin(target);
        let _ = transaction.end_request_body();
        transaction.finish();
        shown(&transaction)
    }
}

fn shown(transaction: &Transaction) -> String {
    let pairs = transaction.tx_variables().into_iter().map(|(name, value)| {
        format!(
            "{}={}",
            String::from_utf8(name).unwrap(),
            String::from_utf8(value).unwrap()
        )
    });
    pairs.collect::<Vec<_>>().join(" ")
}

const COUNT: &str = "SecAction \"id:1,phase:1,nolog,pass,initcol:ip=%{ARGS.ip},setvar:ip.n=+1\"\n\
                     SecAction \"id:2,phase:2,nolog,pass,setvar:tx.n=%{ip.n}\"";

#[test]
fn counts_live_from_one_transaction_to_the_next() {
    let bench = Bench::new(COUNT);
    assert_eq!(bench.run("/?ip=a"), "n=1");
    assert_eq!(bench.run("/?ip=a"), "n=2");
    assert_eq!(bench.run("/?ip=b"), "n=1");
    assert_eq!(bench.run("/?ip=a"), "n=3");
}

/// Clients whose address is not believed must not share one record, nor fill one for others.
#[test]
fn a_collection_of_nobody_is_not_opened() {
    let rules = |key: &str| {
        format!(
            "SecAction \"id:1,phase:1,nolog,pass,setvar:tx.addr=%{{REMOTE_ADDR}},initcol:ip={key},\
             setvar:ip.n=+1\"\n\
             SecAction \"id:2,phase:2,nolog,pass,setvar:tx.n=%{{ip.n}}|\""
        )
    };
    for (key, first, second) in [
        ("%{REMOTE_ADDR}", "|", "|"),
        ("%{remote_addr}_%{tx.ua_hash}", "|", "|"),
        ("%{REMOTE_HOST}", "|", "|"),
        ("%{tx.addr}", "|", "|"),
        ("%{ARGS.none}", "|", "|"),
        ("all", "1|", "2|"),
    ] {
        let bench = Bench::new(&rules(key));
        assert_eq!(bench.run("/"), format!("addr= n={first}"), "{key}");
        assert_eq!(bench.run("/"), format!("addr= n={second}"), "{key}");
    }
    let bench = Bench::new(&rules("%{REMOTE_ADDR}"));
    let count = |address| shown(&bench.run_from(address, "/"));
    assert_eq!(count([192, 0, 2, 1]), "addr=192.0.2.1 n=1|");
    assert_eq!(bench.run("/"), "addr= n=|");
    assert_eq!(count([192, 0, 2, 1]), "addr=192.0.2.1 n=2|");
}

#[test]
fn transactions_at_the_same_time_add_up() {
    let bench = Bench::new(COUNT);
    let mut open: Vec<Transaction> = (0..5).map(|_| bench.begin("/?ip=a")).collect();
    for transaction in &mut open {
        let _ = transaction.end_request_body();
        transaction.finish();
    }
    assert_eq!(bench.run("/?ip=a"), "n=6");
}

#[test]
fn records_expire_when_nobody_writes_them() {
    let bench = Bench::new(&format!("SecCollectionTimeout 60\n{COUNT}"));
    bench.run("/?ip=a");
    bench.wait(59);
    assert_eq!(bench.run("/?ip=a"), "n=2");
    bench.wait(59);
    assert_eq!(bench.run("/?ip=a"), "n=3");
    bench.wait(60);
    assert_eq!(bench.run("/?ip=a"), "n=1");
}

#[test]
fn records_have_the_fields_of_version_2() {
    let bench = Bench::new(
        "SecAction \"id:1,phase:1,nolog,pass,initcol:global=g,setvar:tx.new=%{global.is_new},\
         setvar:tx.key=%{global.KEY},setvar:tx.timeout=%{global.TIMEOUT},\
         setvar:tx.created=%{global.create_time},setvar:tx.count=%{global.update_counter},\
         setvar:tx.rate=%{global.update_rate},setvar:tx.last=%{global.last_update_time}\"\n\
         SecRule ARGS \"@rx .\" \"id:2,phase:1,nolog,pass,setvar:global.x=1\"",
    );
    let first = "new=1 key=g timeout=3600 created=1000000 count=0 rate=0 last=";
    assert_eq!(bench.run("/"), first);
    // What no rule changes is not stored.
    assert_eq!(bench.run("/?a=b"), first);
    bench.wait(30);
    assert_eq!(
        bench.run("/?a=b"),
        "new= key=g timeout=3600 created=1000000 count=1 rate=2 last=1000000"
    );
    bench.wait(30);
    assert_eq!(
        bench.run("/"),
        "new= key=g timeout=3600 created=1000000 count=2 rate=2 last=1000030"
    );
}

#[test]
fn variables_expire_and_age() {
    let bench = Bench::new(
        "SecAction \"id:1,phase:1,nolog,pass,initcol:ip=x\"\n\
         SecRule ARGS:set \"@rx .\" \"id:2,phase:1,nolog,pass,setvar:ip.a=1,setvar:ip.b=100,\
         expirevar:ip.a=10\"\n\
         SecRule ARGS:age \"@rx .\" \"id:3,phase:1,nolog,pass,deprecatevar:ip.b=10/60\"\n\
         SecRule ARGS:drop \"@rx .\" \"id:4,phase:1,nolog,pass,setvar:!ip.b\"\n\
         SecAction \"id:5,phase:2,nolog,pass,setvar:tx.a=%{ip.a},setvar:tx.b=%{ip.b}\"",
    );
    assert_eq!(bench.run("/?set=1"), "a=1 b=100");
    bench.wait(9);
    assert_eq!(bench.run("/"), "a=1 b=100");
    bench.wait(1);
    assert_eq!(bench.run("/?age=1"), "a= b=100");
    bench.wait(120);
    assert_eq!(bench.run("/?age=1"), "a= b=80");
    assert_eq!(bench.run("/?age=1"), "a= b=80");
    assert_eq!(bench.run("/?drop=1"), "a= b=");
    assert_eq!(bench.run("/"), "a= b=");
}

#[test]
fn sessions_belong_to_an_application() {
    let store = Rc::new(MemoryCollections::default());
    let rules = "SecAction \"id:1,phase:1,nolog,pass,setsid:s,initcol:ip=i,setvar:session.n=+1,\
                 setvar:ip.n=+1,setvar:tx.s=%{session.n},setvar:tx.i=%{ip.n},\
                 setvar:tx.id=%{SESSIONID}\"";
    let one = Bench::with_store(&format!("SecWebAppId one\n{rules}"), store.clone());
    let two = Bench::with_store(&format!("SecWebAppId two\n{rules}"), store);
    assert_eq!(one.run("/"), "s=1 i=1 id=s");
    assert_eq!(two.run("/"), "s=1 i=2 id=s");
    assert_eq!(one.run("/"), "s=2 i=3 id=s");
}

#[test]
fn counts_are_stored_once_the_request_is_decided() {
    let bench = Bench::new(COUNT);
    let mut slow = bench.begin("/?ip=a");
    let _ = slow.end_request_body();
    // The first request has no response yet.
    assert_eq!(bench.run("/?ip=a"), "n=2");
    slow.finish();
    assert_eq!(bench.run("/?ip=a"), "n=3");
}

#[test]
fn writing_to_a_collection_that_is_not_open_does_nothing() {
    let bench = Bench::new(
        "SecAction \"id:1,phase:1,nolog,pass,setvar:ip.n=+1,setvar:tx.n=%{ip.n},\
         setvar:tx.count=0\"\nSecRule &IP \"@gt 0\" \"id:2,phase:1,nolog,pass,setvar:tx.count=1\"",
    );
    assert_eq!(bench.run("/"), "n= count=0");
}

/// A store in which another writer always comes between, and one that has no room.
#[derive(Debug)]
struct Contended {
    inner: MemoryCollections,
    full: bool,
}

impl CollectionStore for Contended {
    fn load(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.inner.load(key)
    }

    fn update(&self, key: &[u8], change: &mut dyn FnMut(Option<&[u8]>) -> StoredRecord) -> bool {
        // The first attempt is lost.
        let _ = change(self.inner.load(key).as_deref());
        !self.full && self.inner.update(key, change)
    }
}

#[test]
fn an_attempt_that_was_lost_counts_once() {
    let store = |full| {
        Rc::new(Contended {
            inner: MemoryCollections::default(),
            full,
        })
    };
    let bench = Bench::with_store(COUNT, store(false));
    bench.run("/?ip=a");
    assert_eq!(bench.run("/?ip=a"), "n=2");
    let full = Bench::with_store(COUNT, store(true));
    let mut transaction = full.begin("/?ip=a");
    let _ = transaction.end_request_body();
    transaction.finish();
    assert_eq!(transaction.record().unsaved_collections, 1);
    assert_eq!(full.run("/?ip=a"), "n=1");
}

#[test]
fn what_expires_at_once_is_gone_at_once() {
    let bench = Bench::new(
        "SecAction \"id:1,phase:1,nolog,pass,initcol:ip=a,setvar:ip.n=+1,expirevar:ip.n=0,\
         setvar:ip.m=+1,expirevar:ip.m=60\"\n\
         SecAction \"id:2,phase:2,nolog,pass,setvar:tx.n=[%{ip.n}],setvar:tx.m=%{ip.m}\"",
    );
    assert_eq!(bench.run("/"), "n=[] m=1");
    assert_eq!(bench.run("/"), "n=[] m=2");
}

/// The status that a request for a target ends with, from an address; 200 for none.
fn status(bench: &Bench, address: [u8; 4], target: &str) -> u16 {
    let transaction = bench.run_from(address, target);
    transaction.interruption().map_or(200, |one| one.status)
}

#[test]
fn the_example_against_scraping_ends_by_itself() {
    let bench = Bench::new(include_str!("../../../rules/examples/scraping.conf"));
    let (reader, other) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    for number in 1..=120 {
        assert_eq!(status(&bench, reader, "/page"), 200, "page {number}");
        assert_eq!(status(&bench, reader, "/a/picture.PNG"), 200);
    }
    assert_eq!(status(&bench, reader, "/page"), 429);
    assert_eq!(status(&bench, other, "/page"), 200);
    bench.wait(299);
    assert_eq!(status(&bench, reader, "/page"), 429);
    bench.wait(1);
    assert_eq!(status(&bench, reader, "/page"), 200);
    // Who reads slowly never comes to the limit.
    for _ in 0..500 {
        bench.wait(1);
        assert_eq!(status(&bench, other, "/page"), 200);
    }
}

#[test]
fn the_example_against_slow_floods_counts_what_all_clients_ask() {
    let bench = Bench::new(include_str!("../../../rules/examples/slow-flood.conf"));
    let mut clients = (0..=255).cycle().map(|last| [198, 51, 100, last]);
    for _ in 0..600 {
        let client = clients.next().unwrap();
        assert_eq!(status(&bench, client, "/search?q=boots"), 200);
        assert_eq!(status(&bench, client, "/"), 200);
    }
    for client in clients.by_ref().take(3) {
        assert_eq!(status(&bench, client, "/search?q=boots"), 503);
        assert_eq!(status(&bench, client, "/"), 200);
    }
    bench.wait(60);
    assert_eq!(status(&bench, [198, 51, 100, 7], "/search?q=boots"), 200);
}

#[test]
fn addresses_of_one_ipv6_network_are_one_client() {
    let counts = |prefix: &str, addresses: &[&str]| -> Vec<String> {
        let bench = Bench::new(&format!(
            "{prefix}\nSecAction \"id:1,phase:1,pass,nolog,initcol:ip=%{{REMOTE_ADDR}}_x,\
             setvar:ip.n=+1,setvar:'tx.n=%{{ip.key}} %{{ip.n}}'\""
        ));
        let run = |address: &&str| {
            let address: IpAddr = address.parse().unwrap();
            let transaction = bench.run_from(address, "/");
            String::from_utf8_lossy(transaction.tx_variable(b"n").unwrap()).into_owned()
        };
        addresses.iter().map(run).collect()
    };
    let of_one = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::", "2001:db8:1:3::1"];
    assert_eq!(
        counts("SecParapetCollectionIpv6Prefix 64", &of_one),
        [
            "2001:db8:1:2::/64_x 1",
            "2001:db8:1:2::/64_x 2",
            "2001:db8:1:3::/64_x 1"
        ]
    );
    assert_eq!(
        counts("SecParapetCollectionIpv6Prefix 1", &of_one)[2],
        "::/1_x 3"
    );
    for whole in ["", "SecParapetCollectionIpv6Prefix 128"] {
        assert_eq!(counts(whole, &of_one)[1], "2001:db8:1:2:ffff::_x 1");
    }
    let of_ipv4 = ["192.0.2.1", "192.0.2.2"];
    assert_eq!(
        counts("SecParapetCollectionIpv6Prefix 64", &of_ipv4)[1],
        "192.0.2.2_x 1"
    );
}
