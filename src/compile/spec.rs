//! Which rules a removal or update means.

use super::draft::Draft;
use crate::action::RuleSpec;
use crate::matching::{Dialect, Pattern, Scratch};

/// A [`RuleSpec`] ready to ask.
pub(super) enum RuleMatcher<'a> {
    Ids(&'a [(u64, u64)]),
    Tag(Text<'a>),
    Msg(Text<'a>),
}

/// A tag or message: v3 and Coraza compare it, v2 takes it as a pattern; here either will do.
pub(super) struct Text<'a> {
    exact: &'a [u8],
    pattern: Option<Pattern>,
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
    pub(super) fn matches(&self, rule: &Draft, scratch: &mut Scratch) -> bool {
        match self {
            Self::Ids(ranges) => {
                let id = rule.id();
                id != 0
                    && ranges
                        .iter()
                        .any(|&(first, last)| (first..=last).contains(&id))
            }
            Self::Tag(text) => {
                let mut tags = rule.actions.tags.iter();
                tags.any(|(tag, _)| text.matches(tag, scratch))
            }
            Self::Msg(text) => {
                rule.actions.msg.is_some() && text.matches(&rule.actions.msg_text, scratch)
            }
        }
    }
}

impl<'a> Text<'a> {
    fn new(exact: &'a [u8]) -> Self {
        Self {
            exact,
            pattern: Pattern::new(exact, Dialect::default()).ok(),
        }
    }

    fn matches(&self, text: &[u8], scratch: &mut Scratch) -> bool {
        text == self.exact
            || self
                .pattern
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(text, scratch))
    }
}
