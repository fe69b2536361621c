//! A download of 100 MB and uploads of 50 MB.
//!
//! Each test has an Envoy of its own and runs while no other of these does: what Envoy grows by is
//! to be what the body cost, and Envoy is let keep as much as it likes up to its buffer.

use super::start;
use crate::client::{VERSIONS, Version};
use crate::exchange::upstream::{Play, Seen, Upstream};
use crate::exchange::{Ask, End, Framing, Got};
use crate::gateway::Gateway;
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

const DOWNLOAD: usize = 100_000_000;
const UPLOAD: usize = 50_000_000;

/// Envoy's buffer for what is passed on as it comes (the responses' limit of 512 KiB and the 1 MiB
/// that an upstream's connection may deliver at once), and for what is kept whole.
const LITTLE: usize = 2 << 20;
const ENOUGH: usize = 64 << 20;

/// Envoy and the filter may grow by so much for what is passed on as it comes.
const STREAMED: u64 = 16 << 20;

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Prints what an exchange cost (`--nocapture` shows it) and bounds the growth of the process.
fn measured<T>(house: &Gateway, what: &str, growth: u64, run: impl FnOnce() -> T) -> T {
    house.forget_peak();
    let (before, start) = (house.memory().current, Instant::now());
    let result = run();
    let (took, grew) = (start.elapsed(), house.memory().peak.saturating_sub(before));
    println!(
        "{what}: {:.2} s, Envoy grew by {:.1} MiB from {:.1}",
        took.as_secs_f64(),
        mebibytes(grew),
        mebibytes(before)
    );
    assert!(grew <= growth, "{what}: grew by {grew} bytes");
    result
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Of a type that is inspected, which the rules read up to their limit, and of another.
#[test]
fn a_large_download_passes() {
    let (_alone, house) = (alone(), start(LITTLE));
    for version in VERSIONS {
        for kind in ["text/html", "application/octet-stream"] {
            let upstream = Upstream::start(&Play::filled(kind, DOWNLOAD));
            let what = format!("download, {version:?}, {kind}");
            let got = measured(&house, &what, STREAMED, || {
                Ask::get("/archive").exchange(version, house.address, &upstream)
            });
            assert_eq!((got.status, got.end), (Some(200), End::Complete), "{what}");
            assert_eq!(got.body.len(), DOWNLOAD);
        }
    }
}

/// A form with a file of 50 MB, and a field before or behind it.
fn form(authority: &'static str, first: &str, last: &str) -> Ask {
    let field = |name: &str, value: &str| {
        format!("--limit\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--limit\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\
                content-type: application/octet-stream\r\n\r\n";
    let mut body = field("first", first).into_bytes();
    body.extend(file.as_bytes());
    while body.len() < UPLOAD {
        body.extend(noise());
    }
    body.extend(b"\r\n");
    body.extend(field("last", last).as_bytes());
    body.extend(b"--limit--\r\n");
    Ask::new("POST", "/upload")
        .to(authority)
        .header("content-type", "multipart/form-data; boundary=limit")
        .framed(Framing::Length)
        .bytes(body)
}

/// A piece of a file that is no text: its lines are of any length.
fn noise() -> &'static [u8] {
    static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut number = 1_u32;
        let next = || {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            number.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(1_000_000).collect()
    });
    &NOISE
}

const ATTACK: &str = "1' OR '1'='1' UNION SELECT password FROM users -- ";

fn upload(house: &Gateway, version: Version, ask: &Ask) -> (Got, Seen) {
    let upstream = Upstream::start(&Play::text("thanks"));
    let got = ask.exchange(version, house.address, &upstream);
    // The cut of a request may reach the upstream after the answer reached the client.
    let deadline = Instant::now() + Duration::from_secs(5);
    while upstream.is_busy() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    (got, upstream.seen())
}

/// An ordinary upload arrives whole, and Envoy grows by no more than so many bytes.
fn passes(house: &Gateway, what: &str, version: Version, authority: &'static str, growth: u64) {
    let ask = form(authority, "hello", "bye");
    let (got, seen) = measured(house, what, growth, || upload(house, version, &ask));
    assert_eq!(
        (got.status, got.end),
        (Some(200), End::Complete),
        "{}",
        house.log()
    );
    assert!(seen.requests[0].body == ask.whole_body());
}

#[test]
fn a_large_upload_that_is_kept_passes_and_an_attack_in_it_reaches_nobody() {
    let (_alone, house) = (alone(), start(ENOUGH));
    for version in VERSIONS {
        let what = format!("kept upload, {version:?}");
        passes(&house, &what, version, "kept.example", 256 << 20);
        let (got, seen) = upload(&house, version, &form("kept.example", "hello", ATTACK));
        assert_eq!((got.status, seen.connections), (Some(403), 0), "{what}");
    }
}

#[test]
fn a_large_upload_that_is_streamed_passes_and_an_attack_in_it_is_cut_off() {
    let (_alone, house) = (alone(), start(LITTLE));
    for version in VERSIONS {
        let what = format!("streamed upload, {version:?}");
        passes(&house, &what, version, "streamed.example", STREAMED);
        let late = form("streamed.example", "hello", ATTACK);
        let (got, seen) = upload(&house, version, &late);
        assert_eq!(got.status, Some(403), "{what}\n{}", house.log());
        // It had begun, and a cut may overtake what was under way.
        assert_eq!(seen.connections, 1, "{what}");
        for request in seen.requests {
            assert_eq!(request.complete, Some(false));
            assert!(request.body.len() < late.whole_body().len());
        }
    }
}

/// With the limit of `@demo-conf`.
#[test]
fn a_large_upload_without_leave_is_refused() {
    let (_alone, house) = (alone(), start(LITTLE));
    for version in VERSIONS {
        let (got, seen) = upload(&house, version, &form("shop.example", "hello", "bye"));
        assert_eq!(
            (got.status, seen.connections),
            (Some(413), 0),
            "{version:?}"
        );
    }
}
