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

/// A number in decimal digits, where formatting would take longer than what is done with it.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    digits: [u8; Self::LONGEST],
    /// How many places in front are empty.
    start: usize,
}

impl Decimal {
    /// Digits of the largest number.
    const LONGEST: usize = 20;

    /// Writes a number.
    pub fn new(number: u64) -> Self {
        let mut digits = [b'0'; Self::LONGEST];
        let mut start = Self::LONGEST;
        let mut rest = number;
        for place in digits.iter_mut().rev() {
            start = start.saturating_sub(1);
            let digit = rest
                .checked_rem(10)
                .and_then(|digit| u8::try_from(digit).ok());
            *place = b'0' | digit.unwrap_or(0);
            rest = rest.checked_div(10).unwrap_or(0);
            if rest == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, leading_integer};

    #[test]
    fn writes_what_formatting_writes() {
        for number in [0, 1, 9, 10, 200, 65_535, u64::from(u32::MAX), u64::MAX] {
            let text = number.to_string();
            assert_eq!(Decimal::new(number).as_bytes(), text.as_bytes());
        }
    }

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
