//! Files for the compiler, and patterns that name several.

use std::path::{Path, PathBuf};

use crate::bytes::glob_matches;
use crate::compile::Loader;
use crate::proxy::PluginFiles;

/// Reads rule files and what they refer to from the file system, and the embedded ones by their
/// names that begin with `@`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FileSystem;

/// The files that are part of the library.
const EMBEDDED: PluginFiles<'static> = PluginFiles::new(&[]);

impl Loader for FileSystem {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if path.starts_with('@') {
            return EMBEDDED.read(path);
        }
        // A file of one's own wins over an embedded one without `@`, such as `unicode.mapping`.
        std::fs::read(path)
            .or_else(|error| EMBEDDED.read(path).map_err(|_| error))
            .map_err(|error| error.to_string())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        if pattern.starts_with('@') {
            return EMBEDDED.glob(pattern);
        }
        let found = glob(Path::new(pattern)).map_err(|error| error.to_string())?;
        Ok(found
            .into_iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect())
    }
}

/// Whether a path is a pattern.
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The files that a pattern names, sorted. `*` and `?` do not match `/`, nor a leading dot.
pub(super) fn glob(pattern: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let text = component.as_os_str().to_string_lossy();
        if !is_pattern(&text) {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        }
        let mut next = Vec::new();
        for directory in found {
            let place = if directory.as_os_str().is_empty() {
                Path::new(".")
            } else {
                &directory
            };
            // A pattern that leads nowhere names no file; that is for the caller to judge.
            let Ok(entries) = std::fs::read_dir(place) else {
                continue;
            };
            for entry in entries {
                let name = entry?.file_name();
                let shown = name.to_string_lossy();
                if shown.starts_with('.') == text.starts_with('.')
                    && glob_matches(text.as_bytes(), shown.as_bytes())
                {
                    next.push(directory.join(&name));
                }
            }
        }
        next.sort();
        found = next;
    }
    found.retain(|path| path.exists());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{FileSystem, glob};
    use crate::compile::Loader;

    #[test]
    fn embedded_files_have_names_of_their_own() {
        assert!(FileSystem.read("@demo-conf").is_ok());
        assert!(FileSystem.read("@no-conf").is_err());
        assert!(FileSystem.glob("@baseline/*.conf").unwrap().len() > 1);
    }

    #[test]
    fn a_pattern_names_files() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/c?i/f*s.rs");
        let found = glob(std::path::Path::new(directory)).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with("src/cli/files.rs"));
        assert!(
            glob(std::path::Path::new("/no/such/place/*"))
                .unwrap()
                .is_empty()
        );
    }
}
