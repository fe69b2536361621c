//! Which rules a removal or update means.

use regex_lite::Regex;

use super::draft::Draft;
use crate::action::RuleSpec;

/// A [`RuleSpec`] ready to ask.
pub(super) enum RuleMatcher<'a> {
    Ids(&'a [(u64, u64)]),
    Tag(Text<'a>),
    Msg(Text<'a>),
}

/// A tag or message: v3 and Coraza compare it, v2 takes it as a pattern; here either will do.
pub(super) struct Text<'a> {
    exact: &'a [u8],
    pattern: Option<Regex>,
}

impl<'a> RuleMatcher<'a> {
    pub(super) fn new(spec: &'a RuleSpec) -> Self {
        match spec {
            RuleSpec::Ids(ranges) => Self::Ids(ranges),
            RuleSpec::Tag(tag) => Self::Tag(Text::new(tag)),
            RuleSpec::Msg(msg) => Self::Msg(Text::new(msg)),
        }
    }

    /// Whether a rule (the starter of a chain) is meant.
    pub(super) fn matches(&self, rule: &Draft) -> bool {
        match self {
            Self::Ids(ranges) => {
                let id = rule.id();
                id != 0
                    && ranges
                        .iter()
                        .any(|&(first, last)| (first..=last).contains(&id))
            }
            Self::Tag(text) => rule.actions.tags.iter().any(|(tag, _)| text.matches(tag)),
            Self::Msg(text) => rule.actions.msg.is_some() && text.matches(&rule.actions.msg_text),
        }
    }
}

impl<'a> Text<'a> {
    fn new(exact: &'a [u8]) -> Self {
        let pattern: String = exact.iter().map(|&byte| char::from(byte)).collect();
        Self {
            exact,
            pattern: Regex::new(&format!("(?s){pattern}")).ok(),
        }
    }

    fn matches(&self, text: &[u8]) -> bool {
        let latin1 = || {
            text.iter()
                .map(|&byte| char::from(byte))
                .collect::<String>()
        };
        text == self.exact
            || self
                .pattern
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(&latin1()))
    }
}
