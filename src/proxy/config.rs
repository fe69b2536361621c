//! The plugin configuration: a superset of coraza-proxy-wasm's JSON.
//!
//! Hosts hand it over as text, or (Envoy with a `google.protobuf.Struct`) in protobuf's binary
//! form; an empty one means the embedded default. Unknown keys are errors: a misspelt key would
//! otherwise switch protection off in silence.

mod audit_log;
mod debug_header;
mod denial;
mod json;
mod metadata;
mod overlay;
mod profile;
mod structure;
mod values;

use std::rc::Rc;

use super::denial::DenialPage;
use super::filter::Filter;
use super::inspect::Rules;
use super::selection::{ProfileMetadata, Selection};
use super::settings::Settings;
use super::shadow::Shadowed;
use super::vm::Vm;
use crate::compile::Layer;
use crate::diagnostic::{Code, Diagnostic, Severity, SourceMap};

pub use audit_log::AUDIT_LOG_KEYS;
pub use debug_header::DEBUG_HEADER_KEYS;
pub use denial::DENIAL_KEYS;
pub use json::KEYS;
pub use metadata::METADATA_KEYS;
pub use overlay::OVERLAY_KEYS;
pub use profile::{PROFILE_KEYS, Profile};

/// The rules of the strictest profile: it guards whatever no configured rule set is named for, and
/// everything where the configuration names no rules at all.
pub const STRICTEST: &[&str] = &["Include @demo-conf", "Include @baseline/*.conf"];

/// The name of [`STRICTEST`] in messages.
const STRICTEST_NAME: &str = "(embedded default)";

/// A plugin configuration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PluginConfig {
    /// Named lists of directives, in the order written.
    pub profiles: Vec<Profile>,
    /// The list for requests that none is named for.
    pub default_directives: Option<String>,
    /// The list for requests that nothing decides about; without it, [`STRICTEST`].
    pub strictest_directives: Option<String>,
    /// Routes and the lists they get.
    pub routes: Vec<(String, String)>,
    /// Where the metadata of a request names its list.
    pub metadata: Option<ProfileMetadata>,
    /// Authorities and the lists they get.
    pub authorities: Vec<(String, String)>,
    /// Files that the directives may name.
    pub data_files: Vec<(String, Vec<u8>)>,
    /// How the filter behaves.
    pub settings: Settings,
}

/// Why a configuration is refused, or what to know about it.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// The messages.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts they point into.
    pub sources: SourceMap,
}

impl Problems {
    /// Whether one of them refuses the configuration.
    pub fn is_fatal(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Each message as one line, with its severity: place, code, what is wrong, what to do, and
    /// the line it is about.
    pub fn lines(&self) -> impl Iterator<Item = (Severity, String)> {
        self.diagnostics
            .iter()
            .map(|it| (it.severity, self.one_line(it)))
    }

    fn one_line(&self, diagnostic: &Diagnostic) -> String {
        let mut line = String::new();
        if let Some(span) = diagnostic.span {
            let at = self.sources.location(span);
            let name = self.sources.name(span.source);
            line.push_str(&format!("{name}:{}:{}: ", at.line, at.column));
        }
        line.push_str(&format!(
            "{}: {}",
            diagnostic.code.as_str(),
            diagnostic.message
        ));
        if let Some(hint) = &diagnostic.hint {
            line.push_str(&format!(" ({hint})"));
        }
        for (span, label) in &diagnostic.related {
            let at = self.sources.location(*span);
            line.push_str(&format!(
                "; {label}: {}:{}",
                self.sources.name(span.source),
                at.line
            ));
        }
        if let Some(span) = diagnostic.span {
            let text = self
                .sources
                .line(span.source, self.sources.location(span).line);
            line.push_str(&format!(" | {}", String::from_utf8_lossy(text).trim()));
        }
        line
    }
}

impl PluginConfig {
    /// Whether the host hands no configuration over: there is nothing, or nothing but blanks.
    pub fn is_absent(bytes: &[u8]) -> bool {
        without_mark(bytes).trim_ascii().is_empty()
    }

