//! Which of many patterns can match a value at all, from one scan of it.
//!
//! Most values of most requests are plain: a word, a number, an address. The classes of their bytes
//! pick one of four alphabets (words, prose, text, everything), each with its own tables, built from the
//! patterns as restricted to that alphabet. What cannot match there is gone; what is left waits for
//! landmarks of its match (a few bytes, folded to classes), and is then held against what else is
//! known: length, classes that must and may occur, first and last byte. Only survivors are searched
//! for.
//!
//! The answer is sound, for rules with a negated operator too: a clear bit means that the pattern
//! does not match. Every step loses information only in the direction of "can match": conditions
//! such as `\b` count as true, letter case is folded, and a pattern about which nothing is known
//! (`^$`, `.`, what matches the empty value) is always a candidate.

mod literals;
mod shape;
#[cfg(test)]
mod tests;
mod tier;

use super::syntax::Node;
use super::{Pattern, PhraseSet};
use crate::bytes::{ClassSet, Profile, set_bits};
use shape::Shape;
use std::sync::atomic::{AtomicU64, Ordering};
use tier::{Tier, TierBuilder};

/// Names, numbers, host names.
const WORDS: ClassSet = ClassSet::LETTERS
    .union(ClassSet::DIGITS)
    .union(ClassSet::of(b"_.-"));
/// Sentences, dates and paths: without the brackets, ampersands and semicolons that may stand between
/// the letters of a shell command without changing it.
const PROSE: ClassSet = WORDS.union(ClassSet::of(b" /:?=%+,*@!"));
/// Addresses, sentences and browser headers, without what attacks are built from: quotes,
/// brackets, backslash, dollar sign, pipe, controls.
const TEXT: ClassSet = WORDS.union(ClassSet::of(b" /:?&=%+,;()*@!"));

/// How long a match of a pattern can be, in bytes; none without bound.
pub(super) fn longest_match(root: &Node) -> Option<usize> {
    Shape::restrict(root, ClassSet::ALL).map_or(Some(0), |shape| shape.max_length())
}

/// Collects patterns and phrase sets, each in a slot.
#[derive(Debug, Default)]
pub struct PrefilterBuilder {
    entries: Vec<Entry>,
    disabled: bool,
}

/// What stands in a slot.
#[derive(Debug)]
enum Entry {
    Pattern(Pattern),
    Phrases(PhraseSet),
    Classes(ClassSet),
}

impl PrefilterBuilder {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// One whose prefilter answers that everything can match: to show that the answer matters for
    /// speed alone.
    pub fn disabled() -> Self {
        Self {
            disabled: true,
            ..Self::default()
        }
    }

    /// Adds a pattern and returns its slot.
    pub fn add_pattern(&mut self, pattern: &Pattern) -> u32 {
        self.add(Entry::Pattern(pattern.clone()))
    }

    /// Adds a phrase set and returns its slot.
    pub fn add_phrases(&mut self, phrases: &PhraseSet) -> u32 {
        self.add(Entry::Phrases(phrases.clone()))
    }

    /// Adds something that can be said only of values with a byte of some classes, and returns its
    /// slot.
    pub fn add_classes(&mut self, classes: ClassSet) -> u32 {
        self.add(Entry::Classes(classes))
    }

    fn add(&mut self, entry: Entry) -> u32 {
        let slot = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(entry);
        slot
    }

    /// How many words [`Candidates::bits`] will have.
    pub fn words(&self) -> usize {
        self.entries.len().div_ceil(64)
    }

    /// Builds the tables.
    pub fn build(&self) -> Prefilter {
        self.build_for(None)
    }

    /// The same with the slots of some bits alone: the others never match.
    pub fn build_only(&self, slots: &[u64]) -> Prefilter {
        self.build_for(Some(slots))
    }

    fn build_for(&self, slots: Option<&[u64]>) -> Prefilter {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let is_meant = |slot| slots.is_none_or(|slots| Candidates::contained(slots, slot));
        let tiers = if self.disabled {
            None
        } else {
            self.tiers(is_meant)
        };
        Prefilter {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            slots: self.entries.len(),
            tiers,
        }
    }

    /// `None`, if there is more than the tables can number.
    fn tiers(&self, is_meant: impl Fn(u32) -> bool) -> Option<Box<[Tier]>> {
        let mut tiers = [WORDS, PROSE, TEXT, ClassSet::ALL].map(TierBuilder::new);
        let entries = (0u32..).zip(&self.entries);
        for (slot, entry) in entries.filter(|(slot, _)| is_meant(*slot)) {
            match entry {
                Entry::Pattern(pattern) => {
                    // It was read before, so this does not fail.
                    let root = pattern.parse().ok()?.root;
                    tiers
                        .iter_mut()
                        .try_for_each(|tier| tier.add_pattern(slot, &root))?;
                }
                Entry::Phrases(phrases) => {
                    tiers
                        .iter_mut()
                        .try_for_each(|tier| tier.add_phrases(slot, phrases))?;
                }
                Entry::Classes(classes) => {
                    tiers
                        .iter_mut()
                        .try_for_each(|tier| tier.add_classes(slot, *classes))?;
                }
            }
        }
        Some(tiers.into_iter().map(TierBuilder::build).collect())
    }
}

