//! `cartagena import`

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{open, print};
use crate::config::Config;
use crate::import::mapping::Wishes;
use crate::import::report::Report;
use crate::import::{Ids, Job, Mapping, Reading, Source, Summary, forewarnings, only_kept, people};
use crate::model::role::{Actor, is_inspected};
use crate::model::{Op, Role};
use crate::store::Store;

/// Features were asked for, and none of them was taken or was there already.
const FRUITLESS: u8 = 3;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0  features were taken or were there already (or the file has none)\n  \
    1  the import could not begin or was broken off; run it again, nothing is taken twice\n  \
    2  the command line cannot be understood\n  \
    3  no feature was taken or was there already: all were quarantined, differ, were skipped or unreadable"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Import {
    /// GeoJSON, CSV with WKT or with longitude and latitude, `GeoPackage`, Shapefile (a zip, or the .shp with what lies
    /// beside it), KML, KMZ or GPX
    file: PathBuf,
    /// Kind of the records, for instance `hazardous_area`
    #[arg(long)]
    kind: String,
    /// Take only features with this value; may be given again, and then all must hold
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = pair)]
    filter: Vec<(String, String)>,
    /// Take a column as this field
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = last_pair)]
    map: Vec<(String, String)>,
    /// Give a field of every record this value; a list is written with commas
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Leave columns behind that are no field, instead of keeping them
    #[arg(long)]
    drop_unmapped: bool,
    /// Column with the geometry, as WKT or GeoJSON
    #[arg(long, value_name = "COLUMN")]
    geometry: Option<String>,
    /// Column with the longitude or easting
    #[arg(long, value_name = "COLUMN", requires = "lat")]
    lon: Option<String>,
    /// Column with the latitude or northing
    #[arg(long, value_name = "COLUMN", requires = "lon")]
    lat: Option<String>,
    /// Coordinate reference system, in place of what the file says: EPSG:4326, EPSG:326xx, EPSG:327xx or EPSG:3857
    #[arg(long)]
    crs: Option<String>,
    /// Layer of a `GeoPackage`, shapefile of a zip, folder of a KML, or waypoints, routes or tracks of a GPX
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// The tracks of a GPX were walked around areas: take each segment whose ends meet as an outline
    #[arg(long)]
    close_tracks: bool,
    /// Column that identifies a feature from one run to the next, `-` for none (default: the GeoJSON id, or a column
    /// like `GlobalID`, `id`, `local_reference` or `FID`)
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// Name of the source, where two sources number their features from 1
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Whose account answers for the records. That person may not approve them: a supervisor of the organisation, or a
    /// second IM officer, leaves everybody free whom the review needs
    #[arg(long = "as", value_name = "LOGIN")]
    login: String,
    /// Whose records they become, if an IM officer imports for an operator (default: the organisation of that account)
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
    /// The file is an export of this server that was edited elsewhere: change its records, each as the draft of an edit. One
    /// that has changed here since it was exported is left alone; an empty cell changes nothing
    #[arg(long)]
    update: bool,
    /// Put the records forward for review, those too that an earlier run left as drafts; otherwise they stay drafts
    #[arg(long)]
    submit: bool,
    /// Say what would happen and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write what became of every feature to this CSV file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// A name and a value; the value may have an `=` in it.
fn pair(text: &str) -> Result<(String, String), String> {
    split(text.split_once('='))
}

/// A column, which may have an `=` in it, and a field.
fn last_pair(text: &str) -> Result<(String, String), String> {
    split(text.rsplit_once('='))
}

fn split(parts: Option<(&str, &str)>) -> Result<(String, String), String> {
    match parts {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("two words with an = between them are needed".to_owned()),
    }
}

pub(super) fn run(config: &Config, command: Import) -> anyhow::Result<ExitCode> {
    let store = open(config)?;
    let done = import(&store, command);
    store.shut_down();
    done
}

