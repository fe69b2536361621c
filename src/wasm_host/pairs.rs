//! Header maps as the ABI carries them: a count, the sizes of all names and values, then the
//! bytes, each closed by a NUL. Numbers are 32 bits, little-endian.

use super::Pairs;

/// More pairs than this, or more bytes than [`MAX_BYTES`], and a proxy reads the map as empty.
const MAX_PAIRS: usize = 1024;
/// See [`MAX_PAIRS`].
const MAX_BYTES: usize = 1 << 20;

/// Writes a map for the filter.
pub(super) fn encode(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&size(pairs.len()));
    for (name, value) in pairs {
        out.extend_from_slice(&size(name.len()));
        out.extend_from_slice(&size(value.len()));
    }
    for (name, value) in pairs {
        out.extend_from_slice(name);
        out.push(0);
        out.extend_from_slice(value);
        out.push(0);
    }
    out
}

/// Reads a map from the filter. Like Envoy it makes an empty map of what is too large or broken.
pub(super) fn decode(bytes: &[u8]) -> Pairs {
    if bytes.len() > MAX_BYTES {
        Vec::new()
    } else {
        read(bytes).unwrap_or_default()
    }
}

fn read(bytes: &[u8]) -> Option<Pairs> {
    let (count, mut sizes) = number(bytes)?;
    if count > MAX_PAIRS {
        return None;
    }
    let mut data = sizes.get(count.checked_mul(8)?..)?;
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_size, rest) = number(sizes)?;
        let (value_size, rest) = number(rest)?;
        sizes = rest;
        let (name, rest) = text(data, name_size)?;
        let (value, rest) = text(rest, value_size)?;
        data = rest;
        pairs.push((name.to_ascii_lowercase(), value.to_vec()));
    }
    Some(pairs)
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*head)).ok()?, rest))
}

fn text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length)?;
    Some((text, rest.split_first()?.1))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn a_map_survives_the_way_there_and_back() {
        let pairs = vec![
            (b":path".to_vec(), b"/a?b=\xff".to_vec()),
            (b"x-empty".to_vec(), Vec::new()),
            (b"x-empty".to_vec(), b"again".to_vec()),
        ];
        assert_eq!(decode(&encode(&pairs)), pairs);
        assert_eq!(decode(&encode(&[])), Vec::new());
    }

    #[test]
    fn what_is_too_large_or_cut_short_is_empty() {
        let many = vec![(b"a".to_vec(), b"b".to_vec()); 1025];
        assert!(decode(&encode(&many)).is_empty());
        let long = vec![(b"a".to_vec(), vec![b'x'; 1 << 20])];
        assert!(decode(&encode(&long)).is_empty());
        let encoded = encode(&[(b"name".to_vec(), b"value".to_vec())]);
        for cut in 0..encoded.len() {
            assert!(decode(&encoded[..cut]).is_empty(), "cut at {cut}");
        }
    }
}
