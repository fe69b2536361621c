//! Whose values no log shows: names of arguments and headers.

/// The names of arguments and headers whose values are redacted: SecParapetRedaction,
/// SecParapetRedactArguments, SecParapetRedactHeaders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SensitiveNames {
    /// Whether anything is redacted.
    pub enabled: bool,
    /// Words, in lower case and without separators: an argument with one of them in its name is
    /// sensitive.
    pub arguments: Vec<Box<[u8]>>,
    /// Names of headers, in lower case.
    pub headers: Vec<Box<[u8]>>,
}

/// Words that names of credentials and of payment data are made of.
const ARGUMENTS: [&str; 20] = [
    "accesskey",
    "apikey",
    "authorization",
    "card",
    "credential",
    "cvc",
    "cvv",
    "iban",
    "jwt",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "sessid",
    "session",
    "signature",
    "token",
];

/// Headers that carry credentials.
const HEADERS: [&str; 4] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
];

impl Default for SensitiveNames {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| name.as_bytes().into()).collect();
        Self {
            enabled: true,
            arguments: owned(&ARGUMENTS),
            headers: owned(&HEADERS),
        }
    }
}

impl SensitiveNames {
    /// Whether the value of an argument of this name is sensitive: whatever its letter case, and
    /// with or without `-`, `_`, `.` and blanks between the letters.
    pub fn is_argument(&self, name: &[u8]) -> bool {
        let starts = 0..name.len();
        self.enabled
            && starts
                .filter_map(|start| name.get(start..))
                .any(|rest| self.arguments.iter().any(|word| begins(rest, word)))
    }

    /// Whether the value of a header of this name is sensitive: it is listed, or named like a
    /// sensitive argument.
    pub fn is_header(&self, name: &[u8]) -> bool {
        let mut listed = self.headers.iter();
        self.enabled
            && (listed.any(|known| known.eq_ignore_ascii_case(name)) || self.is_argument(name))
    }
}

/// What words do not consist of.
pub(crate) const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.' | b' ')
}

/// Whether a name begins with a word, separators between its letters aside.
fn begins(name: &[u8], word: &[u8]) -> bool {
    // Most names end here.
    if name.first().map(u8::to_ascii_lowercase) != word.first().copied() {
        return false;
    }
    let mut letters = name.iter().filter(|&&byte| !is_separator(byte));
    word.iter()
        .all(|&wanted| letters.next().map(u8::to_ascii_lowercase) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sensitive_however_they_are_written() {
        let names = SensitiveNames::default();
        for name in [
            "password",
            "new_Password",
            "user[pass-word]",
            "json.user.api_key",
            "X-API-Key",
            "csrf.token",
            "cardNumber",
        ] {
            assert!(names.is_argument(name.as_bytes()), "{name}");
        }
        for name in ["", "pass", "user", "q", "keyboard", "author", "_"] {
            assert!(!names.is_argument(name.as_bytes()), "{name}");
        }
        assert!(names.is_header(b"Set-Cookie") && names.is_header(b"x-csrf-token"));
        assert!(!names.is_header(b"accept") && !names.is_argument(b"cookie"));
        let off = SensitiveNames {
            enabled: false,
            ..names
        };
        assert!(!off.is_argument(b"password") && !off.is_header(b"cookie"));
    }
}
