//! Whether a target means an entry.

use super::state::State;
use super::store::OtherNames;
use super::values::ValueId;
use crate::matching::Scratch;
use crate::program::{Target, TargetSelector};
use crate::variable::Variable;

/// What an entry is called: under which name it is reported, and by which others it is selected.
#[derive(Clone, Copy, Debug)]
pub(super) struct EntryNames {
    pub reported: ValueId,
    pub others: Option<OtherNames>,
}

impl State {
    /// Whether an entry is selected: by the name it is reported under, or by one that v2 or
    /// Coraza give it.
    pub(super) fn selects_any(
        &mut self,
        selector: &TargetSelector,
        names: EntryNames,
        scratch: &mut Scratch,
    ) -> bool {
        self.selects(selector, names.reported, scratch)
            || names.others.is_some_and(|others| {
                let mut others = others.iter();
                others.any(|&name| self.selects(selector, name, scratch))
            })
    }

    /// Whether an entry of this name is selected.
    pub(super) fn selects(
        &mut self,
        selector: &TargetSelector,
        name: ValueId,
        scratch: &mut Scratch,
    ) -> bool {
        match selector {
            TargetSelector::All => true,
            TargetSelector::Key(key) => self.values.is_in_some_case(name, key),
            TargetSelector::Tx(slot) => {
                let key = self.program.keys.name(*slot);
                self.values.is_in_some_case(name, key)
            }
            TargetSelector::Pattern(id) => {
                let found = self.names.matches(
                    &self.program.patterns,
                    *id,
                    name,
                    &self.values,
                    scratch,
                    &self.work,
                );
                if scratch.take_limit_exceeded() {
                    self.pcre_limit_exceeded();
                }
                found
            }
            TargetSelector::Path(_) => false,
        }
    }

    /// Whether the rule, or a `ctl` for it, leaves the whole variable out.
    pub(super) fn excluded_whole(&self, exclusions: &[Target], variable: Variable) -> bool {
        let whole = |target: &Target| {
            target.variable == variable && matches!(target.selector, TargetSelector::All)
        };
        exclusions.iter().any(whole)
            || self
                .removed_targets
                .iter()
                .any(|removal| removal.targets.iter().any(whole))
    }

    /// Whether the rule, or a `ctl` for it, leaves an entry out.
    pub(super) fn excludes(
        &mut self,
        exclusions: &[Target],
        variable: Variable,
        names: EntryNames,
        scratch: &mut Scratch,
    ) -> bool {
        for target in exclusions {
            if target.variable == variable && self.selects_any(&target.selector, names, scratch) {
                return true;
            }
        }
        if self.removed_targets.is_empty() {
            return false;
        }
        let removed = std::mem::take(&mut self.removed_targets);
        let mut targets = removed.iter().flat_map(|removal| &removal.targets);
        let found = targets.any(|target| {
            target.variable == variable && self.selects_any(&target.selector, names, scratch)
        });
        self.removed_targets = removed;
        found
    }
}
