//! The raw host calls.
//!
//! The SDK's own wrappers panic on every status they do not list, and on text that is not UTF-8;
//! here a status is a number and text is bytes. Only the calls below are used.
#![expect(
    unsafe_code,
    reason = "calls into the host and memory that it hands over"
)]

use std::cell::OnceCell;
use std::ptr::null_mut;
use std::time::Duration;

use proxy_wasm::hostcalls::dispatch_http_call;
use proxy_wasm::types::Status;

use super::host::{
    CallToken, Direction, HeaderMap, Host, HostError, HttpCall, Level, LocalReply, MetricId,
    MetricKind, Place,
};
use super::pairs::Pairs;
use crate::engine::{Clock, UnixNanos};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, data: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        length: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, size: usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_set_buffer_bytes(
        buffer: u32,
        start: usize,
        length: usize,
        data: *const u8,
        size: usize,
    ) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_close_stream(stream: u32) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_http_call(
        upstream: *const u8,
        upstream_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        cas: u32,
    ) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, size: usize) -> i32;
    fn environ_sizes_get(count: *mut usize, size: *mut usize) -> i32;
    fn environ_get(places: *mut *const u8, bytes: *mut u8) -> i32;
}

/// Buffer types of the ABI beyond the two bodies.
const PLUGIN_CONFIGURATION: u32 = 7;

/// The host takes the gRPC status from the HTTP status.
const NO_GRPC_STATUS: i32 = -1;

/// The host that loaded this module.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProxyHost;

impl Clock for ProxyHost {
    fn now(&self) -> UnixNanos {
        let mut time = 0;
        // SAFETY: `time` is a valid place for the eight bytes that the host writes.
        let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
        // No host without a clock is known; the epoch is a time that nobody mistakes for now.
        if status == 0 { time } else { 0 }
    }
}

impl Host for ProxyHost {
    fn headers(&self, map: HeaderMap) -> Result<Pairs, HostError> {
        let map = map_number(map);
        // SAFETY: both places are valid for one word, as `received` promises.
        let data = received(|data, size| unsafe { proxy_get_header_map_pairs(map, data, size) })?;
        Pairs::decode(data)
    }

    fn remove_header(&self, map: HeaderMap, name: &str) -> Result<(), HostError> {
        // SAFETY: the host reads `name.len()` bytes at `name`.
        ok(unsafe { proxy_remove_header_map_value(map_number(map), name.as_ptr(), name.len()) })
    }

    fn set_header(&self, map: HeaderMap, name: &str, value: &[u8]) -> Result<(), HostError> {
        // SAFETY: the host reads the given number of bytes of `name` and of `value`.
        ok(unsafe {
            proxy_replace_header_map_value(
                map_number(map),
                name.as_ptr(),
                name.len(),
                value.as_ptr(),
                value.len(),
            )
        })
    }

    fn body(&self, body: Direction, start: usize, length: usize) -> Result<Vec<u8>, HostError> {
        buffer(stream_number(body), start, length)
    }

    fn set_body(&self, body: Direction, place: Place, bytes: &[u8]) -> Result<(), HostError> {
        let (start, length) = match place {
            Place::Front => (0, 0),
            Place::Back => (usize::MAX, 0),
            Place::Whole => (0, usize::MAX),
        };
        // SAFETY: the host reads `bytes.len()` bytes at `bytes`.
        ok(unsafe {
            proxy_set_buffer_bytes(
                stream_number(body),
                start,
                length,
                bytes.as_ptr(),
                bytes.len(),
            )
        })
    }

