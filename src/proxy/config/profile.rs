//! Profiles: the named lists of directives of `directives_map`, of which one may extend another.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{
    Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

use super::json::{Keys, unreadable, value};
use super::values::Lines;
use crate::diagnostic::{Code, Diagnostic, suggest};

/// The keys of a profile that is an object.
pub const PROFILE_KEYS: &[(&str, &str)] = &[
    (
        "extends",
        "The profile whose directives come first. `SecRuleInheritance Off` among the directives takes its settings, but not its rules.",
    ),
    ("directives", "The directives: `[line, …]`."),
];

/// A named list of directives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Profile {
    /// Its key in `directives_map`.
    pub name: String,
    /// The profile it extends.
    pub extends: Option<String>,
    /// The directives, in the order written.
    pub directives: Vec<String>,
}

impl Profile {
    /// How messages name the directives. A slash would make their includes relative to a folder.
    pub fn source_name(&self) -> String {
        format!("directives_map.{}", self.name.replace('/', "."))
    }

    /// The directives as one text.
    pub fn text(&self) -> String {
        self.directives.join("\n")
    }

    fn key(&self) -> String {
        format!("directives_map.{}.extends", self.name)
    }
}

/// A profile by name.
pub(super) fn find(profiles: &[Profile], name: &str) -> Option<usize> {
    profiles.iter().position(|profile| profile.name == name)
}

/// A profile and all that it extends, the outermost first. A profile that extends itself
/// ([`check`] refuses it) ends where it would begin again.
pub(super) fn lineage(profiles: &[Profile], at: usize) -> Vec<&Profile> {
    let mut line: Vec<&Profile> = Vec::new();
    let mut next = profiles.get(at);
    while let Some(profile) = next.filter(|profile| line.iter().all(|one| one.name != profile.name))
    {
        line.push(profile);
        let parent = profile.extends.as_deref();
        next = parent.and_then(|name| profiles.iter().find(|one| one.name == name));
    }
    line.reverse();
    line
}

/// What is wrong with the names that `extends` holds.
pub(super) fn check(profiles: &[Profile]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    for (at, profile) in profiles.iter().enumerate() {
        let Some(parent) = profile.extends.as_deref() else {
            continue;
        };
        if find(profiles, parent).is_none() {
            problems.push(unknown(profiles, &profile.key(), parent));
            continue;
        }
        let line = lineage(profiles, at);
        let closes = |profile: &Profile, outermost: &&Profile| {
            outermost.extends.as_deref() == Some(profile.name.as_str())
        };
        let in_cycle = line
            .first()
            .is_some_and(|outermost| closes(profile, outermost));
        if in_cycle && !told.contains(&profile.name.as_str()) {
            let mut names: Vec<&str> = line.iter().rev().map(|one| one.name.as_str()).collect();
            told.extend(&names);
            names.push(&profile.name);
            let way: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let message = format!(
                "`{}`: the profile extends itself: {}",
                profile.key(),
                way.join(" extends ")
            );
            problems.push(Diagnostic::new(Code::ProfileCycle, None, message));
        }
    }
    problems
}

/// A name that stands for no profile.
pub(super) fn unknown(profiles: &[Profile], key: &str, name: &str) -> Diagnostic {
    let meant = suggest(name, profiles.iter().map(|profile| profile.name.as_str()));
    let hint = meant.map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"));
    let message = format!("`{key}` names `{name}`, which is not in `directives_map`{hint}");
    Diagnostic::new(Code::UnknownProfile, None, message)
}

/// What stands under a name: directives, or an object with them.
#[derive(Default)]
pub(super) struct Body {
    extends: Option<String>,
    directives: Vec<String>,
}

impl Body {
    pub(super) fn named(self, name: String) -> Profile {
        Profile {
            name,
            extends: self.extends,
            directives: self.directives,
        }
    }
}

impl From<Lines> for Body {
    fn from(lines: Lines) -> Self {
        Self {
            extends: None,
            directives: lines.0,
        }
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of directives, or an object with `extends` and `directives`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Body, E> {
        Lines::deserialize(text.into_deserializer()).map(Body::from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Body, A::Error> {
        Lines::deserialize(SeqAccessDeserializer::new(list)).map(Body::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let mut body = Body::default();
        let mut keys = Keys::new(PROFILE_KEYS);
        while let Some(key) = keys.next(&mut map)? {
            match key {
                "extends" => body.extends = Some(value(&mut map, key)?),
                "directives" => body.directives = value::<Lines, A>(&mut map, key)?.0,
                key => return Err(unreadable(key)),
            }
        }
        Ok(body)
    }
}
