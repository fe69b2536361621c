//! Actions: what a rule does besides matching.
//!
//! One line of the table each; what takes more than a line to read has a file of its own. An
//! action is read when rules are loaded and carried out by the engine.

mod collection;
mod ctl;
mod mask;
mod parse;
mod setvar;
mod table;

pub use collection::{DeprecateVar, ExpireVar, InitCol, VarName};
pub use ctl::{Ctl, RuleSpec, SwitchMode, XmlArgs};
pub use mask::Mask;
pub use parse::{Action, ActionError, AllowScope, Disruptive, Edge, TransformStep, parse};
pub use setvar::{Change, SetVar};
pub use table::{Def, Group, Name, Placement};

/// One of the five phases.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Phase {
    /// Phase 1: the request head is there.
    RequestHeaders = 1,
    /// Phase 2: the request body is there.
    RequestBody,
    /// Phase 3: the response head is there.
    ResponseHeaders,
    /// Phase 4: the response body is there.
    ResponseBody,
    /// Phase 5: everything is over; nothing can be stopped.
    Logging,
}

impl Phase {
    /// All five, in order.
    pub const ALL: [Self; 5] = [
        Self::RequestHeaders,
        Self::RequestBody,
        Self::ResponseHeaders,
        Self::ResponseBody,
        Self::Logging,
    ];

    /// 1 to 5.
    pub const fn number(self) -> u8 {
        match self {
            Self::RequestHeaders => 1,
            Self::RequestBody => 2,
            Self::ResponseHeaders => 3,
            Self::ResponseBody => 4,
            Self::Logging => 5,
        }
    }

    /// 0 to 4, for tables of five.
    pub const fn index(self) -> usize {
        match self {
            Self::RequestHeaders => 0,
            Self::RequestBody => 1,
            Self::ResponseHeaders => 2,
            Self::ResponseBody => 3,
            Self::Logging => 4,
        }
    }

    /// Reads `1` to `5`, `request`, `response`, `logging`; also `0`, which in v3 is before the
    /// request head, and here the earliest phase.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        match name.to_ascii_lowercase().as_slice() {
            b"0" | b"1" => Some(Self::RequestHeaders),
            b"2" | b"request" => Some(Self::RequestBody),
            b"3" => Some(Self::ResponseHeaders),
            b"4" | b"response" => Some(Self::ResponseBody),
            b"5" | b"logging" => Some(Self::Logging),
            _ => None,
        }
    }
}
