//! Profiles: the named lists of directives of `directives_map`, of which one may extend another.

use std::fmt;
use std::sync::Arc;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{
    Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

use super::denial::Denial;
use super::json::{Keys, unreadable, value};
use super::overlay::Policy;
use super::values::Lines;
use crate::compile::{Layer, OverlayPolicy};
use crate::diagnostic::{Code, Diagnostic, suggest};
use crate::proxy::denial::DenialChange;

/// The keys of a profile that is an object.
pub const PROFILE_KEYS: &[(&str, &str)] = &[
    (
        "extends",
        "The profile whose directives come first. `SecRuleInheritance Off` among the directives takes its settings, but not its rules.",
    ),
    ("directives", "The directives: `[line, …]`."),
    (
        "denial",
        "What denials of this profile look like, as `denial` says it for all; what is not said here is as in the profile that it extends.",
    ),
    (
        "shadow",
        "A profile that runs on the same requests without effect: what it would have denied is logged and counted.",
    ),
    (
        "overlay",
        "`true`: what stands here may only do what the base allows: the profile it extends, directly or through other overlays. Default `false`.",
    ),
    (
        "overlay_policy",
        "What overlays of this profile may do: an object with the keys `directives`, `ids`, `locked`, `unlocked`, `variables`, `scores`, `most_removed`.",
    ),
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
    /// What its denials look like.
    pub denial: DenialChange,
    /// The profile in its shadow.
    pub shadow: Option<String>,
    /// Whether it is an overlay.
    pub overlay: bool,
    /// What its overlays may do.
    pub policy: Option<Arc<OverlayPolicy>>,
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

    fn key(&self, key: &str) -> String {
        format!("directives_map.{}.{key}", self.name)
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

/// What a profile is compiled of. An overlay is under the policy of the nearest profile before it
/// that is none and has one, else under the default.
pub(super) fn layers(lineage: &[&Profile]) -> Vec<Layer> {
    let mut policy = Arc::default();
    let mut layers = Vec::new();
    for profile in lineage {
        if let Some(own) = profile.policy.as_ref().filter(|_| !profile.overlay) {
            policy = Arc::clone(own);
        }
        layers.push(Layer {
            name: profile.source_name(),
            text: profile.text().into_bytes(),
            overlay: profile.overlay.then(|| Arc::clone(&policy)),
        });
    }
    layers
}

/// What is wrong with profiles that extend others.
pub(super) fn check(profiles: &[Profile]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    for (at, profile) in profiles.iter().enumerate() {
        match profile.shadow.as_deref() {
            Some(name) if find(profiles, name).is_none() => {
                problems.push(unknown(profiles, &profile.key("shadow"), name));
            }
            Some(name) if name == profile.name => {
                let key = profile.key("shadow");
                let message = format!("`{key}`: a profile cannot be its own shadow");
                problems.push(Diagnostic::new(Code::PluginConfig, None, message));
            }
            _ => {}
        }
        if profile.overlay && profile.policy.is_some() {
            let key = profile.key("overlay_policy");
            let message = format!("`{key}` stands in an overlay: only a base has one");
            problems.push(Diagnostic::new(Code::PluginConfig, None, message));
        }
        let Some(parent) = profile.extends.as_deref() else {
            if profile.overlay {
                let key = profile.key("overlay");
                let message = format!("`{key}`: an overlay needs a base that it `extends`");
                problems.push(Diagnostic::new(Code::PluginConfig, None, message));
            }
            continue;
        };
        if find(profiles, parent).is_none() {
            problems.push(unknown(profiles, &profile.key("extends"), parent));
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
                profile.key("extends"),
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
    profile: Profile,
}

impl Body {
    pub(super) fn named(self, name: String) -> Profile {
        Profile {
            name,
            ..self.profile
        }
    }
}

impl From<Lines> for Body {
    fn from(lines: Lines) -> Self {
        Self {
            profile: Profile {
                directives: lines.0,
                ..Profile::default()
            },
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
        let mut profile = Profile::default();
        let mut keys = Keys::new(PROFILE_KEYS);
        while let Some(key) = keys.next(&mut map)? {
            match key {
                "extends" => profile.extends = Some(value(&mut map, key)?),
                "directives" => profile.directives = value::<Lines, A>(&mut map, key)?.0,
                "denial" => profile.denial = value::<Denial, A>(&mut map, key)?.0,
                "shadow" => profile.shadow = Some(value(&mut map, key)?),
                "overlay" => profile.overlay = value(&mut map, key)?,
                "overlay_policy" => {
                    profile.policy = Some(Arc::new(value::<Policy, A>(&mut map, key)?.0));
                }
                key => return Err(unreadable(key)),
            }
        }
        Ok(Body { profile })
    }
}
