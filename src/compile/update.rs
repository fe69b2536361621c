//! Removals and updates of rules: SecRuleRemoveBy…, SecRuleUpdateTargetBy…,
//! SecRuleUpdateActionById.
//!
//! They hold wherever they stand, as in v3: v2 and Coraza only know the rules above them, so
//! whatever works there works here. A note tells where one stands above its rule.

use std::sync::Arc;

use super::Compiler;
use super::actions::{ActionSet, Place};
use super::draft::Item;
use super::overlay::OverlayPolicy;
use super::spec::RuleMatcher;
use super::target::TargetList;
use crate::action::RuleSpec;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::matching::Scratch;
use crate::program::Target;
use crate::seclang::ast;

/// One directive that changes rules.
#[derive(Debug)]
pub(super) struct Update {
    span: Span,
    rules: RuleSpec,
    change: RuleChange,
    /// How many rules and markers stand above it.
    pub(super) above: usize,
    /// What it may change, if it stands in an overlay.
    pub(super) overlay: Option<Arc<OverlayPolicy>>,
}

#[derive(Debug)]
enum RuleChange {
    Remove,
    /// More targets and exclusions; with a list, instead of these targets.
    Targets(TargetList, Option<Vec<Target>>),
    /// Actions, for the link of this number (0: the starter).
    Actions(usize, Box<ActionSet>),
}

/// How a directive names rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    Id,
    Tag,
    Msg,
}

impl Compiler<'_> {
    /// `SecRuleRemoveBy…`.
    pub(super) fn rule_remove(&mut self, directive: &ast::Directive, by: By) {
        match by {
            By::Id => {
                let text: Vec<u8> = directive
                    .arguments
                    .iter()
                    .map(|word| word.text.as_slice())
                    .collect::<Vec<_>>()
                    .join(&b' ');
                let word = directive.arguments.first().unwrap_or(&directive.name);
                if let Some(rules) = self.rule_spec(&text, word.span, By::Id) {
                    self.add_update(directive.span, rules, RuleChange::Remove);
                }
            }
            By::Tag | By::Msg => {
                let Some(word) = directive.arguments.first() else {
                    return;
                };
                if let Some(rules) = self.rule_spec(&word.text, word.span, by) {
                    self.add_update(directive.span, rules, RuleChange::Remove);
                }
            }
        }
    }

    /// `SecRuleUpdateTargetBy… RULES "TARGETS" [REPLACED]`.
    pub(super) fn rule_update_target(&mut self, directive: &ast::Directive, by: By) {
        let [rules, targets, rest @ ..] = directive.arguments.as_slice() else {
            return;
        };
        let Some(spec) = self.rule_spec(&rules.text, rules.span, by) else {
            return;
        };
        let list = self.target_list(targets, &[]);
        let replaced = rest.first().map(|word| self.target_list(word, &[]).targets);
        self.add_update(directive.span, spec, RuleChange::Targets(list, replaced));
    }

    /// `SecRuleUpdateActionById ID[:LINK] "ACTIONS"`.
    pub(super) fn rule_update_action(&mut self, directive: &ast::Directive) {
        let [rules, actions, ..] = directive.arguments.as_slice() else {
            return;
        };
        let text = rules.text.as_slice();
        let colon = text.iter().position(|&byte| byte == b':');
        let (ids, link) = match colon {
            Some(at) => {
                let (ids, link) = text.split_at_checked(at).unwrap_or_default();
                (ids, link.get(1..).unwrap_or_default())
            }
            None => (text, b"0".as_slice()),
        };
        let Some(link) = std::str::from_utf8(link)
            .ok()
            .and_then(|link| link.parse().ok())
        else {
            let message = "the place in the chain is not a number";
            self.report(Diagnostic::new(Code::DirectiveValue, rules.span, message));
            return;
        };
        let Some(spec) = self.rule_spec(ids, rules.span, By::Id) else {
            return;
        };
        let set = self.action_set(actions, Place::Update);
        self.add_update(
            directive.span,
            spec,
            RuleChange::Actions(link, Box::new(set)),
        );
    }

    fn rule_spec(&mut self, text: &[u8], span: Span, by: By) -> Option<RuleSpec> {
        match by {
            By::Tag => Some(RuleSpec::Tag(text.into())),
            By::Msg => Some(RuleSpec::Msg(text.into())),
            By::Id => match RuleSpec::ids(text) {
                Ok(spec) => Some(spec),
                Err(error) => {
                    let mut diagnostic = Diagnostic::new(Code::DirectiveValue, span, error.message);
                    diagnostic.hint = error.hint;
                    self.report(diagnostic);
                    None
                }
            },
        }
    }

    fn add_update(&mut self, span: Span, rules: RuleSpec, change: RuleChange) {
        // A chain that waits for its next rule is known to v2 by its first one.
        let above = self
            .items
            .len()
            .saturating_add(usize::from(self.open.is_some()));
        self.updates.push(Update {
            span,
            rules,
            change,
            above,
            overlay: self.overlay.as_ref().map(|one| Arc::clone(one.policy())),
        });
    }

    /// Applies all of them, in the order written.
    pub(super) fn apply_updates(&mut self) {
        // Each with its place, which removals must not change.
        let mut items: Vec<(usize, Item)> = std::mem::take(&mut self.items)
            .into_iter()
            .enumerate()
            .collect();
        for update in std::mem::take(&mut self.updates) {
            let outcome = update.apply(&mut items);
            self.report_update(&update, &outcome);
        }
        self.items = items.into_iter().map(|(_, item)| item).collect();
    }

    fn report_update(&mut self, update: &Update, outcome: &Outcome) {
        if outcome.rules == 0 {
            let message = "no rule is changed by this directive: none matches";
            self.report(Diagnostic::new(Code::UnusedUpdate, update.span, message));
        }
        if let RuleChange::Actions(link, _) = &update.change
            && let Some((id, span)) = outcome.too_short
        {
            let message = format!("the chain of rule {id} has no link {link}");
            self.report(
                Diagnostic::new(Code::UnusedUpdate, update.span, message)
                    .related(span, "the chain begins here")
                    .hint("the first rule of a chain is 0, the next one 1"),
            );
        }
        if let Some((id, span)) = outcome.below {
            let message =
                format!("rule {id} stands below: v2 and Coraza would not change it from here");
            self.report(
                Diagnostic::new(Code::UpdateBeforeRule, update.span, message)
                    .related(span, "this rule is changed")
                    .hint("it holds here all the same; elsewhere it must stand below the rule"),
            );
        }
    }
}

