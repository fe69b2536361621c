//! Numbers and texts one after another in a buffer that only this program reads: little-endian, texts
//! behind their length in four bytes.

/// Takes a number off the front; none where too little is left.
pub fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}

/// Takes a text off the front; none where too little is left.
pub fn take_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// Appends a text. One of 4 GiB and more cannot be read again.
pub fn push_sized(out: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_is_taken_off_and_nothing_else() {
        let mut bytes = 7_u64.to_le_bytes().to_vec();
        push_sized(&mut bytes, b"text");
        push_sized(&mut bytes, b"");
        let (number, rest) = take_u64(&bytes).unwrap();
        let (text, rest) = take_sized(rest).unwrap();
        assert_eq!((number, text), (7, &b"text"[..]));
        assert_eq!(take_sized(rest), Some((&b""[..], &b""[..])));
        assert_eq!(take_sized(&bytes[8..11]), None);
        assert_eq!(take_sized(&bytes[8..15]), None);
        assert_eq!(take_u64(&bytes[..7]), None);
    }
}