    fn property(&self, path: &str) -> Option<Vec<u8>> {
        // SAFETY: the host reads `path`; both places are valid, as `received` promises.
        received(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
            .ok()
    }

    fn set_property(&self, path: &str, value: &[u8]) -> Result<(), HostError> {
        // SAFETY: the host reads the given number of bytes of `path` and of `value`.
        ok(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
    }

    fn reply(&self, reply: &LocalReply) -> Result<(), HostError> {
        let LocalReply {
            status,
            headers,
            body,
            details,
        } = reply;
        let headers = Pairs::encode(headers).ok_or(HostError::BadArgument)?;
        // SAFETY: the host reads the given number of bytes of each text.
        ok(unsafe {
            proxy_send_local_response(
                u32::from(*status),
                details.as_ptr(),
                details.len(),
                body.as_ptr(),
                body.len(),
                headers.as_ptr(),
                headers.len(),
                NO_GRPC_STATUS,
            )
        })
    }

    fn resume(&self, direction: Direction) -> Result<(), HostError> {
        // SAFETY: no memory is passed.
        ok(unsafe { proxy_continue_stream(stream_number(direction)) })
    }

    fn close(&self, direction: Direction) -> Result<(), HostError> {
        // SAFETY: no memory is passed.
        ok(unsafe { proxy_close_stream(stream_number(direction)) })
    }

    fn log(&self, level: Level, line: &[u8]) {
        let level = match level {
            Level::Trace => 0,
            Level::Debug => 1,
            Level::Info => 2,
            Level::Warn => 3,
            Level::Error => 4,
            Level::Critical => 5,
        };
        // SAFETY: the host reads `line.len()` bytes at `line`. A line that is not written changes
        // no verdict.
        let _: u32 = unsafe { proxy_log(level, line.as_ptr(), line.len()) };
    }

    fn now(&self) -> UnixNanos {
        Clock::now(self)
    }

    fn random(&self, bytes: &mut [u8]) -> bool {
        // SAFETY: `bytes` is a valid place for its length of bytes.
        let errno = unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) };
        if errno != 0 {
            // No host without it is known. Names of transactions at least differ then.
            let mut time = Clock::now(self);
            for piece in bytes.chunks_mut(size_of::<u64>()) {
                time = time.wrapping_add(1);
                for (to, from) in piece.iter_mut().zip(time.to_le_bytes()) {
                    *to = from;
                }
            }
        }
        errno == 0
    }

    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<MetricId, HostError> {
        let kind = match kind {
            MetricKind::Counter => 0,
            MetricKind::Gauge => 1,
            MetricKind::Histogram => 2,
        };
        let mut id = 0;
        // SAFETY: the host reads `name` and writes one word at `id`.
        ok(unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) })?;
        Ok(MetricId(id))
    }

    fn increment_metric(&self, metric: MetricId, by: i64) -> Result<(), HostError> {
        // SAFETY: no memory is passed.
        ok(unsafe { proxy_increment_metric(metric.0, by) })
    }

    fn record_metric(&self, metric: MetricId, value: u64) -> Result<(), HostError> {
        // SAFETY: no memory is passed.
        ok(unsafe { proxy_record_metric(metric.0, value) })
    }

    fn shared_data(&self, key: &[u8]) -> Result<(Vec<u8>, u32), HostError> {
        let mut cas = 0;
        // SAFETY: the host reads `key` and writes one word at `cas`; the other places are valid, as
        // `received` promises.
        let value = received(|data, size| unsafe {
            proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut cas)
        })?;
        Ok((value, cas))
    }

    fn set_shared_data(&self, key: &[u8], value: &[u8], cas: u32) -> Result<(), HostError> {
        // SAFETY: the host reads the given number of bytes of `key` and of `value`.
        ok(unsafe {
            proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas)
        })
    }

    fn call(&self, call: &HttpCall<'_>) -> Result<CallToken, HostError> {
        thread_local! {
            static HAS_CALLS: OnceCell<Result<(), HostError>> = const { OnceCell::new() };
        }
        // The SDK must send it: its dispatcher traps at an answer that it does not expect. It also
        // traps where the host does not have the call, which a call to nobody tells beforehand.
        HAS_CALLS.with(|has| *has.get_or_init(|| calls_are_known()))?;
        let HttpCall {
            upstream,
            headers,
            body,
            timeout_ms,
        } = call;
        let timeout = Duration::from_millis(u64::from(*timeout_ms));
        let headers = headers.to_vec();
        match dispatch_http_call(upstream, headers, Some(body), Vec::new(), timeout) {
            Ok(token) => Ok(CallToken(token)),
            Err(Status::BadArgument) => Err(HostError::BadArgument),
            Err(_) => Err(HostError::Other(10)),
        }
    }

    fn set_effective_context(&self, context: u32) -> Result<(), HostError> {
        // SAFETY: no memory is passed.
        ok(unsafe { proxy_set_effective_context(context) })
    }

    fn set_tick_period(&self, milliseconds: u32) -> Result<(), HostError> {
        // SAFETY: no memory is passed.
        ok(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        let (mut count, mut size) = (0, 0);
        // SAFETY: both are valid places for one word.
        let errno = unsafe { environ_sizes_get(&raw mut count, &raw mut size) };
        if errno != 0 {
            return None;
        }
        let mut places: Vec<*const u8> = vec![null_mut(); count];
        let mut bytes = vec![0; size];
        // SAFETY: the host writes `count` addresses and `size` bytes, for which there is room.
        let errno = unsafe { environ_get(places.as_mut_ptr(), bytes.as_mut_ptr()) };
        if errno != 0 {
            return None;
        }
        // Entries are `NAME=value` and end with NUL: no address needs to be followed.
        let mut entries = bytes.split(|&byte| byte == 0);
        entries.find_map(|entry| {
            let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            Some(value.to_vec())
        })
    }

    fn plugin_configuration(&self, size: usize) -> Result<Vec<u8>, HostError> {
        if size == 0 {
            return Ok(Vec::new());
        }
        let bytes = buffer(PLUGIN_CONFIGURATION, 0, size)?;
        if bytes.len() == size {
            Ok(bytes)
        } else {
            Err(HostError::Malformed)
        }
    }
}

