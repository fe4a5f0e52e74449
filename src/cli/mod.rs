//! The command line: one file for each command.

mod backup;
mod bench;
mod bundle;
mod demo;
mod device;
mod export;
mod import;
mod output;
mod programme;
mod relay;
mod rush;
mod serve;
mod tablets;
mod tiles;
mod user;
mod verify;

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};

use self::output::{is_unread, print, warn};
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
    /// Bring the database up to this program, or begin one
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
    /// Take a file of features as records: GeoJSON, CSV with a geometry, `GeoPackage`, Shapefile, KML, GPX
    Import(Box<import::Import>),
    /// Write a collection, or what a question finds in it, into a file: `GeoJSON`, `GeoPackage`, Shapefile, KML, GPX, CSV, XLSX
    Export(Box<export::Export>),
    /// Copy the database and the signing keys into a new folder, while the server runs
    Backup(backup::Backup),
    /// Put a backup where no database is, and begin a new epoch
    Restore(backup::Restore),
    /// Be a camp: pass on what is here to a national server and follow what it decides
    #[command(subcommand)]
    Relay(relay::Command),
    /// Carry the log on a stick where there is no network
    #[command(subcommand)]
    Bundle(bundle::Bundle),
    /// Derive records, conflicts and scopes from the log anew; no server may be running
    Rebuild(bundle::Rebuild),
    /// Look whether the database is what its log says, the ledger's checks hold, and every attachment is whole
    Verify(verify::Verify),
    /// Print the effective configuration without secrets
    Config,
}

/// Runs a command.
///
/// # Errors
/// What went wrong, in words for whoever typed it.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let code = obey(cli)?;
    output::expect_written()?;
    Ok(code)
}

fn obey(cli: Cli) -> anyhow::Result<ExitCode> {
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
        Command::Export(command) => export::run(&config, &command),
        Command::Backup(command) => backup::back_up(&config, &command),
        Command::Restore(command) => backup::restore(&config, &command),
        Command::Relay(command) => relay::run(&config, &command),
        Command::Bundle(command) => bundle::run(&config, &command),
        Command::Rebuild(command) => bundle::rebuild(&config, &command),
        // These have something to say beyond success and failure.
        Command::Import(command) => return import::run(&config, *command),
        Command::Verify(command) => return verify::run(&config, &command),
        Command::Config => {
            print(&serde_json::to_string_pretty(&config.without_secrets())?);
            Ok(())
        }
    }
    .map(|()| ExitCode::SUCCESS)
}

fn migrate(config: &Config) -> anyhow::Result<()> {
    let url = config.database_url().parse()?;
    begin(config, &url)?;
    let run = migration::run(&url).with_context(|| place(config, &url))?;
    match run.as_slice() {
        [] => print("The database is up to date."),
        run => print(&format!("Migrations run: {}", run.join(", "))),
    }
    Ok(())
}

/// Makes the data folder and the SQLite file where they are not there. Nobody but the server's own user reads them:
/// the folder holds the signing keys, the file people's names and victims' data.
fn begin(config: &Config, url: &DatabaseUrl) -> anyhow::Result<()> {
    make_folder(&config.data)?;
    let mut file = OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    let Some(path) = file_of(url) else { return Ok(()) };
    // SQLite gives its own files beside it the same permissions.
    match file.open(path) {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(fault) => Err(fault).with_context(|| format!("the database {} cannot be made", path.display())),
    }
}

/// Makes a folder that only its owner reads, unless it is there.
fn make_folder(path: &Path) -> anyhow::Result<()> {
    let mut folder = DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path).with_context(|| format!("the folder {} cannot be made", path.display()))
}

/// The file of an SQLite database; what SQLite reads as something else than a file's name is left to it.
fn file_of(url: &DatabaseUrl) -> Option<&Path> {
    match url {
        DatabaseUrl::Sqlite(path) if path != ":memory:" && !path.starts_with("file:") => {
            Some(Path::new(path))
        }
        DatabaseUrl::Sqlite(_) | DatabaseUrl::Postgres(_) => None,
    }
}

/// The database as a message names it: the whole path of a file, or the URL without its password.
fn place(config: &Config, url: &DatabaseUrl) -> String {
    match file_of(url) {
        Some(path) => {
            std::path::absolute(path).unwrap_or_else(|_fault| path.to_owned()).display().to_string()
        }
        None => config.without_secrets().database_url(),
    }
}

/// Opens the store of a server that is there: a command in the wrong folder must not begin another one unseen, and a
/// command of a newer program must not change the database under an older server that runs.
fn open(config: &Config) -> anyhow::Result<Store> {
    let url = config.database_url().parse()?;
    let place = place(config, &url);
    if let Some(path) = file_of(&url) {
        match path.metadata() {
            // Opening it would write SQLite's header.
            Ok(found) if found.len() == 0 => {
                bail!("the database at {place} is empty: `cartagena migrate` sets it up")
            }
            Ok(_) => {}
            Err(fault) if fault.kind() == ErrorKind::NotFound => bail!(
                "there is no database at {place}: run this in the folder where the server runs, or say where its data \
                 is (--data, CARTAGENA_DATA or CARTAGENA_DATABASE_URL). `cartagena serve` or `cartagena migrate` \
                 begins one"
            ),
            Err(fault) => return Err(fault).with_context(|| format!("{place} cannot be looked at")),
        }
    }
    helped(config, Store::open(&url, Registry::embedded(), config.readers).context(place)?)
}

/// Opens the store, making a new one where there is none.
fn open_or_begin(config: &Config) -> anyhow::Result<Store> {
    let url = config.database_url().parse()?;
    begin(config, &url)?;
    ready(config, &url)
}

/// Brings the database up to this program and opens it.
fn ready(config: &Config, url: &DatabaseUrl) -> anyhow::Result<Store> {
    let named = || place(config, url);
    migration::run(url).with_context(named)?;
    let store = Store::open(url, Registry::embedded(), config.readers).with_context(named)?;
    store.release_schemas()?;
    helped(config, store)
}

/// The store with the replica that is configured.
fn helped(config: &Config, store: Store) -> anyhow::Result<Store> {
    // A variable that is set to nothing is not set.
    let Some(replica) = config.replica_url.as_deref().filter(|url| !url.is_empty()) else { return Ok(store) };
    let url = replica.parse().context("replica_url")?;
    store.with_replica(&url, config.readers).context("replica_url")
}
