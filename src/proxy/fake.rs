//! A host, an engine and a little Envoy for tests: they hold state and behave, they script nothing.

mod envoy;
mod rules;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::host::{
    CallToken, Direction, HeaderMap, Host, HostError, HttpCall, Level, LocalReply, MetricId,
    MetricKind, Place,
};
use super::pairs::Pairs;
use crate::engine::UnixNanos;

pub use envoy::{Client, Envoy};
pub use rules::FakeRules;

/// A host that keeps everything in memory.
#[derive(Debug, Default)]
pub struct FakeHost {
    state: RefCell<State>,
}

#[derive(Debug, Default)]
pub struct State {
    pub properties: BTreeMap<String, Vec<u8>>,
    pub request_headers: Option<Pairs>,
    pub response_headers: Option<Pairs>,
    pub environment: BTreeMap<String, Vec<u8>>,
    pub call_response: Option<Pairs>,
    /// Calls of ours: their headers in one text, and their bodies.
    pub sent: Vec<(String, Vec<u8>)>,
    pub request_body: Option<Vec<u8>>,
    pub response_body: Option<Vec<u8>>,
    pub replies: Vec<LocalReply>,
    pub closed: Vec<Direction>,
    pub resumed: Vec<(u32, Direction)>,
    pub refused: Vec<u32>,
    pub log: Vec<(Level, Vec<u8>)>,
    pub now: UnixNanos,
    pub tick_period: u32,
    pub effective_context: Option<u32>,
    pub configuration: Vec<u8>,
    pub bytes_read: usize,
    /// Shared data: values and the numbers of their last writes.
    pub shared: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    writes: u32,
    failing: BTreeSet<&'static str>,
    calls: BTreeMap<&'static str, usize>,
    metrics: Vec<(String, i64)>,
    samples: Vec<(MetricId, u64)>,
    randoms: u128,
}

impl State {
    /// What a histogram got, in order.
    pub fn samples(&self, name: &str) -> Vec<u64> {
        let of = |metric: &MetricId| &*self.metrics[usize::try_from(metric.0).unwrap()].0;
        let samples = self.samples.iter().filter(|(metric, _)| of(metric) == name);
        samples.map(|(_, value)| *value).collect()
    }
}

impl FakeHost {
    pub fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.borrow_mut())
    }

    pub fn set_fake_property(&self, path: &[&str], value: &[u8]) {
        self.state(|state| state.properties.insert(path.join("."), value.to_vec()));
    }

    /// From now on the call fails.
    pub fn fail(&self, call: &'static str) {
        self.state(|state| state.failing.insert(call));
    }

    /// From now on all calls work again.
    pub fn heal(&self) {
        self.state(|state| state.failing.clear());
    }

    pub fn calls(&self, call: &str) -> usize {
        self.state(|state| state.calls.get(call).copied().unwrap_or(0))
    }

    /// Names and values, by name.
    pub fn metrics(&self) -> Vec<(String, i64)> {
        let mut metrics = self.state(|state| state.metrics.clone());
        metrics.sort();
        metrics
    }

    pub fn metric(&self, name: &str) -> i64 {
        self.metrics()
            .iter()
            .filter(|(key, _)| key.contains(name))
            .map(|(_, value)| value)
            .sum()
    }

    pub fn log_text(&self) -> String {
        self.state(|state| {
            let lines = state
                .log
                .iter()
                .map(|(level, line)| format!("{level:?} {}\n", String::from_utf8_lossy(line)));
            lines.collect()
        })
    }

    fn enter(&self, call: &'static str) -> Result<(), HostError> {
        self.state(|state| {
            *state.calls.entry(call).or_default() += 1;
            if state.failing.contains(call) {
                Err(HostError::Unimplemented)
            } else {
                Ok(())
            }
        })
    }
}

impl Host for FakeHost {
    fn headers(&self, map: HeaderMap) -> Result<Pairs, HostError> {
        self.enter("headers")?;
        self.state(|state| match map {
            HeaderMap::Request => state.request_headers.clone(),
            HeaderMap::Response => state.response_headers.clone(),
            HeaderMap::CallResponse => state.call_response.clone(),
        })
        .ok_or(HostError::BadArgument)
    }

    fn remove_header(&self, map: HeaderMap, name: &str) -> Result<(), HostError> {
        self.enter("remove_header")?;
        self.state(|state| {
            let headers = match map {
                HeaderMap::Request => &mut state.request_headers,
                HeaderMap::Response => &mut state.response_headers,
                HeaderMap::CallResponse => &mut state.call_response,
            };
            let headers = headers.as_mut().ok_or(HostError::BadArgument)?;
            *headers = headers
                .iter()
                .filter(|(key, _)| *key != name.as_bytes())
                .collect();
            Ok(())
        })
    }

    fn set_header(&self, map: HeaderMap, name: &str, value: &[u8]) -> Result<(), HostError> {
        self.enter("set_header")?;
        self.state(|state| {
            let headers = match map {
                HeaderMap::Request => &mut state.request_headers,
                HeaderMap::Response => &mut state.response_headers,
                HeaderMap::CallResponse => &mut state.call_response,
            };
            let headers = headers.as_mut().ok_or(HostError::BadArgument)?;
            let others = headers.iter().filter(|(key, _)| *key != name.as_bytes());
            *headers = others.chain([(name.as_bytes(), value)]).collect();
            Ok(())
        })
    }

