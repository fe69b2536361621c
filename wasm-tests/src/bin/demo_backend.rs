//! The demo backend: answers everything and prints a line for each request that reached it.
//!
//!     demo_backend [ADDRESS]      ADDRESS is 127.0.0.1:8081 unless told

use std::io::{self, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use wasm_tests::backend::{Response, serve};

fn main() -> ExitCode {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8081".into());
    let listener = match TcpListener::bind(&address) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("demo backend: cannot listen on {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("backend: listening on {address}");
    serve(listener, |request| {
        let line = format!(
            "{} {} ({} bytes of body)",
            request.method,
            request.target.escape_debug(),
            request.body.len()
        );
        // Nobody reads the line when the terminal is gone; the answer matters.
        let _ = writeln!(io::stdout(), "backend: got {line}");
        Response::text(format!("The backend got {line}\n"))
    });
    ExitCode::SUCCESS
}
