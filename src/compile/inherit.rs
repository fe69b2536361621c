//! Profiles that extend others: SecRuleInheritance.
//!
//! As with the contexts of v2, what directives set is inherited in any case; SecRuleInheritance
//! says whether the rules are, too. It may stand anywhere in the profile.

use std::collections::BTreeMap;

use super::Compiler;
use super::draft::Item;
use super::overlay::Layer;
use super::update::Update;
use crate::diagnostic::{Code, Diagnostic, Severity, Span};

/// The rules of the profiles that are extended.
#[derive(Debug)]
struct Inherited {
    items: Vec<Item>,
    ids: BTreeMap<u64, Span>,
    updates: Vec<Update>,
}

impl Compiler<'_> {
    /// Reads one profile on top of those read before, which it extends.
    pub(super) fn profile(&mut self, layer: &Layer) {
        // A chain cannot begin in one profile and end in the next.
        self.close_chain();
        let inherited = Inherited {
            items: std::mem::take(&mut self.items),
            ids: std::mem::take(&mut self.ids),
            updates: std::mem::take(&mut self.updates),
        };
        self.settings.inherit_rules = true;
        self.leaving_out = false;
        if let Some(policy) = &layer.overlay {
            self.begin_overlay(policy, &inherited.items);
        }
        self.source(&layer.name, &layer.text);
        self.close_chain();
        self.end_overlay();
        if self.settings.inherit_rules {
            self.inherit(inherited);
        }
    }

    /// Puts inherited rules and updates before the profile's own.
    fn inherit(&mut self, inherited: Inherited) {
        let mut taken: Vec<(u64, Span, Span)> = self
            .ids
            .iter()
            .filter_map(|(id, &span)| inherited.ids.get(id).map(|&first| (*id, span, first)))
            .collect();
        taken.sort_unstable_by_key(|(_, span, _)| (span.source.0, span.start));
        for (id, span, first) in taken {
            self.report_taken(id, span, first);
        }
        let above = inherited.items.len();
        for update in &mut self.updates {
            update.above = update.above.saturating_add(above);
        }
        let items = std::mem::replace(&mut self.items, inherited.items);
        self.items.extend(items);
        let updates = std::mem::replace(&mut self.updates, inherited.updates);
        self.updates.extend(updates);
        self.ids.extend(inherited.ids);
    }

    /// An id of this profile that an inherited rule has.
    fn report_taken(&mut self, id: u64, span: Span, first: Span) {
        let message = format!("rule id {id} is taken by an inherited rule");
        let in_overlay = self.items.iter().any(|item| match item {
            Item::Rules(rules) => rules
                .first()
                .is_some_and(|rule| rule.span == span && rule.overlay.is_some()),
            Item::Marker(_) => false,
        });
        let hint = if in_overlay {
            "give the rule another number"
        } else {
            "give the rule another number, or say `SecRuleInheritance Off` to begin without \
             inherited rules"
        };
        let mut diagnostic = Diagnostic::new(Code::DuplicateId, span, message)
            .related(first, "first used here")
            .hint(hint);
        if self.ignore_rule_errors {
            diagnostic.severity = Severity::Warning;
            self.items.retain(|item| match item {
                Item::Rules(rules) => rules.first().is_none_or(|rule| rule.span != span),
                Item::Marker(_) => true,
            });
        }
        self.report(diagnostic);
    }
}
