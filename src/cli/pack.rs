//! `parapet pack`: a filter with its rules compiled in.

use std::path::PathBuf;

use clap::Args;
use miniz_oxide::deflate::compress_to_vec;

use super::config::{Config, messages};
use super::output::line;
use super::{CLEAN, ERRORS};
use crate::diagnostic::{Severity, render};
use crate::wasm_host::{self, HostError, LogLevel, Packed};

/// Pack a filter with its configuration: a module that starts in milliseconds.
///
/// The filter compiles its rules here, once, and the packed module begins with the memory it has
/// then. Where a proxy gives a packed module no plugin configuration, it works with the one that it
/// was packed with; with one it works like any other, and takes from what was packed the lists of
/// directives that are equal.
///
/// The same filter and configuration make the same module, byte by byte. Pack again whenever either
/// changes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One plugin configuration (`.json`); or rule files, in order, which are packed with the files
    /// that they name.
    #[arg(long, value_name = "FILE", required = true, num_args = 1)]
    config: Vec<PathBuf>,

    /// The compiled filter.
    #[arg(long, value_name = "FILE.wasm", default_value = "target/parapet.wasm")]
    wasm: PathBuf,

    /// Where the packed module goes.
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
}

/// Packs. The exit status is 1 if the configuration has errors.
pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    let config = Config::load(&arguments.config)?;
    let loads = config.check();
    let found = messages(&loads);
    let errors = found
        .iter()
        .filter(|(one, _)| one.severity == Severity::Error);
    let mut failed = false;
    for (diagnostic, sources) in errors {
        failed = true;
        eprintln!("{}\n", render(diagnostic, sources));
    }
    if failed {
        return Ok(ERRORS);
    }
    let path = arguments.wasm.display();
    let filter = std::fs::read(&arguments.wasm).map_err(|error| format!("{path}: {error}"))?;
    let configuration = config.plugin_configuration("")?;
    let packed = wasm_host::pack(&filter, &configuration);
    let packed = packed.map_err(|error| match error {
        HostError::MissingExport(_) => {
            format!("{path}: {error}: it is packed already, or no filter of this version")
        }
        _ => format!("{path}: {error}"),
    })?;
    // What the filter has to say is what it would tell a proxy's log.
    for told in &packed.log {
        if told.level >= LogLevel::Warn {
            eprintln!("{}", String::from_utf8_lossy(&told.text));
        }
    }
    let output = arguments.output.display();
    std::fs::write(&arguments.output, &packed.module)
        .map_err(|error| format!("{output}: {error}"))?;
    line(&format!("{output}: {}", summary(&packed)))?;
    Ok(CLEAN)
}

fn summary(packed: &Packed) -> String {
    let Packed { module, memory, .. } = packed;
    let kibibytes = |bytes: usize| bytes.div_ceil(1024);
    format!(
        "{} KiB, {} KiB gzipped; a VM begins with {} KiB of memory",
        kibibytes(module.len()),
        kibibytes(gzipped(module)),
        kibibytes(*memory)
    )
}

/// The size of a file that `gzip` made of it.
fn gzipped(bytes: &[u8]) -> usize {
    /// Head and checksum around the compressed data (RFC 1952).
    const AROUND: usize = 18;
    /// That of `gzip -9`.
    const LEVEL: u8 = 9;
    compress_to_vec(bytes, LEVEL).len().saturating_add(AROUND)
}
