//! Audit records on their way to an HTTP collector (`SecAuditLogType HTTPS`).
//!
//! Records wait in a bounded queue, one for each worker, and go in batches, one record on each line.
//! Only the tick sends: the host gives up calls of a stream when the stream ends. Nothing waits for
//! the collector. What it does not take is tried again, later each time; what there is no room for is
//! lost and counted. A batch may arrive twice where an answer got lost.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use super::host::{CallToken, HeaderMap, Host, HttpCall, Level};
use super::log;
use super::metrics::{Count, Labels, Metrics};
use crate::engine::UnixNanos;
use crate::program::CollectorUrl;

/// How records get to the collector.
#[derive(Clone, PartialEq, Eq)]
pub struct CollectorSettings {
    /// The host's name of the upstream.
    pub cluster: String,
    /// How long an answer may take.
    pub timeout_ms: u32,
    /// How long a record waits for others.
    pub flush_ms: u32,
    /// About how many bytes a batch has at most.
    pub batch_bytes: usize,
    /// Bytes of records that wait or are under way.
    pub queue_bytes: usize,
    /// Headers of the requests; their values are secrets.
    pub headers: Vec<(String, String)>,
}

impl Default for CollectorSettings {
    fn default() -> Self {
        Self {
            cluster: String::new(),
            timeout_ms: 5_000,
            flush_ms: 1_000,
            batch_bytes: 256 << 10,
            queue_bytes: 4 << 20,
            headers: Vec::new(),
        }
    }
}

impl std::fmt::Debug for CollectorSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CollectorSettings")
            .field("cluster", &self.cluster)
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}

/// Where a record goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// The collector.
    pub url: Arc<CollectorUrl>,
    /// What the records are.
    pub content_type: &'static str,
}

/// Most batches under way.
const CALLS: usize = 4;

/// How often a record is tried.
const TRIES: u32 = 12;

/// How long the collector is left alone after its first failure; twice as long after each further one.
const PAUSE: UnixNanos = MILLISECOND * 500;

/// Longest such time.
const LONGEST_PAUSE: UnixNanos = MILLISECOND * 30_000;

/// How long the log keeps quiet about a collector that fails.
const QUIET: UnixNanos = MILLISECOND * 60_000;

/// The host tells of the end of a call; if it does not, it is given up so long after its time.
const GRACE: UnixNanos = MILLISECOND * 5_000;

const MILLISECOND: UnixNanos = 1_000_000;

/// The way to the collector.
#[derive(Debug)]
pub struct Collector {
    settings: CollectorSettings,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Waiting>,
    calls: Vec<Call>,
    /// Bytes in both.
    bytes: usize,
    /// Failures since the last success.
    failures: u32,
    /// Nothing is sent before.
    paused_until: UnixNanos,
    /// When the log was told of a failure last, and what was lost since.
    told: Option<UnixNanos>,
    untold: u64,
    /// There will be no more ticks.
    closed: bool,
}

#[derive(Debug)]
struct Waiting {
    destination: Destination,
    record: Vec<u8>,
    since: UnixNanos,
    tries: u32,
}

#[derive(Debug)]
struct Call {
    token: CallToken,
    /// When it is given up.
    until: UnixNanos,
    batch: Vec<Waiting>,
}

/// How a call ended.
enum End {
    Taken,
    /// Worth another try.
    Failed(String),
    /// The collector does not want it.
    Refused(String),
}

impl Collector {
    /// A way without anything on it.
    pub fn new(settings: CollectorSettings) -> Self {
        Self {
            settings,
            state: RefCell::default(),
        }
    }

    /// Takes a record, which is one line. Gives it back where there will be no more ticks.
    pub fn offer(
        &self,
        host: &dyn Host,
        metrics: &Metrics,
        destination: Destination,
        record: Vec<u8>,
    ) -> Option<Vec<u8>> {
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return Some(record);
        };
        if state.closed {
            return Some(record);
        }
        let bytes = state.bytes.saturating_add(record.len());
        if bytes > self.settings.queue_bytes {
            state.lose(host, metrics, 1, "there is no more room for records");
            return None;
        }
        state.bytes = bytes;
        state.queue.push_back(Waiting {
            destination,
            record,
            since: host.now(),
            tries: 0,
        });
        None
    }

    /// Sends what is due. Whether anything waits or is under way.
    pub fn tick(&self, host: &dyn Host, metrics: &Metrics) -> bool {
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return true;
        };
        if state.queue.is_empty() && state.calls.is_empty() {
            return false;
        }
        let now = host.now();
        while let Some(at) = state.calls.iter().position(|call| call.until < now) {
            let call = state.calls.swap_remove(at);
            let why = "the host never told of the answer".to_owned();
            state.end(host, metrics, call.batch, End::Failed(why));
        }
        while now >= state.paused_until && state.calls.len() < CALLS {
            let Some(batch) = state.due(now, &self.settings) else {
                break;
            };
            match self.send(host, &batch) {
                Ok(token) => {
                    let patience = u64::from(self.settings.timeout_ms).saturating_mul(MILLISECOND);
                    let until = now.saturating_add(patience).saturating_add(GRACE);
                    state.calls.push(Call {
                        token,
                        until,
                        batch,
                    });
                }
                Err(why) => state.end(host, metrics, batch, End::Failed(why)),
            }
        }
        !state.queue.is_empty() || !state.calls.is_empty()
    }

    /// A call has ended; `answered`: there is an answer to read.
    pub fn on_response(&self, host: &dyn Host, metrics: &Metrics, token: u32, answered: bool) {
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return;
        };
        let calls = &mut state.calls;
        let Some(at) = calls.iter().position(|call| call.token.0 == token) else {
            return;
        };
        let call = calls.swap_remove(at);
        let end = if answered {
            end(host)
        } else {
            End::Failed("there was no answer".to_owned())
        };
        state.end(host, metrics, call.batch, end);
    }

    /// There will be no more ticks: gives what has not arrived for sure, in order.
    pub fn close(&self) -> Vec<Vec<u8>> {
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return Vec::new();
        };
        state.closed = true;
        state.bytes = 0;
        let calls = std::mem::take(&mut state.calls);
        let under_way = calls.into_iter().flat_map(|call| call.batch);
        let waiting = std::mem::take(&mut state.queue);
        under_way.chain(waiting).map(|it| it.record).collect()
    }

    fn send(&self, host: &dyn Host, batch: &[Waiting]) -> Result<CallToken, String> {
        let Some(first) = batch.first() else {
            return Err("an empty batch".to_owned());
        };
        let Destination { url, content_type } = &first.destination;
        let mut body = Vec::new();
        for waiting in batch {
            body.extend_from_slice(&waiting.record);
            body.push(b'\n');
        }
        let length = body.len().to_string();
        let mut headers = vec![
            (":method", "POST"),
            (":path", &*url.path),
            (":authority", &*url.authority),
            ("content-type", content_type),
            ("content-length", &*length),
        ];
        let more = self.settings.headers.iter();
        headers.extend(more.map(|(name, value)| (&**name, &**value)));
        let call = HttpCall {
            upstream: &self.settings.cluster,
            headers: &headers,
            body: &body,
            timeout_ms: self.settings.timeout_ms,
        };
        host.call(&call).map_err(|error| {
            let cluster = self.settings.cluster.escape_default();
            format!("the host sends nothing to the cluster \"{cluster}\": {error:?}")
        })
    }
}

