//! The core inside wasm, under Node (`make wasm-test`): 32-bit `usize`, another code generator and
//! no operating system, without a proxy around it.
#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]

use std::rc::Rc;

use parapet::compile::{NoFiles, compile};
use parapet::diagnostic::render_line;
use parapet::engine::{Clock, Connection, RequestHead, Transaction, UnixNanos, Waf};
use parapet::proxy::PluginFiles;
use parapet::rules;
use parapet::transform::{Context, Transformation};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn every_example_of_every_transformation_holds() {
    let mut output = Vec::new();
    for transformation in Transformation::ALL {
        let def = transformation.def();
        assert!(!def.examples.is_empty(), "t:{} has no example", def.name);
        for example in def.examples {
            let _ = transformation.apply(example.input, &mut output, Context::default());
            let result = if output.is_empty() && example.output == example.input {
                example.input
            } else {
                output.as_slice()
            };
            assert_eq!(
                result.escape_ascii().to_string(),
                example.output.escape_ascii().to_string(),
                "t:{} of {}",
                def.name,
                example.input.escape_ascii()
            );
        }
    }
}

#[wasm_bindgen_test]
fn the_embedded_rule_files_came_along() {
    assert!(rules::list().any(|name| name.starts_with("@baseline/")));
    assert!(rules::list().all(|name| rules::embedded(name).is_some()));
}

#[wasm_bindgen_test]
fn the_parser_tells_places() {
    let text = b"SecRule ARGS \"@rx a\" \\\n    \"id:1,deny,t:lowercas\"\n".to_vec();
    let compiled = compile(&[("a.conf".to_owned(), text)], &NoFiles);
    assert!(compiled.program.is_none());
    let lines: Vec<String> = compiled
        .diagnostics
        .iter()
        .map(|diagnostic| render_line(diagnostic, &compiled.sources))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("a.conf:2:18: error[P0204]"),
        "{lines:?}"
    );
}

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> UnixNanos {
        1_700_000_000_000_000_000
    }
}

/// A form through the embedded baseline rules; the status of the denial, if it is denied.
fn baseline_verdict(form: &[u8]) -> Option<u16> {
    let rules = b"Include @demo-conf\nInclude @baseline/*.conf".to_vec();
    let compiled = compile(&[("wasm-test".to_owned(), rules)], &PluginFiles::new(&[]));
    let program = compiled
        .program
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    let waf = Waf::new(program, Rc::new(StoppedClock));
    let mut transaction = Transaction::new(&waf, Connection::default());
    let headers: [(&[u8], &[u8]); 4] = [
        (b"host", b"example.com"),
        (b"user-agent", b"Mozilla/5.0"),
        (b"accept", b"*/*"),
        (b"content-type", b"application/x-www-form-urlencoded"),
    ];
    let head = RequestHead {
        method: b"POST",
        target: b"/comment",
        protocol: b"HTTP/1.1",
        headers: &headers,
    };
    assert_eq!(transaction.request_head(&head).interruption, None);
    for byte in form {
        assert_eq!(transaction.request_body(&[*byte]).interruption, None);
    }
    let step = transaction.end_request_body();
    transaction.finish();
    step.interruption.map(|interruption| interruption.status)
}

#[wasm_bindgen_test]
fn a_transaction_passes_and_another_is_denied() {
    assert_eq!(baseline_verdict(b"name=Ann&text=Two+words"), None);
    assert_eq!(
        baseline_verdict(b"text=%3Cscript%3Ealert(1)%3C/script%3E"),
        Some(403)
    );
}
