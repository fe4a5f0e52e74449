//! The command line.

use std::process::ExitCode;

use clap::Parser as _;

/// Mutations are parsed on many threads and freed on the writer's, which glibc's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cartagena::cli::run(cartagena::cli::Cli::parse()) {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("cartagena: {fault:#}");
            ExitCode::FAILURE
        }
    }
}
