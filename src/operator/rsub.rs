//! `@rsub`.

use std::ops::Range;

use super::text::{Line, hex_bytes};
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Product, Support};
use crate::matching::{Dialect, Pattern, Scratch};

/// Replaces every match of a pattern in STREAM_INPUT_BODY or STREAM_OUTPUT_BODY.
#[derive(Clone, Debug)]
pub(super) enum Rsub {
    /// Known when the rule was compiled.
    Fixed(Pattern, Replacement),
    /// The argument, once its macros are expanded.
    Argument(Dialect),
}

/// Most bytes that substitution may add to a body, beside as many again as the body has: what a
/// client sends must not become many megabytes.
const GROWTH: usize = 1 << 20;

impl Member for Rsub {
    const DEF: Def = Def {
        name: "rsub",
        aliases: &[],
        summary: "Replaces every match of a pattern in STREAM_INPUT_BODY or STREAM_OUTPUT_BODY.",
        spec: "ModSecurity manual, @rsub, and version 2: s/PATTERN/REPLACEMENT/FLAGS with any sign \
            for the slash; matches whether something was replaced or not. In the replacement \
            stand \\1 to \\9 for groups, |41 42| and \\x41 for bytes. Flags: i (either letter \
            case), d (macros in the pattern are text); s and g are what is done anyway. Text from \
            macros in the replacement is never read as a group. A body may grow to twice its \
            length and a mebibyte; a substitution beyond that does nothing and does not match.",
        argument: Argument::Special,
        macros: true,
        support: Support::Full,
        examples: &[
            Example::yes(b"s/</&lt;/", b"<b>"),
            Example::yes(br"s#(\d+)-(\d+)#\2-\1#i", b"12-34"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        let argument_of = |macros: &[Range<usize>]| Substitution::parse(argument, macros);
        if cx.has_macros {
            argument_of(&unexpanded(argument))?;
            return Ok(Self::Argument(cx.dialect));
        }
        let parsed = argument_of(&[])?;
        let pattern =
            Pattern::new(&parsed.pattern, parsed.dialect(cx.dialect)).map_err(|error| {
                // Escapes of the slash may have moved what stands behind them.
                CompileError {
                    offset: None,
                    ..CompileError::from(error)
                }
            })?;
        Ok(Self::Fixed(pattern, parsed.replacement))
    }

    fn eval(&self, value: &[u8], argument: &[u8], eval: &mut Eval<'_>) -> bool {
        let made = match self {
            Self::Fixed(pattern, replacement) => {
                replacement.substitute(pattern, value, eval.scratch)
            }
            Self::Argument(dialect) => {
                let Ok(parsed) = Substitution::parse(argument, eval.macros) else {
                    *eval.product = Product::Failure;
                    return false;
                };
                let dialect = parsed.dialect(*dialect);
                let Some(pattern) = eval.pattern(&parsed.pattern, dialect) else {
                    return false;
                };
                parsed.replacement.substitute(&pattern, value, eval.scratch)
            }
        };
        let done = made.is_some();
        *eval.product = made.map_or(Product::Failure, Product::Text);
        done
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("Substitution \"")
            .bytes(found.argument)
            .text("\"")
            .at(found.target)
    }
}

/// What stands between the slashes.
struct Substitution {
    pattern: Vec<u8>,
    replacement: Replacement,
    ignore_case: bool,
}

/// What takes the place of a match.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Replacement(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(Vec<u8>),
    /// A group, 1 to 9.
    Group(usize),
}

/// A byte of the argument; one that a macro gave means only itself.
#[derive(Clone, Copy)]
struct Sign {
    byte: u8,
    given: bool,
}

impl Sign {
    fn is(self, byte: u8) -> bool {
        self.byte == byte && !self.given
    }
}

impl Substitution {
    /// Reads an argument; `macros` says where in it text from macros stands.
    fn parse(argument: &[u8], macros: &[Range<usize>]) -> Result<Self, CompileError> {
        let form = || {
            CompileError::argument("expected a substitution", None)
                .hint("write s/PATTERN/REPLACEMENT/ or s/PATTERN/REPLACEMENT/FLAGS")
        };
        let mut ranges = macros.iter().peekable();
        let signs: Vec<Sign> = argument
            .iter()
            .enumerate()
            .map(|(at, &byte)| {
                while ranges.next_if(|range| range.end <= at).is_some() {}
                let given = ranges.peek().is_some_and(|range| range.contains(&at));
                Sign { byte, given }
            })
            .collect();
        let [first, slash, rest @ ..] = signs.as_slice() else {
            return Err(form());
        };
        if !(first.is(b's') || first.is(b'S')) || slash.given {
            return Err(form());
        }
        let (pattern, rest) = until(rest, slash.byte);
        let rest = rest.ok_or_else(form)?;
        let (replacement, flags) = until(rest, slash.byte);
        let mut ignore_case = false;
        let mut literal = false;
        for flag in flags.unwrap_or_default() {
            match flag.byte.to_ascii_lowercase() {
                b'i' => ignore_case = true,
                b'd' => literal = true,
                b's' | b'g' | b' ' => {}
                other => {
                    let flag = char::from(other).escape_default();
                    return Err(CompileError::argument(
                        format!("unknown flag `{flag}` of a substitution"),
                        None,
                    )
                    .hint("the flags are i (either letter case) and d (macros are text)"));
                }
            }
        }
        if pattern.is_empty() && macros.is_empty() {
            return Err(CompileError::argument("the pattern is empty", None));
        }
        // As in v2, `d` only concerns patterns with macros, and then all of the pattern.
        let literal = literal && !macros.is_empty();
        let mut text = Vec::with_capacity(pattern.len());
        let mut signs = pattern.iter().peekable();
        while let Some(sign) = signs.next() {
            if sign.is(b'\\') && signs.peek().is_some_and(|next| next.is(b'/')) {
                continue;
            }
            if literal && !sign.byte.is_ascii_alphanumeric() {
                text.extend_from_slice(format!("\\x{:02x}", sign.byte).as_bytes());
            } else {
                text.push(sign.byte);
                if sign.is(b'\\') {
                    text.extend(signs.next().map(|next| next.byte));
                }
            }
        }
        Ok(Self {
            pattern: text,
            replacement: Replacement::parse(replacement, slash.byte)?,
            ignore_case,
        })
    }

