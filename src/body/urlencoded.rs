//! `application/x-www-form-urlencoded` bodies: the rules are those of [`crate::http::form`].

use super::{ARGUMENTS_LIMIT, Finished, Sink};
use crate::http::form;

/// A form being read. It holds the segment that the last chunk left open, nothing else.
#[derive(Debug)]
pub(super) struct UrlEncoded {
    separator: u8,
    open: Vec<u8>,
    invalid: bool,
    over_limit: bool,
    length: usize,
}

impl UrlEncoded {
    pub(super) fn new(separator: u8) -> Self {
        Self {
            separator,
            open: Vec::new(),
            invalid: false,
            over_limit: false,
            length: 0,
        }
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.open.capacity()
    }

    pub(super) fn feed(&mut self, chunk: &[u8], sink: &mut dyn Sink) {
        self.length = self.length.saturating_add(chunk.len());
        let mut rest = chunk;
        while let Some((segment, after)) = form::split_once(rest, self.separator) {
            rest = after;
            if self.open.is_empty() {
                self.report(segment, sink);
            } else {
                let mut whole = std::mem::take(&mut self.open);
                whole.extend_from_slice(segment);
                self.report(&whole, sink);
                whole.clear();
                self.open = whole;
            }
        }
        self.open.extend_from_slice(rest);
    }

    pub(super) fn finish(mut self, sink: &mut dyn Sink) -> Finished {
        let last = std::mem::take(&mut self.open);
        if !last.is_empty() {
            self.report(&last, sink);
        }
        Finished {
            error: self.over_limit.then(|| ARGUMENTS_LIMIT.to_owned()),
            url_encoded_error: self.invalid,
            ..Finished::default()
        }
    }

    fn report(&mut self, segment: &[u8], sink: &mut dyn Sink) {
        let pair = form::pair(segment);
        self.invalid |= pair.invalid;
        if !self.over_limit {
            self.over_limit = !sink.argument(&pair.name, &pair.value);
        }
    }
}