    fn set_body(&self, body: Direction, place: Place, bytes: &[u8]) -> Result<(), HostError> {
        self.enter("set_body")?;
        self.state(|state| {
            let buffer = match body {
                Direction::Request => &mut state.request_body,
                Direction::Response => &mut state.response_body,
            };
            let buffer = buffer.as_mut().ok_or(HostError::BadArgument)?;
            match place {
                Place::Front => drop(buffer.splice(..0, bytes.iter().copied())),
                Place::Back => buffer.extend_from_slice(bytes),
                Place::Whole => *buffer = bytes.to_vec(),
            }
            Ok(())
        })
    }

    fn body(&self, body: Direction, start: usize, length: usize) -> Result<Vec<u8>, HostError> {
        self.enter("body")?;
        self.state(|state| {
            let buffer = match body {
                Direction::Request => &state.request_body,
                Direction::Response => &state.response_body,
            };
            let buffer = buffer.as_ref().ok_or(HostError::BadArgument)?;
            let start = start.min(buffer.len());
            let bytes = buffer[start..buffer.len().min(start.saturating_add(length))].to_vec();
            state.bytes_read += bytes.len();
            Ok(bytes)
        })
    }

    fn property(&self, path: &str) -> Option<Vec<u8>> {
        self.enter("property").ok()?;
        self.state(|state| state.properties.get(&path.replace('\0', ".")).cloned())
    }

    fn set_property(&self, path: &str, value: &[u8]) -> Result<(), HostError> {
        self.enter("set_property")?;
        let path = path.replace('\0', ".");
        self.state(|state| state.properties.insert(path, value.to_vec()));
        Ok(())
    }

    fn reply(&self, reply: &LocalReply) -> Result<(), HostError> {
        self.enter("reply")?;
        self.state(|state| {
            state.refused.extend(state.effective_context);
            state.replies.push(reply.clone());
        });
        Ok(())
    }

    fn resume(&self, direction: Direction) -> Result<(), HostError> {
        self.enter("resume")?;
        self.state(|state| {
            let context = state.effective_context.unwrap_or(0);
            state.resumed.push((context, direction));
        });
        Ok(())
    }

    fn close(&self, direction: Direction) -> Result<(), HostError> {
        self.enter("close")?;
        self.state(|state| state.closed.push(direction));
        Ok(())
    }

    fn log(&self, level: Level, line: &[u8]) {
        assert!(!line.iter().any(u8::is_ascii_control), "an unescaped line");
        self.state(|state| state.log.push((level, line.to_vec())));
    }

    fn now(&self) -> UnixNanos {
        self.state(|state| state.now)
    }

    fn random(&self, bytes: &mut [u8]) -> bool {
        self.enter("random").unwrap();
        self.state(|state| {
            for byte in bytes.chunks_mut(16) {
                state.randoms += 1;
                byte.copy_from_slice(&state.randoms.to_le_bytes()[..byte.len()]);
            }
        });
        true
    }

    fn define_metric(&self, _kind: MetricKind, name: &str) -> Result<MetricId, HostError> {
        self.enter("define_metric")?;
        self.state(|state| {
            state.metrics.push((name.to_owned(), 0));
            Ok(MetricId(u32::try_from(state.metrics.len() - 1).unwrap()))
        })
    }

    fn increment_metric(&self, metric: MetricId, by: i64) -> Result<(), HostError> {
        self.enter("increment_metric")?;
        self.state(|state| {
            let place = usize::try_from(metric.0).unwrap();
            state
                .metrics
                .get_mut(place)
                .ok_or(HostError::BadArgument)?
                .1 += by;
            Ok(())
        })
    }

    fn record_metric(&self, metric: MetricId, value: u64) -> Result<(), HostError> {
        self.enter("record_metric")?;
        self.state(|state| {
            state.samples.push((metric, value));
            Ok(())
        })
    }

    fn shared_data(&self, key: &[u8]) -> Result<(Vec<u8>, u32), HostError> {
        self.enter("shared_data")?;
        let found = self.state(|state| state.shared.get(key).cloned());
        found.ok_or(HostError::NotFound)
    }

    fn set_shared_data(&self, key: &[u8], value: &[u8], cas: u32) -> Result<(), HostError> {
        self.enter("set_shared_data")?;
        self.state(|state| {
            let current = state.shared.get(key).map(|(_, cas)| *cas);
            if current.is_some_and(|current| cas != 0 && cas != current) {
                return Err(HostError::CasMismatch);
            }
            state.writes += 1;
            let written = (value.to_vec(), state.writes);
            state.shared.insert(key.to_vec(), written);
            Ok(())
        })
    }

    fn call(&self, call: &HttpCall<'_>) -> Result<CallToken, HostError> {
        self.enter("call")?;
        let headers = call
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"));
        let head = format!("{}\n{}", call.upstream, headers.collect::<String>());
        self.state(|state| {
            state.sent.push((head, call.body.to_vec()));
            Ok(CallToken(u32::try_from(state.sent.len()).unwrap()))
        })
    }

    fn set_effective_context(&self, context: u32) -> Result<(), HostError> {
        self.enter("set_effective_context")?;
        self.state(|state| state.effective_context = Some(context));
        Ok(())
    }

    fn set_tick_period(&self, milliseconds: u32) -> Result<(), HostError> {
        self.enter("set_tick_period")?;
        self.state(|state| state.tick_period = milliseconds);
        Ok(())
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        self.state(|state| state.environment.get(name).cloned())
    }

    fn plugin_configuration(&self, _size: usize) -> Result<Vec<u8>, HostError> {
        self.enter("plugin_configuration")?;
        Ok(self.state(|state| state.configuration.clone()))
    }
}
