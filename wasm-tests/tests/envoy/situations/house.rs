//! One Envoy for all situations: listeners that differ in how heads are held, in what happens
//! to gRPC and in Envoy's buffer, and routes that answer, redirect, or lead to the upstream a request names.

use crate::exchange::routing;
use crate::gateway::{self, Gateway, LISTENER, MANAGER, at};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Largest body that the rules take, in bytes.
pub const LIMIT: usize = 65_536;
/// What Envoy keeps of a body behind [`Door::Small`].
pub const SMALL: usize = 65_536;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `allow_on_headers_stop_iteration: true`.
    Held,
    /// Without it, and `hold_headers: off`.
    Plain,
}

pub const MODES: [Mode; 2] = [Mode::Held, Mode::Plain];

/// Which listener of a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Standard,
    /// With `"grpc": "inspect"`.
    Grpc,
    /// Envoy keeps only [`SMALL`] bytes of a body.
    Small,
    /// The same, and the filter knows (`buffer_limit`).
    Told,
}

pub struct House {
    pub gateway: Gateway,
    addresses: Vec<(Mode, Door, SocketAddr)>,
}

impl House {
    pub fn start() -> Self {
        let mut addresses = Vec::new();
        let gateway = Gateway::start_example(&plugin(Mode::Held, Door::Standard), |example| {
            routing::furnish(example);
            furnish(example);
            let first = at(example, "/static_resources/listeners/0").clone();
            for (mode, door) in [
                (Mode::Plain, Door::Standard),
                (Mode::Held, Door::Grpc),
                (Mode::Plain, Door::Grpc),
                (Mode::Held, Door::Small),
                (Mode::Plain, Door::Small),
                (Mode::Held, Door::Told),
                (Mode::Plain, Door::Told),
            ] {
                let address = gateway::free_address();
                addresses.push((mode, door, address));
                let mut listener = first.clone();
                listener["name"] = json!(format!("{mode:?} {door:?}"));
                listener["address"]["socket_address"]["port_value"] = json!(address.port());
                if matches!(door, Door::Small | Door::Told) {
                    listener["per_connection_buffer_limit_bytes"] = json!(SMALL);
                    // In HTTP/2 a stream's window is what Envoy keeps of it.
                    let options = &mut at(&mut listener, MANAGER)["http2_protocol_options"];
                    options["initial_stream_window_size"] = json!(SMALL);
                }
                let filter = gateway::filter(&mut listener);
                filter["allow_on_headers_stop_iteration"] = json!(mode == Mode::Held);
                filter["configuration"]["value"] = json!(plugin(mode, door).to_string());
                let listeners = at(example, "/static_resources/listeners");
                listeners.as_array_mut().unwrap().push(listener);
            }
        });
        addresses.push((Mode::Held, Door::Standard, gateway.address));
        Self { gateway, addresses }
    }

    pub fn door(&self, mode: Mode, door: Door) -> SocketAddr {
        let found = self
            .addresses
            .iter()
            .find(|known| (known.0, known.1) == (mode, door));
        found.unwrap().2
    }
}

/// One rule for each phase. Rule N belongs to phase N.
fn plugin(mode: Mode, door: Door) -> Value {
    let limit = match door {
        Door::Small | Door::Told => SMALL * 8,
        Door::Standard | Door::Grpc => LIMIT,
    };
    let limits = format!("SecRequestBodyLimit {limit}\nSecResponseBodyLimit {limit}");
    let hold = match mode {
        Mode::Held => "auto",
        Mode::Plain => "off",
    };
    let mut plugin = json!({
        "directives_map": {
            "default": [
                "SecRuleEngine On",
                "SecRequestBodyAccess On",
                "SecResponseBodyAccess On",
                "SecResponseBodyMimeType text/html text/event-stream application/grpc",
                limits,
                "SecResponseBodyLimitAction ProcessPartial",
                "SecRule REQUEST_HEADERS:Content-Type \"@beginsWith application/grpc\" \
                 \"id:10,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On\"",
                "SecRule REQUEST_HEADERS:X-Probe \"@streq attack\" \"id:1,phase:1,deny,nolog\"",
                "SecRule REQUEST_HEADERS:X-Probe \"@streq drop\" \"id:11,phase:1,drop,nolog\"",
                "SecRule ARGS|REQUEST_BODY \"@contains attack\" \"id:2,phase:2,deny,nolog\"",
                "SecRule RESPONSE_HEADERS:X-Probe \"@streq leak\" \"id:3,phase:3,deny,nolog\"",
                "SecRule RESPONSE_BODY \"@contains leak\" \"id:4,phase:4,deny,nolog\"",
            ],
            "partial": { "extends": "default", "directives":
                ["SecRequestBodyLimitAction ProcessPartial"] },
            "stream": { "extends": "default", "directives":
                ["SecParapetLargeRequestBody Stream", "SecParapetLargeResponseBody Stream"] },
            "strict": { "extends": "default", "directives":
                ["SecResponseBodyLimitAction Reject"] },
        },
        "default_directives": "default",
        "per_authority_directives": {
            "partial.example": "partial",
            "stream.example": "stream",
            "strict.example": "strict",
        },
        "hold_headers": hold,
        "grpc": if door == Door::Grpc { "inspect" } else { "stream" },
        "denial": { "headers": { "x-denied-by": "%{rule_id}" } },
    });
    if door == Door::Told {
        plugin["buffer_limit"] = json!(SMALL);
    }
    plugin
}

/// What the situations need beyond [`routing`]: answers of Envoy, and filters around ours.
fn furnish(example: &mut Value) {
    let manager = at(at(example, LISTENER), MANAGER);
    manager["http_protocol_options"]["accept_http_10"] = json!(true);
    manager["access_log"] = json!([]);
    let routes = at(manager, "/route_config/virtual_hosts/0/routes");
    let answers = [
        (
            "/direct",
            "direct_response",
            json!({ "status": 200, "body": { "inline_string": "hi" } }),
        ),
        ("/moved", "redirect", json!({ "path_redirect": "/" })),
    ];
    for (prefix, action, details) in answers {
        let route = json!({ "match": { "prefix": prefix }, action: details });
        routes.as_array_mut().unwrap().insert(0, route);
    }
    let filters = at(manager, "/http_filters").as_array_mut().unwrap();
    filters.insert(0, access_control("/private"));
    filters.insert(2, access_control("/internal"));
}

/// A filter that refuses a path.
fn access_control(prefix: &str) -> Value {
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "action": "DENY", "policies": { "closed": {
                "permissions": [{ "url_path": { "path": { "prefix": prefix } } }],
                "principals": [{ "any": true }],
            } } },
        },
    })
}
