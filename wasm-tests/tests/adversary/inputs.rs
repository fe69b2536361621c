//! Heads and bodies without sense.

use parapet::wasm_host::{Exchange, Plugin};

use super::{BASELINE, Random, arrived, none_arrives, page, pairs, request, rounds, start, words};

fn survives(plugin: &mut Plugin, exchange: &Exchange, what: &str) {
    let answer = page("fine", &[b"<p>fine</p>"]);
    plugin
        .exchange(exchange, &mut |_| answer.clone())
        .unwrap_or_else(|error| panic!("{what}: {error}"));
}

#[test]
fn ten_thousand_headers_are_read() {
    for configuration in [&words("", ""), BASELINE] {
        let mut plugin = start(configuration, |_| {});
        let mut asked = request("/", &[]);
        for number in 0..10_000 {
            asked
                .request
                .headers
                .extend(pairs(&[(&format!("x-{number}"), "v")]));
        }
        survives(&mut plugin, &asked, "many");
        asked.request.headers.extend(pairs(&[("x-0", "again")]));
        survives(&mut plugin, &asked, "one more");
    }
    // The last one counts as much as the first.
    let rule = r#", "SecRule REQUEST_HEADERS \"@streq needle\" \"id:9,phase:1,deny\"""#;
    let mut plugin = start(&words(rule, ""), |_| {});
    let mut asked = request("/", &[]);
    for number in 0..10_000 {
        let value = if number == 9_999 { "needle" } else { "hay" };
        let name = format!("x-{number}");
        asked.request.headers.extend(pairs(&[(&name, value)]));
    }
    let outcome = plugin.exchange(&asked, &mut |_| page("fine", &[])).unwrap();
    assert!(!arrived(1, &outcome), "{:?}", outcome.reply);
}

#[test]
fn huge_headers_are_read() {
    let rule = r#", "SecRule REQUEST_HEADERS:x-huge \"@endsWith needle\" \"id:9,phase:1,deny\"""#;
    let mut plugin = start(&words(rule, ""), |_| {});
    for size in [10_000, 1 << 20, 4 << 20] {
        for (end, wanted) in [("", true), ("needle", false)] {
            let mut asked = request("/", &[]);
            let value = "h".repeat(size) + end;
            asked.request.headers.extend(pairs(&[("x-huge", &value)]));
            let outcome = plugin.exchange(&asked, &mut |_| page("fine", &[])).unwrap();
            assert_eq!(arrived(1, &outcome), wanted, "{size} {end}");
        }
        let mut asked = request("/", &[]);
        let name = "n".repeat(size);
        asked.request.headers.extend(pairs(&[(&name, "v")]));
        survives(&mut plugin, &asked, "a huge name");
        survives(
            &mut plugin,
            &request(&format!("/?{}", "a=1&".repeat(size / 4)), &[]),
            "a huge query",
        );
    }
}

#[test]
fn nothing_need_be_text() {
    const ODD: &[&[u8]] = &[
        b"",
        b"\xff",
        b"\x80\x81",
        b"\xc3\x28",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\0",
        b"a\0b",
        b"\r\n",
        b":",
        b"%",
        b"%ff%zz%",
        b"\xe2\x80",
    ];
    let mut plugin = start(BASELINE, |_| {});
    for odd in ODD {
        let bytes = || odd.to_vec();
        let mut asked = request("/?a=1", &[b"a=1"]);
        for at in 0..asked.request.headers.len() {
            let mut with_value = asked.clone();
            with_value.request.headers[at].1 = bytes();
            survives(&mut plugin, &with_value, &format!("{odd:?} as value {at}"));
            let mut with_name = asked.clone();
            with_name.request.headers[at].0 = bytes();
            survives(&mut plugin, &with_name, &format!("{odd:?} as name {at}"));
        }
        let places: [fn(&mut Exchange) -> &mut Vec<u8>; 4] = [
            |asked| &mut asked.protocol,
            |asked| &mut asked.source,
            |asked| &mut asked.destination,
            |asked| &mut asked.request.chunks[0],
        ];
        for place in places {
            let kept = place(&mut asked).clone();
            *place(&mut asked) = bytes();
            survives(&mut plugin, &asked, &format!("{odd:?}"));
            *place(&mut asked) = kept;
        }
        asked.request.trailers = vec![(bytes(), bytes())];
        survives(&mut plugin, &asked, &format!("{odd:?} in trailers"));
        let mut answer = page("fine", &[odd]);
        answer.headers.push((bytes(), bytes()));
        let plain = request("/", &[]);
        plugin.exchange(&plain, &mut |_| answer.clone()).unwrap();
        answer.headers[0].1 = bytes();
        plugin.exchange(&plain, &mut |_| answer.clone()).unwrap();
    }
}

