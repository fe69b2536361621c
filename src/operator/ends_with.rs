//! `@endsWith`.

use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Whether the value ends with the argument.
#[derive(Clone, Debug)]
pub(super) struct EndsWith;

impl Member for EndsWith {
    const DEF: Def = Def {
        name: "endsWith",
        aliases: &[],
        summary: "Whether the value ends with the argument.",
        spec: "ModSecurity manual, @endsWith; the empty argument ends every value.",
        argument: Argument::Text,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::yes(b".pdf", b"a.pdf"),
            Example::yes(b"", b"x"),
            Example::no(b".pdf", b"a.pdf "),
        ],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, value: &[u8], argument: &[u8], _: &mut Eval<'_>) -> bool {
        value.ends_with(argument)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("String match \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }
}
