//! Limits: how much of anything one transaction or one rule set may use.
//!
//! Every loop and every allocation that input can drive has its bound here; running out is a value
//! that the caller handles, never a panic.

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
