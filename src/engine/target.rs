//! Targets to values: what a rule looks at, in the order written.

use std::rc::Rc;
use std::sync::Arc;

use super::selects::EntryNames;
use super::state::State;
use super::store::{Entry, TxEntry};
use super::values::ValueId;
use crate::matching::Scratch;
use crate::program::{Target, TargetSelector};
use crate::template::{Lookup, Macro};
use crate::variable::{KeySlot, Variable};
use crate::work::cost;

/// One value a rule looks at, and what it is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub variable: Variable,
    pub name: SubjectName,
    /// `&`.
    pub count: bool,
    pub value: ValueId,
}

/// What stands behind the variable in MATCHED_VAR_NAME.
#[derive(Clone, Copy, Debug)]
pub(super) enum SubjectName {
    /// Nothing.
    None,
    /// The name of an entry, or of a key that was counted.
    Of(ValueId),
    /// The name of a TX variable.
    Tx(KeySlot),
}

impl Subject {
    /// A value that has no name besides the variable's.
    const fn unnamed(variable: Variable, value: ValueId) -> Self {
        Self {
            variable,
            name: SubjectName::None,
            count: false,
            value,
        }
    }
}

impl State {
    /// Appends the values of a target, without those that are excluded or that `ctl` removed for the
    /// rule being evaluated.
    pub(super) fn list(
        &mut self,
        target: &Target,
        exclusions: &[Target],
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        if matches!(
            target.variable,
            Variable::MatchedVars | Variable::MatchedVarsNames
        ) {
            self.list_matched();
        }
        if target.count {
            self.count(target, exclusions, scratch, out);
        } else {
            self.expand(target, exclusions, scratch, out);
        }
    }

    /// `&`: how many values the target has, as one value. v2 counts before exclusions.
    fn count(
        &mut self,
        target: &Target,
        exclusions: &[Target],
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        let before = out.len();
        self.expand(target, exclusions, scratch, out);
        let found = out.len().saturating_sub(before);
        out.truncate(before);
        let value = match found {
            0 => self.values.intern(b"0"),
            1 => self.values.intern(b"1"),
            more => self.values.intern(more.to_string().as_bytes()),
        };
        let name = match &target.selector {
            TargetSelector::Key(key) => SubjectName::Of(self.values.intern(key)),
            TargetSelector::Tx(slot) => SubjectName::Tx(*slot),
            _ => SubjectName::None,
        };
        out.push(Subject {
            variable: target.variable,
            name,
            count: true,
            value,
        });
    }

    fn expand(
        &mut self,
        target: &Target,
        exclusions: &[Target],
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        let variable = target.variable;
        if self.excluded_whole(exclusions, variable) {
            return;
        }
        match variable {
            Variable::Tx => self.expand_tx(target, exclusions, scratch, out),
            Variable::Xml | Variable::ResponseXml => self.expand_xml(target, out),
            Variable::Rule => self.expand_rule(target, scratch, out),
            _ if !variable.is_collection() => {
                let mut text = Vec::new();
                let stored = self.store.scalar(variable);
                if stored.is_some() || self.scalar(variable, &mut text) {
                    let value = stored.unwrap_or_else(|| self.values.intern(&text));
                    out.push(Subject::unnamed(variable, value));
                }
            }
            _ => self.expand_collection(target, exclusions, scratch, out),
        }
    }

    fn expand_collection(
        &mut self,
        target: &Target,
        exclusions: &[Target],
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        if self.expand_plain(target, exclusions, out) {
            return;
        }
        let variable = target.variable;
        let source = variable.source();
        let own = [variable];
        let of = if source.of.is_empty() {
            &own
        } else {
            source.of
        };
        let entries = self.store.lists(variable).map(<[Entry]>::len);
        // Members of a document, which have other names too, come last.
        let plain = entries
            .sum::<usize>()
            .saturating_sub(self.store.members(variable));
        let mut place = 0usize;
        // What is asked of each entry, besides its selector.
        let removed = self.removed_targets.iter();
        let excluded = removed
            .map(|removal| removal.targets.len())
            .fold(exclusions.len(), usize::saturating_add);
        for &of in of {
            let mut at = 0usize;
            while let Some(entry) = self.store.entry(of, at, source.part) {
                self.work
                    .charge_each(excluded.saturating_add(1), cost::ENTRY);
                if self.work.is_spent() {
                    return;
                }
                let names = EntryNames {
                    reported: entry.name,
                    others: place
                        .checked_sub(plain)
                        .and_then(|member| self.store.other_names(variable, member)),
                };
                at = at.saturating_add(1);
                place = place.saturating_add(1);
                if self.selects_any(&target.selector, names, scratch)
                    && !self.excludes(exclusions, variable, names, scratch)
                {
                    out.push(Subject {
                        variable,
                        name: SubjectName::Of(entry.name),
                        count: false,
                        value: entry.value,
                    });
                }
            }
        }
    }

