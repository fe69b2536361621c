//! `@validateUtf8Encoding`.

use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::bytes::ClassSet;

/// Whether the value is not well-formed UTF-8.
#[derive(Clone, Debug)]
pub(super) struct ValidateUtf8Encoding;

impl Member for ValidateUtf8Encoding {
    const DEF: Def = Def {
        name: "validateUtf8Encoding",
        aliases: &[],
        summary: "Whether the value is not well-formed UTF-8.",
        spec: "ModSecurity manual, @validateUtf8Encoding; RFC 3629: bytes missing, wrong \
            continuation bytes, overlong forms, surrogates and numbers above U+10FFFF match.",
        argument: Argument::None,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::no(b"", b"\xC3\xA9t\xC3\xA9 \xF0\x9F\x98\x80"),
            Example::yes(b"", b"\xC0\xAF"),
            Example::yes(b"", b"\xED\xA0\x80"),
            Example::yes(b"", b"\xF4\x90\x80\x80"),
            Example::yes(b"", b"\xE2\x82"),
            Example::no(b"", b""),
        ],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, value: &[u8], _: &[u8], _: &mut Eval<'_>) -> bool {
        std::str::from_utf8(value).is_err()
    }

    fn classes(&self) -> Option<ClassSet> {
        Some(ClassSet::HIGH)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        let offset = std::str::from_utf8(found.value)
            .err()
            .map_or(0, |error| error.valid_up_to());
        let rest = found.value.get(offset..).unwrap_or(&[]);
        let mut line = Line::new("Invalid UTF-8 encoding: ")
            .text(fault(rest))
            .at(found.target);
        line.extend(Line::new(" [offset \"").number(offset).text("\"]").done());
        line
    }
}

/// What is wrong with the character that bytes begin with.
fn fault(bytes: &[u8]) -> &'static str {
    let continues = |byte: &u8| byte & 0xC0 == 0x80;
    let Some((lead, rest)) = bytes.split_first() else {
        return "decoding error";
    };
    let length = match lead {
        0xC0..=0xDF => 1,
        0xE0..=0xEF => 2,
        0xF0..=0xF4 => 3,
        0xF5..=0xF7 => return "use of restricted character",
        _ => return "invalid byte value in character",
    };
    let Some(rest) = rest.get(..length) else {
        return "not enough bytes in character";
    };
    if !rest.iter().all(continues) {
        return "invalid byte value in character";
    }
    match (lead, rest) {
        (0xED, _) | (0xF4, _) => "use of restricted character",
        _ => "overlong character detected",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Harness;

    #[test]
    fn faults_are_told() {
        for (value, told) in [
            (
                &b"a\xC0\xAF"[..],
                "overlong character detected at X. [offset \"1\"]",
            ),
            (
                b"\xED\xA0\x80",
                "use of restricted character at X. [offset \"0\"]",
            ),
            (
                b"\xF4\x90\x80\x80",
                "use of restricted character at X. [offset \"0\"]",
            ),
            (
                b"\xF5\x80\x80\x80",
                "use of restricted character at X. [offset \"0\"]",
            ),
            (
                b"ab\xE2\x82",
                "not enough bytes in character at X. [offset \"2\"]",
            ),
            (
                b"\xE2\x28\xA1",
                "invalid byte value in character at X. [offset \"0\"]",
            ),
            (
                b"\x80",
                "invalid byte value in character at X. [offset \"0\"]",
            ),
            (
                b"\xFF",
                "invalid byte value in character at X. [offset \"0\"]",
            ),
        ] {
            assert_eq!(
                Harness::new().explain("validateUtf8Encoding", b"", value, b"X"),
                format!("Invalid UTF-8 encoding: {told}")
            );
        }
    }
}
