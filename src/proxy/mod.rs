//! The filter: a proxy-wasm host's callbacks in, decisions out.
//!
//! [`Stream`] is the state machine of one request and its response over a [`Host`] and the engine
//! ([`Rules`], [`Inspect`]); it runs natively in tests and under any host. [`Filter`] is what a
//! configured plugin keeps between streams. Only the modules that exist on WASI alone know the ABI:
//! the entry points and the raw host calls.

mod audit;
mod authority;
mod collections;
mod collector;
mod config;
mod debug;
mod delay;
mod denial;
#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a fake may overflow: the test then fails"
)]
mod fake;
mod files;
mod filter;
mod holding;
mod host;
#[cfg(target_os = "wasi")]
mod hostcalls;
mod identity;
mod inspect;
mod log;
#[cfg(target_os = "wasi")]
mod memory;
mod message;
mod metrics;
mod packed;
mod pairs;
mod programs;
mod selection;
mod settings;
mod setup;
mod shadow;
mod stream;
mod vm;
mod waf;
#[cfg(target_os = "wasi")]
mod wasm;

pub use authority::Authorities;
pub use config::{
    AUDIT_LOG_KEYS, DEBUG_HEADER_KEYS, DENIAL_KEYS, KEYS, METADATA_KEYS, OVERLAY_KEYS,
    PROFILE_KEYS, PluginConfig, Problems, Profile, STRICTEST,
};
pub use denial::{Denial, DenialChange, DenialPage, PageText};
pub use files::PluginFiles;
pub use filter::Filter;
pub use holding::{HoldHeaders, Holding};
pub use host::{Direction, HeaderMap, Host, HostError, Level, LocalReply, MetricId, MetricKind};
pub use inspect::{Inspect, Rules};
pub use metrics::Metrics;
pub use packed::{Packed, pack};
pub use pairs::Pairs;
pub use programs::Programs;
pub use selection::{Choice, Doubt, MetadataOf, ProfileMetadata, Routes, Selection};
pub use settings::{AcceptEncoding, FilterState, Grpc, OnError, Scores, Settings};
pub use shadow::{ShadowVerdict, Shadowed, ShadowedTransaction};
pub use stream::{Flow, Stream};
pub use vm::Vm;
pub use waf::configure;