    /// Reads a configuration as the host hands it over.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problems> {
        if Self::is_absent(bytes) {
            return Ok(Self::default());
        }
        let text = without_mark(bytes);
        let refused = match json::read(text, "plugin configuration") {
            Ok(config) => return config.checked(),
            Err(problems) => problems,
        };
        // A Struct begins with the tag of its first field, which in JSON text is a line feed.
        match structure::to_json(text) {
            Some(text) => json::read(text.as_bytes(), "plugin configuration (Struct)")?.checked(),
            None => Err(refused),
        }
    }

    /// Compiles the rule sets and makes the filter of them. `compile` is called once for each
    /// different list of directives, with its [`PluginConfig::lineages`], and what it returns is
    /// shared; and once more for each shadow, under whose name it shares nothing that rules can write
    /// with those that decide. `None` if it refused one of them.
    pub fn build<R: Rules + Clone>(
        &self,
        vm: Rc<Vm>,
        mut compile: impl FnMut(&[Layer], Option<&str>) -> Option<R>,
    ) -> Option<Filter<Shadowed<R>>> {
        let mut compiled: Vec<(Vec<Layer>, Option<R>)> = Vec::new();
        let mut profiles = Vec::new();
        let lineages = self.lineages();
        for lineage in &lineages {
            let known = compiled.iter().find(|(known, _)| equal(known, lineage));
            let rules = match known {
                Some((_, rules)) => rules.clone(),
                None => {
                    let rules = compile(lineage, None);
                    compiled.push((lineage.clone(), rules.clone()));
                    rules
                }
            };
            profiles.push(rules);
        }
        // All are compiled before one is missed, so that all mistakes are told at once.
        let profiles = profiles.into_iter().collect::<Option<Vec<R>>>()?;
        let mut shadowed = Vec::new();
        for (at, rules) in profiles.into_iter().enumerate() {
            let shadow = self.profiles.get(at).and_then(|it| it.shadow.as_deref());
            let place = shadow.and_then(|name| profile::find(&self.profiles, name));
            let lineage = place.and_then(|at| lineages.get(at));
            // Equal ones are compiled under one name, so that there is one program.
            let lineage = lineage.and_then(|it| lineages.iter().find(|other| equal(other, it)));
            shadowed.push(match (shadow, lineage) {
                (Some(name), Some(lineage)) => {
                    Shadowed::new(rules, name, compile(lineage, Some(name))?)
                }
                _ => Shadowed::alone(rules),
            });
        }
        let filter = Filter::new(self.settings.clone(), shadowed, self.selection(), vm);
        let filter = filter.with_pages(self.pages());
        if self
            .profiles
            .len()
            .saturating_add(usize::from(self.needs_strictest()))
            < 2
        {
            return Some(filter);
        }
        let names = self.profiles.iter().map(|profile| profile.name.as_str());
        Some(filter.with_names(names.chain(["embedded-default"])))
    }

    /// What every profile is made of, in the order of [`PluginConfig::profiles`], and the strictest
    /// one where it is needed: its own directives behind those that it extends.
    pub fn lineages(&self) -> Vec<Vec<Layer>> {
        let mut lineages: Vec<Vec<Layer>> = (0..self.profiles.len())
            .map(|at| profile::layers(&profile::lineage(&self.profiles, at)))
            .collect();
        if self.needs_strictest() {
            let strictest = Profile {
                name: STRICTEST_NAME.to_owned(),
                directives: STRICTEST.iter().map(|&line| line.to_owned()).collect(),
                ..Profile::default()
            };
            lineages.push(profile::layers(&[&strictest]));
        }
        lineages
    }

