//! Body processors: chunks of a request body in, arguments, files and flags out.
//!
//! A processor never holds more than its own state needs, takes any cut of the body into chunks
//! with the same result, and reports what it finds through a [`Sink`]. It never fails: the first
//! error is remembered, what was found before it has been reported, and [`Processor::finish`]
//! tells it (REQBODY_ERROR_MSG).

mod charset;
pub mod coding;
mod json;
mod multipart;
mod transcoded;
mod urlencoded;
pub mod xml;

#[cfg(test)]
mod tests;

use crate::http::content_type;
use crate::limits::Limits;
use charset::Declared;
pub use multipart::MultipartFlags;

/// Where a processor reports what it finds, in body order.
pub trait Sink {
    /// One argument (see [`Kind::fills_args_post`] for where it belongs). `false` says that the
    /// limit is reached: no more arguments are reported and the error of v2 is recorded. JSON ends
    /// there; the other kinds read on for what else they report.
    fn argument(&mut self, name: &[u8], value: &[u8]) -> bool;
    /// One argument that is a member of a JSON document; the answer is that of [`Sink::argument`].
    fn member(&mut self, name: &MemberName<'_>, value: &[u8]) -> bool {
        self.argument(name.reported, value)
    }
    /// A part of a multipart body that is a file, complete.
    fn file(&mut self, file: &File<'_>);
    /// The name of a member whose value holds others (a JSON array or object). It has no value of
    /// its own, so it is no argument; but the client chose the name, and rules on names want it.
    fn container(&mut self, name: &MemberName<'_>) {
        let _ = name;
    }
    /// One header line of a multipart part, unfolded, as received (`Name: value`).
    fn part_header(&mut self, part_name: &[u8], line: &[u8]);
    /// A piece of the content of a file that is being extracted (FILES_TMP_CONTENT). The pieces of
    /// a file come in order, before [`Sink::file`] reports it. Only with
    /// [`Settings::extract_files`]; whoever does not keep contents leaves it as it is.
    fn file_content(&mut self, part_name: &[u8], content: &[u8]) {
        let _ = (part_name, content);
    }
}

/// What a member of a JSON document is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberName<'a> {
    /// v3's name: the one that is reported.
    pub reported: &'a [u8],
    /// v2's and Coraza's, with [`Settings::other_names`].
    pub others: Option<[&'a [u8]; 2]>,
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
    /// Whether its content was reported: files are extracted and it came within their limit
    /// (FILES_TMPNAMES, FILES_TMP_CONTENT).
    pub extracted: bool,
}

/// The processors by their SecLang names (REQBODY_PROCESSOR, `ctl:requestBodyProcessor`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `application/x-www-form-urlencoded`: ARGS_POST and REQUEST_BODY.
    UrlEncoded,
    /// `multipart/form-data`: ARGS_POST, FILES, MULTIPART_*.
    Multipart,
    /// JSON, flattened to arguments.
    Json,
    /// XML, read as a tree.
    Xml,
    /// Nothing but the bytes: REQUEST_BODY (Coraza's).
    Raw,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::UrlEncoded,
        Self::Multipart,
        Self::Json,
        Self::Xml,
        Self::Raw,
    ];

    /// The kind of that SecLang name, whatever its case.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The SecLang name.
    pub fn name(self) -> &'static str {
        match self {
            Self::UrlEncoded => "URLENCODED",
            Self::Multipart => "MULTIPART",
            Self::Json => "JSON",
            Self::Xml => "XML",
            Self::Raw => "RAW",
        }
    }

    /// The kind that v2 chooses by itself. JSON and XML come only by `ctl:requestBodyProcessor`.
    pub fn for_content_type(content_type: &[u8]) -> Option<Self> {
        if content_type::begins_with(content_type, b"application/x-www-form-urlencoded") {
            Some(Self::UrlEncoded)
        } else if content_type::begins_with(content_type, multipart::MEDIA_TYPE) {
            Some(Self::Multipart)
        } else {
            None
        }
    }

    /// Whether its arguments are ARGS_POST as well as ARGS. Those of JSON and XML are only ARGS.
    pub fn fills_args_post(self) -> bool {
        matches!(self, Self::UrlEncoded | Self::Multipart)
    }

    /// Whether REQUEST_BODY is filled for this kind without `ctl:forceRequestBodyVariable`.
    pub fn keeps_body(self) -> bool {
        matches!(self, Self::UrlEncoded | Self::Raw)
    }
}

