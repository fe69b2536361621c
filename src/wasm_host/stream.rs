//! One HTTP stream as the filter sees it: header maps, buffers, and when they can be read.

use std::collections::BTreeMap;

use super::Pairs;
use super::exchange::LocalReply;

/// The callback a stream is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Callback {
    #[default]
    /// None: between callbacks, or in one without access to anything.
    Outside,
    /// Headers of the direction.
    Headers(Direction),
    /// A piece of body.
    Body(Direction),
    /// Trailers.
    Trailers(Direction),
    /// `on_log`: both heads can be read again.
    Log,
}

/// Request or response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    Request,
    Response,
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) headers: Pairs,
    pub(super) trailers: Pairs,
    /// What `get_buffer` sees.
    pub(super) body: Vec<u8>,
    /// The header callback paused and the proxy holds the head: it stays readable.
    pub(super) head_held: bool,
    /// The filter called `continue_stream` outside this direction's callbacks.
    pub(super) resumed: bool,
}

/// One stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) request: Side,
    pub(super) response: Side,
    pub(super) callback: Callback,
    pub(super) local_reply: Option<LocalReply>,
    /// The filter closed the stream.
    pub(super) closed: bool,
    /// What the client was sent, for `response.code` and `response.code_details`.
    pub(super) status: Option<u16>,
    pub(super) details: Option<Vec<u8>>,
    /// Properties the filter set.
    pub(super) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    /// `source.address` and the like.
    pub(super) source: Vec<u8>,
    pub(super) destination: Vec<u8>,
    pub(super) protocol: Vec<u8>,
    pub(super) started: u64,
}

/// A header map of the ABI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Map {
    Headers(Direction),
    Trailers(Direction),
}

impl Map {
    /// The map of an ABI number, as far as a stream has it.
    pub(super) const fn from_abi(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Headers(Direction::Request),
            1 => Self::Trailers(Direction::Request),
            2 => Self::Headers(Direction::Response),
            3 => Self::Trailers(Direction::Response),
            _ => return None,
        })
    }
}

impl Stream {
    pub(super) fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }

    pub(super) fn side_mut(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Whether the head of a direction can be read now: in its own callback, while the proxy holds
    /// it, and in `on_log`.
    pub(super) fn head_readable(&self, direction: Direction) -> bool {
        self.callback == Callback::Headers(direction)
            || self.callback == Callback::Log
            || (self.side(direction).head_held && self.callback != Callback::Outside)
    }

    /// A header map, if it can be read now.
    pub(super) fn map(&self, map: Map) -> Option<&Pairs> {
        match map {
            Map::Headers(direction) => self
                .head_readable(direction)
                .then(|| &self.side(direction).headers),
            Map::Trailers(direction) => (self.callback == Callback::Trailers(direction)
                || self.callback == Callback::Log)
                .then(|| &self.side(direction).trailers),
        }
    }

    /// A header map, if it can be changed now.
    pub(super) fn map_mut(&mut self, map: Map) -> Option<&mut Pairs> {
        if self.callback == Callback::Log {
            return None;
        }
        self.map(map)?;
        Some(match map {
            Map::Headers(direction) => &mut self.side_mut(direction).headers,
            Map::Trailers(direction) => &mut self.side_mut(direction).trailers,
        })
    }

    /// The body buffer of a direction, if it can be read and changed now.
    pub(super) fn buffer_mut(&mut self, direction: Direction) -> Option<&mut Vec<u8>> {
        let open = self.callback == Callback::Body(direction)
            || self.callback == Callback::Trailers(direction);
        open.then(|| &mut self.side_mut(direction).body)
    }
}

/// The first value of a name; names compare without case, and `host` stands for `:authority`.
pub(super) fn first<'a>(pairs: &'a Pairs, name: &[u8]) -> Option<&'a [u8]> {
    let name = alias(name);
    pairs
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
}

/// Envoy keeps Host only as `:authority`.
pub(super) fn alias(name: &[u8]) -> &[u8] {
    if name.eq_ignore_ascii_case(b"host") {
        b":authority"
    } else {
        name
    }
}
