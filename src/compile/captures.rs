//! Which rules store what their groups captured.

use super::draft::{Draft, Item};
use crate::program::{Target, TargetSelector};
use crate::template::{Macro, Template};
use crate::variable::{CAPTURE_SLOTS, KeySlot, Variable};
use std::collections::BTreeSet;

/// Which capturing rules must store more than TX.0: those whose groups some rule reads.
///
/// A read of TX.1 to TX.9 behind a capturing rule in the same chain means that rule; any other
/// read means all.
#[derive(Default)]
pub(super) struct GroupReaders {
    all: bool,
    rules: BTreeSet<(usize, usize)>,
}

impl GroupReaders {
    /// Those of a rule set.
    pub(super) fn of(items: &[Item]) -> Self {
        let mut readers = Self::default();
        let chains = items.iter().filter_map(|item| match item {
            Item::Rules(drafts) => Some(drafts),
            Item::Marker(_) => None,
        });
        for (item, drafts) in chains.enumerate() {
            readers.read_by(item, drafts);
        }
        readers
    }

    /// Whether a rule must store its groups: by the number of its chain and its own in it.
    pub(super) fn needs(&self, item: usize, link: usize) -> bool {
        self.all || self.rules.contains(&(item, link))
    }

    /// Adds what the rules of a chain read.
    fn read_by(&mut self, item: usize, drafts: &[Draft]) {
        let mut capturing = Vec::new();
        for (link, draft) in drafts.iter().enumerate() {
            let mut targets = draft.targets.iter().chain(&draft.exclusions);
            let argument = draft.test.as_ref().map(|test| &test.argument);
            if targets.any(reads_group_target) || argument.is_some_and(reads_group) {
                self.read(item, &capturing);
            }
            if draft.actions.capture {
                capturing.push(link);
            }
            let mut effects = draft.actions.effects.iter();
            if effects.any(|(action, _)| action.templates().into_iter().any(reads_group)) {
                self.read(item, &capturing);
            }
        }
        let mut texts = drafts.iter().flat_map(|draft| draft.actions.texts());
        if texts.any(reads_group) {
            self.read(item, &capturing);
        }
    }

    /// A read of groups where the chain's capturing rules so far are these.
    fn read(&mut self, item: usize, capturing: &[usize]) {
        match capturing.last() {
            Some(&link) => {
                self.rules.insert((item, link));
            }
            None => self.all = true,
        }
    }
}

fn is_group(slot: KeySlot) -> bool {
    (1..CAPTURE_SLOTS).contains(&slot.0)
}

fn reads_group(template: &Template) -> bool {
    template.macros().any(|what| match what {
        Macro::Tx(slot) => is_group(*slot),
        Macro::Variable(variable) | Macro::Matching(variable, _) => *variable == Variable::Tx,
        Macro::Entry(..) => false,
    })
}

fn reads_group_target(target: &Target) -> bool {
    target.variable == Variable::Tx
        && match &target.selector {
            TargetSelector::Tx(slot) => is_group(*slot),
            // A pattern on TX names is written for names; only a digit would mean a group, and
            // then every capturing rule keeps its groups.
            TargetSelector::All => true,
            _ => false,
        }
}
