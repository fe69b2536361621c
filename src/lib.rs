//! Parapet: a web application firewall for proxy-wasm hosts.
//!
//! One engine speaks ModSecurity's rule language (SecLang), runs natively and inside a proxy-wasm
//! sandbox, and takes everything it needs (time, randomness, files) as arguments or ports.
//!
//! Layers, each importing only what stands below it:
//!
//! ```text
//! L4 hosts      proxy (the only place that knows proxy-wasm), cli, wasm_host (it under wasmtime)
//! L3 engine     Transaction: phases, evaluation, verdict;  audit: records to text;  reference: help
//! L2 language   seclang (text to AST), program (immutable compiled rules), compile (AST to Program)
//! L1 parts      transform, matching, operator, variable, template, action, body, http
//! L0 leaves     bytes, diagnostic, limits, work, rules (the embedded rule files), allocations (for benchmarks)
//! ```

#[cfg(any(feature = "cli", feature = "allocation-counts"))]
pub mod allocations;
pub mod bytes;
pub mod diagnostic;
pub mod limits;
pub mod rules;
pub mod work;

pub mod action;
pub mod body;
pub mod http;
pub mod matching;
pub mod operator;
pub mod template;
pub mod transform;
pub mod variable;

pub mod compile;
pub mod program;
pub mod seclang;

pub mod audit;
pub mod engine;
pub mod reference;

#[cfg(feature = "cli")]
pub mod cli;
pub mod proxy;
#[cfg(feature = "wasm-host")]
pub mod wasm_host;
