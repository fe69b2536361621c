//! The core inside wasm, under Node (`make wasm-test`): 32-bit `usize`, another code generator and
//! no operating system, without a proxy around it.
#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]

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
