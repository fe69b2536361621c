//! The `parapet` tool.

fn main() -> std::process::ExitCode {
    parapet::cli::main()
}
