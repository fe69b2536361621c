//! What happens to a value before rules are asked about it.

use super::{ChainId, ChainTable, Rule, SharedTargetId};
use crate::bytes::ClassSet;
use crate::matching::{Candidates, Prefilter};
use crate::transform::{Transformation, TransformationSet};

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
    /// The transformations, in order.
    pub steps: Box<[Transformation]>,
    /// Whether it decodes text that nothing marks as encoded, as base64 does: what it makes of most
    /// values is garbage, which is scanned for the rules of such plans alone.
    pub decodes: bool,
}

impl Plan {
    /// The classes that what it makes of a value with no other classes than these can have; with
    /// `multi_match`, of each stage.
    fn makes(&self, classes: ClassSet) -> ClassSet {
        let each = self.steps.iter().scan(classes, |classes, step| {
            *classes = step.def().makes.of(*classes);
            Some(*classes)
        });
        if self.multi_match {
            each.fold(ClassSet::EMPTY, ClassSet::union)
        } else {
            each.last().unwrap_or(classes)
        }
    }

    /// Whether it decodes text that nothing marks as encoded: then it makes of most values what no
    /// rule is meant for.
    fn makes_garbage(&self) -> bool {
        let plain = ClassSet::LETTERS;
        let mut makes = self.steps.iter().map(|step| step.def().makes.of(plain));
        makes.any(|made| made == ClassSet::ALL)
    }
}

/// What plans can come to for values of some classes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Prospects {
    /// A bit for each plan that none of its rules can match the result of.
    pub hopeless: Box<[u64]>,
    /// The bits of their rules in the prefilter, without those that ask about the value itself too.
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
            let mut plan = Plan {
                transformations: rule.transformations,
                members: chains.members(rule.transformations),
                multi_match: rule.multi_match,
                slots: vec![0; self.words].into(),
                steps: chains
                    .steps(rule.transformations)
                    .iter()
                    .map(|&(_, step)| step)
                    .collect(),
                decodes: false,
            };
            plan.decodes = plan.makes_garbage();
            self.plans.push(plan);
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

    /// What the plans can come to for values with no other classes than these.
    pub fn prospects(&self, classes: ClassSet, prefilter: &Prefilter) -> Prospects {
        let mut prospects = Prospects {
            hopeless: vec![0; self.bits()].into(),
            slots: vec![0; self.words].into(),
        };
        for (at, plan) in (0u32..).zip(&self.plans) {
            // A plan without transformations makes nothing.
            if plan.steps.is_empty() || prefilter.can_match(&plan.slots, plan.makes(classes)) {
                continue;
            }
            Candidates::add(&mut prospects.hopeless, at);
            if !plan.multi_match {
                let all = prospects.slots.iter_mut().zip(&plan.slots);
                all.for_each(|(word, of_plan)| *word |= of_plan);
            }
        }
        prospects
    }

    /// The bits of the rules behind decoders, in the prefilter.
    pub fn decoded_slots(&self) -> Box<[u64]> {
        let mut slots = vec![0u64; self.words];
        for plan in self.plans.iter().filter(|plan| plan.decodes) {
            let all = slots.iter_mut().zip(&plan.slots);
            all.for_each(|(word, of_plan)| *word |= of_plan);
        }
        slots.into()
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
