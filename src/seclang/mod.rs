//! SecLang text to syntax tree. Syntax only: which names exist is the compiler's business.
//!
//! [`parse`] splits a file into directives with their words; [`targets`], [`operator`] and
//! [`actions`] take the words apart that have a language of their own. All of them go on after an
//! error, so that one bad line does not hide the next, read every byte a bounded number of times,
//! and never recurse.
//!
//! The syntax is the union of what ModSecurity 2 (words of Apache httpd), ModSecurity 3 and Coraza
//! take. What only one of them reads differently is refused with a message, not guessed.

mod actions;
pub mod ast;
mod cursor;
mod file;
mod migration;
mod operator;
mod scan;
mod targets;
mod word;

pub use actions::actions;
pub use file::parse;
pub use operator::operator;
pub use targets::targets;

#[cfg(test)]
mod tests;
