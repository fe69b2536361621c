//! `parapet explain`: the documentation of every member of the language.

use clap::Args;

use super::output::line;
use super::{CLEAN, USAGE};
use crate::reference::{self, Family};

/// Explain a directive, variable, operator, transformation, action or message.
///
/// Without a name it lists all of them.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to explain, such as `SecRule`, `ARGS`, `@rx`, `t:trim`, `setvar`, `P0201`.
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Print the page that compares the engines, in Markdown.
    #[arg(long, conflicts_with = "names")]
    compatibility: bool,
}

/// Explains. The answer is the exit status: 2 if a name is unknown.
pub(super) fn run(arguments: &Arguments) -> Result<u8, String> {
    if arguments.compatibility {
        line(reference::compatibility().trim_end())?;
        return Ok(CLEAN);
    }
    if arguments.names.is_empty() {
        return list();
    }
    let mut status = CLEAN;
    for name in &arguments.names {
        let found = reference::find(name);
        if found.is_empty() {
            let hint = reference::nearest(name)
                .map(|known| format!("; did you mean `{known}`?"))
                .unwrap_or_default();
            eprintln!("parapet: there is no `{name}`{hint}");
            status = USAGE;
        }
        for entry in found {
            line(&entry.text())?;
            line("")?;
        }
    }
    Ok(status)
}

/// All names, by family, each with what it is.
fn list() -> Result<u8, String> {
    let all = reference::entries();
    for family in Family::ALL {
        line(&format!("{}s:", family.name()))?;
        for entry in all.iter().filter(|entry| entry.family == family) {
            line(&format!("  {:<32} {}", entry.name, entry.summary))?;
        }
        line("")?;
    }
    Ok(CLEAN)
}
