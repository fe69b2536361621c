//! Real traffic under the Core Rule Set: WebSocket, server-sent events, gRPC, large bodies, and what
//! coraza-proxy-wasm's own end-to-end list asks for.

mod large;
mod peer;
mod streams;

use crate::exchange::routing;
use crate::gateway::{Gateway, LISTENER, MANAGER, at};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, Weak};
use wasm_tests::project;

/// What Envoy keeps of a body where a test does not say.
const BUFFER: usize = 16 << 20;

/// The Envoy that tests share as long as one of them runs.
fn house() -> Arc<Gateway> {
    static HOUSE: Mutex<Weak<Gateway>> = Mutex::new(Weak::new());
    // A test that failed while it held the lock has failed for a reason of its own.
    let mut house = HOUSE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(gateway) = house.upgrade() {
        return gateway;
    }
    let gateway = Arc::new(start(BUFFER));
    *house = Arc::downgrade(&gateway);
    gateway
}

/// An Envoy with these rules that keeps so many bytes of a body, in HTTP/1 and in HTTP/2.
fn start(buffer: usize) -> Gateway {
    Gateway::start_example(&plugin(), |example| {
        routing::furnish(example);
        let listener = at(example, LISTENER);
        listener["per_connection_buffer_limit_bytes"] = json!(buffer);
        let options = &mut at(listener, MANAGER)["http2_protocol_options"];
        options["initial_stream_window_size"] = json!(buffer);
    })
}

fn plugin() -> Value {
    let limit = "SecRequestBodyLimit 67108864";
    // Lines that begin with `--` are no boundaries in files that are no text.
    let file = "SecRuleRemoveById 200004";
    json!({
        "directives_map": {
            "default": rules(),
            "streamed-upload": { "extends": "default", "directives":
                [limit, file, "SecParapetLargeRequestBody Stream"] },
            "kept-upload": { "extends": "default", "directives": [limit, file] },
            "peer": { "extends": "default", "directives": peer::RULES },
            "foo": ["SecRuleEngine On", peer::FOO],
            "bar": ["SecRuleEngine On", peer::BAR],
        },
        "default_directives": "default",
        "per_authority_directives": {
            "streamed.example": "streamed-upload",
            "kept.example": "kept-upload",
            "peer.example": "peer",
            "foo.example": "foo",
            "bar.example": "bar",
        },
    })
}

/// The Core Rule Set, or the embedded rules where it was not brought.
fn rules() -> Vec<&'static str> {
    if !project().join("rules/crs").is_dir() {
        return vec!["Include @demo-conf", "Include @baseline/*.conf"];
    }
    vec![
        "Include @demo-conf",
        "Include @crs-setup-conf",
        // The set's own list has no gRPC.
        "SecAction \"id:1000,phase:1,pass,nolog,setvar:'tx.allowed_request_content_type=\
         |application/x-www-form-urlencoded| |multipart/form-data| |application/json| \
         |application/octet-stream| |application/grpc|'\"",
        "Include @owasp_crs/*.conf",
    ]
}
