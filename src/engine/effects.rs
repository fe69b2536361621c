//! What rules do at a match: variables, switches, removals; and what they decide and record.

use std::sync::Arc;

use super::api::{Disposition, Interruption, RuleMatch};
use super::collection::record::Operation;
use super::sensitive::Covered;
use super::state::{MAX_MATCHES, MAX_OF_ONE_RULE, State};
use super::store::Entry;
use crate::action::{Change, Ctl, Edge, Phase, SetVar, SwitchMode, VarName};
use crate::bytes::leading_integer;
use crate::limits::{EXPANDED, SET_VALUES, SHORT_TEXT, SHORT_VALUE};
use crate::program::{
    AuditEngine, Decision, Effect, EngineMode, RuleIndex, RuleMeta, Target, TargetRemoval, Test,
};
use crate::template::Template;
use crate::variable::{KeySlot, Variable};
use crate::work::cost;

/// The longest `pause`, in milliseconds: a client that waits costs the proxy memory.
const MAX_PAUSE: i64 = 60_000;

impl State {
    /// Carries out one effect.
    pub(super) fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::SetVar(set) => self.set_var(set),
            Effect::InitCol(init) => self.open_collection(init),
            Effect::SetEnv(name, value) => self.set_env(name, value.as_ref()),
            Effect::Ctl(ctl) => self.ctl(ctl),
            Effect::RemoveRules(rules) => {
                self.takes_its_course &= !rules.iter().any(|&rule| self.is_known(rule));
                self.removed.extend_from_slice(rules);
                self.removed.sort_unstable();
                self.removed.dedup();
            }
            Effect::RemoveTargets(removal) => {
                let is_tx = |target: &Target| target.variable == Variable::Tx;
                if removal.targets.iter().any(is_tx) {
                    self.takes_its_course &= !removal.rules.iter().any(|&rule| self.is_known(rule));
                }
                let same = |known: &Arc<_>| Arc::ptr_eq(known, removal);
                if !self.target_removals.iter().any(same) {
                    self.target_removals.push(Arc::clone(removal));
                }
            }
            Effect::ExpireVar(expire) => self.expire_var(expire),
            Effect::DeprecateVar(deprecate) => self.deprecate_var(deprecate),
            Effect::Sanitise(mask) => self.mask(mask),
            Effect::Inject(edge, text) => self.inject(*edge, text),
        }
    }

    /// Whether others follow from the outcome of a rule.
    fn is_known(&self, rule: RuleIndex) -> bool {
        self.program.rule(rule).is_some_and(|rule| rule.is_known)
    }

    /// Lists what a rule must not look at, before it is evaluated.
    pub(super) fn list_removed_targets(&mut self, rule: RuleIndex) {
        self.removed_targets.clear();
        let meant = |removal: &&Arc<TargetRemoval>| removal.rules.binary_search(&rule).is_ok();
        self.removed_targets
            .extend(self.target_removals.iter().filter(meant).cloned());
    }

    pub(super) fn text(&self, template: &Template) -> Vec<u8> {
        let mut text = Vec::new();
        template.expand_within(self, EXPANDED, &mut text);
        text
    }

    /// The text as a name, or as the log keeps it.
    fn short_text(&self, template: &Template) -> Vec<u8> {
        let mut text = Vec::new();
        template.expand_within(self, SHORT_TEXT, &mut text);
        text
    }

    fn set_var(&mut self, set: &SetVar) {
        let Some(place) = self.place(&set.name) else {
            return;
        };
        match &set.change {
            Change::Unset => self.unset(place),
            Change::Set(value) => {
                let mut text = std::mem::take(&mut self.text);
                text.clear();
                value.expand_within(self, EXPANDED, &mut text);
                if self.may_set(&text) {
                    if value.fixed().is_none()
                        && let Some(subject) = self.sensitive_match()
                    {
                        let value = self.values.intern(&text);
                        self.derive(&subject, value);
                    }
                    if let Place::Entry(collection, name) = &place {
                        let change = Operation::Set(name.clone(), text.clone());
                        self.note(*collection, change);
                    }
                    self.put(place, &text);
                }
                self.text = text;
            }
            Change::Add(amount) => {
                let amount = self.amount(amount);
                self.add(place, amount);
            }
            Change::Subtract(amount) => {
                let amount = self.amount(amount);
                self.add(place, 0i64.saturating_sub(amount));
            }
        }
    }

    /// The number that a text stands for.
    fn amount(&mut self, text: &Template) -> i64 {
        let mut amount = std::mem::take(&mut self.text);
        amount.clear();
        text.expand_within(self, EXPANDED, &mut amount);
        let number = leading_integer(&amount);
        self.text = amount;
        number
    }

    /// Adds to a number; the sum is never below 0, as in v2.
    fn add(&mut self, place: Place, amount: i64) {
        let sum = self.number(&place).saturating_add(amount).max(0);
        if let Place::Entry(collection, name) = &place {
            self.note(*collection, Operation::Add(name.clone(), amount));
        }
        self.put(place, sum.to_string().as_bytes());
    }

    /// Whether there is room for one more value. Values are kept until the transaction ends, also
    /// those that others replace.
    fn may_set(&mut self, value: &[u8]) -> bool {
        if value.len() <= SHORT_VALUE {
            return true;
        }
        let bytes = self.set_bytes.saturating_add(value.len());
        let fits = bytes <= SET_VALUES;
        if fits {
            self.set_bytes = bytes;
        }
        fits
    }

    fn put(&mut self, place: Place, value: &[u8]) {
        let value = self.values.intern(value);
        match place {
            Place::Tx(slot) => self.store.tx.set(slot, value),
            Place::Entry(collection, name) => {
                let name = self.values.intern(&name);
                self.store.set_entry(collection, Entry { name, value });
            }
        }
    }

    /// A persistent variable; none for TX, or in a collection that was not opened.
    pub(super) fn persistent(&mut self, name: &VarName) -> Option<(Variable, Vec<u8>)> {
        match self.place(name)? {
            Place::Tx(_) => None,
            Place::Entry(collection, name) => Some((collection, name)),
        }
    }

    /// Where a variable is kept; none for a collection that was not opened.
    fn place(&mut self, name: &VarName) -> Option<Place> {
        let place = match name {
            VarName::Tx(slot) => Place::Tx(*slot),
            VarName::Named(collection, name) => Place::Entry(*collection, name.to_vec()),
            VarName::Dynamic(Variable::Tx, template) => {
                let mut name = std::mem::take(&mut self.text);
                name.clear();
                template.expand_within(self, SHORT_TEXT, &mut name);
                let slot = self.tx_slot(&mut name);
                self.text = name;
                Place::Tx(slot?)
            }
            VarName::Dynamic(collection, template) => {
                Place::Entry(*collection, self.short_text(template).to_ascii_lowercase())
            }
        };
        match &place {
            Place::Entry(collection, name) => {
                let usable = self.is_open(*collection) && self.has_room(*collection, name);
                usable.then_some(place)
            }
            Place::Tx(_) => Some(place),
        }
    }

    /// The slot of a name, whatever its letter case, which is left in lower case; none once there
    /// are too many that no rule mentions.
    pub(super) fn tx_slot(&mut self, name: &mut [u8]) -> Option<KeySlot> {
        name.make_ascii_lowercase();
        self.program.keys.find(name).or_else(|| {
            let name = self.values.intern(name);
            self.store.tx.dynamic_slot(name)
        })
    }

    fn unset(&mut self, place: Place) {
        match place {
            Place::Tx(slot) => self.store.tx.unset(slot),
            Place::Entry(collection, name) => {
                let found = self.values.intern(&name);
                self.store.retain(collection, |entry| entry.name != found);
                self.note(collection, Operation::Unset(name));
            }
        }
    }

    /// The variable as a number; 0 if it is none.
    fn number(&self, place: &Place) -> i64 {
        match place {
            Place::Tx(slot) => {
                let value = self.store.tx.get(*slot);
                value.map_or(0, |value| leading_integer(self.values.get(value)))
            }
            Place::Entry(collection, name) => {
                self.persistent_number(*collection, name).unwrap_or(0)
            }
        }
    }

    /// `prepend` and `append`: the last one of each counts, as in v2.
    fn inject(&mut self, edge: Edge, text: &Template) {
        if !self.program.settings.content_injection {
            return;
        }
        let text = self.text(text);
        match edge {
            Edge::Start => self.edits.prepend = text,
            Edge::End => self.edits.append = text,
        }
    }

    fn set_env(&mut self, name: &Template, value: Option<&Template>) {
        let name = self.short_text(name);
        let value = value.map(|value| self.text(value));
        if !value.as_ref().is_none_or(|value| self.may_set(value)) {
            return;
        }
        let name = self.values.intern(&name);
        match value {
            Some(value) => {
                let value = self.values.intern(&value);
                self.store.set_entry(Variable::Env, Entry { name, value });
            }
            None => self.store.retain(Variable::Env, |entry| entry.name != name),
        }
    }

    fn ctl(&mut self, ctl: &Ctl) {
        let switches = &mut self.switches;
        let bytes = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        match ctl {
            Ctl::RuleEngine(mode) => {
                switches.engine = match mode {
                    SwitchMode::On => EngineMode::On,
                    SwitchMode::Off => EngineMode::Off,
                    SwitchMode::Third => EngineMode::DetectionOnly,
                };
            }
            Ctl::RequestBodyAccess(on) => switches.request_body_access = *on,
            Ctl::RequestBodyProcessor(name) => {
                switches.body_processor.clone_from(name);
                self.set(Variable::ReqbodyProcessor, name.as_bytes());
            }
            Ctl::ForceRequestBodyVariable(on) => switches.force_request_body = *on,
            Ctl::RequestBodyLimit(limit) => switches.request_body_limit = bytes(*limit),
            Ctl::ResponseBodyAccess(on) => switches.response_body_access = *on,
            Ctl::ResponseBodyLimit(limit) => switches.response_body_limit = bytes(*limit),
            Ctl::AuditEngine(mode) => {
                switches.audit_engine = match mode {
                    SwitchMode::On => AuditEngine::On,
                    SwitchMode::Off => AuditEngine::Off,
                    SwitchMode::Third => AuditEngine::RelevantOnly,
                };
            }
            Ctl::AuditLogParts(parts) => {
                let set = &self.program.settings.audit.parts;
                let now = switches.audit_parts.as_ref().unwrap_or(set);
                switches.audit_parts = Some(changed_parts(now, parts));
            }
            Ctl::DebugLogLevel(level) => self.set_debug_log_level(*level),
            Ctl::ParseXmlIntoArgs(mode) => switches.xml_into_args = *mode,
            Ctl::ResponseBodyProcessor(name) => {
                self.set(Variable::ResBodyProcessor, name.as_bytes());
            }
            Ctl::ForceResponseBodyVariable => {}
            // Resolved to effects of their own, or refused, when rules are loaded.
            Ctl::RuleRemove(_) | Ctl::RuleRemoveTarget(..) | Ctl::Ignored(_) => {}
        }
    }

    /// What the match of a rule decides, if the engine may decide.
    pub(super) fn decide(&self, meta: &RuleMeta) -> Option<Interruption> {
        if self.switches.engine != EngineMode::On || meta.phase == Phase::Logging {
            return None;
        }
        let (disposition, status, location) = match &meta.decision {
            Decision::Pass | Decision::Allow(_) => return None,
            Decision::Deny(status) => (Disposition::Deny, *status, None),
            Decision::Drop(status) => (Disposition::Drop, *status, None),
            Decision::Redirect(status, location) => {
                (Disposition::Redirect, *status, Some(self.text(location)))
            }
        };
        let phase = self.phase.number();
        Some(Interruption {
            rule_id: meta.id,
            phase,
            disposition,
            status,
            location,
        })
    }

    /// How long the interruption of a rule waits, in milliseconds; numbers below 0 are none.
    pub(super) fn pause_of(&self, meta: &RuleMeta) -> u32 {
        let text = meta.pause.as_ref().map(|pause| self.text(pause));
        let milliseconds = leading_integer(&text.unwrap_or_default());
        u32::try_from(milliseconds.clamp(0, MAX_PAUSE)).unwrap_or(0)
    }

    /// Stops the transaction for a limit of the configuration, and says so in the log.
    pub(super) fn refuse(&mut self, phase: Phase, status: u16, why: &str) {
        self.phase = phase;
        let interruption = Interruption {
            rule_id: 0,
            phase: phase.number(),
            disposition: Disposition::Deny,
            status,
            location: None,
        };
        self.interruption = Some(interruption.clone());
        self.relevant = true;
        self.matches.push(RuleMatch {
            phase: phase.number(),
            explanation: why.as_bytes().to_vec(),
            log: true,
            audit: true,
            interruption: Some(interruption),
            ..RuleMatch::default()
        });
    }

    /// Keeps a match for the logs, unless there are too many.
    pub(super) fn record_match(
        &mut self,
        meta: &RuleMeta,
        test: Option<(&Test, &[u8])>,
        interruption: Option<Interruption>,
    ) {
        let of_rule = self.current.map(|rule| {
            let count = self.match_counts.entry(rule).or_insert(0);
            *count = count.saturating_add(1);
            *count
        });
        let many = self.matches.len() >= MAX_MATCHES
            || of_rule.is_some_and(|count| count > MAX_OF_ONE_RULE);
        if many && interruption.is_none() {
            self.suppressed = self.suppressed.saturating_add(1);
            return;
        }
        let sensitive = self.sensitive_match();
        if let Some(subject) = &sensitive {
            self.derive(subject, self.matched.value);
        }
        let shown = |text: &Template| {
            let mut shown = Vec::new();
            match &sensitive {
                Some(subject) => {
                    let covered = Covered {
                        state: self,
                        subject,
                    };
                    text.expand_within(&covered, SHORT_TEXT, &mut shown);
                }
                None => text.expand_within(self, SHORT_TEXT, &mut shown),
            }
            shown
        };
        let optional = |text: &Option<Template>| text.as_ref().map_or_else(Vec::new, shown);
        let target = self.matched_name();
        let value = self.values.get(self.matched.value);
        // An explanation may search once more.
        self.work.charge_each(value.len(), cost::PHRASE_BYTE);
        let (target, value, explanation) = match test {
            Some((test, argument)) => {
                let why =
                    test.operator
                        .explain(test.negated, argument, &self.captures, value, &target);
                let kept = |text: &[u8]| text.iter().copied().take(SHORT_TEXT).collect();
                (kept(&target), kept(value), why)
            }
            None => (
                Vec::new(),
                Vec::new(),
                b"Unconditional match in SecAction.".to_vec(),
            ),
        };
        let found = RuleMatch {
            rule_id: meta.id,
            phase: self.phase.number(),
            file: Arc::clone(&meta.file),
            line: meta.line,
            rev: meta.rev.as_deref().unwrap_or_default().to_vec(),
            ver: meta.ver.as_deref().unwrap_or_default().to_vec(),
            msg: optional(&meta.msg),
            data: optional(&meta.logdata),
            severity: meta.severity,
            maturity: meta.maturity,
            accuracy: meta.accuracy,
            tags: meta.tags.iter().map(shown).collect(),
            fixed_tags: fixed(&meta.tags),
            explanation,
            target,
            value,
            sensitive: sensitive.is_some(),
            log: meta.log,
            audit: meta.audit,
            interruption,
        };
        self.matches.push(found);
    }
}

/// Where a variable is kept.
enum Place {
    Tx(KeySlot),
    /// A collection and a name in lower case.
    Entry(Variable, Vec<u8>),
}

/// `+X` adds parts, `-X` removes them, letters alone replace them; A and Z always stay.
fn changed_parts(parts: &[u8], change: &[u8]) -> Box<[u8]> {
    let mut now: Vec<u8> = parts.to_vec();
    match change.split_first() {
        Some((b'+', letters)) => now.extend_from_slice(letters),
        Some((b'-', letters)) => now.retain(|part| !letters.contains(part)),
        _ => now = change.to_vec(),
    }
    now.extend_from_slice(b"AZ");
    now.sort_unstable();
    now.dedup();
    now.into()
}

/// See [`RuleMatch::fixed_tags`].
fn fixed(tags: &[Template]) -> u64 {
    let bits = (0..u64::BITS).zip(tags);
    let bits = bits.filter(|(_, tag)| tag.fixed().is_some());
    bits.fold(0, |all, (bit, _)| all | 1 << bit)
}
