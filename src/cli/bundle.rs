//! `cartagena bundle …`, `cartagena rebuild`

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use age::secrecy::SecretString;
use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use indicatif::ProgressBar;

use super::{open, open_or_begin, print};
use crate::auth::token::Keys;
use crate::bundle;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Bundle {
    /// Write the log into a file, for a stick
    Export {
        /// The file; it must not be there yet
        file: PathBuf,
        /// The first entry of the log: a camp that stands at 1200 needs --from 1201
        #[arg(long, default_value_t = 1)]
        from: i64,
        #[command(flatten)]
        seal: Seal,
    },
    /// Take a file that another server has written: a camp its nation's, a nation its camps'
    Import {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        seal: Seal,
    },
}

#[derive(Debug, Args)]
pub(super) struct Seal {
    /// A file with the passphrase that seals the bundle (or `CARTAGENA_PASSPHRASE`)
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

impl Seal {
    fn passphrase(&self) -> anyhow::Result<Option<SecretString>> {
        let given = match &self.passphrase_file {
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .with_context(|| format!("{} cannot be read", file.display()))?,
            ),
            None => std::env::var("CARTAGENA_PASSPHRASE").ok(),
        };
        let Some(given) = given else { return Ok(None) };
        let given = given.trim();
        ensure!(!given.is_empty(), "the passphrase is empty");
        Ok(Some(SecretString::from(given.to_owned())))
    }
}

pub(super) fn run(config: &Config, command: &Bundle) -> anyhow::Result<()> {
    match command {
        Bundle::Export { file, from, seal } => export(config, file, *from, seal),
        Bundle::Import { file, seal } => import(config, file, seal),
    }
}

fn export(config: &Config, file: &Path, from: i64, seal: &Seal) -> anyhow::Result<()> {
    let passphrase = seal.passphrase()?;
    let sealed = passphrase.is_some();
    let store = open(config)?;
    let keys = Keys::load(&config.data.join("keys")).context("the signing keys cannot be read")?;
    let head = keys.prove(store.head()?);
    let out = File::create_new(file).with_context(|| format!("{} cannot be made", file.display()))?;
    let mut out = BufWriter::new(out);
    let written = bundle::export(&store, head, from, passphrase, &mut out);
    store.shut_down();
    let entries = match written {
        Ok(entries) => entries,
        Err(fault) => {
            // Half a bundle is none.
            let _ = std::fs::remove_file(file);
            return Err(fault.into());
        }
    };
    out.flush()?;
    out.get_ref().sync_all()?;
    let how = if sealed { "sealed" } else { "not sealed: whoever finds it can read it" };
    print(&format!("{} holds {entries} entries of the log, {how}.", file.display()));
    Ok(())
}

fn import(config: &Config, file: &Path, seal: &Seal) -> anyhow::Result<()> {
    let passphrase = seal.passphrase()?;
    let store = open_or_begin(config)?;
    let taken = bundle::import(&store, passphrase.as_ref(), || File::open(file))
        .with_context(|| file.display().to_string());
    store.shut_down();
    let taken = taken?;
    let how = if taken.followed { "followed as the nation's log" } else { "taken as a camp's" };
    print(&format!("{} entries {how}, {} of them new here.", taken.entries, taken.new));
    if let Some(schema) = taken.unknown_schema {
        anyhow::bail!(
            "the log goes on in a schema that this program does not know, {schema}: take the bundle again with a newer program"
        );
    }
    Ok(())
}

#[derive(Debug, Args)]
pub(super) struct Rebuild {}

/// Derives everything from the log anew.
pub(super) fn rebuild(config: &Config, _: &Rebuild) -> anyhow::Result<()> {
    let store = open(config)?;
    let bar = ProgressBar::no_length();
    let shown = bar.clone();
    let differing = store.rebuild(Box::new(move |done, all| {
        shown.set_length(u64::try_from(all).unwrap_or_default());
        shown.set_position(u64::try_from(done).unwrap_or_default());
    }));
    bar.finish_and_clear();
    store.shut_down();
    let words = match differing? {
        0 => "Everything was derived from the log anew.".to_owned(),
        count => format!("Derived anew; {count} entries came to something else and are in quarantine."),
    };
    print(&words);
    Ok(())
}
