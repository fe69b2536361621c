//! `@streq`.

use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Whether the value equals the argument, byte by byte.
#[derive(Clone, Debug)]
pub(super) struct Streq;

impl Member for Streq {
    const DEF: Def = Def {
        name: "streq",
        aliases: &[],
        summary: "Whether the value equals the argument, byte by byte.",
        spec: "ModSecurity manual, @streq.",
        argument: Argument::Text,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::yes(b"POST", b"POST"),
            Example::yes(b"", b""),
            Example::no(b"POST", b"post"),
            Example::no(b"POST", b"POST "),
        ],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, value: &[u8], argument: &[u8], _: &mut Eval<'_>) -> bool {
        value == argument
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("String match \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }
}
