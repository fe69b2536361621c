//! Rules whose outcome is known when they are loaded.
//!
//! A rule set begins with rules that set variables of TX, and goes on with rules that ask about
//! them: defaults, switches, paranoia levels. What such a rule comes to is the same for every
//! transaction. A run of them is carried out at once, by what it leaves in TX and where evaluation
//! goes on; rules that no transaction comes to are not looked for in values either.
//!
//! All of it holds as long as a transaction takes its ordinary course: phase 1 has run, no work was
//! spent before its time, and no `ctl` removed a rule whose outcome is known ([`Rule::is_known`]).
//! Otherwise the engine evaluates every rule, in its place, from then on.
//!
//! [`Rule::is_known`]: super::Rule::is_known

use crate::variable::KeySlot;

/// A run of rules whose outcome is known, at the first of them.
#[derive(Clone, Copy, Debug)]
pub struct Fold {
    /// Where what it leaves in TX begins among the assignments.
    pub first: u32,
    /// How many assignments these are.
    pub count: u32,
    /// The entry of the phase at which evaluation goes on.
    pub next: u32,
    /// Bytes of the long values that it sets ([`crate::limits::SHORT_VALUE`]).
    pub long_bytes: usize,
}

/// A variable of TX and what becomes of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// The variable.
    pub variable: KeySlot,
    /// Its value; none if it has none any more.
    pub value: Option<ConstantId>,
}

/// A value that is known when rules are loaded, by its place in [`Constants`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConstantId(pub u32);

impl ConstantId {
    /// The empty value.
    pub const EMPTY: Self = Self(0);

    /// As an index.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// What all runs of a program set.
#[derive(Debug, Default)]
pub struct Constants {
    values: Box<[Box<[u8]>]>,
    assignments: Box<[Assignment]>,
}

impl Constants {
    /// Distinct values, the empty one first, and assignments of them.
    pub fn new(values: Vec<Box<[u8]>>, assignments: Vec<Assignment>) -> Self {
        Self {
            values: values.into(),
            assignments: assignments.into(),
        }
    }

    /// The values, in the order of their numbers; the empty one is the first.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().map(|value| &**value)
    }

    /// What a run leaves in TX, in the order in which its rules do it.
    pub fn assignments(&self, fold: &Fold) -> &[Assignment] {
        let first = usize::try_from(fold.first).unwrap_or(usize::MAX);
        let count = usize::try_from(fold.count).unwrap_or(usize::MAX);
        self.assignments
            .get(first..first.saturating_add(count))
            .unwrap_or_default()
    }
}
