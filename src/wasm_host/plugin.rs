//! One VM with one root context.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use wasmtime::{Instance, Store, WasmParams, WasmResults};

use super::imports;
use super::settings::{LogLevel, LogLine, Settings};
use super::state::{Metric, Shared, State};
use super::stream::{Callback, Stream};
use super::{HostError, Module};

/// The first root context's id.
pub(super) const ROOT: u32 = 1;

/// A started filter: one VM, one root context, any number of exchanges.
pub struct Plugin {
    store: Store<State>,
    instance: Instance,
    last_context: u32,
    /// The root that new streams belong to.
    root: u32,
    /// All roots that have not been deleted.
    roots: Vec<u32>,
    dead: Option<HostError>,
}

impl Plugin {
    /// Starts a VM and configures it: `_initialize`, `on_vm_start`, `on_configure`.
    ///
    /// # Errors
    ///
    /// [`HostError::MissingExport`] for a module that is no proxy-wasm filter,
    /// [`HostError::Refused`] when the filter answers `false`, [`HostError::Trap`] when it traps.
    pub fn start(module: &Module, settings: Settings) -> Result<Self, HostError> {
        Self::start_sharing(module, Rc::new(settings), Rc::default())
    }

    /// Starts another VM with the same settings that shares data and queues with this one, as the
    /// workers of a proxy do.
    ///
    /// # Errors
    ///
    /// Those of [`Plugin::start`].
    pub fn start_sibling(&self, module: &Module) -> Result<Self, HostError> {
        let state = self.store.data();
        Self::start_sharing(module, Rc::clone(&state.settings), Rc::clone(&state.shared))
    }

    fn start_sharing(
        module: &Module,
        settings: Rc<Settings>,
        shared: Rc<RefCell<Shared>>,
    ) -> Result<Self, HostError> {
        let (vm_configuration, configuration) = (
            settings.vm_configuration.len(),
            settings.configuration.len(),
        );
        let mut state = State::new(settings);
        state.shared = shared;
        let mut store = Store::new(&module.engine, state);
        store.limiter(|state| &mut state.limits);
        if module.counts {
            store
                .set_fuel(u64::MAX)
                .map_err(|error| trap("instantiation", &error))?;
        }
        let instance = if store.data().settings.faults {
            imports::failing(&module.linker, &mut store)
                .and_then(|linker| linker.instantiate(&mut store, &module.code))
        } else {
            module.linker.instantiate(&mut store, &module.code)
        };
        let instance = instance.map_err(|error| trap("instantiation", &error))?;
        let memory = instance.get_memory(&mut store, "memory");
        store.data_mut().memory = memory;
        let mut plugin = Self {
            store,
            instance,
            last_context: ROOT,
            root: ROOT,
            roots: vec![ROOT],
            dead: None,
        };
        plugin.check_exports()?;
        plugin.optional("_initialize", ())?;
        plugin.optional("_start", ())?;
        plugin.call_required("proxy_on_context_create", (ROOT, 0_u32))?;
        plugin.accept("proxy_on_vm_start", vm_configuration)?;
        plugin.accept("proxy_on_configure", configuration)?;
        Ok(plugin)
    }

    /// How many wasm instructions it has executed, if its module counts them.
    pub fn instructions(&self) -> Option<u64> {
        let left = self.store.get_fuel().ok()?;
        Some(u64::MAX.saturating_sub(left))
    }

    /// Brings a new configuration to the running VM, as a proxy does: in a new root context, which
    /// new streams belong to from then on. A refused one is deleted again. `true` if it was taken.
    ///
    /// # Errors
    ///
    /// [`HostError::Trap`].
    pub fn reconfigure(&mut self, configuration: impl Into<Vec<u8>>) -> Result<bool, HostError> {
        let size = self.settings().vm_configuration.len();
        self.last_context = self.last_context.saturating_add(1);
        let root = self.last_context;
        let before = std::mem::replace(
            &mut self.store.data_mut().configuration,
            configuration.into(),
        );
        self.store.data_mut().context = root;
        self.call_required("proxy_on_context_create", (root, 0_u32))?;
        let length = self.store.data().configuration.len();
        let taken = self.asked(root, "proxy_on_vm_start", size)?
            && self.asked(root, "proxy_on_configure", length)?;
        if taken {
            self.root = root;
            self.roots.push(root);
        } else {
            self.store.data_mut().configuration = before;
            self.optional("proxy_on_delete", root)?;
        }
        Ok(taken)
    }

