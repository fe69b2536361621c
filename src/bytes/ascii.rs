//! What a single byte means in the notations of the web: digits and blanks.

/// The value of a hexadecimal digit of either case.
pub const fn hex_nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit & 0x0F),
        b'a'..=b'f' | b'A'..=b'F' => Some((digit & 0x0F).wrapping_add(9)),
        _ => None,
    }
}

/// The byte that two hexadecimal digits spell.
pub const fn hex_byte(high: u8, low: u8) -> Option<u8> {
    match (hex_nibble(high), hex_nibble(low)) {
        (Some(high), Some(low)) => Some(high << 4 | low),
        _ => None,
    }
}

/// The two lower-case hexadecimal digits of a byte.
pub const fn hex_digits(byte: u8) -> [u8; 2] {
    [hex_digit(byte >> 4), hex_digit(byte & 0x0F)]
}

/// The lower-case hexadecimal digit of a value below 16 (only the low four bits count).
pub const fn hex_digit(nibble: u8) -> u8 {
    match nibble & 0x0F {
        digit @ 0..=9 => b'0' | digit,
        letter => letter.wrapping_add(b'a' - 10),
    }
}

/// The value of an octal digit.
pub const fn octal_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'7' => Some(digit & 0x07),
        _ => None,
    }
}

/// C's `isspace` in the C locale: space, tab, line feed, vertical tab, form feed, carriage return.
/// (`u8::is_ascii_whitespace` leaves the vertical tab out.)
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_reads_what_it_writes() {
        for byte in 0..=u8::MAX {
            let [high, low] = hex_digits(byte);
            assert_eq!(hex_byte(high, low), Some(byte));
            assert_eq!(hex_byte(high.to_ascii_uppercase(), low), Some(byte));
            assert_eq!(hex_nibble(byte).is_some(), byte.is_ascii_hexdigit());
            assert_eq!(octal_digit(byte).is_some(), (b'0'..b'8').contains(&byte));
        }
        assert_eq!(hex_digits(0xAF), *b"af");
    }

    #[test]
    fn six_bytes_are_space() {
        let spaces: Vec<u8> = (0..=u8::MAX).filter(|&byte| is_space(byte)).collect();
        assert_eq!(spaces, b"\t\n\x0B\x0C\r ");
    }
}
