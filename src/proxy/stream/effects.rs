//! What rules change in messages that pass: headers, and bodies while their head is held.
//!
//! A length that changes after the head has gone on hangs the client, or puts bytes in front of
//! the next request of the connection. So a body is changed only while its head waits, and the
//! head then says the new length.

use super::collect::PIECE;
use super::{Direction, Stream};
use crate::proxy::denial::Denial;
use crate::proxy::holding::Head;
use crate::proxy::host::{HeaderMap, Host, HostError, LocalReply, Place};
use crate::proxy::inspect::{Inspect, Rules};
use crate::proxy::log;
use crate::proxy::message;
use crate::proxy::pairs::Pairs;
use crate::proxy::settings::AcceptEncoding;

/// Headers that a body which is not the backend's makes wrong: digests of it, and the offer of
/// its parts.
const OUTDATED: [&str; 5] = [
    "content-md5",
    "digest",
    "content-digest",
    "repr-digest",
    "accept-ranges",
];

impl<R: Rules> Stream<R> {
    /// Takes accept-encoding off a request where the rules or the plugin configuration say so.
    pub(super) fn edit_request_head(&self, host: &dyn Host) {
        let by_rules = self
            .transaction
            .as_deref()
            .is_some_and(Inspect::wants_plain_response);
        if by_rules || self.filter.settings().accept_encoding == AcceptEncoding::Remove {
            // Should this fail, the response may come encoded and is inspected as it is.
            let _: Result<(), HostError> =
                host.remove_header(HeaderMap::Request, "accept-encoding");
        }
    }

    /// Writes SecServerSignature into the head of a response.
    pub(super) fn edit_response_head(&self, host: &dyn Host) {
        if let Some(signature) = self.server_signature() {
            // It is a disguise, no verdict: a response passes without it.
            let _: Result<(), HostError> =
                host.set_header(HeaderMap::Response, "server", signature);
        }
    }

    /// The answer of a denial, under SecServerSignature as well.
    pub(super) fn denial_reply(&self, denial: &Denial) -> LocalReply {
        let (unique_id, request_id) = self.names();
        let mut reply = self.page.reply(denial, &unique_id, request_id);
        let says_server = reply
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(b"server"));
        if let Some(signature) = self.server_signature().filter(|_| !says_server) {
            let header = (b"server".to_vec(), signature.to_vec());
            reply.headers.push(header);
        }
        reply
    }

    fn server_signature(&self) -> Option<&[u8]> {
        self.transaction.as_ref()?.server_signature()
    }

    /// Changes a body that the host keeps as the rules want it, and its head to fit. `end`: the
    /// host keeps all of it.
    pub(super) fn edit_body(
        &self,
        host: &dyn Host,
        direction: Direction,
        end: bool,
    ) -> Result<(), HostError> {
        let Some(transaction) = &self.transaction else {
            return Ok(());
        };
        let replaced = transaction.replaced_body(direction);
        let (prepend, append) = match direction {
            Direction::Request => (&[][..], &[][..]),
            Direction::Response => {
                let edits = transaction.response_edits();
                (&edits.prepend[..], &edits.append[..])
            }
        };
        if replaced.is_none() && prepend.is_empty() && append.is_empty() {
            return Ok(());
        }
        let tell = |why: &str| log::unchanged(host, direction, why, &self.ids());
        if !self
            .head(direction)
            .is_some_and(|head| head.get() == Head::Held)
        {
            tell("its head is not held");
            return Ok(());
        }
        let map = match direction {
            Direction::Request => HeaderMap::Request,
            Direction::Response => HeaderMap::Response,
        };
        let head = host.headers(map)?;
        if let Some(why) = self.unchangeable(direction, &head) {
            tell(why);
            return Ok(());
        }
        let append = if end {
            append
        } else {
            if !append.is_empty() {
                tell("it goes on beyond its limit, so that nothing can be put behind it");
            }
            &[]
        };
        let mut added = prepend.len().saturating_add(append.len());
        let mut removed = 0;
        if let Some(replaced) = replaced {
            let mut whole = replaced.bytes.clone();
            rest_of_body(host, direction, replaced.replaces, &mut whole)?;
            host.set_body(direction, Place::Whole, &whole)?;
            added = added.saturating_add(replaced.bytes.len());
            removed = replaced.replaces;
        }
        for (place, bytes) in [(Place::Front, prepend), (Place::Back, append)] {
            if !bytes.is_empty() {
                host.set_body(direction, place, bytes)?;
            }
        }
        refit(host, map, &head, removed, added)
    }

    /// Why a body has to stay as it is, if it has to.
    fn unchangeable(&self, direction: Direction, head: &Pairs) -> Option<&'static str> {
        let encoded = head
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"))
            .any(|(_, value)| !value.trim_ascii().eq_ignore_ascii_case(b"identity"));
        if encoded {
            return Some("it is encoded");
        }
        match direction {
            Direction::Request => matches!(
                self.request,
                super::Side::Collect(body) if body.ends_in_tunnel()
            )
            .then_some("a tunnel follows it"),
            Direction::Response if self.is_head => Some("it answers a HEAD request"),
            Direction::Response => match message::Response::new(head) {
                Ok(response) if matches!(response.status, 100..=199 | 204 | 206 | 304) => {
                    Some("its status means that it is none, or a part of one")
                }
                Ok(response) if response.is_grpc() => Some("it is gRPC"),
                _ => None,
            },
        }
    }
}

/// Adds what the host keeps of a body from a place on.
fn rest_of_body(
    host: &dyn Host,
    direction: Direction,
    from: usize,
    whole: &mut Vec<u8>,
) -> Result<(), HostError> {
    let mut at = from;
    loop {
        let piece = host.body(direction, at, PIECE)?;
        if piece.is_empty() {
            return Ok(());
        }
        at = at.saturating_add(piece.len());
        whole.extend_from_slice(&piece);
    }
}

/// Makes a head fit a body that lost and gained some bytes.
fn refit(
    host: &dyn Host,
    map: HeaderMap,
    head: &Pairs,
    removed: usize,
    added: usize,
) -> Result<(), HostError> {
    if let Some(length) = head.first(b"content-length") {
        let length = message::decimal(length)
            .and_then(|length| length.checked_sub(removed))
            .and_then(|length| length.checked_add(added));
        match length {
            Some(length) => {
                host.set_header(map, "content-length", length.to_string().as_bytes())?;
            }
            None => host.remove_header(map, "content-length")?,
        }
    }
    for name in OUTDATED {
        if head.first(name.as_bytes()).is_some() {
            host.remove_header(map, name)?;
        }
    }
    // A weak validator promises the same meaning, not the same bytes.
    if map == HeaderMap::Response
        && let Some(tag) = head.first(b"etag")
        && !tag.starts_with(b"W/")
    {
        host.set_header(map, "etag", &[b"W/", tag].concat())?;
    }
    Ok(())
}