#[test]
fn heads_without_what_every_head_has_are_refused() {
    let mut plugin = start(&words("", ""), |_| {});
    let whole = request("/", &[b"a=evil2"]);
    for skipped in 0..whole.request.headers.len() {
        let mut asked = whole.clone();
        let (name, _) = asked.request.headers.remove(skipped);
        let outcome = plugin.exchange(&asked, &mut |_| page("fine", &[])).unwrap();
        // The host may leave these out, and the rules then see no form.
        let optional = [
            &b":authority"[..],
            b":scheme",
            b"user-agent",
            b"accept",
            b"content-type",
        ];
        if !optional.contains(&name.as_slice()) {
            assert!(!arrived(2, &outcome), "without {name:?}");
        }
    }
    let mut asked = whole.clone();
    asked.request.headers.clear();
    let outcome = plugin.exchange(&asked, &mut |_| page("fine", &[])).unwrap();
    assert!(!arrived(2, &outcome));
    none_arrives(&mut plugin, "afterwards");
}

#[test]
fn properties_may_be_missing() {
    let mut plugin = start(&words("", ""), |_| {});
    for (phase, (mut attack, answer)) in (1..).zip(super::attacks()) {
        attack.source = Vec::new();
        attack.destination = Vec::new();
        attack.protocol = Vec::new();
        let outcome = plugin.exchange(&attack, &mut |_| answer.clone()).unwrap();
        assert!(!arrived(phase, &outcome), "{outcome:?}");
    }
}

#[test]
fn random_exchanges_are_survived() {
    let mut random = Random(0xBAD5EED);
    let mut plugin = start(BASELINE, |_| {});
    for _ in 0..rounds(1_500) {
        let mut asked = request("/", &[b"x"]);
        for _ in 0..random.below(6) {
            let at = random.below(asked.request.headers.len());
            match random.below(3) {
                0 => asked.request.headers[at].1 = random.bytes(60),
                1 => asked.request.headers[at].0 = random.bytes(20),
                _ => asked
                    .request
                    .headers
                    .push((random.bytes(9), random.bytes(40))),
            }
        }
        let types = [
            "application/x-www-form-urlencoded",
            "application/json",
            "text/xml; charset=utf-16",
            "multipart/form-data; boundary=x",
            "multipart/form-data; boundary=\"x",
        ];
        let kind = types[random.below(types.len())];
        asked
            .request
            .headers
            .extend(pairs(&[("content-type", kind)]));
        asked.request.chunks = (0..random.below(4)).map(|_| random.bytes(200)).collect();
        asked.request.end_with_last_chunk = random.below(2) == 0;
        asked.answer_before_body = random.below(8) == 0;
        if random.below(4) == 0 {
            asked.request.trailers = vec![(random.bytes(9), random.bytes(9))];
        }
        let mut answer = page("fine", &[]);
        answer.headers.push((random.bytes(9), random.bytes(40)));
        answer.chunks = (0..random.below(4)).map(|_| random.bytes(200)).collect();
        if random.below(6) == 0 {
            answer.headers.clear();
        }
        plugin.exchange(&asked, &mut |_| answer.clone()).unwrap();
        plugin.take_log();
    }
    assert!(plugin.is_alive());
}
