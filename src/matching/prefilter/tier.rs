//! The tables for the values of one alphabet.

use std::num::NonZeroU16;

use super::super::PhraseSet;
use super::super::syntax::Node;
use super::super::windows::{self, Finder, Landmark};
use super::Candidates;
use super::literals::{self, Clause};
use super::shape::{Edge, Shape};
use crate::bytes::{ClassSet, Profile, set_bits};

/// Windows above this frequency (2³⁰ is always) occur in nearly every value: waiting for them
/// costs more than it saves.
const USELESS: u64 = 120 << 20;
/// A second clause that occurs more often (2³⁰ is always), or that has more landmarks, says too little
/// for what it costs to wait for it.
const COMMON_CLAUSE: (u64, usize) = (48 << 20, 256);
/// Most clauses of one condition that are waited for.
const CLAUSES_LIMIT: usize = 3;
/// Class sets above this frequency (1024 is always) are met by nearly every value.
const COMMON: u64 = 100;
/// Most class sets of one condition, beyond the classes that are all required.
const NEEDS_LIMIT: usize = 4;

/// One alphabet's tables.
#[derive(Debug)]
pub(super) struct Tier {
    alphabet: ClassSet,
    /// By slot, one each.
    conditions: Box<[Condition]>,
    /// By slot: where its condition stands, if it has one.
    by_slot: Box<[Option<NonZeroU16>]>,
    /// Class sets of the conditions, one list after the other.
    needs: Box<[ClassSet]>,
    /// Conditions that are looked at for every value; nothing else wakes them.
    always: Box<[Condition]>,
    /// Those that the classes of a value wake.
    by_class: ByClass,
    /// Finds the landmarks that wake the others.
    finder: Option<Finder>,
}

/// What a value must be like to match, besides what wakes the condition.
#[derive(Clone, Debug)]
struct Condition {
    slot: u32,
    min_length: usize,
    max_length: usize,
    /// All of these classes occur.
    required: ClassSet,
    /// No other classes occur.
    possible: ClassSet,
    /// Classes of the first byte.
    first: ClassSet,
    /// Classes of the last byte.
    last: ClassSet,
    /// Of each of these sets, a class occurs.
    needs: (u16, u16),
    /// A bit for each clause that has to wake it.
    clauses: u8,
}

/// A clause of a condition: what is said of it wakes the condition.
#[derive(Clone, Copy, Debug)]
struct Waker {
    condition: u32,
    /// Its bit in [`Condition::clauses`].
    clause: u8,
}

impl Waker {
    /// Bits of a clause's number.
    const CLAUSE_BITS: u32 = 2;

    /// As one number; `None`, if that is too large.
    fn number(self) -> Option<u32> {
        let condition = self.condition.checked_mul(1 << Self::CLAUSE_BITS)?;
        Some(condition | self.clause.trailing_zeros())
    }

    fn of(number: u32) -> Self {
        let clause = number & ((1 << Self::CLAUSE_BITS) - 1);
        Self {
            condition: number >> Self::CLAUSE_BITS,
            clause: 1u8.wrapping_shl(clause),
        }
    }
}

impl Tier {
    /// Whether values of these classes are for this tier.
    pub(super) fn takes(&self, classes: ClassSet) -> bool {
        self.alphabet.contains(classes)
    }

    /// Adds the slots whose conditions the value meets.
    pub(super) fn candidates(&self, hay: &[u8], profile: Profile, out: &mut Candidates) {
        let mut reports = self.always.len();
        for condition in &self.always {
            if self.holds(condition, hay, profile.classes) {
                out.insert(condition.slot);
            }
        }
        // A condition is tried when all its clauses were met, and has the same answer wherever that is.
        let wake = |number: u32, out: &mut Candidates| {
            let Waker { condition, clause } = Waker::of(number);
            let at = usize::try_from(condition).unwrap_or(usize::MAX);
            if let Some(condition) = self.conditions.get(at)
                && out.complete(at, clause, condition.clauses)
                && self.holds(condition, hay, profile.classes)
            {
                out.insert(condition.slot);
            }
        };
        self.by_class.wake(profile.classes, |number| {
            reports = reports.saturating_add(1);
            wake(number, out);
        });
        if let Some(finder) = &self.finder {
            let compared = finder.scan(hay, |_, number| {
                wake(number, out);
                None
            });
            reports = reports.saturating_add(compared);
        }
        out.reports = reports;
    }

