//! Compares Parapet with libmodsecurity: the same rules, the same generated requests, the same rule
//! ids, or a divergence from the list that explains the difference. `scripts/differential` runs it.

mod bench;
mod benign;
mod corpus;
mod divergences;
mod exchange;
mod modsecurity;
mod mutate;
mod parapet_engine;
mod random;
mod rules;
mod run;
mod shrink;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

/// What the command line says.
pub struct Options {
    pub library: PathBuf,
    pub rules: PathBuf,
    pub tests: PathBuf,
    pub settings: PathBuf,
    /// Where the copied rules go.
    pub place: PathBuf,
    pub requests: u64,
    pub seed: u64,
    /// One exchange by its number instead of a run.
    pub only: Option<u64>,
    /// Differences that are shrunken and shown, for each rule and side.
    pub show: usize,
}

const USAGE: &str = "\
usage: parapet-differential --library LIBMODSECURITY --rules CRS --tests FOLDER --settings FILE --place FOLDER
    [--requests N] [--seed N] [--only N] [--show N]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((first, rest)) if first == "bench" => bench::run(rest).map(|()| true),
        _ => options(arguments).and_then(|options| run::run(&options)),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("differential: {error}");
            ExitCode::from(2)
        }
    }
}

fn options(arguments: Vec<String>) -> Result<Options, String> {
    let mut options = Options {
        library: PathBuf::new(),
        rules: PathBuf::new(),
        tests: PathBuf::new(),
        settings: PathBuf::new(),
        place: PathBuf::new(),
        requests: 24_000,
        seed: 1,
        only: None,
        show: 1,
    };
    let mut arguments = arguments.into_iter();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        let number = || {
            let read = value.parse::<u64>();
            read.map_err(|_| format!("{name} takes a number, not `{value}`"))
        };
        match name.as_str() {
            "--library" => options.library = value.into(),
            "--rules" => options.rules = value.into(),
            "--tests" => options.tests = value.into(),
            "--settings" => options.settings = value.into(),
            "--place" => options.place = value.into(),
            "--requests" => options.requests = number()?,
            "--seed" => options.seed = number()?,
            "--only" => options.only = Some(number()?),
            "--show" => options.show = number()? as usize,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}
