//! `parapet keygen`: a pair of keys for what audit records seal.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::output::line;
use super::{CLEAN, random};
use crate::audit::SealKey;

/// Makes a pair of keys: the secret one for a file, the public one for SecParapetSealKey.
///
/// With SecParapetSealKey, audit records hold what rules matched, encrypted, for `parapet decrypt`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// File for the secret key, which must not be there; only its owner can read it.
    file: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    let key = SealKey::generate(&mut random).ok_or("the system has no random bytes")?;
    let public = key.public();
    let text = format!(
        "# Opens what audit records seal (parapet decrypt). Public key: {public}\n{}\n",
        key.secret()
    );
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let path = arguments.file.display();
    options
        .open(&arguments.file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("cannot write {path}: {error}"))?;
    line(&format!("SecParapetSealKey {public}"))?;
    Ok(CLEAN)
}
