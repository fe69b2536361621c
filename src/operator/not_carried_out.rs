//! Operators that need what a sandbox has not got. They are known by name, so that a rule with one
//! is refused or reported for what it is.

use super::{Argument, CompileError, CompileErrorKind, Def, Support};

/// All of them.
pub(super) const DEFS: &[&Def] = &[
    &def(
        "fuzzyHash",
        "Whether the fuzzy hash (ssdeep) of the value is near to one of a file.",
        Argument::Special,
        false,
        "there is no fuzzy hash library in the filter",
    ),
    &def(
        "geoLookup",
        "Looks up the country and place of an address; fills GEO.",
        Argument::None,
        false,
        "there is no geography database in the filter",
    ),
    &def(
        "gsbLookup",
        "Whether a URL in the value stands in the Google Safe Browsing database.",
        Argument::Pattern,
        false,
        "the database is no longer published",
    ),
    &def(
        "inspectFile",
        "Whether a program outside objects to an uploaded file.",
        Argument::File,
        true,
        "the sandbox cannot run programs",
    ),
    &def(
        "rbl",
        "Whether an address or a name stands in a block list that is asked by DNS.",
        Argument::Text,
        false,
        "the sandbox cannot ask name servers",
    ),
    &def(
        "rsub",
        "Replaces text in STREAM_INPUT_BODY or STREAM_OUTPUT_BODY.",
        Argument::Special,
        true,
        "bodies are inspected, not rewritten",
    ),
    &def(
        "validateDTD",
        "Whether the XML body breaks the rules of a DTD.",
        Argument::File,
        false,
        "XML is read without document type definitions",
    ),
    &def(
        "validateHash",
        "Whether the hash parameter that SecHashEngine added to a link is missing or wrong.",
        Argument::Pattern,
        true,
        "links in responses are not signed, so there is nothing to check",
    ),
    &def(
        "validateSchema",
        "Whether the XML body breaks the rules of an XML schema.",
        Argument::File,
        false,
        "there is no XML schema validator in the filter",
    ),
];

const fn def(
    name: &'static str,
    summary: &'static str,
    argument: Argument,
    macros: bool,
    reason: &'static str,
) -> Def {
    Def {
        name,
        aliases: &[],
        summary,
        spec: "ModSecurity manual; known, but not carried out.",
        argument,
        macros,
        support: Support::NotCarriedOut(reason),
        examples: &[],
    }
}

/// Why a rule with such an operator cannot be carried out.
pub(super) fn error(def: &Def) -> CompileError {
    let reason = match def.support {
        Support::NotCarriedOut(reason) => reason,
        Support::Full => "it is not in this build",
    };
    CompileError {
        kind: CompileErrorKind::NotCarriedOut,
        message: format!("@{} is not carried out: {reason}", def.name),
        offset: None,
        hint: None,
    }
}
