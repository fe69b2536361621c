//! Include: files that are part of a configuration, and files that rules read.

use super::Compiler;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::seclang::ast;

/// How deep includes may nest.
const MAX_DEPTH: usize = 32;
/// How many files one configuration may have.
const MAX_FILES: usize = 4096;

/// The files being read.
#[derive(Debug, Default)]
pub(super) struct Includes {
    /// The files that include each other, outermost first.
    stack: Vec<String>,
    /// How many were read.
    count: usize,
}

impl Compiler<'_> {
    /// `Include` (a missing file is an error) and `IncludeOptional` (it is not).
    pub(super) fn include(&mut self, word: &ast::Word, optional: bool) {
        let written = String::from_utf8_lossy(&word.text).into_owned();
        let path = resolve(self.source_name(word.span.source), &written);
        if !path.contains(['*', '?', '[']) {
            self.include_file(&path, word.span, optional);
            return;
        }
        match self.loader.glob(&path) {
            Ok(files) if files.is_empty() => {
                if !optional {
                    let message = format!("no file matches `{written}`");
                    self.report(Diagnostic::new(Code::EmptyInclude, word.span, message));
                }
            }
            Ok(files) => {
                for file in files {
                    self.include_file(&file, word.span, optional);
                }
            }
            Err(why) => self.report(Diagnostic::new(
                Code::FileNotFound,
                word.span,
                format!("cannot look for `{path}`: {why}"),
            )),
        }
    }

    fn include_file(&mut self, path: &str, span: Span, optional: bool) {
        if self.includes.stack.iter().any(|open| open == path) {
            let message = format!("`{path}` includes itself");
            self.report(Diagnostic::new(Code::IncludeCycle, span, message));
            return;
        }
        if self.includes.stack.len() >= MAX_DEPTH || self.includes.count >= MAX_FILES {
            let message = format!(
                "more than {MAX_DEPTH} files include each other, or more than {MAX_FILES} in all"
            );
            self.report(Diagnostic::new(Code::IncludeLimit, span, message));
            return;
        }
        match self.loader.read(path) {
            Ok(text) => {
                self.includes.stack.push(path.to_owned());
                self.includes.count = self.includes.count.saturating_add(1);
                self.source(path, &text);
                self.includes.stack.pop();
            }
            Err(_) if optional => {}
            Err(why) => self.report(
                Diagnostic::new(
                    Code::FileNotFound,
                    span,
                    format!("cannot read `{path}`: {why}"),
                )
                .hint("a path is relative to the file that names it"),
            ),
        }
    }
}

/// A path as the loader knows it: relative ones start at the folder of the file that names them.
pub(super) fn resolve(from: &str, path: &str) -> String {
    if path.starts_with(['/', '@']) {
        return path.to_owned();
    }
    match from.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn paths_are_relative_to_their_file() {
        assert_eq!(resolve("a/b.conf", "c.data"), "a/c.data");
        assert_eq!(resolve("b.conf", "c.data"), "c.data");
        assert_eq!(resolve("@owasp_crs/x.conf", "c.data"), "@owasp_crs/c.data");
        assert_eq!(resolve("a/b.conf", "/c"), "/c");
        assert_eq!(resolve("a/b.conf", "@c"), "@c");
    }
}
