//! Overlays: what an application team adds to a base that somebody else answers for.
//!
//! An overlay is read like any list of directives that extends another, but only what its policy
//! names may stand in it, and nothing of that may take the base's teeth out: no setting of the
//! engine, no `allow`, no jump over rules, no variable of the base, no rule that the base locks.
//! What is not known to be harmless is refused, with a message at its place.

use std::collections::HashSet;
use std::sync::Arc;

use super::Compiler;
use super::actions::Place;
use super::draft::{Draft, Item};
use super::spec::RuleMatcher;
use crate::action::{Action, AllowScope, Change, Ctl, Disruptive, Name, RuleSpec, SetVar, VarName};
use crate::diagnostic::{Code, Diagnostic, Span, shown};
use crate::matching::Scratch;
use crate::program::TargetSelector;
use crate::seclang::ast;
use crate::template::Macro;
use crate::variable::{KeyPattern, Variable};

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

/// What overlays may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayPolicy {
    /// The directives that may stand in one: some of [`OverlayPolicy::ALLOWABLE`].
    pub directives: Vec<&'static str>,
    /// Ranges of ids that its rules may have.
    pub ids: Vec<(u64, u64)>,
    /// Rules of the base that it may not touch, besides those locked anyway.
    pub locked: Vec<RuleSpec>,
    /// Rules of the base that it may touch, besides [`OverlayPolicy::TUNABLE`].
    pub unlocked: Vec<RuleSpec>,
    /// TX variables of the base that it may set; in lower case.
    pub variables: Vec<String>,
    /// TX variables of the base that it may add to; in lower case.
    pub scores: Vec<String>,
    /// Most rules of the base that overlays may take out, for all requests or for some.
    pub most_removed: usize,
}

impl OverlayPolicy {
    /// The directives that a policy may allow, and whether it does unless it says otherwise. All
    /// others set something of the engine.
    pub const ALLOWABLE: [(&'static str, bool); 14] = [
        ("Include", true),
        ("IncludeOptional", true),
        ("SecAction", true),
        ("SecComponentSignature", true),
        ("SecDataset", true),
        ("SecMarker", true),
        ("SecRule", true),
        ("SecRuleRemoveById", true),
        ("SecRuleRemoveByMsg", true),
        ("SecRuleRemoveByTag", true),
        ("SecRuleUpdateActionById", false),
        ("SecRuleUpdateTargetById", true),
        ("SecRuleUpdateTargetByMsg", true),
        ("SecRuleUpdateTargetByTag", true),
    ];

    /// The ids of rules that only find something and decide nothing by themselves: those of the
    /// Core Rule Set and of the embedded baseline. Every other rule of a base is locked unless its
    /// policy frees it.
    pub const TUNABLE: [(u64, u64); 3] = [
        (910_000, 948_999),
        (950_000, 958_999),
        (8_010_000, 8_099_999),
    ];
}

impl Default for OverlayPolicy {
    fn default() -> Self {
        let allowed = Self::ALLOWABLE.iter().filter(|(_, default)| *default);
        let scores = [
            "inbound_anomaly_score",
            "outbound_anomaly_score",
            "anomaly_score",
        ]
        .iter()
        .flat_map(|score| (1..=4).map(move |level| format!("{score}_pl{level}")));
        Self {
            directives: allowed.map(|(name, _)| *name).collect(),
            ids: vec![(1, 99_999)],
            locked: Vec::new(),
            unlocked: Vec::new(),
            variables: Vec::new(),
            scores: scores.collect(),
            most_removed: 100,
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
    labels: HashSet<Box<[u8]>>,
    datasets: HashSet<Vec<u8>>,
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
            labels: HashSet::new(),
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

    /// Refuses removals and updates, also by `ctl`, of rules that the base locks, and removals of
    /// too many others.
    pub(super) fn check_locks(&mut self) {
        let items = std::mem::take(&mut self.items);
        let mut removed = HashSet::new();
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