    /// The same where nothing is left out and each entry has one name: most targets are one of the
    /// headers.
    fn expand_plain(&self, target: &Target, exclusions: &[Target], out: &mut Vec<Subject>) -> bool {
        let variable = target.variable;
        let key = match &target.selector {
            TargetSelector::All => None,
            TargetSelector::Key(key) => Some(key),
            _ => return false,
        };
        let is_open = exclusions.is_empty() && self.removed_targets.is_empty();
        if !is_open || self.store.members(variable) > 0 {
            return false;
        }
        let part = variable.source().part;
        for entries in self.store.lists(variable) {
            self.work.charge_each(entries.len(), cost::ENTRY);
            for entry in entries {
                if key.is_none_or(|key| self.values.is_in_some_case(entry.name, key)) {
                    let entry = entry.shown(part);
                    out.push(Subject {
                        variable,
                        name: SubjectName::Of(entry.name),
                        count: false,
                        value: entry.value,
                    });
                }
            }
        }
        true
    }

    fn expand_tx(
        &mut self,
        target: &Target,
        exclusions: &[Target],
        scratch: &mut Scratch,
        out: &mut Vec<Subject>,
    ) {
        let variable = Variable::Tx;
        if let TargetSelector::Tx(slot) = target.selector {
            if let Some(value) = self.store.tx.get(slot) {
                out.push(Subject {
                    variable,
                    name: SubjectName::Tx(slot),
                    count: false,
                    value,
                });
            }
            return;
        }
        let program = Arc::clone(&self.program);
        let tx = &self.store.tx;
        let found = match target.selector {
            TargetSelector::Pattern(id) => match program.patterns.tx(id) {
                // Names that rules mention were looked at when the rules were loaded.
                Some(slots) => tx.in_order(slots.iter().copied().chain(tx.dynamic_slots())),
                None => tx.in_order(tx.all_slots()),
            },
            _ => tx.in_order(tx.all_slots()),
        };
        let is_open = exclusions.is_empty() && self.removed_targets.is_empty();
        for TxEntry { slot, value, .. } in found {
            self.work.charge(cost::ENTRY);
            let made = self.store.tx.dynamic_name(slot);
            if made.is_none() && is_open && self.selects_tx(&target.selector, slot) {
                out.push(Subject {
                    variable,
                    name: SubjectName::Tx(slot),
                    count: false,
                    value,
                });
                continue;
            }
            let name = made.unwrap_or_else(|| self.values.intern(program.keys.name(slot)));
            let names = EntryNames {
                reported: name,
                others: None,
            };
            if self.selects(&target.selector, name, scratch)
                && !self.excludes(exclusions, variable, names, scratch)
            {
                out.push(Subject {
                    variable,
                    name: SubjectName::Of(name),
                    count: false,
                    value,
                });
            }
        }
    }

    /// Whether a TX variable that rules mention is known to be selected.
    fn selects_tx(&self, selector: &TargetSelector, slot: KeySlot) -> bool {
        match selector {
            TargetSelector::All => true,
            TargetSelector::Pattern(id) => self
                .program
                .patterns
                .tx(*id)
                .is_some_and(|slots| slots.contains(&slot)),
            _ => false,
        }
    }

    /// Nodes of a document. Their names stay `XML`, as in v2.
    fn expand_xml(&mut self, target: &Target, out: &mut Vec<Subject>) {
        let variable = target.variable;
        let document = match variable {
            Variable::ResponseXml => &self.response_xml,
            _ => &self.xml,
        };
        let Some(document) = document else { return };
        let nodes = match &target.selector {
            TargetSelector::Path(path) => {
                self.work.charge_each(document.nodes(), cost::NODE);
                document.select(path)
            }
            _ => vec![b"[XML document tree]".as_slice()],
        };
        for node in nodes {
            let value = self.values.intern(node);
            out.push(Subject::unnamed(variable, value));
        }
    }

    fn expand_rule(&mut self, target: &Target, scratch: &mut Scratch, out: &mut Vec<Subject>) {
        const FIELDS: [&[u8]; 8] = [
            b"id",
            b"rev",
            b"severity",
            b"msg",
            b"logdata",
            b"ver",
            b"maturity",
            b"accuracy",
        ];
        for field in FIELDS {
            let name = self.values.intern(field);
            if !self.selects(&target.selector, name, scratch) {
                continue;
            }
            let mut text = Vec::new();
            self.expand_macro(&Macro::Entry(Variable::Rule, field.into()), &mut text);
            if !text.is_empty() {
                let value = self.values.intern(&text);
                let variable = Variable::Rule;
                out.push(Subject {
                    variable,
                    name: SubjectName::Of(name),
                    count: false,
                    value,
                });
            }
        }
    }