    /// Deletes the roots of earlier configurations, as a proxy does once their listeners are
    /// drained.
    ///
    /// # Errors
    ///
    /// [`HostError::Trap`].
    pub fn drain(&mut self) -> Result<(), HostError> {
        let current = self.root;
        for root in std::mem::replace(&mut self.roots, vec![current]) {
            if root != current {
                self.store.data_mut().context = root;
                if self.has("proxy_on_done") {
                    let _: u32 = self.call("proxy_on_done", root)?;
                }
                self.optional("proxy_on_delete", root)?;
            }
        }
        Ok(())
    }

    /// Whether the VM still runs; a trap ends it.
    pub fn is_alive(&self) -> bool {
        self.dead.is_none()
    }

    /// Bytes of linear memory the VM has. It never shrinks.
    pub fn memory_size(&self) -> usize {
        self.memory().len()
    }

    /// The linear memory, for tests that compare VMs.
    pub fn memory(&self) -> &[u8] {
        let memory = self.store.data().memory;
        memory.map_or(&[], |memory| memory.data(&self.store))
    }

    /// Every metric the filter defined, by name.
    pub fn metrics(&self) -> &BTreeMap<String, Metric> {
        &self.store.data().metrics
    }

    /// Takes the log lines written since the last call (or since the start).
    pub fn take_log(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.store.data_mut().log)
    }

    /// What the filter asked for with `set_tick_period`, in milliseconds; 0 is never.
    pub fn tick_period(&self) -> u32 {
        self.store.data().tick_period
    }

    /// Lets a tick come.
    ///
    /// # Errors
    ///
    /// [`HostError::Trap`].
    pub fn tick(&mut self) -> Result<(), HostError> {
        for root in self.roots.clone() {
            self.store.data_mut().context = root;
            self.optional("proxy_on_tick", root)?;
        }
        Ok(())
    }

    /// Calls an export without arguments that answers a 64-bit number; `None` if there is no such
    /// export. Builds for measurement have some.
    ///
    /// # Errors
    ///
    /// [`HostError::Trap`].
    pub fn counter(&mut self, name: &'static str) -> Result<Option<u64>, HostError> {
        if self.instance.get_func(&mut self.store, name).is_none() {
            return Ok(None);
        }
        self.call::<(), u64>(name, ()).map(Some)
    }

    pub(super) fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    pub(super) fn settings(&self) -> Rc<Settings> {
        Rc::clone(&self.store.data().settings)
    }

    /// Opens a stream context and returns its id.
    pub(super) fn open(&mut self, stream: Stream) -> Result<u32, HostError> {
        let id = self.enter_stream(stream);
        self.create(id)?;
        Ok(id)
    }

    /// Takes a stream in without telling the filter, and returns its id.
    pub(super) fn enter_stream(&mut self, stream: Stream) -> u32 {
        self.last_context = self.last_context.saturating_add(1);
        let id = self.last_context;
        self.store.data_mut().streams.insert(id, stream);
        id
    }

    /// Tells the filter of a stream.
    pub(super) fn create(&mut self, id: u32) -> Result<(), HostError> {
        self.store.data_mut().context = id;
        self.call_required("proxy_on_context_create", (id, self.root))
    }

    /// Ends a stream context: `on_log`, `on_done`, `on_delete`.
    pub(super) fn close(&mut self, id: u32) -> Result<(), HostError> {
        self.enter(id, Callback::Log);
        self.optional("proxy_on_log", id)?;
        self.enter(id, Callback::Outside);
        self.store.data_mut().done = false;
        if self.has("proxy_on_done") {
            // A filter that is not done says so later with `proxy_done`; nothing here takes time,
            // so the stream goes at once either way.
            let _: u32 = self.call("proxy_on_done", id)?;
        }
        self.optional("proxy_on_delete", id)
    }

    /// One stream callback. The answer is the ABI's action.
    pub(super) fn deliver<P: WasmParams>(
        &mut self,
        id: u32,
        callback: Callback,
        name: &'static str,
        arguments: P,
    ) -> Result<u32, HostError> {
        if !self.has(name) {
            return Ok(0);
        }
        self.enter(id, callback);
        let action = self.call(name, arguments);
        self.enter(id, Callback::Outside);
        action
    }

    /// The stream, while it is open.
    pub(super) fn stream(&mut self, id: u32) -> Option<&mut Stream> {
        self.store.data_mut().streams.get_mut(&id)
    }

    /// Takes the stream away.
    pub(super) fn remove(&mut self, id: u32) -> Option<Stream> {
        self.store.data_mut().streams.remove(&id)
    }

    pub(super) fn enter(&mut self, id: u32, callback: Callback) {
        let state = self.store.data_mut();
        state.context = id;
        if let Some(stream) = state.streams.get_mut(&id) {
            stream.callback = callback;
        }
    }

    fn check_exports(&mut self) -> Result<(), HostError> {
        let versions = [
            "proxy_abi_version_0_2_1",
            "proxy_abi_version_0_2_0",
            "proxy_abi_version_0_1_0",
        ];
        if !versions.iter().any(|name| self.has(name)) {
            return Err(HostError::MissingExport(
                "proxy_abi_version_0_2_1".to_owned(),
            ));
        }
        let allocators = ["proxy_on_memory_allocate", "malloc"];
        let allocate = allocators.iter().find_map(|name| {
            self.instance
                .get_typed_func::<u32, u32>(&mut self.store, name)
                .ok()
        });
        if allocate.is_none() {
            return Err(HostError::MissingExport(
                "proxy_on_memory_allocate".to_owned(),
            ));
        }
        self.store.data_mut().allocate = allocate;
        Ok(())
    }

    /// A callback of a root that may answer `false`.
    fn asked(&mut self, root: u32, name: &'static str, size: usize) -> Result<bool, HostError> {
        if !self.has(name) {
            return Ok(true);
        }
        self.store.data_mut().context = root;
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        Ok(self.call::<_, u32>(name, (root, size))? != 0)
    }

    /// A callback of the first root, which must not answer `false`.
    fn accept(&mut self, name: &'static str, size: usize) -> Result<(), HostError> {
        if !self.asked(ROOT, name, size)? {
            let refused = refused(name, &self.store.data().log);
            self.dead = Some(refused.clone());
            return Err(refused);
        }
        Ok(())
    }

    pub(super) fn has(&mut self, name: &str) -> bool {
        self.instance.get_func(&mut self.store, name).is_some()
    }

    pub(super) fn optional<P: WasmParams>(
        &mut self,
        name: &'static str,
        arguments: P,
    ) -> Result<(), HostError> {
        if self.has(name) {
            self.call(name, arguments)
        } else {
            Ok(())
        }
    }

    fn call_required<P: WasmParams>(
        &mut self,
        name: &'static str,
        arguments: P,
    ) -> Result<(), HostError> {
        if !self.has(name) {
            return Err(HostError::MissingExport(name.to_owned()));
        }
        self.call(name, arguments)
    }

    pub(super) fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &'static str,
        arguments: P,
    ) -> Result<R, HostError> {
        if let Some(dead) = &self.dead {
            return Err(dead.clone());
        }
        let result = self
            .instance
            .get_typed_func::<P, R>(&mut self.store, name)
            .and_then(|function| function.call(&mut self.store, arguments));
        result.map_err(|error| {
            let error = trap(name, &error);
            self.dead = Some(error.clone());
            error
        })
    }
}

/// A refusal, with what the log says at warning and above.
pub(super) fn refused(callback: &'static str, log: &[LogLine]) -> HostError {
    let loud = log.iter().filter(|line| line.level >= LogLevel::Warn);
    HostError::Refused {
        callback,
        log: loud
            .map(|line| String::from_utf8_lossy(&line.text).into_owned())
            .collect(),
    }
}

pub(super) fn trap(callback: &'static str, error: &wasmtime::Error) -> HostError {
    HostError::Trap {
        callback,
        message: format!("{error:#}"),
    }
}
