//! Runs of rules whose outcome is known, one behind the other.

use std::collections::BTreeMap;

use super::facts::Pool;
use super::outcome::Leaves;
use crate::program::{Assignment, ConstantId, Constants, Fold};

/// A rule that need not be evaluated.
pub(super) struct Run {
    pub leaves: Leaves,
    /// The entry at which evaluation goes on.
    pub next: usize,
}

/// The rules of a phase that need not be evaluated, and where evaluation comes to them.
#[derive(Default)]
pub(super) struct Runs {
    /// By entry.
    rules: Vec<Option<Run>>,
    /// By entry: how evaluation comes to it.
    ways: Vec<Way>,
    /// Of all phases so far.
    assignments: Vec<Assignment>,
}

/// How evaluation comes to an entry.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Way {
    #[default]
    None,
    /// From one rule that is not evaluated.
    Through,
    /// From one that is, or from several: a run begins here, so that no rule is in two.
    Enters,
}

impl Runs {
    /// Begins with a phase.
    pub(super) fn begin(&mut self, entries: usize) {
        self.rules.clear();
        self.rules.resize_with(entries, || None);
        self.ways = vec![Way::None; entries];
    }

    /// Evaluation comes to an entry from a rule that is evaluated, or begins there.
    pub(super) fn enter(&mut self, entry: usize) {
        if let Some(way) = self.ways.get_mut(entry) {
            *way = Way::Enters;
        }
    }

    /// An entry need not be evaluated.
    pub(super) fn add(&mut self, entry: usize, run: Run) {
        if let Some(way) = self.ways.get_mut(run.next) {
            *way = match way {
                Way::None => Way::Through,
                Way::Through | Way::Enters => Way::Enters,
            };
        }
        if let Some(rule) = self.rules.get_mut(entry) {
            *rule = Some(run);
        }
    }

    /// By entry, the run that begins there.
    pub(super) fn folds(&mut self) -> Vec<Option<Fold>> {
        (0..self.rules.len())
            .map(|entry| self.fold(entry))
            .collect()
    }

    fn fold(&mut self, entry: usize) -> Option<Fold> {
        if self.ways.get(entry) != Some(&Way::Enters) {
            return None;
        }
        let first = self.assignments.len();
        let mut long_bytes = 0usize;
        let mut at = entry;
        // A run leads forward.
        while let Some(run) = self.rules.get_mut(at).and_then(Option::take) {
            self.assignments.extend(run.leaves.assignments);
            long_bytes = long_bytes.saturating_add(run.leaves.long_bytes);
            at = run.next;
            if self.ways.get(at) == Some(&Way::Enters) {
                break;
            }
        }
        (at != entry).then_some(())?;
        let count = self.assignments.len().saturating_sub(first);
        Some(Fold {
            first: u32::try_from(first).ok()?,
            count: u32::try_from(count).ok()?,
            next: u32::try_from(at).ok()?,
            long_bytes,
        })
    }

    /// What the runs of all phases set. Only those values are kept.
    pub(super) fn into_constants(self, pool: &Pool) -> Constants {
        let mut numbers = BTreeMap::from([(ConstantId::EMPTY, ConstantId::EMPTY)]);
        let mut values = vec![Box::default()];
        let mut assignments = self.assignments;
        for value in assignments.iter_mut().filter_map(|one| one.value.as_mut()) {
            *value = *numbers.entry(*value).or_insert_with(|| {
                values.push(pool.get(*value).into());
                ConstantId(u32::try_from(values.len().saturating_sub(1)).unwrap_or(u32::MAX))
            });
        }
        Constants::new(values, assignments)
    }
}
