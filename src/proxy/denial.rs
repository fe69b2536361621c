//! The answer to a request that is not let through.

use super::host::LocalReply;
use crate::engine::{Disposition, Interruption};

/// A text with places for what is known about a denial: `%{status}`, `%{rule_id}`, `%{unique_id}` and
/// `%{request_id}`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PageText {
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Status,
    RuleId,
    UniqueId,
    RequestId,
}

impl PageText {
    /// Reads a text.
    ///
    /// # Errors
    /// The name of a place that does not exist, or `%{` if one is not closed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("%{") {
            let (name, after) = after.split_once('}').ok_or_else(|| "%{".to_owned())?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(match name {
                "status" => Piece::Status,
                "rule_id" => Piece::RuleId,
                "unique_id" => Piece::UniqueId,
                "request_id" => Piece::RequestId,
                unknown => return Err(unknown.to_owned()),
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self { pieces })
    }

    fn write(&self, facts: &Facts<'_>) -> Vec<u8> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Status => out.push_str(&facts.status.to_string()),
                Piece::RuleId => out.push_str(&facts.rule_id.to_string()),
                Piece::UniqueId => out.push_str(facts.unique_id),
                Piece::RequestId => out.push_str(&facts.request_id),
            }
        }
        out.into_bytes()
    }
}

struct Facts<'a> {
    status: u16,
    rule_id: u64,
    unique_id: &'a str,
    request_id: String,
}

/// What denials look like to the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DenialPage {
    /// Body.
    pub body: PageText,
    /// Value of `content-type`.
    pub content_type: String,
    /// Further headers.
    pub headers: Vec<(String, PageText)>,
    /// The status of what rules deny, instead of theirs.
    pub status: Option<u16>,
    /// Where clients are sent whom rules deny.
    pub redirect: Option<PageText>,
}

/// What one configuration says about a page; the rest is left to the one it extends.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DenialChange {
    /// See [`DenialPage::body`].
    pub body: Option<PageText>,
    /// See [`DenialPage::content_type`].
    pub content_type: Option<String>,
    /// See [`DenialPage::headers`].
    pub headers: Option<Vec<(String, PageText)>>,
    /// See [`DenialPage::status`].
    pub status: Option<u16>,
    /// See [`DenialPage::redirect`].
    pub redirect: Option<PageText>,
}

impl DenialChange {
    /// The page with this on top of it.
    pub fn over(&self, page: &DenialPage) -> DenialPage {
        let Self {
            body,
            content_type,
            headers,
            status,
            redirect,
        } = self.clone();
        DenialPage {
            body: body.unwrap_or_else(|| page.body.clone()),
            content_type: content_type.unwrap_or_else(|| page.content_type.clone()),
            headers: headers.unwrap_or_else(|| page.headers.clone()),
            status: status.or(page.status),
            redirect: redirect.or_else(|| page.redirect.clone()),
        }
    }
}

impl Default for DenialPage {
    fn default() -> Self {
        Self {
            body: PageText {
                pieces: vec![Piece::Text("Request blocked.\n".to_owned())],
            },
            content_type: "text/plain; charset=utf-8".to_owned(),
            headers: Vec::new(),
            status: None,
            redirect: None,
        }
    }
}

/// Why a request or response is not let through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Denial {
    /// A rule or a limit of the configuration decided.
    Interruption(Interruption),
    /// The host, or the order of its callbacks, was at fault, and the policy is to deny.
    Failure,
    /// The transactions of the VM hold as much memory as they may.
    Overload,
    /// An upgrade that also declares a body in a way that cannot be told from the tunnel's bytes.
    AmbiguousUpgrade,
    /// The body of a held request did not come.
    RequestTimeout,
    /// The body of a held response did not come.
    ResponseTimeout,
}

