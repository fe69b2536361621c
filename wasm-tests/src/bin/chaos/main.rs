//! Everything around the filter goes wrong, one after the other, while clients go on: what is denied
//! stays denied, what is ordinary passes as soon as it can, and no attack reaches the upstream.
//! `scripts/chaos` starts the gateway, with a filter that traps when it is told to.

mod load;
mod upstream;

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use load::{Event, Load, exchange, finish, message};
use upstream::{ATTACK, COUNTED, Manner, Upstream};
use wasm_tests::admin;

const USAGE: &str = "chaos GATEWAY ADMIN BACKEND LISTENER_FILE";

/// Envoy tries a reload at most once in a second (the default of its back-off). The first request
/// after that brings the filter back; the rest is for a busy machine.
const BACK: Duration = Duration::from_secs(3);
/// For a cluster to see its upstream again.
const RECOVERY: Duration = Duration::from_secs(5);
/// Listener updates, one in a second.
const UPDATES: u64 = 8;

struct Chaos {
    gateway: SocketAddr,
    admin: SocketAddr,
    /// The listener's resource, which Envoy watches.
    listener: PathBuf,
    upstream: Upstream,
}

/// What was seen, or what went wrong.
type Outcome = Result<String, String>;
type Step = fn(&Chaos) -> Outcome;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chaos: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [gateway, admin, backend, listener] = arguments.as_slice() else {
        return Err(format!("usage: {USAGE}"));
    };
    let address = |text: &String| {
        text.parse::<SocketAddr>()
            .map_err(|e| format!("{text}: {e}"))
    };
    let backend = address(backend)?;
    let chaos = Chaos {
        gateway: address(gateway)?,
        admin: address(admin)?,
        listener: listener.into(),
        upstream: Upstream::start(backend).map_err(|error| format!("{backend}: {error}"))?,
    };
    let steps: [(&str, Step); 6] = [
        ("clients that leave at every byte", Chaos::aborts),
        ("a slow upstream", Chaos::slow_upstream),
        (
            "an upstream that breaks off its answers",
            Chaos::broken_answers,
        ),
        ("an upstream that dies", Chaos::dead_upstream),
        ("a new configuration every second", Chaos::updates),
        ("a filter that traps", Chaos::traps),
    ];
    let mut failures = Vec::new();
    for (name, step) in steps {
        let start = Instant::now();
        let mut outcome = step(&chaos);
        if chaos.upstream.attacks() > 0 {
            let more = format!("{} attacks reached the upstream", chaos.upstream.attacks());
            outcome = Err(outcome
                .err()
                .map_or(more.clone(), |it| format!("{it}; {more}")));
        }
        let seconds = start.elapsed().as_secs_f64();
        match outcome {
            Ok(text) => println!("ok      {name} ({seconds:.1} s): {text}"),
            Err(text) => {
                println!("FAILED  {name} ({seconds:.1} s): {text}");
                failures.push(name);
            }
        }
    }
    if failures.is_empty() {
        println!("chaos: all {} steps went well", steps.len());
        Ok(())
    } else {
        Err(failures.join(", "))
    }
}

