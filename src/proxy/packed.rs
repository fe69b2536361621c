//! What a module was packed with: a configuration whose rules are compiled already.
//!
//! `parapet pack` runs [`pack`] once and keeps the module's memory as it is then. Every VM of the
//! packed module begins with that memory, so nothing may be in it that differs from VM to VM: no time,
//! no random number, no hash seed, nothing that a host gave but the configuration.

use std::sync::Arc;

use super::config::{PluginConfig, Problems};
use super::host::{Host, Level};
use super::log;
use super::programs::Digests;
use super::setup::{self, Report};
use super::vm::Vm;
use crate::compile::Layer;
use crate::diagnostic::{Code, Diagnostic};
use crate::program::Program;

/// A configuration with its rules compiled.
#[derive(Debug)]
pub struct Packed {
    /// Without its files: what the rules took of them is in the programs.
    config: PluginConfig,
    /// In the order of [`PluginConfig::distinct_lineages`].
    programs: Vec<Arc<Program>>,
}

impl Packed {
    /// The configuration; its files are left out.
    pub fn config(&self) -> &PluginConfig {
        &self.config
    }

    /// The program of one list of directives behind those that it extends, and why there is none.
    pub(super) fn program(&self, lineage: &[Layer]) -> (Option<Arc<Program>>, Problems) {
        let lineages = self.config.distinct_lineages();
        let place = lineages.iter().position(|known| known == lineage);
        let program = place.and_then(|at| self.programs.get(at)).cloned();
        let mut problems = Problems::default();
        if program.is_none() {
            let message = "rules are missing in this packed module: pack it again";
            let problem = Diagnostic::new(Code::PluginConfig, None, message);
            problems.diagnostics.push(problem);
        }
        (program, problems)
    }
}

