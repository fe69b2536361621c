//! The head of the request: from bytes to variables.

use super::api::RequestHead;
use super::state::State;
use super::store::Entry;
use crate::body::{Kind, MemberName};
use crate::http::{
    cookie, form, host,
    target::{self, Target},
};
use crate::program::CookieFormat;
use crate::variable::Variable as V;

impl State {
    /// Fills the variables of phase 1.
    pub(super) fn fill_request_head(&mut self, head: &RequestHead<'_>) {
        let target = Target::split(head.method, head.target);
        self.set(V::RequestMethod, head.method);
        self.set(V::RequestProtocol, head.protocol);
        self.set(V::RequestUriRaw, head.target);
        self.set(V::RequestUri, target.uri);
        let path = form::decode_path(target.path);
        self.set(V::RequestFilename, &path);
        self.set(V::RequestBasename, target::basename(&path));
        self.set(V::QueryString, target.query);
        let content_type = self.fill_request_headers(head.headers);
        self.fill_query(target.query);
        let kind = Kind::for_content_type(content_type);
        let name = kind.map_or("", Kind::name);
        self.switches.body_processor = name.into();
        self.set(V::ReqbodyProcessor, name.as_bytes());
        self.fill_full_request(b"", 0);
    }

    /// FULL_REQUEST as v2 puts it together: the request line and an empty line, the headers and
    /// an empty line, the body. Where only its length is asked for, the body need not be there:
    /// `length` is that of the body.
    pub(super) fn fill_full_request(&mut self, body: &[u8], length: usize) {
        let whole = self.program.reads.contains(V::FullRequest);
        if !whole && !self.program.reads.contains(V::FullRequestLength) {
            return;
        }
        let mut text = Vec::new();
        self.scalar(V::RequestLine, &mut text);
        text.extend_from_slice(b"\n\n");
        for header in self.store.collection(V::RequestHeaders) {
            text.extend_from_slice(self.values.get(header.name));
            text.extend_from_slice(b": ");
            text.extend_from_slice(self.values.get(header.value));
            text.push(b'\n');
        }
        text.extend_from_slice(b"\n\n");
        let length = text.len().saturating_add(length);
        self.set(V::FullRequestLength, length.to_string().as_bytes());
        if whole {
            text.extend_from_slice(body);
            self.set(V::FullRequest, &text);
        }
    }

    /// Method, target and protocol, once there is a head.
    pub(super) fn request_line(&self) -> Option<Vec<u8>> {
        let text = |variable| Some(self.values.get(self.store.scalar(variable)?));
        let pieces = [
            text(V::RequestMethod)?,
            text(V::RequestUriRaw)?,
            text(V::RequestProtocol)?,
        ];
        Some(pieces.join(&b' '))
    }

    /// The host that the request names.
    pub(super) fn server_name(&self) -> Option<&[u8]> {
        let headers = self.store.collection(V::RequestHeaders).iter();
        let mut hosts = headers.filter(|header| self.values.is_in_some_case(header.name, b"host"));
        let host = hosts.next()?;
        Some(host::without_port(self.values.get(host.value)))
    }

    /// Fills what headers say, on one way through them; the content type, if there is one.
    fn fill_request_headers<'a>(&mut self, headers: &[(&[u8], &'a [u8])]) -> &'a [u8] {
        let settings = &self.program.settings;
        let cookie_format = match (settings.cookie_format, settings.cookie_v0_separator) {
            (CookieFormat::Netscape, None) => cookie::Format::Netscape,
            (CookieFormat::Netscape, Some(separator)) => cookie::Format::Separated(separator),
            (CookieFormat::Rfc2109, _) => cookie::Format::Rfc2109,
        };
        let (mut content_type, mut authorization) = (None, None);
        for &(name, value) in headers {
            self.push(V::RequestHeaders, name, value);
            match name.len() {
                6 if name.eq_ignore_ascii_case(b"cookie") => {
                    for found in cookie::cookies(value, cookie_format) {
                        self.push(V::RequestCookies, &found.name, found.value);
                    }
                }
                12 if name.eq_ignore_ascii_case(b"content-type") => {
                    content_type.get_or_insert(value);
                }
                13 if name.eq_ignore_ascii_case(b"authorization") => {
                    authorization.get_or_insert(value);
                }
                _ => {}
            }
        }
        if let Some(authorization) = authorization {
            let scheme = authorization
                .split(|&byte| byte == b' ')
                .next()
                .unwrap_or_default();
            self.set(V::AuthType, scheme);
            if let Some(user) = basic_user(authorization) {
                self.set(V::RemoteUser, &user);
            }
        }
        content_type.unwrap_or_default()
    }

    fn fill_query(&mut self, query: &[u8]) {
        let separator = self.program.settings.argument_separator;
        let limit = self.program.settings.limits.arguments;
        let mut invalid = false;
        for (count, pair) in form::pairs(query, separator).enumerate() {
            invalid |= pair.invalid;
            if count < limit {
                self.push_argument(V::ArgsGet, &pair.name, &pair.value);
            } else {
                // v2 keeps one table for all arguments and flags the request when it is full.
                self.limits_reached.arguments = true;
                self.body_error("SecArgumentsLimit exceeded");
                break;
            }
        }
        // It is 0 without a value.
        if invalid {
            self.set(V::UrlencodedError, b"1");
        }
    }

    pub(super) fn push_argument(&mut self, collection: V, name: &[u8], value: &[u8]) {
        let entry = Entry {
            name: self.values.intern(name),
            value: self.values.intern(value),
        };
        self.store.push_argument(collection, entry, &self.values);
    }

    /// Notes what other engines call the member of a JSON document that was added last.
    pub(super) fn other_names(&mut self, variable: V, name: &MemberName<'_>) {
        if let Some(others) = name.others {
            let others = others.map(|other| self.values.intern(other));
            self.store.push_other_names(variable, others);
        }
    }

    /// How many arguments there are.
    pub(super) fn arguments(&self) -> usize {
        let get = self.store.collection(V::ArgsGet).len();
        let post = self.store.collection(V::ArgsPost).len();
        get.saturating_add(post)
            .saturating_add(self.store.collection(V::Args).len())
    }

    /// Sets REQBODY_ERROR and its message; the first one stays.
    pub(super) fn body_error(&mut self, message: &str) {
        self.set(V::ReqbodyError, b"1");
        if self.store.scalar(V::ReqbodyErrorMsg).is_none() {
            self.set(V::ReqbodyErrorMsg, message.as_bytes());
        }
    }
}

/// The user of a Basic Authorization header.
fn basic_user(authorization: &[u8]) -> Option<Vec<u8>> {
    let (scheme, credentials) = authorization.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut decoded = Vec::new();
    let context = crate::transform::Context::default();
    let text = credentials.trim_ascii();
    let outcome = crate::transform::Transformation::Base64Decode.apply(text, &mut decoded, context);
    if outcome == crate::transform::Outcome::Unchanged {
        return None;
    }
    decoded
        .split(|&byte| byte == b':')
        .next()
        .map(<[u8]>::to_vec)
}
