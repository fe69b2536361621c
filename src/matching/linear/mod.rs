//! The engine for regular patterns: a lazy DFA, in linear time.
//!
//! A forward automaton finds whether and where a match ends, reading each byte once and building
//! its states when they are first met. A reversed one, built only when somebody asks for a span,
//! finds the start from there. Groups come from a captures engine that looks at the span alone,
//! but in its place: `\b` and `$` see the bytes around it.
//!
//! When the states of a pattern fill their cache the automaton clears it and goes on: in the worst
//! case it builds a state for every byte, which costs no more than simulating the NFA does. So it
//! never gives up, and the time stays linear.
//!
//! Whether a pattern matches is the same as in PCRE. A span or group differs in one corner: in a
//! repetition of something that can match nothing, such as `(a|b??)+`, PCRE counts the round that
//! reads nothing as the last and leaves; automata drop that round.

pub(super) mod context;
pub(super) mod lazy;
mod lower;

use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::nfa::thompson::backtrack::BoundedBacktracker;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};

use regex_syntax::hir::Hir;

use super::PatternError;
use super::scratch::{Caches, Filling};
use super::syntax::{Construct, Node, Parsed, Text};
use lazy::{Direction, Footprint, LazyDfa, Notes, Visits};

/// Largest memory of one automaton, in bytes, as estimated before it is built. A pattern above it
/// is an error at load.
const COMPILED_LIMIT: usize = 4 << 20;
/// Largest memory of the PikeVM's table, which holds the ends of all groups for each state, twice;
/// in bytes, as estimated before it is built. A pattern above it is an error at load.
const SLOTS_LIMIT: usize = 32 << 20;
/// Largest memory of the backtracker's marks, in bytes. Spans that need more go to the PikeVM.
const BACKTRACK_LIMIT: usize = 64 << 10;
/// A byte takes the PikeVM so many times as long as the backtracker.
const PIKEVM_WORK: usize = 8;

/// The automata of a pattern. That which says whether there is a match is built with it, so that no
/// request waits for it; the others on first use, from the pattern's text, for most patterns only ever
/// answer no.
#[derive(Debug)]
pub(super) struct Linear {
    groups: usize,
    /// `\K` or `\Z` stands in it, so that spans are read from hidden groups.
    moves_ends: bool,
    /// It counts so far that a few bytes may lead to large states.
    pub(super) wide: bool,
    /// Memory of one automaton, in bytes, as estimated.
    pub(super) compiled_size: usize,
    forward: LazyDfa,
    backward: OnceLock<Option<LazyDfa>>,
    capturing: OnceLock<Option<Capturing>>,
}

/// The engines that fill groups.
#[derive(Debug)]
struct Capturing {
    backtracker: BoundedBacktracker,
    pikevm: PikeVM,
    /// The hidden group that starts where `\Z` held.
    final_end: Option<usize>,
    /// The hidden group that stands where `\K` did.
    keep: Option<usize>,
}

/// Why this engine does not take a pattern.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It holds a part for an engine that backtracks.
    Irregular(Construct),
    /// No engine takes it.
    Error(PatternError),
}

impl Linear {
    /// Accepts a pattern that this engine carries out exactly.
    ///
    /// # Errors
    /// It needs backtracking, or its automaton would be too large.
    pub(super) fn new(text: &Text, parsed: &Parsed) -> Result<Self, Refusal> {
        if let Some(construct) = parsed.irregular {
            return Err(Refusal::Irregular(construct));
        }
        if parsed.contextual {
            context::check(&parsed.root).map_err(Refusal::Irregular)?;
        }
        let compiled_size = lower::compiled_size(&parsed.root);
        let too_large = if compiled_size > COMPILED_LIMIT {
            "pattern is too large: its repetitions multiply"
        } else if lower::slots_size(compiled_size, parsed.groups) > SLOTS_LIMIT {
            "pattern is too large: its repetitions and capturing groups multiply; `(?:` groups \
             without capturing"
        } else {
            ""
        };
        if !too_large.is_empty() {
            return Err(Refusal::Error(PatternError {
                message: too_large.to_owned(),
                offset: None,
            }));
        }
        Ok(Self {
            groups: parsed.groups,
            moves_ends: parsed.moves_ends,
            compiled_size,
            forward: LazyDfa::new(&parsed.root, Direction::Forward, text.id()),
            wide: is_wide(&parsed.root),
            backward: OnceLock::new(),
            capturing: OnceLock::new(),
        })
    }

    /// Whether there is a match.
    pub(super) fn is_match(&self, hay: &[u8], caches: &mut Caches) -> bool {
        self.end(hay, 0, true, caches).is_some()
    }

