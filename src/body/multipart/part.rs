//! One part: its header lines, then its content.

use std::collections::BTreeSet;

use super::disposition::{self, Disposition};
use super::{LINE_LIMIT, MultipartFlags};
use crate::body::printable;
use crate::http::is_space;

/// The header block of a part while its lines come in.
#[derive(Debug, Default)]
pub(super) struct Headers {
    /// Names seen, in lower case.
    names: BTreeSet<Vec<u8>>,
    /// The header that the next line may continue.
    open: Option<Header>,
    /// Lines of the headers before it.
    lines: Vec<Vec<u8>>,
    disposition: Option<Vec<u8>>,
    content_type: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Header {
    name: Vec<u8>,
    value: Vec<u8>,
    line: Vec<u8>,
}

/// A part whose header block is over.
#[derive(Debug)]
pub(super) struct Part {
    /// `name`.
    pub(super) name: Vec<u8>,
    /// `filename`; with one, the part is a file.
    pub(super) file_name: Option<Vec<u8>>,
    /// Whether any line of content was seen.
    pub(super) has_content: bool,
    /// Whether the content is reported in pieces.
    pub(super) extracted: bool,
    /// Bytes of content.
    pub(super) size: usize,
    /// The content of a part that is no file.
    pub(super) value: Vec<u8>,
    /// The line end that belongs to the content unless a boundary follows.
    pub(super) held: LineEnd,
    /// Its Content-Type; empty without one.
    pub(super) content_type: Vec<u8>,
}

/// The line end of a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// None: the piece is the beginning of a long line.
    #[default]
    None,
    /// A bare LF.
    Lf,
    /// CRLF.
    CrLf,
}

impl LineEnd {
    /// Cuts the line end off a piece.
    pub(super) fn cut(piece: &[u8]) -> (&[u8], Self) {
        match piece {
            [line @ .., b'\r', b'\n'] => (line, Self::CrLf),
            [line @ .., b'\n'] => (line, Self::Lf),
            _ => (piece, Self::None),
        }
    }

    /// The bytes of the line end.
    pub(super) fn bytes(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
        }
    }
}

/// What a header line led to.
pub(super) enum Progress {
    /// More lines may follow.
    Headers,
    /// The block is over: the part, and its header lines.
    Over(Part, Vec<Vec<u8>>),
}

impl Part {
    pub(super) fn held_bytes(&self) -> usize {
        [&self.name, &self.value, &self.content_type]
            .into_iter()
            .chain(&self.file_name)
            .fold(0, |sum: usize, text| sum.saturating_add(text.capacity()))
    }
}

impl Headers {
    pub(super) fn held_bytes(&self) -> usize {
        let open = self.open.iter().flat_map(|header| {
            let Header { name, value, line } = header;
            [name, value, line]
        });
        self.names
            .iter()
            .chain(&self.lines)
            .chain(&self.disposition)
            .chain(&self.content_type)
            .chain(open)
            .fold(0, |sum: usize, text| {
                sum.saturating_add(size_of::<Vec<u8>>())
                    .saturating_add(text.capacity())
            })
    }

    /// Takes one line with its line end.
    pub(super) fn line(
        &mut self,
        piece: &[u8],
        flags: &mut MultipartFlags,
        seen: &mut Disposition,
    ) -> Result<Progress, String> {
        if piece.contains(&0) {
            return Err("Multipart: Nul byte in part headers.".to_owned());
        }
        let (line, end) = LineEnd::cut(piece);
        match end {
            LineEnd::CrLf => flags.crlf_line = true,
            _ => flags.lf_line = true,
        }
        if line.is_empty() {
            return self.over(flags, seen);
        }
        if is_space(*line.first().unwrap_or(&b' ')) {
            self.folded(piece, flags)?;
        } else {
            self.header(line)?;
        }
        Ok(Progress::Headers)
    }

