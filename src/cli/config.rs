//! `--config`: rule files, or a plugin configuration as the filter gets it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
#[cfg(feature = "wasm-host")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "wasm-host")]
use serde_json::{Value, json};

use super::driver::DriverFactory;
use super::files::{FileSystem, glob, is_pattern};
use super::native::{Native, NativeFactory};
use crate::compile::{Compiled, Loader, compile, compile_profile};
use crate::diagnostic::{Diagnostic, Severity, SourceMap, render};
use crate::engine::Ablation;
use crate::program::Program;
use crate::proxy::{PluginConfig, PluginFiles, Problems, Selection};
#[cfg(feature = "wasm-host")]
use crate::transform::{Context, Transformation};

/// The name of a list of directives that only the command line gave.
#[cfg(feature = "wasm-host")]
const ONLY: &str = "default";

/// A configuration named on the command line.
pub(super) enum Config {
    /// Rule files that make one configuration, in order.
    Rules(Vec<(String, Vec<u8>)>),
    /// A plugin configuration: its bytes as the filter would get them.
    Plugin(Vec<u8>),
}

/// One set of rules, loaded.
pub(super) struct Load {
    pub(super) program: Option<Arc<Program>>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) sources: SourceMap,
    /// How many files were read.
    pub(super) files: usize,
}

impl Load {
    /// Every SecRule and SecAction; `None` if the rules do not load.
    pub(super) fn rules(&self) -> Option<usize> {
        self.program.as_ref().map(|program| program.rules.len())
    }
}

impl Config {
    /// Reads the files named on the command line; patterns stand for what they match.
    ///
    /// # Errors
    ///
    /// A text for people: a file cannot be read, or a pattern matches nothing, or a plugin
    /// configuration is not alone.
    pub(super) fn load(paths: &[PathBuf]) -> Result<Self, String> {
        let mut sources = Vec::new();
        for path in expand(paths)? {
            let text = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                if paths.len() > 1 {
                    let path = path.display();
                    return Err(format!("{path}: a plugin configuration stands alone"));
                }
                return Ok(Self::Plugin(text));
            }
            sources.push((path.to_string_lossy().into_owned(), text));
        }
        Ok(Self::Rules(sources))
    }

    /// Loads every set of rules, for `check`.
    pub(super) fn check(&self) -> Vec<Load> {
        match self.sets("") {
            Ok(sets) => sets.loads,
            Err(problems) => vec![Load {
                program: None,
                diagnostics: problems.diagnostics,
                sources: problems.sources,
                files: 1,
            }],
        }
    }

    /// The engine with all sets of rules.
    ///
    /// # Errors
    ///
    /// The messages, rendered.
    pub(super) fn engine(&self) -> Result<Native, String> {
        self.variant("", Ablation::default())
    }

    /// The same without parts of the engine.
    ///
    /// # Errors
    ///
    /// The messages, rendered.
    pub(super) fn ablated(&self, ablation: Ablation) -> Result<Native, String> {
        self.variant("", ablation)
    }

    /// The same with directives that come before all others, and without parts of the engine.
    fn variant(&self, first_directives: &str, ablation: Ablation) -> Result<Native, String> {
        let sets = self
            .sets(first_directives)
            .map_err(|problems| refusal(&problems.diagnostics, &problems.sources))?;
        let mut programs = Vec::new();
        for load in sets.loads {
            let message = || refusal(&load.diagnostics, &load.sources);
            programs.push(load.program.clone().ok_or_else(message)?);
        }
        Ok(Native::new(programs, sets.selection, ablation))
    }

    /// Native engines for the test runner, called like this, without parts of the engine.
    pub(super) fn native(&self, name: String, ablation: Ablation) -> impl DriverFactory {
        NativeFactory {
            name,
            make: move |first: &str| self.variant(first, ablation),
        }
    }

    /// VMs of a compiled filter for the test runner.
    ///
    /// # Errors
    ///
    /// A text for people: the file is no filter.
    #[cfg(feature = "wasm-host")]
    pub(super) fn wasm(&self, module: &Path) -> Result<impl DriverFactory, String> {
        super::driver_wasm::WasmFactory::load(module, |first: &str| {
            self.plugin_configuration(first)
        })
    }

    /// The configuration as the filter gets it.
    ///
    /// # Errors
    ///
    /// A text for people: the configuration cannot be read or written.
    #[cfg(feature = "wasm-host")]
    pub(super) fn plugin_configuration(&self, first_directives: &str) -> Result<Vec<u8>, String> {
        let value = match self {
            Self::Plugin(text) if first_directives.is_empty() => return Ok(text.clone()),
            Self::Plugin(text) => {
                let mut value: Value =
                    serde_json::from_slice(text).map_err(|error| error.to_string())?;
                let lists = value
                    .get_mut("directives_map")
                    .and_then(Value::as_object_mut);
                for list in lists.into_iter().flat_map(|map| map.values_mut()) {
                    prepend(list, first_directives);
                }
                if let Some(list) = value.get_mut("rules") {
                    prepend(list, first_directives);
                }
                value
            }
            Self::Rules(sources) => {
                let recorder = Recorder::new(&FileSystem);
                drop(compile(sources, &recorder));
                let mut files = serde_json::Map::new();
                let read = recorder.read.into_inner();
                for (name, text) in sources.iter().cloned().chain(read) {
                    if name.starts_with('@') {
                        continue;
                    }
                    files.insert(name, contents(text));
                }
                let mut lines = vec![first_directives.to_owned()];
                lines.extend(
                    sources
                        .iter()
                        .map(|(name, _)| format!("Include \"{name}\"")),
                );
                json!({
                    "directives_map": {ONLY: lines},
                    "default_directives": ONLY,
                    "data_files": files,
                })
            }
        };
        serde_json::to_vec(&value).map_err(|error| error.to_string())
    }

    fn sets(&self, first_directives: &str) -> Result<Sets, Problems> {
        let plugin = match self {
            Self::Rules(sources) => {
                let mut sources = sources.clone();
                if !first_directives.is_empty() {
                    let text = first_directives.as_bytes().to_vec();
                    sources.insert(0, ("(settings of the test)".to_owned(), text));
                }
                let mut load = load(&FileSystem, |loader| compile(&sources, loader));
                load.files = load.files.saturating_add(sources.len());
                return Ok(Sets {
                    loads: vec![load],
                    selection: Selection::all(0),
                });
            }
            Self::Plugin(text) => PluginConfig::parse(text)?,
        };
        let files = PluginFiles::new(&plugin.data_files);
        let loads = plugin.lineages().into_iter().map(|lineage| {
            // Before everything else: a profile that extends another comes after it.
            let mut lineage = lineage;
            if let Some(outermost) = lineage.first_mut() {
                outermost.text = [first_directives.as_bytes(), &outermost.text].concat();
            }
            load(&files, |loader| compile_profile(&lineage, loader))
        });
        Ok(Sets {
            selection: plugin.selection(),
            loads: loads.collect(),
        })
    }
}

