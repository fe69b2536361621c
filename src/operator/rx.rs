//! `@rx`.

use super::expression::{self, Expression};
use super::{Argument, Capture, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::matching::Pattern;

/// Whether the regular expression matches anywhere in the value.
#[derive(Clone, Debug)]
pub(super) struct Rx(Expression);

impl Member for Rx {
    const DEF: Def = Def {
        name: "rx",
        aliases: &[],
        summary: "Whether the regular expression matches anywhere in the value.",
        spec: "ModSecurity manual, @rx; on bytes, as version 2: `.` matches line ends, `^` and `$` \
            stand for the ends of the value. Text from macros is not escaped.",
        argument: Argument::Pattern,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::captures(b"(a)(b)?(c)", b"xxacxx", &[b"ac", b"a", b"", b"c"]),
            Example::captures(b"", b"x", &[b""]),
            Example::captures(b"(?i)SELECT.FROM", b"select\nfrom", &[b"select\nfrom"]),
            Example::no(b"^b", b"a\nb"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Expression::compile(argument, cx).map(Self)
    }

    fn eval(&self, value: &[u8], argument: &[u8], eval: &mut Eval<'_>) -> bool {
        self.0.ask(argument, eval, |pattern, eval| search(pattern, value, eval))
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        expression::explain(found)
    }

    fn pattern(&self) -> Option<&Pattern> {
        self.0.pattern()
    }
}

fn search(pattern: &Pattern, value: &[u8], eval: &mut Eval<'_>) -> bool {
    match eval.capture {
        Capture::None => pattern.is_match(value, eval.scratch),
        Capture::Whole => match pattern.find(value, eval.scratch) {
            Some(span) => {
                eval.captures.push_span(span);
                true
            }
            None => false,
        },
        Capture::Groups => eval.captures.push_groups(pattern, value, eval.scratch),
    }
}
