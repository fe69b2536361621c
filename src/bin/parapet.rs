//! The `parapet` tool.

fn main() {}
