//! From the bytes of a plugin configuration to a filter, telling the host's log what happened.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::config::{PluginConfig, Problems};
use super::filter::Filter;
use super::host::{Host, Level};
use super::inspect::Rules;
use super::log;
use super::shadow::Shadowed;
use super::vm::Vm;
use crate::compile::Layer;
use crate::diagnostic::Severity;

/// Reads a plugin configuration. `None` if it is refused: every message stands in the log.
pub(super) fn read(host: &dyn Host, bytes: &[u8]) -> Option<PluginConfig> {
    match PluginConfig::parse(bytes) {
        Ok(config) => Some(config),
        Err(problems) => {
            let mut report = Report::new(host);
            report.tell(&problems);
            report.refuse();
            None
        }
    }
}

/// Makes a filter of a plugin configuration. `compile` gets a list of directives behind those it
/// extends, and the name under which it is a shadow. `None` if one of them is refused: every message
/// stands in the log, one line each and once.
pub(super) fn apply<R: Rules + Clone>(
    host: &dyn Host,
    config: &PluginConfig,
    vm: Rc<Vm>,
    mut compile: impl FnMut(&[Layer], Option<&str>) -> (Option<R>, Problems),
) -> Option<Filter<Shadowed<R>>> {
    let mut report = Report::new(host);
    let filter = config.build(vm, |lineage, shadow| {
        let (rules, problems) = compile(lineage, shadow);
        report.tell(&problems);
        rules
    });
    match &filter {
        None => report.refuse(),
        Some(_) if config.needs_strictest() && config.default_directives.is_none() => {
            let whom = match (config.profiles.is_empty(), config.selects()) {
                (true, _) => "no rules are configured: all requests",
                (_, false) => "no `default_directives` are configured: all requests",
                _ => "no `default_directives` are configured: all other requests",
            };
            let text = format!("{whom} are guarded by the embedded default rules");
            log::line(host, Level::Warn, &text);
        }
        Some(_) => {}
    }
    let filter = filter.map(|filter| filter.with_debug_requests(host));
    if let Some(filter) = &filter {
        tell_of_collectors(host, filter);
    }
    filter
}

/// Says where audit records stay in the log although a collector is asked for.
fn tell_of_collectors<R: Rules>(host: &dyn Host, filter: &Filter<R>) {
    let has_way = filter.settings().collector.is_some();
    let wanted = || filter.profiles().iter().filter_map(Rules::collector);
    let stay = "audit records stay in the log";
    if wanted().any(|url| url.is_err()) {
        let why = "`SecAuditLogType HTTPS` needs an address: `SecAuditLog https://HOST/PATH`";
        log::line(host, Level::Warn, &format!("{why}; {stay}"));
    }
    if !has_way && wanted().any(|url| url.is_ok()) {
        let why =
            "`SecAuditLogType HTTPS` needs a cluster: `audit_log` of the plugin configuration";
        log::line(host, Level::Warn, &format!("{why}; {stay}"));
    }
}

/// What the log is told of one configuration.
pub(super) struct Report<'a> {
    host: &'a dyn Host,
    told: BTreeSet<String>,
    errors: usize,
}

impl<'a> Report<'a> {
    /// Nothing yet.
    pub(super) fn new(host: &'a dyn Host) -> Self {
        Self {
            host,
            told: BTreeSet::new(),
            errors: 0,
        }
    }

    /// Writes the messages that were not told before and counts the errors among them: profiles
    /// that extend one another share what is wrong with it.
    pub(super) fn tell(&mut self, problems: &Problems) {
        for (severity, line) in problems.lines() {
            if self.told.contains(&line) {
                continue;
            }
            let level = match severity {
                Severity::Note => Level::Info,
                Severity::Warning => Level::Warn,
                Severity::Error => {
                    self.errors = self.errors.saturating_add(1);
                    Level::Error
                }
            };
            log::line(self.host, level, &line);
            self.told.insert(line);
        }
    }

    /// Says that the configuration is refused.
    pub(super) fn refuse(&self) {
        let errors = self.errors;
        let text = format!("the configuration is refused: {errors} error(s), see the lines above");
        log::line(self.host, Level::Error, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeHost, FakeRules};
    use super::*;
    use crate::diagnostic::{Code, Diagnostic};

    fn configure(host: &FakeHost, bytes: &[u8]) -> Option<Filter<Shadowed<FakeRules>>> {
        apply(host, &read(host, bytes)?, Rc::default(), compile)
    }

    fn compile(lineage: &[Layer], _: Option<&str>) -> (Option<FakeRules>, Problems) {
        let mut problems = Problems::default();
        let Layer { name, text, .. } = &lineage[0];
        let text = String::from_utf8(text.clone()).unwrap();
        let source = problems.sources.add(name, text.clone());
        let span = crate::diagnostic::Span {
            source,
            start: 0,
            end: 0,
        };
        if text.contains("bad") {
            let code = Code::UnknownDirective;
            problems
                .diagnostics
                .push(Diagnostic::new(code, span, "unknown\ndirective `bad`"));
        }
        let fine = !problems.is_fatal();
        (fine.then(FakeRules::default), problems)
    }

    #[test]
    fn a_refused_configuration_says_why_on_single_lines() {
        let host = FakeHost::default();
        let config = br#"{"directives_map": {"a": ["bad"], "b": ["fine"], "c": ["bad one"]},
                          "default_directives": "b"}"#;
        assert!(configure(&host, config).is_none());
        assert_eq!(
            host.log_text(),
            "Error parapet: directives_map.a:1:1: P0201: unknown\\ndirective `bad` | bad\n\
             Error parapet: directives_map.c:1:1: P0201: unknown\\ndirective `bad` | bad one\n\
             Error parapet: the configuration is refused: 2 error(s), see the lines above\n"
        );
        let host = FakeHost::default();
        assert!(configure(&host, b"{\"rule\": 1}").is_none());
        assert!(
            host.log_text()
                .starts_with("Error parapet: plugin configuration:1:")
        );
        assert!(host.log_text().contains("did you mean `rules`?"));
    }

    #[test]
    fn a_missing_default_is_told() {
        let host = FakeHost::default();
        assert!(configure(&host, b"").is_some());
        assert_eq!(
            host.log_text(),
            "Warn parapet: no rules are configured: all requests are guarded by the embedded \
             default rules\n"
        );
        let host = FakeHost::default();
        let config = br#"{"rules": ["fine"]}"#;
        assert!(configure(&host, config).is_some());
        assert_eq!(host.log_text(), "");
    }
}
