//! Tests of the compiled filter: what it asks of a host, and how it behaves in real ones.
//!
//! The library holds what several of them need, and the demo backend.

use std::path::{Path, PathBuf};

pub mod admin;
pub mod backend;
pub mod lanes;
pub mod traffic;

/// The project's folder.
pub fn project() -> PathBuf {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().unwrap_or(member).to_owned()
}

/// The filter under test: `PARAPET_WASM`, else what `make wasm` built.
///
/// # Panics
/// Where it is not there, saying how to get it.
pub fn wasm() -> PathBuf {
    let path = std::env::var_os("PARAPET_WASM").unwrap_or_else(|| "target/parapet.wasm".into());
    let path = project().join(path);
    assert!(
        path.is_file(),
        "there is no {}: run `make wasm`, or set PARAPET_WASM",
        path.display()
    );
    path
}
