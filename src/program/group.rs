//! Rules that look at the same values.
//!
//! Most rules of a set share their targets, and many their transformations too. What one of them
//! finds serves the others: the values of a list of targets are looked for once in a phase, and the
//! candidates of all its transformed values together tell which rules of a group no value can
//! match.

use std::collections::HashMap;

use super::{ChainId, Rule, RuleIndex, Target};
use crate::action::Phase;

/// Targets and exclusions that several rules may have, by their place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ListId(u32);

/// Rules of one phase with the same targets and transformations, by their place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GroupId(u32);

/// What the rules of a group have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Group {
    /// The phase, on which the bits of the prefilter depend.
    pub phase: Phase,
    /// The targets.
    pub list: ListId,
    /// The transformations.
    pub transformations: ChainId,
}

/// All lists and groups of a program.
#[derive(Debug, Default)]
pub struct Groups {
    /// A rule that has the list.
    lists: Vec<RuleIndex>,
    groups: Vec<Group>,
}

impl ListId {
    /// As an index.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl GroupId {
    /// As an index.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Groups {
    /// Finds what the rules have in common and tells them; `phases` are theirs.
    pub fn of(rules: &mut [Rule], phases: impl Iterator<Item = Phase>) -> Self {
        let mut groups = Self::default();
        let mut lists = HashMap::<(Box<[Target]>, Box<[Target]>), ListId>::new();
        let mut known = HashMap::<Group, GroupId>::new();
        for ((at, rule), phase) in (0u32..).zip(rules.iter_mut()).zip(phases) {
            let settled = |target: &Target| target.variable.is_settled();
            if rule.targets.is_empty() || !rule.targets.iter().all(settled) {
                continue;
            }
            let key = (rule.targets.clone(), rule.exclusions.clone());
            let list = *lists.entry(key).or_insert_with(|| {
                let list = ListId(number(groups.lists.len()));
                groups.lists.push(RuleIndex(at));
                list
            });
            rule.list = Some(list);
            let test = rule.test.as_ref();
            if rule.multi_match || !test.is_some_and(|test| test.slot.is_some() && !test.negated) {
                continue;
            }
            let group = Group {
                phase,
                list,
                transformations: rule.transformations,
            };
            rule.group = Some(*known.entry(group).or_insert_with(|| {
                let id = GroupId(number(groups.groups.len()));
                groups.groups.push(group);
                id
            }));
        }
        groups
    }

    /// A rule that has the targets of a list.
    pub fn list(&self, list: ListId) -> Option<RuleIndex> {
        self.lists.get(list.index()).copied()
    }

    /// What the rules of a group have in common.
    pub fn group(&self, group: GroupId) -> Option<Group> {
        self.groups.get(group.index()).copied()
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