/// What a processor needs to know of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bounds of arguments, files, nesting and nodes.
    pub limits: Limits,
    /// SecArgumentSeparator.
    pub argument_separator: u8,
    /// SecParseXmlIntoArgs.
    pub xml_into_args: XmlIntoArgs,
    /// Whether file contents are reported (SecUploadKeepFiles, SecTmpSaveUploadedFiles, or a rule
    /// that reads them). As in v2, the file limit binds only then.
    pub extract_files: bool,
    /// Whether members of JSON documents are reported with their names in other engines.
    pub other_names: bool,
    /// SecParapetDecodeCharsets.
    pub charsets: Charsets,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            argument_separator: b'&',
            xml_into_args: XmlIntoArgs::default(),
            extract_files: false,
            other_names: false,
            charsets: Charsets::default(),
        }
    }
}

/// Whether XML becomes arguments (SecParseXmlIntoArgs).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XmlIntoArgs {
    /// Only the tree.
    #[default]
    Off,
    /// The tree, and an argument for every element without child elements.
    On,
    /// Only the arguments; XML stays empty.
    OnlyArgs,
}

/// What becomes of bodies whose declared charset hides ASCII (SecParapetDecodeCharsets).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charsets {
    /// They are read as they are, whatever they are declared to be.
    #[default]
    Off,
    /// They are read as they are and decoded.
    On,
    /// They are read decoded alone.
    OnlyDecoded,
}

/// A body being read.
#[derive(Debug)]
pub struct Processor {
    inner: Inner,
    /// Why it cannot be said in what charset the body is.
    unclear: Option<String>,
}

#[derive(Debug)]
enum Inner {
    UrlEncoded(urlencoded::UrlEncoded),
    Multipart(Box<multipart::Multipart>),
    Json(Box<json::Json>),
    Xml(Box<xml::Xml>),
    Raw { length: usize },
    Transcoded(Box<transcoded::Transcoded>),
}

impl Processor {
    /// Starts a body. `content_type` is the request's Content-Type header (empty without one);
    /// multipart finds its boundary there.
    pub fn new(kind: Kind, content_type: &[u8], settings: Settings) -> Self {
        let declared = match settings.charsets {
            Charsets::Off => Declared::Plain,
            Charsets::On | Charsets::OnlyDecoded => charset::declared(content_type),
        };
        let inner = match (declared, kind) {
            (Declared::Hiding(charset), Kind::Xml) => {
                Inner::Xml(Box::new(xml::Xml::new(settings, Some(charset))))
            }
            (Declared::Hiding(charset), _) => Inner::Transcoded(Box::new(
                transcoded::Transcoded::new(kind, charset, content_type, settings),
            )),
            (Declared::Unclear(why), _) => {
                return Self {
                    unclear: Some(why),
                    ..Self::plain(kind, content_type, settings)
                };
            }
            (Declared::Plain, _) => return Self::plain(kind, content_type, settings),
        };
        Self {
            inner,
            unclear: None,
        }
    }

    /// Starts a body that is read as it is.
    fn plain(kind: Kind, content_type: &[u8], settings: Settings) -> Self {
        let inner = match kind {
            Kind::UrlEncoded => {
                Inner::UrlEncoded(urlencoded::UrlEncoded::new(settings.argument_separator))
            }
            Kind::Multipart => {
                Inner::Multipart(Box::new(multipart::Multipart::new(content_type, &settings)))
            }
            Kind::Json => Inner::Json(Box::new(json::Json::new(
                settings.limits.json_depth,
                settings.other_names,
            ))),
            Kind::Xml => Inner::Xml(Box::new(xml::Xml::new(settings, None))),
            Kind::Raw => Inner::Raw { length: 0 },
        };
        Self {
            inner,
            unclear: None,
        }
    }