    /// Whether the condition of a slot can hold for a value that has some of these classes and no
    /// others, as far as classes tell.
    pub(super) fn can_hold(&self, slot: u32, classes: ClassSet) -> bool {
        let place = usize::try_from(slot).ok();
        let number = place.and_then(|place| self.by_slot.get(place).copied().flatten());
        let place = number.map(|number| usize::from(number.get().saturating_sub(1)));
        let condition = place.and_then(|place| self.conditions.get(place));
        condition.is_some_and(|condition| {
            classes.contains(condition.required) && self.meets_needs(condition, classes)
        })
    }

    fn holds(&self, condition: &Condition, hay: &[u8], classes: ClassSet) -> bool {
        let at_edge = |byte: Option<&u8>, set: ClassSet| {
            byte.is_none_or(|&byte| set.intersects(ClassSet::of(&[byte])))
        };
        // From the cheapest question to the dearest.
        classes.contains(condition.required)
            && condition.possible.contains(classes)
            && (condition.min_length..=condition.max_length).contains(&hay.len())
            && at_edge(hay.first(), condition.first)
            && at_edge(hay.last(), condition.last)
            && self.meets_needs(condition, classes)
    }

    fn meets_needs(&self, condition: &Condition, classes: ClassSet) -> bool {
        let (first, count) = condition.needs;
        let needs = self.needs.iter().skip(usize::from(first));
        needs
            .take(usize::from(count))
            .all(|need| need.intersects(classes))
    }

    /// Memory of the tables, in bytes.
    pub(super) fn memory_usage(&self) -> usize {
        size_of_val(&*self.conditions)
            .saturating_add(size_of_val(&*self.by_slot))
            .saturating_add(size_of_val(&*self.needs))
            .saturating_add(size_of_val(&*self.always))
            .saturating_add(self.by_class.memory_usage())
            .saturating_add(self.finder.as_ref().map_or(0, Finder::memory_usage))
    }
}

impl Condition {
    /// Any value.
    fn any(slot: u32) -> Self {
        Self {
            slot,
            min_length: 0,
            max_length: usize::MAX,
            required: ClassSet::EMPTY,
            possible: ClassSet::ALL,
            first: ClassSet::ALL,
            last: ClassSet::ALL,
            needs: (0, 0),
            clauses: 1,
        }
    }
}

/// Conditions that a class alone wakes, by their wakers.
#[derive(Debug)]
struct ByClass {
    /// The classes that wake something in `lists`.
    waking: ClassSet,
    /// By class: where its list ends in `numbers`. It begins where the one before ends.
    ends: Box<[u32]>,
    numbers: Box<[u32]>,
    /// Conditions that any of many classes wakes, and the classes.
    wide: Box<[(ClassSet, u32)]>,
}

impl ByClass {
    /// From the classes of each condition.
    fn new(conditions: Vec<(ClassSet, u32)>) -> Self {
        /// Most classes of a condition that stands in the list of each.
        const NARROW: u32 = 4;
        let (narrow, wide): (Vec<_>, Vec<_>) = conditions
            .into_iter()
            .partition(|(classes, _)| classes.0.count_ones() <= NARROW);
        let mut numbers = Vec::new();
        let ends = (0..64).map(|class| {
            let bit = ClassSet(1u64.wrapping_shl(class));
            let own = narrow.iter().filter(|(classes, _)| classes.intersects(bit));
            numbers.extend(own.map(|(_, number)| *number));
            u32::try_from(numbers.len()).unwrap_or(u32::MAX)
        });
        Self {
            ends: ends.collect(),
            waking: narrow
                .iter()
                .fold(ClassSet::EMPTY, |all, (classes, _)| all.union(*classes)),
            numbers: numbers.into(),
            wide: wide.into(),
        }
    }

