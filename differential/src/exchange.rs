//! What both engines get: a request, perhaps a response, and the rules to hold against them.

use std::fmt::Write as _;

use parapet::cli::{Request, Response};

/// Which of the two configurations an exchange is run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Paranoia 4, nothing is stopped.
    Detecting,
    /// Paranoia 1, as most sites run it.
    Blocking,
}

/// One request and what answers it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Where it comes from: a test of the Core Rule Set, or a kind of generated request.
    pub origin: String,
    pub profile: Profile,
    pub request: Request,
    pub response: Option<Response>,
}

impl Exchange {
    /// The value of the first header of a name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        find(&self.request.headers, name)
    }

    /// The request's content type, in lower case.
    pub fn content_type(&self) -> Vec<u8> {
        self.header("content-type")
            .unwrap_or_default()
            .to_ascii_lowercase()
    }

    /// The exchange as a person reads it, bytes that are not ASCII escaped.
    pub fn shown(&self) -> String {
        let mut out = format!("{} ({:?})\n", self.origin, self.profile);
        let request = &self.request;
        let _ = writeln!(
            out,
            "  > {} {} {}",
            request.method.escape_ascii(),
            request.target.escape_ascii(),
            request.protocol.escape_ascii()
        );
        message(&mut out, '>', &request.headers, &request.body);
        if let Some(response) = &self.response {
            let _ = writeln!(out, "  < {}", response.status);
            message(&mut out, '<', &response.headers, &response.body);
        }
        out
    }
}

/// The value of the first header of a name.
pub fn find<'a>(headers: &'a [(Vec<u8>, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| value.as_slice())
}

/// Whether a text holds another one.
pub fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn message(out: &mut String, mark: char, headers: &[(Vec<u8>, Vec<u8>)], body: &[u8]) {
    for (name, value) in headers {
        let _ = writeln!(
            out,
            "  {mark} {}: {}",
            name.escape_ascii(),
            value.escape_ascii()
        );
    }
    if !body.is_empty() {
        let _ = writeln!(out, "  {mark}\n  {mark} {}", body.escape_ascii());
    }
}
