//! Messages about broken rule files, compared with what they are expected to look like.
//!
//! Every `tests/diagnostics/NAME.conf` has its `NAME.txt` beside it; with a `NAME.base` it is an
//! overlay of that base. `PARAPET_BLESS=1` writes the
//! expectations anew: read the difference before you keep it.

#![expect(
    clippy::disallowed_methods,
    reason = "a test reads its data and writes it on request"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parapet::compile::{Layer, NoFiles, compile, compile_profile};
use parapet::diagnostic::{Diagnostic, SourceMap, render, render_line};

/// Loads one rule file, or an overlay of a base, as the tool does.
fn load(name: &str, text: &[u8], base: Option<Vec<u8>>) -> (Vec<Diagnostic>, SourceMap) {
    let compiled = match base {
        None => compile(&[(name.to_owned(), text.to_vec())], &NoFiles),
        Some(base) => {
            let overlay = Layer {
                overlay: Some(Arc::default()),
                ..Layer::new(name, text)
            };
            compile_profile(&[Layer::new("base", base), overlay], &NoFiles)
        }
    };
    (compiled.diagnostics, compiled.sources)
}

/// All messages as a person sees them, then as a log holds them.
fn report(name: &str, text: &[u8], base: Option<Vec<u8>>) -> String {
    let (diagnostics, sources) = load(name, text, base);
    let full = diagnostics
        .iter()
        .map(|diagnostic| render(diagnostic, &sources) + "\n\n");
    let lines = diagnostics
        .iter()
        .map(|diagnostic| render_line(diagnostic, &sources) + "\n");
    full.chain(["--- as log lines ---\n".to_owned()])
        .chain(lines)
        .collect()
}

#[test]
fn messages_look_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let has = |path: &Path, extension: &str| path.extension().is_some_and(|e| e == extension);
    let bless = std::env::var_os("PARAPET_BLESS").is_some_and(|value| value == "1");
    let mut failures = Vec::new();
    let mut cases = 0;
    for file in files.iter().filter(|file| has(file, "conf")) {
        cases += 1;
        let name = file.file_name().unwrap().to_string_lossy();
        let base = std::fs::read(file.with_extension("base")).ok();
        let found = report(&name, &std::fs::read(file).unwrap(), base);
        let expectation = file.with_extension("txt");
        if bless {
            std::fs::write(&expectation, found).unwrap();
            continue;
        }
        match std::fs::read_to_string(&expectation) {
            Err(error) => failures.push(format!("{name}: no expectation: {error}")),
            Ok(expected) if expected != found => failures.push(format!(
                "{name}: the messages differ\n--- expected ---\n{expected}--- found ---\n{found}"
            )),
            Ok(_) => {}
        }
    }
    for file in files.iter().filter(|file| has(file, "txt")) {
        if !file.with_extension("conf").exists() {
            failures.push(format!(
                "{}: an expectation without its rules",
                file.display()
            ));
        }
    }
    println!("{cases} cases");
    assert!(cases > 0, "no case in {}", folder.display());
    assert!(
        failures.is_empty(),
        "{}\nPARAPET_BLESS=1 accepts them",
        failures.join("\n")
    );
}
