//! Selectors: which entries of a collection a target means.

use crate::matching::{Construct, Dialect, Pattern, PatternError, PrefilterBuilder, Scratch};

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
#[derive(Clone, Debug)]
pub struct KeyPattern(Pattern);

/// How names are matched.
const DIALECT: Dialect = Dialect {
    dot_matches_new_line: true,
    multi_line: false,
    case_insensitive: true,
};

impl KeyPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// As [`Pattern::new`].
    pub fn new(source: &[u8]) -> Result<Self, PatternError> {
        Pattern::new(source, DIALECT).map(Self)
    }

    /// The pattern as written.
    pub fn source(&self) -> &[u8] {
        self.0.source()
    }

    /// The part for which the pattern needs backtracking, if it does.
    pub fn needs_backtracking(&self) -> Option<Construct> {
        self.0.needs_backtracking()
    }

    /// Adds it to a prefilter and returns its slot.
    pub fn add_to(&self, builder: &mut PrefilterBuilder) -> u32 {
        builder.add_pattern(&self.0)
    }

    /// Whether a few comparisons answer it, so that a prefilter need not be asked first.
    pub fn is_quick(&self) -> bool {
        self.0.is_quick()
    }

    /// Whether it matches somewhere in a name. One that comes to the step limit does not.
    pub fn is_match(&self, name: &[u8], scratch: &mut Scratch) -> bool {
        self.0.is_match(name, scratch)
    }
}

impl PartialEq for KeyPattern {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for KeyPattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_ignore_case_and_take_bytes() {
        let scratch = &mut Scratch::new();
        let pattern = KeyPattern::new(br"^__utm\W").unwrap();
        assert!(pattern.is_match(b"__UTM-x", scratch));
        assert!(!pattern.is_match(b"a__utm-", scratch));
        let bytes = KeyPattern::new(b"\xE9").unwrap();
        assert!(bytes.is_match(b"caf\xE9", scratch));
        assert!(KeyPattern::new(b"(").is_err());
    }

    #[test]
    fn patterns_are_perls() {
        let scratch = &mut Scratch::new();
        let pattern = KeyPattern::new(b"^(?!ref)").unwrap();
        assert!(pattern.is_match(b"key", scratch) && !pattern.is_match(b"REF", scratch));
        assert_eq!(pattern.needs_backtracking().unwrap().name, "lookahead");
    }
}
