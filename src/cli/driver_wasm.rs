//! Drives the compiled filter, as a proxy would.

use std::path::Path;
use std::rc::Rc;

use super::driver::{Backend, Decider, Driver, DriverFactory, Exchanged, Sent};
use super::message::{Request, Response};
use crate::wasm_host::{
    Exchange, Incoming, Module, Pairs, Plugin, Reply, Settings, UpstreamRequest,
};

/// Starts VMs of one module.
pub(super) struct WasmFactory<F> {
    module: Rc<Module>,
    configure: F,
}

impl<F: Fn(&str) -> Result<Vec<u8>, String>> WasmFactory<F> {
    /// A factory; `configure` makes the plugin configuration with given first directives.
    ///
    /// # Errors
    ///
    /// A text for people: the file cannot be read or compiled.
    pub(super) fn load(path: &Path, configure: F) -> Result<Self, String> {
        let failed = |error: String| format!("{}: {error}", path.display());
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let module = Module::compile(&bytes).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            module: Rc::new(module),
            configure,
        })
    }
}

impl<F: Fn(&str) -> Result<Vec<u8>, String>> DriverFactory for WasmFactory<F> {
    fn name(&self) -> &str {
        "wasm"
    }

    fn driver(&mut self, first_directives: &str) -> Result<Box<dyn Driver>, String> {
        let settings = settings((self.configure)(first_directives)?);
        let plugin = Plugin::start(&self.module, settings).map_err(|error| error.to_string())?;
        Ok(Box::new(WasmDriver { plugin }))
    }
}

/// The settings of a VM.
pub(super) fn settings(configuration: Vec<u8>) -> Settings {
    let mut settings = Settings::new(configuration);
    // The suites send bodies larger than a proxy buffers by default.
    settings.buffer_limit = 16 << 20;
    settings
}

/// One VM.
pub(super) struct WasmDriver {
    plugin: Plugin,
}

impl Driver for WasmDriver {
    fn exchange(&mut self, sent: &Sent, backend: &dyn Backend) -> Result<Exchanged, String> {
        let request = &sent.request;
        drop(self.plugin.take_log());
        let exchange = to_exchange(request);
        let mut upstream = |_: &UpstreamRequest| to_incoming(backend.respond(request));
        let outcome = self
            .plugin
            .exchange(&exchange, &mut upstream)
            .map_err(|e| e.to_string())?;
        if outcome.length_broken {
            return Err("a body left with another length than announced".to_owned());
        }
        let log = self
            .plugin
            .take_log()
            .into_iter()
            .map(|line| line.text)
            .collect();
        let (reply, decider) = match outcome.reply {
            Reply::Upstream(response) => {
                let status = status(&response.headers);
                (
                    Some(to_response(status, response.headers, response.body)),
                    Decider::Backend,
                )
            }
            Reply::Local(reply) => (
                Some(to_response(reply.status, reply.headers, reply.body)),
                Decider::Rules,
            ),
            Reply::Proxy(status, _) => (
                Some(to_response(status, Pairs::new(), Vec::new())),
                Decider::Backend,
            ),
            Reply::Cut(_) | Reply::Closed => (None, Decider::Rules),
            Reply::Nothing => return Err("the filter paused and never went on".to_owned()),
        };
        Ok(Exchanged {
            log,
            reply,
            decider,
        })
    }
}

/// A request as a proxy shows it: pseudo headers first, the first Host only as `:authority`. Names
/// stay as written: not every proxy lowers them, and log lines can be compared.
pub(super) fn to_exchange(request: &Request) -> Exchange {
    let pseudo = |name: &[u8], value: &[u8]| (name.to_vec(), value.to_vec());
    let mut headers = vec![
        pseudo(b":method", &request.method),
        pseudo(b":path", &request.target),
        pseudo(b":scheme", b"http"),
    ];
    let mut authority = false;
    for (name, value) in &request.headers {
        if name.eq_ignore_ascii_case(b"host") && !authority {
            authority = true;
            headers.insert(0, pseudo(b":authority", value));
        } else {
            headers.push((name.clone(), value.clone()));
        }
    }
    let chunks = if request.body.is_empty() {
        Vec::new()
    } else {
        vec![request.body.clone()]
    };
    Exchange {
        request: Incoming {
            headers,
            chunks,
            ..Default::default()
        },
        protocol: request.protocol.clone(),
        source: super::CLIENT.to_string().into_bytes(),
        destination: super::SERVER.to_string().into_bytes(),
        ..Default::default()
    }
}

pub(super) fn to_incoming(response: Response) -> Incoming {
    let mut headers = vec![(
        b":status".to_vec(),
        response.status.to_string().into_bytes(),
    )];
    headers.extend(response.headers);
    let chunks = if response.body.is_empty() {
        Vec::new()
    } else {
        vec![response.body]
    };
    Incoming {
        headers,
        chunks,
        ..Default::default()
    }
}

fn to_response(status: u16, headers: Pairs, body: Vec<u8>) -> Response {
    let headers = headers
        .into_iter()
        .filter(|(name, _)| !name.starts_with(b":"))
        .collect();
    Response {
        status,
        protocol: b"HTTP/1.1".to_vec(),
        headers,
        body,
    }
}

fn status(headers: &Pairs) -> u16 {
    let value = headers
        .iter()
        .find(|(name, _)| name == b":status")
        .map(|(_, value)| &value[..]);
    value
        .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok())
        .unwrap_or(0)
}
