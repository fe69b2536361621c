//! `ctl`: changes of the engine for one transaction. Reference: ModSecurity manual, "ctl"; options
//! of v2, v3 and Coraza.

use super::parse::{ActionError, lossy};
use crate::diagnostic::{Code, suggest};

/// One `ctl`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ctl {
    /// `ruleEngine=On|Off|DetectionOnly`.
    RuleEngine(SwitchMode),
    /// `ruleRemoveById`, `ruleRemoveByTag`, `ruleRemoveByMsg`.
    RuleRemove(RuleSpec),
    /// `ruleRemoveTargetById`, `…ByTag`, `…ByMsg`: the rules, and the list of targets as written.
    RuleRemoveTarget(RuleSpec, Box<[u8]>),
    /// `requestBodyAccess`.
    RequestBodyAccess(bool),
    /// `requestBodyProcessor`: the name in upper case.
    RequestBodyProcessor(Box<str>),
    /// `forceRequestBodyVariable`.
    ForceRequestBodyVariable(bool),
    /// `requestBodyLimit`, in bytes.
    RequestBodyLimit(u64),
    /// `responseBodyAccess`.
    ResponseBodyAccess(bool),
    /// `responseBodyLimit`, in bytes.
    ResponseBodyLimit(u64),
    /// `auditEngine=On|Off|RelevantOnly`.
    AuditEngine(SwitchMode),
    /// `auditLogParts`: `+` or `-` and letters, or letters alone.
    AuditLogParts(Box<[u8]>),
    /// `debugLogLevel`: 0 to 9.
    DebugLogLevel(u8),
    /// `parseXmlIntoArgs`.
    ParseXmlIntoArgs(XmlArgs),
    /// `responseBodyProcessor` (Coraza's): the name in upper case.
    ResponseBodyProcessor(Box<str>),
    /// `forceResponseBodyVariable` (Coraza's): RESPONSE_BODY is there in any case.
    ForceResponseBodyVariable,
    /// An option without a meaning here; the name.
    Ignored(&'static str),
}

/// On, Off, or the third state of the switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SwitchMode {
    /// `On`.
    On,
    /// `Off`.
    Off,
    /// `DetectionOnly` or `RelevantOnly`.
    Third,
}

/// Whether leaves of XML documents become arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum XmlArgs {
    /// No.
    #[default]
    Off,
    /// Yes, and XML is there as well.
    On,
    /// Yes, and XML is empty.
    OnlyArgs,
}

/// Which rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RuleSpec {
    /// Ranges of ids, both ends included.
    Ids(Box<[(u64, u64)]>),
    /// Rules with a tag.
    Tag(Box<[u8]>),
    /// Rules with a message.
    Msg(Box<[u8]>),
}

impl RuleSpec {
    /// Reads ids and ranges, parted by blanks or commas: `100 200-299,"300"`.
    ///
    /// # Errors
    /// The part that is neither, or a range that runs backwards.
    pub fn ids(text: &[u8]) -> Result<Self, ActionError> {
        let mut ranges = Vec::new();
        let parts = text
            .split(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b'"' | b'\''))
            .filter(|part| !part.is_empty());
        for part in parts {
            let bad = || {
                ActionError::value(format!(
                    "`{}` is neither a rule id nor a range",
                    lossy(part)
                ))
                .hint("write ids such as `100` and ranges such as `100-199`")
            };
            let text = std::str::from_utf8(part).map_err(|_| bad())?;
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let first: u64 = first.trim().parse().map_err(|_| bad())?;
            let last: u64 = last.trim().parse().map_err(|_| bad())?;
            if last < first {
                return Err(ActionError::value(format!(
                    "the range `{text}` runs backwards"
                )));
            }
            ranges.push((first, last));
        }
        if ranges.is_empty() {
            return Err(ActionError::value("no rule id is given"));
        }
        Ok(Self::Ids(ranges.into()))
    }
}

