//! Addresses and networks: what the ipMatch operators share.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::text::trim;

/// A set of addresses of both families. IPv4 addresses written as IPv6 ones belong to the latter.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    /// First and last address of every range: sorted, without overlap.
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

/// Networks on their way into a set.
#[derive(Debug, Default)]
pub(super) struct Builder {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Builder {
    /// Adds an address or a network such as `10.0.0.0/8`. Bits behind the prefix do not count.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(super) fn add(&mut self, text: &[u8]) -> Result<(), String> {
        let malformed = || {
            format!(
                "\"{}\" is neither an address nor a network",
                text.escape_ascii()
            )
        };
        let text = std::str::from_utf8(text).map_err(|_| malformed())?;
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => {
                let bits = bits.trim();
                if bits.is_empty() || !bits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(malformed());
                }
                (
                    address.trim(),
                    Some(bits.parse::<u32>().map_err(|_| malformed())?),
                )
            }
            None => (text, None),
        };
        if let Ok(address) = address.parse::<Ipv4Addr>() {
            let free = 32u32
                .checked_sub(bits.unwrap_or(32))
                .ok_or_else(malformed)?;
            let mask = 1u32
                .checked_shl(free)
                .map_or(u32::MAX, |size| size.wrapping_sub(1));
            let first = address.to_bits() & !mask;
            self.v4.push((first, first | mask));
        } else if let Ok(address) = address.parse::<Ipv6Addr>() {
            let free = 128u32
                .checked_sub(bits.unwrap_or(128))
                .ok_or_else(malformed)?;
            let mask = 1u128
                .checked_shl(free)
                .map_or(u128::MAX, |size| size.wrapping_sub(1));
            let first = address.to_bits() & !mask;
            self.v6.push((first, first | mask));
        } else {
            return Err(malformed());
        }
        Ok(())
    }

    /// The set of all that was added.
    pub(super) fn build(self) -> Addresses {
        Addresses {
            v4: merge(self.v4),
            v6: merge(self.v6),
        }
    }
}

impl Addresses {
    /// Whether the text is an address in the set.
    pub(super) fn contains(&self, text: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(trim(text)) else {
            return false;
        };
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            holds(&self.v4, address.to_bits())
        } else if let Ok(address) = text.parse::<Ipv6Addr>() {
            holds(&self.v6, address.to_bits())
        } else {
            false
        }
    }
}

fn merge<N: Copy + Ord>(mut ranges: Vec<(N, N)>) -> Box<[(N, N)]> {
    ranges.sort_unstable();
    let mut merged: Vec<(N, N)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged.into_boxed_slice()
}

fn holds<N: Copy + Ord>(ranges: &[(N, N)], address: N) -> bool {
    let behind = ranges.partition_point(|range| range.0 <= address);
    behind
        .checked_sub(1)
        .and_then(|at| ranges.get(at))
        .is_some_and(|range| address <= range.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(list: &str) -> Addresses {
        let mut builder = Builder::default();
        for text in list.split(',') {
            builder.add(text.as_bytes()).unwrap();
        }
        builder.build()
    }

    #[test]
    fn networks_hold_their_addresses() {
        let set = set("10.1.2.3/8,192.168.0.0/24,192.168.0.128/25,::1,fe80::/10,0.0.0.1");
        for address in [
            "10.0.0.0",
            "10.255.255.255",
            "192.168.0.200",
            "::1",
            "febf::1",
            "0.0.0.1",
        ] {
            assert!(set.contains(address.as_bytes()), "{address}");
        }
        for address in [
            "9.255.255.255",
            "11.0.0.0",
            "192.168.1.0",
            "::2",
            "fec0::1",
            "",
            "x",
            "::ffff:10.0.0.1",
        ] {
            assert!(!set.contains(address.as_bytes()), "{address}");
        }
    }

    #[test]
    fn whole_families() {
        assert!(set("0.0.0.0/0").contains(b"255.255.255.255"));
        assert!(!set("0.0.0.0/0").contains(b"::1"));
        assert!(set("::/0").contains(b"ffff::1"));
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in [
            "",
            "x",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/",
            "::/129",
            "1.2.3.4/+8",
            "::1/99999999999",
            "1.2.3.4-5",
        ] {
            assert!(Builder::default().add(text.as_bytes()).is_err(), "{text}");
        }
    }
}
