//! The format of ModSecurity's regression cases.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

/// One case. Fields that only describe it are left out.
#[derive(Deserialize)]
pub struct Case {
    #[serde(default = "on")]
    pub enabled: Word,
    #[serde(default)]
    pub resource: Option<Word>,
    #[serde(default)]
    pub client: Option<End>,
    #[serde(default)]
    pub server: Option<End>,
    #[serde(default)]
    pub request: Request,
    #[serde(default)]
    pub response: Response,
    #[serde(default)]
    pub expected: Expected,
    pub rules: Lines,
}

#[derive(Deserialize)]
pub struct End {
    #[serde(default)]
    pub ip: Word,
    #[serde(default)]
    pub port: Word,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Request {
    pub method: Option<Word>,
    pub uri: Option<Word>,
    pub http_version: Option<Word>,
    pub headers: Headers,
    pub body: Lines,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Response {
    pub protocol: Option<Word>,
    pub headers: Headers,
    pub body: Lines,
}

/// What is to come out. Logs are patterns that must be found; an empty one says nothing.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Expected {
    pub http_code: Option<Word>,
    pub redirect_url: Option<Word>,
    pub parser_error: Option<Word>,
    #[serde(alias = "debug_logs")]
    pub debug_log: Word,
    #[serde(alias = "error_logs")]
    pub error_log: Word,
    #[serde(alias = "audit_logs")]
    pub audit_log: Word,
}

/// One value: text, or a number or truth value as its text.
#[derive(Default, Clone, PartialEq, Eq, Debug)]
pub struct Word(pub String);

impl std::ops::Deref for Word {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

fn on() -> Word {
    Word("1".to_owned())
}

/// Text in one piece, or in lines that line feeds end.
#[derive(Default)]
pub struct Lines(pub String);

/// Names and values in order, repeats kept; an empty string stands for none.
#[derive(Default)]
pub struct Headers(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(from)? {
            serde_json::Value::String(text) => text,
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        }))
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of lines")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Lines, E> {
                Ok(Lines(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lines, A::Error> {
                let mut text = String::new();
                while let Some(line) = list.next_element::<Word>()? {
                    text.push_str(&line);
                    text.push('\n');
                }
                Ok(Lines(text))
            }
        }
        from.deserialize_any(Text)
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("headers")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Headers, E> {
                if text.is_empty() {
                    return Ok(Headers::default());
                }
                Err(E::custom("headers that are text"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Word>()? {
                    pairs.push((name, value.0));
                }
                Ok(Headers(pairs))
            }
        }
        from.deserialize_any(Pairs)
    }
}

impl Request {
    /// The length that the request declares; 0 for none.
    pub fn content_length(&self) -> usize {
        let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-length");
        let found = self.headers.0.iter().find(named);
        found
            .and_then(|(_, value)| value.trim().parse().ok())
            .unwrap_or(0)
    }
}

impl Expected {
    /// The status a client is to see.
    pub fn status(&self) -> u16 {
        let code = self.http_code.as_deref();
        code.and_then(|code| code.parse().ok()).unwrap_or(200)
    }
}

impl Headers {
    pub fn pairs(&self) -> Vec<(&[u8], &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_text_or_lines_and_headers_keep_repeats() {
        let text = r#"{"enabled": 1, "rules": ["a", "b"], "request": {"http_version": 1.1,
            "headers": {"A": "1", "A": 2}, "body": "x"}, "response": {"headers": ""}}"#;
        let case: Case = serde_json::from_str(text).unwrap();
        assert_eq!(case.rules.0, "a\nb\n");
        assert_eq!(case.request.body.0, "x");
        assert_eq!(case.request.http_version.as_deref(), Some("1.1"));
        assert_eq!(
            case.request.headers.pairs(),
            [(b"A".as_slice(), b"1".as_slice()), (b"A", b"2")]
        );
        assert!(case.response.headers.0.is_empty());
    }
}
