//! `@rxGlobal`.

use super::text::Line;
use super::{
    Argument, Capture, Captures, Compile, CompileError, Def, Eval, Example, Match, Member, Support,
};
use crate::matching::{Dialect, Pattern};

/// Whether the regular expression matches anywhere in the value; captures every match.
#[derive(Clone, Debug)]
pub(super) enum RxGlobal {
    /// Known when the rule was compiled.
    Fixed(Pattern),
    /// The argument, once its macros are expanded.
    Argument(Dialect),
}

impl Member for RxGlobal {
    const DEF: Def = Def {
        name: "rxGlobal",
        aliases: &[],
        summary: "Whether the regular expression matches anywhere in the value; captures every match.",
        spec: "Version 3's @rxGlobal: matches that do not overlap, each with its groups, counted \
            on; an empty match counts only as the first. Not more than 100 captures.",
        argument: Argument::Pattern,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::captures(b"a(.)", b"ab ac", &[b"ab", b"b", b"ac", b"c"]),
            Example::captures(b"[a-z]*", b"aaa0bbb", &[b"aaa", b"bbb"]),
            Example::captures(b"^a", b"aa", &[b"a"]),
            Example::no(b"x", b"ab"),
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

/// Most searches for one value: empty matches take one each and lead only a byte further.
const SEARCHES: usize = 1000;

fn search(pattern: &Pattern, value: &[u8], eval: &mut Eval<'_>) -> bool {
    if eval.capture == Capture::None {
        return pattern.is_match(value, eval.scratch);
    }
    let groups = eval.capture == Capture::Groups && pattern.group_count() > 0;
    let mut slots = Vec::new();
    let mut start = 0usize;
    for _ in 0..SEARCHES {
        let found = if groups {
            pattern.captures_from(value, start, eval.scratch, &mut slots);
            slots.first().cloned().flatten()
        } else {
            let found = pattern.find_from(value, start, eval.scratch);
            slots.clear();
            slots.push(found.clone());
            found
        };
        let Some(found) = found else { break };
        if !found.is_empty() || eval.captures.is_empty() {
            eval.captures.push_slots(&slots);
        }
        if eval.captures.len() >= Captures::LIMIT {
            break;
        }
        start = found.end.saturating_add(usize::from(found.is_empty()));
    }
    !eval.captures.is_empty()
}