/// What an update came to.
#[derive(Debug, Default)]
struct Outcome {
    /// How many rules (chains count once) are meant.
    rules: usize,
    /// The first of them that stands below the update.
    below: Option<(u64, Span)>,
    /// The first of them whose chain has no such link.
    too_short: Option<(u64, Span)>,
}

impl Update {
    /// Where it stands, which rules it means, and whether it removes them.
    pub(super) fn meaning(&self) -> (Span, &RuleSpec, bool) {
        let removes = matches!(self.change, RuleChange::Remove);
        (self.span, &self.rules, removes)
    }

    fn apply(&self, items: &mut Vec<(usize, Item)>) -> Outcome {
        let matcher = RuleMatcher::new(&self.rules);
        let mut scratch = Scratch::new();
        let mut outcome = Outcome::default();
        items.retain_mut(|(place, item)| {
            let Item::Rules(rules) = item else {
                return true;
            };
            let Some(starter) = rules
                .first()
                .filter(|starter| matcher.matches(starter, &mut scratch))
            else {
                return true;
            };
            let found = (starter.id(), starter.span);
            outcome.rules = outcome.rules.saturating_add(1);
            if *place >= self.above {
                outcome.below.get_or_insert(found);
            }
            match &self.change {
                RuleChange::Remove => return false,
                RuleChange::Targets(list, replaced) => {
                    if let Some(rule) = rules.first_mut() {
                        update_targets(rule, list, replaced.as_deref());
                    }
                }
                RuleChange::Actions(link, set) => match rules.get_mut(*link) {
                    Some(rule) => rule.actions.update(set),
                    None => {
                        outcome.too_short.get_or_insert(found);
                    }
                },
            }
            true
        });
        outcome
    }
}

fn update_targets(rule: &mut super::draft::Draft, list: &TargetList, replaced: Option<&[Target]>) {
    if let Some(replaced) = replaced {
        rule.targets.retain(|target| !replaced.contains(target));
    }
    rule.targets.extend_from_slice(&list.targets);
    rule.exclusions.extend_from_slice(&list.exclusions);
}