impl Denial {
    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            // Informational statuses are no answer, and hosts refuse what is no status.
            Self::Interruption(interruption) => match interruption.status {
                status @ 200..=599 => status,
                _ => 403,
            },
            Self::Failure => 500,
            Self::Overload => 503,
            Self::AmbiguousUpgrade => 400,
            Self::RequestTimeout => 408,
            Self::ResponseTimeout => 504,
        }
    }

    /// The rule that decided; 0 where none did.
    pub fn rule_id(&self) -> u64 {
        match self {
            Self::Interruption(interruption) => interruption.rule_id,
            _ => 0,
        }
    }

    /// Whether a rule denied it, and said nothing of where the client is to go.
    fn is_plain(&self) -> bool {
        match self {
            Self::Interruption(by) => by.rule_id != 0 && by.disposition == Disposition::Deny,
            _ => false,
        }
    }

    /// Whether the connection is to be cut without an answer.
    pub fn drops(&self) -> bool {
        matches!(
            self,
            Self::Interruption(Interruption {
                disposition: Disposition::Drop,
                ..
            })
        )
    }

    /// What stands in the access log as `%RESPONSE_CODE_DETAILS%`.
    pub fn details(&self) -> String {
        match self {
            Self::Interruption(Interruption { rule_id: 0, .. }) => "waf_denied_limit".to_owned(),
            Self::Interruption(interruption) => {
                format!("waf_denied_rule_{}", interruption.rule_id)
            }
            Self::Failure => "waf_failure".to_owned(),
            Self::Overload => "waf_overload".to_owned(),
            Self::AmbiguousUpgrade => "waf_ambiguous_upgrade".to_owned(),
            Self::RequestTimeout | Self::ResponseTimeout => "waf_hold_timeout".to_owned(),
        }
    }
}

impl DenialPage {
    /// The answer to a denial. `request_id` is what the request calls itself.
    pub fn reply(&self, denial: &Denial, unique_id: &str, request_id: &[u8]) -> LocalReply {
        let redirect = self.redirect.as_ref().filter(|_| denial.is_plain());
        let status = match self.status.filter(|_| denial.is_plain()) {
            Some(status) if redirect.is_none() || is_redirect(status) => status,
            _ if redirect.is_some() => 302,
            _ => denial.status(),
        };
        let facts = Facts {
            status,
            rule_id: denial.rule_id(),
            unique_id,
            request_id: harmless(request_id),
        };
        let mut headers: Vec<(Vec<u8>, Vec<u8>)> = vec![(
            b"content-type".to_vec(),
            self.content_type.clone().into_bytes(),
        )];
        for (name, value) in &self.headers {
            headers.push((name.clone().into_bytes(), value.write(&facts)));
        }
        let location = match (denial, redirect) {
            (Denial::Interruption(by), None) => by.location.clone(),
            (_, redirect) => redirect.map(|target| target.write(&facts)),
        };
        if let Some(location) = location {
            headers.push((b"location".to_vec(), header_safe(&location)));
        }
        LocalReply {
            status: facts.status,
            headers,
            body: self.body.write(&facts),
            details: denial.details(),
        }
    }
}

/// Whether clients follow an answer of this status.
pub fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Most bytes of a request's own name in an answer.
const LONGEST_ID: usize = 128;

/// The name that a client may have given its request, so that it means nothing in a page or a
/// header.
fn harmless(request_id: &[u8]) -> String {
    let bytes = request_id.iter().take(LONGEST_ID);
    bytes
        .map(|&byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b':' => char::from(byte),
            _ => '_',
        })
        .collect()
}

