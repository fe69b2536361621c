//! Operators: `@name argument`, a question asked of a value.
//!
//! One file and one line of the table each. An operator sees bytes only: the engine expands macros
//! in its argument first, so that no operator knows a transaction.
