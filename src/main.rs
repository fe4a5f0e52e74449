//! The command line.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cartagena::cli::run(cartagena::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("cartagena: {fault:#}");
            ExitCode::FAILURE
        }
    }
}
