//! `@unconditionalMatch`.

use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Always matches.
#[derive(Clone, Debug)]
pub(super) struct UnconditionalMatch;

impl Member for UnconditionalMatch {
    const DEF: Def = Def {
        name: "unconditionalMatch",
        aliases: &[],
        summary: "Always matches.",
        spec: "ModSecurity manual, @unconditionalMatch; the operator of SecAction.",
        argument: Argument::None,
        macros: false,
        support: Support::Full,
        examples: &[Example::yes(b"", b""), Example::yes(b"x", b"y")],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, _: &[u8], _: &[u8], _: &mut Eval<'_>) -> bool {
        true
    }

    fn explain(&self, _: &Match<'_>) -> Vec<u8> {
        Line::new("Unconditional match in SecAction.").done()
    }
}