    /// A line that begins with a blank continues the header before it.
    fn folded(&mut self, piece: &[u8], flags: &mut MultipartFlags) -> Result<(), String> {
        flags.header_folding = true;
        let start = piece
            .iter()
            .position(|&byte| !is_space(byte))
            .unwrap_or(piece.len());
        let (blanks, text) = piece.split_at_checked(start).unwrap_or((piece, &[]));
        // A line of blanks only is all prefix, with its line end: v2 flags that, too.
        if blanks.iter().any(|&byte| byte != b' ' && byte != b'\t') {
            flags.invalid_header_folding = true;
        }
        let Some(header) = &mut self.open else {
            return Err("Multipart: Invalid part header (folding error).".to_owned());
        };
        header.value.push(b' ');
        header.value.extend_from_slice(LineEnd::cut(text).0);
        if header.value.len() > LINE_LIMIT {
            return Err("Multipart: Part header too long.".to_owned());
        }
        header.line = [&header.name[..], b": ", &header.value].concat();
        Ok(())
    }

    fn header(&mut self, line: &[u8]) -> Result<(), String> {
        let Some((name, value)) = crate::http::form::split_once(line, b':') else {
            return Err(format!(
                "Multipart: Invalid part header (colon missing): {}.",
                printable(line)
            ));
        };
        if name.is_empty() {
            return Err("Multipart: Invalid part header (header name missing).".to_owned());
        }
        if !name.iter().all(u8::is_ascii_graphic) {
            return Err("Multipart: Invalid part header (contains invalid character).".to_owned());
        }
        if !self.names.insert(name.to_ascii_lowercase()) {
            return Err(format!(
                "Multipart: Duplicate part header: {}.",
                printable(name)
            ));
        }
        self.close();
        let start = value.iter().position(|&byte| byte != b' ' && byte != b'\t');
        let value = start
            .and_then(|start| value.get(start..))
            .unwrap_or_default();
        self.open = Some(Header {
            name: name.to_vec(),
            value: value.to_vec(),
            line: line.to_vec(),
        });
        Ok(())
    }

    /// The open header is complete.
    fn close(&mut self) {
        if let Some(header) = self.open.take() {
            if header.name.eq_ignore_ascii_case(b"Content-Disposition") {
                self.disposition = Some(header.value);
            } else if header.name.eq_ignore_ascii_case(b"Content-Type") {
                self.content_type = Some(header.value);
            }
            self.lines.push(header.line);
        }
    }

    /// The empty line.
    fn over(
        &mut self,
        flags: &mut MultipartFlags,
        seen: &mut Disposition,
    ) -> Result<Progress, String> {
        self.close();
        let Some(value) = self.disposition.take() else {
            return Err("Multipart: Part missing Content-Disposition header.".to_owned());
        };
        let mut found = Disposition::default();
        let result = disposition::parse(&value, &mut found, flags);
        for (last, new) in [
            (&mut seen.name, &found.name),
            (&mut seen.file_name, &found.file_name),
        ] {
            if new.is_some() {
                last.clone_from(new);
            }
        }
        if let Err(code) = result {
            return Err(format!(
                "Multipart: Invalid Content-Disposition header ({code}): {}.",
                printable(&value)
            ));
        }
        let Some(name) = found.name else {
            return Err("Multipart: Content-Disposition header missing name field.".to_owned());
        };
        // Crude parsers look for this text; they must see a file where we do.
        if found.file_name.is_some() && memchr::memmem::find(&value, b"filename=").is_none() {
            return Err("Multipart: Invalid Content-Disposition header (filename).".to_owned());
        }
        let part = Part {
            name,
            file_name: found.file_name,
            has_content: false,
            extracted: false,
            size: 0,
            value: Vec::new(),
            held: LineEnd::None,
            content_type: self.content_type.take().unwrap_or_default(),
        };
        Ok(Progress::Over(part, std::mem::take(&mut self.lines)))
    }
}
