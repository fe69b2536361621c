//! What `@detectSQLi` and `@detectXSS` ask: our own writing of libinjection's algorithms.
//!
//! [`sqli`] reads a value as the tail of an SQL statement, folds its tokens to at most five and
//! looks their kinds up in a list of fingerprints of injections. [`xss`] reads a value as HTML in
//! five contexts and looks for tags, attributes and addresses that run scripts.
//!
//! The tables (words, fingerprints, event names) are libinjection's data, see `NOTICE`. Where the C
//! library reads beyond its input, this one reads a NUL byte, as if the input ended with one.
//! Every loop consumes input, no function calls itself, and nothing is allocated but the answers.

pub mod sqli;
mod table;
pub mod xss;

#[cfg(test)]
mod tests;
