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
