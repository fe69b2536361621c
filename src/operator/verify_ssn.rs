//! `@verifySSN`.

use super::candidates;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::matching::Pattern;

/// Whether the pattern finds a United States social security number that can be one.
#[derive(Clone, Debug)]
pub(super) struct VerifySsn(Pattern);

impl Member for VerifySsn {
    const DEF: Def = Def {
        name: "verifySSN",
        aliases: &[],
        summary: "Whether the pattern finds a United States social security number that can be one.",
        spec: "ModSecurity manual, @verifySSN; nine digits, not all equal nor counting up, area 001 to 739 but 666, no part zero.",
        argument: Argument::Pattern,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(
                br"\d{3}-?\d{2}-?\d{4}",
                b"SSN 574-57-8065",
                &[b"574-57-8065"],
            ),
            Example::no(br"\d{9}", b"666578065"),
            Example::no(br"\d{9}", b"123456789"),
            Example::no(br"\d{9}", b"574570000"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self(Pattern::new(argument, cx.dialect)?))
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        candidates::eval(&self.0, value, eval, is_valid)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        candidates::explain("SSN", found)
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(&self.0)
    }
}

/// Nine digits that can be a social security number.
fn is_valid(text: &[u8]) -> bool {
    candidates::digits::<9>(text).is_some_and(|digits| is_possible(&digits))
}

/// Whether nine digits can be a social security number.
pub(super) fn is_possible(digits: &[u32; 9]) -> bool {
    let number = |digits: &[u32]| {
        digits.iter().fold(0u32, |number, digit| {
            number.saturating_mul(10).saturating_add(*digit)
        })
    };
    let [a, b, c, d, e, serial @ ..] = digits;
    let area = number(&[*a, *b, *c]);
    let pairs = || digits.iter().zip(digits.iter().skip(1));
    let all_equal = pairs().all(|(left, right)| left == right);
    let counting_up = pairs().all(|(left, right)| left.saturating_add(1) == *right);
    !all_equal
        && !counting_up
        && (1..740).contains(&area)
        && area != 666
        && number(&[*d, *e]) != 0
        && number(serial) != 0
}
