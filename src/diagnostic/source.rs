//! Source texts and places in them.

/// Names one text of a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct SourceId(pub u32);

/// A range of bytes in one source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A place as a person counts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Location {
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
}

/// All texts of one load, with their names.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: Vec<u8>,
    /// Offsets at which lines begin.
    lines: Vec<u32>,
}

impl SourceMap {
    /// Adds a text and says how to name it. Texts are cut at 4 GiB.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Vec<u8>>) -> SourceId {
        let text = text.into();
        let mut lines = vec![0];
        for (at, &byte) in text.iter().enumerate() {
            if byte == b'\n' {
                lines.push(u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1));
            }
        }
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.sources.push(Source {
            name: name.into(),
            text,
            lines,
        });
        id
    }

    /// The name a source was added under; empty for an unknown one.
    pub fn name(&self, id: SourceId) -> &str {
        self.source(id).map_or("", |source| &source.name)
    }

    /// The bytes of a source; empty for an unknown one.
    pub fn text(&self, id: SourceId) -> &[u8] {
        self.source(id).map_or(&[], |source| &source.text)
    }

    /// The bytes a span covers; empty if it lies outside.
    pub fn slice(&self, span: Span) -> &[u8] {
        let (Ok(start), Ok(end)) = (usize::try_from(span.start), usize::try_from(span.end)) else {
            return &[];
        };
        self.text(span.source).get(start..end).unwrap_or(&[])
    }

    /// Line and column of the span's start.
    pub fn location(&self, span: Span) -> Location {
        let Some(source) = self.source(span.source) else {
            return Location { line: 1, column: 1 };
        };
        let line = source
            .lines
            .partition_point(|&start| start <= span.start)
            .saturating_sub(1);
        let begin = source.lines.get(line).copied().unwrap_or(0);
        Location {
            line: u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1),
            column: span.start.saturating_sub(begin).saturating_add(1),
        }
    }

    /// The bytes of one line (from 1) without its line end; empty if there is none.
    pub fn line(&self, id: SourceId, line: u32) -> &[u8] {
        let Some(source) = self.source(id) else {
            return &[];
        };
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(&start) = source.lines.get(index) else {
            return &[];
        };
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let rest = source.text.get(start..).unwrap_or(&[]);
        let end = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or(&[]);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(usize::try_from(id.0).ok()?)
    }
}
