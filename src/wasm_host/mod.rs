//! A proxy-wasm host for tests and benchmarks: it loads a compiled filter under wasmtime and plays
//! the proxy around it.
//!
//! It speaks ABI 0.2.1 with every import that the Rust SDK 0.2.5 declares, and follows Envoy where
//! hosts differ: when header maps can be read, what a paused stream buffers, what a local reply
//! does in each phase. It is *not* a proxy: no sockets, one exchange at a time, and calls to other
//! services answer `BadArgument`, as Envoy does for an unknown cluster.
//!
//! ```text
//! Module   compiled code, shared by many VMs            module
//! Plugin   one VM with one root context                 plugin
//! Exchange request in, what the filter did out          exchange, run
//! Scene    callbacks in any order, failing imports      script
//! Packed   a module that begins configured              pack
//! ```
//!
//! Traps and refused configurations are values ([`HostError`]); a VM that trapped stays dead, as
//! in a proxy.

mod exchange;
mod guest;
mod imports;
mod module;
mod pack;
mod pairs;
mod plugin;
mod properties;
mod run;
mod script;
mod settings;
mod state;
mod stream;

pub use exchange::{Exchange, Incoming, LocalReply, Outcome, Reply, Response, UpstreamRequest};
pub use module::Module;
pub use pack::{Packed, pack};
pub use plugin::Plugin;
pub use script::{Cue, Scene, Told};
pub use settings::{Clock, LogLevel, LogLine, ManualClock, Settings, SystemClock};
pub use state::{Metric, MetricKind};

/// Header names and values in order; pseudo headers such as `:path` are part of it.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Why the host cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostError {
    /// The bytes are no module this engine can compile.
    Compile(String),
    /// The module imports what no proxy-wasm host offers, each as `module.name`.
    MissingImports(Vec<String>),
    /// The module lacks an export that the ABI needs.
    MissingExport(String),
    /// The filter refused to start or refused its configuration; the log says why.
    Refused {
        /// The callback that answered `false`.
        callback: &'static str,
        /// The log lines at warning and above, in order.
        log: Vec<String>,
    },
    /// The filter called an import, `module.name`, while it was packed.
    ForbiddenImport(String),
    /// The module cannot be packed for another reason.
    Pack(String),
    /// The filter trapped in a callback. The VM is dead from here on.
    Trap {
        /// The callback it happened in.
        callback: &'static str,
        /// What wasmtime says about it.
        message: String,
    },
}

impl std::fmt::Display for HostError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Compile(message) => write!(out, "the module cannot be compiled: {message}"),
            Self::MissingImports(names) => {
                write!(
                    out,
                    "the module needs imports that no host offers: {}",
                    names.join(", ")
                )
            }
            Self::MissingExport(name) => write!(out, "the module has no export `{name}`"),
            Self::Refused { callback, log } => {
                write!(out, "the filter refused in {callback}")?;
                log.iter().try_for_each(|line| write!(out, "\n{line}"))
            }
            Self::ForbiddenImport(name) => write!(
                out,
                "the filter called {name} while it was packed: a packed module must not depend on \
                 what a host answers, the time or chance"
            ),
            Self::Pack(message) => write!(out, "the module cannot be packed: {message}"),
            Self::Trap { callback, message } => {
                write!(out, "the filter trapped in {callback}: {message}")
            }
        }
    }
}

impl std::error::Error for HostError {}
