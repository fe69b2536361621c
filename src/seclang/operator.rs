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
                scan.error(Code::OperatorSyntax, range, "an operator takes one `!` only")
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
        return Some(OperatorExpr { negated, name, argument: word.part(start..word.len()) });
    }
    scan.skip_blanks();
    let name = scan.take_while(|byte| !is_blank(byte));
    if name.is_empty() {
        diagnostics.push(
            scan.error(Code::OperatorSyntax, start..scan.at(), "no operator follows the `@`").hint(
                "write `@rx \\@…` for a pattern that begins with an at sign, or name an operator",
            ),
        );
        return None;
    }
    scan.skip_blanks();
    let argument = word.part(scan.at()..word.len());
    Some(OperatorExpr { negated, name: word.part(name), argument })
}
