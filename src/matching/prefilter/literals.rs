//! What every match must contain, as literals: an AND of ORs.
//!
//! A walk over a shape keeps, for each part, either all the runs of classes it can match (while
//! they are few) or the runs it must start and end with and the clauses found inside. A clause is
//! an OR of landmarks, of which a match contains at least one: the rarest three classes in a row of
//! each run, and what stands around them in the run. Where the value has to begin or to end stands in
//! runs as a class of its own.

use super::super::windows::{self, EDGE, Landmark};
use super::shape::Shape;
use crate::bytes::{ClassSet, set_bits};

/// Most runs that a product of consecutive parts may give.
const PRODUCT_LIMIT: usize = 256;
/// Most runs that branches may give together.
const UNION_LIMIT: usize = 1024;
/// Most classes of a set that is spelled out.
const SET_LIMIT: u32 = 8;
/// Longest run.
const RUN_LIMIT: usize = 11;
/// Most windows of a clause.
const CLAUSE_LIMIT: usize = 2048;

/// A match contains one of the landmarks.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    /// Sorted, without repetition.
    pub(super) landmarks: Vec<Landmark>,
    /// A match contains one of these classes (the rarest of each run).
    pub(super) classes: ClassSet,
    /// How often they occur: 2³⁰ is always.
    pub(super) frequency: u64,
}

/// The clauses that every match satisfies, the best first.
pub(super) fn clauses(shape: &Shape) -> Vec<Clause> {
    let mut clauses = analyze(shape).into_clauses();
    clauses.sort_by_key(|clause| clause.frequency);
    clauses
}

/// A clause of byte strings: phrases restricted to an alphabet. `None`, if one is empty: then
/// everything matches.
pub(super) fn phrase_clause<'p>(phrases: impl Iterator<Item = &'p [u8]>) -> Option<Clause> {
    let mut clause = Clause::never();
    for phrase in phrases {
        let classes: Vec<u8> = phrase
            .iter()
            .map(|&byte| ClassSet::class_of(byte))
            .collect();
        clause.add(&classes)?;
    }
    clause.normalize();
    Some(clause)
}

/// Classes in a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Run {
    length: u8,
    classes: [u8; RUN_LIMIT],
}

impl Run {
    fn of(class: u8) -> Self {
        let mut run = Self {
            length: 1,
            ..Self::default()
        };
        if let Some(first) = run.classes.first_mut() {
            *first = class;
        }
        run
    }

    fn as_slice(&self) -> &[u8] {
        self.classes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    /// One after the other; `None`, if that is too long.
    fn joined(&self, other: &Self) -> Option<Self> {
        let (own, mut more) = (self.as_slice(), other.as_slice());
        // Between the edge and the edge there is nothing.
        if let (Some(&EDGE), Some((&EDGE, behind))) = (own.last(), more.split_first()) {
            more = behind;
        }
        let length = own.len().checked_add(more.len())?;
        let mut joined = *self;
        joined
            .classes
            .get_mut(own.len()..length)?
            .copy_from_slice(more);
        joined.length = u8::try_from(length).ok()?;
        Some(joined)
    }
}

/// What is known of a part.
enum Known {
    /// All it matches.
    Exactly(Vec<Run>),
    /// How a match starts, how it ends (an empty run: anyhow), and what it contains.
    Partly {
        start: Vec<Run>,
        end: Vec<Run>,
        clauses: Vec<Clause>,
    },
}

impl Known {
    fn nothing() -> Self {
        Self::Partly {
            start: vec![Run::default()],
            end: vec![Run::default()],
            clauses: Vec::new(),
        }
    }

    fn into_clauses(self) -> Vec<Clause> {
        match self {
            Self::Exactly(runs) => Clause::of(&runs).into_iter().collect(),
            Self::Partly { clauses, .. } => clauses,
        }
    }