    /// Calls with the conditions that some of these classes wake, repeatedly where several do.
    fn wake(&self, classes: ClassSet, mut wake: impl FnMut(u32)) {
        let end = |class: usize| {
            let end = self.ends.get(class).copied().unwrap_or_default();
            usize::try_from(end).unwrap_or(usize::MAX)
        };
        for class in set_bits(classes.0 & self.waking.0).map(usize::from) {
            let start = class.checked_sub(1).map_or(0, end);
            let list = self.numbers.get(start..end(class)).unwrap_or_default();
            list.iter().copied().for_each(&mut wake);
        }
        for (set, number) in &self.wide {
            if set.intersects(classes) {
                wake(*number);
            }
        }
    }

    fn memory_usage(&self) -> usize {
        size_of_val(&*self.ends)
            .saturating_add(size_of_val(&*self.numbers))
            .saturating_add(size_of_val(&*self.wide))
    }
}

/// A tier under construction.
pub(super) struct TierBuilder {
    alphabet: ClassSet,
    conditions: Vec<Condition>,
    needs: Vec<ClassSet>,
    by_class: Vec<(ClassSet, u32)>,
    always: Vec<u32>,
    /// With the wakers' numbers.
    landmarks: Vec<(Landmark, u32)>,
}

impl TierBuilder {
    /// Tables for values with no class outside the alphabet.
    pub(super) fn new(alphabet: ClassSet) -> Self {
        Self {
            alphabet,
            conditions: Vec::new(),
            needs: Vec::new(),
            by_class: Vec::new(),
            always: Vec::new(),
            landmarks: Vec::new(),
        }
    }

    /// Adds a pattern. `None`, if the numbers run out.
    pub(super) fn add_pattern(&mut self, slot: u32, root: &Node) -> Option<()> {
        let Some(shape) = Shape::restrict(root, self.alphabet) else {
            return Some(());
        };
        let mut condition = Condition {
            min_length: shape.min_length(),
            required: shape.required(),
            ..Condition::any(slot)
        };
        let at_start = shape.is_anchored(Edge::Start);
        let at_end = shape.is_anchored(Edge::End);
        if at_start {
            condition.first = shape.outermost(Edge::Start);
        }
        if at_end {
            condition.last = shape.outermost(Edge::End);
        }
        if at_start && at_end {
            condition.max_length = shape.max_length().unwrap_or(usize::MAX);
            condition.possible = shape.possible();
        }
        self.add(condition, literals::clauses(&shape))
    }

    /// Adds a phrase set. `None`, if the numbers run out.
    pub(super) fn add_phrases(&mut self, slot: u32, phrases: &PhraseSet) -> Option<()> {
        let alphabet = self.alphabet;
        let inside = |phrase: &&[u8]| alphabet.contains(ClassSet::of(phrase));
        let shortest = phrases.phrases().filter(inside).map(<[u8]>::len).min();
        let Some(min_length) = shortest else {
            return Some(());
        };
        let clause = literals::phrase_clause(phrases.phrases().filter(inside));
        let condition = Condition {
            min_length,
            ..Condition::any(slot)
        };
        self.add(condition, clause.into_iter().collect())
    }

    /// Adds a slot for values with a class of a set. `None`, if the numbers run out.
    pub(super) fn add_classes(&mut self, slot: u32, classes: ClassSet) -> Option<()> {
        if classes.intersects(self.alphabet) {
            let condition = u32::try_from(self.conditions.len()).ok()?;
            let waker = Waker {
                condition,
                clause: 1,
            };
            self.by_class.push((classes, waker.number()?));
            let need = u16::try_from(self.needs.len()).ok()?;
            self.needs.push(classes);
            self.conditions.push(Condition {
                needs: (need, 1),
                ..Condition::any(slot)
            });
        }
        Some(())
    }

