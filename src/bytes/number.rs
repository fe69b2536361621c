//! Numbers in text.

use super::is_space;

/// The number a text begins with, as C's `atoi` reads it: blanks, a sign, digits; what follows is
/// ignored, and without digits it is 0. Stops at the limits of 64 bits.
pub fn leading_integer(text: &[u8]) -> i64 {
    let start = text
        .iter()
        .position(|&byte| !is_space(byte))
        .unwrap_or(text.len());
    let (negative, digits) = match text.get(start..).unwrap_or_default() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut number = 0i64;
    for digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        let digit = i64::from(digit.wrapping_sub(b'0'));
        number = number.saturating_mul(10);
        // Built on the negative side, so that the smallest number can be reached.
        number = if negative {
            number.saturating_sub(digit)
        } else {
            number.saturating_add(digit)
        };
    }
    number
}

#[cfg(test)]
mod tests {
    use super::leading_integer;

    #[test]
    fn reads_what_atoi_reads() {
        let table: [(&[u8], i64); 8] = [
            (b"", 0),
            (b" \t12x", 12),
            (b"-5", -5),
            (b"+7", 7),
            (b"x1", 0),
            (b"- 1", 0),
            (b"99999999999999999999", i64::MAX),
            (b"-99999999999999999999", i64::MIN),
        ];
        for (text, expected) in table {
            assert_eq!(leading_integer(text), expected, "{text:?}");
        }
    }
}
