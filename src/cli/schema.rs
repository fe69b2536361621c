//! `parapet schema`: what audit records look like.

use clap::{Args, ValueEnum};

use super::CLEAN;
use super::output::line;
use crate::audit;
use crate::program::AuditFormat;

/// Prints the JSON schema of audit records.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As in SecAuditLogFormat.
    format: Format,
}

/// The formats that have a schema of ours: OCSF publishes its own.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    #[value(name = "jsonlegacy")]
    JsonLegacy,
    Coraza,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    let schema = audit::schema(match arguments.format {
        Format::Json => AuditFormat::Json,
        Format::JsonLegacy => AuditFormat::JsonLegacy,
        Format::Coraza => AuditFormat::Coraza,
    });
    if let Some(schema) = schema {
        line(&format!("{:#}", schema.as_value()))?;
    }
    Ok(CLEAN)
}
