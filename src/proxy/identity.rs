//! Who the client is, as far as it cannot be forged.
//!
//! With Envoy's defaults the source address comes from X-Forwarded-For, so a client can name
//! itself 127.0.0.1, and a rule set that trusts the loopback (CRS 905110) switches itself off.
//! Envoy gives such an address the port 0. An address from a header counts only where the
//! operator says so, and a loopback from a header never does.

use std::net::{IpAddr, SocketAddr};

use super::host::Host;
use crate::engine::Endpoint;

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

/// Reads who the client is. `forwarded_trusted` says that headers which name the client come from
/// proxies of our own.
pub fn client(host: &dyn Host, forwarded_trusted: bool) -> Client {
    judge(endpoint(host, &SOURCE), forwarded_trusted)
}

/// Reads our end of the connection.
pub fn server(host: &dyn Host) -> Option<Endpoint> {
    endpoint(host, &DESTINATION)
}

/// As much of the name of a request as is kept: clients may choose it.
pub fn request_id(name: &[u8]) -> Vec<u8> {
    name.get(..LONGEST_ID).unwrap_or(name).to_vec()
}

fn judge(source: Option<Endpoint>, forwarded_trusted: bool) -> Client {
    match source {
        None => Client::Unknown,
        Some(source) if source.port != 0 => Client::Known(source),
        Some(source) if forwarded_trusted && !source.address.is_loopback() => Client::Known(source),
        Some(source) => Client::Untrusted(source.address),
    }
}

/// The properties of one end of the connection.
struct End {
    address: &'static str,
    port: &'static str,
}

const SOURCE: End = End {
    address: "source\0address",
    port: "source\0port",
};
const DESTINATION: End = End {
    address: "destination\0address",
    port: "destination\0port",
};

/// The address property carries the port in Envoy; other hosts give the bare address and the port
/// as a property of its own.
fn endpoint(host: &dyn Host, end: &End) -> Option<Endpoint> {
    let text = host.property(end.address)?;
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
        .property(end.port)
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
        client(&host, trusted)
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
        assert_eq!(client(&FakeHost::default(), true), Client::Unknown);
    }

    #[test]
    fn both_ends_are_read_alike() {
        let host = FakeHost::default();
        assert_eq!(server(&host), None);
        host.set_fake_property(&["destination", "address"], b"[2001:db8::1]:443");
        let end = server(&host).unwrap();
        assert_eq!(
            (end.address.to_string().as_str(), end.port),
            ("2001:db8::1", 443)
        );
        host.set_fake_property(&["destination", "address"], b"10.0.0.1");
        host.set_fake_property(&["destination", "port"], b"80");
        assert_eq!(server(&host).unwrap().port, 80);
    }

    #[test]
    fn the_name_of_a_request_is_cut() {
        assert_eq!(request_id(b"a"), b"a");
        assert_eq!(request_id(&[b'a'; 1000]).len(), LONGEST_ID);
    }
}
