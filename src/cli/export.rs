//! `cartagena export`

use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use actix_web::rt::System;
use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use tempfile::Builder;

use super::{open, print, serve};
use crate::auth::permission::{Permission as _, ReadRecords};
use crate::config::Config;
use crate::export::Format;
use crate::http::ogc::export::to_file;
use crate::model::role::Actor;
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Collection, for instance `hazardous_area` or `remaining`
    collection: String,
    /// File to write; its ending says the format: geojson, gpkg, zip (a shapefile), kml, gpx, csv or xlsx
    file: PathBuf,
    /// Whose sight it is: the file holds what this account sees
    #[arg(long = "as", value_name = "LOGIN")]
    login: String,
    /// Only what this CQL2 expression lets through, for instance "classification = 'CHA'"
    #[arg(long, value_name = "CQL2")]
    filter: Option<String>,
    /// Only what meets this box of degrees
    #[arg(long, value_name = "WEST,SOUTH,EAST,NORTH", allow_hyphen_values = true)]
    bbox: Option<String>,
    /// Only what holds at this moment or in this interval
    #[arg(long)]
    datetime: Option<String>,
    /// As known at the end of this day (default: today)
    #[arg(long, value_name = "DAY")]
    as_of: Option<String>,
    /// Of ground official (default) or provisional; of records official, as they were finalised last (default: as they
    /// stand, at every stage)
    #[arg(long)]
    basis: Option<String>,
    /// Only these properties
    #[arg(long, value_name = "NAMES")]
    properties: Option<String>,
    /// In the order of these properties, `-` for descending
    #[arg(long, value_name = "NAMES", allow_hyphen_values = true)]
    sortby: Option<String>,
    /// Coordinate reference system, for instance EPSG:32634 (default: WGS 84)
    #[arg(long)]
    crs: Option<String>,
}

pub(super) fn run(config: &Config, command: &Export) -> anyhow::Result<()> {
    let store = open(config)?;
    let done = export(config, &store, command);
    store.shut_down();
    done
}

fn export(config: &Config, store: &Store, command: &Export) -> anyhow::Result<()> {
    let end = command.file.extension().and_then(|end| end.to_str()).unwrap_or_default();
    let format = Format::ALL.into_iter().find(|format| format.extension() == end).with_context(|| {
        let ends = Format::ALL.map(Format::extension).join(", ");
        format!("the file's ending says no format: one of {ends}")
    })?;
    let actor = actor(store, &command.login)?;
    let state = serve::state(config, store.clone())?;
    let wanted = to_file(state, actor, &command.collection, parameters(command, format));
    let mut written = System::new().block_on(wanted).map_err(|fault| anyhow!("{}", fault.detail()))?;
    let size = put(&mut written, &command.file)
        .with_context(|| format!("{} cannot be written", command.file.display()))?;
    print(&format!("{} of {size} bytes written to {}.", format.title(), command.file.display()));
    Ok(())
}

/// Writes a file beside its place and moves it there once it is whole on the disk: a full disk leaves what was there
/// before. Who may read that may read what comes after it, and nobody else.
fn put(from: &mut impl Read, to: &Path) -> io::Result<u64> {
    // A link stays one.
    let to = fs::canonicalize(to).unwrap_or_else(|_new| to.to_owned());
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file =
        Builder::new().prefix(".export-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    if let Ok(before) = fs::metadata(&to) {
        file.as_file().set_permissions(before.permissions())?;
    }
    let size = io::copy(from, &mut file)?;
    file.as_file().sync_all()?;
    file.persist(&to)?;
    Ok(size)
}

/// The parameters as an address has them.
fn parameters(command: &Export, format: Format) -> Vec<(String, String)> {
    let given = [
        ("f", Some(format.name().to_owned())),
        ("filter", command.filter.clone()),
        ("bbox", command.bbox.clone()),
        ("datetime", command.datetime.clone()),
        ("as_of", command.as_of.clone()),
        ("basis", command.basis.clone()),
        ("properties", command.properties.clone()),
        ("sortby", command.sortby.clone()),
        ("crs", command.crs.clone()),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn actor(store: &Store, login: &str) -> anyhow::Result<Actor> {
    let account = store.find_login(login)?.with_context(|| format!("there is no account `{login}`"))?;
    if account.disabled {
        bail!("the account `{login}` is closed");
    }
    if !ReadRecords::ROLES.contains(&account.role) {
        bail!("`{login}` is a {}, who sees no records: name another account with --as", account.role);
    }
    Ok(account.actor())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that is full after some bytes, as far as a copy can tell.
    struct Full;

    impl Read for Full {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn what_was_there_stays_until_what_comes_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.csv"), folder.path().join("link.csv"));
        let names = || fs::read_dir(folder.path()).unwrap().count();
        assert!(put(&mut b"cut".chain(Full), &file).is_err());
        assert_eq!(names(), 0, "nothing is left of what was cut off");
        assert_eq!(put(&mut &b"old"[..], &file).unwrap(), 3);
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(put(&mut b"cut".chain(Full), &file).is_err());
        assert_eq!((fs::read(&file).unwrap(), names()), (b"old".to_vec(), 2));
        put(&mut &b"new"[..], &link).unwrap();
        assert_eq!((fs::read(&file).unwrap(), names()), (b"new".to_vec(), 2));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
