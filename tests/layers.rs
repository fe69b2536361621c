//! The layers of `src/lib.rs`, enforced: a module names only what stands below it.
//!
//! Read from the sources, so a path in a body counts like one in a `use`. Unit tests are code of
//! their module and follow the same rule.

#![expect(
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test reads the sources, and a panic is a failure"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of each layer, from the leaves up.
const LAYERS: [&[&str]; 5] = [
    &[
        "allocations",
        "bytes",
        "diagnostic",
        "limits",
        "rules",
        "work",
    ],
    &[
        "transform",
        "matching",
        "operator",
        "variable",
        "template",
        "action",
        "body",
        "http",
    ],
    &["seclang", "program", "compile"],
    &["engine", "audit", "reference"],
    &["proxy", "cli", "wasm_host"],
];

/// What modules of one layer may name of each other. No path leads back.
const BESIDE: &[(&str, &[&str])] = &[
    ("operator", &["matching"]),
    ("variable", &["matching"]),
    ("template", &["variable"]),
    ("action", &["template", "transform", "variable"]),
    ("body", &["http"]),
    ("compile", &["seclang", "program"]),
    ("audit", &["engine"]),
    ("cli", &["proxy", "wasm_host"]),
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

fn may_name(from: &str, to: &str) -> bool {
    let beside = BESIDE
        .iter()
        .find(|(module, _)| *module == from)
        .map_or(&[][..], |(_, it)| it);
    from == to || layer(to) < layer(from) || beside.contains(&to)
}

#[test]
fn modules_name_only_what_stands_below_them() {
    let mut count = 0;
    let mut wrong = BTreeSet::new();
    for file in sources(Path::new("src")) {
        let relative = file.strip_prefix("src").unwrap();
        let module = relative
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if module == "lib" || module == "bin" {
            continue;
        }
        assert!(
            layer(module).is_some(),
            "the module {module} has no layer in tests/layers.rs"
        );
        for named in named_modules(&fs::read_to_string(&file).unwrap()) {
            assert!(
                layer(&named).is_some(),
                "{}: what is crate::{named}?",
                file.display()
            );
            count += 1;
            if !may_name(module, &named) {
                wrong.insert(format!("{}: {module} names {named}", file.display()));
            }
        }
    }
    assert!(
        count > 20,
        "only {count} paths were found: is this reading the sources?"
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Libraries that speak to the world, and the one module that may name each.
const ADAPTERS: &[(&str, &str)] = &[
    ("proxy_wasm::", "proxy"),
    ("wasmtime::", "wasm_host"),
    ("wasmtime_wizer::", "wasm_host"),
    ("clap::", "cli"),
    ("indicatif::", "cli"),
    ("serde_saphyr::", "cli"),
];

#[test]
fn the_world_is_known_at_the_edge_only() {
    for file in sources(Path::new("src")) {
        let text = fs::read_to_string(&file).unwrap();
        for (library, module) in ADAPTERS {
            assert!(
                !text.contains(library) || file.starts_with(Path::new("src").join(module)),
                "{} names {library}; only src/{module} may",
                file.display()
            );
        }
    }
}

#[test]
fn the_documented_layers_are_these() {
    let text = fs::read_to_string("src/lib.rs").unwrap();
    for (number, modules) in LAYERS.iter().enumerate() {
        let start = format!("//! L{number} ");
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
        for module in *modules {
            assert!(
                line.contains(module),
                "src/lib.rs does not place {module} on L{number}"
            );
        }
    }
}

#[test]
fn the_reader_sees_every_form_of_a_path() {
    let text = "use crate::a::B; // crate::comment\n\
                use crate::{b, c::{D, E}, f as g};\n\
                pub(crate) fn x(y: crate::h::Y) -> String { \"//\".into() }\n\
                /// [`crate::documented`]\n";
    let found: Vec<_> = named_modules(text).into_iter().collect();
    assert_eq!(found, ["a", "b", "c", "f", "h"]);
}

/// The modules that follow `crate::`, alone or in a group.
fn named_modules(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .map(|line| line.split_once("// ").map_or(line, |(code, _)| code))
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = BTreeSet::new();
    for (_, rest) in code
        .match_indices("crate::")
        .map(|(at, it)| (at, &code[at + it.len()..]))
    {
        match rest.strip_prefix('{') {
            None => found.extend(identifier(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut entry = true;
                for (at, character) in group.char_indices() {
                    match character {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => entry = true,
                        _ if entry && character.is_alphabetic() => {
                            found.extend(identifier(&group[at..]));
                            entry = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

fn identifier(text: &str) -> Option<String> {
    let end = text
        .find(|it: char| !it.is_alphanumeric() && it != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
    files
}
