//! `@le`.

use super::number::{self, Comparison, Number};
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Whether the number in the value is less than or equal to the one in the argument.
#[derive(Clone, Debug)]
pub(super) struct Le(Number);

impl Member for Le {
    const DEF: Def = Def {
        name: "le",
        aliases: &[],
        summary: "Whether the number in the value is less than or equal to the one in the argument.",
        spec: number::SPEC,
        argument: Argument::Number,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::yes(b"5", b"5"),
            Example::yes(b"0", b""),
            Example::no(b"5", b"6"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self(Number::new(argument, cx.has_macros)))
    }

    fn eval(&self, value: &[u8], argument: &[u8], _: &mut Eval<'_>) -> bool {
        Comparison::Le.holds(value, self.0.get(argument))
    }

    fn comparison(&self) -> Option<(Comparison, i64)> {
        Some((Comparison::Le, self.0.fixed()?))
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        self.0.explain("LE", found)
    }
}
