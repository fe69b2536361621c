//! What bodies cost: memory as the allocator counts it.

#![expect(clippy::unwrap_used, reason = "a test: a panic is a failure")]
#![expect(clippy::arithmetic_side_effects, reason = "sizes within small bounds")]
#![expect(clippy::print_stdout, reason = "figures, with --nocapture")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use parapet::compile::compile;
use parapet::engine::{BodyPlan, Clock, Connection, RequestHead, Transaction, UnixNanos, Waf};
use parapet::proxy::PluginFiles;
use parapet::rules;

/// The system's allocator, counting what each thread has now, and the most it had.
struct Counting;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn note(freed: usize, taken: usize) {
    let _ = LIVE.try_with(|live| {
        // What another thread took may be freed here.
        live.set(live.get().saturating_sub(freed).saturating_add(taken));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by nature; this one only passes on"
)]
// SAFETY: every call goes to the system's allocator unchanged, and counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(0, layout.size());
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(0, layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(layout.size(), size);
        // SAFETY: as above.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        note(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `run` needs at most beyond what there was before, in bytes.
fn peak(run: impl FnOnce()) -> usize {
    let before = LIVE.get();
    PEAK.set(before);
    run();
    PEAK.get().saturating_sub(before)
}

struct NoTime;

impl Clock for NoTime {
    fn now(&self) -> UnixNanos {
        0
    }
}

fn waf(text: &str) -> Rc<Waf> {
    let sources = [("test.conf".to_owned(), text.as_bytes().to_vec())];
    let program = compile(&sources, &PluginFiles::new(&[])).program.unwrap();
    Waf::new(Arc::clone(&program), Rc::new(NoTime))
}

/// The rules that an upload meets: the Core Rule Set where it is embedded, and always our own.
fn rule_sets() -> Vec<Rc<Waf>> {
    let limits = "SecRequestBodyLimit 1073741824\nSecRequestBodyNoFilesLimit 1048576\n";
    let mut texts = vec![format!(
        "Include @demo-conf\n{limits}Include @baseline/*.conf"
    )];
    if rules::crs_version().is_some() {
        texts.push(format!(
            "Include @demo-conf\n{limits}Include @crs-setup-conf\nInclude @owasp_crs/*.conf"
        ));
    }
    texts.iter().map(|text| waf(text)).collect()
}

fn begin(waf: &Rc<Waf>, content_type: &str) -> Transaction {
    let mut transaction = Transaction::new(waf, Connection::default());
    let headers: [(&[u8], &[u8]); 4] = [
        (b"host", b"shop.example.org"),
        (b"user-agent", b"Mozilla/5.0"),
        (b"accept", b"*/*"),
        (b"content-type", content_type.as_bytes()),
    ];
    let step = transaction.request_head(&RequestHead {
        method: b"POST",
        target: b"/upload",
        protocol: b"HTTP/1.1",
        headers: &headers,
    });
    assert_eq!((step.interruption, step.body), (None, BodyPlan::Inspect));
    transaction
}

/// A whole request whose body is a beginning, something again and again, and an end.
fn send(waf: &Rc<Waf>, content_type: &str, parts: [&[u8]; 3], size: usize) {
    let [front, middle, end] = parts;
    let mut transaction = begin(waf, content_type);
    let piece = middle.repeat(65_536 / middle.len());
    let _ = transaction.request_body(front);
    for _ in 0..size / piece.len() {
        let step = transaction.request_body(&piece);
        assert_eq!((step.interruption, step.body), (None, BodyPlan::Inspect));
    }
    let _ = transaction.request_body(end);
    let step = transaction.end_request_body();
    assert_eq!(step.interruption, None);
    transaction.finish();
}

const FILE: [&[u8]; 3] = [
    b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.bin\"\r\n\
      Content-Type: application/pdf\r\n\r\n",
    b"some of the file\r\n",
    b"\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n",
];
const MULTIPART: &str = "multipart/form-data; boundary=x";

/// The peak does not depend on the length of the body.
fn constant(waf: &Rc<Waf>, content_type: &str, parts: [&[u8]; 3]) {
    // The first one builds what searches keep.
    send(waf, content_type, parts, 1 << 20);
    let small = peak(|| send(waf, content_type, parts, 2 << 20));
    let large = peak(|| send(waf, content_type, parts, 50 << 20));
    println!("{content_type}: {small} bytes for 2 MiB, {large} for 50 MiB");
    assert!(
        large <= small + 65_536,
        "{content_type}: {small}, then {large}"
    );
}

#[test]
fn files_of_any_size_take_the_same_memory() {
    for waf in rule_sets() {
        constant(&waf, MULTIPART, FILE);
    }
}

/// Rules that read every argument, but not the body as it is.
const ARGUMENTS: &str = "SecRuleEngine On\nSecRequestBodyAccess On\n\
    SecRequestBodyLimit 1073741824\nSecRequestBodyNoFilesLimit 1073741824\n\
    SecAction \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON,chain\"\n\
    SecRule REQUEST_HEADERS:content-type \"@contains json\"\n\
    SecRule REQUEST_HEADERS:content-type \"@contains json\" \
        \"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n\
    SecRule ARGS|FULL_REQUEST_LENGTH \"@streq evil\" \"id:3,phase:2,deny\"";

#[test]
fn forms_documents_and_unknown_bodies_do_too() {
    let waf = waf(ARGUMENTS);
    let form = "application/x-www-form-urlencoded";
    constant(&waf, form, [b"a=1&", b"name=a+value&", b"z=1"]);
    constant(&waf, "application/octet-stream", [b"", b"bytes", b""]);
    constant(&waf, "application/json", [b"[", b"\"text\",", b"1]"]);
    constant(&waf, MULTIPART, FILE);
}

#[test]
fn what_a_rule_reads_is_kept_and_nothing_else() {
    let limits = "SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimit 1073741824\n\
        SecParapetWorkLimit 0\n";
    let kept = |rule: &str| {
        let waf = waf(&format!("{limits}{rule}"));
        peak(|| send(&waf, MULTIPART, FILE, 8 << 20))
    };
    let nothing = kept("SecRule FILES_SIZES \"@eq 1\" \"id:1,phase:2,deny\"");
    assert!(nothing < 1 << 20, "{nothing}");
    for variable in ["FILES_TMP_CONTENT", "FULL_REQUEST"] {
        let bytes = kept(&format!(
            "SecRule {variable} \"@endsWith evil\" \"id:1,phase:2,deny\""
        ));
        assert!(bytes > 8 << 20, "{variable}: {bytes}");
    }
}

#[test]
fn a_transaction_tells_what_it_holds() {
    for waf in rule_sets() {
        let body = b"field=some+words&other=more+of+them&".repeat(400);
        for length in [0, 2_000, body.len()] {
            // What waits for the next transaction is not the transaction's.
            let taken = || LIVE.get() - waf.held_bytes();
            let before = taken();
            let mut transaction = begin(&waf, "application/x-www-form-urlencoded");
            let _ = transaction.request_body(&body[..length]);
            let _ = transaction.drain_matches();
            // The transaction itself is on the stack here.
            let live = taken() - before + size_of::<Transaction>();
            let held = transaction.held_bytes();
            println!("{length} bytes of body: {held} held, {live} allocated");
            if length > 0 {
                // The first transaction of a rule set also builds what searches keep.
                assert!(held < live * 5 / 4, "{held} of {live}");
                assert!(held > live * 3 / 4, "{held} of {live}");
            }
            drop(transaction);
        }
    }
}

#[test]
fn what_a_large_transaction_needed_is_given_back() {
    for waf in rule_sets() {
        let small = || {
            let mut transaction = begin(&waf, "application/x-www-form-urlencoded");
            let _ = transaction.request_body(b"a=1&b=2");
            let _ = transaction.end_request_body();
            transaction.finish();
        };
        small();
        let before = waf.held_bytes();
        let large: Vec<u8> = (0..900)
            .flat_map(|number| format!("Name{number}=%3CValue%20{number}%3E&").into_bytes())
            .collect();
        for _ in 0..3 {
            let mut transaction = begin(&waf, "application/x-www-form-urlencoded");
            let _ = transaction.request_body(&large);
            let _ = transaction.end_request_body();
            transaction.finish();
        }
        let kept = waf.held_bytes();
        println!("{before} bytes kept after a small transaction, {kept} after large ones");
        // More patterns have been asked by now; the rest has its marks.
        assert!(kept < before + (1 << 20), "{before}, then {kept}");
    }
}
