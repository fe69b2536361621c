//! Compiled code.

use wasmtime::{Config, Engine, Linker};

use super::HostError;
use super::imports;
use super::state::State;

/// A filter's compiled code; VMs are started from it with [`super::Plugin::start`].
///
/// Compiling takes seconds for a filter with a rule set inside; share one module among VMs.
pub struct Module {
    pub(super) engine: Engine,
    pub(super) code: wasmtime::Module,
    pub(super) linker: Linker<State>,
    /// Whether its VMs count what they execute.
    pub(super) counts: bool,
}

impl Module {
    /// Compiles the bytes of a `.wasm` file.
    ///
    /// # Errors
    ///
    /// [`HostError::Compile`] for bytes that are no module, [`HostError::MissingImports`] for a
    /// module that needs what proxies do not offer: such a module would be refused by a proxy too.
    pub fn compile(bytes: &[u8]) -> Result<Self, HostError> {
        Self::compile_as(bytes, false)
    }

    /// The same for VMs that count the instructions they execute
    /// ([`super::Plugin::instructions`]): slower, but a measure that no other load disturbs.
    ///
    /// # Errors
    ///
    /// Those of [`Module::compile`].
    pub fn compile_counting(bytes: &[u8]) -> Result<Self, HostError> {
        Self::compile_as(bytes, true)
    }

    fn compile_as(bytes: &[u8], counts: bool) -> Result<Self, HostError> {
        let broken = |error: wasmtime::Error| HostError::Compile(format!("{error:#}"));
        let mut config = Config::new();
        config.consume_fuel(counts);
        let engine = Engine::new(&config).map_err(broken)?;
        let code = wasmtime::Module::new(&engine, bytes).map_err(broken)?;
        let mut linker = Linker::new(&engine);
        imports::define(&mut linker).map_err(broken)?;
        let offered: std::collections::HashSet<String> = imports::NAMES
            .iter()
            .map(|&(module, name)| format!("{module}.{name}"))
            .collect();
        let missing: Vec<String> = code
            .imports()
            .map(|import| format!("{}.{}", import.module(), import.name()))
            .filter(|name| !offered.contains(name))
            .collect();
        if missing.is_empty() {
            Ok(Self {
                engine,
                code,
                linker,
                counts,
            })
        } else {
            Err(HostError::MissingImports(missing))
        }
    }

    /// Everything the module imports, each as `module.name`, in the module's order.
    pub fn imports(&self) -> Vec<String> {
        self.code
            .imports()
            .map(|import| format!("{}.{}", import.module(), import.name()))
            .collect()
    }

    /// The names of everything the module exports, in the module's order.
    pub fn exports(&self) -> Vec<String> {
        self.code
            .exports()
            .map(|export| export.name().to_owned())
            .collect()
    }
}
