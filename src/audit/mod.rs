//! Log text: what the engine found, in the words that ModSecurity's users search for.
//!
//! Values come from clients: everything that could end a line or a field is escaped, long values are
//! cut, and secrets are covered.

mod coraza;
mod debug_log;
mod error_log;
mod json;
mod legacy;
mod native;
mod ocsf;
#[cfg(feature = "cli")]
mod page;
mod record;
mod redaction;
mod sealed;
mod text;

use crate::engine::Transaction;
use crate::program::AuditFormat;
use record::Record;

pub use debug_log::debug_lines;
pub use error_log::ErrorLog;
#[cfg(feature = "cli")]
pub use page::page;
pub use redaction::Redaction;
pub use sealed::Random;
#[cfg(feature = "cli")]
pub use sealed::SealKey;

/// The audit record of a finished transaction, in the format of SecAuditLogFormat; none if the audit
/// log does not want it. A record in JSON is one line without a line end, a native one many lines.
/// Random bytes are only drawn where something is sealed (SecParapetSealKey).
pub fn audit_record(transaction: &Transaction, random: &mut Random<'_>) -> Option<Vec<u8>> {
    if !transaction.is_audited() {
        return None;
    }
    let format = transaction.program().settings.audit.format;
    Some(formatted(transaction, format, random))
}

fn formatted(transaction: &Transaction, format: AuditFormat, random: &mut Random<'_>) -> Vec<u8> {
    let redaction = Redaction::new(transaction);
    let record = Record::new(transaction, &redaction, random);
    match format {
        AuditFormat::Native => native::write(&record),
        AuditFormat::Json => in_json(&json::Root::new(&record)),
        AuditFormat::Coraza => in_json(&coraza::Root::new(&record)),
        AuditFormat::JsonLegacy => in_json(&legacy::Root::new(&record)),
        AuditFormat::Ocsf => in_json(&ocsf::HttpActivity::new(&record)),
    }
}

/// A record in JSON. There is no error to tell: keys are strings, and memory takes all that is written.
fn in_json(record: &impl serde::Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(USUAL);
    match serde_json::to_writer(&mut out, record) {
        Ok(()) => out,
        Err(_) => Vec::new(),
    }
}

/// Bytes of most records.
const USUAL: usize = 4096;

/// A record as one line: line ends and backslashes of the native format are escaped, and bytes that are
/// not printable.
pub fn one_line(record: &[u8], format: AuditFormat) -> Vec<u8> {
    if format != AuditFormat::Native {
        return record.to_vec();
    }
    let mut line = Vec::with_capacity(record.len());
    for &byte in record {
        match byte {
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\\' => line.extend_from_slice(b"\\\\"),
            b' '..=b'~' => line.push(byte),
            _ => {
                line.extend_from_slice(b"\\x");
                line.extend_from_slice(&crate::bytes::hex_digits(byte));
            }
        }
    }
    line
}

/// The JSON schema of a format of ours, generated from the types that are written.
///
/// `None` for formats that others describe: Native and OCSF.
#[cfg(feature = "cli")]
pub fn schema(format: AuditFormat) -> Option<schemars::Schema> {
    match format {
        AuditFormat::Json => Some(schemars::schema_for!(json::Root<'static>)),
        AuditFormat::Coraza => Some(schemars::schema_for!(coraza::Root<'static>)),
        AuditFormat::JsonLegacy => Some(schemars::schema_for!(legacy::Root<'static>)),
        AuditFormat::Native | AuditFormat::Ocsf => None,
    }
}

/// Who writes the records.
fn producer() -> String {
    format!("Parapet/{}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests;
