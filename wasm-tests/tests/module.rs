//! The compiled filter as a file: hosts refuse a module that asks for more than they have.

use std::collections::BTreeSet;
use wasm_tests::wasm;
use wasmparser::{ExternalKind, Parser, Payload};

/// All that older hosts know of WASI. One call to the standard library's files or sockets would
/// bring in more, and they would not load the module.
const WASI: [&str; 8] = [
    "fd_write",
    "clock_time_get",
    "random_get",
    "environ_get",
    "environ_sizes_get",
    "args_get",
    "args_sizes_get",
    "proc_exit",
];

/// The host calls of ABI 0.2.1, which are those of 0.2.0 and `proxy_get_log_level`. A host that
/// lacks one of them is not known; one that is not among them, no host need have.
const ABI: [&str; 39] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_close_stream",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_buffer_bytes",
    "proxy_get_buffer_status",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_size",
    "proxy_get_header_map_value",
    "proxy_get_log_level",
    "proxy_get_metric",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_resolve_shared_queue",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

struct Module {
    imports: BTreeSet<(String, String)>,
    exports: BTreeSet<String>,
    memories: usize,
}

fn module() -> Module {
    let bytes = std::fs::read(wasm()).unwrap();
    let mut module = Module {
        imports: BTreeSet::new(),
        exports: BTreeSet::new(),
        memories: 0,
    };
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.unwrap();
                    module
                        .imports
                        .insert((import.module.to_owned(), import.name.to_owned()));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.unwrap();
                    if export.kind == ExternalKind::Func {
                        module.exports.insert(export.name.to_owned());
                    }
                }
            }
            Payload::MemorySection(memories) => module.memories += memories.count() as usize,
            _ => {}
        }
    }
    module
}

#[test]
fn imports_are_what_every_host_has() {
    let imports = module().imports;
    assert!(
        imports.iter().any(|(from, _)| from == "env"),
        "no hostcalls: is this the filter?"
    );
    let strangers = strangers(&imports);
    assert!(
        strangers.is_empty(),
        "hosts refuse these imports: {strangers:?}"
    );
}

/// The imports that a host need not have.
fn strangers(imports: &BTreeSet<(String, String)>) -> Vec<&(String, String)> {
    imports
        .iter()
        .filter(|(from, name)| match from.as_str() {
            "env" => !ABI.contains(&name.as_str()),
            "wasi_snapshot_preview1" => !WASI.contains(&name.as_str()),
            _ => true,
        })
        .collect()
}

#[test]
fn other_imports_would_be_noticed() {
    for (from, name) in [
        ("env", "proxy_get_secrets"),
        ("env", "fd_write"),
        ("wasi_snapshot_preview1", "fd_filestat_get"),
        ("wasi_unstable", "fd_write"),
    ] {
        let import = (from.to_owned(), name.to_owned());
        assert_eq!(strangers(&BTreeSet::from([import.clone()])), [&import]);
    }
    let known = ("env".to_owned(), "proxy_log".to_owned());
    assert!(strangers(&BTreeSet::from([known])).is_empty());
}

#[test]
fn exports_are_those_of_a_proxy_wasm_filter() {
    let exports = module().exports;
    for name in [
        "proxy_abi_version_0_2_1",
        "_initialize",
        "proxy_on_memory_allocate",
        "proxy_on_vm_start",
        "proxy_on_configure",
        "proxy_on_context_create",
        "proxy_on_request_headers",
        "proxy_on_request_body",
        "proxy_on_request_trailers",
        "proxy_on_response_headers",
        "proxy_on_response_body",
        "proxy_on_response_trailers",
        "proxy_on_log",
        "proxy_on_delete",
    ] {
        assert!(
            exports.contains(name),
            "{name} is not exported; there are {exports:?}"
        );
    }
}

#[test]
fn the_memory_is_its_own() {
    assert_eq!(module().memories, 1);
}

/// The filter that traps on demand is another build.
#[test]
fn nothing_in_it_is_there_for_tests() {
    let bytes = std::fs::read(wasm()).unwrap();
    for text in [&b"x-parapet-trap"[..], b"parapet_allocated_bytes"] {
        let found = bytes.windows(text.len()).any(|window| window == text);
        assert!(!found, "{} is in it", text.escape_ascii());
    }
}
