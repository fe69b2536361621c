//! Overlays: what an application team adds to a base that somebody else answers for.
//!
//! An overlay is read like any list of directives that extends another, but only what its policy
//! names may stand in it, and nothing of that may take the base's teeth out: no setting of the
//! engine, no `allow`, no jump over rules, no variable of the base, no rule that the base locks.
//! What is not known to be harmless is refused, with a message at its place.

mod locks;
mod policy;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Compiler;
use super::actions::Place;
use super::draft::{Draft, Item};
use crate::action::{Action, AllowScope, Change, Ctl, Disruptive, Name, SetVar, VarName};
use crate::diagnostic::{Code, Diagnostic, Span, shown};
use crate::matching::Scratch;
use crate::program::TargetSelector;
use crate::seclang::ast;
use crate::template::Macro;
use crate::variable::{KeyPattern, Variable};

pub use policy::OverlayPolicy;

/// One list of directives of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// How messages call it.
    pub name: String,
    /// The directives.
    pub text: Vec<u8>,
    /// What it may do, if it is an overlay.
    pub overlay: Option<Arc<OverlayPolicy>>,
}

impl Layer {
    /// A list of directives that may do anything.
    pub fn new(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            overlay: None,
        }
    }
}

/// What of an action an overlay may not say.
type Refusal = (String, Option<&'static str>);

/// An overlay that is being read, and what it must not touch of its base.
#[derive(Debug)]
pub(super) struct Overlay {
    policy: Arc<OverlayPolicy>,
    /// How many TX names the base mentions: they have the first slots.
    names: usize,
    /// Patterns for TX names in the base.
    patterns: Vec<KeyPattern>,
    /// Whether some rule of the base looks at all of TX.
    reads_all: bool,
    /// Labels of the base.
    labels: BTreeSet<Box<[u8]>>,
    datasets: BTreeSet<Vec<u8>>,
    /// What its own rules jump to.
    jumps: Vec<(Box<[u8]>, Span)>,
}

impl Compiler<'_> {
    /// From here on directives are an overlay's, over a base of these rules.
    pub(super) fn begin_overlay(&mut self, policy: &Arc<OverlayPolicy>, base: &[Item]) {
        let mut overlay = Overlay {
            policy: Arc::clone(policy),
            names: self.keys.len(),
            patterns: Vec::new(),
            reads_all: false,
            labels: BTreeSet::new(),
            datasets: self.datasets.keys().cloned().collect(),
            jumps: Vec::new(),
        };
        for item in base {
            match item {
                Item::Marker(label) => {
                    overlay.labels.insert(label.clone());
                }
                Item::Rules(drafts) => {
                    for draft in drafts {
                        overlay.note(draft, &self.patterns);
                    }
                }
            }
        }
        self.overlay = Some(overlay);
    }

    /// The overlay is read; its rules are the items.
    pub(super) fn end_overlay(&mut self) {
        let Some(overlay) = self.overlay.take() else {
            return;
        };
        for (label, span) in overlay.jumps {
            let own = self
                .items
                .iter()
                .any(|item| matches!(item, Item::Marker(known) if *known == label));
            if !own {
                let label = String::from_utf8_lossy(&label);
                let message = format!("an overlay has no marker `{label}` of its own to skip to");
                self.report(
                    Diagnostic::new(Code::OverlayAction, span, message)
                        .hint("an overlay may skip rules of its own only"),
                );
            }
        }
    }

    /// Whether a directive may stand where it does.
    pub(super) fn overlay_allows(
        &mut self,
        name: &'static str,
        directive: &ast::Directive,
    ) -> bool {
        let Some(overlay) = &self.overlay else {
            return true;
        };
        if overlay.policy.directives.contains(&name) {
            return self.names_are_free(name, directive);
        }
        let hint = if OverlayPolicy::ALLOWABLE.iter().any(|(one, _)| *one == name) {
            "the base can allow it: `directives` in its `overlay_policy`"
        } else {
            "it sets something of the engine, which is the base's"
        };
        let message = format!("an overlay may not use {name}");
        self.report(Diagnostic::new(Code::OverlayDirective, directive.span, message).hint(hint));
        false
    }

    /// Whether labels and data sets that a directive makes are new.
    fn names_are_free(&mut self, directive_name: &str, directive: &ast::Directive) -> bool {
        let (Some(overlay), Some(word)) = (&self.overlay, directive.arguments.first()) else {
            return true;
        };
        let taken = match directive_name {
            "SecMarker" => overlay.labels.contains(&*word.text),
            "SecDataset" => overlay.datasets.contains(&*word.text),
            _ => false,
        };
        if taken {
            let message = format!("`{}` is a name of the base", shown(word));
            self.report(
                Diagnostic::new(Code::OverlayName, word.span, message)
                    .hint("choose a name of your own"),
            );
        }
        !taken
    }

    /// Whether a rule's id may be an overlay's.
    pub(super) fn check_overlay_id(&mut self, rule: &Draft) {
        let Some(overlay) = &self.overlay else { return };
        let ids = &overlay.policy.ids;
        let inside = |id: u64| {
            ids.iter()
                .any(|&(first, last)| (first..=last).contains(&id))
        };
        if rule.actions.broken || rule.actions.id.is_some_and(inside) {
            return;
        }
        let message = match rule.actions.id {
            Some(id) => format!("an overlay may not have a rule {id}"),
            None => "a rule of an overlay needs an id".to_owned(),
        };
        let ranges: Vec<String> = ids
            .iter()
            .map(|(first, last)| format!("{first}-{last}"))
            .collect();
        let hint = format!("its ids are {}", ranges.join(", "));
        self.report(Diagnostic::new(Code::OverlayId, rule.span, message).hint(hint));
    }

    /// Refuses an operator that changes what other rules see.
    pub(super) fn check_overlay_operator(&mut self, name: &'static str, span: Span) {
        if self.overlay.is_some() {
            let message = format!("an overlay may not use @{name}");
            self.report(
                Diagnostic::new(Code::OverlayAction, span, message)
                    .hint("it changes what passes, and what rules of the base see"),
            );
        }
    }

    /// Whether an action may stand in an overlay.
    pub(super) fn overlay_allows_action(
        &mut self,
        name: Name,
        action: &Action,
        entry: &ast::ActionExpr,
        place: Place,
    ) -> bool {
        let Some(mut overlay) = self.overlay.take() else {
            return true;
        };
        if let (Action::SkipAfter(label), false) = (action, place == Place::Update) {
            overlay.jumps.push((label.clone(), entry.value_span()));
        }
        let refusal = self.refusal(&overlay, name, action, place);
        self.overlay = Some(overlay);
        let Some((what, hint)) = refusal else {
            return true;
        };
        let message = format!("an overlay may not {what}");
        let mut diagnostic = Diagnostic::new(Code::OverlayAction, entry.span, message);
        diagnostic.hint = hint.map(str::to_owned);
        self.report(diagnostic);
        false
    }

    fn refusal(
        &self,
        overlay: &Overlay,
        name: Name,
        action: &Action,
        place: Place,
    ) -> Option<Refusal> {
        let text = name.def().name;
        let update = place == Place::Update;
        match action {
            Action::Disruptive(Disruptive::Allow(scope)) => {
                let scope = match scope {
                    AllowScope::All => "",
                    AllowScope::Phase => ":phase",
                    AllowScope::Request => ":request",
                };
                Some((
                    format!("use `allow{scope}`"),
                    Some("it would skip rules of the base; `pass` goes on with them"),
                ))
            }
            Action::Skip(_) => Some((
                "use `skip`".to_owned(),
                Some("`skipAfter` to a marker of its own can be checked"),
            )),
            Action::SkipAfter(_) | Action::Ctl(_) if update => {
                Some((format!("add `{text}` to a rule of the base"), None))
            }
            Action::Ctl(Ctl::RuleRemove(_) | Ctl::RuleRemoveTarget(..)) => None,
            Action::Ctl(_) => Some((
                "change the engine by `ctl`".to_owned(),
                Some("it may use `ctl:ruleRemoveBy…` and `ctl:ruleRemoveTargetBy…`"),
            )),
            Action::SetVar(set) => self.refused_variable(overlay, set),
            Action::Id(_)
            | Action::Phase(_)
            | Action::Msg(_)
            | Action::LogData(_)
            | Action::Tag(_)
            | Action::Rev(_)
            | Action::Ver(_)
            | Action::Severity(_)
            | Action::Maturity(_)
            | Action::Accuracy(_)
            | Action::Status(_)
            | Action::Xmlns(..)
            | Action::Disruptive(_)
            | Action::Chain
            | Action::SkipAfter(_)
            | Action::Capture
            | Action::MultiMatch
            | Action::Transform(_)
            | Action::Log(_)
            | Action::AuditLog(_)
            | Action::Sanitise(_) => None,
            Action::Pause(_)
            | Action::ExpireVar(_)
            | Action::DeprecateVar(_)
            | Action::InitCol(_)
            | Action::SetEnv(..)
            | Action::Inject(..)
            | Action::NotCarriedOut(_) => Some((format!("use `{text}`"), None)),
        }
    }

    fn refused_variable(&self, overlay: &Overlay, set: &SetVar) -> Option<Refusal> {
        let slot = match &set.name {
            VarName::Tx(slot) => *slot,
            VarName::Named(collection, _) | VarName::Dynamic(collection, _)
                if *collection != Variable::Tx =>
            {
                return Some((
                    format!("change {}", collection.name()),
                    Some("it may set variables of TX"),
                ));
            }
            VarName::Named(..) | VarName::Dynamic(..) => {
                return Some((
                    "set a variable whose name is not fixed".to_owned(),
                    Some("it could become one of the base"),
                ));
            }
        };
        let name = self.keys.name(slot);
        let granted = |names: &[String]| names.iter().any(|one| one.as_bytes() == name);
        let adds = match &set.change {
            Change::Add(amount) => amount
                .fixed()
                .is_some_and(|text| !text.is_empty() && text.iter().all(u8::is_ascii_digit)),
            _ => false,
        };
        let policy = &overlay.policy;
        if granted(&policy.variables) || adds && granted(&policy.scores) {
            return None;
        }
        let scratch = &mut Scratch::new();
        let of_base = overlay.reads_all
            || usize::try_from(slot.0).is_ok_and(|slot| slot < overlay.names)
            || overlay
                .patterns
                .iter()
                .any(|one| one.is_match(name, scratch));
        if !of_base {
            return None;
        }
        let hint = if granted(&policy.scores) {
            "it may add a number to it: `setvar:tx.NAME=+5`"
        } else {
            "choose a name that the base does not use"
        };
        Some((
            format!(
                "set tx.{}, which the base uses",
                String::from_utf8_lossy(name)
            ),
            Some(hint),
        ))
    }
}

