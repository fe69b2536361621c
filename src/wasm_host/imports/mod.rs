//! The functions a filter can import.
//!
//! All that the Rust SDK 0.2.5 declares, and the eight WASI functions that the ABI allows. What
//! this host does not do (calls to other services) exists and answers as a proxy without such
//! services would.

mod buffers;
mod calls;
mod maps;
mod metrics;
mod shared;
mod streams;
mod system;
mod wasi;

use wasmtime::{Extern, ExternType, Func, Linker, Store, Val};

use super::state::State;

macro_rules! imports {
    ($($module:literal { $($name:ident => $function:path,)+ })+) => {
        /// Module and name of every function.
        pub(super) const NAMES: &[(&str, &str)] = &[$($(($module, stringify!($name)),)+)+];

        /// Puts every function into a linker.
        pub(super) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
            $($(linker.func_wrap($module, stringify!($name), $function)?;)+)+
            Ok(())
        }
    };
}

imports! {
    "env" {
        proxy_log => system::log,
        proxy_get_log_level => system::log_level,
        proxy_get_current_time_nanoseconds => system::current_time,
        proxy_set_tick_period_milliseconds => system::set_tick_period,
        proxy_set_effective_context => system::set_effective_context,
        proxy_done => system::done,
        proxy_get_property => system::property,
        proxy_set_property => system::set_property,
        proxy_get_status => system::call_status,
        proxy_call_foreign_function => system::foreign_function,
        proxy_get_buffer_bytes => buffers::get,
        proxy_get_buffer_status => buffers::status_of,
        proxy_set_buffer_bytes => buffers::set,
        proxy_get_header_map_pairs => maps::pairs,
        proxy_get_header_map_size => maps::size,
        proxy_set_header_map_pairs => maps::set_pairs,
        proxy_get_header_map_value => maps::value,
        proxy_add_header_map_value => maps::add,
        proxy_replace_header_map_value => maps::replace,
        proxy_remove_header_map_value => maps::remove,
        proxy_continue_stream => streams::resume,
        proxy_close_stream => streams::close,
        proxy_send_local_response => streams::send_local_response,
        proxy_get_shared_data => shared::get,
        proxy_set_shared_data => shared::set,
        proxy_register_shared_queue => shared::register_queue,
        proxy_resolve_shared_queue => shared::resolve_queue,
        proxy_enqueue_shared_queue => shared::enqueue,
        proxy_dequeue_shared_queue => shared::dequeue,
        proxy_define_metric => metrics::define,
        proxy_get_metric => metrics::get,
        proxy_record_metric => metrics::record,
        proxy_increment_metric => metrics::increment,
        proxy_http_call => calls::http,
        proxy_grpc_call => calls::grpc,
        proxy_grpc_stream => calls::grpc_stream,
        proxy_grpc_send => calls::grpc_send,
        proxy_grpc_cancel => calls::grpc_end,
        proxy_grpc_close => calls::grpc_end,
    }
    "wasi_snapshot_preview1" {
        fd_write => wasi::fd_write,
        clock_time_get => wasi::clock_time,
        random_get => wasi::random,
        environ_sizes_get => wasi::environment_sizes,
        environ_get => wasi::environment,
        args_sizes_get => wasi::arguments_sizes,
        args_get => wasi::arguments,
        proc_exit => wasi::exit,
    }
}

/// The same functions, where those of the proxy can be made to fail: what a [`super::state::Fault`]
/// means is not called, and answers its status.
pub(super) fn failing(
    linker: &Linker<State>,
    store: &mut Store<State>,
) -> wasmtime::Result<Linker<State>> {
    let mut failing = Linker::new(store.engine());
    for &(module, name) in NAMES {
        let Ok(Extern::Func(real)) = linker.get(&mut *store, module, name) else {
            continue;
        };
        let function = if module == "env" {
            let kind = real.ty(&mut *store);
            Func::new(
                &mut *store,
                kind,
                move |mut guest, arguments, results| match (
                    guest.data_mut().enter(name),
                    &mut *results,
                ) {
                    (Some(status), [result]) => {
                        *result = Val::I32(status.cast_signed());
                        Ok(())
                    }
                    _ => real.call(&mut guest, arguments, results),
                },
            )
        } else {
            real
        };
        failing.define(&mut *store, module, name, function)?;
    }
    Ok(failing)
}

/// The functions that a filter may call while it is packed: the one that serves its configuration,
/// and the log. What another one answers would be frozen in.
pub(super) const WHILE_PACKED: [&str; 2] = ["proxy_get_buffer_bytes", "proxy_log"];

/// The functions that a module imports, where calling any but those of [`WHILE_PACKED`] ends the VM
/// with a [`Forbidden`].
pub(super) fn packing(
    linker: &mut Linker<State>,
    module: &wasmtime::Module,
) -> wasmtime::Result<()> {
    linker.func_wrap("env", "proxy_get_buffer_bytes", buffers::get)?;
    linker.func_wrap("env", "proxy_log", system::log)?;
    for import in module.imports() {
        let ExternType::Func(kind) = import.ty() else {
            continue;
        };
        let (from, name) = (import.module(), import.name());
        if from == "env" && WHILE_PACKED.contains(&name) {
            continue;
        }
        let forbidden = Forbidden(format!("{from}.{name}"));
        linker.func_new(from, name, kind, move |_, _, _| {
            Err(wasmtime::Error::new(forbidden.clone()))
        })?;
    }
    Ok(())
}

/// A call of an import, `module.name`, while the filter was packed.
#[derive(Clone, Debug)]
pub(super) struct Forbidden(pub(super) String);

impl std::fmt::Display for Forbidden {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} was called", self.0)
    }
}

impl std::error::Error for Forbidden {}
