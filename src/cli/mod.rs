//! The `parapet` tool: the same engine, natively, for people and scripts.
//!
//! The only place beside the filter that touches the outside world: files, standard streams and
//! clocks. Everything it decides it decides with the library.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a command-line tool reads files and the clock, and prints"
)]

mod bench;
mod check;
mod config;
mod decrypt;
mod driver;
#[cfg(feature = "wasm-host")]
mod driver_wasm;
mod explain;
mod files;
mod ftw;
mod keygen;
mod message;
mod native;
mod output;
#[cfg(feature = "wasm-host")]
mod pack;
mod progress;
mod run;
mod schema;
mod server;
mod test;
mod vary;
mod worst;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use crypto_box::aead::OsRng;
use crypto_box::aead::rand_core::RngCore as _;

pub use bench::Site;
pub use ftw::{RegressionExchange, regression_exchanges};
pub use message::{Headers, Request, Response};

/// Exit status: the work was done and found nothing wrong.
const CLEAN: u8 = 0;
/// Exit status: the work was done and found errors.
const ERRORS: u8 = 1;
/// Exit status: the work could not be done as asked (clap uses it too).
const USAGE: u8 = 2;

/// The client of every exchange. Not a loopback address: the Core Rule Set trusts those.
const CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 41_090);
/// The server of every exchange.
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 80);

/// Checks, runs and tests firewall rules without a proxy.
#[derive(Debug, Parser)]
#[command(name = "parapet", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Arguments),
    Run(run::Arguments),
    Test(Box<test::Arguments>),
    Bench(bench::Arguments),
    Worst(worst::Arguments),
    Explain(explain::Arguments),
    Schema(schema::Arguments),
    Keygen(keygen::Arguments),
    Decrypt(decrypt::Arguments),
    #[cfg(feature = "wasm-host")]
    Pack(pack::Arguments),
}

/// Runs the tool with the arguments of the process.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Worst(arguments) => worst::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::Decrypt(arguments) => decrypt::run(&arguments),
        #[cfg(feature = "wasm-host")]
        Command::Pack(arguments) => pack::run(&arguments),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("parapet: {error}");
            ExitCode::from(USAGE)
        }
    }
}

/// Random bytes of the system; whether it has some.
fn random(bytes: &mut [u8]) -> bool {
    OsRng.try_fill_bytes(bytes).is_ok()
}
