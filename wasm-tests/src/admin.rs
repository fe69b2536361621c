//! What Envoy tells of itself.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Numbers by name.
pub type Statistics = BTreeMap<String, u64>;

/// Asks the admin interface for a page.
///
/// # Errors
/// What the connection reports.
pub fn page(admin: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(admin)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Counters and gauges whose names match.
///
/// # Errors
/// What the connection reports.
pub fn statistics(admin: SocketAddr, pattern: &str) -> io::Result<Statistics> {
    let page = page(admin, &format!("/stats?filter={pattern}"))?;
    Ok(parse(&page))
}

fn parse(page: &str) -> Statistics {
    let lines = page.lines().filter_map(|line| line.rsplit_once(": "));
    lines
        .filter_map(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?)))
        .collect()
}

/// Resident memory of a process, in bytes.
///
/// # Errors
/// The process is gone, or this is no Linux.
pub fn resident_bytes(process: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes
        .map(|kilobytes| kilobytes * 1024)
        .ok_or_else(|| io::Error::other("no VmRSS"))
}

/// What the living threads of a process have had of the processor.
///
/// # Errors
/// The process is gone, or this is no Linux.
pub fn processor_time(process: u32) -> io::Result<Duration> {
    let mut time = Duration::ZERO;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let Some(text) = unless_ended(std::fs::read_to_string(thread?.path().join("schedstat")))?
        else {
            continue;
        };
        let nanoseconds = text.split_whitespace().next().and_then(|n| n.parse().ok());
        time += Duration::from_nanos(nanoseconds.ok_or_else(|| io::Error::other(text))?);
    }
    Ok(time)
}

/// A thread may end between its listing and its reading; the system then says that there is no file,
/// or no process.
fn unless_ended<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    const ESRCH: i32 = 3;
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error)
            if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ESRCH) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn numbers_are_read() {
        let found = super::parse("HTTP/1.1 200 OK\r\nserver: envoy\r\n\r\na.b: 3\nc: 4\n");
        assert_eq!((found["a.b"], found["c"]), (3, 4));
        assert!(super::resident_bytes(std::process::id()).unwrap() > 100_000);
    }

    #[test]
    fn threads_that_end_meanwhile_do_no_harm() {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    scope.spawn(|| {}).join().unwrap();
                }
            });
            let times: Vec<_> = (0..2_000)
                .map(|_| super::processor_time(std::process::id()))
                .collect();
            done.store(true, Relaxed);
            for time in times {
                assert!(!time.unwrap().is_zero());
            }
        });
    }
}