/// The messages of all sets of rules, each once: profiles share files, and what is wrong in one is
/// said once.
pub(super) fn messages(loads: &[Load]) -> Vec<(&Diagnostic, &SourceMap)> {
    let mut messages: Vec<(&Diagnostic, &SourceMap)> = Vec::new();
    for load in loads {
        for diagnostic in &load.diagnostics {
            let shown = render(diagnostic, &load.sources);
            if !messages
                .iter()
                .any(|(known, sources)| render(known, sources) == shown)
            {
                messages.push((diagnostic, &load.sources));
            }
        }
    }
    messages
}

/// All sets of rules of a configuration, and which request gets which.
struct Sets {
    loads: Vec<Load>,
    selection: Selection,
}

fn load(loader: &dyn Loader, compile: impl FnOnce(&dyn Loader) -> Compiled) -> Load {
    let recorder = Recorder::new(loader);
    let Compiled {
        program,
        diagnostics,
        sources,
    } = compile(&recorder);
    Load {
        program,
        diagnostics,
        sources,
        files: recorder.count.get(),
    }
}

/// Keeps what a loader read.
struct Recorder<'a> {
    inner: &'a dyn Loader,
    count: Cell<usize>,
    read: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl<'a> Recorder<'a> {
    fn new(inner: &'a dyn Loader) -> Self {
        Self {
            inner,
            count: Cell::new(0),
            read: RefCell::default(),
        }
    }
}

impl Loader for Recorder<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = self.inner.read(path)?;
        let known = self.read.borrow_mut().insert(path.to_owned(), text.clone());
        if known.is_none() {
            self.count.set(self.count.get().saturating_add(1));
        }
        Ok(text)
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        self.inner.glob(pattern)
    }
}

fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut expanded = Vec::new();
    for path in paths {
        // A file may have a name that looks like a pattern.
        if !is_pattern(&path.to_string_lossy()) || path.exists() {
            expanded.push(path.clone());
            continue;
        }
        let found = glob(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if found.is_empty() {
            return Err(format!("{}: no file matches", path.display()));
        }
        expanded.extend(found);
    }
    Ok(expanded)
}

/// A data file as the configuration carries it.
#[cfg(feature = "wasm-host")]
fn contents(bytes: Vec<u8>) -> Value {
    String::from_utf8(bytes).map_or_else(
        |error| {
            let mut text = Vec::new();
            let bytes = error.as_bytes();
            Transformation::Base64Encode.apply(bytes, &mut text, Context::default());
            json!({"base64": String::from_utf8_lossy(&text)})
        },
        Value::String,
    )
}

/// A list of directives is an array of lines, one text, or an object with one of these; one that
/// extends another begins with the other's.
#[cfg(feature = "wasm-host")]
fn prepend(list: &mut Value, first_directives: &str) {
    match list {
        Value::Array(lines) => lines.insert(0, Value::String(first_directives.to_owned())),
        Value::String(text) => text.insert_str(0, first_directives),
        Value::Object(profile) if !profile.contains_key("extends") => {
            let lines = profile
                .entry("directives")
                .or_insert_with(|| Value::Array(Vec::new()));
            if !lines.is_object() {
                prepend(lines, first_directives);
            }
        }
        _ => {}
    }
}

fn refusal(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let errors = diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error);
    let mut text = String::from("the configuration does not load");
    for error in errors {
        text.push_str("\n\n");
        text.push_str(&render(error, sources));
    }
    text
}

#[cfg(all(test, feature = "wasm-host"))]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_text_go_as_base64() {
        assert_eq!(contents(b"a\n".to_vec()), json!("a\n"));
        assert_eq!(contents(vec![0xFF, 0]), json!({"base64": "/wA="}));
    }
}

/// What engines go without, one for each part that is named; `--ablate` takes these names.
///
/// # Errors
///
/// A text for people: there is no such part.
pub(super) fn ablations(parts: &[String]) -> Result<Vec<Ablation>, String> {
    let each = parts.iter().map(|part| {
        let mut ablation = Ablation::default();
        if ablation.switch_off(part) {
            return Ok(ablation);
        }
        let known = Ablation::NAMES.join(", ");
        Err(format!("--ablate: `{part}` is none of {known}"))
    });
    each.collect()
}