    /// Those of [`PluginConfig::lineages`] that differ in what they are made of, each under the name
    /// that [`PluginConfig::build`] compiles it under.
    pub(super) fn distinct_lineages(&self) -> Vec<Vec<Layer>> {
        let mut distinct: Vec<Vec<Layer>> = Vec::new();
        for lineage in self.lineages() {
            if !distinct.iter().any(|known| equal(known, &lineage)) {
                distinct.push(lineage);
            }
        }
        distinct
    }

    /// What denials look like, by profile.
    fn pages(&self) -> Vec<DenialPage> {
        let lineages = (0..self.profiles.len()).map(|at| profile::lineage(&self.profiles, at));
        let page = |lineage: Vec<&Profile>| {
            let general = self.settings.denial.clone();
            lineage
                .into_iter()
                .fold(general, |page, profile| profile.denial.over(&page))
        };
        lineages.map(page).collect()
    }

    /// Whether some requests are guarded by [`STRICTEST`]: no rule set is named for them, or one
    /// that does not exist may be.
    pub fn needs_strictest(&self) -> bool {
        let doubtful = self.default_directives.is_none() || self.metadata.is_some();
        doubtful && self.strictest_directives.is_none()
    }

    /// Whether requests differ in what they get.
    pub(super) fn selects(&self) -> bool {
        !self.routes.is_empty() || !self.authorities.is_empty() || self.metadata.is_some()
    }

    /// Names must lead somewhere.
    fn checked(self) -> Result<Self, Problems> {
        let mut found = profile::check(&self.profiles);
        let named = [
            ("default_directives", &self.default_directives),
            ("strictest_directives", &self.strictest_directives),
        ];
        for (key, name) in named {
            if let Some(name) = name
                && profile::find(&self.profiles, name).is_none()
            {
                found.push(profile::unknown(&self.profiles, key, name));
            }
        }
        let _: Selection = self.tables(&mut found);
        if found.is_empty() {
            return Ok(self);
        }
        Err(Problems {
            diagnostics: found,
            sources: SourceMap::default(),
        })
    }

    /// Which request gets which list of directives, by its place in
    /// [`PluginConfig::profiles`]; the embedded strictest profile stands behind the named ones.
    pub fn selection(&self) -> Selection {
        // All keys were checked before.
        self.tables(&mut Vec::new())
    }

    fn tables(&self, problems: &mut Vec<Diagnostic>) -> Selection {
        let find = |name: &String| profile::find(&self.profiles, name);
        let strictest = self.strictest_directives.as_ref().and_then(find);
        let strictest = strictest.unwrap_or(self.profiles.len());
        let mut selection = Selection {
            default: self.default_directives.as_ref().and_then(find),
            strictest,
            ..Selection::default()
        };
        if !self.selects() {
            selection.default.get_or_insert(strictest);
        }
        if let Some(metadata) = &self.metadata {
            let names = self.profiles.iter().enumerate();
            let names = names.map(|(at, profile)| (profile.name.clone().into_bytes(), at));
            selection.metadata = Some((metadata.clone(), names.collect()));
        }
        for (route, name) in &self.routes {
            match find(name) {
                Some(place) => selection.routes.insert(route, place),
                None => {
                    let key = format!("per_route_directives.{route}");
                    problems.push(profile::unknown(&self.profiles, &key, name));
                }
            }
        }
        for (authority, name) in &self.authorities {
            let key = format!("per_authority_directives.{authority}");
            match find(name) {
                None => problems.push(profile::unknown(&self.profiles, &key, name)),
                Some(place) => {
                    if let Err(why) = selection.authorities.insert(authority, place) {
                        let message = format!("`{key}` {why}");
                        problems.push(Diagnostic::new(Code::PluginConfig, None, message));
                    }
                }
            }
        }
        selection
    }
}

/// A text without the mark that some editors put before it.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Whether two profiles are made of the same, whatever they are called.
fn equal(one: &[Layer], other: &[Layer]) -> bool {
    let content = |layer: &Layer| (layer.text.clone(), layer.overlay.clone());
    one.iter().map(content).eq(other.iter().map(content))
}

#[cfg(test)]
mod tests;
