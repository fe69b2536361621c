//! Envoy as a child process, with the shipped example as its configuration.
//!
//! The listener comes from a file that Envoy watches (LDS), so a test can replace it while requests
//! are served. The example is changed only where a test needs it: ports, and the plugin
//! configuration.

use crate::client::{self, Answer, Request, Version};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use wasm_tests::backend::{self, Response};
use wasm_tests::{project, wasm};

/// Start-up of Envoy with the whole Core Rule Set, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Workers, unless a test says otherwise.
const WORKERS: u32 = 2;

pub struct Gateway {
    envoy: Child,
    folder: PathBuf,
    pub address: SocketAddr,
    admin: SocketAddr,
    example: Value,
    pub backend: Backend,
}

impl Gateway {
    /// Starts Envoy and waits until it serves. No plugin configuration is `null`.
    pub fn start(plugin: &Value) -> Self {
        Self::start_changed(plugin, |_| {})
    }

    /// The same with the connection manager's configuration changed.
    pub fn start_changed(plugin: &Value, change: impl FnOnce(&mut Value)) -> Self {
        Self::start_example(plugin, |example| {
            change(at(at(example, LISTENER), MANAGER));
        })
    }

    /// The same with anything in the example changed. Listeners that are added serve as well; a
    /// plugin configuration that comes later is that of the first one.
    pub fn start_example(plugin: &Value, change: impl FnOnce(&mut Value)) -> Self {
        Self::start_workers(WORKERS, plugin, change)
    }

    /// The same with so many workers.
    pub fn start_workers(workers: u32, plugin: &Value, change: impl FnOnce(&mut Value)) -> Self {
        let backend = Backend::start();
        let address = free_address();
        let mut example = example();
        *at(&mut example, "/admin/address/socket_address/port_value") = json!(0);
        *at(
            &mut example,
            "/static_resources/listeners/0/address/socket_address/port_value",
        ) = json!(address.port());
        *at(&mut example, BACKEND_PORT) = json!(backend.address.port());
        change(&mut example);

        let folder = scratch();
        let text = Some(plugin).filter(|plugin| !plugin.is_null());
        let text = text.map(Value::to_string).unwrap_or_default();
        write_listener(&folder, &example, &text);
        let mut bootstrap = example.clone();
        bootstrap["static_resources"]["listeners"] = json!([]);
        bootstrap["node"] = json!({ "id": "test", "cluster": "test" });
        bootstrap["dynamic_resources"] = json!({
            "lds_config": {
                "resource_api_version": "V3",
                "path_config_source": { "path": folder.join("listener.json") },
            }
        });
        fs::write(folder.join("envoy.json"), bootstrap.to_string()).unwrap();

        let envoy = launch(
            &folder,
            workers,
            &["--admin-address-path", &path(&folder.join("admin"))],
        );
        let admin = address; // until Envoy has told
        let mut gateway = Self {
            envoy,
            folder,
            address,
            admin,
            example,
            backend,
        };
        gateway.admin = gateway.wait_for("its admin address", |gateway| {
            fs::read_to_string(gateway.folder.join("admin"))
                .ok()?
                .trim()
                .parse()
                .ok()
        });
        gateway.wait_for("a listener", |gateway| {
            assert_eq!(
                gateway.updates().1,
                0,
                "Envoy refuses the listener:\n{}",
                gateway.log()
            );
            let live = gateway.ask_admin("/ready")?.contains("LIVE");
            let listening = |listener: &Value| {
                let port = listener["address"]["socket_address"]["port_value"].as_u64();
                let port = u16::try_from(port.unwrap()).unwrap();
                TcpStream::connect(("127.0.0.1", port)).is_ok()
            };
            let mut listeners = listeners(&gateway.example).iter();
            (live && listeners.all(listening)).then_some(())
        });
        gateway
    }

    pub fn send(&self, version: Version, request: &Request) -> Answer {
        client::send(version, self.address, request)
    }

