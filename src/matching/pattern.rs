//! A regular expression of the rules.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::backtracking::Backtracking;
use super::beginning::Beginning;
use super::linear::{Linear, Refusal};
use super::scratch::Scratch;
use super::syntax::{Construct, Dialect, Parsed, PatternError, Text};

/// A regular expression: immutable, shared by cloning.
///
/// Making one reads it in full, so that errors surface when rules are loaded; what searching needs
/// is built on the first search. Matching follows Perl and PCRE: leftmost, and of the matches there
/// the one that the order of branches and the greed of quantifiers prefer.
#[derive(Clone)]
pub struct Pattern {
    inner: Arc<Inner>,
}

struct Inner {
    /// Names the pattern's caches in a [`Scratch`].
    id: u64,
    text: Text,
    groups: usize,
    strategy: Strategy,
}

/// What carries a pattern out, chosen when it is read: the linear engine whenever it can, unless there
/// is nothing to it.
enum Strategy {
    Beginning(Beginning),
    Linear(Box<Linear>),
    Backtracking(Backtracking),
}

impl Pattern {
    /// Reads a pattern in PCRE's syntax.
    ///
    /// # Errors
    /// The pattern is malformed, too large, or has a part without engine (subroutine calls,
    /// recursion, backtracking verbs). The offset counts bytes of `source`.
    pub fn new(source: &[u8], dialect: Dialect) -> Result<Self, PatternError> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let text = Text {
            source: source.into(),
            dialect,
        };
        let parsed = text.parse()?;
        let strategy = match Beginning::of(&parsed) {
            Some(beginning) => Strategy::Beginning(beginning),
            None => match Linear::new(&text, &parsed) {
                Ok(linear) => Strategy::Linear(Box::new(linear)),
                Err(Refusal::Irregular(construct)) => {
                    Strategy::Backtracking(Backtracking::new(&parsed, construct)?)
                }
                Err(Refusal::Error(error)) => return Err(error),
            },
        };
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            inner: Arc::new(Inner {
                id,
                text,
                groups: parsed.groups,
                strategy,
            }),
        })
    }

    /// The pattern as the user wrote it.
    pub fn source(&self) -> &[u8] {
        &self.inner.text.source
    }

    /// Number of capturing groups, without the whole match.
    pub fn group_count(&self) -> usize {
        self.inner.groups
    }

    /// How long a match can be, in bytes; none without bound. Reads the pattern again.
    pub fn longest_match(&self) -> Option<usize> {
        super::prefilter::longest_match(&self.parse().ok()?.root)
    }

    /// Memory of its automaton in bytes, rather too much than too little; 0 for one that needs
    /// backtracking, whose program is as large as the text.
    pub fn compiled_size(&self) -> usize {
        match &self.inner.strategy {
            Strategy::Beginning(beginning) => beginning.memory_usage(),
            Strategy::Linear(linear) => linear.compiled_size,
            Strategy::Backtracking(_) => 0,
        }
    }

    /// The part for which the pattern needs backtracking, if it does: its searches are under the
    /// limit of [`Scratch::set_step_limit`].
    pub fn needs_backtracking(&self) -> Option<Construct> {
        match &self.inner.strategy {
            Strategy::Beginning(_) | Strategy::Linear(_) => None,
            Strategy::Backtracking(backtracking) => Some(backtracking.construct),
        }
    }

    /// Whether a few comparisons at the start of a value answer it: a prefilter is no faster.
    pub fn is_quick(&self) -> bool {
        matches!(self.inner.strategy, Strategy::Beginning(_))
    }

    /// Whether the pattern matches anywhere in the value. The cheapest question. Like every search
    /// it finds nothing once the work of [`Scratch::set_work`] is spent.
    pub fn is_match(&self, hay: &[u8], scratch: &mut Scratch) -> bool {
        let Inner { id, .. } = &*self.inner;
        match &self.inner.strategy {
            Strategy::Beginning(beginning) => found(beginning, hay, 0, scratch).is_some(),
            Strategy::Linear(linear) => {
                let search = |caches: &mut _| linear.is_match(hay, caches);
                let found = scratch.with_caches(*id, linear, hay.len(), search);
                found.unwrap_or(false)
            }
            Strategy::Backtracking(backtracking) => {
                let (machine, work) = scratch.machine();
                backtracking.find(hay, 0, machine, work).is_some()
            }
        }
    }

    /// The leftmost match.
    pub fn find(&self, hay: &[u8], scratch: &mut Scratch) -> Option<Range<usize>> {
        self.find_from(hay, 0, scratch)
    }

    /// The leftmost match that starts at `start` or later. Conditions such as `^` and `\b` still
    /// see the whole value. After an empty match, go on one byte further.
    pub fn find_from(
        &self,
        hay: &[u8],
        start: usize,
        scratch: &mut Scratch,
    ) -> Option<Range<usize>> {
        if start > hay.len() {
            return None;
        }
        let Inner { id, text, .. } = &*self.inner;
        match &self.inner.strategy {
            Strategy::Beginning(beginning) => found(beginning, hay, start, scratch),
            Strategy::Linear(linear) => {
                let search = |caches: &mut _| linear.find(text, hay, start, caches);
                let length = hay.len().saturating_sub(start);
                scratch.with_caches(*id, linear, length, search).flatten()
            }
            Strategy::Backtracking(backtracking) => {
                let (machine, work) = scratch.machine();
                backtracking.find(hay, start, machine, work)
            }
        }
    }

    /// The leftmost match and its groups: the whole match first, then as many as
    /// [`Pattern::group_count`] says, `None` for one without part in the match. Says whether there
    /// is a match; if not, `slots` is left empty.
    pub fn captures(
        &self,
        hay: &[u8],
        scratch: &mut Scratch,
        slots: &mut Vec<Option<Range<usize>>>,
    ) -> bool {
        self.captures_from(hay, 0, scratch, slots)
    }

    /// As [`Pattern::captures`], for the leftmost match that starts at `start` or later.
    pub fn captures_from(
        &self,
        hay: &[u8],
        start: usize,
        scratch: &mut Scratch,
        slots: &mut Vec<Option<Range<usize>>>,
    ) -> bool {
        slots.clear();
        if start > hay.len() {
            return false;
        }
        let Inner { id, text, .. } = &*self.inner;
        match &self.inner.strategy {
            Strategy::Beginning(beginning) => {
                slots.extend(found(beginning, hay, start, scratch).map(Some));
            }
            Strategy::Linear(linear) => {
                let length = hay.len().saturating_sub(start);
                scratch.with_caches(*id, linear, length, |caches| {
                    linear.groups(text, hay, start, caches, slots);
                });
            }
            Strategy::Backtracking(backtracking) => {
                let (machine, work) = scratch.machine();
                backtracking.groups(hay, start, machine, work, slots);
            }
        }
        !slots.is_empty()
    }

    /// The tree, read again: it is not kept, for it is larger than the text and rarely needed.
    pub(super) fn parse(&self) -> Result<Parsed, PatternError> {
        self.inner.text.parse()
    }
}

/// The match from `start` on of a pattern that looks at the beginning.
fn found(
    beginning: &Beginning,
    hay: &[u8],
    start: usize,
    scratch: &mut Scratch,
) -> Option<Range<usize>> {
    if !scratch.charge_comparison(beginning.length().min(hay.len())) || start > 0 {
        return None;
    }
    beginning.find(hay)
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern(/{}/)", self.source().escape_ascii())
    }
}
