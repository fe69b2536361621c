//! Tests that are known to fail, each with its reason.
//!
//! A listed test that passes is a surprise, and an entry without a test is stale; both fail the
//! run, so that the list says what is true. Where a proxy is the reason, the entry says what the
//! proxy does to the request, and a run without the filter has to show it (`proof`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::overrides::read;

/// The list.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExpectedFailures {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    expected_failures: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Such as `920100-4`.
    tests: Vec<String>,
    reason: String,
    /// Not the engine's doing but the proxy's.
    proxy: Option<ProxyDeed>,
}

/// What a proxy does to a request before any filter sees it. Names of headers are compared without
/// case; `:method`, `:path`, `:protocol` and `:body` name the other parts of a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProxyDeed {
    /// It answers itself; the backend hears nothing.
    Refuses,
    /// It hands over what the test wants a server to refuse.
    Accepts,
    /// It takes a header off.
    Removes(String),
    /// It puts on a header that was not there.
    Adds(String),
    /// What it hands over has another value.
    Changes(String),
}

impl ExpectedFailures {
    /// Reads the list.
    ///
    /// # Errors
    ///
    /// A text for people: unreadable, listed twice, or without a reason.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        Self::new(read(path)?).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn new(file: File) -> Result<Self, String> {
        let mut entries = BTreeMap::new();
        for entry in file.expected_failures {
            if entry.reason.trim().is_empty() {
                return Err(format!("{} has no reason", entry.tests.join(", ")));
            }
            for test in &entry.tests {
                if entries.insert(test.clone(), entry.clone()).is_some() {
                    return Err(format!("{test} is listed twice"));
                }
            }
        }
        Ok(Self { entries })
    }

    /// Why a test is expected to fail, if it is.
    pub(crate) fn reason(&self, test: &str) -> Option<&str> {
        self.entries.get(test).map(|entry| entry.reason.as_str())
    }

    /// What the proxy does to a test's request, if that is why it fails.
    pub(crate) fn deed(&self, test: &str) -> Option<&ProxyDeed> {
        self.entries.get(test)?.proxy.as_ref()
    }

    /// The entries that name none of the tests.
    pub(crate) fn stale(&self, tests: &BTreeSet<String>) -> Vec<&str> {
        let names = self.entries.keys().map(String::as_str);
        names.filter(|name| !tests.contains(*name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{ExpectedFailures, ProxyDeed};

    fn list(yaml: &str) -> Result<ExpectedFailures, String> {
        ExpectedFailures::new(serde_saphyr::from_str(yaml).unwrap())
    }

    #[test]
    fn entries_need_a_reason_and_a_test() {
        let known = list(
            "expected_failures: [{tests: [1-2], reason: r, proxy: refuses},
             {tests: [1-3, 1-4], reason: s, proxy: {removes: a}}, {tests: [1-5], reason: t}]",
        );
        let known = known.unwrap();
        assert_eq!(known.reason("1-2"), Some("r"));
        assert_eq!(known.reason("1-1"), None);
        assert_eq!(known.deed("1-2"), Some(&ProxyDeed::Refuses));
        assert_eq!(known.deed("1-4"), Some(&ProxyDeed::Removes("a".into())));
        assert_eq!(known.deed("1-5"), None);
        assert_eq!(
            known.stale(&["1-2".to_owned(), "1-5".to_owned()].into()),
            ["1-3", "1-4"]
        );
        assert!(list("expected_failures: [{tests: [1-2], reason: ' '}]").is_err());
        let twice = "expected_failures: [{tests: [1-2], reason: r}, {tests: [1-2], reason: r}]";
        assert!(list(twice).unwrap_err().contains("twice"));
    }
}
