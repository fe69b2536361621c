//! Entry points. The SDK dispatches; every call into the host goes through [`ProxyHost`].

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use super::filter::Filter;
use super::host::{Direction, Host, Level};
use super::hostcalls::ProxyHost;
use super::log;
use super::memory;
use super::packed;
use super::shadow::Shadowed;
use super::stream::{Flow, Stream};
use super::vm::Vm;
use super::waf::configure;
use crate::engine::{Clock, Waf};

thread_local! {
    /// See [`Vm`].
    static VM: Rc<Vm> = Rc::new(Vm::sharing(Rc::new(ProxyHost)));
}

proxy_wasm::main! {{
    start();
}}

fn start() {
    std::panic::set_hook(Box::new(|panic| {
        log::line(&ProxyHost, Level::Critical, &panic.to_string());
    }));
    proxy_wasm::set_root_context(|_| Box::new(Root { filter: None }));
}

/// What `parapet pack` calls behind `_initialize`, to keep the memory as it is afterwards: compiles the
/// configuration that the host serves. It traps if that is refused; the log says why.
#[expect(unsafe_code, reason = "an export has a fixed name")]
#[unsafe(export_name = "wizer-initialize")]
extern "C" fn pack() {
    let packed = memory::wiping(|| match ProxyHost.configuration_to_pack() {
        Ok(bytes) => VM.with(|vm| packed::pack(&ProxyHost, bytes, vm)),
        Err(error) => {
            let text = format!("cannot read the configuration to pack: {error:?}");
            log::line(&ProxyHost, Level::Error, &text);
            false
        }
    });
    if !packed {
        std::process::abort();
    }
}

/// The `_initialize` of a packed module: everything is there already. Some hosts call it, and some
/// refuse a module without it.
#[expect(unsafe_code, reason = "an export has a fixed name")]
#[unsafe(export_name = "wizer-resume")]
extern "C" fn resume() {}

/// A configured plugin. Several may live in one VM, and several generations of one.
struct Root {
    filter: Option<Rc<Filter<Shadowed<Rc<Waf>>>>>,
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, _: usize, _: usize) {
        if let Some(filter) = &self.filter {
            filter.on_call_response(&ProxyHost, token, headers > 0);
        }
    }

    fn on_done(&mut self) -> bool {
        if let Some(filter) = &self.filter {
            filter.on_done(&ProxyHost);
        }
        true
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let bytes = match ProxyHost.plugin_configuration(size) {
            Ok(bytes) => bytes,
            Err(error) => {
                let text = format!("cannot read the plugin configuration: {error:?}");
                log::line(&ProxyHost, Level::Error, &text);
                return false;
            }
        };
        let clock: Rc<dyn Clock> = Rc::new(ProxyHost);
        let filter = configure(&ProxyHost, &bytes, &VM.with(Rc::clone), &clock);
        // A refused configuration leaves an earlier one in place.
        let accepted = filter.is_some();
        if let Some(filter) = filter {
            self.filter = Some(Rc::new(filter));
        }
        note_memory();
        accepted
    }

    fn on_tick(&mut self) {
        if let Some(filter) = &self.filter {
            filter.on_tick(&ProxyHost);
        }
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        // A host that sends streams to a plugin it could not configure gets them refused.
        Some(match &self.filter {
            Some(filter) => Box::new(Http {
                stream: Stream::new(Rc::clone(filter), context),
            }),
            None => Box::new(Refusing),
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// One stream.
struct Http {
    stream: Stream<Shadowed<Rc<Waf>>>,
}

impl Context for Http {
    fn on_done(&mut self) -> bool {
        // Comes with or without on_log, before or after it, depending on the host.
        self.stream.on_log(&ProxyHost);
        note_memory();
        true
    }
}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        #[cfg(feature = "trap-for-tests")]
        trap_where_asked();
        action(self.stream.on_request_headers(&ProxyHost, end))
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        action(self.stream.on_request_body(&ProxyHost, size, end))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        action(self.stream.on_request_trailers(&ProxyHost))
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        action(self.stream.on_response_headers(&ProxyHost, end))
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        action(self.stream.on_response_body(&ProxyHost, size, end))
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        action(self.stream.on_response_trailers(&ProxyHost))
    }

    fn on_log(&mut self) {
        self.stream.on_log(&ProxyHost);
    }
}

/// Tells the host the size of this VM's memory.
fn note_memory() {
    const PAGE: u64 = 64 * 1024;
    let pages = u64::try_from(core::arch::wasm32::memory_size::<0>()).unwrap_or(u64::MAX);
    VM.with(|vm| vm.note_memory(&ProxyHost, pages.saturating_mul(PAGE)));
}

/// What no request must ever be able to do: `scripts/chaos` has a filter of its own that does it.
#[cfg(feature = "trap-for-tests")]
fn trap_where_asked() {
    if ProxyHost
        .property("request\0headers\0x-parapet-trap")
        .is_some()
    {
        std::process::abort();
    }
}

/// A stream without rules.
struct Refusing;

impl Context for Refusing {}

impl HttpContext for Refusing {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        // If the reset fails too, the pause still keeps the request from the upstream.
        let _: Result<(), _> = ProxyHost.close(Direction::Request);
        Action::Pause
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        Action::Pause
    }
}

/// 1 is StopIteration for heads and StopIterationAndBuffer for bodies: all that is needed.
fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Pause => Action::Pause,
    }
}