/// Compiles all rules of a plugin configuration and keeps them in the VM, for
/// [`configure`](super::configure) to take: where the host hands over none, and where what it hands
/// over has some of the same rules. `false` if the configuration is refused, or the VM has one
/// already: the log says why.
pub fn pack(host: &dyn Host, bytes: Vec<u8>, vm: &Vm) -> bool {
    let Some(mut config) = setup::read(host, &bytes) else {
        return false;
    };
    drop(bytes);
    let files = Digests::new(&config.data_files);
    let mut report = Report::new(host);
    let compiled: Vec<Option<Arc<Program>>> = config
        .distinct_lineages()
        .iter()
        .map(|lineage| {
            let (program, problems) = config.program(lineage, &files, &vm.programs);
            report.tell(&problems);
            program
        })
        .collect();
    // All are compiled before one is missed, so that all mistakes are told at once.
    let Some(programs) = compiled.into_iter().collect() else {
        report.refuse();
        return false;
    };
    config.data_files = Vec::new();
    let packed = Packed { config, programs };
    if vm.packed.set(packed).is_err() {
        log::line(host, Level::Error, "the module is packed already");
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::Flow;
    use super::super::fake::FakeHost;
    use super::super::waf::tests::{filter_in, get, rules};
    use super::*;

    /// Two lists, equal but for their names, and a third that reads a file.
    const CONFIG: &str = r#"{
        "directives_map": {
            "a": ["SecRuleEngine On", "SecRule ARGS \"@streq packed\" \"id:1,phase:1,deny\""],
            "b": ["SecRuleEngine On", "SecRule ARGS \"@streq packed\" \"id:1,phase:1,deny\""],
            "c": {"directives": ["SecRuleEngine On",
                "SecRule ARGS \"@pmFromFile words\" \"id:2,phase:1,deny,status:404\""],
                "shadow": "a"}
        },
        "data_files": {"words": "sesame\n"},
        "default_directives": "c", "per_authority_directives": {"a": "a", "b": "b"}}"#;

    fn packed(config: &str) -> Rc<Vm> {
        let (host, vm) = (FakeHost::default(), Rc::new(Vm::default()));
        assert!(pack(&host, config.into(), &vm), "{}", host.log_text());
        assert_eq!(host.log_text(), "");
        vm
    }

    #[test]
    fn without_a_configuration_the_packed_one_works() {
        let vm = packed(CONFIG);
        assert_eq!(vm.programs.in_use(), 2);
        for none in [&b""[..], b" \n", b"\xef\xbb\xbf"] {
            let host = FakeHost::default();
            let filter = filter_in(&vm, &host, none).unwrap();
            assert_eq!(host.log_text(), "");
            assert_eq!(vm.programs.in_use(), 2, "nothing is compiled");
            assert_eq!(get(&host, &filter, "/?q=shoes"), Flow::Continue);
            assert_eq!(get(&host, &filter, "/?q=sesame"), Flow::Pause);
            assert_eq!(host.state(|state| state.replies[0].status), 404);
            let (a, b, c) = (
                rules(&filter, "a"),
                rules(&filter, "b"),
                rules(&filter, "c"),
            );
            assert!(Rc::ptr_eq(a.rules(), b.rules()));
            let (_, shadow) = c.shadow().unwrap();
            assert!(Arc::ptr_eq(a.rules().program(), shadow.program()));
        }
        assert_eq!(
            vm.programs.in_use(),
            2,
            "they stay for the next configuration"
        );
    }

    #[test]
    fn with_a_configuration_a_packed_module_is_like_any_other() {
        let (vm, host) = (packed(CONFIG), FakeHost::default());
        let own = filter_in(&vm, &host, b"").unwrap();
        let more = r#", "grpc": "inspect"}"#;
        let equal = format!("{}{more}", CONFIG.strip_suffix('}').unwrap());
        let equal = filter_in(&vm, &host, equal.as_bytes()).unwrap();
        assert_eq!(vm.programs.in_use(), 2, "{}", host.log_text());
        let program = |filter| Arc::clone(rules(filter, "c").rules().program());
        assert!(Arc::ptr_eq(&program(&own), &program(&equal)));
        // Another file under the same name makes other rules.
        let other = CONFIG.replace("sesame", "barley");
        let other = filter_in(&vm, &host, other.as_bytes()).unwrap();
        assert_eq!(vm.programs.in_use(), 4);
        assert_eq!(get(&host, &other, "/?q=sesame"), Flow::Continue);
        assert_eq!(get(&host, &other, "/?q=barley"), Flow::Pause);
        assert_eq!(get(&host, &own, "/?q=sesame"), Flow::Pause);
        drop(other);
        assert_eq!(vm.programs.in_use(), 2);
        // An object is a configuration, though nothing is in it.
        let empty = filter_in(&vm, &host, b"{}").unwrap();
        assert_eq!(get(&host, &empty, "/?q=sesame"), Flow::Continue);
        assert!(host.log_text().contains("no rules are configured"));
        assert!(filter_in(&vm, &host, b"{\"rules\": [\"SecRulee\"]}").is_none());
    }

    #[test]
    fn nothing_can_be_packed_as_well() {
        let vm = Rc::new(Vm::default());
        assert!(pack(&FakeHost::default(), Vec::new(), &vm));
        let host = FakeHost::default();
        let filter = filter_in(&vm, &host, b"").unwrap();
        assert_eq!(vm.programs.in_use(), 1);
        assert_eq!(get(&host, &filter, "/?q=1'%20OR%20'1'='1"), Flow::Pause);
        assert!(host.log_text().contains("no rules are configured"));
    }

    #[test]
    fn what_is_refused_is_not_packed() {
        for (config, code) in [
            (
                r#"{"directives_map": {"a": ["SecRulee"], "b": ["SecRull"]}}"#,
                "P0201",
            ),
            (r#"{"rule": "SecRuleEngine On"}"#, "P06"),
        ] {
            let (host, vm) = (FakeHost::default(), Vm::default());
            assert!(!pack(&host, config.into(), &vm));
            let log = host.log_text();
            assert!(log.contains(code), "{log}");
            assert!(log.contains("the configuration is refused"), "{log}");
            assert!(vm.packed.get().is_none());
        }
        let (vm, host) = (packed(CONFIG), FakeHost::default());
        assert!(!pack(&host, CONFIG.into(), &vm));
        assert!(host.log_text().contains("packed already"));
    }

    #[test]
    fn files_are_not_kept_beside_what_was_made_of_them() {
        let vm = packed(CONFIG);
        assert!(vm.packed.get().unwrap().config().data_files.is_empty());
    }
}
