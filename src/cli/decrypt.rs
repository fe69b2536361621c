//! `parapet decrypt`: reads what audit records seal.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use clap::Args;

use super::output::line;
use super::{CLEAN, ERRORS};
use crate::audit::SealKey;

/// Prints what audit records seal: a line of JSON for each sealed text, wherever it stands in a log.
///
/// Anyone who has the public key can seal: look whether the unique_id of what is printed is that of the
/// record it was found in.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// File with the secret key (`parapet keygen`).
    #[arg(long)]
    key: PathBuf,
    /// Logs; without any, the standard input.
    logs: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    let path = arguments.key.display();
    let text = std::fs::read_to_string(&arguments.key)
        .map_err(|error| format!("cannot read {path}: {error}"))?;
    let key = SealKey::read(&text).ok_or_else(|| {
        format!("{path} holds no secret key: a line `parapet-secret-key:…`, as `parapet keygen` writes it")
    })?;
    if arguments.logs.is_empty() {
        return decrypt(&key, "standard input", io::stdin().lock());
    }
    let mut code = CLEAN;
    for path in &arguments.logs {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| format!("cannot read {name}: {error}"))?;
        code = code.max(decrypt(&key, &name, BufReader::new(file))?);
    }
    Ok(code)
}

/// Prints what one log seals; what cannot be opened is told on the standard error.
fn decrypt(key: &SealKey, name: &str, mut log: impl BufRead) -> Result<u8, String> {
    let mut code = CLEAN;
    let mut text = Vec::new();
    for number in 1_u64.. {
        text.clear();
        let read = log.read_until(b'\n', &mut text);
        if read.map_err(|error| format!("cannot read {name}: {error}"))? == 0 {
            break;
        }
        for opened in key.open(&text) {
            if let Some(content) = opened {
                line(&String::from_utf8_lossy(&content))?;
            } else {
                eprintln!("{name}:{number}: this is damaged, or sealed to another key");
                code = ERRORS;
            }
        }
    }
    Ok(code)
}
