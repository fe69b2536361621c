//! What no log shows: values of credentials, and what `sanitise…` actions name.
//!
//! Two things find a value. Its place: the query, the cookies and the body are read for names, so
//! that a value of one byte is covered as well. And its bytes: whatever a rule has made of a value
//! and wherever it shows up, eight bytes of it in a row are covered, as they are, in another letter
//! case or escaped.

mod form;
mod json;
mod patch;
mod secrets;
mod unescaped;

use std::borrow::Cow;
use std::ops::Range;

use crate::body::Kind;
use crate::bytes::base64;
use crate::engine::{Extent, Masked, MaskedPart, Transaction};
use crate::http::credentials;
use crate::program::SensitiveNames;
use crate::variable::Variable;

use patch::{Cover, Patches};
use secrets::Secrets;
use unescaped::Unescaped;

/// Covers the secrets of one transaction in texts about it.
#[derive(Debug)]
pub struct Redaction<'a> {
    names: &'a SensitiveNames,
    masks: Vec<Masked>,
    separator: u8,
    secrets: Secrets,
}

impl<'a> Redaction<'a> {
    /// Looks at what a transaction holds by now.
    pub fn new(transaction: &'a Transaction) -> Self {
        let settings = &transaction.program().settings;
        let mut redaction = Self {
            names: &settings.sensitive,
            masks: transaction.masks(),
            separator: settings.argument_separator,
            secrets: Secrets::default(),
        };
        let secrets = redaction.collect(transaction);
        redaction.secrets = secrets;
        redaction
    }

    fn collect(&self, transaction: &Transaction) -> Secrets {
        use Variable as V;
        let mut secrets = Secrets::default();
        for (variable, part) in [
            (V::RequestHeaders, MaskedPart::RequestHeader),
            (V::ResponseHeaders, MaskedPart::ResponseHeader),
        ] {
            for (name, value) in transaction.entries(variable) {
                if self.names.is_header(name) {
                    header_secrets(name, value, &mut secrets);
                } else if let Some(mask) = self.mask(part, name) {
                    add_masked(value, mask, &mut secrets);
                }
            }
        }
        for variable in [V::ArgsGet, V::ArgsPost, V::Args, V::ResponseArgs] {
            for (name, value) in transaction.entries(variable) {
                if self.names.is_argument(name) {
                    secrets.add(value);
                } else if let Some(mask) = self.mask(MaskedPart::Argument, name) {
                    add_masked(value, mask, &mut secrets);
                }
            }
        }
        for value in transaction.sensitive_values() {
            secrets.add(value);
        }
        let bodies = [V::RequestBody, V::ResponseBody].into_iter();
        for body in bodies.filter(|_| self.names.enabled) {
            self.secrets_of_body(transaction.scalar(body).unwrap_or_default(), &mut secrets);
        }
        secrets
    }

