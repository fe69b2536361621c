//! `@validateUrlEncoding`.

use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::bytes::ClassSet;

/// Whether a percent sign in the value is not followed by two hexadecimal digits.
#[derive(Clone, Debug)]
pub(super) struct ValidateUrlEncoding;

impl Member for ValidateUrlEncoding {
    const DEF: Def = Def {
        name: "validateUrlEncoding",
        aliases: &[],
        summary: "Whether a percent sign in the value is not followed by two hexadecimal digits.",
        spec: "ModSecurity manual, @validateUrlEncoding; %uHHHH counts as malformed.",
        argument: Argument::None,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::no(b"", b"a%20b+c"),
            Example::yes(b"", b"100%"),
            Example::yes(b"", b"%u0041"),
            Example::no(b"", b""),
        ],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, value: &[u8], _: &[u8], _: &mut Eval<'_>) -> bool {
        fault(value).is_some()
    }

    fn classes(&self) -> Option<ClassSet> {
        Some(ClassSet::of(b"%"))
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("Invalid URL Encoding: ")
            .text(match fault(found.value) {
                Some(Fault::Truncated) => "Not enough characters at the end of input",
                _ => "Non-hexadecimal digits used",
            })
            .at(found.target)
    }
}

enum Fault {
    Truncated,
    NotHexadecimal,
}

fn fault(value: &[u8]) -> Option<Fault> {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'%', rest) {
        rest = rest.get(at.saturating_add(1)..)?;
        match rest {
            [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {}
            [_, _, ..] => return Some(Fault::NotHexadecimal),
            _ => return Some(Fault::Truncated),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::Harness;

    #[test]
    fn faults_are_told() {
        let told = Harness::new().explain("validateUrlEncoding", b"", b"a%4", b"X");
        assert_eq!(
            told,
            "Invalid URL Encoding: Not enough characters at the end of input at X."
        );
        let told = Harness::new().explain("validateUrlEncoding", b"", b"%41%4z", b"X");
        assert_eq!(
            told,
            "Invalid URL Encoding: Non-hexadecimal digits used at X."
        );
    }
}
