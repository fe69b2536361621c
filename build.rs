//! Placeholder replaced by the embedding of the Core Rule Set.
fn main() {}
