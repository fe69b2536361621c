//! Messages as text.

use super::{Diagnostic, SourceMap};

/// Renders one message with its source line.
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
