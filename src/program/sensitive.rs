//! Whose values no log shows: names of arguments and headers.

/// The names of arguments and headers whose values are redacted: SecParapetRedaction,
/// SecParapetRedactArguments, SecParapetRedactHeaders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SensitiveNames {
    /// Whether anything is redacted.
    pub enabled: bool,
    /// An argument with one of these words in its name is sensitive.
    pub arguments: SensitiveWords,
    /// Names of headers, in lower case.
    pub headers: Vec<Box<[u8]>>,
}

/// Words that are looked for in names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SensitiveWords {
    /// In lower case and without separators.
    words: Vec<Box<[u8]>>,
    /// What words begin with: a bit for each pair of letters.
    beginnings: Box<[u32; LETTERS]>,
}

impl SensitiveWords {
    /// The words of a list; separators in them and their letter case do not count.
    pub fn new(words: Vec<Box<[u8]>>) -> Self {
        let mut beginnings = Box::new([0; LETTERS]);
        for word in &words {
            let (first, bits) = match **word {
                [first, second, ..] => (first, 1 << letter(second)),
                // Anything may follow.
                [first] => (first, u32::MAX),
                [] => continue,
            };
            if let Some(known) = beginnings.get_mut(letter(first)) {
                *known |= bits;
            }
        }
        Self { words, beginnings }
    }

    /// The words, in lower case.
    pub fn words(&self) -> &[Box<[u8]>] {
        &self.words
    }

    /// Whether one of them stands in a name.
    fn is_in(&self, name: &[u8]) -> bool {
        name.iter().enumerate().any(|(start, &first)| {
            let known = self.beginnings.get(letter(first)).copied().unwrap_or(0);
            // Most places end here.
            if known == 0 {
                return false;
            }
            let rest = name.get(start..).unwrap_or_default();
            let may = match *rest {
                [_, second, ..] => is_separator(second) || known & (1 << letter(second)) != 0,
                _ => true,
            };
            may && self.words.iter().any(|word| begins(rest, word))
        })
    }
}

/// Letters have numbers below this, small or not.
const LETTERS: usize = 32;

/// The number of a letter; other bytes share them.
fn letter(byte: u8) -> usize {
    usize::from(byte) % LETTERS
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
            arguments: SensitiveWords::new(owned(&ARGUMENTS)),
            headers: owned(&HEADERS),
        }
    }
}

impl SensitiveNames {
    /// Whether the value of an argument of this name is sensitive: whatever its letter case, and
    /// with or without `-`, `_`, `.` and blanks between the letters.
    pub fn is_argument(&self, name: &[u8]) -> bool {
        self.enabled && self.arguments.is_in(name)
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
        let short = SensitiveWords::new(vec![b"q"[..].into()]);
        assert!(short.is_in(b"q") && short.is_in(b"aq") && !short.is_in(b"a"));
        let off = SensitiveNames {
            enabled: false,
            ..names
        };
        assert!(!off.is_argument(b"password") && !off.is_header(b"cookie"));
    }
}