impl ProxyHost {
    /// The configuration that the module is being packed with, whose size nobody tells.
    ///
    /// # Errors
    /// The host failed to give it.
    pub(super) fn configuration_to_pack(self) -> Result<Vec<u8>, HostError> {
        buffer(PLUGIN_CONFIGURATION, 0, usize::MAX)
    }
}

/// Whether the host knows `proxy_http_call`.
fn calls_are_known() -> Result<(), HostError> {
    let (nothing, mut token) = ([0; 4], 0);
    // SAFETY: an empty text, a map and a map of no entries; the host writes one word at `token`.
    let status = unsafe {
        proxy_http_call(
            nothing.as_ptr(),
            0,
            nothing.as_ptr(),
            nothing.len(),
            nothing.as_ptr(),
            0,
            nothing.as_ptr(),
            nothing.len(),
            1,
            &raw mut token,
        )
    };
    match HostError::from_status(status) {
        // Nobody has an upstream without a name.
        Some(HostError::BadArgument | HostError::Other(10)) => Ok(()),
        Some(error) => Err(error),
        None => Err(HostError::Malformed),
    }
}

fn ok(status: u32) -> Result<(), HostError> {
    HostError::from_status(status).map_or(Ok(()), Err)
}

fn buffer(number: u32, start: usize, length: usize) -> Result<Vec<u8>, HostError> {
    // SAFETY: both places are valid for one word, as `received` promises.
    received(|data, size| unsafe { proxy_get_buffer_bytes(number, start, length, data, size) })
}

/// Takes over the bytes that a call hands over. Both arguments of `call` are valid for one word.
fn received(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, HostError> {
    let mut data: *mut u8 = null_mut();
    let mut size = 0;
    ok(call(&raw mut data, &raw mut size))?;
    if data.is_null() || size == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the host got these `size` bytes from the allocation function that the SDK exports,
    // which makes a boxed byte slice of exactly that length, wrote them all, and gave them up.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

fn map_number(map: HeaderMap) -> u32 {
    match map {
        HeaderMap::Request => 0,
        HeaderMap::Response => 2,
        HeaderMap::CallResponse => 6,
    }
}

/// The number of a stream, which is also that of its body's buffer.
fn stream_number(direction: Direction) -> u32 {
    match direction {
        Direction::Request => 0,
        Direction::Response => 1,
    }
}
