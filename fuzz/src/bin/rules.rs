//! Any bytes as rule files: they are read, refused with messages that point into them, or compiled;
//! and what compiles decides the same with and without its shortcuts.
//!
//! The input is the main file; lines `--- NAME` begin other files, which it may include or use as
//! data.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use parapet::compile::{Compiled, compile};
use parapet::diagnostic::{Record, Severity, render, render_line};
use parapet::reference::{Family, entries};
use parapet_fuzz::input::chunks;
use parapet_fuzz::measure::bounded;
use parapet_fuzz::seeds::{self, Seeds};
use parapet_fuzz::waf::{Exchange, Files, Outcome, variants};

fuzz_target!(init: seeds::offer(offer), |data: &[u8]| run(data));

/// What one load or transaction may take, by far: the largest inputs have 4096 bytes.
const MEMORY: usize = 256 << 20;
const TIME: Duration = Duration::from_secs(2);

/// Gives the mark of a search that came to its limit a place among the variables.
const PROBE: &[u8] =
    b"SecAction \"id:999999999,phase:5,pass,nolog,setvar:tx.msc_pcre_limits_exceeded=+0\"\n";
const LIMITED: &[u8] = b"msc_pcre_limits_exceeded";

fn run(data: &[u8]) {
    let (main, files) = split(data);
    let sources = [
        ("probe.conf".to_owned(), PROBE.to_vec()),
        ("main.conf".to_owned(), main),
    ];
    let compiled = bounded("loading", MEMORY, TIME, || compile(&sources, &files));
    check_messages(&compiled);
    let Some(program) = compiled.program else {
        return;
    };
    let exchanges = exchanges();
    // Each in an engine of its own: persistent collections outlive a transaction.
    let outcomes = bounded("deciding", MEMORY, TIME, || {
        let [normal, ..] = variants(&program);
        exchanges.each_ref().map(|exchange| exchange.run(&normal))
    });
    // Without the prefilter, patterns that would be spared a search may come to their limit.
    let limited = |outcomes: &[Outcome]| {
        outcomes
            .iter()
            .flat_map(|one| &one.tx)
            .any(|(name, value)| name == LIMITED && value == b"1")
    };
    let [traced, ablated @ ..] = variants(&program);
    let again = exchanges
        .each_ref()
        .map(|exchange| exchange.traced(&traced));
    assert_eq!(outcomes, again, "traced");
    for waf in ablated {
        let again = exchanges.each_ref().map(|exchange| exchange.run(&waf));
        assert!(
            outcomes == again || limited(&again),
            "without shortcuts: {outcomes:?}, {again:?}"
        );
    }
}

/// Every message points into a text, and a program comes of texts without errors alone.
fn check_messages(compiled: &Compiled) {
    let mut errors = 0;
    for one in &compiled.diagnostics {
        errors += usize::from(one.severity == Severity::Error);
        let places = one
            .span
            .iter()
            .chain(one.related.iter().map(|(span, _)| span));
        for span in places {
            let text = compiled.sources.text(span.source);
            let (start, end) = (span.start as usize, span.end as usize);
            assert!(start <= end && end <= text.len(), "{one:?}");
        }
        assert!(!render(one, &compiled.sources).is_empty());
        assert!(
            !render_line(one, &compiled.sources).contains('\n'),
            "{one:?}"
        );
        let _ = Record::new(one, &compiled.sources);
    }
    assert_eq!(compiled.program.is_none(), errors > 0);
}

fn split(data: &[u8]) -> (Vec<u8>, Files) {
    let mut main = Vec::new();
    let mut files = Files::default();
    let mut name = None;
    for line in data.split_inclusive(|&byte| byte == b'\n') {
        if let Some(other) = line.strip_prefix(b"--- ") {
            name = Some(String::from_utf8_lossy(other.trim_ascii()).into_owned());
            continue;
        }
        match &name {
            Some(name) => files
                .0
                .entry(name.clone())
                .or_default()
                .extend_from_slice(line),
            None => main.extend_from_slice(line),
        }
    }
    (main, files)
}

