//! `cartagena backup`, `cartagena restore`

use std::fs::{self, DirBuilder, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use super::{begin, file_of, open, print, ready};
use crate::config::Config;
use crate::model::schema::Registry;
use crate::store::{DatabaseUrl, Store};

const DATABASE: &str = "cartagena.db";
const KEYS: &str = "keys";

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The folder that is to hold the copy: made here, and not there before. It will hold the signing keys too
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The folder that a backup made. Without it only a new epoch begins: for a PostgreSQL database that was brought
    /// back with `pg_restore`
    folder: Option<PathBuf>,
}

/// Copies the database, while the server runs, and the keys; looks whether the copy is sound.
pub(super) fn back_up(config: &Config, command: &Backup) -> anyhow::Result<()> {
    let store = open(config)?;
    let folder = &command.folder;
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty() && !above.is_dir()) {
        // Made here it might lie on the very disk that the copy is to outlive.
        bail!("the folder {} is not there: is its disk mounted?", above.display());
    }
    make(folder)?;
    let file = folder.join(DATABASE);
    let copied = store.copy_into(&file).with_context(|| format!("{} cannot be written", file.display()));
    store.shut_down();
    if copied.is_err() {
        // Nothing is worse than a folder that looks like a backup.
        let _ = fs::remove_dir_all(folder);
    }
    copied?;
    keep_private(&file)?;
    copy_keys(&config.data.join(KEYS), &folder.join(KEYS))?;
    File::open(&file)?.sync_all()?;
    let copy =
        Store::open(&DatabaseUrl::Sqlite(file.to_string_lossy().into_owned()), Registry::embedded(), 1)?;
    let verdict = copy.verify(&mut |_, _, _| ())?;
    let attachments = copy.count_blobs()?;
    copy.shut_down();
    ensure!(verdict.is_sound(), "the copy is not sound: {}", verdict.named.join("; "));
    print(&format!(
        "{} holds {} records and {} entries of the log, looked through and sound. It holds the signing keys: keep it safe.",
        folder.display(),
        verdict.records,
        verdict.entries
    ));
    if attachments > 0 {
        print(&format!(
            "Attachments are not in it: they lie at {} and never change; copy them beside it with a tool that copies only what is new.",
            config.blobs_url()
        ));
    }
    Ok(())
}

/// Puts a backup where no database is, and begins a new epoch, so that tablets push again what it lacks.
pub(super) fn restore(config: &Config, command: &Restore) -> anyhow::Result<()> {
    let url: DatabaseUrl = config.database_url().parse()?;
    let store = match &command.folder {
        None => open(config)?,
        Some(folder) => {
            let Some(file) = file_of(&url) else {
                bail!("a backup's folder is restored to SQLite; bring PostgreSQL back with pg_restore");
            };
            ensure!(
                !file.exists(),
                "there is a database at {} already: move it away, nothing is overwritten",
                file.display()
            );
            let copy = folder.join(DATABASE);
            ensure!(copy.exists(), "{} is not a backup: it has no {DATABASE}", folder.display());
            begin(config, &url)?;
            fs::copy(&copy, file).with_context(|| format!("{} cannot be copied", copy.display()))?;
            keep_private(file)?;
            File::open(file)?.sync_all()?;
            copy_keys(&folder.join(KEYS), &config.data.join(KEYS))?;
            // The copy is this command's own: it may come from an older program, and the epoch must begin in any case.
            ready(config, &url)?
        }
    };
    store.begin_epoch()?;
    let head = store.head()?;
    store.shut_down();
    print(&format!(
        "Restored up to entry {} of the log. A new epoch has begun: tablets push again what this database does not have.",
        head.seq
    ));
    Ok(())
}

/// Makes a folder that only its owner reads, and that was not there before.
fn make(folder: &Path) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))
}

/// Lets only its owner read a database.
fn keep_private(file: &Path) -> anyhow::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .with_context(|| format!("{} cannot be kept from others", file.display()))?;
    Ok(())
}

/// Copies the signing keys with their permissions. A server that has none yet made no promise that needs them.
fn copy_keys(from: &Path, to: &Path) -> anyhow::Result<()> {
    if !from.exists() {
        return Ok(());
    }
    if !to.exists() {
        make(to)?;
    }
    for key in fs::read_dir(from)? {
        let key = key?;
        fs::copy(key.path(), to.join(key.file_name()))?;
    }
    Ok(())
}
