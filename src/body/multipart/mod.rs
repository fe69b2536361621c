//! `multipart/form-data` bodies, read as v2 reads them.
//!
//! The body is taken in pieces: lines, or stretches of 4096 bytes where a line is longer. Each
//! piece is a boundary, a part header or content, and the flags say what was odd. File contents
//! are counted, not kept.
//!
//! Where this differs from v2:
//! * Arguments and files of complete parts are reported although a later part is in error: they
//!   have gone out by then, and more is inspected.
//! * Bytes behind the final boundary always set MULTIPART_DATA_AFTER. v2 sets
//!   MULTIPART_DATA_BEFORE where they come in a later chunk.
//! * A parameter behind the boundary in Content-Type is tolerated, and `filename*` beside a
//!   `filename`, as in v3.

mod content_type;
mod disposition;
mod flags;
mod part;

#[cfg(test)]
mod tests;

use memchr::memmem::Finder;

use self::disposition::Disposition;
pub use self::flags::MultipartFlags;
use self::part::{Headers, LineEnd, Part, Progress};
use super::charset::{self, Declared};
use super::{ARGUMENTS_LIMIT, Charsets, End, File, Finished, Settings, Sink, printable};
use crate::http::is_space;

/// The media type.
pub(super) const MEDIA_TYPE: &[u8] = b"multipart/form-data";

/// Size of v2's line buffer in bytes. A part header line is shorter.
const LINE_LIMIT: usize = 4096;

const FINAL_MISSING: &str = "Multipart: Final boundary missing.";

/// A multipart body being read.
#[derive(Debug)]
pub(super) struct Multipart {
    /// `--` and the boundary; empty where the Content-Type is in error.
    delimiter: Vec<u8>,
    finder: Finder<'static>,
    extract_files: bool,
    file_limit: usize,
    charsets: Charsets,

    /// The piece that comes in.
    piece: Vec<u8>,
    /// Whether the piece is the beginning of a line.
    line_start: bool,
    /// Whether the piece before it ended in a bare LF.
    after_bare_lf: bool,
    state: State,
    boundaries: usize,
    seen_data: bool,

    flags: MultipartFlags,
    error: Option<String>,
    /// What is wrong with the charset of a part.
    charset_error: Option<String>,
    over_limit: bool,
    extracted_files: usize,
    no_files_length: usize,
    last_seen: Disposition,
}

#[derive(Debug)]
enum State {
    /// Before the first boundary.
    Preamble,
    Headers(Headers),
    Content(Part),
    /// Behind the final boundary.
    Complete,
}

/// What a piece is.
enum Piece {
    Boundary { last: bool },
    Other,
}

impl Multipart {
    pub(super) fn new(content_type: &[u8], settings: &Settings) -> Self {
        let mut flags = MultipartFlags::default();
        let (delimiter, error) = match content_type::boundary(content_type, &mut flags) {
            Ok(boundary) => ([b"--", &boundary[..]].concat(), None),
            Err(error) => (Vec::new(), Some(error.to_owned())),
        };
        flags.error = error.is_some();
        Self {
            finder: Finder::new(&delimiter).into_owned(),
            delimiter,
            extract_files: settings.extract_files,
            file_limit: settings.limits.files,
            charsets: settings.charsets,
            piece: Vec::new(),
            line_start: true,
            after_bare_lf: false,
            state: State::Preamble,
            boundaries: 0,
            seen_data: false,
            flags,
            error,
            charset_error: None,
            over_limit: false,
            extracted_files: 0,
            no_files_length: 0,
            last_seen: Disposition::default(),
        }
    }

    pub(super) fn no_files_length(&self) -> usize {
        self.no_files_length
    }

    pub(super) fn held_bytes(&self) -> usize {
        let part = match &self.state {
            State::Preamble | State::Complete => 0,
            State::Headers(headers) => headers.held_bytes(),
            State::Content(part) => part.held_bytes(),
        };
        size_of::<Self>()
            .saturating_add(self.piece.capacity())
            .saturating_add(part)
    }

    pub(super) fn feed(&mut self, chunk: &[u8], sink: &mut dyn Sink) {
        let mut rest = chunk;
        while !rest.is_empty() && self.error.is_none() {
            self.seen_data = true;
            if matches!(self.state, State::Complete) {
                self.flags.data_after = true;
                return;
            }
            let (taken, full) = self.fill(&mut rest);
            if full || taken.last() == Some(&b'\n') {
                self.piece.extend_from_slice(taken);
                let piece = std::mem::take(&mut self.piece);
                if let Err(error) = self.take(&piece, full, sink) {
                    self.flags.error = true;
                    self.error = Some(error);
                }
                self.line_start = piece.last() == Some(&b'\n');
                self.after_bare_lf = LineEnd::cut(&piece).1 == LineEnd::Lf;
                self.piece = piece;
                self.piece.clear();
            } else {
                self.piece.extend_from_slice(taken);
            }
        }
    }

