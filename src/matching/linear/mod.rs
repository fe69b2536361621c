//! The engine for regular patterns: regex-automata's hybrid lazy DFA, in linear time.
//!
//! A forward automaton finds whether and where a match ends, reading each byte once and building
//! its states when they are first met. A reversed one, built only when somebody asks for a span,
//! finds the start from there. Groups come from a captures engine that looks at the span alone,
//! but in its place: `\b` and `$` see the bytes around it.
//!
//! When the states of a pattern fill their cache the automaton clears it and goes on: in the worst
//! case it builds a state for every byte, which was measured to cost no more than the PikeVM does,
//! the engine that needs no states. So it never gives up, and the time stays linear.
//!
//! Whether a pattern matches is the same as in PCRE. A span or group differs in one corner: in a
//! repetition of something that can match nothing, such as `(a|b??)+`, PCRE counts the round that
//! reads nothing as the last and leaves; automata drop that round.

pub(super) mod context;
mod lower;
mod tariff;

use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::nfa::thompson::backtrack::BoundedBacktracker;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input, MatchKind};

use regex_syntax::hir::Hir;

use super::PatternError;
use super::scratch::{Caches, Filling};
use super::syntax::{Construct, Parsed, Text};
pub(super) use tariff::Tariff;

/// Largest memory of one automaton, in bytes, as estimated before it is built. A pattern above it
/// is an error at load.
const COMPILED_LIMIT: usize = 4 << 20;
/// Largest memory of the PikeVM's table, which holds the ends of all groups for each state, twice;
/// in bytes, as estimated before it is built. A pattern above it is an error at load.
const SLOTS_LIMIT: usize = 32 << 20;
/// Largest memory of the states of one lazy DFA, in bytes. Smaller ones thrash on the largest
/// patterns of the Core Rule Set.
const CACHE_LIMIT: usize = 1 << 20;
/// Largest memory of the backtracker's marks, in bytes. Spans that need more go to the PikeVM.
const BACKTRACK_LIMIT: usize = 64 << 10;
/// A byte takes the PikeVM so many times as long as the backtracker.
const PIKEVM_WORK: usize = 8;

