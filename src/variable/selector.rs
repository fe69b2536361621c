//! Selectors: which entries of a collection a target means.

use regex_lite::Regex;

/// What stands behind the colon of a target.
#[derive(Clone, Debug)]
pub enum Selector {
    /// No colon: every entry.
    All,
    /// One name, compared without letter case.
    Key(Box<[u8]>),
    /// `/regex/` on the name.
    Pattern(KeyPattern),
}

/// A regular expression on names: caseless, dot matches line ends, as v2 compiles it.
///
/// Names are short and the patterns come from the operator's own rules, so the small engine
/// serves; bytes stand for the characters U+0000 to U+00FF on both sides.
#[derive(Clone, Debug)]
pub struct KeyPattern {
    source: Box<[u8]>,
    regex: Regex,
}

/// A pattern that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError(pub String);

impl KeyPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What the regex engine says about the pattern.
    pub fn new(source: &[u8]) -> Result<Self, SelectorError> {
        let text = format!("(?si){}", latin1(source));
        let regex = Regex::new(&text).map_err(|error| SelectorError(error.to_string()))?;
        Ok(Self {
            source: source.into(),
            regex,
        })
    }

    /// The pattern as written.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// Whether it matches somewhere in a name.
    pub fn is_match(&self, name: &[u8]) -> bool {
        match std::str::from_utf8(name) {
            Ok(text) if text.is_ascii() => self.regex.is_match(text),
            _ => self.regex.is_match(&latin1(name)),
        }
    }
}

/// Each byte as the character of its number.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

impl PartialEq for KeyPattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for KeyPattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_ignore_case_and_take_bytes() {
        let pattern = KeyPattern::new(br"^__utm\W").unwrap();
        assert!(pattern.is_match(b"__UTM-x"));
        assert!(!pattern.is_match(b"a__utm-"));
        assert!(KeyPattern::new(b"\xE9").unwrap().is_match(b"caf\xE9"));
        assert!(KeyPattern::new(b"(").is_err());
    }
}