    /// Adds what looks like a sensitive member of a body, which nobody may have parsed.
    fn secrets_of_body(&self, body: &[u8], secrets: &mut Secrets) {
        let mut add = |range: Range<usize>| {
            let value = body.get(range).unwrap_or_default();
            secrets.add(&Unescaped::read(value).bytes);
        };
        let names = self.names;
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => {
                json::sensitive(body, &|name| names.is_argument(name), &mut add);
            }
            // A page has no names of ours.
            None | Some(b'<') => {}
            Some(_) => form::arguments(body, self.separator, &mut |name, range| {
                if names.is_argument(name) {
                    add(range);
                }
            }),
        }
    }

    /// Whether there is nothing to cover by its bytes.
    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// A text that may say anything.
    pub fn text<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        if self.secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut patches = Patches::default();
        self.cover(text, &mut patches);
        patches.apply(text)
    }

    /// A request target, a Referer: what a URL says.
    pub fn url<'t>(&self, url: &'t [u8]) -> Cow<'t, [u8]> {
        let mut patches = Patches::default();
        if self.is_masked(&[
            Variable::RequestUri,
            Variable::RequestUriRaw,
            Variable::RequestFilename,
        ]) {
            patches.add(0..url.len(), Cover::Stars);
        }
        if self.names.enabled
            && let Some(user) = user_information(url)
        {
            patches.add(user, Cover::Marker);
        }
        let query = url.iter().position(|&byte| byte == b'?');
        if let Some(start) = query.map(|at| at.saturating_add(1)) {
            if self.is_masked(&[Variable::QueryString]) {
                patches.add(start..url.len(), Cover::Stars);
            }
            self.cover_form(url, start, &mut patches);
        }
        self.cover(url, &mut patches);
        patches.apply(url)
    }

    /// `METHOD TARGET PROTOCOL`.
    pub fn request_line(&self, line: &[u8]) -> Vec<u8> {
        let mut pieces = line.splitn(2, |&byte| byte == b' ');
        let method = pieces.next().unwrap_or_default();
        let Some(rest) = pieces.next() else {
            return self.url(line).into_owned();
        };
        let end = rest.iter().rposition(|&byte| byte == b' ');
        let (target, protocol) = rest.split_at(end.unwrap_or(rest.len()));
        [method, b" ", &self.url(target), protocol].concat()
    }

    /// The value of a request header.
    pub fn request_header<'t>(&self, name: &[u8], value: &'t [u8]) -> Cow<'t, [u8]> {
        self.header(MaskedPart::RequestHeader, name, value)
    }

    /// The value of a response header.
    pub fn response_header<'t>(&self, name: &[u8], value: &'t [u8]) -> Cow<'t, [u8]> {
        self.header(MaskedPart::ResponseHeader, name, value)
    }

    fn header<'t>(&self, part: MaskedPart, name: &[u8], value: &'t [u8]) -> Cow<'t, [u8]> {
        let mut patches = Patches::default();
        if let Some(mask) = self.mask(part, name) {
            for range in masked(value, &mask.extent) {
                patches.add(range, Cover::Stars);
            }
        } else if self.names.is_header(name) {
            for range in credentials(name, value) {
                patches.add(range, Cover::Marker);
            }
        } else if URL_HEADERS.iter().any(|url| name.eq_ignore_ascii_case(url)) {
            return self.url(value);
        }
        self.cover(value, &mut patches);
        patches.apply(value)
    }

    /// The decoded value of an argument.
    pub fn argument<'t>(&self, name: &[u8], value: &'t [u8]) -> Cow<'t, [u8]> {
        let mut patches = Patches::default();
        self.cover_argument(name, value, 0, &mut patches);
        self.cover(value, &mut patches);
        patches.apply(value)
    }

    /// A request body as it came, of a processor.
    pub fn request_body<'t>(&self, kind: Option<Kind>, body: &'t [u8]) -> Cow<'t, [u8]> {
        if self.is_masked(&[Variable::RequestBody, Variable::StreamInputBody]) {
            return Cow::Owned(vec![b'*'; body.len()]);
        }
        self.body(kind, body)
    }

    /// A response body as it came.
    pub fn response_body<'t>(&self, kind: Option<Kind>, body: &'t [u8]) -> Cow<'t, [u8]> {
        if self.is_masked(&[Variable::ResponseBody, Variable::StreamOutputBody]) {
            return Cow::Owned(vec![b'*'; body.len()]);
        }
        self.body(kind, body)
    }

    fn body<'t>(&self, kind: Option<Kind>, body: &'t [u8]) -> Cow<'t, [u8]> {
        let mut patches = Patches::default();
        match kind {
            Some(Kind::UrlEncoded) => self.cover_form(body, 0, &mut patches),
            Some(Kind::Multipart) => form::parts(body, &mut |name, range| {
                let value = body.get(range.clone()).unwrap_or_default();
                self.cover_argument(name, value, range.start, &mut patches);
            }),
            Some(Kind::Json) if self.names.enabled => {
                json::sensitive(body, &|name| self.names.is_argument(name), &mut |range| {
                    patches.add(range, Cover::Marker);
                });
            }
            _ => {}
        }
        self.cover(body, &mut patches);
        patches.apply(body)
    }

    /// Covers the arguments of a form that stands in a text from a place on.
    fn cover_form(&self, text: &[u8], start: usize, patches: &mut Patches) {
        let form = text.get(start..).unwrap_or_default();
        form::arguments(form, self.separator, &mut |name, range| {
            let value = form.get(range.clone()).unwrap_or_default();
            self.cover_argument(name, value, start.saturating_add(range.start), patches);
        });
    }

    /// Covers what of an argument is covered by its name; its value stands at a place of the text.
    fn cover_argument(&self, name: &[u8], value: &[u8], start: usize, patches: &mut Patches) {
        let moved = |range: Range<usize>| {
            start.saturating_add(range.start)..start.saturating_add(range.end)
        };
        if let Some(mask) = self.mask(MaskedPart::Argument, name) {
            for range in masked(value, &mask.extent) {
                patches.add(moved(range), Cover::Stars);
            }
        } else if self.names.is_argument(name) {
            patches.add(moved(0..value.len()), Cover::Marker);
        }
    }

    /// Covers what gives a secret away, as it stands there and as it is meant.
    fn cover(&self, text: &[u8], patches: &mut Patches) {
        if self.secrets.is_empty() {
            return;
        }
        let mut found = Vec::new();
        self.secrets.find(text, &mut found);
        Unescaped::stretches(text, secrets::REACH, &mut |stretch| {
            let plain = found.len();
            self.secrets.find(&stretch.bytes, &mut found);
            for range in found.iter_mut().skip(plain) {
                *range = stretch.in_text(range);
            }
        });
        for range in found {
            patches.add(range, Cover::Marker);
        }
    }

    fn mask(&self, part: MaskedPart, name: &[u8]) -> Option<&Masked> {
        let mut masks = self.masks.iter();
        masks.find(|mask| mask.part == part && mask.name.eq_ignore_ascii_case(name))
    }

    /// Whether rules sanitise what one of these variables shows.
    fn is_masked(&self, variables: &[Variable]) -> bool {
        let named = |mask: &Masked| match mask.part {
            MaskedPart::Variable(variable) => variables.contains(&variable),
            _ => false,
        };
        self.masks.iter().any(named)
    }
}

