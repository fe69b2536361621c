//! `@validateNid`.

use super::text::{Line, trim_start};
use super::{
    Argument, Capture, Compile, CompileError, Def, Eval, Example, Match, Member, Support,
    verify_ssn,
};
use crate::matching::Pattern;

/// Whether the pattern finds a national identity number that can be one.
#[derive(Clone, Debug)]
pub(super) struct ValidateNid {
    country: Country,
    pattern: Pattern,
}

#[derive(Clone, Copy, Debug)]
enum Country {
    Chile,
    UnitedStates,
}

/// Most matches looked at in one value.
const MATCHES: usize = 10;

impl Member for ValidateNid {
    const DEF: Def = Def {
        name: "validateNid",
        aliases: &[],
        summary: "Whether the pattern finds a national identity number that can be one. The \
            argument is a country, `cl` or `us`, and a regular expression.",
        spec: "Coraza's @validateNid: the first ten matches are looked at; cl is the RUT with its \
            check digit modulo 11, us the social security number.",
        argument: Argument::Special,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(
                br"cl [\d.]+-[\dkK]",
                b"RUT 11.111.111-1",
                &[b"11.111.111-1"],
            ),
            Example::captures(br"us \d{3}-\d{2}-\d{4}", b"574-57-8065", &[b"574-57-8065"]),
            Example::no(br"cl [\d.]+-[\dkK]", b"11.111.111-2"),
            Example::no(br"us \d{9}", b"000578065"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        let blank = argument.iter().position(|&byte| byte == b' ');
        let (country, pattern) = blank
            .and_then(|at| argument.split_at_checked(at))
            .ok_or_else(|| CompileError::argument("expected a country and a pattern", None))?;
        let country = match country {
            b"cl" => Country::Chile,
            b"us" => Country::UnitedStates,
            _ => {
                return Err(CompileError::argument(
                    "the country is neither cl nor us",
                    0,
                ));
            }
        };
        let pattern = trim_start(pattern);
        let start = argument.len().saturating_sub(pattern.len());
        let pattern = Pattern::new(pattern, cx.dialect)
            .map_err(|error| CompileError::from(error).after(start))?;
        Ok(Self { country, pattern })
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        let is_valid = match self.country {
            Country::Chile => is_chilean,
            Country::UnitedStates => is_american,
        };
        let mut start = 0usize;
        for _ in 0..MATCHES {
            let Some(found) = self.pattern.find_from(value, start, eval.scratch) else {
                break;
            };
            start = found.end.saturating_add(usize::from(found.is_empty()));
            if value.get(found.clone()).is_some_and(is_valid) {
                if eval.capture != Capture::None {
                    eval.captures.push_span(found);
                }
                return true;
            }
        }
        false
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("National identity number match \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(&self.pattern)
    }
}

/// The digits, the last of which (or a `k`) checks the others: weights 2 to 7, over and over, from
/// the right, modulo 11.
fn is_chilean(text: &[u8]) -> bool {
    if text.len() < 8 {
        return false;
    }
    let mut signs = text
        .iter()
        .map(u8::to_ascii_lowercase)
        .filter(|byte| byte.is_ascii_digit() || *byte == b'k')
        .rev();
    let Some(check) = signs.next() else {
        return false;
    };
    let mut sum = 0u32;
    for (digit, weight) in signs.zip((2..=7).cycle()) {
        if digit == b'k' {
            return false;
        }
        sum = sum.saturating_add(u32::from(digit.wrapping_sub(b'0')).saturating_mul(weight)) % 11;
    }
    match 11u32.saturating_sub(sum) {
        11 => check == b'0',
        10 => check == b'k',
        rest => u32::from(check) == u32::from(b'0').saturating_add(rest),
    }
}

/// The first nine digits, which can be a social security number.
fn is_american(text: &[u8]) -> bool {
    let mut digits = [0; 9];
    let mut found = text.iter().filter(|byte| byte.is_ascii_digit());
    for digit in &mut digits {
        let Some(byte) = found.next() else {
            return false;
        };
        *digit = u32::from(byte.wrapping_sub(b'0'));
    }
    verify_ssn::is_possible(&digits)
}
