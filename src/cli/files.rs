//! Files for the compiler, and patterns that name several.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::bytes::glob_matches;
use crate::compile::Loader;
use crate::rules;

/// Reads rule files and what they refer to from the file system, and the embedded ones by their
/// names that begin with `@`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FileSystem;

impl Loader for FileSystem {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if path.starts_with('@') {
            return embedded(path);
        }
        // A file of one's own wins over an embedded one without `@`, such as `unicode.mapping`.
        std::fs::read(path)
            .or_else(|error| embedded(path).map_err(|_| error))
            .map_err(|error| error.to_string())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        if pattern.starts_with('@') {
            return Ok(select(rules::list(), pattern));
        }
        let found = glob(Path::new(pattern)).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|path| path.to_string_lossy().into_owned()).collect())
    }
}

/// What a plugin configuration can name: its own `data_files` and the embedded files. Like the
/// filter it knows no others.
pub(super) struct PluginFiles<'a> {
    files: BTreeMap<&'a str, &'a str>,
}

impl<'a> PluginFiles<'a> {
    pub(super) fn new(files: &'a [(String, String)]) -> Self {
        Self { files: files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect() }
    }
}

impl Loader for PluginFiles<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        match self.files.get(path) {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None if path.starts_with('@') => embedded(path),
            None => embedded(path).map_err(|_| "`data_files` has no such entry".to_owned()),
        }
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let mut found = select(self.files.keys().copied(), pattern);
        found.extend(select(rules::list(), pattern));
        found.sort();
        Ok(found)
    }
}

fn embedded(name: &str) -> Result<Vec<u8>, String> {
    rules::embedded(name).map(<[u8]>::to_vec).ok_or_else(|| {
        if rules::belongs_to_crs(name) {
            "the Core Rule Set was not there when this was built (`make crs`)".to_owned()
        } else {
            "there is no embedded file of that name".to_owned()
        }
    })
}

/// The names that match a pattern, sorted.
fn select<'a>(names: impl Iterator<Item = &'a str>, pattern: &str) -> Vec<String> {
    let fits = |name: &&str| glob_matches(pattern.as_bytes(), name.as_bytes());
    let mut found: Vec<String> = names.filter(fits).map(str::to_owned).collect();
    found.sort();
    found
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
            let place = if directory.as_os_str().is_empty() { Path::new(".") } else { &directory };
            // A pattern that leads nowhere names no file; that is for the caller to judge.
            let Ok(entries) = std::fs::read_dir(place) else { continue };
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
    use super::{PluginFiles, glob};
    use crate::compile::Loader;

    #[test]
    fn plugin_files_come_from_the_configuration_or_are_embedded() {
        let own = [("a/x.conf".to_owned(), "A".to_owned()), ("b.conf".to_owned(), String::new())];
        let files = PluginFiles::new(&own);
        assert_eq!(files.read("a/x.conf").unwrap(), b"A");
        assert!(files.read("@demo-conf").is_ok());
        assert!(files.read("/etc/passwd").is_err());
        assert_eq!(files.glob("*.conf").unwrap(), ["b.conf"]);
        assert_eq!(files.glob("a/*").unwrap(), ["a/x.conf"]);
        assert!(files.glob("@baseline/*.conf").unwrap().len() > 1);
    }

    #[test]
    fn a_pattern_names_files() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/c?i/f*s.rs");
        let found = glob(std::path::Path::new(directory)).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with("src/cli/files.rs"));
        assert!(glob(std::path::Path::new("/no/such/place/*")).unwrap().is_empty());
    }
}
