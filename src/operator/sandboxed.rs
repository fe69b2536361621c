//! Operators that need what a sandbox has not got. Rules with them load, with a warning that says
//! what is missing, and never match, negated or not: no verdict is made up.

use super::{Argument, Def, Example, Support};

/// An operator that cannot be asked here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sandboxed(pub &'static Def);

/// All of them.
pub(super) const DEFS: &[&Def] = &[
    &def(
        "fuzzyHash",
        "Whether the fuzzy hash (ssdeep) of the value is near to one of a file.",
        Argument::Special,
        false,
        "there is no fuzzy hash library for the filter",
        &[Example::no(b"hashes.txt 90", b"text")],
    ),
    &def(
        "gsbLookup",
        "Whether a URL in the value stands in the Google Safe Browsing database.",
        Argument::Pattern,
        false,
        "the database that it reads is no longer published",
        &[Example::no(br"https?://[^\s]+", b"see http://example.com/")],
    ),
    &def(
        "inspectFile",
        "Whether a program outside objects to an uploaded file.",
        Argument::File,
        true,
        "a sandboxed filter runs no programs",
        &[Example::no(b"/usr/bin/scan", b"/tmp/upload")],
    ),
    &def(
        "rbl",
        "Whether an address or a name stands in a block list that is asked by DNS.",
        Argument::Text,
        false,
        "a sandboxed filter cannot ask name servers",
        &[Example::no(b"list.example", b"192.0.2.1")],
    ),
    &def(
        "validateDTD",
        "Whether the XML body breaks the rules of a DTD.",
        Argument::File,
        false,
        "XML is read without document type definitions",
        &[Example::no(b"order.dtd", b"[XML document tree]")],
    ),
    &def(
        "validateHash",
        "Whether the hash parameter that SecHashEngine added to a link is missing or wrong.",
        Argument::Pattern,
        true,
        "links in responses are not signed, so there is nothing to check",
        &[Example::no(br"/account/", b"/account/1")],
    ),
    &def(
        "validateSchema",
        "Whether the XML body breaks the rules of an XML schema.",
        Argument::File,
        false,
        "there is no XML schema validator in the filter",
        &[Example::no(b"order.xsd", b"[XML document tree]")],
    ),
];

const fn def(
    name: &'static str,
    summary: &'static str,
    argument: Argument,
    macros: bool,
    reason: &'static str,
    examples: &'static [Example],
) -> Def {
    Def {
        name,
        aliases: &[],
        summary,
        spec: "ModSecurity manual; here it never matches, negated or not.",
        argument,
        macros,
        support: Support::Sandbox(reason),
        examples,
    }
}