    /// The leftmost match from `start` on.
    pub(super) fn find(
        &self,
        text: &Text,
        hay: &[u8],
        start: usize,
        caches: &mut Caches,
    ) -> Option<Range<usize>> {
        if self.moves_ends {
            let mut groups = Vec::new();
            self.groups(text, hay, start, caches, &mut groups);
            return groups.into_iter().next().flatten();
        }
        self.span(text, hay, start, caches)
    }

    /// The groups of the leftmost match from `start` on; none, if there is no match.
    pub(super) fn groups(
        &self,
        text: &Text,
        hay: &[u8],
        start: usize,
        caches: &mut Caches,
        groups: &mut Vec<Option<Range<usize>>>,
    ) {
        groups.clear();
        let Some(span) = self.span(text, hay, start, caches) else {
            return;
        };
        groups.push(Some(span.clone()));
        groups.resize(self.groups.saturating_add(1), None);
        if self.groups == 0 && !self.moves_ends {
            return;
        }
        let Some(capturing) = self.capturing(text) else {
            return;
        };
        // The search ends with the span, the conditions of the pattern still see what is around.
        let input = Input::new(hay).span(span).anchored(Anchored::Yes);
        let mut filling = caches.filling.take().unwrap_or_default();
        let spanned = capturing.work(input.get_span().len());
        caches.spanned = caches.spanned.saturating_add(spanned);
        let slots = capturing.slots(&input, &mut filling);
        for (group, pair) in groups.iter_mut().zip(slots.chunks(2)) {
            *group = range(pair);
        }
        capturing.move_ends(slots, groups);
        caches.filling = Some(filling);
    }

    /// Where the leftmost match from `start` on ends; with `earliest`, where one is found first.
    fn end(&self, hay: &[u8], start: usize, earliest: bool, caches: &mut Caches) -> Option<usize> {
        let dfa = &self.forward;
        let cache = caches.forward.get_or_insert_with(|| dfa.cache());
        let notes = notes(
            &mut caches.filling,
            &mut caches.visits,
            &mut caches.footprint,
        );
        let found = dfa.end(hay, start, earliest, cache, notes);
        caches.scanned = caches.scanned.saturating_add(found.read);
        Some(start.saturating_add(found.end?))
    }

    /// The leftmost match from `start` on.
    fn span(
        &self,
        text: &Text,
        hay: &[u8],
        start: usize,
        caches: &mut Caches,
    ) -> Option<Range<usize>> {
        let end = self.end(hay, start, false, caches)?;
        if self.forward.is_anchored() {
            return Some(start..end);
        }
        let dfa = self.backward(text)?;
        let cache = caches.backward.get_or_insert_with(|| dfa.cache());
        let notes = notes(
            &mut caches.filling,
            &mut caches.visits,
            &mut caches.footprint,
        );
        let found = dfa.start(hay, start, end, cache, notes);
        caches.scanned = caches.scanned.saturating_add(found.read);
        Some(end.saturating_sub(found.end?)..end)
    }

    fn backward(&self, text: &Text) -> Option<&LazyDfa> {
        // The tree is not kept, for it is larger than the automaton. That it cannot be read does not
        // occur: it was read before.
        let build = || {
            let parsed = text.parse().ok()?;
            Some(LazyDfa::new(&parsed.root, Direction::Backward, text.id()))
        };
        self.backward.get_or_init(build).as_ref()
    }

    fn capturing(&self, text: &Text) -> Option<&Capturing> {
        let build = || {
            let lowered = lower::lower(&text.parse().ok()?.root, self.groups);
            let nfa = nfa(&lowered.hir)?;
            Some(Capturing {
                backtracker: BoundedBacktracker::builder()
                    .configure(BoundedBacktracker::config().visited_capacity(BACKTRACK_LIMIT))
                    .build_from_nfa(nfa.clone())
                    .ok()?,
                pikevm: PikeVM::new_from_nfa(nfa).ok()?,
                final_end: lowered.final_end,
                keep: lowered.keep,
            })
        };
        self.capturing.get_or_init(build).as_ref()
    }
}

impl Capturing {
    /// What a span of so many bytes takes, as so many bytes of the backtracker.
    fn work(&self, length: usize) -> usize {
        let each = if length <= self.backtracker.max_haystack_len() {
            1
        } else {
            PIKEVM_WORK
        };
        length.saturating_mul(each).saturating_add(1)
    }