/// The automata of a pattern, each built on first use from the pattern's text: what is never
/// searched for costs its text alone, and what only ever answers yes or no one automaton.
#[derive(Debug)]
pub(super) struct Linear {
    groups: usize,
    /// `\K` or `\Z` stands in it, so that spans are read from hidden groups.
    moves_ends: bool,
    /// What a search costs.
    pub(super) tariff: Tariff,
    /// Memory of one automaton, in bytes, as estimated.
    pub(super) compiled_size: usize,
    forward: OnceLock<Option<DFA>>,
    backward: OnceLock<Option<DFA>>,
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

/// A lazy DFA stopped short of an answer. As configured, without bytes to quit at and without limit
/// on clearing its cache, it never does; if it did, the PikeVM would answer.
struct GaveUp;

impl Linear {
    /// Accepts a pattern that this engine carries out exactly.
    ///
    /// # Errors
    /// It needs backtracking, or its automaton would be too large.
    pub(super) fn new(parsed: &Parsed) -> Result<Self, Refusal> {
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
            tariff: Tariff::of(&parsed.root),
            compiled_size,
            forward: OnceLock::new(),
            backward: OnceLock::new(),
            capturing: OnceLock::new(),
        })
    }

    /// Whether there is a match.
    pub(super) fn is_match(&self, text: &Text, hay: &[u8], caches: &mut Caches) -> bool {
        let input = Input::new(hay).earliest(true);
        match self.end(text, &input, caches) {
            Ok(end) => end.is_some(),
            Err(GaveUp) => self.simulate(text, &input, caches).is_some(),
        }
    }

    /// The leftmost match from `start` on.
    pub(super) fn find(
        &self,
        text: &Text,
        hay: &[u8],
        start: usize,
        caches: &mut Caches,
    ) -> Option<Range<usize>> {
        let input = Input::new(hay).span(start..hay.len());
        if self.moves_ends {
            let mut groups = Vec::new();
            self.groups(text, &input, caches, &mut groups);
            return groups.into_iter().next().flatten();
        }
        self.span(text, &input, caches)
    }

    /// The groups of the leftmost match; none, if there is no match.
    pub(super) fn groups(
        &self,
        text: &Text,
        input: &Input<'_>,
        caches: &mut Caches,
        groups: &mut Vec<Option<Range<usize>>>,
    ) {
        groups.clear();
        let Some(span) = self.span(text, input, caches) else {
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
        let input = input.clone().span(span).anchored(Anchored::Yes);
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

    /// Where the leftmost match ends.
    fn end(
        &self,
        text: &Text,
        input: &Input<'_>,
        caches: &mut Caches,
    ) -> Result<Option<usize>, GaveUp> {
        let Some(dfa) = self.forward(text) else {
            return Ok(None);
        };
        let cache = caches.forward.get_or_insert_with(|| dfa.create_cache());
        let before = cache.search_total_len();
        let found = dfa.try_search_fwd(cache, input);
        let scanned = cache.search_total_len().saturating_sub(before);
        caches.scanned = caches.scanned.saturating_add(scanned);
        match found {
            Ok(end) => Ok(end.map(|end| end.offset())),
            Err(_) => Err(GaveUp),
        }
    }

    fn span(&self, text: &Text, input: &Input<'_>, caches: &mut Caches) -> Option<Range<usize>> {
        let Ok(end) = self.end(text, input, caches) else {
            return self.simulate(text, input, caches);
        };
        let end = end?;
        let anchored = self
            .forward(text)
            .is_some_and(|dfa| dfa.get_nfa().is_always_start_anchored());
        if anchored {
            return Some(input.start()..end);
        }
        let dfa = self.backward(text)?;
        let cache = caches.backward.get_or_insert_with(|| dfa.create_cache());
        let backward = input
            .clone()
            .span(input.start()..end)
            .anchored(Anchored::Yes);
        let before = cache.search_total_len();
        let found = dfa.try_search_rev(cache, &backward);
        let scanned = cache.search_total_len().saturating_sub(before);
        caches.scanned = caches.scanned.saturating_add(scanned);
        match found {
            Ok(Some(start)) => Some(start.offset()..end),
            Ok(None) | Err(_) => self.simulate(text, input, caches),
        }
    }

    /// The leftmost match by the PikeVM.
    fn simulate(
        &self,
        text: &Text,
        input: &Input<'_>,
        caches: &mut Caches,
    ) -> Option<Range<usize>> {
        let vm = &self.capturing(text)?.pikevm;
        let mut filling = caches.filling.take().unwrap_or_default();
        let cache = filling.pikevm.get_or_insert_with(|| vm.create_cache());
        cache.reset(vm);
        let mut slots = [None; 2];
        let found = vm.search_slots(cache, input, &mut slots);
        let spanned = input.get_span().len().saturating_mul(PIKEVM_WORK);
        caches.spanned = caches.spanned.saturating_add(spanned);
        caches.filling = Some(filling);
        found.and_then(|_| range(&slots))
    }

    fn forward(&self, text: &Text) -> Option<&DFA> {
        let build = || {
            let lowered = lower::lower(&text.parse().ok()?.root, self.groups);
            lazy_dfa(
                nfa(&lowered.hir, false, WhichCaptures::None)?,
                MatchKind::LeftmostFirst,
            )
        };
        self.forward.get_or_init(build).as_ref()
    }

    fn backward(&self, text: &Text) -> Option<&DFA> {
        let build = || {
            let lowered = lower::lower(&text.parse().ok()?.root, self.groups);
            lazy_dfa(
                nfa(&lowered.hir, true, WhichCaptures::None)?,
                MatchKind::All,
            )
        };
        self.backward.get_or_init(build).as_ref()
    }

    fn capturing(&self, text: &Text) -> Option<&Capturing> {
        let build = || {
            let lowered = lower::lower(&text.parse().ok()?.root, self.groups);
            let nfa = nfa(&lowered.hir, false, WhichCaptures::All)?;
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

fn range(pair: &[Option<NonMaxUsize>]) -> Option<Range<usize>> {
    match pair {
        [Some(start), Some(end)] => Some(start.get()..end.get()),
        _ => None,
    }
}

/// `None` does not occur after the check of the size: nothing else makes compiling fail.
fn nfa(hir: &Hir, reverse: bool, captures: WhichCaptures) -> Option<NFA> {
    thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .utf8(false)
                .reverse(reverse)
                .which_captures(captures)
                .nfa_size_limit(None),
        )
        .build_from_hir(hir)
        .ok()
}

fn lazy_dfa(nfa: NFA, kind: MatchKind) -> Option<DFA> {
    DFA::builder()
        .configure(
            dfa::Config::new()
                .match_kind(kind)
                .cache_capacity(CACHE_LIMIT)
                .skip_cache_capacity_check(true),
        )
        .build_from_nfa(nfa)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::super::syntax::Dialect;
    use super::*;

    #[test]
    fn both_engines_answer_alike() {
        for source in ["a|ab", "(?i)b+?", "^a?", "x*$", r"\bfoo", "", "[^a]b|c{2}"] {
            let text = Text {
                source: source.as_bytes().into(),
                dialect: Dialect::default(),
            };
            let linear = Linear::new(&text.parse().unwrap()).unwrap();
            let mut caches = Caches::default();
            for hay in ["", "a", "ab", "xbBb", "xx", "a foo", "zbcc"] {
                for start in 0..=hay.len() {
                    let input = Input::new(hay).span(start..hay.len());
                    let span = linear.span(&text, &input, &mut caches);
                    let simulated = linear.simulate(&text, &input, &mut caches);
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
            Linear::new(&text.parse().unwrap()).is_ok()
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