    pub(super) fn finish(mut self, end: End, sink: &mut dyn Sink) -> Finished {
        if self.error.is_none() && self.seen_data {
            self.error = match self.complete(sink) {
                Err(FINAL_MISSING) if end == End::Cut => {
                    self.cut(sink);
                    None
                }
                result => result.err().map(str::to_owned),
            };
        }
        let error = match self.error {
            Some(error) => Some(format!("Multipart parsing error: {error}")),
            None if self.over_limit => Some(ARGUMENTS_LIMIT.to_owned()),
            None => self.charset_error,
        };
        Finished {
            error,
            multipart: self.flags,
            multipart_name: self.last_seen.name.unwrap_or_default(),
            multipart_filename: self.last_seen.file_name.unwrap_or_default(),
            no_files_length: self.no_files_length,
            ..Finished::default()
        }
    }

    /// Takes what the open piece still needs from the front of `rest`, and says whether the piece
    /// is full with it. A piece never ends in a CR that its LF could follow.
    fn fill<'a>(&self, rest: &mut &'a [u8]) -> (&'a [u8], bool) {
        let room = LINE_LIMIT.saturating_sub(self.piece.len());
        let window = rest.get(..room).unwrap_or(rest);
        let line = memchr::memchr(b'\n', window).and_then(|at| window.get(..=at));
        let taken = match (line.unwrap_or(window), room) {
            ([before @ .., b'\r'], room) if before.len().saturating_add(1) == room => before,
            (taken, _) => taken,
        };
        let cut_short = taken.len() < line.unwrap_or(window).len();
        *rest = rest.get(taken.len()..).unwrap_or_default();
        (taken, cut_short || taken.len() == room)
    }

    /// Reads one piece.
    fn take(&mut self, piece: &[u8], full: bool, sink: &mut dyn Sink) -> Result<(), String> {
        if let Piece::Boundary { last } = self.classify(piece)? {
            self.boundaries = self.boundaries.saturating_add(1);
            self.end_part(sink);
            self.state = if last {
                State::Complete
            } else {
                State::Headers(Headers::default())
            };
            return Ok(());
        }
        match &mut self.state {
            State::Preamble | State::Complete => self.flags.data_before = true,
            State::Headers(_) if full => {
                return Err(format!(
                    "Multipart: Part header line over {LINE_LIMIT} bytes long"
                ));
            }
            State::Headers(headers) => {
                let progress = headers.line(piece, &mut self.flags, &mut self.last_seen)?;
                self.no_files_length = self.no_files_length.saturating_add(piece.len());
                if let Progress::Over(part, lines) = progress {
                    for line in &lines {
                        sink.part_header(&part.name, line);
                    }
                    self.state = State::Content(part);
                }
            }
            State::Content(_) => self.content(piece, sink),
        }
        Ok(())
    }

    /// Finds out whether a piece is a boundary, and flags what only looks like one.
    fn classify(&mut self, piece: &[u8]) -> Result<Piece, String> {
        if !self.line_start {
            return Ok(Piece::Other);
        }
        // v2 measures the line as a C string: four bytes before any NUL, line end included.
        let looks_like_boundary = piece.starts_with(b"--")
            && matches!(piece, [_, _, third, fourth, ..] if *third != 0 && *fourth != 0);
        if !looks_like_boundary {
            self.flags.unmatched_boundary |= self.finder.find(piece).is_some();
            return Ok(Piece::Other);
        }
        let Some(behind) = piece.strip_prefix(&self.delimiter[..]) else {
            self.look_alike(piece)?;
            return Ok(Piece::Other);
        };
        self.flags.lf_line |= self.after_bare_lf;
        if self.boundaries > 0 && !self.has_content() {
            self.flags.invalid_part = true;
            return Ok(Piece::Other);
        }
        let (last, end) = match behind {
            [b'-', b'-', end @ ..] => (true, end),
            end => (false, end),
        };
        match end {
            b"\r\n" => self.flags.crlf_line = true,
            b"\n" => self.flags.lf_line = true,
            _ => return Err(format!("Multipart: Invalid boundary: {}", printable(piece))),
        }
        Ok(Piece::Boundary { last })
    }

    /// A line that begins with `--` but not with the delimiter.
    fn look_alike(&mut self, piece: &[u8]) -> Result<(), String> {
        let boundary = self.delimiter.get(2..).unwrap_or_default();
        let behind_dashes = piece.get(2..).unwrap_or_default();
        if self.flags.boundary_quoted
            && behind_dashes
                .strip_prefix(b"\"")
                .is_some_and(|text| text.starts_with(boundary))
        {
            return Err("Multipart: Invalid boundary (quotes).".to_owned());
        }
        let text = crate::http::trim_start(behind_dashes);
        if behind_dashes.first().is_some_and(|&byte| is_space(byte)) && text.starts_with(boundary) {
            return Err("Multipart: Invalid boundary (whitespace).".to_owned());
        }
        self.flags.unmatched_boundary = true;
        Ok(())
    }

    fn has_content(&self) -> bool {
        matches!(&self.state, State::Content(part) if part.has_content)
    }

    /// Adds a piece to the content of the part. Its line end waits for the next piece.
    fn content(&mut self, piece: &[u8], sink: &mut dyn Sink) {
        let State::Content(part) = &mut self.state else {
            return;
        };
        let (text, end) = LineEnd::cut(piece);
        let held = std::mem::replace(&mut part.held, end).bytes();
        let added = held.len().saturating_add(text.len());
        part.size = part.size.saturating_add(added);
        if part.file_name.is_none() {
            self.no_files_length = self.no_files_length.saturating_add(added);
            part.value.extend_from_slice(held);
            part.value.extend_from_slice(text);
        } else if self.extract_files {
            if !part.has_content {
                if self.extracted_files < self.file_limit {
                    self.extracted_files = self.extracted_files.saturating_add(1);
                    part.extracted = true;
                } else {
                    self.flags.file_limit_exceeded = true;
                }
            }
            for content in [held, text] {
                if part.extracted && !content.is_empty() {
                    sink.file_content(&part.name, content);
                }
            }
        }
        part.has_content = true;
    }

    /// Reports the part that a boundary ends. A part still in its headers has no name: it is
    /// invalid.
    fn end_part(&mut self, sink: &mut dyn Sink) {
        match std::mem::replace(&mut self.state, State::Preamble) {
            State::Preamble | State::Complete => {}
            State::Headers(_) => self.flags.invalid_part = true,
            State::Content(Part {
                name,
                file_name: Some(file_name),
                size,
                extracted,
                ..
            }) => {
                sink.file(&File {
                    part_name: &name,
                    file_name: &file_name,
                    size,
                    extracted,
                });
            }
            State::Content(part) => {
                if !self.over_limit {
                    self.over_limit = !self.report(&part, sink);
                }
            }
        }
    }

    /// Reports a part that is no file, decoded as well if its charset hides what it says. False if
    /// there are too many arguments.
    fn report(&mut self, part: &Part, sink: &mut dyn Sink) -> bool {
        let declared = match self.charsets {
            Charsets::Off => Declared::Plain,
            Charsets::On | Charsets::OnlyDecoded => charset::declared(&part.content_type),
        };
        let (decoded, wrong) = match declared {
            Declared::Plain => (None, None),
            Declared::Unclear(why) => (None, Some(why)),
            Declared::Hiding(charset) => {
                let (text, malformed) = charset.decode(&part.value);
                let name = charset.name();
                let wrong = malformed.map(|why| {
                    format!("A part is not the {name} text that it is declared to be: {why}.")
                });
                (Some(text), wrong)
            }
        };
        if self.charset_error.is_none() {
            self.charset_error = wrong;
        }
        match decoded {
            Some(text) if self.charsets == Charsets::OnlyDecoded => {
                sink.argument(&part.name, &text)
            }
            Some(text) if text != part.value => {
                sink.argument(&part.name, &part.value) && sink.argument(&part.name, &text)
            }
            _ => sink.argument(&part.name, &part.value),
        }
    }

    /// The end of the body: the final boundary may stand there without a line end.
    fn complete(&mut self, sink: &mut dyn Sink) -> Result<(), &'static str> {
        if matches!(self.state, State::Complete) {
            return Ok(());
        }
        if self.boundaries == 0 {
            return Err("Multipart: No boundaries found in payload.");
        }
        let is_final =
            self.line_start && self.piece.strip_prefix(&self.delimiter[..]) == Some(&b"--"[..]);
        if !is_final {
            return Err(FINAL_MISSING);
        }
        self.flags.lf_line |= self.after_bare_lf;
        self.flags.invalid_part |= !self.has_content();
        self.end_part(sink);
        self.state = State::Complete;
        Ok(())
    }

    /// The body was cut inside of a part: its content ends with the open piece, unless that is the
    /// beginning of a boundary. A part without all of its headers is not reported.
    fn cut(&mut self, sink: &mut dyn Sink) {
        let piece = std::mem::take(&mut self.piece);
        let boundary = self.line_start
            && (self.delimiter.starts_with(&piece) || piece.starts_with(&self.delimiter));
        if !boundary {
            self.content(&piece, sink);
        }
        if self.has_content() {
            self.end_part(sink);
        }
    }
}