    /// Searches a span that is known to match and returns the start and end of each group.
    fn slots<'c>(&self, input: &Input<'_>, filling: &'c mut Filling) -> &'c [Option<NonMaxUsize>] {
        let slots = &mut filling.slots;
        slots.clear();
        slots.resize(self.pikevm.get_nfa().group_info().slot_len(), None);
        if input.get_span().len() <= self.backtracker.max_haystack_len() {
            let cache = filling
                .backtracker
                .get_or_insert_with(|| self.backtracker.create_cache());
            cache.reset(&self.backtracker);
            if self
                .backtracker
                .try_search_slots(cache, input, slots)
                .is_ok()
            {
                return slots;
            }
        }
        let cache = filling
            .pikevm
            .get_or_insert_with(|| self.pikevm.create_cache());
        cache.reset(&self.pikevm);
        self.pikevm.search_slots(cache, input, slots);
        slots
    }

    /// Gives the match the ends that `\K` and `\Z` say.
    fn move_ends(&self, slots: &[Option<NonMaxUsize>], groups: &mut [Option<Range<usize>>]) {
        let hidden = |group: Option<usize>| range(slots.chunks(2).nth(group?)?);
        if let Some(limit) = hidden(self.final_end) {
            for range in groups.iter_mut().flatten() {
                *range = range.start.min(limit.start)..range.end.min(limit.start);
            }
        }
        if let (Some(keep), Some(Some(whole))) = (hidden(self.keep), groups.first_mut()) {
            whole.start = keep.start.min(whole.end);
        }
    }
}

/// Where a search writes.
fn notes<'c>(
    filling: &'c mut Option<Box<Filling>>,
    visits: &'c mut Option<Box<Visits>>,
    footprint: &'c mut Footprint,
) -> Notes<'c> {
    Notes {
        workspace: &mut filling.get_or_insert_default().workspace,
        counter: visits.as_deref_mut().map(|visits| (visits, footprint)),
    }
}

/// Whether something is counted so far that many ways may be open after a few bytes.
fn is_wide(part: &Node) -> bool {
    /// Repetitions that count less than this have small states.
    const WIDE: u32 = 12;
    match part {
        Node::Group(_, part) | Node::Atomic(part, _) => is_wide(part),
        Node::Concat(parts) | Node::Alternation(parts) => parts.iter().any(is_wide),
        Node::Repeat { node, min, max, .. } => max.unwrap_or(*min) >= WIDE || is_wide(node),
        _ => false,
    }
}

fn range(pair: &[Option<NonMaxUsize>]) -> Option<Range<usize>> {
    match pair {
        [Some(start), Some(end)] => Some(start.get()..end.get()),
        _ => None,
    }
}

/// `None` does not occur after the check of the size: nothing else makes compiling fail.
fn nfa(hir: &Hir) -> Option<NFA> {
    thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .utf8(false)
                .which_captures(WhichCaptures::All)
                .nfa_size_limit(None),
        )
        .build_from_hir(hir)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::super::syntax::Dialect;
    use super::*;

    /// The leftmost match by the PikeVM.
    fn simulate(linear: &Linear, text: &Text, hay: &[u8], start: usize) -> Option<Range<usize>> {
        let vm = &linear.capturing(text).unwrap().pikevm;
        let mut slots = [None; 2];
        let input = Input::new(hay).span(start..hay.len());
        vm.search_slots(&mut vm.create_cache(), &input, &mut slots)?;
        range(&slots)
    }

    #[test]
    fn both_engines_answer_alike() {
        for source in ["a|ab", "(?i)b+?", "^a?", "x*$", r"\bfoo", "", "[^a]b|c{2}"] {
            let text = Text {
                source: source.as_bytes().into(),
                dialect: Dialect::default(),
            };
            let linear = Linear::new(&text, &text.parse().unwrap()).unwrap();
            let mut caches = Caches::default();
            for hay in ["", "a", "ab", "xbBb", "xx", "a foo", "zbcc"] {
                for start in 0..=hay.len() {
                    let span = linear.span(&text, hay.as_bytes(), start, &mut caches);
                    let simulated = simulate(&linear, &text, hay.as_bytes(), start);
                    assert_eq!(span, simulated, "/{source}/ in {hay} from {start}");
                }
            }
        }
    }

    #[test]
    fn groups_are_bounded_together_with_repetitions() {
        let accepts = |source: String| {
            let text = Text {
                source: source.into_bytes().into(),
                dialect: Dialect::default(),
            };
            Linear::new(&text, &text.parse().unwrap()).is_ok()
        };
        assert!(accepts("(x)".repeat(100)));
        assert!(accepts("(?:(a)|(b)|[^x]{0,900})".repeat(10)));
        assert!(accepts("(?:[^x]{0,1000}){20}".to_owned()));
        assert!(!accepts(format!(
            "{}(?:[^x]{{0,1000}}){{20}}",
            "(b)".repeat(60)
        )));
    }
}
