//! SecLang text to syntax tree. Syntax only: which names exist is the compiler's business.

pub mod ast;
