//! A packed filter in a real Envoy.

use super::client::VERSIONS;
use super::gateway::{self, Gateway};
use super::{attacks, ordinary_requests, plugin, rule_sets};
use parapet::wasm_host::pack;
use serde_json::{Value, json};
use wasm_tests::wasm;

#[test]
fn a_packed_filter_guards_without_a_configuration_and_takes_another_one() {
    let (_, rules) = rule_sets().pop().unwrap();
    let packed = pack(
        &std::fs::read(wasm()).unwrap(),
        rules.to_string().as_bytes(),
    )
    .unwrap();
    let folder = gateway::scratch();
    let module = folder.join("packed.wasm");
    std::fs::write(&module, packed.module).unwrap();
    let mut gateway = Gateway::start_changed(&Value::Null, |manager| {
        let filters = manager["http_filters"].as_array_mut().unwrap();
        let code = gateway::at(&mut filters[0], "/typed_config/config/vm_config/code/local");
        code["filename"] = json!(module);
    });
    for version in VERSIONS {
        for (name, request) in attacks() {
            let answer = gateway.send(version, &request);
            assert_eq!(answer.status, 403, "{version:?}: {name}\n{}", gateway.log());
        }
        for (name, request) in ordinary_requests() {
            let answer = gateway.send(version, &request);
            assert_eq!(answer.status, 200, "{version:?}: {name}\n{}", gateway.log());
        }
    }
    let own = plugin(&[
        "SecRuleEngine On",
        "SecRule ARGS \"@streq barley\" \"id:1,deny,status:406\"",
    ]);
    assert!(gateway.update(&own.to_string()), "{}", gateway.log());
    assert!(!gateway.update("{\"rules\": [\"SecRulee\"]}"));
    assert!(gateway.log().contains("P0201"), "{}", gateway.log());
    std::fs::remove_dir_all(&folder).unwrap();
}
