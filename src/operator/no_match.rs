//! `@noMatch`.

use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Never matches.
#[derive(Clone, Debug)]
pub(super) struct NoMatch;

impl Member for NoMatch {
    const DEF: Def = Def {
        name: "noMatch",
        aliases: &[],
        summary: "Never matches.",
        spec: "ModSecurity manual, @noMatch.",
        argument: Argument::None,
        macros: false,
        support: Support::Full,
        examples: &[Example::no(b"", b""), Example::no(b"x", b"x")],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, _: &[u8], _: &[u8], _: &mut Eval<'_>) -> bool {
        false
    }

    fn explain(&self, _: &Match<'_>) -> Vec<u8> {
        Line::new("No match.").done()
    }
}