    fn dialect(&self, dialect: Dialect) -> Dialect {
        Dialect {
            case_insensitive: dialect.case_insensitive || self.ignore_case,
            ..dialect
        }
    }
}

/// Parts signs at the first slash that no backslash stands before: before it and, if there is
/// one, behind it.
fn until(signs: &[Sign], slash: u8) -> (&[Sign], Option<&[Sign]>) {
    let mut escaped = false;
    for (at, sign) in signs.iter().enumerate() {
        if !escaped && sign.is(slash) {
            let (before, rest) = signs.split_at_checked(at).unwrap_or((signs, &[]));
            return (before, rest.get(1..));
        }
        escaped = !escaped && sign.is(b'\\');
    }
    (signs, None)
}

/// Where macros stand in a text that is not expanded yet.
fn unexpanded(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0usize;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let end = rest
            .starts_with(b"%{")
            .then(|| rest.iter().position(|&byte| byte == b'}'))
            .flatten();
        let Some(end) = end else {
            at = at.saturating_add(1);
            continue;
        };
        let behind = at.saturating_add(end).saturating_add(1);
        found.push(at..behind);
        at = behind;
    }
    found
}

impl Replacement {
    fn parse(signs: &[Sign], slash: u8) -> Result<Self, CompileError> {
        let mut replacement = Self::default();
        let mut rest = signs;
        while let Some((&sign, after)) = rest.split_first() {
            rest = after;
            if sign.is(b'|') {
                let end = after.iter().position(|sign| sign.is(b'|'));
                let inside = end.and_then(|end| after.split_at_checked(end));
                let (hex, behind) = inside.ok_or_else(|| {
                    CompileError::argument("the bar is not closed", None).hint(
                        "bars enclose bytes in hexadecimal, as in |41 42|; write the bar itself as |7C|",
                    )
                })?;
                let hex: Vec<u8> = hex.iter().map(|sign| sign.byte).collect();
                let bytes = hex_bytes(&hex).ok_or_else(|| {
                    CompileError::argument("expected bytes in hexadecimal between the bars", None)
                        .hint("write the bar itself as |7C|")
                })?;
                replacement.text(&bytes);
                rest = behind.get(1..).unwrap_or_default();
                continue;
            }
            if !sign.is(b'\\') {
                replacement.text(&[sign.byte]);
                continue;
            }
            match after {
                [Sign { byte, given: false }, behind @ ..]
                    if matches!(byte, b':' | b';' | b'\\' | b'"' | b'/') || *byte == slash =>
                {
                    replacement.text(&[*byte]);
                    rest = behind;
                }
                [
                    Sign {
                        byte: digit @ b'1'..=b'9',
                        given: false,
                    },
                    behind @ ..,
                ] => {
                    let group = usize::from(digit.saturating_sub(b'0'));
                    replacement.0.push(Piece::Group(group));
                    rest = behind;
                }
                [x, high, low, behind @ ..] if x.is(b'x') && !high.given && !low.given => {
                    match hex_bytes(&[high.byte, low.byte]) {
                        Some(byte) => {
                            replacement.text(&byte);
                            rest = behind;
                        }
                        None => replacement.text(b"\\"),
                    }
                }
                _ => replacement.text(b"\\"),
            }
        }
        Ok(replacement)
    }

