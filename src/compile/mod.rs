//! Syntax tree and files to [`Program`]: everything that can be decided before traffic comes.
//!
//! One pass reads the directives in order and drafts rules ([`draft`]); removals and updates are
//! collected and applied wherever they stand; then [`link`] gives every name its number. A rule
//! file with mistakes yields all its messages, never a program.

mod actions;
mod captures;
mod directive;
mod draft;
mod fold;
mod include;
mod inherit;
mod link;
mod logging;
mod overlay;
mod resources;
mod rule;
mod settings;
mod spec;
mod target;
mod unicode;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::action::Phase;
use crate::diagnostic::{Code, Diagnostic, Severity, SourceId, SourceMap, Span};
use crate::matching::PhrasePool;
use crate::program::{ChainTable, Program, Settings};
use crate::seclang;
use crate::variable::{KeyPattern, KeyTable, VariableSet};
use actions::ActionSet;
pub use directive::DirectiveDef;
use draft::{Draft, Item};
pub use overlay::{Layer, OverlayPolicy};
use update::Update;

/// Where the compiler takes files from.
pub trait Loader {
    /// The bytes of a file.
    ///
    /// # Errors
    /// Why it cannot be read, for a person.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// The files that match a pattern (`*`, `?`, `[…]`), sorted by name.
    ///
    /// # Errors
    /// Why the folder cannot be listed.
    fn glob(&self, pattern: &str) -> Result<Vec<String>, String>;
}

/// A loader without files, for rules that need none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Loader for NoFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("there is no file `{path}` here"))
    }

    fn glob(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

/// What a load gives.
#[derive(Debug)]
pub struct Compiled {
    /// The program, if no message is an error.
    pub program: Option<Arc<Program>>,
    /// All messages, in the order found.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the messages point into.
    pub sources: SourceMap,
}

/// Compiles texts, one after the other, as one configuration.
pub fn compile(sources: &[(String, Vec<u8>)], loader: &dyn Loader) -> Compiled {
    let mut compiler = Compiler::new(loader);
    for (name, text) in sources {
        compiler.source(name, text);
    }
    compiler.finish()
}

/// Compiles a profile that extends others, the outermost first, the profile itself last.
/// SecRuleInheritance in a profile says whether it begins with the rules of those before it;
/// settings are inherited in any case. In an overlay only what its policy allows may stand.
pub fn compile_profile(lineage: &[Layer], loader: &dyn Loader) -> Compiled {
    let mut compiler = Compiler::new(loader);
    for layer in lineage {
        compiler.profile(layer);
    }
    compiler.finish()
}

/// Where a load stands.
struct Compiler<'a> {
    loader: &'a dyn Loader,
    sources: SourceMap,
    diagnostics: Vec<Diagnostic>,
    settings: Settings,
    keys: KeyTable,
    chains: ChainTable,
    patterns: Vec<KeyPattern>,
    /// Variables that targets and macros name.
    reads: VariableSet,
    /// Whether some rule names arguments.
    /// Whether some macro reads MATCHED_VARS.
    expands_matched: bool,
    names_arguments: bool,
    phrases: PhrasePool,
    datasets: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// SecDefaultAction, by phase.
    defaults: [Option<Arc<ActionSet>>; 5],
    items: Vec<Item>,
    /// Where each rule id was given first.
    ids: BTreeMap<u64, Span>,
    updates: Vec<Update>,
    /// The chain that waits for its next rule.
    open: Option<Vec<Draft>>,
    includes: include::Includes,
    unicode: unicode::UnicodeSource,
    remote_rules: resources::RemoteRules,
    /// SecIgnoreRuleCompilationErrors.
    ignore_rule_errors: bool,
    /// The chain being read has a bad rule: its other rules are left out with it.
    leaving_out: bool,
    /// What is being read is an overlay.
    overlay: Option<overlay::Overlay>,
}

impl<'a> Compiler<'a> {
    fn new(loader: &'a dyn Loader) -> Self {
        Self {
            loader,
            sources: SourceMap::default(),
            diagnostics: Vec::new(),
            settings: Settings::default(),
            keys: KeyTable::default(),
            chains: ChainTable::default(),
            patterns: Vec::new(),
            reads: VariableSet::default(),
            names_arguments: false,
            expands_matched: false,
            phrases: PhrasePool::default(),
            datasets: BTreeMap::new(),
            defaults: [const { None }; 5],
            items: Vec::new(),
            ids: BTreeMap::new(),
            updates: Vec::new(),
            open: None,
            includes: include::Includes::default(),
            unicode: unicode::UnicodeSource::default(),
            remote_rules: resources::RemoteRules::default(),
            ignore_rule_errors: false,
            leaving_out: false,
            overlay: None,
        }
    }

    /// Reads one text.
    fn source(&mut self, name: &str, text: &[u8]) {
        let id = self.sources.add(name, text);
        let directives = seclang::parse(id, text, &mut self.diagnostics);
        for parsed in &directives {
            self.directive(parsed);
        }
    }

    /// Applies updates, links, and says what came of it.
    fn finish(mut self) -> Compiled {
        self.close_chain();
        self.check_locks();
        self.apply_updates();
        self.read_unicode_map();
        self.check_remote_rules();
        let failed = |diagnostics: &[Diagnostic]| {
            diagnostics
                .iter()
                .any(|diagnostic| diagnostic.severity == Severity::Error)
        };
        let program = if failed(&self.diagnostics) {
            None
        } else {
            self.link()
        };
        let program = program.filter(|_| !failed(&self.diagnostics)).map(Arc::new);
        Compiled {
            program,
            diagnostics: self.diagnostics,
            sources: self.sources,
        }
    }

    /// Adds a message.
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A chain that waits for its next rule when everything is read: refused, where ModSecurity
    /// loads rules that can never decide.
    fn close_chain(&mut self) {
        let open = self.open.take();
        if let Some(last) = open.as_deref().and_then(<[Draft]>::last) {
            let message = "the rule says `chain`, but no rule follows it";
            self.report(
                Diagnostic::new(Code::OpenChain, last.span, message)
                    .hint("add the next SecRule of the chain, or remove `chain`"),
            );
        }
    }

    /// The default action of a phase.
    fn default_action(&self, phase: Phase) -> Option<Arc<ActionSet>> {
        self.defaults.get(phase.index()).cloned().flatten()
    }

    /// The name of a source.
    fn source_name(&self, id: SourceId) -> &str {
        self.sources.name(id)
    }
}

#[cfg(test)]
mod tests;
