//! `overlay_policy`: what overlays of a profile may do.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::json::{Keys, number, unreadable, value};
use super::values::Scalars;
use crate::action::RuleSpec;
use crate::compile::OverlayPolicy;
use crate::diagnostic::suggest;

/// The keys of `overlay_policy`.
pub const OVERLAY_KEYS: &[(&str, &str)] = &[
    (
        "directives",
        "The directives that may stand in an overlay, of those that add to, remove or change rules; default all of these but `SecRuleUpdateActionById`. No other directive can be allowed.",
    ),
    (
        "ids",
        "The ids that rules of an overlay may have: numbers and ranges; default `1-99999`.",
    ),
    (
        "locked",
        "Rules of the base that an overlay may not remove or change: ids, ranges, and `tag:…`. Always locked, unless `unlocked` names them, are all rules that do more than find something: those outside 910000-948999 and 950000-958999 (Core Rule Set) and 8010000-8099999 (baseline).",
    ),
    (
        "unlocked",
        "Rules of the base that an overlay may remove or change besides those that only find something.",
    ),
    (
        "variables",
        "TX variables of the base that an overlay may set. Those that the base does not use are free.",
    ),
    (
        "scores",
        "TX variables of the base that an overlay may add numbers to; default the scores of the Core Rule Set by paranoia level.",
    ),
    (
        "most_removed",
        "Most rules of the base that overlays may take out, for all requests or for some; default 100.",
    ),
];

/// The object.
pub(super) struct Policy(pub(super) OverlayPolicy);

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PolicyVisitor)
    }
}

struct PolicyVisitor;

impl<'de> Visitor<'de> for PolicyVisitor {
    type Value = Policy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Policy, A::Error> {
        let mut policy = OverlayPolicy::default();
        let mut keys = Keys::new(OVERLAY_KEYS);
        while let Some(key) = keys.next(&mut map)? {
            if key == "most_removed" {
                let most = number(&mut map, key, 0, 1_000_000)?;
                policy.most_removed = usize::try_from(most).unwrap_or(usize::MAX);
                continue;
            }
            let words = value::<Scalars, A>(&mut map, key)?.0;
            match key {
                "directives" => policy.directives = directives(&words, key)?,
                "ids" => policy.ids = ranges(&words, key)?,
                "locked" => policy.locked = rules(&words, key)?,
                "unlocked" => policy.unlocked = rules(&words, key)?,
                "variables" => policy.variables = variables(&words, key)?,
                "scores" => policy.scores = variables(&words, key)?,
                key => return Err(unreadable(key)),
            }
        }
        Ok(Policy(policy))
    }
}

fn directives<E: Error>(words: &[String], key: &str) -> Result<Vec<&'static str>, E> {
    let names = || OverlayPolicy::ALLOWABLE.iter().map(|(name, _)| *name);
    let mut found = Vec::new();
    for word in words {
        let Some(name) = names().find(|name| name.eq_ignore_ascii_case(word)) else {
            let hint = match suggest(word, names()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
            };
            return Err(E::custom(format!(
                "`{key}`: `{word}` cannot be allowed to overlays, {hint}"
            )));
        };
        found.push(name);
    }
    Ok(found)
}

fn ranges<E: Error>(words: &[String], key: &str) -> Result<Vec<(u64, u64)>, E> {
    let mut found = Vec::new();
    for word in words {
        match RuleSpec::ids(word.as_bytes()) {
            Ok(RuleSpec::Ids(ranges)) => found.extend_from_slice(&ranges),
            Ok(RuleSpec::Tag(_) | RuleSpec::Msg(_)) => {}
            Err(error) => return Err(E::custom(format!("`{key}`: {}", error.message))),
        }
    }
    Ok(found)
}

/// Ids, ranges, and tags.
fn rules<E: Error>(words: &[String], key: &str) -> Result<Vec<RuleSpec>, E> {
    words
        .iter()
        .map(|word| match word.strip_prefix("tag:") {
            Some("") => Err(E::custom(format!("`{key}`: a tag without a name"))),
            Some(tag) => Ok(RuleSpec::Tag(tag.as_bytes().into())),
            None => RuleSpec::ids(word.as_bytes())
                .map_err(|error| E::custom(format!("`{key}`: {}", error.message))),
        })
        .collect()
}

fn variables<E: Error>(words: &[String], key: &str) -> Result<Vec<String>, E> {
    words
        .iter()
        .map(|word| {
            let lower = word.to_ascii_lowercase();
            let name = lower
                .strip_prefix("tx.")
                .or_else(|| lower.strip_prefix("tx:"))
                .unwrap_or(&lower);
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '%') {
                return Err(E::custom(format!("`{key}`: `{word}` names no variable")));
            }
            Ok(name.to_owned())
        })
        .collect()
}
