//! Target lists: names to variables, selectors to what the engine looks up.

use std::sync::Arc;

use super::Compiler;
use super::actions::Namespace;
use crate::body::xml;
use crate::diagnostic::{Code, Diagnostic, Span, shown, suggest};
use crate::program::{PatternId, Target, TargetSelector};
use crate::seclang::{self, ast};
use crate::variable::{KeyPattern, Support, Variable};

/// A target list: what to look at, and what not.
#[derive(Clone, Debug, Default)]
pub(super) struct TargetList {
    pub targets: Vec<Target>,
    pub exclusions: Vec<Target>,
}

impl Compiler<'_> {
    /// Reads a target list. Entries with mistakes are reported and left out.
    pub(super) fn target_list(&mut self, word: &ast::Word, xmlns: &[Namespace]) -> TargetList {
        let mut list = TargetList::default();
        for entry in seclang::targets(word, &mut self.diagnostics) {
            let Some(target) = self.target(&entry, xmlns) else {
                continue;
            };
            if entry.exclude {
                list.exclusions.push(target);
            } else {
                list.targets.push(target);
            }
        }
        list
    }

    fn target(&mut self, entry: &ast::Target, xmlns: &[Namespace]) -> Option<Target> {
        let variable = self.variable(&entry.name, entry.name.span)?;
        let selector = match &entry.selector {
            None => TargetSelector::All,
            Some(_) if !variable.is_collection() => {
                let message = format!("{} has one value, no names to select", variable.name());
                self.report(Diagnostic::new(Code::BadSelector, entry.span, message));
                return None;
            }
            Some(ast::Selector::Key(key)) if variable.is_xml() => self.xml_path(key, xmlns)?,
            Some(ast::Selector::Key(key)) if variable == Variable::Tx => {
                TargetSelector::Tx(self.keys.slot(key))
            }
            Some(ast::Selector::Key(key)) => TargetSelector::Key(key.to_ascii_lowercase().into()),
            Some(ast::Selector::Regex(pattern)) => {
                TargetSelector::Pattern(self.pattern(pattern, pattern.span)?)
            }
        };
        self.names_arguments |= variable.shows_json() && !matches!(selector, TargetSelector::All);
        Some(Target {
            variable,
            selector,
            count: entry.count,
        })
    }

    /// A variable by name, if it exists and is carried out.
    fn variable(&mut self, name: &[u8], span: Span) -> Option<Variable> {
        let text = shown(name);
        let Some(variable) = Variable::by_name(name) else {
            let message = format!("unknown variable `{text}`");
            let mut diagnostic = Diagnostic::new(Code::UnknownVariable, span, message);
            let names = Variable::ALL.iter().map(|one| one.name());
            diagnostic.hint = suggest(&text, names).map(|name| format!("did you mean `{name}`?"));
            self.report(diagnostic);
            return None;
        };
        self.reads.insert(variable);
        match variable.def().support {
            Support::Full => Some(variable),
            Support::Sandbox => {
                let message = format!("{} never has a value here", variable.name());
                self.report(
                    Diagnostic::new(Code::SandboxLimit, span, message).hint(variable.def().summary),
                );
                Some(variable)
            }
        }
    }

    fn xml_path(&mut self, path: &ast::Word, xmlns: &[Namespace]) -> Option<TargetSelector> {
        let namespaces: Vec<(&[u8], &[u8])> = xmlns
            .iter()
            .map(|(prefix, uri)| (&**prefix, &**uri))
            .collect();
        match xml::Path::parse(path, &namespaces) {
            Ok(path) => Some(TargetSelector::Path(Arc::new(path))),
            Err(error) => {
                self.report(Diagnostic::new(
                    Code::BadSelector,
                    path.span,
                    error.to_string(),
                ));
                None
            }
        }
    }

    /// The number of a selector's pattern, each distinct one once.
    fn pattern(&mut self, source: &[u8], span: Span) -> Option<PatternId> {
        let known = self
            .patterns
            .iter()
            .position(|pattern| pattern.source() == source);
        let at = match known {
            Some(at) => at,
            None => match KeyPattern::new(source) {
                Ok(pattern) => {
                    if let Some(construct) = pattern.needs_backtracking() {
                        let message = format!(
                            "the pattern of a selector needs backtracking: {}",
                            construct.name
                        );
                        self.report(
                            Diagnostic::new(Code::Backtracks, span, message)
                                .hint("its searches take SecPcreMatchLimit steps at most"),
                        );
                    }
                    self.patterns.push(pattern);
                    self.patterns.len().saturating_sub(1)
                }
                Err(error) => {
                    let message = format!("bad pattern in a selector: {error}");
                    self.report(Diagnostic::new(Code::BadRegex, span, message));
                    return None;
                }
            },
        };
        Some(PatternId(u32::try_from(at).unwrap_or(u32::MAX)))
    }
}
