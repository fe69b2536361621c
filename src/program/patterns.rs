//! The patterns of selectors.

use std::collections::BTreeMap;

use super::{Rule, Target, TargetSelector};
use crate::matching::{Prefilter, PrefilterBuilder, Scratch};
use crate::variable::{KeyPattern, KeySlot, KeyTable, Variable};

/// A selector's pattern by its place in [`KeyPatterns`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PatternId(pub u32);

/// The patterns of all selectors, each distinct one once.
#[derive(Debug)]
pub struct KeyPatterns {
    patterns: Box<[KeyPattern]>,
    /// Tells which of them a name cannot match; a pattern's number is its slot.
    prefilter: Prefilter,
    /// By pattern, for those that select among TX variables: the names of the rules that match.
    tx: BTreeMap<PatternId, Box<[KeySlot]>>,
}

impl KeyPatterns {
    /// Those that some rules use.
    pub fn new(patterns: Vec<KeyPattern>, rules: &[Rule], keys: &KeyTable) -> Self {
        let mut builder = PrefilterBuilder::new();
        for pattern in &patterns {
            pattern.add_to(&mut builder);
        }
        let mut all = Self {
            patterns: patterns.into(),
            prefilter: builder.build(),
            tx: BTreeMap::new(),
        };
        let mut scratch = Scratch::new();
        let targets = rules.iter().flat_map(|rule| &rule.targets);
        for target in targets {
            if let Target {
                variable: Variable::Tx,
                selector: TargetSelector::Pattern(id),
                ..
            } = target
                && let Some(pattern) = all.get(*id)
                && !all.tx.contains_key(id)
            {
                let slots = keys.slots();
                let matching =
                    slots.filter(|slot| pattern.is_match(keys.name(*slot), &mut scratch));
                let matching = matching.collect();
                all.tx.insert(*id, matching);
            }
        }
        all
    }

    /// One of them.
    pub fn get(&self, id: PatternId) -> Option<&KeyPattern> {
        self.patterns.get(usize::try_from(id.0).ok()?)
    }

    /// Tells which patterns a name cannot match.
    pub const fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    /// The TX names of rules that a pattern matches, if targets select among them with it.
    pub fn tx(&self, id: PatternId) -> Option<&[KeySlot]> {
        self.tx.get(&id).map(|slots| &**slots)
    }
}
