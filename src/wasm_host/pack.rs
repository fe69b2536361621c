//! Packing: a module whose memory is that of a filter that has compiled its rules.
//!
//! The filter's `wizer-initialize` runs once, here, with a configuration; the packed module begins with
//! the memory it left. All VMs of all hosts begin with the same bytes then, so the filter may ask
//! nobody for anything but the configuration.

use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasmtime::{Config, Engine, Extern, Instance, Linker, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

use super::imports::{self, Forbidden};
use super::settings::{LogLevel, LogLine, Settings};
use super::state::State;
use super::{HostError, plugin};

/// What the filter does when it is packed.
const PACK: &str = "wizer-initialize";
/// What a packed module does when a host initializes it.
const RESUME: &str = "wizer-resume";
/// What a filter does when a host initializes it.
const INITIALIZE: &str = "_initialize";

/// A packed module.
#[derive(Debug)]
pub struct Packed {
    /// The bytes of the `.wasm` file.
    pub module: Vec<u8>,
    /// Bytes of linear memory that a VM begins with.
    pub memory: usize,
    /// What the filter wrote to the log.
    pub log: Vec<LogLine>,
}

/// Packs a filter, the bytes of a `.wasm` file, with a plugin configuration. The same filter and
/// configuration make the same module.
///
/// # Errors
///
/// [`HostError::Compile`] and [`HostError::MissingExport`] for what is no filter of this project, or
/// packed already; [`HostError::Refused`] where the filter refuses the configuration;
/// [`HostError::ForbiddenImport`] and [`HostError::Trap`] where it misbehaves; [`HostError::Pack`] for
/// a module with parts that a snapshot cannot hold.
pub fn pack(filter: &[u8], configuration: &[u8]) -> Result<Packed, HostError> {
    let mut wizer = Wizer::new();
    // Some hosts refuse a module without it; the filter's own must not run again.
    wizer.init_func(PACK).func_rename(INITIALIZE, RESUME);
    let unfit = |error: wasmtime::Error| HostError::Pack(format!("{error:#}"));
    let broken = |error: wasmtime::Error| HostError::Compile(format!("{error:#}"));
    let (context, instrumented) = wizer.instrument(filter).map_err(unfit)?;
    let engine = Engine::new(&Config::new()).map_err(broken)?;
    let code = wasmtime::Module::new(&engine, &instrumented).map_err(broken)?;
    let mut linker = Linker::new(&engine);
    imports::packing(&mut linker, &code).map_err(unfit)?;
    let mut store = Store::new(&engine, State::new(Rc::new(Settings::new(configuration))));
    store.limiter(|state| &mut state.limits);
    let instance = linker
        .instantiate(&mut store, &code)
        .map_err(|error| failure("instantiation", &error, &store))?;
    let allocate = instance.get_typed_func(&mut store, "proxy_on_memory_allocate");
    store.data_mut().allocate = allocate.ok();
    let mut export = |name: &str| {
        let missing = |_| HostError::MissingExport(name.to_owned());
        let function = instance.get_typed_func::<(), ()>(&mut store, name);
        function.map_err(missing)
    };
    let (initialize, pack, _) = (export(INITIALIZE)?, export(PACK)?, export(RESUME)?);
    for (name, function) in [(INITIALIZE, initialize), (PACK, pack)] {
        function
            .call(&mut store, ())
            .map_err(|error| failure(name, &error, &store))?;
    }
    let mut snapshot = Snapshot::take(&instance, &mut store);
    let module = finished(pin!(wizer.snapshot(&context, &mut snapshot)))
        .ok_or_else(|| HostError::Pack("the snapshot does not come to an end".to_owned()))?
        .map_err(unfit)?;
    if let Some(missing) = snapshot.missing {
        return Err(HostError::Pack(format!("{missing} is missing")));
    }
    let memory = snapshot.memories.values().map(Vec::len).sum();
    let log = std::mem::take(&mut store.data_mut().log);
    Ok(Packed {
        module,
        memory,
        log,
    })
}

/// Why a call did not return.
fn failure(callback: &'static str, error: &wasmtime::Error, store: &Store<State>) -> HostError {
    if let Some(Forbidden(name)) = error.downcast_ref() {
        return HostError::ForbiddenImport(name.clone());
    }
    let log = &store.data().log;
    // A filter traps once it has said why it refuses.
    if log.iter().any(|line| line.level >= LogLevel::Error) {
        return plugin::refused(callback, log);
    }
    plugin::trap(callback, error)
}

/// The result of what never waits.
fn finished<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// Everything that can change in an instance, by the name of its export.
#[derive(Debug, Default)]
struct Snapshot {
    globals: BTreeMap<String, Val>,
    memories: BTreeMap<String, Vec<u8>>,
    /// The first export that was asked for and is not there.
    missing: Option<String>,
}

impl Snapshot {
    /// That of an instance of an instrumented module.
    fn take(instance: &Instance, store: &mut Store<State>) -> Self {
        let exports: Vec<(String, Extern)> = instance
            .exports(&mut *store)
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .collect();
        let mut snapshot = Self::default();
        for (name, export) in exports {
            // These are all of them, under names that instrumenting gave them.
            if !name.starts_with("__wizer_") {
                continue;
            }
            match export {
                Extern::Global(global) => {
                    snapshot.globals.insert(name, global.get(&mut *store));
                }
                Extern::Memory(memory) => {
                    snapshot
                        .memories
                        .insert(name, memory.data(&*store).to_vec());
                }
                _ => {}
            }
        }
        snapshot
    }
}

impl InstanceState for Snapshot {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        match self.globals.get(name) {
            Some(Val::I32(value)) => SnapshotVal::I32(*value),
            Some(Val::I64(value)) => SnapshotVal::I64(*value),
            Some(Val::F32(bits)) => SnapshotVal::F32(*bits),
            Some(Val::F64(bits)) => SnapshotVal::F64(*bits),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            _ => {
                self.missing.get_or_insert_with(|| name.to_owned());
                SnapshotVal::I32(0)
            }
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        match self.memories.get(name) {
            Some(memory) => contents(memory),
            None => {
                self.missing.get_or_insert_with(|| name.to_owned());
            }
        }
    }
}
