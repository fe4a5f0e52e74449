//! The command line: one file for each command.

mod bench;
mod demo;
mod device;
mod import;
mod programme;
mod serve;
mod tablets;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::model::schema::Registry;
use crate::store::{DatabaseUrl, Store, migration};

/// The record-keeping backend of a mine-clearance programme.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// Configuration file (default: cartagena.toml in this folder, if there is one)
    #[arg(long, global = true, env = "CARTAGENA_CONFIG")]
    config: Option<PathBuf>,
    /// Folder for the database, the keys and the attachments
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop; migrations run first, and a new database gets its first admin
    Serve(serve::Serve),
    /// Bring the database up to this program
    Migrate,
    /// Accounts
    #[command(subcommand)]
    User(user::User),
    /// Devices
    #[command(subcommand)]
    Device(device::Device),
    /// The programme's settings
    #[command(subcommand)]
    Programme(programme::Programme),
    /// A constructed programme with tablets that sync into it: nothing to set up
    Demo(demo::Demo),
    /// Measure this machine
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Take a file of features as records: GeoJSON, or CSV with a geometry
    Import(Box<import::Import>),
    /// Print the effective configuration without secrets
    Config,
}

/// Runs a command.
///
/// # Errors
/// What went wrong, in words for whoever typed it.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut config = Config::load(cli.config.as_deref()).context("the configuration cannot be read")?;
    if let Some(data) = cli.data {
        config.data = data;
    }
    match cli.command {
        Command::Serve(command) => serve::run(config, &command),
        Command::Migrate => migrate(&config),
        Command::User(command) => user::run(&config, command),
        Command::Device(command) => device::run(&config, command),
        Command::Programme(command) => programme::run(&config, command),
        Command::Demo(command) => demo::run(config, &command),
        Command::Bench(command) => bench::run(&config, &command),
        // The only command with something to say beyond success and failure.
        Command::Import(command) => return import::run(&config, *command),
        Command::Config => {
            print(&serde_json::to_string_pretty(&config.without_secrets())?);
            Ok(())
        }
    }
    .map(|()| ExitCode::SUCCESS)
}

/// What a command has to say goes to standard output; logs and errors do not.
#[expect(clippy::print_stdout, reason = "a command line prints")]
fn print(text: &str) {
    println!("{text}");
}

fn migrate(config: &Config) -> anyhow::Result<()> {
    let run = migration::run(&database(config)?)?;
    match run.as_slice() {
        [] => print("The database is up to date."),
        run => print(&format!("Migrations run: {}", run.join(", "))),
    }
    Ok(())
}

/// The database's URL; its folder is made where it is a file.
fn database(config: &Config) -> anyhow::Result<DatabaseUrl> {
    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("the folder {} cannot be made", config.data.display()))?;
    Ok(config.database_url().parse()?)
}

/// Opens the store, bringing the database up to this program first.
fn open(config: &Config) -> anyhow::Result<Store> {
    let url = database(config)?;
    migration::run(&url)?;
    let store = Store::open(&url, Registry::embedded(), config.readers)?;
    store.release_schemas()?;
    Ok(store)
}
