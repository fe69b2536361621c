//! Removals and updates of rules: SecRuleRemoveBy…, SecRuleUpdateTargetBy…,
//! SecRuleUpdateActionById.
//!
//! They hold wherever they stand, as in v3: v2 and Coraza only know the rules above them, so
//! whatever works there works here.

use super::Compiler;
use super::actions::{ActionSet, Place};
use super::draft::Item;
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
        self.updates.push(Update {
            span,
            rules,
            change,
        });
    }

    /// Applies all of them, in the order written.
    pub(super) fn apply_updates(&mut self) {
        for update in std::mem::take(&mut self.updates) {
            let matcher = RuleMatcher::new(&update.rules);
            let scratch = &mut Scratch::new();
            let before = self.items.len();
            let mut hits = 0usize;
            self.items.retain_mut(|item| {
                let Item::Rules(rules) = item else {
                    return true;
                };
                if !rules
                    .first()
                    .is_some_and(|starter| matcher.matches(starter, scratch))
                {
                    return true;
                }
                hits = hits.saturating_add(1);
                match &update.change {
                    RuleChange::Remove => return false,
                    RuleChange::Targets(list, replaced) => {
                        if let Some(rule) = rules.first_mut() {
                            update_targets(rule, list, replaced.as_deref());
                        }
                    }
                    RuleChange::Actions(link, set) => match rules.get_mut(*link) {
                        Some(rule) => rule.actions.update(set),
                        None => hits = hits.saturating_sub(1),
                    },
                }
                true
            });
            debug_assert!(self.items.len() <= before, "updates never add rules");
            if hits == 0 {
                let message = "no rule is changed by this directive: none matches";
                self.report(Diagnostic::new(Code::UnusedUpdate, update.span, message));
            }
        }
    }
}

fn update_targets(rule: &mut super::draft::Draft, list: &TargetList, replaced: Option<&[Target]>) {
    if let Some(replaced) = replaced {
        rule.targets.retain(|target| !replaced.contains(target));
    }
    rule.targets.extend_from_slice(&list.targets);
    rule.exclusions.extend_from_slice(&list.exclusions);
}
