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
    /// By target: what is asked of its values.
    asked: Vec<Asked>,
    /// Length of the prefilter's bits.
    words: usize,
}

/// What the rules that look at a target ask of its values.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The rules' bits in the prefilter.
    pub slots: Vec<u64>,
    /// A bit for each of their plans.
    pub plans: Vec<u64>,
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
        let bits = plans.bits();
        for asked in &mut plans.asked {
            asked.slots.resize(words, 0);
            asked.plans.resize(bits, 0);
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
                self.asked.resize_with(count, Asked::default);
            }
            if let Some(asked) = self.asked.get_mut(target.index()) {
                asked.slots.resize(self.words, 0);
                asked.plans.resize(bits, 0);
                Candidates::add(&mut asked.slots, slot);
                Candidates::add(&mut asked.plans, u32::try_from(at).unwrap_or(u32::MAX));
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

    /// What is asked of the values of a target; none if nothing is that the prefilter could answer.
    pub fn asked_of(&self, target: SharedTargetId) -> Option<&Asked> {
        self.asked.get(target.index())
    }
}