    /// Adds a condition that the rarest clauses wake and the others narrow.
    fn add(&mut self, mut condition: Condition, clauses: Vec<Clause>) -> Option<()> {
        let number = u32::try_from(self.conditions.len()).ok()?;
        condition.needs = self.add_needs(&clauses)?;
        let best = best_clauses(&clauses);
        condition.clauses = 0;
        for (clause, bit) in best.iter().zip([1, 2, 4]) {
            condition.clauses |= bit;
            let waker = Waker {
                condition: number,
                clause: bit,
            };
            self.add_clause(clause, waker.number()?);
        }
        self.conditions.push(condition);
        if best.is_empty() {
            self.always.push(number);
        }
        Some(())
    }

    fn add_clause(&mut self, clause: &Clause, waker: u32) {
        let mut alone = ClassSet::EMPTY;
        for &landmark in &clause.landmarks {
            match landmark.lone_class() {
                Some(class) => alone.0 |= 1u64.wrapping_shl(u32::from(class)),
                None => self.landmarks.push((landmark, waker)),
            }
        }
        if alone != ClassSet::EMPTY {
            self.by_class.push((alone, waker));
        }
    }

    /// The rarest class sets of the clauses.
    fn add_needs(&mut self, clauses: &[Clause]) -> Option<(u16, u16)> {
        let mut sets: Vec<(u64, ClassSet)> = clauses
            .iter()
            .map(|clause| (windows::frequency_of_set(clause.classes), clause.classes))
            .filter(|(frequency, set)| *frequency <= COMMON && set.0.count_ones() > 1)
            .collect();
        sets.sort_unstable_by_key(|(frequency, set)| (*frequency, set.0));
        sets.dedup();
        sets.truncate(NEEDS_LIMIT);
        let first = u16::try_from(self.needs.len()).ok()?;
        self.needs.extend(sets.iter().map(|(_, set)| *set));
        Some((first, u16::try_from(sets.len()).ok()?))
    }

    /// Builds the tables.
    pub(super) fn build(mut self) -> Tier {
        let finder = Finder::new(self.landmarks.clone());
        if finder.is_none() {
            let wakers = self.landmarks.iter();
            self.always
                .extend(wakers.map(|&(_, waker)| Waker::of(waker).condition));
        }
        self.always.sort_unstable();
        self.always.dedup();
        let always = self.always.iter().filter_map(|&number| {
            let condition = self.conditions.get(usize::try_from(number).ok()?)?;
            Some(condition.clone())
        });
        let always = always.collect();
        let mut by_slot = Vec::new();
        for (condition, number) in self.conditions.iter().zip(1u16..) {
            let place = usize::try_from(condition.slot).unwrap_or(usize::MAX);
            by_slot.resize(place, None);
            by_slot.push(NonZeroU16::new(number));
        }
        Tier {
            alphabet: self.alphabet,
            by_slot: by_slot.into(),
            conditions: self.conditions.into(),
            needs: self.needs.into(),
            always,
            by_class: ByClass::new(self.by_class),
            finder,
        }
    }
}

/// The clauses to wait for, of some that begin with the rarest.
fn best_clauses(clauses: &[Clause]) -> Vec<&Clause> {
    let mut best: Vec<&Clause> = Vec::new();
    for clause in clauses
        .iter()
        .take_while(|clause| clause.frequency < USELESS)
    {
        let (frequency, count) = COMMON_CLAUSE;
        let says_little = clause.frequency > frequency || clause.landmarks.len() > count;
        let is_new = best.iter().all(|known| known.landmarks != clause.landmarks);
        if best.is_empty() || is_new && !says_little {
            best.push(clause);
        }
        if best.len() == CLAUSES_LIMIT {
            break;
        }
    }
    best
}
