//! `@verifySVNR`.

use super::candidates;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::matching::Pattern;

/// Whether the pattern finds an Austrian social insurance number whose check digit is right.
#[derive(Clone, Debug)]
pub(super) struct VerifySvnr(Pattern);

impl Member for VerifySvnr {
    const DEF: Def = Def {
        name: "verifySVNR",
        aliases: &[],
        summary: "Whether the pattern finds an Austrian social insurance number whose check digit is right.",
        spec: "Version 3's @verifySVNR; ten digits, the fourth checks the others modulo 11 (ten counts as zero).",
        argument: Argument::Pattern,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(br"\d{4} ?\d{6}", b"SVNR 1237 010180", &[b"1237 010180"]),
            Example::no(br"\d{10}", b"1238010180"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self(Pattern::new(argument, cx.dialect)?))
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        candidates::eval(&self.0, value, eval, is_valid)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        candidates::explain("SVNR", found)
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(&self.0)
    }
}

/// Ten digits, the fourth of which checks the others.
fn is_valid(text: &[u8]) -> bool {
    let Some(digits) = candidates::digits::<10>(text) else {
        return false;
    };
    let [first, others @ ..] = &digits;
    if others.iter().all(|digit| digit == first) {
        return false;
    }
    let sum = candidates::weighted_sum(&digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]);
    digits.get(3).copied() == Some(sum % 11 % 10)
}
