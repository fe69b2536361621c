//! A filter that reads one header and lets everything pass: what any filter costs in a host, which
//! `make bench` takes off what Parapet costs there.
#![cfg(all(target_arch = "wasm32", target_os = "wasi"))]

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

struct Noop;

impl Context for Noop {}

impl HttpContext for Noop {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        let _ = self.get_http_request_header(":path");
        Action::Continue
    }
}

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Noop));
}}