impl Chaos {
    /// Sends every beginning of some requests and leaves. Only whole ones may arrive.
    fn aborts(&self) -> Outcome {
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let bodies = [
            "a=b&note=good+bread".to_owned(),
            format!("id=1%27%20{ATTACK}--"),
        ];
        let mut requests = Vec::new();
        for body in &bodies {
            let ordinary = !body.contains(ATTACK);
            let length = format!("{form}Content-Length: {}\r\n", body.len());
            let (first, second) = body.split_at(7);
            let chunks = format!(
                "{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
                first.len(),
                second.len()
            );
            let chunked = format!("{form}Transfer-Encoding: chunked\r\n");
            requests.push((ordinary, message("POST", COUNTED, &length, body.as_bytes())));
            requests.push((
                ordinary,
                message("POST", COUNTED, &chunked, chunks.as_bytes()),
            ));
        }
        self.upstream.take_counted();
        let (mut cut, mut whole) = (0, 0);
        for (ordinary, request) in &requests {
            // Leaving at once, and after the filter has seen what came.
            for wait in [0, 2] {
                for length in 0..request.len() {
                    let stream = TcpStream::connect(self.gateway);
                    let mut stream = stream.map_err(|error| format!("no connection: {error}"))?;
                    let _ = stream.write_all(&request[..length]);
                    thread::sleep(Duration::from_millis(wait));
                    if length % 2 == 0 {
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                    cut += 1;
                }
            }
            let status = exchange(self.gateway, request);
            let wanted = if *ordinary { 200 } else { 403 };
            if status != Some(wanted) {
                return Err(format!("the whole request: {status:?} instead of {wanted}"));
            }
            whole += usize::from(*ordinary);
        }
        let arrived = self.upstream.take_counted();
        if arrived != whole {
            return Err(format!(
                "{arrived} requests arrived, {whole} were whole and ordinary"
            ));
        }
        Ok(format!(
            "{cut} cut requests, none arrived; {whole} whole ones did"
        ))
    }

    fn slow_upstream(&self) -> Outcome {
        self.upstream
            .behave(Manner::Slow(Duration::from_millis(400)));
        let load = Load::start(self.gateway);
        thread::sleep(Duration::from_secs(4));
        let events = load.end();
        self.upstream.behave(Manner::Prompt);
        judge(&events, &[Some(200)], &[Some(403)])
    }

    fn broken_answers(&self) -> Outcome {
        self.upstream.behave(Manner::BreaksOff);
        let load = Load::start(self.gateway);
        thread::sleep(Duration::from_secs(2));
        let events = load.end();
        self.upstream.behave(Manner::Prompt);
        // The head is held until the body is read, so Envoy can still say what happened; or not.
        let text = judge(&events, &[Some(502), Some(503), None], &[Some(403)])?;
        self.serves_again(Instant::now(), RECOVERY)?;
        Ok(text)
    }

    fn dead_upstream(&self) -> Outcome {
        let load = Load::start(self.gateway);
        thread::sleep(Duration::from_secs(1));
        self.upstream.kill();
        thread::sleep(Duration::from_secs(2));
        let revived = Instant::now();
        self.upstream
            .revive()
            .map_err(|error| format!("the upstream's port is gone: {error}"))?;
        let back = self.serves_again(revived, RECOVERY)?;
        thread::sleep(Duration::from_secs(1));
        let events = load.end();
        // 502 is for a head that the upstream was writing when it died.
        let ordinary = [Some(200), Some(502), Some(503), None];
        let text = judge(&events, &ordinary, &[Some(403)])?;
        let dead = events.iter().any(|event| event.status == Some(503));
        if !dead {
            return Err("nobody noticed that the upstream was dead".to_owned());
        }
        Ok(format!("{text}; back after {} ms", back.as_millis()))
    }

    /// Replaces the listener once in a second, every fourth time by one that must be refused. Where
    /// the machine is too slow for that, the next update waits for the last: Envoy reads what is there
    /// when it gets to it.
    fn updates(&self) -> Outcome {
        let original = read(&self.listener)?;
        let load = Load::start(self.gateway);
        let mut refused = 0;
        for number in 1..=UPDATES {
            let good = number % 4 != 0;
            let rule = if good {
                format!("SecAction \\\"id:{},phase:1,pass,nolog\\\"", 7000 + number)
            } else {
                refused += 1;
                "SecRool".to_owned()
            };
            let text = original.replace(
                "\"Include @demo-conf\",",
                &format!("\"Include @demo-conf\", \"{rule}\","),
            );
            let begun = Instant::now();
            if self.replace_listener(&text)? != good {
                return Err(format!(
                    "update {number} was {}",
                    if good { "refused" } else { "taken" }
                ));
            }
            thread::sleep(Duration::from_secs(1).saturating_sub(begun.elapsed()));
        }
        self.replace_listener(&original)?;
        let text = judge(&load.end(), &[Some(200)], &[Some(403)])?;
        Ok(format!(
            "{text}; {refused} of {UPDATES} updates were refused"
        ))
    }

    /// Lets the filter trap, again and again, with streams in all states around it.
    fn traps(&self) -> Outcome {
        const TRAPS: u64 = 5;
        let before = self.statistics("vm_reload")?;
        let load = Load::start(self.gateway);
        let mut slowest = Duration::ZERO;
        for _ in 0..TRAPS {
            let held = self.half_sent()?;
            let trap = message("GET", "/", "x-parapet-trap: 1\r\n", b"");
            let status = exchange(self.gateway, &trap);
            let trapped = Instant::now();
            if status != Some(503) {
                return Err(format!("the request that traps: {status:?} instead of 503"));
            }
            for (attack, mut stream, rest) in held {
                let _ = stream.write_all(&rest);
                let status = finish(stream);
                // Streams of the other worker know nothing of it.
                let fine = match status {
                    None | Some(503) => true,
                    Some(403) => attack,
                    Some(200) => !attack,
                    Some(_) => false,
                };
                if !fine {
                    return Err(format!(
                        "a stream that was held, attack {attack}: {status:?}"
                    ));
                }
            }
            slowest = slowest.max(self.serves_again(trapped, BACK)?);
            // Beyond the back-off, so that the next one is not refused for this one's sake.
            thread::sleep(Duration::from_millis(1500));
        }
        let events = load.end();
        let text = judge(
            &events,
            &[Some(200), Some(503), None],
            &[Some(403), Some(503), None],
        )?;
        let after = self.statistics("vm_reload")?;
        let reloads = after
            .iter()
            .filter(|(name, _)| name.ends_with("vm_reload_success"));
        let reloads: u64 = reloads
            .map(|(name, value)| value - before.get(name).copied().unwrap_or(0))
            .sum();
        if reloads < TRAPS {
            return Err(format!("{TRAPS} traps, but {reloads} reloads: {after:?}"));
        }
        Ok(format!(
            "{text}; {reloads} reloads, all workers serving after at most {} ms",
            slowest.as_millis()
        ))
    }

    /// Connections on which half of a request was sent, and what is left of it.
    fn half_sent(&self) -> Result<Vec<(bool, TcpStream, Vec<u8>)>, String> {
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let mut held = Vec::new();
        for number in 0..8 {
            let attack = number % 2 == 0;
            let body = if attack {
                format!("id=1%27%20{ATTACK}--&and=so+on+and+on")
            } else {
                "name=ada&note=bread+and+butter+and+jam".to_owned()
            };
            let more = format!("{form}Content-Length: {}\r\n", body.len());
            let mut bytes = message("POST", "/held", &more, body.as_bytes());
            let rest = bytes.split_off(bytes.len() - 5);
            let stream = TcpStream::connect(self.gateway);
            let mut stream = stream.map_err(|error| format!("no connection: {error}"))?;
            stream
                .write_all(&bytes)
                .map_err(|error| error.to_string())?;
            held.push((attack, stream, rest));
        }
        thread::sleep(Duration::from_millis(50));
        Ok(held)
    }

    /// How long it takes until everything is as usual: on every one of some connections in a row,
    /// so that each worker is asked.
    fn serves_again(&self, since: Instant, within: Duration) -> Result<Duration, String> {
        const IN_A_ROW: usize = 12;
        let request = message("GET", "/back?id=17", "", b"");
        let mut in_a_row = 0;
        let mut first = since.elapsed();
        while in_a_row < IN_A_ROW {
            let status = exchange(self.gateway, &request);
            if status == Some(200) {
                in_a_row += 1;
                continue;
            }
            in_a_row = 0;
            first = since.elapsed();
            if first > within {
                return Err(format!("still {status:?} after {} ms", first.as_millis()));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(first)
    }

    /// Puts a listener in place and waits until Envoy has seen it: whether it took it.
    fn replace_listener(&self, text: &str) -> Result<bool, String> {
        let seen = || -> Result<[u64; 2], String> {
            let all = self.statistics("lds.update_")?;
            Ok(["success", "rejected"].map(|name| {
                let name = format!("listener_manager.lds.update_{name}");
                all.get(&name).copied().unwrap_or(0)
            }))
        };
        let before = seen()?;
        let staged = self.listener.with_extension("new");
        let failed = |error: std::io::Error| format!("{}: {error}", staged.display());
        std::fs::write(&staged, text).map_err(failed)?;
        // In one step: Envoy watches for that.
        std::fs::rename(&staged, &self.listener).map_err(failed)?;
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let after = seen()?;
            if after != before {
                return Ok(after[0] > before[0]);
            }
            if Instant::now() > deadline {
                return Err("Envoy does not see a new listener".to_owned());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn statistics(&self, pattern: &str) -> Result<admin::Statistics, String> {
        admin::statistics(self.admin, pattern).map_err(|error| format!("Envoy is gone: {error}"))
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Whether everything that happened was one of these, and enough did happen.
fn judge(events: &[Event], ordinary: &[Option<u16>], attack: &[Option<u16>]) -> Outcome {
    let mut counts = std::collections::BTreeMap::<(bool, Option<u16>), usize>::new();
    for event in events {
        *counts.entry((event.attack, event.status)).or_default() += 1;
    }
    let told = counts.iter().map(|((attack, status), count)| {
        let what = if *attack { "attacks" } else { "ordinary" };
        let status = status.map_or("no answer".to_owned(), |status| status.to_string());
        format!("{count} {what} {status}")
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let strange = counts.keys().any(|(is_attack, status)| {
        let allowed = if *is_attack { attack } else { ordinary };
        !allowed.contains(status)
    });
    let enough = [false, true].iter().all(|attack| {
        events
            .iter()
            .filter(|event| event.attack == *attack)
            .count()
            >= 8
    });
    if strange || !enough {
        return Err(told);
    }
    Ok(told)
}
