//! What happens in each situation that Envoy can put the filter in, benign and attacking, over
//! HTTP/1.1 and HTTP/2, with heads held and without: what the client saw, what the upstream saw.
//!
//! The expectations are data (`requests`, `responses`, `streams`). They hold for every Envoy that
//! the suite runs on, and `envoy/situations.md` is made of them.

mod house;
mod page;
mod requests;
mod responses;
mod streams;

use crate::client::{VERSIONS, Version};
use crate::exchange::upstream::{Play, Seen, Upstream};
use crate::exchange::{Ask, End, Got};
use house::{Door, House, MODES, Mode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wasm_tests::project;

/// Situations of one kind.
pub struct Group {
    pub title: &'static str,
    pub situations: Vec<Situation>,
}

pub struct Situation {
    pub name: &'static str,
    pub rows: Vec<Row>,
}

/// One exchange and what is to be seen of it.
pub struct Row {
    pub variant: &'static str,
    /// The only version that can bring it about, or in which it goes so.
    pub version: Option<Version>,
    pub door: Door,
    pub ask: Ask,
    pub play: Play,
    pub held: Sight,
    pub plain: Sight,
}

/// What both ends saw, in the words of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    pub client: String,
    pub upstream: String,
}

/// What the upstream may have seen without `held`: whether it is the head or less is a race
/// between the body and the upstream's connection.
const AT_MOST_HEAD: &str = "at most the head";

fn situation(name: &'static str, rows: Vec<Row>) -> Situation {
    Situation { name, rows }
}

/// A row whose upstream answers `hello`; what is to be seen comes with [`Row::both`] and others.
fn row(variant: &'static str, ask: Ask) -> Row {
    let nothing = || Sight {
        client: String::new(),
        upstream: String::new(),
    };
    Row {
        variant,
        version: None,
        door: Door::Standard,
        ask,
        play: Play::text("hello"),
        held: nothing(),
        plain: nothing(),
    }
}

impl Row {
    fn play(mut self, play: Play) -> Self {
        self.play = play;
        self
    }

    fn only(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    fn door(mut self, door: Door) -> Self {
        self.door = door;
        self
    }

    fn held(mut self, client: &str, upstream: &str) -> Self {
        self.held = Sight {
            client: client.to_owned(),
            upstream: upstream.to_owned(),
        };
        self
    }

    fn plain(mut self, client: &str, upstream: &str) -> Self {
        self.plain = Sight {
            client: client.to_owned(),
            upstream: upstream.to_owned(),
        };
        self
    }

    fn both(self, client: &str, upstream: &str) -> Self {
        self.held(client, upstream).plain(client, upstream)
    }

    fn expected(&self, mode: Mode) -> &Sight {
        match mode {
            Mode::Held => &self.held,
            Mode::Plain => &self.plain,
        }
    }
}

fn groups() -> Vec<Group> {
    vec![
        Group {
            title: "Requests",
            situations: requests::situations(),
        },
        Group {
            title: "Requests that Envoy answers itself",
            situations: requests::answered_by_envoy(),
        },
        Group {
            title: "Responses",
            situations: responses::situations(),
        },
        Group {
            title: "Streams and tunnels",
            situations: streams::situations(),
        },
    ]
}

/// One exchange to be made, and what came of it.
struct Job<'a> {
    name: String,
    row: &'a Row,
    version: Version,
    mode: Mode,
    done: Mutex<Option<(Got, Upstream)>>,
}

#[test]
fn every_situation_goes_as_the_page_says() {
    let house = House::start();
    let groups = groups();
    let jobs = jobs(&groups);
    run(&house, &jobs);
    settle(&jobs);
    let surprises: Vec<String> = jobs.iter().filter_map(surprise).collect();
    assert!(
        surprises.is_empty(),
        "{} of {} went otherwise:\n{}\n{}",
        surprises.len(),
        jobs.len(),
        surprises.join("\n"),
        house.gateway.log()
    );
}

#[test]
fn the_page_of_situations_is_current() {
    let page = page::page(&groups());
    let file = project().join("envoy/situations.md");
    if std::env::var_os("PARAPET_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "envoy/situations.md is out of date; PARAPET_BLESS=1 writes it"
    );
}

/// The promise of held heads, for all that is expected above.
#[test]
fn no_denied_request_is_expected_at_an_upstream_while_heads_are_held() {
    let groups = groups();
    let situations = groups.iter().flat_map(|group| &group.situations);
    let rows = situations.flat_map(|situation| &situation.rows);
    let mut denials = 0;
    // Where the rules let large bodies go on while they are inspected, heads go as well.
    for row in rows.filter(|row| row.ask.authority != "stream.example") {
        let denied = ["by phase 1", "by phase 2", "413 by a limit"];
        if denied.iter().any(|by| row.held.client.contains(by)) {
            assert_eq!(row.held.upstream, "nothing", "{}", row.variant);
            denials += 1;
        }
    }
    assert!(denials > 20);
}

