//! `@rx`.

use super::text::Line;
use super::{Argument, Capture, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::matching::{Dialect, Pattern};

/// Whether the regular expression matches anywhere in the value.
#[derive(Clone, Debug)]
pub(super) enum Rx {
    /// Known when the rule was compiled.
    Fixed(Pattern),
    /// The argument, once its macros are expanded.
    Argument(Dialect),
}

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
        if cx.has_macros {
            return Ok(Self::Argument(cx.dialect));
        }
        Ok(Self::Fixed(Pattern::new(argument, cx.dialect)?))
    }

    fn eval(&self, value: &[u8], argument: &[u8], eval: &mut Eval<'_>) -> bool {
        match self {
            Self::Fixed(pattern) => search(pattern, value, eval),
            Self::Argument(dialect) => {
                let Some(pattern) = eval.pattern(argument, *dialect) else {
                    return false;
                };
                search(&pattern, value, eval)
            }
        }
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("Pattern match \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }

    fn pattern(&self) -> Option<&Pattern> {
        match self {
            Self::Fixed(pattern) => Some(pattern),
            Self::Argument(_) => None,
        }
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
