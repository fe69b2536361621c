//! `@verifyCC`.

use super::candidates;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::matching::Pattern;

/// Whether the pattern finds a payment card number whose check digit is right.
#[derive(Clone, Debug)]
pub(super) struct VerifyCc(Pattern);

impl Member for VerifyCc {
    const DEF: Def = Def {
        name: "verifyCC",
        aliases: &[],
        summary: "Whether the pattern finds a payment card number whose check digit is right.",
        spec: "ModSecurity manual, @verifyCC; the digits of a match are checked by Luhn's formula, other bytes in it are skipped.",
        argument: Argument::Pattern,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(
                br"\d{13,16}",
                b"no. 4111111111111111",
                &[b"4111111111111111"],
            ),
            Example::captures(
                br"\d[\d-]{12,18}",
                b"4111-1111-1111-1111",
                &[b"4111-1111-1111-1111"],
            ),
            Example::no(br"\d{16}", b"4111111111111112"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self(Pattern::new(argument, cx.dialect)?))
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        candidates::eval(&self.0, value, eval, is_valid)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        candidates::explain("CC", found)
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(&self.0)
    }
}

/// Luhn's formula: of the digits, from the last, every second one is doubled and its own digits
/// summed; the sum is a multiple of ten.
fn is_valid(text: &[u8]) -> bool {
    let mut any = false;
    let mut double = false;
    let mut sum = 0u32;
    for byte in text.iter().rev().filter(|byte| byte.is_ascii_digit()) {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        let counted = match digit.saturating_mul(2) {
            twice if !double => twice / 2,
            twice @ 0..=9 => twice,
            twice => twice.saturating_sub(9),
        };
        sum = sum.saturating_add(counted) % 10;
        any = true;
        double = !double;
    }
    any && sum == 0
}
