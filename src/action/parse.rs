//! One entry of an action list, read.

use super::collection::{DeprecateVar, ExpireVar, InitCol};
use super::ctl::{self, Ctl};
use super::mask::Mask;
use super::setvar::{Change, SetVar};
use super::{Name, Phase};
use crate::diagnostic::Code;
use crate::template::Template;
use crate::transform::Transformation;
use crate::variable::{KeyTable, Variable};

/// An action with its value read.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// `id`: 1 to 18 digits.
    Id(u64),
    /// `phase`.
    Phase(Phase),
    /// `msg`.
    Msg(Template),
    /// `logdata`.
    LogData(Template),
    /// `tag`.
    Tag(Template),
    /// `rev`.
    Rev(Box<[u8]>),
    /// `ver`.
    Ver(Box<[u8]>),
    /// `severity`: 0 to 7.
    Severity(u8),
    /// `maturity`.
    Maturity(u8),
    /// `accuracy`.
    Accuracy(u8),
    /// `status`: 100 to 599.
    Status(u16),
    /// `xmlns`: prefix and URI.
    Xmlns(Box<[u8]>, Box<[u8]>),
    /// An action that decides.
    Disruptive(Disruptive),
    /// `pause`: milliseconds before the answer.
    Pause(Template),
    /// `chain`.
    Chain,
    /// `skip`.
    Skip(u32),
    /// `skipAfter`: a marker's label or a rule id.
    SkipAfter(Box<[u8]>),
    /// `capture`.
    Capture,
    /// `multiMatch`.
    MultiMatch,
    /// `t`.
    Transform(TransformStep),
    /// `log` or `nolog`.
    Log(bool),
    /// `auditlog` or `noauditlog`.
    AuditLog(bool),
    /// `setvar`.
    SetVar(SetVar),
    /// `expirevar`.
    ExpireVar(ExpireVar),
    /// `deprecatevar`.
    DeprecateVar(DeprecateVar),
    /// `initcol`, `setsid`, `setuid`, `setrsc`.
    InitCol(InitCol),
    /// `setenv`: the name, and its new value or none to remove it.
    SetEnv(Template, Option<Template>),
    /// `ctl`.
    Ctl(Ctl),
    /// `sanitise…`.
    Sanitise(Mask),
    /// `prepend` and `append`.
    Inject(Edge, Template),
    /// An action that a sandbox cannot carry out.
    NotCarriedOut(Name),
}

impl Action {
    /// The texts of an effect that may have macros in them.
    pub fn templates(&self) -> Vec<&Template> {
        let mut texts = Vec::new();
        match self {
            Self::SetVar(set) => {
                texts.extend(set.name.template());
                match &set.change {
                    Change::Unset => {}
                    Change::Set(value) | Change::Add(value) | Change::Subtract(value) => {
                        texts.push(value);
                    }
                }
            }
            Self::ExpireVar(expire) => {
                texts.extend(expire.name.template());
                texts.push(&expire.seconds);
            }
            Self::DeprecateVar(deprecate) => texts.extend(deprecate.name.template()),
            Self::InitCol(init) => texts.push(&init.key),
            Self::SetEnv(name, value) => {
                texts.push(name);
                texts.extend(value);
            }
            Self::Inject(_, text) => texts.push(text),
            _ => {}
        }
        texts
    }
}

/// Where `prepend` and `append` put their text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// Before the body.
    Start,
    /// After the body.
    End,
}

/// One `t:`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransformStep {
    /// `t:none`: forget all before.
    Clear,
    /// `t:name`.
    Add(Transformation),
    /// `t:-name`: forget the earlier ones of that name.
    Remove(Transformation),
}

/// What `allow` skips.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AllowScope {
    /// All phases but logging.
    All,
    /// The rest of this phase.
    Phase,
    /// Phases 1 and 2.
    Request,
}

/// An action that decides the transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Disruptive {
    /// Whatever the default action of the phase says.
    Block,
    /// Go on.
    Pass,
    /// Answer with the status.
    Deny,
    /// Close the connection.
    Drop,
    /// Answer with a redirection.
    Redirect(Template),
    /// Skip rules.
    Allow(AllowScope),
    /// Hand over to another backend. There is none to hand over to, so it denies as v2 does
    /// without mod_proxy.
    Proxy,
}

