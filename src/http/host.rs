//! Host names.

use super::split_where;

/// The host of a Host header or an authority, without a port (SERVER_NAME). An IPv6 literal keeps
/// its brackets, and its colons are not taken for a port.
pub fn without_port(host: &[u8]) -> &[u8] {
    if host.first() == Some(&b'[') {
        let length = host
            .iter()
            .position(|&byte| byte == b']')
            .map(|at| at.saturating_add(1));
        return length.and_then(|length| host.get(..length)).unwrap_or(host);
    }
    split_where(host, |byte| byte == b':').0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_go_and_addresses_stay() {
        for (host, expected) in [
            ("example.com", "example.com"),
            ("example.com:8080", "example.com"),
            ("10.0.0.1:1", "10.0.0.1"),
            ("[::1]:443", "[::1]"),
            ("[::1]", "[::1]"),
            ("[::1", "[::1"),
            ("", ""),
            (":80", ""),
        ] {
            assert_eq!(without_port(host.as_bytes()), expected.as_bytes(), "{host}");
        }
    }
}