/// The options, as the manual spells them.
const OPTIONS: [&str; 20] = [
    "auditEngine",
    "auditLogParts",
    "debugLogLevel",
    "forceRequestBodyVariable",
    "forceResponseBodyVariable",
    "hashEnforcement",
    "hashEngine",
    "parseXmlIntoArgs",
    "requestBodyAccess",
    "requestBodyLimit",
    "requestBodyProcessor",
    "responseBodyAccess",
    "responseBodyLimit",
    "responseBodyProcessor",
    "ruleEngine",
    "ruleRemoveById",
    "ruleRemoveByMsg",
    "ruleRemoveByTag",
    "ruleRemoveTargetById",
    "ruleRemoveTargetByTag",
];

/// Reads `option=value`.
pub(super) fn parse(text: &[u8]) -> Result<Ctl, ActionError> {
    let at = text.iter().position(|&byte| byte == b'=').ok_or_else(|| {
        ActionError::value("`ctl` takes an option and a value").hint("write `ctl:option=value`")
    })?;
    let (option, value) = text.split_at_checked(at).unwrap_or_default();
    let option = lossy(option.trim_ascii());
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    let third = |name: &str| switch(&option, value, Some(name));
    let flag = || Ok::<_, ActionError>(switch(&option, value, None)? == SwitchMode::On);
    let targets = |spec: fn(&[u8]) -> Result<RuleSpec, ActionError>| {
        let (rules, targets) = split_targets(&option, value)?;
        Ok::<_, ActionError>(Ctl::RuleRemoveTarget(spec(rules)?, targets.into()))
    };
    match option.to_ascii_lowercase().as_str() {
        "ruleengine" => Ok(Ctl::RuleEngine(third("DetectionOnly")?)),
        "auditengine" => Ok(Ctl::AuditEngine(third("RelevantOnly")?)),
        "ruleremovebyid" => Ok(Ctl::RuleRemove(RuleSpec::ids(value)?)),
        "ruleremovebytag" => Ok(Ctl::RuleRemove(RuleSpec::Tag(value.into()))),
        "ruleremovebymsg" => Ok(Ctl::RuleRemove(RuleSpec::Msg(value.into()))),
        "ruleremovetargetbyid" => targets(RuleSpec::ids),
        "ruleremovetargetbytag" => targets(|tag| Ok(RuleSpec::Tag(tag.into()))),
        "ruleremovetargetbymsg" => targets(|msg| Ok(RuleSpec::Msg(msg.into()))),
        "requestbodyaccess" => Ok(Ctl::RequestBodyAccess(flag()?)),
        "responsebodyaccess" => Ok(Ctl::ResponseBodyAccess(flag()?)),
        "forcerequestbodyvariable" => Ok(Ctl::ForceRequestBodyVariable(flag()?)),
        "requestbodylimit" => Ok(Ctl::RequestBodyLimit(bytes(&option, value)?)),
        "responsebodylimit" => Ok(Ctl::ResponseBodyLimit(bytes(&option, value)?)),
        "requestbodyprocessor" => Ok(Ctl::RequestBodyProcessor(
            lossy(value).to_ascii_uppercase().into(),
        )),
        "auditlogparts" => audit_log_parts(value),
        "debugloglevel" => match value {
            [digit @ b'0'..=b'9'] => Ok(Ctl::DebugLogLevel(digit.saturating_sub(b'0'))),
            _ => Err(ActionError::value(
                "`ctl:debugLogLevel` takes a digit from 0 to 9",
            )),
        },
        "parsexmlintoargs" => match value.to_ascii_lowercase().as_slice() {
            b"on" => Ok(Ctl::ParseXmlIntoArgs(XmlArgs::On)),
            b"off" => Ok(Ctl::ParseXmlIntoArgs(XmlArgs::Off)),
            b"onlyargs" => Ok(Ctl::ParseXmlIntoArgs(XmlArgs::OnlyArgs)),
            _ => Err(ActionError::value(
                "`ctl:parseXmlIntoArgs` takes On, Off or OnlyArgs",
            )),
        },
        "hashengine" => Ok(Ctl::Ignored("hashEngine")),
        "hashenforcement" => Ok(Ctl::Ignored("hashEnforcement")),
        "responsebodyprocessor" => Ok(Ctl::ResponseBodyProcessor(
            lossy(value).to_ascii_uppercase().into(),
        )),
        "forceresponsebodyvariable" => flag().map(|_| Ctl::ForceResponseBodyVariable),
        _ => Err(ActionError {
            code: Code::UnknownCtl,
            message: format!("unknown option `{option}` of `ctl`"),
            hint: suggest(&option, OPTIONS).map(|name| format!("did you mean `ctl:{name}`?")),
        }),
    }
}

