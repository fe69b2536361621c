//! Messages as text.

use std::fmt::Write as _;

use super::shown::{Piece, Pieces};
use super::snippet::snippet;
use super::{Diagnostic, SourceMap, Span};

/// Renders one message with its source lines, without a line end at its end:
///
/// ```text
/// error[P0203]: unknown operator `containz`
///  --> rules.conf:1:15
///   |
/// 1 | SecRule ARGS "@containz x" "id:1,deny"
///   |               ^^^^^^^^^
///   = help: did you mean `@contains`?
/// ```
///
/// Other places follow as notes, with their own lines where they stand in another one. Long lines
/// are cut around the place. Whatever a terminal could take for a command is escaped.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let place = diagnostic.span.map_or_else(String::new, |span| {
        let at = sources.location(span);
        format!("{}:{}:{}: ", sources.name(span.source), at.line, at.column)
    });
    format!(
        "{place}{}: {}",
        diagnostic.code.as_str(),
        diagnostic.message
    )
}
