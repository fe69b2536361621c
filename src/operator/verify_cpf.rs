//! `@verifyCPF`.

use super::candidates;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::matching::Pattern;

/// Whether the pattern finds a Brazilian taxpayer number (CPF) whose check digits are right.
#[derive(Clone, Debug)]
pub(super) struct VerifyCpf(Pattern);

impl Member for VerifyCpf {
    const DEF: Def = Def {
        name: "verifyCPF",
        aliases: &[],
        summary: "Whether the pattern finds a Brazilian taxpayer number (CPF) whose check digits are right.",
        spec: "ModSecurity manual, @verifyCPF; eleven digits, not all equal, two check digits modulo 11.",
        argument: Argument::Pattern,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(br"[\d.-]{14}", b"CPF 010.817.514-60.", &[b"010.817.514-60"]),
            Example::no(br"\d{11}", b"01081751461"),
            Example::no(br"\d{11}", b"11111111111"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self(Pattern::new(argument, cx.dialect)?))
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        candidates::eval(&self.0, value, eval, is_valid)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        candidates::explain("CPF", found)
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(&self.0)
    }
}

/// Eleven digits, the last two of which check those before them.
fn is_valid(text: &[u8]) -> bool {
    let Some(digits) = candidates::digits::<11>(text) else {
        return false;
    };
    let [head @ .., _, _] = &digits;
    let [longer_head @ .., last] = &digits;
    if longer_head.iter().all(|digit| digit == last) {
        return false;
    }
    check_digit(head, 10) == longer_head.last().copied()
        && check_digit(longer_head, 11) == Some(*last)
}

fn check_digit(digits: &[u32], first_weight: u32) -> Option<u32> {
    let sum = candidates::weighted_sum(digits, (2..=first_weight).rev());
    Some(match sum % 11 {
        0 | 1 => 0,
        rest => 11u32.saturating_sub(rest),
    })
}
