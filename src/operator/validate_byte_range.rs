//! `@validateByteRange`.

use super::text::{Line, leading_integer, trim};
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::bytes::ClassSet;

/// Whether a byte of the value lies outside the ranges of the argument.
#[derive(Clone, Debug)]
pub(super) struct ValidateByteRange {
    /// A bit for each byte that may stand in a value: 0 to 127, then 128 to 255.
    allowed: [u128; 2],
}

impl Member for ValidateByteRange {
    const DEF: Def = Def {
        name: "validateByteRange",
        aliases: &[],
        summary: "Whether a byte of the value lies outside the ranges of the argument.",
        spec: "ModSecurity manual, @validateByteRange; numbers are read as version 2 does (text \
            without digits is 0), what lies outside 0 to 255 is refused. The empty value never \
            matches; the empty argument allows no byte.",
        argument: Argument::ByteRanges,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::no(b"10,13,32-126", b"plain text\r\n"),
            Example::yes(b"10,13,32-126", b"tab\t"),
            Example::yes(b"1-255", b"\0"),
            Example::no(b"0-255", b""),
        ],
    };

    fn compile(argument: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        let mut allowed = [0u128; 2];
        let mut start = 0usize;
        for part in argument.split(|&byte| byte == b',') {
            let (first, last) =
                range(trim(part)).map_err(|message| CompileError::argument(message, start))?;
            for byte in first..=last {
                let [low, high] = &mut allowed;
                let half = if byte < 128 { low } else { high };
                *half |= bit(byte);
            }
            start = start.saturating_add(part.len()).saturating_add(1);
        }
        Ok(Self { allowed })
    }

    fn eval(&self, value: &[u8], _: &[u8], _: &mut Eval<'_>) -> bool {
        value.iter().any(|&byte| !self.allows(byte))
    }

    fn classes(&self) -> Option<ClassSet> {
        let refused = (0..=u8::MAX).filter(|&byte| !self.allows(byte));
        Some(refused.fold(ClassSet::EMPTY, |classes, byte| {
            classes.union(ClassSet::of(&[byte]))
        }))
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("Found ")
            .number(
                found
                    .value
                    .iter()
                    .filter(|&&byte| !self.allows(byte))
                    .count(),
            )
            .text(" byte(s) in ")
            .bytes(found.target)
            .text(" outside range: ")
            .bytes(found.argument)
            .text(".")
            .done()
    }
}

impl ValidateByteRange {
    const fn allows(&self, byte: u8) -> bool {
        let [low, high] = self.allowed;
        let half = if byte < 128 { low } else { high };
        half & bit(byte) != 0
    }
}

const fn bit(byte: u8) -> u128 {
    1 << (byte & 127)
}

/// Reads `10` or `32-126`. The empty part allows nothing: an empty range.
fn range(part: &[u8]) -> Result<(u8, u8), &'static str> {
    if part.is_empty() {
        return Ok((1, 0));
    }
    let mut ends = part.splitn(2, |&byte| byte == b'-').map(|end| {
        u8::try_from(leading_integer(end)).map_err(|_| "a byte is a number from 0 to 255")
    });
    let first = ends.next().unwrap_or(Ok(0))?;
    let last = ends.next().unwrap_or(Ok(first))?;
    if first > last {
        return Err("the range ends before it begins");
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::super::tests::Harness;

    #[test]
    fn bad_ranges_are_refused() {
        let mut harness = Harness::new();
        for argument in ["256", "1-256", "9-3", "1,2,300"] {
            assert!(
                harness
                    .compile("validateByteRange", argument.as_bytes())
                    .is_err(),
                "{argument}"
            );
        }
        let error = harness
            .compile("validateByteRange", b"1,2,300")
            .unwrap_err();
        assert_eq!(error.offset, Some(4));
    }

    #[test]
    fn explanation_counts_bytes() {
        assert_eq!(
            Harness::new().explain("validateByteRange", b"32-126", b"a\tb\n", b"ARGS:x"),
            "Found 2 byte(s) in ARGS:x outside range: 32-126."
        );
    }
}