/// Why an action cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionError {
    /// The code of the message.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ActionError {
    /// A value that the action does not take.
    pub(super) fn value(message: impl Into<String>) -> Self {
        Self {
            code: Code::ActionValue,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Reads one action of a known name.
///
/// # Errors
/// A missing, superfluous or unreadable value.
pub fn parse(name: Name, value: Option<&[u8]>, keys: &mut KeyTable) -> Result<Action, ActionError> {
    let def = name.def();
    match (def.value, value) {
        (Some(true), None | Some(b"")) => {
            return Err(
                ActionError::value(format!("action `{}` needs a value", def.name))
                    .hint(format!("write `{}:VALUE`", def.name)),
            );
        }
        (Some(false), Some(value)) if !value.is_empty() => {
            return Err(ActionError::value(format!(
                "action `{}` takes no value",
                def.name
            )));
        }
        _ => {}
    }
    let text = value.unwrap_or_default();
    Ok(match name {
        Name::Id => Action::Id(id(text)?),
        Name::PhaseAction => Action::Phase(Phase::by_name(text).ok_or_else(|| {
            ActionError::value(format!("`{}` is not a phase", lossy(text)))
                .hint("phases are 1 to 5, `request` (2), `response` (4) and `logging` (5)")
        })?),
        Name::Msg => Action::Msg(template(text, keys)?),
        Name::LogData => Action::LogData(template(text, keys)?),
        Name::Tag => Action::Tag(template(text, keys)?),
        Name::Rev => Action::Rev(text.into()),
        Name::Ver => Action::Ver(text.into()),
        Name::Severity => Action::Severity(severity(text)?),
        Name::Maturity => Action::Maturity(number(name, text, 0, u8::MAX)?),
        Name::Accuracy => Action::Accuracy(number(name, text, 0, u8::MAX)?),
        Name::Status => Action::Status(number(name, text, 100, 599)?),
        Name::Xmlns => {
            let at = text.iter().position(|&byte| byte == b'=').ok_or_else(|| {
                ActionError::value("`xmlns` takes a prefix and a URI")
                    .hint("write `xmlns:prefix=URI`")
            })?;
            let (prefix, uri) = text.split_at_checked(at).unwrap_or_default();
            if !uri.contains(&b':') {
                // Namespaces in XML 1.0, section 2.2: a relative name is none.
                let message = "the namespace of `xmlns` is no URI: it names no scheme";
                return Err(ActionError::value(message)
                    .hint("write it as documents declare it, such as `http://…` or `urn:…`"));
            }
            Action::Xmlns(prefix.into(), uri.get(1..).unwrap_or_default().into())
        }
        Name::Block => Action::Disruptive(Disruptive::Block),
        Name::Pass => Action::Disruptive(Disruptive::Pass),
        Name::Deny => Action::Disruptive(Disruptive::Deny),
        Name::Drop => Action::Disruptive(Disruptive::Drop),
        Name::Redirect => Action::Disruptive(Disruptive::Redirect(template(text, keys)?)),
        Name::Allow => Action::Disruptive(Disruptive::Allow(
            match text.to_ascii_lowercase().as_slice() {
                b"" => AllowScope::All,
                b"phase" => AllowScope::Phase,
                b"request" => AllowScope::Request,
                _ => {
                    return Err(ActionError::value(format!(
                        "`allow` does not take `{}`",
                        lossy(text)
                    ))
                    .hint("write `allow`, `allow:phase` or `allow:request`"));
                }
            },
        )),
        Name::Chain => Action::Chain,
        Name::Skip => Action::Skip(number(name, text, 1, u32::MAX)?),
        Name::SkipAfter => Action::SkipAfter(text.into()),
        Name::Capture => Action::Capture,
        Name::MultiMatch => Action::MultiMatch,
        Name::T => Action::Transform(transform(text)?),
        Name::Log => Action::Log(true),
        Name::NoLog => Action::Log(false),
        Name::AuditLog => Action::AuditLog(true),
        Name::NoAuditLog => Action::AuditLog(false),
        Name::SetVar => Action::SetVar(SetVar::parse(text, keys)?),
        Name::ExpireVar => Action::ExpireVar(ExpireVar::parse(text, keys)?),
        Name::DeprecateVar => Action::DeprecateVar(DeprecateVar::parse(text, keys)?),
        Name::InitCol => Action::InitCol(InitCol::parse(text, keys)?),
        Name::SetSid => Action::InitCol(InitCol::of(Variable::Session, text, keys)?),
        Name::SetUid => Action::InitCol(InitCol::of(Variable::User, text, keys)?),
        Name::SetRsc => Action::InitCol(InitCol::of(Variable::Resource, text, keys)?),
        Name::SetEnv => set_env(text, keys)?,
        Name::Ctl => Action::Ctl(ctl::parse(text)?),
        Name::SanitiseArg
        | Name::SanitiseMatched
        | Name::SanitiseMatchedBytes
        | Name::SanitiseRequestHeader
        | Name::SanitiseResponseHeader => Action::Sanitise(Mask::parse(name, text)?),
        Name::Append => Action::Inject(Edge::End, template(text, keys)?),
        Name::Prepend => Action::Inject(Edge::Start, template(text, keys)?),
        Name::Pause => Action::Pause(template(text, keys)?),
        Name::Proxy => {
            template(text, keys)?;
            Action::NotCarriedOut(name)
        }
        Name::Exec => Action::NotCarriedOut(name),
    })
}

/// A text with macros; unknown names in it are errors.
pub(super) fn template(text: &[u8], keys: &mut KeyTable) -> Result<Template, ActionError> {
    Template::parse(text, keys).map_err(|error| ActionError {
        code: Code::MacroSyntax,
        message: format!("`%{{{}}}` names no variable", lossy(&error.name)),
        hint: Some("a macro is `%{VARIABLE}` or `%{COLLECTION.key}`".into()),
    })
}

/// Bytes as text for a message.
pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A whole number in a range, without sign.
pub(super) fn number<N>(name: Name, text: &[u8], least: N, most: N) -> Result<N, ActionError>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let parsed = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.trim().parse::<N>().ok());
    match parsed {
        Some(number) if number >= least && number <= most => Ok(number),
        _ => Err(ActionError::value(format!(
            "`{}` takes a number from {least} to {most}, not `{}`",
            name.def().name,
            lossy(text)
        ))),
    }
}