    fn text(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            Some(Piece::Text(text)) => text.extend_from_slice(bytes),
            _ => self.0.push(Piece::Text(bytes.to_vec())),
        }
    }

    /// The value with every match replaced; none, if it grows or takes too much.
    fn substitute(
        &self,
        pattern: &Pattern,
        value: &[u8],
        scratch: &mut Scratch,
    ) -> Option<Vec<u8>> {
        let most = value.len().saturating_mul(2).saturating_add(GROWTH);
        // Patterns that look far ahead and then match little would read the rest again and again.
        let begun = scratch.scanned();
        let work = u64::try_from(most).unwrap_or(u64::MAX).saturating_mul(16);
        let mut out = Vec::with_capacity(value.len());
        let mut slots = Vec::new();
        let mut copied = 0usize;
        let mut start = 0usize;
        while pattern.captures_from(value, start, scratch, &mut slots) {
            let Some(Some(found)) = slots.first().cloned() else {
                break;
            };
            out.extend_from_slice(value.get(copied..found.start).unwrap_or_default());
            for piece in &self.0 {
                match piece {
                    Piece::Text(text) => out.extend_from_slice(text),
                    Piece::Group(group) => {
                        let span = slots.get(*group).cloned().flatten();
                        let text = span.and_then(|span| value.get(span));
                        out.extend_from_slice(text.unwrap_or_default());
                    }
                }
            }
            if out.len() > most || scratch.scanned().saturating_sub(begun) > work {
                return None;
            }
            copied = found.end.max(copied);
            start = found.end.saturating_add(usize::from(found.is_empty()));
        }
        out.extend_from_slice(value.get(copied..).unwrap_or_default());
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Harness;
    use super::*;

    fn parsed(argument: &str) -> Result<Substitution, CompileError> {
        Substitution::parse(argument.as_bytes(), &unexpanded(argument.as_bytes()))
    }

    fn made(argument: &str, value: &[u8]) -> Option<String> {
        let mut harness = Harness::new();
        harness.ask("rsub", argument.as_bytes(), value);
        match harness.product() {
            Product::Text(text) => Some(text.escape_ascii().to_string()),
            _ => None,
        }
    }

    #[test]
    fn every_match_is_replaced() {
        for (argument, value, expected) in [
            ("s/a/b/", "abab", "bbbb"),
            ("s/a/b", "aa", "bb"),
            ("S#a/b#c#", "xa/b", "xc"),
            (r"s/a\/b/c\/d/", "a/b", "c/d"),
            (r"s/(\w)(\w)/\2\1-/", "abcde", "ba-dc-e"),
            (r"s/(x)?y/[\1]/", "xyy", "[x][]"),
            ("s/A/b/i", "aA", "bb"),
            ("s/a/|41 42|C/", "a", "ABC"),
            (r"s/a/\x3c\:\;\\\q\0/", "a", r"<:;\\\\q\\0"),
            ("s/b*/-/", "abc", "-a--c-"),
            ("s/x/y/", "abc", "abc"),
            (r"s/\\/\//", r"a\b", "a/b"),
            ("s/^a/b/", "aa", "ba"),
        ] {
            assert_eq!(
                made(argument, value.as_bytes()).as_deref(),
                Some(expected),
                "{argument}"
            );
        }
    }

    #[test]
    fn malformed_arguments_are_refused() {
        for argument in [
            "",
            "s",
            "s/",
            "s/a",
            "a/b/c/",
            "s//b/",
            "s/a/b/x",
            "s/a/|4/",
            "s/a/|zz|/",
        ] {
            assert!(parsed(argument).is_err(), "{argument}");
        }
        assert!(Harness::new().compile("rsub", b"s/(/b/").is_err());
    }

    #[test]
    fn text_from_macros_means_itself() {
        // `s/V/V/`, where both V came from macros and hold signs with a meaning.
        let argument = br"s/a/b.\1/x\1|/d";
        let macros = [2..6, 9..13];
        let substitution = Substitution::parse(argument, &macros);
        assert!(substitution.is_ok());
        let parsed = Substitution::parse(br"s/a/./\1|/d", &[2..5, 6..9])
            .ok()
            .unwrap();
        assert_eq!(parsed.pattern, br"a\x2f\x2e");
        assert_eq!(parsed.replacement.0, [Piece::Text(br"\1|".to_vec())]);
        // Without `d`, the macro's text is part of the pattern.
        let parsed = Substitution::parse(br"s/a/./b/", std::slice::from_ref(&(2..5)))
            .ok()
            .unwrap();
        assert_eq!(parsed.pattern, b"a/.");
        assert_eq!(unexpanded(b"s/%{tx.a}/x%{b").first(), Some(&(2..9)));
    }

    #[test]
    fn growth_and_work_are_bounded() {
        let long = "x".repeat(5000);
        assert_eq!(made(&format!("s/a/{long}/"), &[b'a'; 2000]), None);
        assert!(made("s/a[^b]*b|a/c/", &vec![b'a'; 1 << 20]).is_none());
    }
}
