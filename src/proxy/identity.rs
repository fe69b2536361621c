//! Who the client is, as far as it cannot be forged.
//!
//! With Envoy's defaults the source address comes from X-Forwarded-For, so a client can name
//! itself 127.0.0.1, and a rule set that trusts the loopback (CRS 905110) switches itself off.
//! Envoy gives such an address the port 0. An address from a header counts only where the
//! operator says so, and a loopback from a header never does.

use std::net::{IpAddr, SocketAddr};

use super::host::Host;
use crate::engine::{Connection, Endpoint};

/// Most bytes kept of a request's own name.
const LONGEST_ID: usize = 256;

/// The client as the host names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    /// The host gives no address (or none of IP).
    Unknown,
    /// The peer of the connection, or a forwarded address that the operator trusts.
    Known(Endpoint),
    /// An address that a header may have brought in; not to be believed.
    Untrusted(IpAddr),
}

/// Reads both ends of the connection. `forwarded_trusted` says that headers which name the client
/// come from proxies of our own; `request_id` is the `x-request-id` of the request, if it has one.
///
/// The name of the transaction is random: the request's own name may be the client's choice, and
/// rules take what is in UNIQUE_ID for random (CRS samples by it).
pub fn connection(
    host: &dyn Host,
    forwarded_trusted: bool,
    request_id: &[u8],
) -> (Connection, Client) {
    let client = client(endpoint(host, "source"), forwarded_trusted);
    let connection = Connection {
        client: match client {
            Client::Known(endpoint) => Some(endpoint),
            Client::Unknown | Client::Untrusted(_) => None,
        },
        server: endpoint(host, "destination"),
        unique_id: hexadecimal(host.random()),
        request_id: request_id.iter().copied().take(LONGEST_ID).collect(),
    };
    (connection, client)
}

fn client(source: Option<Endpoint>, forwarded_trusted: bool) -> Client {
    match source {
        None => Client::Unknown,
        Some(source) if source.port != 0 => Client::Known(source),
        Some(source) if forwarded_trusted && !source.address.is_loopback() => Client::Known(source),
        Some(source) => Client::Untrusted(source.address),
    }
}

/// `source` or `destination`: the address property carries the port in Envoy; other hosts give
/// the bare address and the port as a property of its own.
fn endpoint(host: &dyn Host, end: &str) -> Option<Endpoint> {
    let text = host.property(&[end, "address"])?;
    let text = std::str::from_utf8(&text).ok()?.trim();
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(Endpoint {
            address: address.ip().to_canonical(),
            port: address.port(),
        });
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok()?.to_canonical();
    let port = host
        .property(&[end, "port"])
        .as_deref()
        .and_then(port)
        .unwrap_or(0);
    Some(Endpoint { address, port })
}

/// A port property: eight bytes little-endian in Envoy, digits elsewhere.
fn port(value: &[u8]) -> Option<u16> {
    if let Ok(text) = std::str::from_utf8(value)
        && let Ok(port) = text.parse::<u16>()
    {
        return Some(port);
    }
    let bytes = <[u8; 8]>::try_from(value).ok()?;
    u16::try_from(i64::from_le_bytes(bytes)).ok()
}

fn hexadecimal(bytes: [u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble))
            .copied()
            .map_or('0', char::from)
    };
    bytes
        .iter()
        .flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeHost;
    use super::*;

    fn client_of(address: &str, port: Option<&[u8]>, trusted: bool) -> Client {
        let host = FakeHost::default();
        host.set_fake_property(&["source", "address"], address.as_bytes());
        if let Some(port) = port {
            host.set_fake_property(&["source", "port"], port);
        }
        connection(&host, trusted, b"").1
    }

    fn known(address: &str, port: u16) -> Client {
        Client::Known(Endpoint {
            address: address.parse().unwrap(),
            port,
        })
    }

    #[test]
    fn a_peer_is_believed_and_a_header_only_on_demand() {
        let untrusted = |address: &str| Client::Untrusted(address.parse().unwrap());
        assert_eq!(
            client_of("127.0.0.1:41090", None, false),
            known("127.0.0.1", 41090)
        );
        assert_eq!(client_of("[::1]:60694", None, false), known("::1", 60694));
        assert_eq!(client_of("1.2.3.4:0", None, false), untrusted("1.2.3.4"));
        assert_eq!(client_of("1.2.3.4:0", None, true), known("1.2.3.4", 0));
        for loopback in [
            "127.0.0.1:0",
            "127.9.9.9:0",
            "[::1]:0",
            "[::ffff:127.0.0.1]:0",
        ] {
            let client = client_of(loopback, None, true);
            assert!(
                matches!(client, Client::Untrusted(_)),
                "{loopback}: {client:?}"
            );
        }
    }

    #[test]
    fn other_hosts_give_the_port_apart() {
        assert_eq!(
            client_of("10.0.0.9", Some(b"443"), false),
            known("10.0.0.9", 443)
        );
        assert_eq!(
            client_of("10.0.0.9", Some(&443_i64.to_le_bytes()), false),
            known("10.0.0.9", 443)
        );
        assert_eq!(client_of("::1", Some(b"80"), false), known("::1", 80));
        assert!(matches!(
            client_of("10.0.0.9", None, false),
            Client::Untrusted(_)
        ));
        assert!(matches!(
            client_of("10.0.0.9", Some(b"99999"), false),
            Client::Untrusted(_)
        ));
    }

    #[test]
    fn what_is_no_address_is_unknown() {
        for text in ["", "/var/run/socket", "@abstract", "client:80", "1.2.3.4:x"] {
            assert_eq!(client_of(text, None, true), Client::Unknown, "{text}");
        }
        assert_eq!(
            connection(&FakeHost::default(), true, b"").1,
            Client::Unknown
        );
    }

    #[test]
    fn the_unique_id_is_random_and_never_the_request_id() {
        let host = FakeHost::default();
        host.set_fake_property(&["request", "id"], b"chosen");
        let (first, _) = connection(&host, false, b"chosen");
        let (second, _) = connection(&host, false, b"chosen");
        assert_eq!(first.request_id, b"chosen");
        assert_ne!(first.unique_id, second.unique_id);
        assert_eq!(first.unique_id.len(), 32);
    }
}
