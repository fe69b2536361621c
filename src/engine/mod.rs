//! The engine: a [`Transaction`] takes one request and its response through the five phases.
//!
//! [`Waf`] holds the compiled rules and the search state that all transactions of a VM share. The
//! engine takes the time from a [`Clock`], writes nothing, and never calls upward: each step
//! returns what the host is to do, and the matches to log are there for the taking.

mod api;
mod audit;
mod collection;
mod effects;
mod evaluate;
mod gates;
mod held;
mod known;
mod mask;
mod memo;
mod names;
mod perf;
mod prospects;
mod record;
mod repeats;
mod request;
mod request_body;
mod response;
mod rows;
mod scans;
mod scratch;
mod selects;
mod sensitive;
mod sharing;
mod spare;
mod state;
mod store;
mod target;
mod time;
mod trace;
mod transaction;
mod values;
mod work;

pub use api::{
    BodyEdits, BodyPlan, Clock, Connection, Disposition, Endpoint, Interruption, LimitsReached,
    LogContext, ReplacedBody, RequestHead, ResponseHead, RuleMatch, Step, UniqueId, UnixNanos,
};
pub use audit::KeptBody;
pub use collection::{CollectionStore, MemoryCollections, Retention, Standing, StoredRecord};
pub use mask::{Extent, Masked, MaskedPart};
pub use record::Record;
pub use scratch::Ablation;
pub use sensitive::REDACTED;
pub use time::LocalTime;
pub use trace::{Asked, Evaluation};
pub use transaction::{Transaction, Waf};

#[cfg(test)]
mod tests;