fn id(text: &[u8]) -> Result<u64, ActionError> {
    number(Name::Id, text, 1, 999_999_999_999_999_999)
}

/// 0 to 7, or one of the eight names.
fn severity(text: &[u8]) -> Result<u8, ActionError> {
    const NAMES: [&str; 8] = [
        "EMERGENCY",
        "ALERT",
        "CRITICAL",
        "ERROR",
        "WARNING",
        "NOTICE",
        "INFO",
        "DEBUG",
    ];
    let by_name = NAMES
        .iter()
        .position(|name| name.as_bytes().eq_ignore_ascii_case(text));
    match by_name.and_then(|at| u8::try_from(at).ok()) {
        Some(severity) => Ok(severity),
        None => number(Name::Severity, text, 0, 7)
            .map_err(|error| error.hint(format!("or one of {}", NAMES.join(", ")))),
    }
}

fn transform(text: &[u8]) -> Result<TransformStep, ActionError> {
    if text.eq_ignore_ascii_case(b"none") {
        return Ok(TransformStep::Clear);
    }
    let (remove, name) = match text.strip_prefix(b"-") {
        Some(name) => (true, name),
        None => (false, text),
    };
    let found = std::str::from_utf8(name)
        .ok()
        .and_then(Transformation::by_name);
    match found {
        Some(found) if remove => Ok(TransformStep::Remove(found)),
        Some(found) => Ok(TransformStep::Add(found)),
        None => Err(ActionError {
            code: Code::UnknownTransformation,
            message: format!("unknown transformation `{}`", lossy(name)),
            hint: crate::diagnostic::suggest(
                lossy(name),
                Transformation::ALL.iter().map(|one| one.def().name),
            )
            .map(|name| format!("did you mean `t:{name}`?")),
        }),
    }
}

/// `name=value`, `name` (sets `1`), `!name` (removes).
fn set_env(text: &[u8], keys: &mut KeyTable) -> Result<Action, ActionError> {
    if let Some(name) = text.strip_prefix(b"!") {
        return Ok(Action::SetEnv(template(name, keys)?, None));
    }
    let (name, value) = match text.iter().position(|&byte| byte == b'=') {
        Some(at) => {
            let (name, value) = text.split_at_checked(at).unwrap_or_default();
            (name, value.get(1..).unwrap_or_default())
        }
        None => (text, b"1".as_slice()),
    };
    Ok(Action::SetEnv(
        template(name, keys)?,
        Some(template(value, keys)?),
    ))
}
