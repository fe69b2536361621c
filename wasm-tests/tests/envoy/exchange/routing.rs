//! An Envoy that leads each request to the upstream which one of its headers names.

use crate::gateway::{LISTENER, MANAGER, at};
use serde_json::{Value, json};

/// Routes and clusters for that; upgrades, CONNECT and trailers are allowed. Paths under `/grpc`
/// reach their upstream over HTTP/2.
pub fn furnish(example: &mut Value) {
    let manager = at(at(example, LISTENER), MANAGER);
    manager["http_protocol_options"] = json!({ "enable_trailers": true });
    manager["http2_protocol_options"] = json!({ "allow_connect": true });
    // How long Envoy lets a connection stand that it has cut.
    manager["delayed_close_timeout"] = json!("0.1s");
    manager["upgrade_configs"] =
        json!([{ "upgrade_type": "websocket" }, { "upgrade_type": "CONNECT" }]);
    *at(manager, "/route_config/virtual_hosts/0/routes") = routes();
    *at(example, "/static_resources/clusters") = json!([
        cluster(
            "upstream",
            json!({ "http_protocol_options": { "enable_trailers": true } })
        ),
        cluster("grpc", json!({ "http2_protocol_options": {} })),
    ]);
}

/// A request that names no upstream has no route to one. There is no time limit: tests wait, and
/// streams go on.
fn routes() -> Value {
    let named = json!([{ "name": "x-upstream", "present_match": true }]);
    let matched = |by: &str, what: Value| json!({ by: what, "headers": named });
    let route = |matched: Value, cluster: &str| json!({ "match": matched, "route": { "cluster": cluster, "timeout": "0s" } });
    json!([
        route(matched("connect_matcher", json!({})), "upstream"),
        route(matched("prefix", json!("/grpc")), "grpc"),
        route(matched("prefix", json!("/")), "upstream"),
    ])
}

/// The upstream is the address in a header of the request.
fn cluster(name: &str, protocol: Value) -> Value {
    json!({
        "name": name,
        "type": "ORIGINAL_DST",
        "lb_policy": "CLUSTER_PROVIDED",
        "connect_timeout": "1s",
        "original_dst_lb_config": { "use_http_header": true, "http_header_name": "x-upstream" },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type":
                    "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": protocol,
            },
        },
    })
}