fn jobs(groups: &[Group]) -> Vec<Job<'_>> {
    let wanted = std::env::var("PARAPET_SITUATION").unwrap_or_default();
    let situations = groups.iter().flat_map(|group| &group.situations);
    let mut jobs = Vec::new();
    for situation in situations.filter(|situation| situation.name.contains(&wanted)) {
        for row in &situation.rows {
            let raw = row.ask.raw.is_some() || row.ask.old;
            for version in VERSIONS {
                let possible = row.version.is_none_or(|only| only == version);
                if !possible || (raw && version == Version::Http2) {
                    continue;
                }
                jobs.extend(MODES.map(|mode| Job {
                    name: format!("{}, {}", situation.name, row.variant),
                    row,
                    version,
                    mode,
                    done: Mutex::new(None),
                }));
            }
        }
    }
    jobs
}

/// Makes all exchanges, many at a time: most of their time is waiting.
fn run(house: &House, jobs: &[Job<'_>]) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let upstream = Upstream::start(&job.row.play);
                    let door = house.door(job.mode, job.row.door);
                    let got = job.row.ask.exchange(job.version, door, &upstream);
                    *job.done.lock().unwrap() = Some((got, upstream));
                }
            });
        }
    });
}

/// Waits until no upstream is in the middle of a request.
fn settle(jobs: &[Job<'_>]) {
    let deadline = Instant::now() + Duration::from_secs(5);
    let open = |job: &Job<'_>| {
        let done = job.done.lock().unwrap();
        done.as_ref().unwrap().1.is_busy()
    };
    while jobs.iter().any(open) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
}

/// What went otherwise than expected.
fn surprise(job: &Job<'_>) -> Option<String> {
    let done = job.done.lock().unwrap();
    let (got, upstream) = done.as_ref().unwrap();
    let sight = Sight {
        client: client_saw(got, job.row),
        upstream: upstream_saw(&upstream.seen(), &job.row.ask),
    };
    let expected = job.row.expected(job.mode);
    let little = ["nothing", "a connection", "the head"];
    let upstream_fits = sight.upstream == expected.upstream
        || (expected.upstream == AT_MOST_HEAD && little.contains(&sight.upstream.as_str()));
    // What is a race has two outcomes.
    let client_fits = expected.client.split(" or ").any(|one| one == sight.client);
    if client_fits && upstream_fits {
        return None;
    }
    Some(format!(
        "{} ({:?}, {:?}):\n    expected {} | {}\n         got {} | {}",
        job.name,
        job.version,
        job.mode,
        expected.client,
        expected.upstream,
        sight.client,
        sight.upstream
    ))
}

fn client_saw(got: &Got, row: &Row) -> String {
    let Some(status) = got.status else {
        return match got.end {
            End::Left => "left",
            End::Silence => "no answer",
            End::Cut | End::Complete => "cut",
        }
        .to_owned();
    };
    let denied_by = got.header("x-denied-by");
    let upstreams = got.header("x-from").is_some();
    let mut text = String::new();
    if got.interim {
        text += "100, ";
    }
    text += &status.to_string();
    if let Some(status) = got.header("grpc-status") {
        text += &format!(" (grpc-status {status})");
    }
    match denied_by {
        Some("0") => text += " by a limit",
        Some(rule) => text += &format!(" by phase {rule}"),
        None if !upstreams => text += " by Envoy",
        None => {}
    }
    if row.ask.tunnel.is_some() && upstreams && matches!(status, 101 | 200) {
        // 101 in HTTP/1.1, 200 in HTTP/2.
        return if got.echoed {
            "tunnel"
        } else {
            "broken tunnel"
        }
        .to_owned();
    }
    let whole = got.body == row.play.body || row.ask.method == "HEAD" || status == 304;
    match got.end {
        End::Complete if upstreams && !whole => text += ", another body",
        End::Complete => {}
        End::Cut | End::Left => text += ", then cut",
        End::Silence => text += ", then silence",
    }
    text
}

fn upstream_saw(seen: &Seen, ask: &Ask) -> String {
    let request = match &seen.requests[..] {
        [] if seen.connections == 0 => return "nothing".to_owned(),
        [] => return "a connection".to_owned(),
        [request] => request,
        requests => return format!("{} requests", requests.len()),
    };
    let whole = ask.whole_body();
    match request.complete {
        Some(true) if request.body == whole && request.trailers == ask.trailer.is_some() => {
            "everything"
        }
        Some(true) => "another body",
        Some(false) if request.body.is_empty() => "the head",
        Some(false) if whole.starts_with(&request.body) => "a part of the body",
        Some(false) => "a part of another body",
        None => "a request without end",
    }
    .to_owned()
}