    /// `ARGS:name`, `&ARGS`, as in MATCHED_VAR_NAME.
    pub(super) fn subject_name(&self, subject: &Subject) -> Vec<u8> {
        let mut text = Vec::new();
        if subject.count {
            text.push(b'&');
        }
        text.extend_from_slice(subject.variable.name().as_bytes());
        let name = match subject.name {
            SubjectName::None => return text,
            SubjectName::Of(name) => self.values.get(name),
            SubjectName::Tx(slot) => self.program.keys.name(slot),
        };
        text.push(b':');
        text.extend_from_slice(name);
        text
    }

    /// State of searches of its own for a macro, on the account of the transaction.
    fn charged_scratch(&self) -> Scratch {
        let mut scratch = Scratch::new();
        scratch.set_work(Rc::clone(&self.work));
        scratch
    }

    /// Appends the value of a macro, or nothing.
    pub(super) fn expand_macro(&self, what: &Macro, out: &mut Vec<u8>) {
        let before = out.len();
        self.expand_macro_freely(what, out);
        let made = out.len().saturating_sub(before);
        self.work.charge_each(made, cost::EXPANDED_BYTE);
    }

    fn expand_macro_freely(&self, what: &Macro, out: &mut Vec<u8>) {
        match what {
            Macro::Tx(slot) => {
                if let Some(value) = self.store.tx.get(*slot) {
                    out.extend_from_slice(self.values.get(value));
                }
            }
            Macro::Variable(variable) if variable.is_collection() => {
                if let Some(first) = self.store.entries(*variable).next() {
                    out.extend_from_slice(self.values.get(first.value));
                }
            }
            Macro::Variable(variable) => {
                self.scalar(*variable, out);
            }
            Macro::Entry(Variable::Rule, field) => self.rule_field(field, out),
            // Rules with such macros are too rare to keep the states of their patterns.
            Macro::Matching(Variable::Tx, pattern) => {
                let mut scratch = self.charged_scratch();
                let mut entries = self.store.tx.iter(&self.program.keys, &self.values);
                if let Some((_, value)) =
                    entries.find(|(name, _)| pattern.is_match(name, &mut scratch))
                {
                    out.extend_from_slice(self.values.get(value));
                }
            }
            Macro::Matching(variable, pattern) => {
                let mut scratch = self.charged_scratch();
                let mut entries = self.store.entries(*variable);
                if let Some(entry) = entries
                    .find(|entry| pattern.is_match(self.values.get(entry.name), &mut scratch))
                {
                    out.extend_from_slice(self.values.get(entry.value));
                }
            }
            Macro::Entry(variable, key) => {
                let is_key = |name: ValueId| self.values.is_in_some_case(name, key);
                let count = self.store.entries(*variable).count();
                self.work.charge_each(count, cost::ENTRY);
                let plain = count.saturating_sub(self.store.members(*variable));
                let others =
                    |place: usize| self.store.other_names(*variable, place.checked_sub(plain)?);
                let mut entries = self.store.entries(*variable).enumerate();
                let found = entries.find(|(place, entry)| {
                    is_key(entry.name)
                        || others(*place).is_some_and(|others| others.into_iter().any(is_key))
                });
                if let Some((_, entry)) = found {
                    out.extend_from_slice(self.values.get(entry.value));
                }
            }
        }
    }

    /// Metadata of the current rule; of a chain, its starter's.
    fn rule_field(&self, field: &[u8], out: &mut Vec<u8>) {
        let Some(meta) = self.current.and_then(|at| self.program.meta(at)) else {
            return;
        };
        let number = |number: Option<u8>| number.map(|one| one.to_string()).unwrap_or_default();
        match field {
            b"id" => out.extend_from_slice(meta.id.to_string().as_bytes()),
            b"rev" => out.extend_from_slice(meta.rev.as_deref().unwrap_or_default()),
            b"ver" => out.extend_from_slice(meta.ver.as_deref().unwrap_or_default()),
            b"severity" => out.extend_from_slice(number(meta.severity).as_bytes()),
            b"maturity" => out.extend_from_slice(number(meta.maturity).as_bytes()),
            b"accuracy" => out.extend_from_slice(number(meta.accuracy).as_bytes()),
            // A message that names itself would never end: its macros are expanded once, and
            // RULE inside them is empty.
            b"msg" | b"logdata" => {
                let text = if field == b"msg" {
                    &meta.msg
                } else {
                    &meta.logdata
                };
                if let Some(text) = text {
                    text.expand(&NoRule(self), out);
                }
            }
            _ => {}
        }
    }
}

impl Lookup for State {
    fn expand(&self, what: &Macro, out: &mut Vec<u8>) {
        self.expand_macro(what, out);
    }
}

/// Macros inside the rule's own texts.
struct NoRule<'a>(&'a State);

impl Lookup for NoRule<'_> {
    fn expand(&self, what: &Macro, out: &mut Vec<u8>) {
        if !matches!(what, Macro::Entry(Variable::Rule, _)) {
            self.0.expand_macro(what, out);
        }
    }
}