/// The tables: immutable.
#[derive(Debug)]
pub struct Prefilter {
    id: u64,
    slots: usize,
    /// From the smallest alphabet to the largest; none, if everything is a candidate.
    tiers: Option<Box<[Tier]>>,
}

impl Prefilter {
    /// Writes which slots can match the value, given its profile. A slot whose bit is clear cannot.
    pub fn candidates(&self, hay: &[u8], profile: Profile, out: &mut Candidates) {
        match self.tier(profile.classes) {
            Some(tier) => {
                out.clear(self.slots);
                tier.candidates(hay, profile, out);
            }
            None => {
                out.fill(self.slots);
                out.reports = 0;
            }
        }
    }

    /// Whether one of some slots can match some value that has no other classes than these. If not,
    /// nothing made of such bytes needs to be scanned for them.
    pub fn can_match(&self, slots: &[u64], classes: ClassSet) -> bool {
        let Some(tier) = self.tier(classes) else {
            return true;
        };
        slots_of(slots).any(|slot| tier.can_hold(slot, classes))
    }

    fn tier(&self, classes: ClassSet) -> Option<&Tier> {
        let tiers = self.tiers.as_ref()?;
        tiers.iter().find(|tier| tier.takes(classes))
    }

    /// Tells it from all others of this process.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// How many slots there are.
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// How many words [`Candidates::bits`] has.
    pub const fn words(&self) -> usize {
        self.slots.div_ceil(64)
    }

    /// Memory of the tables, in bytes.
    pub fn memory_usage(&self) -> usize {
        self.tiers
            .iter()
            .flatten()
            .map(Tier::memory_usage)
            .fold(0, usize::saturating_add)
    }
}

/// A set of slots, reused from value to value.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    can_match: Vec<u64>,
    /// By condition of a tier, of which there are no more than slots: its clauses that were met.
    met: Vec<u8>,
    /// How often something was woken.
    reports: usize,
}

impl Candidates {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the slot can match.
    pub fn contains(&self, slot: u32) -> bool {
        Self::contained(&self.can_match, slot)
    }

    /// The same of [`Self::bits`] that were kept, or of several laid over each other.
    pub fn contained(bits: &[u64], slot: u32) -> bool {
        let (word, bit) = place(slot);
        bits.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Adds a slot to some bits that are long enough for it.
    pub fn add(bits: &mut [u64], slot: u32) {
        let (word, bit) = place(slot);
        if let Some(word) = bits.get_mut(word) {
            *word |= bit;
        }
    }

    /// How often the scan came upon what a pattern waits for: its work besides the bytes.
    pub const fn reports(&self) -> usize {
        self.reports
    }

    /// One bit for each slot, from the lowest of the first word on.
    pub fn bits(&self) -> &[u64] {
        &self.can_match
    }

    /// The slots that can match, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        slots_of(&self.can_match)
    }

    fn clear(&mut self, slots: usize) {
        self.can_match.clear();
        self.can_match.resize(slots.div_ceil(64), 0);
        self.met.clear();
        self.met.resize(slots, 0);
    }

    fn fill(&mut self, slots: usize) {
        self.can_match.clear();
        self.can_match.resize(slots.div_ceil(64), u64::MAX);
        if let Some(last) = self.can_match.last_mut()
            && let Some(used @ 1..) = slots.checked_rem(64)
        {
            *last = 1u64
                .wrapping_shl(u32::try_from(used).unwrap_or(0))
                .wrapping_sub(1);
        }
    }

    fn insert(&mut self, slot: u32) {
        Self::add(&mut self.can_match, slot);
    }

    /// Notes that a clause of a condition was met. Whether that completes the clauses it needs: once
    /// for each value.
    fn complete(&mut self, condition: usize, clause: u8, needed: u8) -> bool {
        let Some(met) = self.met.get_mut(condition) else {
            return false;
        };
        let before = *met;
        *met |= clause;
        before != needed && *met == needed
    }
}

/// The slots of some bits, ascending.
fn slots_of(bits: &[u64]) -> impl Iterator<Item = u32> + '_ {
    (0u32..)
        .step_by(64)
        .zip(bits)
        .flat_map(|(base, &word)| set_bits(word).map(move |bit| base | u32::from(bit)))
}

fn place(slot: u32) -> (usize, u64) {
    (
        usize::try_from(slot / 64).unwrap_or(usize::MAX),
        1u64.wrapping_shl(slot % 64),
    )
}
