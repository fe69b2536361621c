//! Body processors: chunks of a request body in, arguments, files and flags out.
//!
//! A processor never holds more than its own state needs, takes any cut of the body into chunks
//! with the same result, and reports what it finds through a [`Sink`].

/// Where a processor reports what it finds, in body order.
pub trait Sink {
    /// One argument of ARGS_POST. `false` says that the limit is reached: the processor goes on
    /// without reporting more arguments and records the error that its kind records.
    fn argument(&mut self, name: &[u8], value: &[u8]) -> bool;
    /// A part of a multipart body that is a file, complete.
    fn file(&mut self, file: &File<'_>);
    /// One header line of a multipart part, unfolded, as received (`Name: value`).
    fn part_header(&mut self, part_name: &[u8], line: &[u8]);
}

/// A file part of a multipart body (FILES, FILES_NAMES, FILES_SIZES).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// The part's `name`.
    pub part_name: &'a [u8],
    /// The client's `filename`.
    pub file_name: &'a [u8],
    /// Bytes of content.
    pub size: usize,
}
