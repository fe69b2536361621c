//! Host calls that fail.

use parapet::wasm_host::Plugin;

use super::{attacks, counted, module, none_arrives, rounds, start, words};

/// What hosts answer, and a number that none does.
const STATUSES: std::ops::RangeInclusive<u32> = 1..=13;

fn plugin(keys: &str) -> Plugin {
    start(&words("", keys), |settings| settings.faults = true)
}

/// The functions of the proxy that the filter imports.
fn imports() -> Vec<String> {
    let imports = module().imports();
    imports
        .iter()
        .filter_map(|name| name.strip_prefix("env."))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_call_that_always_fails_lets_nothing_through() {
    let imports = imports();
    assert!(imports.len() > 10, "{imports:?}");
    for keys in [
        "",
        r#", "hold_headers": "required""#,
        r#", "hold_headers": "off""#,
    ] {
        for import in &imports {
            let mut plugin = plugin(keys);
            for status in STATUSES {
                plugin.fail(Some(import), None, status);
                none_arrives(&mut plugin, &format!("{import} answers {status}"));
            }
            plugin.heal();
            none_arrives(&mut plugin, &format!("after {import}"));
        }
    }
}

#[test]
fn nothing_goes_through_when_everything_fails() {
    for status in STATUSES {
        let mut plugin = plugin("");
        plugin.fail(None, None, status);
        none_arrives(&mut plugin, &format!("all answer {status}"));
    }
}

#[test]
fn one_call_that_fails_lets_nothing_through() {
    let mut plugin = plugin("");
    // From the first calls of a VM on to where everything is known.
    none_arrives(&mut plugin, "at first");
    let before = plugin.calls();
    none_arrives(&mut plugin, "counting");
    let calls = plugin.calls() - before;
    assert!(calls > 40, "{calls}");
    let statuses: Vec<u32> = match rounds(1) {
        1 => vec![1, 2, 10],
        _ => STATUSES.collect(),
    };
    for call in 0..calls {
        for &status in &statuses {
            let first = plugin.calls();
            plugin.fail(None, Some(first + call), status);
            none_arrives(&mut plugin, &format!("call {call} answers {status}"));
        }
    }
    assert!(counted(&plugin, "host.failures") > 0);
    assert_eq!(counted(&plugin, "uninspected_reason=failure"), 0);
}

#[test]
fn the_first_calls_of_a_vm_may_fail_as_well() {
    for call in 0..24 {
        let mut plugin = plugin("");
        let first = plugin.calls();
        plugin.fail(None, Some(first + call), 2);
        none_arrives(&mut plugin, &format!("call {call}"));
    }
}

#[test]
fn a_lenient_policy_counts_what_it_lets_go() {
    let mut plugin = plugin(r#", "on_error": "allow""#);
    plugin.fail(Some("proxy_get_header_map_pairs"), None, 2);
    for (attack, answer) in attacks() {
        plugin.exchange(&attack, &mut |_| answer.clone()).unwrap();
    }
    assert!(counted(&plugin, "uninspected_reason=failure") >= 4);
    assert_eq!(
        counted(&plugin, "host.failures"),
        counted(&plugin, "uninspected_reason=failure")
    );
}
