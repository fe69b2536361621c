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
    let mut out = format!(
        "{}[{}]: ",
        diagnostic.severity.as_str(),
        diagnostic.code.as_str()
    );
    push_text(&mut out, &diagnostic.message);
    let places = diagnostic
        .span
        .iter()
        .chain(diagnostic.related.iter().map(|(span, _)| span));
    let lines = places.map(|span| sources.location(*span).line);
    let gutter = lines.max().unwrap_or(0).to_string().len();
    let margin = " ".repeat(gutter);
    if let Some(span) = diagnostic.span {
        push_place(&mut out, span, sources, gutter, '^');
    }
    for (span, label) in &diagnostic.related {
        let _ = write!(out, "\n{margin} = note: ");
        push_text(&mut out, label);
        let at = sources.location(*span);
        let seen = diagnostic.span.is_some_and(|main| {
            main.source == span.source && sources.location(main).line == at.line
        });
        if seen {
            let _ = write!(out, " (column {})", at.column);
        } else {
            push_place(&mut out, *span, sources, gutter, '-');
        }
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = write!(out, "\n{margin} = help: ");
        push_text(&mut out, hint);
    }
    out
}

/// Renders one message as one line, for logs:
/// `rules.conf:1:15: error[P0203]: unknown operator … (help: …)`.
pub fn render_line(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut out = String::new();
    if let Some(span) = diagnostic.span {
        push_location(&mut out, span, sources);
        out.push_str(": ");
    }
    let _ = write!(
        out,
        "{}[{}]: ",
        diagnostic.severity.as_str(),
        diagnostic.code.as_str()
    );
    push_text(&mut out, &diagnostic.message);
    let mut notes = diagnostic.related.iter().map(|(span, label)| {
        let mut note = String::new();
        push_text(&mut note, label);
        note.push_str(" at ");
        push_location(&mut note, *span, sources);
        note
    });
    let help = diagnostic.hint.as_ref().map(|hint| {
        let mut help = "help: ".to_owned();
        push_text(&mut help, hint);
        help
    });
    let mut open = " (";
    for part in notes.by_ref().chain(help) {
        out.push_str(open);
        out.push_str(&part);
        open = "; ";
    }
    if open == "; " {
        out.push(')');
    }
    out
}

/// The location line, the source line and the mark below it.
fn push_place(out: &mut String, span: Span, sources: &SourceMap, gutter: usize, mark: char) {
    let at = sources.location(span);
    let margin = " ".repeat(gutter);
    let _ = write!(out, "\n{margin}--> ");
    push_location(out, span, sources);
    let line = sources.line(span.source, at.line);
    let length = span.end.saturating_sub(span.start);
    let start = usize::try_from(at.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
    let shown = snippet(line, start, end);
    let indent = " ".repeat(shown.indent);
    let marks = mark.to_string().repeat(shown.width);
    let _ = write!(out, "\n{margin} |\n{:>gutter$} | {}", at.line, shown.text);
    let _ = write!(out, "\n{margin} | {indent}{marks}");
}

fn push_location(out: &mut String, span: Span, sources: &SourceMap) {
    let at = sources.location(span);
    push_text(out, sources.name(span.source));
    let _ = write!(out, ":{}:{}", at.line, at.column);
}

/// A text of ours that may hold parts of a rule file.
fn push_text(out: &mut String, text: &str) {
    for piece in Pieces::new(text.as_bytes()) {
        match piece {
            Piece::Character('\n' | '\t') => out.push(' '),
            piece => piece.write(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, SourceId};

    fn sources() -> (SourceMap, SourceId) {
        let mut sources = SourceMap::default();
        sources.add("first.conf", "# nothing\n");
        let lines =
            "SecAction \"id:1\"\n".repeat(9) + "\tSecRule ARGS \"@containz x\" \\\r\n \"id:1\"";
        let source = sources.add("rules.conf", lines);
        (sources, source)
    }

    fn message(source: SourceId) -> Diagnostic {
        let start = 9 * 17 + 15;
        Diagnostic::new(
            Code::UnknownOperator,
            Span {
                source,
                start,
                end: start + 9,
            },
            "unknown operator `containz`",
        )
    }

    #[test]
    fn shows_the_line_and_marks_the_place() {
        let (sources, source) = sources();
        let diagnostic = message(source)
            .related(
                Span {
                    source,
                    start: 11,
                    end: 15,
                },
                "first used here",
            )
            .hint("did you mean `@contains`?");
        let expected = [
            "error[P0203]: unknown operator `containz`",
            "  --> rules.conf:10:16",
            "   |",
            "10 |     SecRule ARGS \"@containz x\" \\",
            "   |                   ^^^^^^^^^",
            "   = note: first used here",
            "  --> rules.conf:1:12",
            "   |",
            " 1 | SecAction \"id:1\"",
            "   |            ----",
            "   = help: did you mean `@contains`?",
        ];
        assert_eq!(render(&diagnostic, &sources), expected.join("\n"));
    }

    #[test]
    fn one_line_holds_everything() {
        let (sources, source) = sources();
        let plain = "rules.conf:10:16: error[P0203]: unknown operator `containz`";
        assert_eq!(render_line(&message(source), &sources), plain);
        let diagnostic = message(source)
            .related(
                Span {
                    source,
                    start: 11,
                    end: 15,
                },
                "first used here",
            )
            .hint("did you\nmean `@contains`?");
        assert_eq!(
            render_line(&diagnostic, &sources),
            format!(
                "{plain} (first used here at rules.conf:1:12; help: did you mean `@contains`?)"
            )
        );
    }

    #[test]
    fn messages_need_no_place_and_carry_no_commands() {
        let diagnostic = Diagnostic::new(Code::PluginConfig, None, "bad \u{1b}[2J value");
        let sources = SourceMap::default();
        assert_eq!(
            render(&diagnostic, &sources),
            "error[P0601]: bad \\x1b[2J value"
        );
        assert_eq!(
            render_line(&diagnostic, &sources),
            "error[P0601]: bad \\x1b[2J value"
        );
    }

    #[test]
    fn places_outside_their_source_are_survived() {
        let (sources, source) = sources();
        for (source, start, end) in [
            (source, 9999, 99999),
            (source, 5, 2),
            (SourceId(77), 0, 10),
            (source, 0, u32::MAX),
        ] {
            let span = Span { source, start, end };
            let diagnostic = Diagnostic::new(Code::UnknownAction, span, "x");
            assert!(render(&diagnostic, &sources).contains("-->"));
            assert!(render_line(&diagnostic, &sources).contains("P0205"));
        }
    }
}
