//! Which rules of a base overlays may take out or change.

use std::collections::BTreeSet;

use super::super::Compiler;
use super::super::draft::{Draft, Item};
use super::super::spec::RuleMatcher;
use super::OverlayPolicy;
use crate::action::{Action, Ctl, RuleSpec};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::matching::Scratch;

impl Compiler<'_> {
    /// Refuses removals and updates, also by `ctl`, of rules that the base locks, and removals of
    /// too many others.
    pub(in crate::compile) fn check_locks(&mut self) {
        let items = std::mem::take(&mut self.items);
        let mut removed = BTreeSet::new();
        let mut full = false;
        let mut problems = Vec::new();
        let scratch = &mut Scratch::new();
        for change in self.changes(&items) {
            let locks = Locks::new(change.policy);
            let matcher = RuleMatcher::new(change.rules);
            let meant = items
                .iter()
                .enumerate()
                .filter_map(|(place, item)| match item {
                    Item::Rules(drafts) => Some((place, drafts.first()?)),
                    Item::Marker(_) => None,
                });
            let mut locked = None;
            for (place, starter) in meant {
                if starter.overlay.is_some() || !matcher.matches(starter, scratch) {
                    continue;
                }
                if locks.hold(starter, scratch) {
                    locked.get_or_insert(starter);
                } else if change.removes {
                    removed.insert(place);
                }
            }
            if let Some(starter) = locked {
                let message = match starter.id() {
                    0 => "an overlay may not change this rule: the base locks it".to_owned(),
                    id => format!("an overlay may not change rule {id}: the base locks it"),
                };
                problems.push(
                    Diagnostic::new(Code::LockedRule, change.span, message)
                        .related(starter.span, "this rule is locked")
                        .hint(
                            "name other rules; the base can free this one: `unlocked` in its \
                             `overlay_policy`",
                        ),
                );
            }
            let most = change.policy.most_removed;
            if removed.len() > most && !full {
                full = true;
                let message =
                    format!("with this, overlays take out more than {most} rules of the base");
                problems.push(
                    Diagnostic::new(Code::LockedRule, change.span, message).hint(
                        "leave out targets instead of rules; the base can allow more: \
                         `most_removed` in its `overlay_policy`",
                    ),
                );
            }
        }
        for problem in problems {
            self.report(problem);
        }
        self.items = items;
    }

    /// What overlays change of rules.
    fn changes<'a>(&'a self, items: &'a [Item]) -> Vec<RuleChange<'a>> {
        let by_directive = self.updates.iter().filter_map(|update| {
            let (span, rules, removes) = update.meaning();
            let policy = update.overlay.as_deref()?;
            Some(RuleChange {
                policy,
                span,
                rules,
                removes,
            })
        });
        let drafts = items.iter().flat_map(|item| match item {
            Item::Rules(drafts) => drafts.as_slice(),
            Item::Marker(_) => &[],
        });
        let by_rule = drafts.flat_map(|draft| {
            let policy = draft.overlay.as_deref();
            let effects = draft.actions.effects.iter();
            effects.filter_map(move |(action, span)| {
                let (rules, removes) = match action {
                    Action::Ctl(Ctl::RuleRemove(rules)) => (rules, true),
                    Action::Ctl(Ctl::RuleRemoveTarget(rules, _)) => (rules, false),
                    _ => return None,
                };
                Some(RuleChange {
                    policy: policy?,
                    span: *span,
                    rules,
                    removes,
                })
            })
        });
        by_directive.chain(by_rule).collect()
    }
}

/// A removal or update by an overlay.
struct RuleChange<'a> {
    policy: &'a OverlayPolicy,
    span: Span,
    rules: &'a RuleSpec,
    removes: bool,
}

/// A policy, ready to ask about rules.
struct Locks<'a> {
    locked: Vec<RuleMatcher<'a>>,
    unlocked: Vec<RuleMatcher<'a>>,
}

impl<'a> Locks<'a> {
    fn new(policy: &'a OverlayPolicy) -> Self {
        Self {
            locked: policy.locked.iter().map(RuleMatcher::new).collect(),
            unlocked: policy.unlocked.iter().map(RuleMatcher::new).collect(),
        }
    }

    fn hold(&self, rule: &Draft, scratch: &mut Scratch) -> bool {
        let mut any =
            |specs: &[RuleMatcher<'_>]| specs.iter().any(|spec| spec.matches(rule, scratch));
        let id = rule.id();
        let tunable = OverlayPolicy::TUNABLE
            .iter()
            .any(|(first, last)| (first..=last).contains(&&id));
        any(&self.locked) || !(tunable || any(&self.unlocked))
    }
}