/// What an answer says.
fn end(host: &dyn Host) -> End {
    let status = host.headers(HeaderMap::CallResponse).ok();
    let status = status.and_then(|pairs| {
        let found = pairs.iter().find(|(name, _)| *name == b":status")?;
        std::str::from_utf8(found.1).ok()?.parse::<u16>().ok()
    });
    match status {
        Some(200..=299) => End::Taken,
        Some(status @ (408 | 429 | 500..=599)) => End::Failed(format!("it answers {status}")),
        Some(status) => End::Refused(format!("it answers {status}")),
        None => End::Failed("its answer has no status".to_owned()),
    }
}

impl State {
    /// The next batch, if it is large enough or has waited long enough.
    fn due(&mut self, now: UnixNanos, settings: &CollectorSettings) -> Option<Vec<Waiting>> {
        let first = self.queue.front()?;
        let mut bytes = 0_usize;
        let mut count = 0_usize;
        for waiting in &self.queue {
            let with = bytes.saturating_add(waiting.record.len()).saturating_add(1);
            if waiting.destination != first.destination || count > 0 && with > settings.batch_bytes
            {
                break;
            }
            bytes = with;
            count = count.saturating_add(1);
        }
        let is_full = count < self.queue.len() || bytes >= settings.batch_bytes;
        let patience = u64::from(settings.flush_ms).saturating_mul(MILLISECOND);
        let is_old = now.saturating_sub(first.since) >= patience;
        (is_full || is_old).then(|| self.queue.drain(..count).collect())
    }

    fn end(&mut self, host: &dyn Host, metrics: &Metrics, batch: Vec<Waiting>, end: End) {
        let (again, done): (Vec<Waiting>, Vec<Waiting>) = match &end {
            End::Failed(_) => batch
                .into_iter()
                .map(|it| Waiting {
                    tries: it.tries.saturating_add(1),
                    ..it
                })
                .partition(|it| it.tries < TRIES),
            End::Taken | End::Refused(_) => (Vec::new(), batch),
        };
        let bytes: usize = done.iter().map(|it| it.record.len()).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        let count = u64::try_from(done.len()).unwrap_or(u64::MAX);
        for waiting in again.into_iter().rev() {
            self.queue.push_front(waiting);
        }
        match end {
            End::Taken => {
                self.failures = 0;
                self.paused_until = 0;
                metrics.add(host, Count::AuditSent, &Labels::default(), count);
            }
            End::Failed(why) => {
                let pause = PAUSE.saturating_mul(1 << self.failures.min(10));
                self.failures = self.failures.saturating_add(1);
                self.paused_until = host.now().saturating_add(pause.min(LONGEST_PAUSE));
                metrics.count(host, Count::AuditFailure, &Labels::default());
                self.lose(host, metrics, count, &why);
            }
            End::Refused(why) => {
                metrics.count(host, Count::AuditFailure, &Labels::default());
                self.lose(host, metrics, count, &why);
            }
        }
    }

    /// Counts what is lost, and tells the log of the trouble from time to time.
    fn lose(&mut self, host: &dyn Host, metrics: &Metrics, count: u64, why: &str) {
        if count > 0 {
            metrics.add(host, Count::AuditLost, &Labels::default(), count);
        }
        self.untold = self.untold.saturating_add(count);
        let now = host.now();
        if self
            .told
            .is_some_and(|told| now.saturating_sub(told) < QUIET)
        {
            return;
        }
        self.told = Some(now);
        let lost = std::mem::take(&mut self.untold);
        let waiting = self.queue.len();
        let text = format!(
            "the collector of audit records fails: {why}; {lost} records lost since the last such \
             line, {waiting} wait"
        );
        log::line(host, Level::Warn, &text);
    }
}

#[cfg(test)]
mod tests;
