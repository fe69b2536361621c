//! Action lists: read, checked, and merged with the default action.

use super::Compiler;
use crate::action::{self, Action, Disruptive, Group, Name, Phase, Placement, TransformStep};
use crate::diagnostic::{Code, Diagnostic, Severity, Span, shown, suggest};
use crate::seclang::{self, ast};
use crate::template::Template;
use crate::transform::Transformation;

/// The actions of one rule or default action. An option that is none leaves it to the default.
#[derive(Clone, Debug, Default)]
pub(super) struct ActionSet {
    pub id: Option<u64>,
    pub phase: Option<Phase>,
    pub msg: Option<Template>,
    /// `msg` as written, for removals and updates by message.
    pub msg_text: Box<[u8]>,
    pub logdata: Option<Template>,
    /// `tag`s, each as written and as template.
    pub tags: Vec<(Box<[u8]>, Template)>,
    pub rev: Option<Box<[u8]>>,
    pub ver: Option<Box<[u8]>>,
    pub severity: Option<u8>,
    pub maturity: Option<u8>,
    pub accuracy: Option<u8>,
    pub status: Option<u16>,
    pub disruptive: Option<Disruptive>,
    pub pause: Option<Template>,
    pub skip: Option<u32>,
    pub skip_after: Option<(Box<[u8]>, Span)>,
    pub chain: bool,
    pub capture: bool,
    pub multi_match: bool,
    pub transforms: Vec<TransformStep>,
    pub log: Option<bool>,
    pub audit: Option<bool>,
    /// `setvar`, `ctl` and the like, in order.
    pub effects: Vec<(Action, Span)>,
    /// Something in the list could not be read and was reported: what is missing may be in it.
    pub broken: bool,
    /// `xmlns`: prefix and URI.
    pub xmlns: Vec<Namespace>,
}

/// An `xmlns`: prefix and URI.
pub(super) type Namespace = (Box<[u8]>, Box<[u8]>);

/// Where an action list stands; decides what may be in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// A rule that starts a chain or stands alone.
    Starter,
    /// A later rule of a chain.
    Link,
    /// SecDefaultAction.
    Default,
    /// SecRuleUpdateActionById.
    Update,
}

impl Compiler<'_> {
    /// Reads an action list. Entries with mistakes are reported and left out.
    pub(super) fn action_set(&mut self, word: &ast::Word, place: Place) -> ActionSet {
        let mut set = ActionSet::default();
        let before = self.diagnostics.len();
        for entry in seclang::actions(word, &mut self.diagnostics) {
            let Some(name) = Name::by_name(&entry.name) else {
                self.unknown_action(&entry);
                continue;
            };
            if !self.may_stand(name, &entry, place) {
                continue;
            }
            let value = entry.value.as_ref().map(|value| value.text.as_slice());
            match action::parse(name, value, &mut self.keys) {
                Ok(action) => {
                    if self.overlay_allows_action(name, &action, &entry, place) {
                        self.add_action(&mut set, action, &entry);
                    }
                }
                Err(error) => {
                    let mut diagnostic =
                        Diagnostic::new(error.code, entry.value_span(), error.message);
                    diagnostic.hint = error.hint;
                    self.report(diagnostic);
                }
            }
        }
        set.broken = self
            .diagnostics
            .iter()
            .skip(before)
            .any(|one| one.severity == Severity::Error);
        set
    }

    fn unknown_action(&mut self, entry: &ast::ActionExpr) {
        let name = shown(&entry.name);
        let mut diagnostic = Diagnostic::new(
            Code::UnknownAction,
            entry.span,
            format!("unknown action `{name}`"),
        );
        let names = Name::ALL.iter().map(|one| one.def().name);
        diagnostic.hint = suggest(&name, names)
            .map(|name| format!("did you mean `{name}`?"))
            .or_else(|| Some("a comma inside a value needs single quotes around the value".into()));
        self.report(diagnostic);
    }

    /// Whether an action may stand where it does; reports it if not.
    fn may_stand(&mut self, name: Name, entry: &ast::ActionExpr, place: Place) -> bool {
        let def = name.def();
        let (code, why) = match place {
            Place::Link
                if def.placement == Placement::Starter && def.group != Group::Disruptive =>
            {
                return self.in_chain(name, entry);
            }
            Place::Link if def.placement == Placement::Starter => (
                Code::ActionInChain,
                format!("`{}` may only stand on the first rule of a chain", def.name),
            ),
            Place::Default
                if matches!(
                    name,
                    Name::Id
                        | Name::Chain
                        | Name::Skip
                        | Name::SkipAfter
                        | Name::Msg
                        | Name::LogData
                        | Name::Rev
                        | Name::Ver
                        | Name::Severity
                        | Name::Maturity
                        | Name::Accuracy
                ) =>
            {
                (
                    Code::DefaultAction,
                    format!("`{}` may not stand in SecDefaultAction", def.name),
                )
            }
            // Rule sets for v3 write `deny,block`. What `block` stands for is what is being said here.
            Place::Default if name == Name::Block => {
                let message = "`block` is ignored in SecDefaultAction: it means what stands there";
                self.report(Diagnostic {
                    severity: Severity::Warning,
                    ..Diagnostic::new(Code::DefaultAction, entry.span, message)
                });
                return false;
            }
            Place::Update if matches!(name, Name::Id | Name::PhaseAction | Name::Chain) => (
                Code::ActionValue,
                format!("an update cannot change `{}`", def.name),
            ),
            _ => return true,
        };
        self.report(Diagnostic::new(code, entry.span, why));
        false
    }

    /// What v2 takes on the first rule of a chain only, v3 and Coraza on all: says what becomes of
    /// it, and whether it is of use.
    fn in_chain(&mut self, name: Name, entry: &ast::ActionExpr) -> bool {
        let ignored = matches!(name, Name::Id | Name::PhaseAction);
        let action = name.def().name;
        let message = if ignored {
            format!("`{action}` is ignored here: that of the first rule of the chain counts")
        } else {
            format!("`{action}` stands for the chain here, unless an earlier rule of it has one")
        };
        self.report(Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::new(Code::ActionInChain, entry.span, message)
                .hint("write it on the first rule of the chain")
        });
        !ignored
    }

    fn add_action(&mut self, set: &mut ActionSet, action: Action, entry: &ast::ActionExpr) {
        let text = || {
            entry
                .value
                .as_ref()
                .map_or_else(Box::default, |value| value.text.as_slice().into())
        };
        match action {
            Action::Id(id) => set.id = Some(id),
            Action::Phase(phase) => set.phase = Some(phase),
            Action::Msg(msg) => {
                set.msg = Some(msg);
                set.msg_text = text();
            }
            Action::LogData(data) => set.logdata = Some(data),
            Action::Tag(tag) => set.tags.push((text(), tag)),
            Action::Rev(rev) => set.rev = Some(rev),
            Action::Ver(ver) => set.ver = Some(ver),
            Action::Severity(severity) => set.severity = Some(severity),
            Action::Maturity(maturity) => set.maturity = Some(maturity),
            Action::Accuracy(accuracy) => set.accuracy = Some(accuracy),
            Action::Status(status) => set.status = Some(status),
            Action::Xmlns(prefix, uri) => set.xmlns.push((prefix, uri)),
            Action::Disruptive(disruptive) => set.disruptive = Some(disruptive),
            Action::Pause(milliseconds) => set.pause = Some(milliseconds),
            Action::Chain => set.chain = true,
            Action::Skip(count) => set.skip = Some(count),
            Action::SkipAfter(label) => set.skip_after = Some((label, entry.value_span())),
            Action::Capture => set.capture = true,
            Action::MultiMatch => set.multi_match = true,
            Action::Transform(step) => set.transforms.push(step),
            Action::Log(log) => {
                set.log = Some(log);
                set.audit = Some(log);
            }
            Action::AuditLog(audit) => set.audit = Some(audit),
            Action::NotCarriedOut(name) => self.not_carried_out(set, name, entry),
            Action::SetVar(_)
            | Action::Inject(..)
            | Action::ExpireVar(_)
            | Action::DeprecateVar(_)
            | Action::InitCol(_)
            | Action::SetEnv(..)
            | Action::Ctl(_)
            | Action::Sanitise(_) => set.effects.push((action, entry.value_span())),
        }
    }

    /// An action beyond the sandbox: a warning, and what comes nearest to it.
    fn not_carried_out(&mut self, set: &mut ActionSet, name: Name, entry: &ast::ActionExpr) {
        let message = match name {
            Name::Proxy => {
                set.disruptive = Some(Disruptive::Proxy);
                "`proxy` cannot choose another backend here: the rule denies with status 500"
            }
            _ => "`exec` is ignored: a sandboxed filter cannot run programs",
        };
        self.report(Diagnostic::new(Code::SandboxLimit, entry.span, message));
    }
}

