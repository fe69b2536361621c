//! Limits: how much of anything one transaction or one rule set may use.
//!
//! Every loop and every allocation that input can drive has its bound here; running out is a value
//! that the caller handles, never a panic.

/// Longest text that macros expand to, in bytes, where a rule keeps it (`setvar`, `prepend`, …); the
/// rest is cut off. A variable set to itself twice would double with every match.
pub const EXPANDED: usize = 1 << 20;

/// Longest name that macros expand to, and longest text kept of a match for the log (`msg`,
/// `logdata`, tags, the matched value), in bytes; the rest is cut off. Logs show less of it.
pub const SHORT_TEXT: usize = 4096;

/// Bytes that the long values of `setvar` and `setenv` may take together in one transaction, old
/// ones included. Beyond it a variable keeps the value it has, but for short ones.
pub const SET_VALUES: usize = 64 << 20;
/// Longest value that is always set, in bytes.
pub const SHORT_VALUE: usize = 256;

/// Bytes that all values of one transaction may take together, each distinct one once, results of
/// transformations included. They are kept until it ends; beyond it the work of the transaction
/// counts as spent ([`crate::work`]).
pub const KEPT_VALUES: usize = 128 << 20;

/// Bounds of one transaction. The SecLang directives set some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest number of arguments (SecArgumentsLimit).
    pub arguments: usize,
    /// Largest nesting of a JSON document (SecRequestBodyJsonDepthLimit).
    pub json_depth: usize,
    /// Largest number of files in a multipart body (SecUploadFileLimit).
    pub files: usize,
    /// Largest nesting of an XML document.
    pub xml_depth: usize,
    /// Largest number of nodes (elements, attributes and texts) kept of an XML document.
    pub xml_nodes: usize,
    /// Largest number of content codings of a body (SecParapetInflateLayersLimit).
    pub coding_layers: usize,
    /// How many times its size a compressed body may grow to (SecParapetInflateRatioLimit).
    pub expansion: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            arguments: 1000,
            json_depth: 10_000,
            files: 100,
            xml_depth: 512,
            xml_nodes: 65_536,
            coding_layers: 3,
            expansion: 200,
        }
    }
}
