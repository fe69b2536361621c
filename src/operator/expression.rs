//! The regular expression of `@rx` and `@rxGlobal`.

use super::text::Line;
use super::{Compile, CompileError, Eval, Match};
use crate::matching::{Dialect, Pattern};

/// A regular expression of a rule.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// Known when the rule was compiled.
    Fixed(Pattern),
    /// The argument, once its macros are expanded.
    Argument(Dialect),
}

impl Expression {
    pub(super) fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        if cx.has_macros {
            return Ok(Self::Argument(cx.dialect));
        }
        Ok(Self::Fixed(Pattern::new(argument, cx.dialect)?))
    }

    /// What `search` says of the pattern; `false` if the expanded argument is none.
    pub(super) fn ask(
        &self,
        argument: &[u8],
        eval: &mut Eval<'_>,
        search: impl FnOnce(&Pattern, &mut Eval<'_>) -> bool,
    ) -> bool {
        match self {
            Self::Fixed(pattern) => search(pattern, eval),
            Self::Argument(dialect) => match eval.pattern(argument, *dialect) {
                Some(pattern) => search(&pattern, eval),
                None => false,
            },
        }
    }

    /// The pattern, if it is known before any request.
    pub(super) fn pattern(&self) -> Option<&Pattern> {
        match self {
            Self::Fixed(pattern) => Some(pattern),
            Self::Argument(_) => None,
        }
    }
}

/// What the log says of a match.
pub(super) fn explain(found: &Match<'_>) -> Vec<u8> {
    Line::new("Pattern match \"")
        .bytes(found.argument)
        .text("\"")
        .at(found.target)
}
