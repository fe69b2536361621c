//! What happens to a value before rules are asked about it.

use super::{ChainId, ChainTable, Rule, SharedTargetId};
use crate::matching::Candidates;
use crate::transform::TransformationSet;

/// Rules of a phase that transform their values alike and that the prefilter can rule out.
#[derive(Debug)]
pub struct Plan {
    /// The transformations.
    pub transformations: ChainId,
    /// The same without their order: a value that none of them can change stays as it is.
    pub members: TransformationSet,
    /// Whether the rules ask after each transformation, not only after the last.
    pub multi_match: bool,
    /// The rules' bits in the prefilter.
    pub slots: Box<[u64]>,
}

/// The plans of a phase.
#[derive(Debug)]
pub struct Plans {
    plans: Vec<Plan>,
    /// By target: a bit for each plan of the rules that look there.
    asked: Vec<Vec<u64>>,
    /// Length of the prefilter's bits.
    words: usize,
}

impl Plans {
    /// The plans of the rules of one phase; `words` is the length of its prefilter's bits.
    pub fn of<'r>(
        rules: impl Iterator<Item = &'r Rule>,
        chains: &ChainTable,
        words: usize,
    ) -> Self {
        let mut plans = Self {
            plans: Vec::new(),
            asked: Vec::new(),
            words,
        };
        for rule in rules {
            if let Some(slot) = rule.decisive_slot() {
                plans.add(rule, slot, chains);
            }
        }
        plans
    }

    fn add(&mut self, rule: &Rule, slot: u32, chains: &ChainTable) {
        let same = |plan: &Plan| {
            plan.transformations == rule.transformations && plan.multi_match == rule.multi_match
        };
        let at = self.plans.iter().position(same).unwrap_or_else(|| {
            self.plans.push(Plan {
                transformations: rule.transformations,
                members: chains.members(rule.transformations),
                multi_match: rule.multi_match,
                slots: vec![0; self.words].into(),
            });
            self.plans.len().saturating_sub(1)
        });
        if let Some(plan) = self.plans.get_mut(at) {
            Candidates::add(&mut plan.slots, slot);
        }
        let bits = self.bits();
        for target in rule.shared.iter().flatten() {
            if self.asked.len() <= target.index() {
                let count = target.index().saturating_add(1);
                self.asked.resize_with(count, Vec::new);
            }
            if let Some(asked) = self.asked.get_mut(target.index()) {
                asked.resize(bits, 0);
                Candidates::add(asked, u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
    }

    /// One of them, by its bit.
    pub fn get(&self, at: usize) -> Option<&Plan> {
        self.plans.get(at)
    }

    /// Words of a set of plans.
    pub fn bits(&self) -> usize {
        self.plans.len().div_ceil(64)
    }

    /// A bit for each plan of the rules that look at a target. Words behind the last bit may be
    /// missing.
    pub fn asked_of(&self, target: SharedTargetId) -> &[u64] {
        self.asked.get(target.index()).map_or(&[], Vec::as_slice)
    }
}
