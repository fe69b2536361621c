//! Callbacks in any order.

use parapet::wasm_host::{Cue, HostError, Plugin, Scene};

use super::{FORM, Random, factor, pairs, rounds, start, words};

/// Everything a stream can show is an attack, in the phase that looks at it.
fn scene() -> Scene {
    Scene {
        request: pairs(&[
            (":authority", "shop.example.org"),
            (":method", "POST"),
            (":path", "/"),
            FORM,
        ]),
        response: pairs(&[(":status", "200"), ("content-type", "text/html")]),
        trailers: pairs(&[("x-sum", "1")]),
        source: b"192.0.2.7:40000".to_vec(),
        protocol: b"HTTP/1.1".to_vec(),
        details: b"via_upstream".to_vec(),
    }
}

fn cues() -> Vec<Cue> {
    let evil2 = b"a=evil2".to_vec();
    let evil4 = b"<p>evil4</p>".to_vec();
    vec![
        Cue::RequestHeaders(false),
        Cue::RequestHeaders(true),
        Cue::RequestBody(evil2.clone(), false),
        Cue::RequestBody(evil2, true),
        Cue::RequestTrailers,
        Cue::ResponseHeaders(false),
        Cue::ResponseBody(evil4.clone(), false),
        Cue::ResponseBody(evil4, true),
        Cue::ResponseTrailers,
        Cue::Log,
        Cue::Done,
        // What says nothing:
        Cue::RequestBody(Vec::new(), true),
        Cue::ResponseHeaders(true),
        Cue::ResponseBody(Vec::new(), true),
    ]
}

/// One callback; a body that is an attack must not go on.
fn play(plugin: &mut Plugin, id: u32, cue: &Cue, told: &dyn std::fmt::Debug) {
    let answer = plugin
        .cue(id, cue)
        .unwrap_or_else(|error| panic!("{told:?}: {error}"));
    let attacks = match cue {
        Cue::RequestBody(body, _) | Cue::ResponseBody(body, _) => !body.is_empty(),
        _ => false,
    };
    assert!(!(attacks && answer.goes_on()), "{told:?}: {answer:?}");
}

fn stream(plugin: &mut Plugin) -> u32 {
    let id = plugin.stage(&scene());
    plugin.cue(id, &Cue::Create).unwrap();
    id
}

fn end(plugin: &mut Plugin, id: u32) {
    plugin.cue(id, &Cue::Delete).unwrap();
    plugin.strike(id);
}

#[test]
fn no_order_of_a_few_callbacks_lets_an_attack_through() {
    let cues = cues();
    // The last three add little but time.
    let (kinds, most) = match factor() {
        1 => (cues.len() - 3, 4),
        _ => (cues.len(), 5),
    };
    for keys in ["", r#", "hold_headers": "off""#] {
        let mut plugin = start(&words("", keys), |_| {});
        for length in 1..=most {
            let total = kinds.pow(u32::try_from(length).unwrap());
            for number in 0..total {
                let mut rest = number;
                let mut script = Vec::new();
                for _ in 0..length {
                    script.push(&cues[rest % kinds]);
                    rest /= kinds;
                }
                let id = stream(&mut plugin);
                for cue in &script {
                    play(&mut plugin, id, cue, &script);
                }
                end(&mut plugin, id);
            }
            plugin.take_log();
        }
        assert!(super::counted(&plugin, "interruptions_ruleid=2") > 0);
        assert!(super::counted(&plugin, "interruptions_ruleid=4") > 0);
        assert!(super::counted(&plugin, "host.failures") > 0);
        assert_eq!(super::counted(&plugin, "uninspected_reason=failure"), 0);
    }
}

#[test]
fn no_order_of_many_streams_does() {
    let cues = cues();
    let mut random = Random(0xC0FFEE);
    for keys in [
        "",
        r#", "hold_headers": "required""#,
        r#", "hold_headers": "off""#,
    ] {
        let mut plugin = start(&words("", keys), |_| {});
        let mut live: Vec<u32> = Vec::new();
        for round in 0..rounds(20_000) {
            match random.below(20) {
                0 | 1 => live.push(stream(&mut plugin)),
                2 if !live.is_empty() => {
                    let id = live.swap_remove(random.below(live.len()));
                    end(&mut plugin, id);
                }
                3 => plugin.tick().unwrap(),
                _ if live.is_empty() => {}
                _ => {
                    let id = live[random.below(live.len())];
                    let cue = &cues[random.below(cues.len())];
                    play(&mut plugin, id, cue, &(round, cue));
                }
            }
        }
        for id in live {
            end(&mut plugin, id);
        }
        super::none_arrives(&mut plugin, "afterwards");
    }
}

#[test]
fn a_tick_with_nothing_to_do_does_nothing() {
    let mut plugin = start(&words("", ""), |_| {});
    let before = plugin.metrics().clone();
    for _ in 0..10 {
        plugin.tick().unwrap();
    }
    assert_eq!(*plugin.metrics(), before);
}

#[test]
fn the_end_is_told_once_or_twice_or_never() {
    let mut plugin = start(&words("", ""), |_| {});
    for ends in [
        &[Cue::Done][..],
        &[Cue::Log],
        &[Cue::Log, Cue::Done],
        &[Cue::Done, Cue::Log],
        &[Cue::Log, Cue::Log, Cue::Done, Cue::Done],
        &[],
    ] {
        for middle in [
            None,
            Some(Cue::RequestHeaders(true)),
            Some(Cue::RequestHeaders(false)),
        ] {
            let id = stream(&mut plugin);
            for cue in middle.iter().chain(ends) {
                play(&mut plugin, id, cue, &(ends, &middle));
            }
            end(&mut plugin, id);
        }
    }
}

/// Dispatch is the SDK's, and it gives up where a host calls for a context that it never created or
/// has deleted. No proxy does; one that did would get an error instead of an answer to go on.
#[test]
fn a_context_that_does_not_exist_gets_nothing_through() {
    for cue in cues() {
        for deleted in [false, true] {
            let mut plugin = start(&words("", ""), |_| {});
            let id = plugin.stage(&scene());
            if deleted {
                plugin.cue(id, &Cue::Create).unwrap();
                plugin.cue(id, &Cue::Delete).unwrap();
            }
            let error = plugin.cue(id, &cue).unwrap_err();
            assert!(matches!(error, HostError::Trap { .. }), "{error}");
            assert!(!plugin.is_alive());
        }
    }
}
