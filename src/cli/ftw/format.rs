//! The test files: YAML as go-ftw reads it.
//!
//! Unknown keys below a stage are errors: an expectation that nobody looks at would be a test that
//! cannot fail. Above it they are ignored, as go-ftw does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One document of a test file.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TestFile {
    /// The rule under test. Without it the number in the file's name is taken.
    #[serde(default)]
    pub(crate) rule_id: u64,
    #[serde(default)]
    pub(crate) tests: Vec<Test>,
    /// Where it came from.
    #[serde(skip)]
    pub(crate) path: PathBuf,
}

/// One test.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Test {
    /// Its number; without it its place in the file, from 1.
    #[serde(default)]
    pub(crate) test_id: u64,
    #[serde(default)]
    pub(crate) stages: Vec<Stage>,
}

/// One request and its expectations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stage {
    #[serde(default, rename = "description")]
    _description: Option<String>,
    pub(crate) input: Input,
    #[serde(default)]
    pub(crate) output: Output,
}

/// The request of a stage.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Input {
    pub(crate) dest_addr: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) protocol: Option<String>,
    pub(crate) uri: Option<String>,
    /// Several targets for one stage; `uri` is then not looked at.
    pub(crate) uris: Vec<String>,
    pub(crate) follow_redirect: bool,
    pub(crate) version: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) ordered_headers: Vec<HeaderTuple>,
    pub(crate) data: Option<String>,
    pub(crate) encoded_data: Option<String>,
    pub(crate) save_cookie: bool,
    pub(crate) stop_magic: Option<bool>,
    pub(crate) autocomplete_headers: Option<bool>,
    pub(crate) encoded_request: Option<String>,
    /// What the backend answers, whatever it is asked.
    pub(crate) response: Option<BackendResponse>,
    pub(crate) virtual_host_mode: bool,
}

impl Input {
    /// The targets of its requests, redirects left out.
    pub(crate) fn targets(&self) -> Vec<String> {
        if self.uris.is_empty() {
            vec![self.uri.clone().unwrap_or_else(|| "/".to_owned())]
        } else {
            self.uris.clone()
        }
    }
}

/// A header of a list, for tests that need order or repeats.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderTuple {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A response that a stage asks of the backend.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BackendResponse {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    pub(crate) encoded_body: String,
    #[serde(rename = "log_message")]
    _log_message: String,
}

/// The expectations of a stage.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Output {
    pub(crate) status: Option<u16>,
    pub(crate) response_contains: Option<String>,
    pub(crate) log_contains: Option<String>,
    pub(crate) no_log_contains: Option<String>,
    pub(crate) log: LogOutput,
    pub(crate) expect_error: Option<bool>,
    /// The log is complete when a stage ends, so nothing is gained by trying again.
    #[serde(rename = "retry_once")]
    _retry_once: Option<bool>,
    pub(crate) isolated: bool,
}

/// What the log must and must not say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogOutput {
    pub(crate) expect_ids: Vec<u64>,
    pub(crate) no_expect_ids: Vec<u64>,
    pub(crate) match_regex: Option<String>,
    pub(crate) no_match_regex: Option<String>,
}

/// Reads the test files below the given paths: files, directories (all `.yaml` and `.yml` in them,
/// at any depth), sorted by path.
///
/// # Errors
///
/// A text for people: which file cannot be read, and why.
pub(crate) fn load(paths: &[PathBuf]) -> Result<Vec<TestFile>, String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, true, &mut files)?;
    }
    files.sort();
    files.dedup();
    let mut loaded = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let documents = parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        for mut file in documents {
            finish(&mut file, path.clone())?;
            loaded.push(file);
        }
    }
    Ok(loaded)
}

fn parse(text: &str) -> Result<Vec<TestFile>, String> {
    let mut options = serde_saphyr::Options::default();
    // Test data is full of things that look like limits were meant for them.
    options.budget = None;
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| error.to_string())
}

fn finish(file: &mut TestFile, path: PathBuf) -> Result<(), String> {
    if file.rule_id == 0 {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let digits: String = name
            .chars()
            .skip_while(|char| !char.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        file.rule_id = digits.parse().map_err(|_| {
            format!(
                "{}: neither `rule_id` nor a number in the file's name",
                path.display()
            )
        })?;
    }
    for (place, test) in (1_u64..).zip(&mut file.tests) {
        if test.test_id == 0 {
            test.test_id = place;
        }
        if test.stages.is_empty() {
            return Err(format!(
                "{}: test {}-{} has no stages",
                path.display(),
                file.rule_id,
                test.test_id
            ));
        }
    }
    file.path = path;
    Ok(())
}

fn collect(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let kind = std::fs::metadata(path).map_err(failed)?;
    if kind.is_dir() {
        for entry in std::fs::read_dir(path).map_err(failed)? {
            collect(&entry.map_err(failed)?.path(), false, files)?;
        }
        return Ok(());
    }
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    if is_yaml || named {
        files.push(path.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{finish, parse};

    const FILE: &str = r#"
---
meta:
  author: "somebody"
extra: ignored
tests:
  - desc: first
    stages:
      - input:
          headers:
            Host: localhost
            Content-Length: 22
          data: |
            a=b
        output:
          log:
            expect_ids: [1, 2]
  - test_id: 7
    stages:
      - input: {autocomplete_headers: false}
        output: {status: 400}
"#;

    #[test]
    fn a_file_is_read() {
        let mut files = parse(FILE).unwrap();
        assert_eq!(files.len(), 1);
        let mut file = files.remove(0);
        finish(&mut file, "tests/942100.yaml".into()).unwrap();
        assert_eq!(file.rule_id, 942_100);
        let ids: Vec<u64> = file.tests.iter().map(|test| test.test_id).collect();
        assert_eq!(ids, [1, 7]);
        let stage = &file.tests[0].stages[0];
        assert_eq!(stage.input.headers["Content-Length"], "22");
        assert_eq!(stage.input.data.as_deref(), Some("a=b\n"));
        assert_eq!(stage.output.log.expect_ids, [1, 2]);
    }

    #[test]
    fn an_unknown_expectation_is_an_error() {
        let text = FILE.replace("expect_ids", "expects_ids");
        let error = parse(&text).unwrap_err();
        assert!(error.contains("expects_ids"), "{error}");
    }

    /// The whole suite of the Core Rule Set can be read.
    #[test]
    fn the_core_rule_set_suite_is_read() {
        let Some(directory) = std::env::var_os("CRS_DIR") else {
            return;
        };
        let path = std::path::PathBuf::from(directory).join("tests/regression");
        let files = super::load(&[path]).unwrap();
        let tests: usize = files.iter().map(|file| file.tests.len()).sum();
        assert!(
            files.len() >= 300 && tests >= 5_000,
            "{} files, {tests} tests",
            files.len()
        );
    }
}
