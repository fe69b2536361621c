//! Messages as data, for tools: `parapet check --json`.

use serde::Serialize;

use super::{Diagnostic, SourceMap, Span};

/// One message with its places resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where, if it has a place.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Other places that matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<RelatedPlace>,
}

/// A range in a file; lines and columns from 1, columns in bytes, the end behind the last byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The name of the source.
    pub file: String,
    /// Line of the start.
    pub line: u32,
    /// Column of the start.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column of the end.
    pub end_column: u32,
}

/// A place with what it has to do with the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelatedPlace {
    /// The label.
    pub message: String,
    /// The place.
    #[serde(flatten)]
    pub place: Place,
}

impl Record {
    /// Resolves the places of a message.
    pub fn new(diagnostic: &Diagnostic, sources: &SourceMap) -> Self {
        let related = diagnostic
            .related
            .iter()
            .map(|(span, message)| RelatedPlace {
                message: message.clone(),
                place: Place::new(*span, sources),
            });
        Self {
            severity: diagnostic.severity.as_str(),
            code: diagnostic.code.as_str(),
            message: diagnostic.message.clone(),
            place: diagnostic.span.map(|span| Place::new(span, sources)),
            hint: diagnostic.hint.clone(),
            related: related.collect(),
        }
    }
}

impl Place {
    /// Resolves a span.
    pub fn new(span: Span, sources: &SourceMap) -> Self {
        let start = sources.location(span);
        let end = sources.location(Span {
            start: span.end,
            ..span
        });
        Self {
            file: sources.name(span.source).to_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn is_flat_and_leaves_out_what_is_not_there() {
        let mut sources = SourceMap::default();
        let source = sources.add("a.conf", "one\ntwo\n");
        let span = |start, end| Span { source, start, end };
        let full = Diagnostic::new(Code::UnknownAction, span(4, 7), "unknown")
            .hint("help")
            .related(span(0, 3), "here");
        let json = serde_json::to_string(&Record::new(&full, &sources)).unwrap();
        assert_eq!(
            json,
            "{\"severity\":\"error\",\"code\":\"P0205\",\"message\":\"unknown\",\
             \"file\":\"a.conf\",\"line\":2,\"column\":1,\"end_line\":2,\"end_column\":4,\
             \"hint\":\"help\",\"related\":[{\"message\":\"here\",\"file\":\"a.conf\",\
             \"line\":1,\"column\":1,\"end_line\":1,\"end_column\":4}]}"
        );
        let bare = Diagnostic::new(Code::PluginConfig, None, "bad");
        let json = serde_json::to_string(&Record::new(&bare, &sources)).unwrap();
        assert_eq!(
            json,
            "{\"severity\":\"error\",\"code\":\"P0601\",\"message\":\"bad\"}"
        );
    }
}