fn switch(option: &str, value: &[u8], third: Option<&str>) -> Result<SwitchMode, ActionError> {
    match value.to_ascii_lowercase().as_slice() {
        b"on" => Ok(SwitchMode::On),
        b"off" => Ok(SwitchMode::Off),
        other if third.is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(other)) => {
            Ok(SwitchMode::Third)
        }
        _ => Err(ActionError::value(match third {
            Some(name) => format!("`ctl:{option}` takes On, Off or {name}"),
            None => format!("`ctl:{option}` takes On or Off"),
        })),
    }
}

fn bytes(option: &str, value: &[u8]) -> Result<u64, ActionError> {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| ActionError::value(format!("`ctl:{option}` takes a number of bytes")))
}

/// `rules;targets`.
fn split_targets<'a>(option: &str, value: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), ActionError> {
    let at = value.iter().position(|&byte| byte == b';').ok_or_else(|| {
        ActionError::value(format!("`ctl:{option}` takes rules and targets")).hint(format!(
            "write `ctl:{option}=RULES;TARGET`, such as `…;ARGS:name`"
        ))
    })?;
    let (rules, targets) = value.split_at_checked(at).unwrap_or_default();
    Ok((
        rules.trim_ascii(),
        targets.get(1..).unwrap_or_default().trim_ascii(),
    ))
}

fn audit_log_parts(value: &[u8]) -> Result<Ctl, ActionError> {
    let letters = value
        .strip_prefix(b"+")
        .or_else(|| value.strip_prefix(b"-"))
        .unwrap_or(value);
    if letters.is_empty()
        || !letters
            .iter()
            .all(|byte| matches!(byte, b'A'..=b'K' | b'Z'))
    {
        return Err(
            ActionError::value("`ctl:auditLogParts` takes letters from A to K and Z")
                .hint("with `+` or `-` before them to add or remove parts"),
        );
    }
    Ok(Ctl::AuditLogParts(value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        assert_eq!(
            parse(b"ruleEngine=detectionOnly"),
            Ok(Ctl::RuleEngine(SwitchMode::Third))
        );
        let ids = RuleSpec::Ids([(1, 1), (5, 9)].into());
        assert_eq!(parse(b"ruleRemoveById=1, 5-9"), Ok(Ctl::RuleRemove(ids)));
        let tag = RuleSpec::Tag(b"a/b".as_slice().into());
        assert_eq!(
            parse(b"RULEREMOVETARGETBYTAG=a/b;ARGS:x"),
            Ok(Ctl::RuleRemoveTarget(tag, b"ARGS:x".as_slice().into()))
        );
    }

    #[test]
    fn mistakes_are_told() {
        assert_eq!(parse(b"ruleEngin=On").unwrap_err().code, Code::UnknownCtl);
        for text in [
            b"ruleEngine=Maybe".as_slice(),
            b"ruleRemoveById=9-5",
            b"ruleRemoveById=x",
        ] {
            assert_eq!(parse(text).unwrap_err().code, Code::ActionValue);
        }
        assert!(parse(b"ruleRemoveTargetById=1").is_err());
        assert!(parse(b"noequals").is_err());
    }
}
