//! `@within`.

use super::needle::find_once;
use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Whether the value stands anywhere in the argument.
#[derive(Clone, Debug)]
pub(super) struct Within;

impl Member for Within {
    const DEF: Def = Def {
        name: "within",
        aliases: &[],
        summary: "Whether the value stands anywhere in the argument: @contains the other way round.",
        spec: "ModSecurity manual, @within; the empty value stands in every argument.",
        argument: Argument::Text,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::yes(b"GET HEAD POST", b"HEAD"),
            Example::yes(b"GET HEAD POST", b"T H"),
            Example::yes(b"GET", b""),
            Example::no(b"GET HEAD POST", b"PUT"),
        ],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, value: &[u8], argument: &[u8], _: &mut Eval<'_>) -> bool {
        find_once(argument, value).is_some()
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("String match within \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }
}