    /// Replaces the plugin configuration by an update of the listener, as a control plane would.
    /// Returns whether Envoy accepted it.
    pub fn update(&mut self, plugin: &str) -> bool {
        let before = self.updates();
        write_listener(&self.folder, &self.example, plugin);
        let after = self.wait_for("the listener update", |gateway| {
            let after = gateway.updates();
            (after != before).then_some(after)
        });
        after.0 > before.0
    }

    /// Updates of the listener so far, accepted and rejected.
    fn updates(&self) -> (u64, u64) {
        let statistics = self
            .ask_admin("/stats?filter=^listener_manager.lds.update_(success|rejected)$")
            .unwrap_or_default();
        let value = |name: &str| {
            statistics
                .lines()
                .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
                .unwrap_or(0)
        };
        (
            value("listener_manager.lds.update_success:"),
            value("listener_manager.lds.update_rejected:"),
        )
    }

    /// What Envoy has logged so far.
    pub fn log(&self) -> String {
        read_log(&self.folder)
    }

    /// Memory of Envoy's process, in bytes.
    pub fn memory(&self) -> Memory {
        let status = fs::read_to_string(format!("/proc/{}/status", self.envoy.id())).unwrap();
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
            kilobytes.unwrap().trim().parse::<u64>().unwrap() * 1024
        };
        Memory {
            current: value("VmRSS:"),
            peak: value("VmHWM:"),
        }
    }

    /// Lets the peak of [`Gateway::memory`] begin anew.
    pub fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.envoy.id()), "5").unwrap();
    }

    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    pub fn ask_admin(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.admin).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn wait_for<T>(&mut self, what: &str, mut ready: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = ready(self) {
                return value;
            }
            if let Some(status) = self.envoy.try_wait().unwrap() {
                panic!(
                    "waited for {what}, but Envoy ended with {status}:\n{}",
                    self.log()
                );
            }
            assert!(
                Instant::now() < deadline,
                "waited in vain for {what}:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub current: u64,
    pub peak: u64,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.envoy.kill();
        let _ = self.envoy.wait();
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// What Envoy says when it is started with a plugin configuration that it must refuse.
pub fn refusal(plugin: &str) -> String {
    let folder = scratch();
    let mut bootstrap = example();
    *at(&mut bootstrap, "/admin/address/socket_address/port_value") = json!(0);
    *at(
        &mut bootstrap,
        "/static_resources/listeners/0/address/socket_address/port_value",
    ) = json!(free_address().port());
    filter(at(&mut bootstrap, LISTENER))["configuration"]["value"] = json!(plugin);
    fs::write(folder.join("envoy.json"), bootstrap.to_string()).unwrap();
    let mut envoy = launch(&folder, WORKERS, &[]);
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = envoy.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            let _ = envoy.kill();
            panic!("Envoy serves with the configuration {plugin}");
        }
        thread::sleep(Duration::from_millis(50));
    };
    assert!(!status.success());
    let log = read_log(&folder);
    fs::remove_dir_all(&folder).unwrap();
    log
}

/// `envoy --mode validate` on the text of an example, with the filter under test.
pub fn validates(example: &str) -> Result<(), String> {
    let folder = scratch();
    let copy = folder.join("configuration.yaml");
    fs::write(
        &copy,
        example.replace("target/parapet.wasm", &path(&wasm())),
    )
    .unwrap();
    let output = Command::new(envoy())
        .args(["--mode", "validate", "-l", "warning", "-c"])
        .arg(&copy)
        .output()
        .unwrap();
    fs::remove_dir_all(&folder).unwrap();
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The upstream: answers everything, and remembers it.
pub struct Backend {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<backend::Request>>>,
}

impl Backend {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let received = Arc::new(Mutex::new(Vec::new()));
        let backend = Self {
            address,
            connections: connections.clone(),
            received: received.clone(),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let received = received.clone();
                thread::spawn(move || {
                    backend::converse(stream, &|request: &backend::Request| {
                        received.lock().unwrap().push(request.clone());
                        Response::text(format!("reached with {} bytes", request.body.len()))
                    })
                });
            }
        });
        backend
    }

    /// Connections so far. None means that not even the head of a request came here.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The last complete request.
    pub fn last(&self) -> Option<backend::Request> {
        self.received.lock().unwrap().last().cloned()
    }
}

