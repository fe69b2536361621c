//! The rules for both engines: the Core Rule Set from a folder, copied with every rule logging where
//! matches are compared.
//!
//! Most rules of the set that compute something say `nolog`, and libmodsecurity tells only of rules
//! that log, and of a SecAction only if it has a message. In the copy, which both engines get,
//! `nolog` reads `log,msg:'-'` and `noauditlog` reads `auditlog`. Directives of our own are left out:
//! both engines read bodies as they come.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exchange::Profile;

/// Whether rules tell of their matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// All rules do.
    Always,
    /// Those do that say so.
    AsWritten,
}

/// Copies what is in `source` (a checkout of the Core Rule Set) and the engine's `settings` to
/// `place`, and writes one file for each profile that includes the copies. Both engines load that one
/// file: libmodsecurity keeps the first of two settings that are loaded one after the other.
///
/// # Errors
///
/// A text for people: what cannot be read or written.
pub fn copy(source: &Path, settings: &Path, place: &Path, telling: Telling) -> Result<(), String> {
    let say = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    fs::create_dir_all(place).map_err(say(place))?;
    for (from, name) in [
        (settings.to_owned(), "recommended.conf"),
        (
            settings.with_file_name("unicode.mapping"),
            "unicode.mapping",
        ),
        (source.join("crs-setup.conf.example"), "crs-setup.conf"),
    ] {
        take(&from, &place.join(name), telling).map_err(say(&from))?;
    }
    let rules = source.join("rules");
    let mut names = Vec::new();
    for entry in fs::read_dir(&rules).map_err(say(&rules))? {
        names.push(entry.map_err(say(&rules))?.path());
    }
    names.sort();
    let mut includes = String::new();
    for from in names {
        let name = from.file_name().unwrap_or_default().to_string_lossy();
        take(&from, &place.join(&*name), telling).map_err(say(&from))?;
        if name.ends_with(".conf") {
            includes.push_str(&format!("Include {name}\n"));
        }
    }
    for (profile, text) in [
        (Profile::Detecting, DETECTING),
        (Profile::Blocking, BLOCKING),
    ] {
        let path = file(place, profile);
        let text = format!("Include recommended.conf\nInclude crs-setup.conf\n{text}{includes}");
        fs::write(&path, text).map_err(say(&path))?;
    }
    Ok(())
}

/// The file to load for a profile.
pub fn file(place: &Path, profile: Profile) -> PathBuf {
    place.join(match profile {
        Profile::Detecting => "detecting.conf",
        Profile::Blocking => "blocking.conf",
    })
}

const DETECTING: &str = "\
SecRuleEngine DetectionOnly
SecAuditEngine Off
SecResponseBodyMimeType text/plain text/html text/xml application/json
SecAction \"id:1,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level=4,setvar:tx.arg_length=400,\\
setvar:tx.total_arg_length=6400,setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535\"
";

const BLOCKING: &str = "\
SecRuleEngine On
SecAuditEngine Off
SecResponseBodyMimeType text/plain text/html text/xml application/json
";

fn take(from: &Path, to: &Path, telling: Telling) -> std::io::Result<()> {
    let mut bytes = fs::read(from)?;
    match from.extension().and_then(|extension| extension.to_str()) {
        Some("mapping") => bytes = plain_map(&bytes),
        Some("data") => {}
        _ => {
            if telling == Telling::Always {
                bytes = replace(&bytes, b"noauditlog", b"auditlog");
                bytes = replace(&bytes, b"nolog", b"log,msg:'-'");
            }
            bytes = without_own(&bytes);
        }
    }
    fs::write(to, bytes)
}

/// Leaves out the directives that only Parapet has.
fn without_own(text: &[u8]) -> Vec<u8> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    let shared = lines.filter(|line| !line.trim_ascii_start().starts_with(b"SecParapet"));
    shared.flatten().copied().collect()
}

/// The map of characters as libmodsecurity reads it: no comments, a code page on one line.
fn plain_map(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        out.extend(line);
        out.push(if line.contains(&b':') { b' ' } else { b'\n' });
    }
    out
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend(to);
            rest = after;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}
