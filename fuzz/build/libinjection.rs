//! Compiles the C sources in `LIBINJECTION_C`, with what our own differs in on purpose changed.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// A file, a piece of its text, and what stands there instead.
type Change = (&'static str, &'static str, &'static str);

const CHANGES: &[Change] = &[
    // The end of a `$tag$` string is looked for behind the tag, as later versions do.
    (
        "libinjection_sqli.c",
        "my_memmem(cs+xlen+2, slen",
        "my_memmem(cs+pos+xlen+2, slen",
    ),
    // No arithmetic with a null pointer.
    (
        "libinjection_sqli.c",
        "if (memchr2(cur + 2, (size_t)(ptr",
        "if (ptr && memchr2(cur + 2, (size_t)(ptr",
    ),
    // The byte 0xFF is not the end of the value.
    (
        "libinjection_html5.c",
        "            return ch;",
        "            return (unsigned char) ch;",
    ),
    // Events: the newer list, names without `on`, attributes of five bytes and more.
    (
        "libinjection_xss.c",
        "/* JavaScript on.* */\n    if (",
        "if (len >= 5 && ",
    ),
    (
        "libinjection_xss.c",
        "(BLACK_ON_ATTR[i], s, strlen",
        "(BLACK_ON_ATTR[i], s + 2, strlen",
    ),
];

const EVENTS: &str = "../src/operator/libinjection/xss/events.txt";

/// Leaves `libinjection.a` where the linker looks.
pub fn build() {
    println!("cargo::rerun-if-env-changed=LIBINJECTION_C");
    println!("cargo::rerun-if-changed={EVENTS}");
    let sources = env::var_os("LIBINJECTION_C").expect("LIBINJECTION_C: folder of the C sources");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let mut compiler = cc::Build::new();
    compiler.include(&sources).warnings(false).opt_level(2);
    for name in [
        "libinjection_sqli.c",
        "libinjection_html5.c",
        "libinjection_xss.c",
    ] {
        let path = Path::new(&sources).join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        let mut text = fs::read_to_string(path).unwrap();
        for (_, from, to) in CHANGES.iter().filter(|change| change.0 == name) {
            assert_eq!(text.matches(from).count(), 1, "{name}: {from}");
            text = text.replace(from, to);
        }
        if name == "libinjection_xss.c" {
            text = with_events(&text);
        }
        let changed = out.join(name);
        fs::write(&changed, text).unwrap();
        compiler.file(changed);
    }
    compiler.compile("injection");
}

fn with_events(text: &str) -> String {
    let head = "BLACK_ON_ATTR[] = {";
    let start = text.find(head).unwrap() + head.len();
    let end = start + text[start..].find("};").unwrap();
    let events = fs::read_to_string(EVENTS).unwrap();
    let events: Vec<String> = events.lines().map(|event| format!("\"{event}\"")).collect();
    format!("{}{}{}", &text[..start], events.join(","), &text[end..])
}