impl ActionSet {
    /// The transformations of a rule: the default's first, then its own, `t:none` clearing.
    pub(super) fn chain(&self, default: Option<&Self>) -> Vec<Transformation> {
        let mut chain = Vec::new();
        let inherited = default.map_or(&[][..], |default| &default.transforms);
        for step in inherited.iter().chain(&self.transforms) {
            match *step {
                TransformStep::Clear => chain.clear(),
                TransformStep::Add(transformation) => chain.push(transformation),
                TransformStep::Remove(transformation) => {
                    chain.retain(|&earlier| earlier != transformation);
                }
            }
        }
        chain
    }

    /// The texts of log lines and decisions.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Template> {
        let redirect = match &self.disruptive {
            Some(Disruptive::Redirect(location)) => Some(location),
            _ => None,
        };
        let tags = self.tags.iter().map(|(_, tag)| tag);
        self.msg
            .iter()
            .chain(&self.logdata)
            .chain(tags)
            .chain(redirect)
            .chain(&self.pause)
    }

    /// All texts with macros.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let effects = self
            .effects
            .iter()
            .flat_map(|(action, _)| action.templates());
        self.texts().chain(effects)
    }

    /// Takes over what an update says: single values replace, lists grow.
    pub(super) fn update(&mut self, update: &Self) {
        fn replace<T: Clone>(old: &mut Option<T>, new: &Option<T>) {
            if new.is_some() {
                old.clone_from(new);
            }
        }
        if update.msg.is_some() {
            self.msg_text.clone_from(&update.msg_text);
        }
        replace(&mut self.msg, &update.msg);
        replace(&mut self.logdata, &update.logdata);
        replace(&mut self.rev, &update.rev);
        replace(&mut self.ver, &update.ver);
        replace(&mut self.severity, &update.severity);
        replace(&mut self.maturity, &update.maturity);
        replace(&mut self.accuracy, &update.accuracy);
        replace(&mut self.status, &update.status);
        replace(&mut self.disruptive, &update.disruptive);
        replace(&mut self.pause, &update.pause);
        replace(&mut self.skip, &update.skip);
        replace(&mut self.skip_after, &update.skip_after);
        replace(&mut self.log, &update.log);
        replace(&mut self.audit, &update.audit);
        self.capture |= update.capture;
        self.multi_match |= update.multi_match;
        self.tags.extend_from_slice(&update.tags);
        self.transforms.extend_from_slice(&update.transforms);
        self.effects.extend_from_slice(&update.effects);
        self.xmlns.extend_from_slice(&update.xmlns);
    }
}
