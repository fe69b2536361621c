//! What a VM is started with.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Where the filter's clocks come from.
pub trait Clock {
    /// Nanoseconds since 1970-01-01 00:00 UTC.
    fn wall(&self) -> u64;
    /// Nanoseconds since some fixed moment; never runs backwards.
    fn monotonic(&self) -> u64;
    /// Lets time pass while the proxy has nothing to do.
    fn pass(&self, nanoseconds: u64);
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic side starts at zero.
    #[expect(
        clippy::disallowed_methods,
        reason = "the host is where the time comes from"
    )]
    pub fn new() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the host is where the time comes from"
    )]
    fn wall(&self) -> u64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
            })
    }

    fn monotonic(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn pass(&self, nanoseconds: u64) {
        std::thread::sleep(std::time::Duration::from_nanos(nanoseconds));
    }
}

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: Cell<u64>,
}

impl ManualClock {
    /// A clock at `now` nanoseconds.
    pub fn at(now: u64) -> Self {
        Self {
            now: Cell::new(now),
        }
    }

    /// Moves it forward.
    pub fn advance(&self, nanoseconds: u64) {
        self.now.set(self.now.get().saturating_add(nanoseconds));
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> u64 {
        self.now.get()
    }

    fn monotonic(&self) -> u64 {
        self.now.get()
    }

    fn pass(&self, nanoseconds: u64) {
        self.advance(nanoseconds);
    }
}

/// Levels of the proxy's log, as the ABI numbers them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum LogLevel {
    /// 0
    Trace,
    /// 1
    Debug,
    /// 2
    Info,
    /// 3
    Warn,
    /// 4
    Error,
    /// 5
    Critical,
}

impl LogLevel {
    /// The level of an ABI number.
    pub const fn from_abi(level: u32) -> Option<Self> {
        Some(match level {
            0 => Self::Trace,
            1 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            5 => Self::Critical,
            _ => return None,
        })
    }

    /// The ABI number.
    pub const fn abi(self) -> u32 {
        match self {
            Self::Trace => 0,
            Self::Debug => 1,
            Self::Info => 2,
            Self::Warn => 3,
            Self::Error => 4,
            Self::Critical => 5,
        }
    }
}

/// One line the filter wrote to the proxy's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// Its level.
    pub level: LogLevel,
    /// The context that wrote it: the root or a stream.
    pub context: u32,
    /// The bytes as written.
    pub text: Vec<u8>,
}

/// What a VM is started with.
#[derive(Clone)]
pub struct Settings {
    /// The plugin configuration, as the proxy delivers it.
    pub configuration: Vec<u8>,
    /// The VM configuration.
    pub vm_configuration: Vec<u8>,
    /// `plugin_name`.
    pub plugin_name: String,
    /// `plugin_root_id`.
    pub root_id: String,
    /// `plugin_vm_id`.
    pub vm_id: String,
    /// The WASI environment.
    pub environment: Vec<(String, String)>,
    /// Envoy's `allow_on_headers_stop_iteration`: a paused header callback still lets the body
    /// come. Without it a pause holds everything until the filter resumes the stream.
    pub holds_headers: bool,
    /// The most a paused stream buffers, in bytes, per direction.
    pub buffer_limit: usize,
    /// Lines below it are dropped; the filter can ask for it.
    pub log_level: LogLevel,
    /// The clocks.
    pub clock: Rc<dyn Clock>,
    /// Start of the pseudo random numbers that WASI hands out.
    pub seed: u64,
    /// The most linear memory a VM may take, in bytes. Envoy's limit is 1 GiB.
    pub memory_limit: usize,
    /// Imports can be made to fail and are counted ([`super::Plugin::fail`]); this costs time.
    pub faults: bool,
    /// Properties beside those that the host derives from an exchange, by path joined with `.`.
    pub properties: BTreeMap<String, Vec<u8>>,
}

impl Settings {
    /// Settings of a proxy that holds headers, with everything else at Envoy's defaults.
    pub fn new(configuration: impl Into<Vec<u8>>) -> Self {
        Self {
            configuration: configuration.into(),
            vm_configuration: Vec::new(),
            plugin_name: "parapet".to_owned(),
            root_id: "parapet".to_owned(),
            vm_id: "parapet".to_owned(),
            environment: Vec::new(),
            holds_headers: true,
            buffer_limit: 1 << 20,
            log_level: LogLevel::Info,
            clock: Rc::new(SystemClock::new()),
            seed: 0x5eed,
            memory_limit: 1 << 30,
            faults: false,
            properties: BTreeMap::new(),
        }
    }
}
