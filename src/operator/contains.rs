//! `@contains`.

use super::needle::Needle;
use super::text::Line;
use super::{Argument, Capture, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Whether the argument stands anywhere in the value.
#[derive(Clone, Debug)]
pub(super) struct Contains(Needle);

impl Member for Contains {
    const DEF: Def = Def {
        name: "contains",
        aliases: &[],
        summary: "Whether the argument stands anywhere in the value.",
        spec: "ModSecurity manual, @contains; the empty argument stands everywhere.",
        argument: Argument::Text,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::captures(b"-->", b"a --> b", &[b"-->"]),
            Example::captures(b"", b"x", &[b""]),
            Example::no(b"A", b"abc"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self(Needle::new(argument, cx.has_macros)))
    }

    fn eval(&self, value: &[u8], argument: &[u8], eval: &mut Eval<'_>) -> bool {
        let Some(start) = self.0.find(value, argument) else {
            return false;
        };
        if eval.capture != Capture::None {
            eval.captures
                .push_span(start..start.saturating_add(argument.len()));
        }
        true
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("String match \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }
}