impl Overlay {
    /// The policy.
    pub(super) fn policy(&self) -> &Arc<OverlayPolicy> {
        &self.policy
    }

    /// Notes what a rule of the base names.
    fn note(&mut self, draft: &Draft, patterns: &[KeyPattern]) {
        if let Some((label, _)) = &draft.actions.skip_after {
            self.labels.insert(label.clone());
        }
        for target in &draft.targets {
            if target.variable != Variable::Tx {
                continue;
            }
            match &target.selector {
                TargetSelector::All => self.reads_all = true,
                TargetSelector::Pattern(id) => {
                    let at = usize::try_from(id.0).unwrap_or(usize::MAX);
                    self.patterns.extend(patterns.get(at).cloned());
                }
                _ => {}
            }
        }
        let default = draft.default.as_deref();
        let sets = default.into_iter().chain([&draft.actions]);
        let argument = draft.test.as_ref().map(|test| &test.argument);
        let texts = argument
            .into_iter()
            .chain(sets.flat_map(|set| set.templates()));
        for what in texts.flat_map(|text| text.macros()) {
            match what {
                Macro::Matching(Variable::Tx, pattern) => self.patterns.push(pattern.clone()),
                Macro::Variable(Variable::Tx) => self.reads_all = true,
                _ => {}
            }
        }
    }
}
