//! `denial`: what denials look like.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::json::{Keys, number, unreadable, value};
use super::values::Entries;
use crate::proxy::denial::{DenialChange, PageText, is_redirect};

/// The keys of `denial`. Texts may hold `%{status}`, `%{rule_id}`, `%{unique_id}` and
/// `%{request_id}`.
pub const DENIAL_KEYS: &[(&str, &str)] = &[
    ("body", "The body of the answer."),
    (
        "content_type",
        "Its content type; default `text/plain; charset=utf-8`.",
    ),
    ("headers", "Further headers: `{name: value}`."),
    (
        "status",
        "The status of what rules deny, 200 to 599, instead of the rules' own. Redirects of rules and refusals without a rule keep theirs.",
    ),
    (
        "redirect",
        "Where clients are sent whom rules deny, by status 302 or the one given.",
    ),
];

/// The object.
pub(super) struct Denial(pub(super) DenialChange);

impl<'de> Deserialize<'de> for Denial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DenialVisitor)
    }
}

struct DenialVisitor;

impl<'de> Visitor<'de> for DenialVisitor {
    type Value = Denial;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Denial, A::Error> {
        let mut page = DenialChange::default();
        let mut keys = Keys::new(DENIAL_KEYS);
        while let Some(key) = keys.next(&mut map)? {
            match key {
                "body" => page.body = Some(page_text(&value::<String, A>(&mut map, key)?, key)?),
                "content_type" => {
                    let content_type: String = value(&mut map, key)?;
                    check_value(&content_type, key)?;
                    page.content_type = Some(content_type);
                }
                "status" => page.status = Some(status(&mut map, key)?),
                "redirect" => {
                    let target: String = value(&mut map, key)?;
                    check_value(&target, key)?;
                    if target.is_empty() {
                        return Err(A::Error::custom(format!("`{key}`: empty")));
                    }
                    page.redirect = Some(page_text(&target, key)?);
                }
                "headers" => {
                    let headers = page.headers.get_or_insert_default();
                    for (name, text) in value::<Entries<String>, A>(&mut map, key)?.0 {
                        let key = format!("{key}.{name}");
                        check_name(&name, &key)?;
                        check_value(&text, &key)?;
                        headers.push((name.to_ascii_lowercase(), page_text(&text, &key)?));
                    }
                }
                key => return Err(unreadable(key)),
            }
        }
        if page.redirect.is_some() && page.status.is_some_and(|status| !is_redirect(status)) {
            return Err(A::Error::custom(
                "`status`: with `redirect` it is one of 301, 302, 303, 307, 308",
            ));
        }
        Ok(Denial(page))
    }
}

fn status<'de, A: MapAccess<'de>>(map: &mut A, key: &str) -> Result<u16, A::Error> {
    let status = number(map, key, 200, 599)?;
    u16::try_from(status).map_err(|_| A::Error::custom(format!("`{key}`: no status")))
}

fn page_text<E: Error>(text: &str, key: &str) -> Result<PageText, E> {
    PageText::parse(text).map_err(|name| {
        E::custom(format!(
            "`{key}`: `{name}` cannot be filled in; there are %{{status}}, %{{rule_id}}, %{{unique_id}} and %{{request_id}}"
        ))
    })
}

fn check_name<E: Error>(name: &str, key: &str) -> Result<(), E> {
    const OURS: [&str; 6] = [
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "upgrade",
        "location",
    ];
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(E::custom(format!("`{key}`: not a header name")));
    }
    if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        return Err(E::custom(format!(
            "`{key}`: this header is not free to choose"
        )));
    }
    Ok(())
}

fn check_value<E: Error>(value: &str, key: &str) -> Result<(), E> {
    if value.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err(E::custom(format!(
            "`{key}`: a header value has no control characters"
        )));
    }
    Ok(())
}
