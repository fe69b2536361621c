//! The files that rules of a plugin configuration may name: those it brings along, and those that
//! are part of the module. There is no file system here.

use crate::bytes::glob_matches;
use crate::compile::Loader;
use crate::rules;

/// Files of a configuration and embedded ones; the configuration's come first.
#[derive(Clone, Copy, Debug)]
pub struct PluginFiles<'a> {
    data_files: &'a [(String, Vec<u8>)],
}

impl<'a> PluginFiles<'a> {
    /// A loader over the `data_files` of a configuration.
    pub const fn new(data_files: &'a [(String, Vec<u8>)]) -> Self {
        Self { data_files }
    }
}

impl Loader for PluginFiles<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if let Some((_, bytes)) = self.data_files.iter().find(|(name, _)| name == path) {
            return Ok(bytes.clone());
        }
        if let Some(text) = rules::embedded(path) {
            return Ok(text.to_vec());
        }
        Err(
            if rules::belongs_to_crs(path) && rules::crs_version().is_none() {
                "this module was built without the Core Rule Set".to_owned()
            } else if path.starts_with('@') {
                "no such file is part of the module".to_owned()
            } else {
                "there is no file system here; give the file in `data_files`".to_owned()
            },
        )
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let own = self.data_files.iter().map(|(name, _)| name.clone());
        let mut found: Vec<String> = own
            .chain(rules::list().map(str::to_owned))
            .filter(|name| glob_matches(pattern.as_bytes(), name.as_bytes()))
            .collect();
        if found.is_empty() && rules::belongs_to_crs(pattern) && rules::crs_version().is_none() {
            return Err("this module was built without the Core Rule Set".to_owned());
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_configuration_come_before_embedded_ones() {
        let data_files = [
            ("bad.data".to_owned(), b"x\n".to_vec()),
            ("@demo-conf".to_owned(), b"SecRuleEngine Off".to_vec()),
        ];
        let files = PluginFiles::new(&data_files);
        assert_eq!(files.read("bad.data").unwrap(), b"x\n");
        assert_eq!(files.read("@demo-conf").unwrap(), b"SecRuleEngine Off");
        assert!(!files.read("@recommended-conf").unwrap().is_empty());
        assert!(files.read("other.data").unwrap_err().contains("data_files"));
        assert!(
            files
                .read("@other-conf")
                .unwrap_err()
                .contains("part of the module")
        );
        let baseline = files.glob("@baseline/*.conf").unwrap();
        assert!(baseline.len() > 1 && baseline.is_sorted());
        assert_eq!(files.glob("*.data").unwrap(), ["bad.data"]);
    }
}