fn import(store: &Store, command: Import) -> anyhow::Result<ExitCode> {
    let registry = store.registry();
    let schema = registry.latest(&command.kind).with_context(|| {
        format!(
            "there is no kind `{}`; there are: {}",
            command.kind,
            registry.kinds().collect::<Vec<_>>().join(", ")
        )
    })?;
    let actor = actor(store, &command.login, command.organisation.as_deref(), &command.kind)?;
    if let Err(reason) = actor.may_write(Op::Create, &command.kind, None) {
        bail!("{reason}: name another account with --as");
    }
    let wishes = Wishes {
        filter: command.filter,
        rename: command.map,
        set: command.set,
        drop_unmapped: command.drop_unmapped,
    };
    let mapping = Mapping::new(schema, wishes)?;
    let reading = Reading {
        geometry: command.geometry,
        lon: command.lon,
        lat: command.lat,
        crs: command.crs,
        layer: command.layer,
        close_tracks: command.close_tracks,
    };
    let same = |report: &PathBuf| {
        report.canonicalize().ok().is_some_and(|it| command.file.canonicalize().ok() == Some(it))
    };
    if command.report.as_ref().is_some_and(same) {
        bail!("the report would overwrite the file itself: give it another name");
    }
    let source = Source::open(&command.file, &reading)?;
    mapping.expect_columns(&source)?;
    let ids = Ids::choose(&source, command.id.as_deref(), command.source.as_deref())?;
    for note in &source.notes {
        print(&format!("Note: {note}."));
    }
    if let Some(note) = ids.note() {
        print(&format!("Note: {note}."));
    }
    if let Some(note) = only_kept(&source, &mapping) {
        print(&format!("Note: {note}."));
    }
    for warning in forewarnings(&source, &mapping, &ids)? {
        print(&format!("Warning: {warning}."));
    }
    for missing in people::missing(&store.list_accounts()?, actor, &command.kind) {
        print(&format!("Warning: {missing} (`cartagena user add`)."));
    }
    let job = Job {
        source: &source,
        mapping: &mapping,
        ids: &ids,
        actor,
        captured: modified(&command.file),
        update: command.update,
        submit: command.submit,
        dry_run: command.dry_run,
    };
    let summary = take(store, &job, command.report.as_deref())?;
    print(summary.to_string().trim_end());
    Ok(if summary.is_fruitless() { ExitCode::from(FRUITLESS) } else { ExitCode::SUCCESS })
}

/// Runs the job with a progress bar, which is drawn on a terminal only, and a report.
fn take(store: &Store, job: &Job<'_>, report: Option<&Path>) -> anyhow::Result<Summary> {
    let mut writer = report.map(report_to).transpose()?;
    let bar = ProgressBar::new(u64::try_from(job.source.items.len()).unwrap_or(u64::MAX));
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} features, {eta} left")?);
    let mut unwritten = None;
    let summary = crate::import::run(store, job, &mut |line| {
        bar.inc(1);
        if let Some(writer) = writer.as_mut()
            && let Err(fault) = writer.add(line)
        {
            unwritten.get_or_insert(fault);
        }
    });
    bar.finish_and_clear();
    let written = match (writer, unwritten) {
        (_, Some(fault)) => Err(anyhow::Error::from(fault)),
        (Some(writer), None) => writer.finish().map_err(anyhow::Error::from),
        (None, None) => Ok(()),
    };
    let summary = summary?;
    // The records are in the store by now: that must be said even where the report is lost.
    if let Err(fault) = written {
        print(summary.to_string().trim_end());
        return Err(fault.context("the records were taken, but the report could not be written"));
    }
    Ok(summary)
}

fn report_to(path: &Path) -> anyhow::Result<Report<BufWriter<File>>> {
    let unwritable = || format!("the report {} cannot be written", path.display());
    let file = File::create(path).with_context(unwritable)?;
    Report::new(BufWriter::new(file)).with_context(unwritable)
}

/// When the file was last written.
fn modified(path: &Path) -> Option<String> {
    let time = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    Some(DateTime::<Utc>::from(time).to_rfc3339())
}

/// Who answers for the records, and whose they become.
fn actor(store: &Store, login: &str, organisation: Option<&str>, kind: &str) -> anyhow::Result<Actor> {
    let account = store.find_login(login)?.with_context(|| {
        format!("there is no account `{login}`: make one with `cartagena user add {login} …`")
    })?;
    if account.disabled {
        bail!("the account `{login}` is closed");
    }
    let organisations = store.list_organisations()?;
    let own = organisations.iter().find(|organisation| organisation.id == account.organisation);
    let Some(name) = organisation else {
        // Its own QA officers could not validate them, ever: whose a record is cannot be changed.
        if own.is_some_and(|own| own.kind == "authority") && is_inspected(kind) {
            bail!(
                "say with --organisation whose records they are: an authority's own {kind} could be validated \
                 only by a QA officer of another organisation"
            );
        }
        return Ok(account.actor());
    };
    let found = organisations.iter().find(|organisation| organisation.name == name).with_context(|| {
        let names: Vec<&str> = organisations.iter().map(|organisation| organisation.name.as_str()).collect();
        format!("there is no organisation `{name}`; there are: {}", names.join(", "))
    })?;
    if found.id != account.organisation && account.role != Role::ImOfficer {
        bail!(
            "`{login}` is a {} of another organisation: only an IM officer imports for others",
            account.role
        );
    }
    Ok(Actor { organisation: found.id, ..account.actor() })
}
