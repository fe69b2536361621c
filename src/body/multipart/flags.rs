//! The MULTIPART_* flags.

/// What was odd about a multipart body. Each flag is the variable `MULTIPART_` and its name, set
/// by v2's conditions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MultipartFlags {
    /// Parsing stopped at an error. Part of [`MultipartFlags::strict_error`], no variable itself.
    pub error: bool,
    /// The boundary stands in quotes.
    pub boundary_quoted: bool,
    /// A blank stands between `boundary` and `=`, or behind `=`.
    pub boundary_whitespace: bool,
    /// A line stands before the first boundary.
    pub data_before: bool,
    /// Bytes stand behind the line of the final boundary.
    pub data_after: bool,
    /// A part header goes on in a line that begins with a blank.
    pub header_folding: bool,
    /// Such a line begins with a blank that is neither space nor tab.
    pub invalid_header_folding: bool,
    /// A boundary or part header line ends in CRLF.
    pub crlf_line: bool,
    /// One ends in a bare LF, or the line before a boundary does.
    pub lf_line: bool,
    /// No `;` stands before the boundary parameter (MULTIPART_MISSING_SEMICOLON and
    /// MULTIPART_SEMICOLON_MISSING).
    pub missing_semicolon: bool,
    /// A value of Content-Disposition is quoted in single quotes, has a single quote outside of
    /// double ones, or something follows its closing quote.
    pub invalid_quoting: bool,
    /// A boundary stands where the headers or the content of a part should.
    pub invalid_part: bool,
    /// More files than SecUploadFileLimit were to be extracted.
    pub file_limit_exceeded: bool,
    /// A line looks like a boundary but is none, or has one inside. v2's: 0 or 1.
    pub unmatched_boundary: bool,
}

impl MultipartFlags {
    /// MULTIPART_CRLF_LF_LINES: lines of both endings.
    pub fn crlf_lf_lines(&self) -> bool {
        self.crlf_line && self.lf_line
    }

    /// MULTIPART_STRICT_ERROR: any flag but `crlf_line`, which ordinary bodies set, and
    /// `unmatched_boundary`.
    pub fn strict_error(&self) -> bool {
        self.error
            || self.boundary_quoted
            || self.boundary_whitespace
            || self.data_before
            || self.data_after
            || self.header_folding
            || self.invalid_header_folding
            || self.lf_line
            || self.missing_semicolon
            || self.invalid_quoting
            || self.invalid_part
            || self.file_limit_exceeded
    }
}
