//! The second argument of SecRule: `[!][@name] argument`.

use super::ast::{OperatorExpr, Word};
use super::cursor::is_blank;
use super::scan::Scan;
use crate::diagnostic::{Code, Diagnostic};

/// Takes an operator text apart.
///
/// Without `@name` the operator is `rx` with the whole text; `!` in front negates either form, and
/// blanks may follow it. `None` after an error.
pub fn operator(word: &Word, diagnostics: &mut Vec<Diagnostic>) -> Option<OperatorExpr> {
    let mut scan = Scan::new(word);
    scan.skip_blanks();
    let negated = scan.eat(b'!');
    scan.skip_blanks();
    let again = scan.at();
    if negated && scan.eat(b'!') {
        scan.skip_blanks();
        if scan.peek() == Some(b'@') {
            let range = again..again.saturating_add(1);
            diagnostics.push(
                scan.error(
                    Code::OperatorSyntax,
                    range,
                    "an operator takes one `!` only",
                )
                .hint("remove one; two of them would cancel each other out"),
            );
            return None;
        }
        // A pattern that begins with an exclamation mark.
        scan = Scan::starting_at(word, again);
    }
    let start = scan.at();
    if !scan.eat(b'@') {
        let name = Word::synthetic("rx", word.span);
        return Some(OperatorExpr {
            negated,
            name,
            argument: word.part(start..word.len()),
        });
    }
    scan.skip_blanks();
    let name = scan.take_while(|byte| !is_blank(byte));
    if name.is_empty() {
        diagnostics.push(
            scan.error(
                Code::OperatorSyntax,
                start..scan.at(),
                "no operator follows the `@`",
            )
            .hint(
                "write `@rx \\@…` for a pattern that begins with an at sign, or name an operator",
            ),
        );
        return None;
    }
    scan.skip_blanks();
    let argument = word.part(scan.at()..word.len());
    Some(OperatorExpr {
        negated,
        name: word.part(name),
        argument,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{SourceId, Span};

    fn word(text: &str) -> Word {
        let end = u32::try_from(text.len()).unwrap();
        Word::synthetic(
            text,
            Span {
                source: SourceId(0),
                start: 0,
                end,
            },
        )
    }

    #[test]
    fn takes_operators_apart() {
        for (text, negated, name, argument) in [
            ("@rx ^a b$ ", false, "rx", "^a b$ "),
            ("!@rx a", true, "rx", "a"),
            ("! @rx a", true, "rx", "a"),
            ("  !  @  rx \t a", true, "rx", "a"),
            ("@detectSQLi", false, "detectSQLi", ""),
            ("@unconditionalMatch ", false, "unconditionalMatch", ""),
            ("!foo", true, "rx", "foo"),
            ("! foo", true, "rx", "foo"),
            ("!!foo", true, "rx", "!foo"),
            ("  foo bar", false, "rx", "foo bar"),
            ("a@b", false, "rx", "a@b"),
            ("!", true, "rx", ""),
            ("", false, "rx", ""),
            ("@pm\ta b", false, "pm", "a b"),
        ] {
            let mut diagnostics = Vec::new();
            let found = operator(&word(text), &mut diagnostics).unwrap();
            assert_eq!(found.negated, negated, "{text}");
            assert_eq!(&*found.name, name.as_bytes(), "{text}");
            assert_eq!(&*found.argument, argument.as_bytes(), "{text}");
            assert_eq!(diagnostics, [], "{text}");
        }
    }

    #[test]
    fn refuses_what_says_nothing() {
        for (text, at) in [
            ("@", 0..1),
            ("!@", 1..2),
            ("@ ", 0..2),
            ("!!@rx a", 1..2),
            ("! ! @rx", 2..3),
        ] {
            let mut diagnostics = Vec::new();
            assert_eq!(operator(&word(text), &mut diagnostics), None, "{text}");
            let [diagnostic] = diagnostics.as_slice() else {
                panic!("{text}: {diagnostics:?}")
            };
            assert_eq!(diagnostic.code, Code::OperatorSyntax, "{text}");
            let span = diagnostic.span.unwrap();
            assert_eq!(span.start..span.end, at, "{text}");
        }
    }
}
