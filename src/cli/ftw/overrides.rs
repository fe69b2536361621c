//! Files that change tests: platform overrides in the format of the Core Rule Set, and settings
//! that single tests need.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::format::{Output, Test};

/// What a platform expects differently: whole expectations, replaced by rule, test and stage.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Overrides {
    #[serde(default)]
    test_overrides: Vec<Override>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    rule_id: u64,
    /// Without it, all tests of the rule.
    #[serde(default)]
    test_ids: Vec<u64>,
    /// Without it, all stages; counted from 0.
    #[serde(default)]
    stage_ids: Vec<usize>,
    #[serde(rename = "reason")]
    _reason: String,
    #[serde(default, rename = "retry_once")]
    _retry_once: Option<bool>,
    #[serde(default)]
    output: Output,
}

impl Overrides {
    /// Reads an overrides file.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        read(path)
    }

    /// Changes a test as the file says.
    pub(crate) fn apply(&self, rule_id: u64, test: &mut Test) {
        for change in &self.test_overrides {
            let all_tests = change.test_ids.is_empty();
            if change.rule_id != rule_id || !(all_tests || change.test_ids.contains(&test.test_id))
            {
                continue;
            }
            for (index, stage) in test.stages.iter_mut().enumerate() {
                if change.stage_ids.is_empty() || change.stage_ids.contains(&index) {
                    stage.output = change.output.clone();
                }
            }
        }
    }
}

/// Directives that single tests need before all others, because the settings they ask for would
/// disturb the rest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestSettings {
    settings: Vec<Setting>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    tests: Vec<String>,
    directives: String,
    #[serde(rename = "reason")]
    _reason: String,
}

impl TestSettings {
    /// Reads a settings file.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        read(path)
    }

    /// The directives of every test that has some.
    pub(crate) fn by_test(&self) -> BTreeMap<&str, String> {
        let mut by_test = BTreeMap::<&str, String>::new();
        for setting in &self.settings {
            for test in &setting.tests {
                let directives = by_test.entry(test).or_default();
                directives.push_str(&setting.directives);
                directives.push('\n');
            }
        }
        by_test
    }
}

/// Reads a YAML file.
pub(super) fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{Overrides, TestSettings};
    use crate::cli::ftw::format::Test;

    #[test]
    fn an_override_replaces_the_expectations() {
        let overrides: Overrides = serde_saphyr::from_str(
            "version: v0\nmeta: {engine: x}\ntest_overrides:\n- {rule_id: 1, test_ids: [2], \
             reason: why, output: {status: 200, log: {expect_ids: [5]}}}\n\
             - {rule_id: 3, stage_ids: [1], reason: why}\n",
        )
        .unwrap();
        let test = |id: u64| -> Test {
            serde_saphyr::from_str(&format!(
                "{{test_id: {id}, stages: [{{input: {{}}, output: {{status: 400}}}}, \
                 {{input: {{}}, output: {{status: 400}}}}]}}"
            ))
            .unwrap()
        };
        let applied = |rule, id| {
            let mut test = test(id);
            overrides.apply(rule, &mut test);
            test.stages
                .iter()
                .map(|stage| stage.output.status)
                .collect::<Vec<_>>()
        };
        assert_eq!(applied(1, 2), [Some(200), Some(200)]);
        assert_eq!(applied(1, 3), [Some(400), Some(400)]);
        assert_eq!(applied(3, 9), [Some(400), None]);
    }

    #[test]
    fn settings_are_joined_by_test() {
        let settings: TestSettings = serde_saphyr::from_str(
            "settings:\n- {tests: [1-1, 1-2], directives: A, reason: r}\n\
             - {tests: [1-2], directives: B, reason: r}\n",
        )
        .unwrap();
        let by_test = settings.by_test();
        assert_eq!(by_test["1-1"], "A\n");
        assert_eq!(by_test["1-2"], "A\nB\n");
    }
}
