//! Base64 (RFC 4648, the standard alphabet).

/// The bytes of a whole text; blanks count as nothing, padding may be missing. `None` if anything
/// else stands in it.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut digits: &[u8] = &text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect::<Vec<u8>>();
    for _ in 0..2 {
        digits = digits.strip_suffix(b"=").unwrap_or(digits);
    }
    let foreign = digits.iter().any(|&digit| sextet(digit).is_none());
    if foreign || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len());
    decode_sextets(digits.iter().filter_map(|&digit| sextet(digit)), &mut bytes);
    Some(bytes)
}

/// Writes the bytes that the six-bit groups make up; bits that fill no byte are dropped.
pub fn decode_sextets(sextets: impl Iterator<Item = u8>, output: &mut Vec<u8>) {
    // The bits not yet written, a marker bit above them.
    let mut pending = 1_u16;
    for sextet in sextets {
        pending = pending << 6 | u16::from(sextet);
        let left = match pending {
            0x100..=0x1FF => 0,
            0x400..=0x7FF => 2,
            0x1000..=0x1FFF => 4,
            _ => continue,
        };
        let [_, byte] = (pending >> left).to_be_bytes();
        output.push(byte);
        // The marker moves down above the bits that are left.
        pending = match left {
            4 => 0x10 | pending & 0x0F,
            2 => 0x04 | pending & 0x03,
            _ => 1,
        };
    }
}

/// Appends the padded text of bytes.
pub fn encode(bytes: &[u8], output: &mut Vec<u8>) {
    for group in bytes.chunks(3) {
        let (bytes, digits) = match *group {
            [a, b, c] => ([0, a, b, c], 4),
            [a, b] => ([0, a, b, 0], 3),
            [a] => ([0, a, 0, 0], 2),
            _ => continue,
        };
        let bits = u32::from_be_bytes(bytes);
        let sextets = [bits >> 18, bits >> 12, bits >> 6, bits].map(digit);
        output.extend_from_slice(sextets.get(..digits).unwrap_or_default());
        output.extend(std::iter::repeat_n(b'=', 4_usize.saturating_sub(digits)));
    }
}

/// The digit for the low six bits.
fn digit(bits: u32) -> u8 {
    const DIGITS: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    usize::try_from(bits & 0x3F)
        .ok()
        .and_then(|at| DIGITS.get(at))
        .copied()
        .unwrap_or_default()
}

/// The value of a digit of base64.
pub const fn sextet(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit.wrapping_sub(b'A'),
        b'a'..=b'z' => digit.wrapping_sub(b'a' - 26),
        b'0'..=b'9' => digit.wrapping_add(52 - b'0'),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn whole_texts() {
        assert_eq!(decode(b"VGVz\ndENhc2U=").unwrap(), b"TestCase");
        assert_eq!(decode(b"/wA").unwrap(), [0xFF, 0]);
        assert_eq!(decode(b"").unwrap(), b"");
        assert_eq!(decode(b"Zg==").unwrap(), b"f");
        assert_eq!(decode(b"Zm8=").unwrap(), b"fo");
        assert_eq!(decode(b"Zm9v").unwrap(), b"foo");
        for wrong in ["VGVz!", "V", "VG=V", "V===", "Z=g="] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
