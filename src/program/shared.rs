//! Where rules look: targets that many rules share.
//!
//! Most rules of a set look at the same few collections. The values of a target are looked for once
//! in a phase, and what the prefilter says of all of them together tells which rules no value there
//! can match.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{Rule, Target};

/// A shared target by its place in [`SharedTargets`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SharedTargetId(u32);

impl SharedTargetId {
    /// As an index.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Targets that several rules have together, by their place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ListId(u32);

impl ListId {
    /// As an index.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A target, and what of it is left out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SharedTarget {
    /// Where to look.
    pub target: Target,
    /// The exclusions that concern the target's variable.
    pub exclusions: Box<[Target]>,
}

/// All of a program, each distinct one once.
#[derive(Debug, Default)]
pub struct SharedTargets(Vec<SharedTarget>);

impl SharedTargets {
    /// Finds those of some rules and tells them.
    pub fn of(rules: &mut [Rule]) -> Self {
        let mut all = Vec::new();
        let mut known: HashMap<_, _, FixedState> = HashMap::default();
        let mut lists: HashMap<_, _, FixedState> = HashMap::default();
        for rule in rules {
            let number = |target: &Target| {
                if !target.variable.is_settled() {
                    return None;
                }
                let own = |other: &&Target| other.variable == target.variable;
                let shared = SharedTarget {
                    target: target.clone(),
                    exclusions: rule.exclusions.iter().filter(own).cloned().collect(),
                };
                Some(*known.entry(shared.clone()).or_insert_with(|| {
                    all.push(shared);
                    SharedTargetId(
                        u32::try_from(all.len()).map_or(u32::MAX, |count| count.saturating_sub(1)),
                    )
                }))
            };
            rule.shared = rule.targets.iter().map(number).collect();
            let whole: Option<Vec<SharedTargetId>> = rule.shared.iter().copied().collect();
            rule.list = whole.map(|list| {
                let next = ListId(u32::try_from(lists.len()).unwrap_or(u32::MAX));
                *lists.entry(list).or_insert(next)
            });
        }
        Self(all)
    }

    /// One of them.
    pub fn get(&self, id: SharedTargetId) -> Option<&SharedTarget> {
        self.0.get(id.index())
    }
}