/// Requests in which rules find something.
fn exchanges() -> [Exchange<'static>; 3] {
    const HEADERS: &[(&[u8], &[u8])] = &[
        (b"Host", b"www.example.com:8080"),
        (b"User-Agent", b"Mozilla/5.0 (X11) sqlmap"),
        (b"Cookie", b"sid=abc123; b=\"x y\""),
        (b"Referer", b"http://a.example/?q=<script>"),
    ];
    const FORM: &[(&[u8], &[u8])] = &[
        (b"Host", b"a"),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        (b"Authorization", b"Basic YTpi"),
    ];
    const XML: &[(&[u8], &[u8])] = &[
        (b"Host", b"a"),
        (b"Content-Type", b"text/xml; charset=utf-8"),
    ];
    [
        Exchange {
            method: b"GET",
            target: b"/a/../b.php?q=1'+or+'1'='1&x=%3Cscript%3E&A=2&A=../../etc/passwd&e=",
            headers: HEADERS,
            body: Vec::new(),
            response: vec![b"<html><body>SQL syntax error</body></html>"],
        },
        Exchange {
            method: b"POST",
            target: b"/",
            headers: FORM,
            body: chunks(
                b"a=b&user=admin&pass=aGVsbG8%3D&x=5019717010103742&y=192.168.2.1",
                3,
            ),
            response: Vec::new(),
        },
        Exchange {
            method: b"PUT",
            target: b"http://a/x?y",
            headers: XML,
            body: vec![b"<a x='1'><b xmlns='urn:b'>text &amp; <c/>1' or 1=1</b></a>"],
            response: vec![b"{}"],
        },
    ]
}

fn offer(seeds: &mut Seeds) {
    for entry in entries() {
        let prefix = match entry.family {
            Family::Operator => "@",
            Family::Transformation => "t:",
            _ => "",
        };
        for name in std::iter::once(&entry.name).chain(entry.aliases) {
            seeds.words([format!("{prefix}{name}").as_str()]);
        }
        match entry.family {
            Family::Directive | Family::Variable => {
                seeds.input(&[entry.examples.join("\n").as_bytes()])
            }
            Family::Action => {
                for example in &entry.examples {
                    seeds.input(&[example.as_bytes()]);
                }
            }
            _ => {}
        }
        if entry.family == Family::Action {
            seeds.input(&[
                b"SecRule ARGS|XML:/*|&TX:a \"@rx a(b)?\" \"id:1,phase:2,log,capture,",
                entry.name.as_bytes(),
                b":'1',chain\"\nSecRule TX:0 \"!@streq %{tx.1}\" \"t:none,multiMatch,setvar:tx.b=+1\"\n",
            ]);
        }
        if entry.family == Family::Operator {
            seeds.input(&[
                b"SecRuleEngine On\nSecRequestBodyAccess On\nSecRule ARGS|REQUEST_HEADERS:/^x/|!ARGS:q \"@",
                entry.name.as_bytes(),
                b" a.data\" \"id:2,phase:2,deny,t:lowercase\"\n--- a.data\na\n192.168.0.0/16\n",
            ]);
        }
    }
    seeds.words([
        "id:1",
        "phase:2",
        "chain",
        "\"",
        "'",
        "\\\n",
        "`",
        "%{tx.a}",
        "%{MATCHED_VAR}",
        "|",
        "!",
        "&",
        "!@rx ",
        "ARGS:/x/",
        "'/^a/'",
        "XML:/*",
        "XML://@*",
        "tx.a=+1",
        "!tx.a",
        "<IfModule x>\n",
        "</IfModule>\n",
        "SecRule ARGS \"@rx a\" \"id:7,phase:1,pass\"\n",
        "--- a.conf\n",
        "a.conf",
        "ctl:ruleRemoveById=1",
        "ctl:ruleRemoveTargetByTag=a;ARGS:x",
        "ctl:requestBodyProcessor=XML",
        "ctl:ruleEngine=Off",
        "ctl:auditLogParts=+E",
        "skipAfter:A",
        "setvar:'tx.a=%{tx.b}'",
        "ip=%{remote_addr}",
        "On",
        "Off",
        "DetectionOnly",
        "ProcessPartial",
        "1-3",
        "t:none",
    ]);
    for (_, text) in seeds::rule_files() {
        let text = String::from_utf8_lossy(text);
        for piece in text.split("\n\n").filter(|piece| !piece.trim().is_empty()) {
            let body = piece.trim_start();
            seeds.input(&[body.as_bytes(), b"\n"]);
        }
    }
    for text in seeds::files("tests/diagnostics", "conf") {
        seeds.input(&[&text]);
    }
}
