//! `@strmatch`.

use super::needle::Needle;
use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Whether the argument stands anywhere in the value.
#[derive(Clone, Debug)]
pub(super) struct Strmatch(Needle);

impl Member for Strmatch {
    const DEF: Def = Def {
        name: "strmatch",
        aliases: &[],
        summary: "Whether the argument stands anywhere in the value; the older name of @contains.",
        spec: "ModSecurity manual, @strmatch; macros as in version 3.",
        argument: Argument::Text,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::yes(b"WebZIP", b"Agent: WebZIP/1"),
            Example::no(b"webzip", b"Agent: WebZIP/1"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self(Needle::new(argument, cx.has_macros)))
    }

    fn eval(&self, value: &[u8], argument: &[u8], _: &mut Eval<'_>) -> bool {
        self.0.find(value, argument).is_some()
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("Pattern match \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }
}
