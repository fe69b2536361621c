//! XML bodies: a bounded tree that [`Path`]s select from, and arguments (SecParseXmlIntoArgs).
//!
//! The body is collected, decoded and parsed when it is over. No external entity is ever loaded.
//! Where the body is not well-formed, the tree holds what stands before the error, as libxml2's
//! push parser leaves it.

mod document;
mod encoding;
mod entities;
mod path;
mod reader;

#[cfg(test)]
mod tests;

pub use document::Document;
pub use path::{Path, PathError};

use self::reader::{Arguments, Reader};
use super::charset::Charset;
use super::{Charsets, End, Finished, Settings, Sink, XmlIntoArgs};

/// An XML body being read.
#[derive(Debug)]
pub(super) struct Xml {
    settings: Settings,
    /// The charset that the Content-Type declares, if it hides ASCII.
    charset: Option<Charset>,
    body: Vec<u8>,
}

impl Xml {
    pub(super) fn new(settings: Settings, charset: Option<Charset>) -> Self {
        Self {
            settings,
            charset,
            body: Vec::new(),
        }
    }

    pub(super) fn length(&self) -> usize {
        self.body.len()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.body.capacity()
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) {
        self.body.extend_from_slice(chunk);
    }

    /// An empty body is no error, as in v2, but has no tree.
    pub(super) fn finish(self, end: End, sink: &mut dyn Sink) -> Finished {
        if self.body.is_empty() {
            return Finished::default();
        }
        let hidden = match self.settings.charsets {
            Charsets::Off => None,
            Charsets::On | Charsets::OnlyDecoded => encoding::hidden(&self.body, self.charset),
        };
        let mut complaint = None;
        if let Some(charset) = hidden {
            let (decoded, malformed) = charset.decode(&self.body);
            // A cut may go through a character.
            let malformed = malformed.filter(|_| end == End::Complete);
            let (text, undecodable) = encoding::text(&decoded);
            let undecodable = malformed.or(undecodable);
            let finished = self.read(text, undecodable, end, sink);
            if finished.error.is_none() {
                return Finished {
                    text: Some(decoded),
                    ..finished
                };
            }
            if self.settings.charsets == Charsets::OnlyDecoded {
                return finished;
            }
            // Whoever pays no attention to the charset may find a document all the same.
            complaint = finished.error;
        }
        let (text, undecodable) = encoding::decode(&self.body, end);
        let finished = self.read(&text, undecodable, end, sink);
        Finished {
            error: complaint.or(finished.error),
            ..finished
        }
    }

    fn read(
        &self,
        text: &str,
        undecodable: Option<&'static str>,
        end: End,
        sink: &mut dyn Sink,
    ) -> Finished {
        let into_args = self.settings.xml_into_args;
        let arguments = (into_args != XmlIntoArgs::Off).then(|| Arguments::new(sink));
        let mut reader = Reader::new(&self.settings.limits, arguments);
        let ill_formed = reader.read(text, end).err();
        let over_limit = reader.over_limit();
        let document = reader.into_document();
        // The undecodable byte is why the text ends too early, so it is the better message.
        let reason = undecodable.map(str::to_owned).or(ill_formed);
        let error = if let Some(reason) = reason {
            Some(format!(
                "XML parsing error: XML: Failed parsing document: {reason}."
            ))
        } else if over_limit {
            let limit = self.settings.limits.arguments;
            Some(format!("XML parsing error: More than {limit} XML keys"))
        } else {
            None
        };
        Finished {
            error,
            xml: (into_args != XmlIntoArgs::OnlyArgs).then_some(document),
            no_files_length: self.body.len(),
            ..Finished::default()
        }
    }
}
