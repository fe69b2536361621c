//! The `parapet` tool.

/// Counts, so that `parapet bench` can say how often a request allocates.
#[global_allocator]
static ALLOCATOR: parapet::allocations::Counting = parapet::allocations::Counting;

fn main() -> std::process::ExitCode {
    parapet::cli::main()
}
