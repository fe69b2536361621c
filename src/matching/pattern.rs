//! A regular expression of the rules.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::Scratch;

/// Which of ModSecurity's ways to read a pattern. The default is that of version 2: `.` matches
/// line feeds, `^` and `$` stand for the ends of the value alone, and letter case counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Dialect {
    /// `.` matches a line feed too (PCRE's DOTALL).
    pub dot_matches_new_line: bool,
    /// `^` and `$` match at line ends too (PCRE's MULTILINE).
    pub multi_line: bool,
    /// ASCII letters match in either case.
    pub case_insensitive: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            dot_matches_new_line: true,
            multi_line: false,
            case_insensitive: false,
        }
    }
}

/// Why a pattern cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PatternError {
    /// What is wrong, in a phrase without a final stop.
    pub message: String,
    /// Where, in bytes of the pattern as the user wrote it.
    pub offset: Option<usize>,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} (at byte {offset})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for PatternError {}

/// A regular expression: immutable, shared by cloning.
#[derive(Clone)]
pub struct Pattern {
    inner: Arc<Inner>,
}

struct Inner {
    source: Box<[u8]>,
    vm: PikeVM,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The pattern is malformed, or uses what cannot be searched for.
    pub fn new(source: &[u8], dialect: Dialect) -> Result<Self, PatternError> {
        let text = std::str::from_utf8(source).map_err(|e| PatternError {
            message: e.to_string(),
            offset: None,
        })?;
        let vm = PikeVM::builder()
            .syntax(
                syntax::Config::new()
                    .unicode(false)
                    .utf8(false)
                    .dot_matches_new_line(dialect.dot_matches_new_line)
                    .multi_line(dialect.multi_line)
                    .case_insensitive(dialect.case_insensitive),
            )
            .build(text)
            .map_err(|e| PatternError {
                message: e.to_string(),
                offset: None,
            })?;
        Ok(Self {
            inner: Arc::new(Inner {
                source: source.into(),
                vm,
            }),
        })
    }

    /// The pattern as the user wrote it.
    pub fn source(&self) -> &[u8] {
        &self.inner.source
    }

    /// Number of capturing groups, without the whole match.
    pub fn group_count(&self) -> usize {
        self.inner
            .vm
            .get_nfa()
            .group_info()
            .group_len(Default::default())
            .saturating_sub(1)
    }

    /// Whether the pattern matches anywhere in the value.
    pub fn is_match(&self, hay: &[u8], scratch: &mut Scratch) -> bool {
        self.find(hay, scratch).is_some()
    }

    /// The leftmost match, as Perl prefers it.
    pub fn find(&self, hay: &[u8], scratch: &mut Scratch) -> Option<Range<usize>> {
        self.find_from(hay, 0, scratch)
    }

    /// The leftmost match that starts at `start` or later; `^` and `\b` still see the whole value.
    pub fn find_from(
        &self,
        hay: &[u8],
        start: usize,
        _scratch: &mut Scratch,
    ) -> Option<Range<usize>> {
        if start > hay.len() {
            return None;
        }
        let mut cache = self.inner.vm.create_cache();
        self.inner
            .vm
            .find_iter(&mut cache, Input::new(hay).span(start..hay.len()))
            .next()
            .map(|m| m.range())
    }

    /// The leftmost match and its groups: the whole match first, `None` for groups without part in
    /// it. Says whether there is one; if not, `slots` is empty.
    pub fn captures(
        &self,
        hay: &[u8],
        _scratch: &mut Scratch,
        slots: &mut Vec<Option<Range<usize>>>,
    ) -> bool {
        slots.clear();
        let mut cache = self.inner.vm.create_cache();
        let mut captures = self.inner.vm.create_captures();
        self.inner.vm.captures(
            &mut cache,
            Input::new(hay).anchored(Anchored::No),
            &mut captures,
        );
        if !captures.is_match() {
            return false;
        }
        slots.extend(captures.iter().map(|span| span.map(|span| span.range())));
        true
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern(/{}/)", self.source().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_and_captures() {
        let pattern = Pattern::new(b"a(b)?(c)", Dialect::default()).unwrap();
        let mut scratch = Scratch::new();
        let mut slots = Vec::new();
        assert_eq!(pattern.group_count(), 2);
        assert_eq!(pattern.find(b"xxac", &mut scratch), Some(2..4));
        assert!(pattern.captures(b"xxac", &mut scratch, &mut slots));
        assert_eq!(slots, [Some(2..4), None, Some(3..4)]);
    }
}
