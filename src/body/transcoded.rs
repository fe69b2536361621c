//! Bodies whose declared charset hides ASCII (SecParapetDecodeCharsets).
//!
//! Such a body is read twice: as it is, because many backends pay no attention to the charset, and
//! decoded. Arguments of both readings are reported; one that only repeats another is not. Forms
//! have a third reading: some backends decode each name and value, after the body was cut into
//! them. So declaring a charset never hides what was seen without it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::charset::{Charset, Decoder};
use super::{Charsets, End, File, Finished, Kind, MemberName, Processor, Settings, Sink};

/// A body being read. It keeps the decoded text, which is read when it is complete.
#[derive(Debug)]
pub(super) struct Transcoded {
    kind: Kind,
    charset: Charset,
    shows_raw: bool,
    raw: Processor,
    decoder: Decoder,
    text: Vec<u8>,
    /// What reads the text.
    decoded: Processor,
    seen: Seen,
}

impl Transcoded {
    pub(super) fn new(
        kind: Kind,
        charset: Charset,
        content_type: &[u8],
        settings: Settings,
    ) -> Self {
        let shows_raw = settings.charsets == Charsets::On;
        Self {
            kind,
            charset,
            shows_raw,
            raw: Processor::plain(kind, content_type, settings.clone()),
            decoder: Decoder::new(charset),
            text: Vec::new(),
            decoded: Processor::plain(kind, content_type, settings),
            seen: Seen::default(),
        }
    }

    pub(super) fn no_files_length(&self) -> usize {
        self.raw.no_files_length()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.raw
            .held_bytes()
            .saturating_add(self.decoded.held_bytes())
            .saturating_add(self.text.capacity())
            .saturating_add(
                self.seen
                    .arguments
                    .capacity()
                    .saturating_mul(size_of::<u64>()),
            )
    }

    pub(super) fn feed(&mut self, chunk: &[u8], sink: &mut dyn Sink) {
        self.decoder.feed(chunk, &mut self.text);
        let mut sink = Raw {
            sink,
            seen: &mut self.seen,
            shown: self.shows_raw,
            kind: self.kind,
            charset: self.charset,
        };
        self.raw.feed(chunk, &mut sink);
    }

    pub(super) fn finish(mut self, end: End, sink: &mut dyn Sink) -> Finished {
        let raw = self.raw.finish_at(
            end,
            &mut Raw {
                sink,
                seen: &mut self.seen,
                shown: self.shows_raw,
                kind: self.kind,
                charset: self.charset,
            },
        );
        let malformed = self.decoder.finish(&mut self.text);
        // A cut may go through a character.
        let malformed = malformed.filter(|_| end == End::Complete);
        let complaint = malformed.map(|why| {
            let charset = self.charset.name();
            format!("The body is not the {charset} text that it is declared to be: {why}.")
        });
        let mut sink = Decoded {
            sink,
            seen: &mut self.seen,
        };
        self.decoded.feed(&self.text, &mut sink);
        let decoded = self.decoded.finish_at(end, &mut sink);
        let values_malformed = self.seen.malformed;
        let no_files_length = raw.no_files_length.max(decoded.no_files_length);
        let finished = match self.kind {
            // The charset of a form may be that of its values only, and in parts it always is.
            Kind::UrlEncoded => Finished {
                error: complaint
                    .clone()
                    .filter(|_| values_malformed)
                    .or_else(|| raw.error.clone())
                    .or(decoded.error),
                url_encoded_error: if malformed.is_some() {
                    raw.url_encoded_error
                } else {
                    decoded.url_encoded_error
                },
                ..raw
            },
            Kind::Multipart if raw.error.is_none() || decoded.error.is_some() => raw,
            Kind::Multipart | Kind::Json | Kind::Xml | Kind::Raw => Finished {
                error: complaint.clone().or(decoded.error.clone()),
                ..decoded
            },
        };
        Finished {
            no_files_length,
            text: complaint.is_none().then_some(self.text),
            ..finished
        }
    }
}

/// What was reported so far, and what could not be decoded.
#[derive(Debug, Default)]
struct Seen {
    hasher: RandomState,
    arguments: HashSet<u64>,
    malformed: bool,
}

impl Seen {
    /// Notes an argument. False if it was there.
    fn insert(&mut self, name: &[u8], value: Option<&[u8]>) -> bool {
        self.arguments.insert(self.hasher.hash_one((name, value)))
    }
}

/// Passes the reading of the bytes on, and each name and value decoded.
struct Raw<'a> {
    sink: &'a mut dyn Sink,
    seen: &'a mut Seen,
    shown: bool,
    kind: Kind,
    charset: Charset,
}

impl Sink for Raw<'_> {
    fn argument(&mut self, name: &[u8], value: &[u8]) -> bool {
        if self.shown {
            self.seen.insert(name, Some(value));
            if !self.sink.argument(name, value) {
                return false;
            }
        }
        let charset = match self.kind {
            Kind::UrlEncoded | Kind::Multipart => self.charset,
            // Members of JSON come as such; nothing in the others is framed by ASCII.
            Kind::Json | Kind::Xml | Kind::Raw => return true,
        };
        let (value, malformed) = charset.decode_value(value);
        self.seen.malformed |= malformed.is_some();
        // A part's name stands in its head, which is ASCII.
        let name = match self.kind {
            Kind::Multipart => Cow::Borrowed(name),
            _ => {
                let (name, malformed) = charset.decode_value(name);
                self.seen.malformed |= malformed.is_some();
                Cow::Owned(name)
            }
        };
        !self.seen.insert(&name, Some(&value)) || self.sink.argument(&name, &value)
    }

    fn file(&mut self, file: &File<'_>) {
        self.sink.file(file);
    }

    /// The text of a member is decoded with the document it stands in.
    fn member(&mut self, name: &MemberName<'_>, value: &[u8]) -> bool {
        if !self.shown {
            return true;
        }
        self.seen.insert(name.reported, Some(value));
        self.sink.member(name, value)
    }

    fn container(&mut self, name: &MemberName<'_>) {
        if self.shown {
            self.seen.insert(name.reported, None);
            self.sink.container(name);
        }
    }

    fn part_header(&mut self, part_name: &[u8], line: &[u8]) {
        self.sink.part_header(part_name, line);
    }

    fn file_content(&mut self, part_name: &[u8], content: &[u8]) {
        self.sink.file_content(part_name, content);
    }
}

/// Passes the reading of the text on, as far as it says something new.
struct Decoded<'a> {
    sink: &'a mut dyn Sink,
    seen: &'a mut Seen,
}

impl Sink for Decoded<'_> {
    fn argument(&mut self, name: &[u8], value: &[u8]) -> bool {
        !self.seen.insert(name, Some(value)) || self.sink.argument(name, value)
    }

    fn file(&mut self, file: &File<'_>) {
        self.sink.file(file);
    }

    fn member(&mut self, name: &MemberName<'_>, value: &[u8]) -> bool {
        !self.seen.insert(name.reported, Some(value)) || self.sink.member(name, value)
    }

    fn container(&mut self, name: &MemberName<'_>) {
        if self.seen.insert(name.reported, None) {
            self.sink.container(name);
        }
    }

    fn part_header(&mut self, part_name: &[u8], line: &[u8]) {
        self.sink.part_header(part_name, line);
    }

    fn file_content(&mut self, part_name: &[u8], content: &[u8]) {
        self.sink.file_content(part_name, content);
    }
}