    /// Reads the next bytes of the body.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut dyn Sink) {
        match &mut self.inner {
            Inner::UrlEncoded(form) => form.feed(chunk, sink),
            Inner::Multipart(multipart) => multipart.feed(chunk, sink),
            Inner::Json(json) => json.feed(chunk, sink),
            Inner::Xml(xml) => xml.feed(chunk),
            Inner::Raw { length } => *length = length.saturating_add(chunk.len()),
            Inner::Transcoded(body) => body.feed(chunk, sink),
        }
    }

    /// Bytes read so far that belong to no file: what SecRequestBodyNoFilesLimit counts.
    pub fn no_files_length(&self) -> usize {
        match &self.inner {
            Inner::UrlEncoded(form) => form.length(),
            Inner::Multipart(multipart) => multipart.no_files_length(),
            Inner::Json(json) => json.length(),
            Inner::Xml(xml) => xml.length(),
            Inner::Raw { length } => *length,
            Inner::Transcoded(body) => body.no_files_length(),
        }
    }

    /// Bytes of memory that the open body takes.
    pub fn held_bytes(&self) -> usize {
        match &self.inner {
            Inner::UrlEncoded(form) => form.held_bytes(),
            Inner::Multipart(multipart) => multipart.held_bytes(),
            Inner::Json(json) => json.held_bytes(),
            Inner::Xml(xml) => xml.held_bytes(),
            Inner::Raw { .. } => 0,
            Inner::Transcoded(body) => body.held_bytes(),
        }
    }

    /// Ends the body.
    pub fn finish(self, sink: &mut dyn Sink) -> Finished {
        self.finish_at(End::Complete, sink)
    }

    /// Ends a body of which only the beginning was read (ProcessPartial). What stands open at the
    /// cut is reported as far as it came, and that its end is missing is no error.
    pub fn finish_cut(self, sink: &mut dyn Sink) -> Finished {
        self.finish_at(End::Cut, sink)
    }

    fn finish_at(self, end: End, sink: &mut dyn Sink) -> Finished {
        let no_files_length = self.no_files_length();
        let finished = match self.inner {
            Inner::UrlEncoded(form) => form.finish(sink),
            Inner::Multipart(multipart) => multipart.finish(end, sink),
            Inner::Json(json) => json.finish(end, sink),
            Inner::Xml(xml) => xml.finish(end, sink),
            Inner::Raw { .. } => Finished::default(),
            Inner::Transcoded(body) => body.finish(end, sink),
        };
        // The end of a body may add to what was counted so far, for multipart.
        let no_files_length = finished.no_files_length.max(no_files_length);
        Finished {
            no_files_length,
            error: self.unclear.or(finished.error),
            ..finished
        }
    }
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All of it was read.
    Complete,
    /// The rest was not read.
    Cut,
}

/// What is known of a body when all of it has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// REQBODY_ERROR_MSG; `None` where REQBODY_ERROR is 0.
    pub error: Option<String>,
    /// URLENCODED_ERROR: an invalid `%` sequence stood in a form body.
    pub url_encoded_error: bool,
    /// MULTIPART_* flags; none is set for other bodies.
    pub multipart: MultipartFlags,
    /// MULTIPART_NAME: the last `name` seen.
    pub multipart_name: Vec<u8>,
    /// MULTIPART_FILENAME: the last `filename` seen.
    pub multipart_filename: Vec<u8>,
    /// The tree that XML targets select from, as far as the body was well-formed.
    pub xml: Option<xml::Document>,
    /// See [`Processor::no_files_length`].
    pub no_files_length: usize,
    /// The body in UTF-8, where its charset hid it and it is well-formed.
    pub text: Option<Vec<u8>>,
}

/// What v2 says where an argument is over SecArgumentsLimit.
const ARGUMENTS_LIMIT: &str = "SecArgumentsLimit exceeded";

/// Bytes as text of an error message: control and high bytes escaped, cut after 256 bytes.
fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes.iter().take(256) {
        match byte {
            b'"' | b'\'' => text.push(char::from(byte)),
            _ => text.extend(byte.escape_ascii().map(char::from)),
        }
    }
    text
}

/// How many bytes of argument names a nested body may lead to.
///
/// A flattened name repeats the names of everything around it, so that a small body with one long
/// key can ask for gigabytes. The budget grows with the body, so it never binds an ordinary one.
#[derive(Debug)]
struct NameBudget {
    spent: usize,
}

impl NameBudget {
    /// Free of charge, whatever the length of the body.
    const BASE: usize = 1 << 20;

    const fn new() -> Self {
        Self { spent: 0 }
    }

    /// Whether one more name of that length is within the budget of `read` bytes of body.
    fn allows(&mut self, length: usize, read: usize) -> bool {
        self.spent = self.spent.saturating_add(length);
        Self::fits(self.spent, read)
    }

    /// Whether that many bytes of names are no more than `read` bytes of body may lead to.
    const fn fits(length: usize, read: usize) -> bool {
        length <= Self::BASE.saturating_add(read.saturating_mul(4))
    }
}
