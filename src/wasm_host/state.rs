//! What one VM's imports work on.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use wasmtime::{Memory, StoreLimits, TypedFunc};

use super::settings::{LogLevel, LogLine, Settings};
use super::stream::Stream;

/// Kinds of metrics, as the ABI numbers them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Takes samples; the value kept is their number.
    Histogram,
}

/// One metric of the filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metric {
    /// Its kind.
    pub kind: MetricKind,
    /// Count, level, or number of samples.
    pub value: u64,
}

/// What the VMs of one `vm_id` share: data with compare-and-swap numbers, and queues.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Values with their CAS numbers; numbers start at 1, 0 stands for "whatever is there".
    pub(super) data: HashMap<Vec<u8>, (Vec<u8>, u32)>,
    /// Queues by number (from 1), with the vm_id and name they were registered under.
    pub(super) queues: Vec<Queue>,
}

/// One shared queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) vm_id: Vec<u8>,
    pub(super) name: Vec<u8>,
    pub(super) messages: VecDeque<Vec<u8>>,
}

/// Imports that fail.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// Which; any without a name.
    pub(super) import: Option<String>,
    /// The number of the only call that fails; all without one.
    pub(super) call: Option<u64>,
    /// What it answers.
    pub(super) status: u32,
}

/// What one VM's imports work on.
pub(super) struct State {
    pub(super) settings: Rc<Settings>,
    pub(super) limits: StoreLimits,
    pub(super) memory: Option<Memory>,
    /// `proxy_on_memory_allocate` or `malloc`.
    pub(super) allocate: Option<TypedFunc<u32, u32>>,
    pub(super) log: Vec<LogLine>,
    pub(super) metrics: BTreeMap<String, Metric>,
    /// Metric ids are positions here; a name defined twice has two ids.
    pub(super) metric_ids: Vec<String>,
    pub(super) shared: Rc<RefCell<Shared>>,
    /// Milliseconds between ticks; 0 is never.
    pub(super) tick_period: u32,
    /// The context that imports act on.
    pub(super) context: u32,
    pub(super) streams: BTreeMap<u32, Stream>,
    /// `proxy_done` was called.
    pub(super) done: bool,
    /// The plugin configuration as it is now.
    pub(super) configuration: Vec<u8>,
    /// The import that fails, if one is to.
    pub(super) fault: Option<Fault>,
    /// Imports called so far, where [`Settings::faults`] counts them.
    pub(super) calls: u64,
    random: u64,
}

impl State {
    pub(super) fn new(settings: Rc<Settings>) -> Self {
        let limits = wasmtime::StoreLimitsBuilder::new()
            .memory_size(settings.memory_limit)
            .build();
        Self {
            limits,
            memory: None,
            allocate: None,
            log: Vec::new(),
            metrics: BTreeMap::new(),
            metric_ids: Vec::new(),
            shared: Rc::default(),
            tick_period: 0,
            context: 0,
            streams: BTreeMap::new(),
            done: false,
            configuration: settings.configuration.clone(),
            fault: None,
            calls: 0,
            random: settings.seed | 1,
            settings,
        }
    }

    /// Counts a call of an import; its status if it is to fail.
    pub(super) fn enter(&mut self, import: &str) -> Option<u32> {
        let number = self.calls;
        self.calls = number.saturating_add(1);
        let fault = self.fault.as_ref()?;
        let meant = fault.import.as_ref().is_none_or(|name| name == import)
            && fault.call.is_none_or(|call| call == number);
        meant.then_some(fault.status)
    }

    /// Writes a line to the proxy's log, if its level is wanted.
    pub(super) fn log(&mut self, level: LogLevel, text: Vec<u8>) {
        if level >= self.settings.log_level {
            self.log.push(LogLine {
                level,
                context: self.context,
                text,
            });
        }
    }

    /// The stream that imports act on; `None` in the root context.
    pub(super) fn stream(&self) -> Option<&Stream> {
        self.streams.get(&self.context)
    }

    /// See [`State::stream`].
    pub(super) fn stream_mut(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(&self.context)
    }

    /// The next pseudo random byte (xorshift64*); repeatable, which tests want, and not secret.
    pub(super) fn random_byte(&mut self) -> u8 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let [.., top] = self
            .random
            .wrapping_mul(0x2545_f491_4f6c_dd1d)
            .to_le_bytes();
        top
    }
}
