//! `@restpath`.

use super::text::Line;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::matching::Pattern;

/// Whether the value has the form of a path with named parts.
#[derive(Clone, Debug)]
pub(super) struct RestPath {
    pattern: Pattern,
    names: Box<[Box<[u8]>]>,
}

/// Largest number of named parts: captures reach to TX.9.
const NAMES: usize = 9;

impl Member for RestPath {
    const DEF: Def = Def {
        name: "restpath",
        aliases: &[],
        summary: "Whether the value has the form of a path with named parts, such as \
            `/user/{id}/photo`. The parts become ARGS_PATH.",
        spec: "Coraza's @restpath; what stands outside braces is a regular expression, a part \
            matches any text. Up to nine parts, captured whether the rule has `capture` or not.",
        argument: Argument::Special,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(
                b"/user/{id}/{name}",
                b"/user/12/joe",
                &[b"/user/12/joe", b"12", b"joe"],
            ),
            Example::no(b"/user/{id}", b"/group/12"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        let mut pattern = Vec::with_capacity(argument.len());
        let mut names: Vec<Box<[u8]>> = Vec::new();
        let mut rest = argument;
        while let Some((before, inner, behind)) = next_part(rest) {
            pattern.extend_from_slice(before);
            if is_name(inner) {
                pattern.extend_from_slice(b"(.*)");
                names.push(inner.into());
            } else {
                // A repetition such as {2,3}.
                pattern.push(b'{');
                pattern.extend_from_slice(inner);
                pattern.push(b'}');
            }
            rest = behind;
        }
        pattern.extend_from_slice(rest);
        if names.len() > NAMES {
            return Err(CompileError::argument(
                "a path has at most nine named parts",
                None,
            ));
        }
        // Places in the pattern are not places in the argument.
        let pattern = Pattern::new(&pattern, cx.dialect).map_err(|error| CompileError {
            offset: None,
            ..CompileError::from(error)
        })?;
        if pattern.group_count() != names.len() {
            return Err(CompileError::argument("groups of its own in a path", None)
                .hint("write (?:…) for a group that is not a named part"));
        }
        Ok(Self {
            pattern,
            names: names.into_boxed_slice(),
        })
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        eval.captures
            .push_groups(&self.pattern, value, eval.scratch)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("Path match \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(&self.pattern)
    }

    fn group_names(&self) -> &[Box<[u8]>] {
        &self.names
    }
}

/// Parts text at the first pair of braces: before, between and behind.
fn next_part(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let open = text.iter().position(|&byte| byte == b'{')?;
    let (before, rest) = text.split_at_checked(open)?;
    let rest = rest.get(1..)?;
    let close = rest.iter().position(|&byte| byte == b'}')?;
    let (inner, rest) = rest.split_at_checked(close)?;
    Some((before, inner, rest.get(1..)?))
}

fn is_name(text: &[u8]) -> bool {
    text.first()
        .is_some_and(|byte| !byte.is_ascii_digit() && *byte != b',')
}

#[cfg(test)]
mod tests {
    use super::super::tests::Harness;

    #[test]
    fn parts_have_names() {
        let mut harness = Harness::new();
        let operator = harness
            .compile("restpath", b"/a/{id}/[0-9]{2}/{the name}")
            .unwrap();
        let names: Vec<&[u8]> = operator.group_names().iter().map(|name| &**name).collect();
        assert_eq!(names, [&b"id"[..], b"the name"]);
        assert!(harness.ask("restpath", b"/a/{id}/[0-9]{2}/{the name}", b"/a/x/12/y"));
        assert!(!harness.ask("restpath", b"/a/{id}/[0-9]{2}/{the name}", b"/a/x/1/y"));
    }

    #[test]
    fn groups_and_too_many_parts_are_refused() {
        let mut harness = Harness::new();
        assert!(harness.compile("restpath", b"/(a)/{id}").is_err());
        assert!(harness.compile("restpath", &b"/{p}".repeat(10)).is_err());
    }
}
