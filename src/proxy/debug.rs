//! Requests whose debug log an operator asks for: a header brings a secret that only the environment of
//! the VM has.

use super::host::{Host, Level};
use super::log;
use super::pairs::Pairs;
use super::settings::DebugHeader;

/// Shortest secret: others could be guessed.
const SHORTEST: usize = 16;

/// What tells such requests.
pub(super) struct DebugRequests {
    header: DebugHeader,
    secret: Vec<u8>,
}

impl std::fmt::Debug for DebugRequests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.header.fmt(f)
    }
}

impl DebugRequests {
    /// Reads the secret; `None`, and a line in the log, if there is none that is long enough.
    pub(super) fn new(host: &dyn Host, header: &DebugHeader) -> Option<Self> {
        let secret = host.environment(&header.secret_env).unwrap_or_default();
        if secret.len() < SHORTEST {
            let variable = &header.secret_env;
            let text = format!(
                "`debug_header` has no effect: `{variable}` in the environment of the VM has no secret of \
                 {SHORTEST} bytes or more"
            );
            log::line(host, Level::Warn, &text);
            return None;
        }
        Some(Self {
            header: header.clone(),
            secret,
        })
    }

    /// The name of the header.
    pub(super) fn name(&self) -> &str {
        &self.header.name
    }

    /// SecDebugLogLevel of such requests.
    pub(super) fn level(&self) -> u8 {
        self.header.level
    }

    /// The head of such a request without the header; `None` for all other requests.
    pub(super) fn without_secret(&self, pairs: &Pairs) -> Option<Pairs> {
        let is_header = |name: &[u8]| name.eq_ignore_ascii_case(self.header.name.as_bytes());
        let mut brought = pairs.iter().filter(|(name, _)| is_header(name));
        if !brought.any(|(_, value)| self.is_secret(value)) {
            return None;
        }
        Some(pairs.iter().filter(|(name, _)| !is_header(name)).collect())
    }

    /// Takes the same time wherever two texts of one length differ.
    fn is_secret(&self, value: &[u8]) -> bool {
        let differences = self.secret.iter().zip(value);
        let differences = differences.fold(0, |all, (one, other)| all | (one ^ other));
        value.len() == self.secret.len() && std::hint::black_box(differences) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeHost;
    use super::super::waf::tests::{filter_in, get_with};
    use std::rc::Rc;

    const CONFIG: &[u8] = br#"{"debug_header": {"name": "X-Debug"},
        "rules": ["SecRuleEngine On", "SecRule REQUEST_HEADERS \"@rx no\" \"id:7,phase:1,deny\""]}"#;

    fn log_of(secret: &str, header: (&'static str, &str)) -> String {
        let host = FakeHost::default();
        let name = "PARAPET_DEBUG_SECRET".to_owned();
        host.state(|state| state.environment.insert(name, secret.into()));
        let filter = filter_in(&Rc::default(), &host, CONFIG).expect("accepted");
        let _ = get_with(&host, &filter, "/", &[header]);
        let left = host.state(|state| state.request_headers.clone().unwrap());
        let left = left.iter().any(|(name, _)| name == b"x-debug");
        format!("{left} {}", host.log_text())
    }

    #[test]
    fn only_who_knows_the_secret_gets_a_debug_log() {
        let secret = "0123456789abcdef";
        let told = log_of(secret, ("x-debug", secret));
        assert!(
            told.starts_with("false Info debug: phase 1, rule 7"),
            "{told}"
        );
        assert!(!told.contains(secret), "{told}");
        for wrong in [
            "0123456789abcdeg",
            "0123456789abcdef0",
            "0123456789abcde",
            "",
        ] {
            assert_eq!(log_of(secret, ("x-debug", wrong)), "true ");
        }
        assert_eq!(log_of(secret, ("x-other", secret)), "false ");
    }

    #[test]
    fn a_short_secret_is_none() {
        for secret in ["", "0123456789abcde"] {
            let told = log_of(secret, ("x-debug", secret));
            assert!(
                told.starts_with("true Warn parapet: `debug_header` has no effect"),
                "{told}"
            );
            assert!(!told.contains("rule 7"), "{told}");
        }
    }
}