    fn edges(&self) -> (&[Run], &[Run]) {
        match self {
            Self::Exactly(runs) => (runs, runs),
            Self::Partly { start, end, .. } => (start, end),
        }
    }
}

fn analyze(shape: &Shape) -> Known {
    match shape {
        Shape::Empty => Known::Exactly(vec![Run::default()]),
        Shape::Start | Shape::End => Known::Exactly(vec![Run::of(EDGE)]),
        Shape::Set(classes) if classes.0.count_ones() <= SET_LIMIT => {
            Known::Exactly(set_bits(classes.0).map(Run::of).collect())
        }
        Shape::Set(classes) => match Known::nothing() {
            Known::Partly { start, end, .. } => Known::Partly {
                start,
                end,
                clauses: vec![Clause::of_set(*classes)],
            },
            exact => exact,
        },
        Shape::Concat(parts) => {
            let mut sequence = Sequence::new();
            for part in parts {
                sequence.push(analyze(part));
            }
            sequence.finish()
        }
        Shape::Alternation(branches) => alternation(branches.iter().map(analyze).collect()),
        Shape::Repeat {
            shape,
            min: 0,
            max: Some(1),
        } => match analyze(shape) {
            Known::Exactly(mut runs) if runs.len() < UNION_LIMIT => {
                runs.push(Run::default());
                Known::Exactly(unique(runs))
            }
            _ => Known::nothing(),
        },
        Shape::Repeat { min: 0, .. } => Known::nothing(),
        Shape::Repeat { shape, min, max } => repetition(shape, *min, *max),
    }
}

/// At least one time.
fn repetition(shape: &Shape, min: u32, max: Option<u32>) -> Known {
    /// Copies that are written out.
    const COPIES: u32 = 4;
    let mut sequence = Sequence::new();
    for _ in 0..min.min(COPIES) {
        sequence.push(analyze(shape));
    }
    if max == Some(min) && min <= COPIES {
        return sequence.finish();
    }
    // More may come between the first copies and the last, which is one of them.
    match sequence.finish() {
        Known::Exactly(runs) => {
            let clauses = Clause::of(&runs).into_iter().collect();
            Known::Partly {
                start: runs.clone(),
                end: runs,
                clauses,
            }
        }
        partly @ Known::Partly { .. } => partly,
    }
}

fn alternation(branches: Vec<Known>) -> Known {
    let total = branches
        .iter()
        .map(|branch| match branch {
            Known::Exactly(runs) => runs.len(),
            Known::Partly { .. } => UNION_LIMIT,
        })
        .fold(0, usize::saturating_add);
    if total < UNION_LIMIT {
        let runs = branches
            .iter()
            .flat_map(|branch| branch.edges().0)
            .copied()
            .collect();
        return Known::Exactly(unique(runs));
    }
    let edge = |side: fn(&Known) -> &[Run]| {
        let runs = unique(branches.iter().flat_map(side).copied().collect());
        if runs.len() > PRODUCT_LIMIT {
            vec![Run::default()]
        } else {
            runs
        }
    };
    let (start, end) = (
        edge(|branch| branch.edges().0),
        edge(|branch| branch.edges().1),
    );
    let branches: Vec<Vec<Clause>> = branches.into_iter().map(Known::into_clauses).collect();
    let any_of = |rarity: fn(&Clause) -> u64| {
        let each = branches.iter();
        Clause::any_of(each.map(|clauses| clauses.iter().min_by_key(|clause| rarity(clause))))
    };
    let by_landmarks = any_of(|clause| clause.frequency);
    let by_classes = any_of(|clause| windows::frequency_of_set(clause.classes));
    let clauses = by_landmarks.into_iter().chain(by_classes).collect();
    Known::Partly {
        start,
        end,
        clauses,
    }
}

/// Parts in a row, while they are read.
struct Sequence {
    /// The runs that end where the next part begins.
    open: Vec<Run>,
    /// The runs at the start, once they are complete.
    start: Option<Vec<Run>>,
    clauses: Vec<Clause>,
}

impl Sequence {
    fn new() -> Self {
        Self {
            open: vec![Run::default()],
            start: None,
            clauses: Vec::new(),
        }
    }

    fn push(&mut self, part: Known) {
        match part {
            Known::Exactly(runs) => match product(&self.open, &runs) {
                Some(joined) => self.open = joined,
                None => self.flush(runs),
            },
            Known::Partly {
                start,
                end,
                clauses,
            } => {
                self.clauses.extend(clauses);
                if let Some(joined) = product(&self.open, &start) {
                    self.open = joined;
                }
                self.flush(end);
            }
        }
    }

    /// Takes the open runs as complete and opens others.
    fn flush(&mut self, open: Vec<Run>) {
        let complete = std::mem::replace(&mut self.open, open);
        self.clauses.extend(Clause::of(&complete));
        self.start.get_or_insert(complete);
    }

    fn finish(mut self) -> Known {
        let Some(start) = self.start else {
            return Known::Exactly(self.open);
        };
        self.clauses.extend(Clause::of(&self.open));
        Known::Partly {
            start,
            end: self.open,
            clauses: self.clauses,
        }
    }
}

/// Each of the runs with each of the others after it; `None`, if they are too many or too long.
fn product(runs: &[Run], others: &[Run]) -> Option<Vec<Run>> {
    let count = runs.len().checked_mul(others.len())?;
    // A product with a single run does not grow.
    if count > PRODUCT_LIMIT && runs.len() > 1 && others.len() > 1 {
        return None;
    }
    let joined: Option<Vec<Run>> = runs
        .iter()
        .flat_map(|run| others.iter().map(|other| run.joined(other)))
        .collect();
    joined.map(unique)
}

fn unique(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_unstable();
    runs.dedup();
    runs
}

impl Clause {
    /// The OR of nothing.
    fn never() -> Self {
        Self {
            landmarks: Vec::new(),
            classes: ClassSet::EMPTY,
            frequency: 0,
        }
    }

    /// One of these runs; `None`, if one is empty or nothing but an edge.
    fn of(runs: &[Run]) -> Option<Self> {
        let mut clause = Self::never();
        for run in runs {
            clause.add(run.as_slice())?;
        }
        clause.normalize();
        Some(clause)
    }

    /// A byte of these classes.
    fn of_set(classes: ClassSet) -> Self {
        let mut clause = Self {
            landmarks: set_bits(classes.0).map(Landmark::class).collect(),
            classes,
            frequency: 0,
        };
        clause.normalize();
        clause
    }

    fn add(&mut self, run: &[u8]) -> Option<()> {
        self.landmarks.push(Landmark::of(run)?.0);
        let rarest = windows::rarest_class(run)?;
        self.classes.0 |= 1u64.wrapping_shl(u32::from(rarest));
        Some(())
    }

    /// One of some; `None`, if there is none of one, or if that is too much.
    fn any_of<'c>(clauses: impl Iterator<Item = Option<&'c Self>>) -> Option<Self> {
        let mut any = Self::never();
        for clause in clauses {
            let clause = clause?;
            any.landmarks.extend(&clause.landmarks);
            any.classes = any.classes.union(clause.classes);
        }
        any.normalize();
        (any.landmarks.len() <= CLAUSE_LIMIT).then_some(any)
    }

    fn normalize(&mut self) {
        self.landmarks.sort_unstable();
        self.landmarks.dedup();
        self.frequency = self
            .landmarks
            .iter()
            .map(|landmark| landmark.frequency())
            .fold(0, u64::saturating_add);
    }
}
