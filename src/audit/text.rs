//! Bytes as JSON strings.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// Bytes of HTTP as a JSON string. What is UTF-8 stands as it is, any other byte as `\xHH`; a
/// backslash before an `x` is written `\x5c`, so that the bytes can be had again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Text<'a>(pub Cow<'a, [u8]>);

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text.as_bytes()))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text.into_bytes()))
    }
}

impl Text<'_> {
    /// The text that stands for the bytes.
    pub(super) fn shown(&self) -> Cow<'_, str> {
        let plain = memchr::memchr(b'\\', &self.0).is_none()
            || memchr::memmem::find(&self.0, b"\\x").is_none();
        match std::str::from_utf8(&self.0) {
            Ok(text) if plain => Cow::Borrowed(text),
            _ => Cow::Owned(escaped(&self.0)),
        }
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&chunk.valid().replace("\\x", "\\x5cx"));
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Text<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_can_be_had_again() {
        let shown = |bytes: &[u8]| Text(bytes.into()).shown().into_owned();
        assert_eq!(shown("größe \\ \"".as_bytes()), "größe \\ \"");
        assert_eq!(shown(b"a\xffb\xc3"), "a\\xffb\\xc3");
        assert_eq!(shown(b"\\x41 \\y"), "\\x5cx41 \\y");
    }
}