/// The Envoy under test: `ENVOY`, else what `scripts/envoy` finds or fetches.
pub fn envoy() -> PathBuf {
    if let Some(path) = std::env::var_os("ENVOY") {
        return project().join(path);
    }
    let output = Command::new(project().join("scripts/envoy"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "scripts/envoy found no Envoy");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// The listener in the example.
pub const LISTENER: &str = "/static_resources/listeners/0";
/// The connection manager in a listener of the example.
pub const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";
const BACKEND_PORT: &str = "/static_resources/clusters/0/load_assignment/endpoints/0/lb_endpoints/0\
                            /endpoint/address/socket_address/port_value";

/// envoy/gateway.yaml with the filter under test.
fn example() -> Value {
    let text = fs::read_to_string(project().join("envoy/gateway.yaml")).unwrap();
    let mut example: Value = serde_saphyr::from_str(&text).unwrap();
    filter(at(&mut example, LISTENER))["vm_config"]["code"]["local"]["filename"] = json!(wasm());
    example
}

/// The configuration of the filter under test in a listener of the example.
pub fn filter(listener: &mut Value) -> &mut Value {
    let filters = at(listener, MANAGER)["http_filters"]
        .as_array_mut()
        .unwrap();
    let found = filters
        .iter_mut()
        .find(|filter| filter["name"] == "parapet");
    at(found.unwrap(), "/typed_config/config")
}

/// A place in the example.
pub fn at<'a>(value: &'a mut Value, pointer: &str) -> &'a mut Value {
    value
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("envoy/gateway.yaml has no {pointer}"))
}

fn listeners(example: &Value) -> &[Value] {
    example["static_resources"]["listeners"].as_array().unwrap()
}

/// Puts the listeners' file in place in one step, which is what Envoy watches for.
fn write_listener(folder: &Path, example: &Value, plugin: &str) {
    let mut listeners = listeners(example).to_vec();
    for listener in &mut listeners {
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    }
    filter(&mut listeners[0])["configuration"]["value"] = json!(plugin);
    fs::write(
        folder.join("listener.new"),
        json!({ "resources": listeners }).to_string(),
    )
    .unwrap();
    fs::rename(folder.join("listener.new"), folder.join("listener.json")).unwrap();
}

fn launch(folder: &Path, workers: u32, more: &[&str]) -> Child {
    let log = fs::File::create(folder.join("log")).unwrap();
    Command::new(envoy())
        .args(["--disable-hot-restart", "--concurrency"])
        .arg(workers.to_string())
        .args(["-l", "warning"])
        .args(["--component-log-level", "wasm:info", "-c"])
        .arg(folder.join("envoy.json"))
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn read_log(folder: &Path) -> String {
    let log = fs::read(folder.join("log")).unwrap_or_default();
    String::from_utf8_lossy(&log).into_owned()
}

/// An address that nobody listens on. Its port is outside the range that connections take theirs
/// from, and far from those of other test processes: it stays free until Envoy takes it.
pub fn free_address() -> SocketAddr {
    const PORTS: std::ops::Range<usize> = 10_000..32_000;
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let start = usize::try_from(std::process::id()).unwrap() * 101;
    loop {
        let number = start + COUNT.fetch_add(1, Ordering::SeqCst);
        let port = u16::try_from(PORTS.start + number % PORTS.len()).unwrap();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().unwrap();
        }
    }
}

/// A folder of its own.
pub fn scratch() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let folder =
        std::env::temp_dir().join(format!("parapet-envoy-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
