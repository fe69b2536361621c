//! Embeds the rule files of `rules/` in the library: the table that `src/rules.rs` looks up.
//!
//! The Core Rule Set is optional (`make crs` brings it to `rules/crs`); the rest is always there.
//! Comments are blanked, not removed: they are half of the bytes, but a line keeps its number, and
//! log lines and diagnostics name lines.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads files and asks the environment"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Own files with a name of their own.
const NAMED: &[(&str, &str)] = &[
    ("@recommended-conf", "rules/recommended.conf"),
    ("@demo-conf", "rules/demo.conf"),
    ("@ftw-conf", "rules/ftw.conf"),
    ("unicode.mapping", "rules/unicode.mapping"),
];

/// Files that make sense beside the Core Rule Set only.
const NAMED_WITH_CRS: &[(&str, &str)] = &[
    ("@crs-setup-conf", "rules/crs/crs-setup.conf.example"),
    ("@crs-setup-demo-conf", "rules/crs-setup-demo.conf"),
];

/// Folders whose rule and data files are all embedded, under a prefix.
const BASELINE: (&str, &str) = ("@baseline", "rules/baseline");
const CRS: (&str, &str) = ("@owasp_crs", "rules/crs/rules");

fn main() -> io::Result<()> {
    // The folder as a whole: a path that is not there would make every build start anew.
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=rules");
    let mut files = named(NAMED);
    files.extend(folder(BASELINE)?);
    let mut version = None;
    if Path::new(CRS.1).is_dir() {
        files.extend(named(NAMED_WITH_CRS));
        let rules = folder(CRS)?;
        version = rules.iter().find_map(|(_, path)| signature(path));
        files.extend(rules);
    }
    files.sort();

    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let mut table = String::from("pub(super) const FILES: &[(&str, &[u8])] = &[\n");
    for (position, (name, path)) in files.iter().enumerate() {
        let text = fs::read(path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        let blanked = out.join(format!("rules-{position}"));
        fs::write(&blanked, blank_comments(&text))?;
        writeln!(table, "    ({name:?}, include_bytes!({blanked:?})),")
            .map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    writeln!(
        table,
        "pub(super) const CRS_VERSION: Option<&str> = {version:?};"
    )
    .map_err(io::Error::other)?;
    fs::write(out.join("rules.rs"), table)
}

fn named(table: &[(&str, &str)]) -> Vec<(String, PathBuf)> {
    table
        .iter()
        .map(|(name, path)| ((*name).to_owned(), PathBuf::from(path)))
        .collect()
}

/// The `.conf` and `.data` files of a folder.
fn folder((prefix, path): (&str, &str)) -> io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let embedded = path
            .extension()
            .is_some_and(|it| it == "conf" || it == "data");
        if let (true, Some(name)) = (embedded, path.file_name().and_then(|name| name.to_str())) {
            files.push((format!("{prefix}/{name}"), path.clone()));
        }
    }
    Ok(files)
}

/// The version in a file's `SecComponentSignature "OWASP_CRS/…"`.
fn signature(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let signature = text
        .lines()
        .find_map(|line| line.strip_prefix("SecComponentSignature \"OWASP_CRS/"))?;
    signature.strip_suffix('"').map(str::to_owned)
}

/// Empties the lines that are comments. A line that continues the one before is never a comment,
/// and a comment that is itself continued is left as it is.
fn blank_comments(text: &[u8]) -> Vec<u8> {
    let mut blanked = Vec::with_capacity(text.len());
    let mut continued = false;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let content = line.trim_ascii();
        let continues = content.ends_with(b"\\");
        if content.starts_with(b"#") && !continued && !continues {
            blanked.push(b'\n');
        } else {
            blanked.extend_from_slice(line);
        }
        continued = continues;
    }
    blanked
}
