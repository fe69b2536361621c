//! The plugin configuration: a superset of coraza-proxy-wasm's JSON.
//!
//! Hosts hand it over as text, or (Envoy with a `google.protobuf.Struct`) in protobuf's binary
//! form; an empty one means the embedded default. Unknown keys are errors: a misspelt key would
//! otherwise switch protection off in silence.

mod json;
mod profile;
mod structure;
mod values;

use std::collections::HashMap;
use std::rc::Rc;

use super::authority::Authorities;
use super::filter::Filter;
use super::inspect::Rules;
use super::settings::Settings;
use super::vm::Vm;
use crate::diagnostic::{Code, Diagnostic, Severity, SourceMap};

pub use json::{DENIAL_KEYS, KEYS};
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
    /// The list for authorities that none is named for.
    pub default_directives: Option<String>,
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
    /// Reads a configuration as the host hands it over.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problems> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
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
    /// different list of directives, with its [`PluginConfig::lineages`]; what it returns is
    /// shared. `None` if it refused one of them.
    pub fn build<R: Rules + Clone>(
        &self,
        vm: Rc<Vm>,
        mut compile: impl FnMut(&[(String, String)]) -> Option<R>,
    ) -> Option<Filter<R>> {
        let mut compiled: HashMap<Vec<String>, Option<R>> = HashMap::new();
        let mut profiles = Vec::new();
        for lineage in self.lineages() {
            let texts = lineage.iter().map(|(_, text)| text.clone()).collect();
            let rules = compiled.entry(texts).or_insert_with(|| compile(&lineage));
            profiles.push(rules.clone());
        }
        // All are compiled before one is missed, so that all mistakes are told at once.
        let profiles = profiles.into_iter().collect::<Option<Vec<R>>>()?;
        Some(Filter::new(
            self.settings.clone(),
            profiles,
            self.table(),
            vm,
        ))
    }

    /// What every profile is made of, in the order of [`PluginConfig::profiles`], and the strictest
    /// one where it is needed: the name and the text of each list of directives, the profile's own
    /// behind those that it extends.
    pub fn lineages(&self) -> Vec<Vec<(String, String)>> {
        let strictest = Profile {
            name: STRICTEST_NAME.to_owned(),
            extends: None,
            directives: STRICTEST.iter().map(|&line| line.to_owned()).collect(),
        };
        let source = |profile: &Profile| (profile.source_name(), profile.text());
        let mut lineages: Vec<Vec<(String, String)>> = (0..self.profiles.len())
            .map(|at| profile::lineage(&self.profiles, at))
            .map(|lineage| lineage.into_iter().map(source).collect())
            .collect();
        if self.needs_strictest() {
            lineages.push(vec![source(&strictest)]);
        }
        lineages
    }

    /// Whether some requests are guarded by [`STRICTEST`] because no rule set is named for them.
    pub fn needs_strictest(&self) -> bool {
        self.default_directives.is_none()
    }

    /// Names must lead somewhere.
    fn checked(self) -> Result<Self, Problems> {
        let mut found = profile::check(&self.profiles);
        let place = |name: &str| profile::find(&self.profiles, name);
        let unknown = |key: &str, name: &str| profile::unknown(&self.profiles, key, name);
        if let Some(name) = &self.default_directives
            && place(name).is_none()
        {
            found.push(unknown("default_directives", name));
        }
        let mut table = Authorities::default();
        for (authority, name) in &self.authorities {
            let key = format!("per_authority_directives.{authority}");
            match place(name) {
                None => found.push(unknown(&key, name)),
                Some(place) => {
                    if let Err(why) = table.insert(authority, place) {
                        let message = format!("`{key}` {why}");
                        found.push(Diagnostic::new(Code::PluginConfig, None, message));
                    }
                }
            }
        }
        if found.is_empty() {
            return Ok(self);
        }
        Err(Problems {
            diagnostics: found,
            sources: SourceMap::default(),
        })
    }

    /// Which authority gets which list of directives, by its place in
    /// [`PluginConfig::profiles`]; the strictest profile stands behind the named ones.
    pub fn table(&self) -> Authorities {
        let place = |name: &str| profile::find(&self.profiles, name);
        let default = self.default_directives.as_deref().and_then(place);
        let mut table = Authorities::all(default.unwrap_or(self.profiles.len()));
        for (authority, name) in &self.authorities {
            if let Some(place) = place(name) {
                // Checked before; a key that did not make it in would get the default.
                let _: Result<(), &str> = table.insert(authority, place);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests;
