//! `@beginsWith`.

use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Whether the value begins with the argument.
#[derive(Clone, Debug)]
pub(super) struct BeginsWith;

impl Member for BeginsWith {
    const DEF: Def = Def {
        name: "beginsWith",
        aliases: &[],
        summary: "Whether the value begins with the argument.",
        spec: "ModSecurity manual, @beginsWith; the empty argument begins every value.",
        argument: Argument::Text,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::yes(b"GET", b"GET /"),
            Example::yes(b"", b"x"),
            Example::no(b"get", b"GET /"),
            Example::no(b"GET /", b"GET"),
        ],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, value: &[u8], argument: &[u8], _: &mut Eval<'_>) -> bool {
        value.starts_with(argument)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("String match \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }
}