/// Headers that hold a URL.
const URL_HEADERS: [&[u8]; 3] = [b"referer", b"location", b"content-location"];

/// Adds what of a sensitive header is secret: of Basic credentials, what they stand for, too.
fn header_secrets(name: &[u8], value: &[u8], secrets: &mut Secrets) {
    for range in credentials(name, value) {
        let found = value.get(range).unwrap_or_default();
        secrets.add(found);
        let scheme = value.get(..BASIC.len()).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case(BASIC) {
            continue;
        }
        let decoded = base64::decode(found).unwrap_or_default();
        secrets.add(&decoded);
        if let Some(at) = decoded.iter().position(|&byte| byte == b':') {
            secrets.add(decoded.get(at.saturating_add(1)..).unwrap_or_default());
        }
    }
}

const BASIC: &[u8] = b"basic ";

fn add_masked(value: &[u8], mask: &Masked, secrets: &mut Secrets) {
    for range in masked(value, &mask.extent) {
        secrets.add(value.get(range).unwrap_or_default());
    }
}

/// What of a value a mask covers.
fn masked(value: &[u8], extent: &Extent) -> Vec<Range<usize>> {
    let whole = || std::iter::once(0..value.len()).collect();
    let Extent::Bytes { found, first, last } = extent else {
        return whole();
    };
    let places: Vec<_> = memchr::memmem::find_iter(value, found)
        .map(|at| {
            let end = at.saturating_add(found.len()).saturating_sub(*last);
            at.saturating_add(*first)..end
        })
        .collect();
    if places.is_empty() { whole() } else { places }
}

/// Where `user:password` stands in an absolute URL.
fn user_information(url: &[u8]) -> Option<Range<usize>> {
    let start = memchr::memmem::find(url, b"://")?.saturating_add(3);
    let rest = url.get(start..)?;
    let end = rest.iter().position(|byte| b"/?#".contains(byte));
    let authority = rest.get(..end.unwrap_or(rest.len()))?;
    let at = authority.iter().rposition(|&byte| byte == b'@')?;
    // A scheme stands at the start: further behind it is a value.
    let scheme = url.get(..start.saturating_sub(3))?;
    let is_scheme = scheme.iter().all(u8::is_ascii_alphanumeric);
    is_scheme.then(|| start..start.saturating_add(at))
}

#[cfg(test)]
mod tests;