/// A redirect's target may hold expanded macros, that is bytes of the client: whatever could end
/// the header or the line is percent-encoded.
fn header_safe(value: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    let mut out = Vec::with_capacity(value.len());
    for &byte in value {
        if byte.is_ascii_graphic() {
            out.push(byte);
        } else {
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interruption(status: u16, disposition: Disposition, location: Option<&[u8]>) -> Denial {
        Denial::Interruption(Interruption {
            rule_id: 942_100,
            phase: 2,
            disposition,
            status,
            location: location.map(<[u8]>::to_vec),
        })
    }

    #[test]
    fn pages_tell_what_they_are_asked_to() {
        let page = DenialPage {
            body: PageText::parse("%{status}: see %{unique_id}\n").unwrap(),
            content_type: "text/html".into(),
            headers: vec![("x-rule".into(), PageText::parse("%{rule_id}").unwrap())],
            ..DenialPage::default()
        };
        let reply = page.reply(&interruption(406, Disposition::Deny, None), "abc", b"");
        assert_eq!(
            (reply.status, &reply.body[..]),
            (406, &b"406: see abc\n"[..])
        );
        assert_eq!(reply.headers[1], (b"x-rule".to_vec(), b"942100".to_vec()));
        assert_eq!(reply.details, "waf_denied_rule_942100");
        assert_eq!(PageText::parse("%{unique}"), Err("unique".to_owned()));
        assert_eq!(PageText::parse("%{status"), Err("%{".to_owned()));
    }

    #[test]
    fn a_profile_may_choose_the_status_or_send_the_client_elsewhere() {
        let text = |text: &str| Some(PageText::parse(text).unwrap());
        let answer = |page: &DenialPage, denial: &Denial| {
            let reply = page.reply(denial, "abc", b"<script>\r\n-9");
            let location = reply
                .headers
                .into_iter()
                .find(|(name, _)| name == b"location");
            let location = location.map(|(_, value)| String::from_utf8(value).unwrap());
            (reply.status, location)
        };
        let denied = interruption(406, Disposition::Deny, None);
        let sent = interruption(303, Disposition::Redirect, Some(b"/rule"));
        let limit = Denial::Interruption(Interruption {
            rule_id: 0,
            phase: 2,
            disposition: Disposition::Deny,
            status: 413,
            location: None,
        });
        let status = DenialChange {
            status: Some(418),
            ..DenialChange::default()
        };
        let page = status.over(&DenialPage::default());
        assert_eq!(answer(&page, &denied), (418, None));
        assert_eq!(answer(&page, &sent), (303, Some("/rule".into())));
        assert_eq!(answer(&page, &limit), (413, None));
        assert_eq!(answer(&page, &Denial::Failure), (500, None));
        let elsewhere = DenialChange {
            redirect: text("https://help.example/?rule=%{rule_id}&id=%{request_id}"),
            ..DenialChange::default()
        };
        // The request's own name cannot break out, neither here nor in a page.
        let target = "https://help.example/?rule=942100&id=_script___-9";
        let page = elsewhere.over(&page);
        assert_eq!(answer(&page, &denied), (302, Some(target.into())));
        assert_eq!(answer(&page, &sent), (303, Some("/rule".into())));
        assert_eq!(answer(&page, &limit), (413, None));
        let page = DenialPage {
            status: Some(307),
            ..page
        };
        assert_eq!(answer(&page, &denied), (307, Some(target.into())));
        let body = DenialChange {
            body: text("id %{request_id}"),
            ..DenialChange::default()
        };
        let reply = body.over(&page).reply(&denied, "abc", &[b'<'; 500]);
        assert_eq!(reply.body, format!("id {}", "_".repeat(128)).into_bytes());
    }

    #[test]
    fn a_status_that_is_no_answer_becomes_403() {
        for status in [0, 100, 199, 600, u16::MAX] {
            assert_eq!(interruption(status, Disposition::Deny, None).status(), 403);
        }
    }

    #[test]
    fn a_redirect_cannot_split_the_answer() {
        let target: &[u8] = b"https://x/?a=\r\nset-cookie: b \xff";
        let reply = DenialPage::default().reply(
            &interruption(302, Disposition::Redirect, Some(target)),
            "",
            b"",
        );
        assert_eq!(
            reply.headers.last().unwrap().1,
            b"https://x/?a=%0D%0Aset-cookie:%20b%20%FF".to_vec()
        );
    }
}
