//! `cartagena verify`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{open, print};
use crate::blob::Shelf;
use crate::config::Config;
use crate::report::book::{Basis, LiveBooks};
use crate::store::Store;

/// A verdict of "not sound" has a code of its own: 2 is the command line's.
const UNSOUND: u8 = 3;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 sound, 1 could not be looked at, 3 something is wrong: the first faults are named."
)]
pub(super) struct Verify {}

pub(super) fn run(config: &Config, _: &Verify) -> anyhow::Result<ExitCode> {
    let store = open(config)?;
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")?;
    bar.set_style(style);
    let verdict = store.verify(&mut |what, done, all| {
        bar.set_message(what);
        bar.set_length(u64::try_from(all).unwrap_or_default());
        bar.set_position(u64::try_from(done).unwrap_or_default());
    })?;
    // The ledger checks every cluster by a second algorithm while it is made.
    let breaches = LiveBooks::default().current(&store, |books| {
        Basis::ALL.iter().flat_map(|basis| books.of(*basis).breaches().to_vec()).collect::<Vec<_>>()
    })?;
    let shelf = Shelf::open(&config.blobs_url()).context("`blobs_url`")?;
    let files = files(&store, &shelf, &bar)?;
    bar.finish_and_clear();
    let awaited = store.count_awaited()?;
    store.shut_down();
    print(&format!(
        "{} entries of the log, {} records at {} versions, {} scopes looked at",
        verdict.entries, verdict.records, verdict.versions, verdict.scopes
    ));
    print(&format!(
        "{} attachments looked at, {awaited} that records claim have not come yet",
        files.looked_at
    ));
    for fault in verdict.named.iter().chain(&breaches).chain(&files.faults) {
        print(fault);
    }
    let faults = verdict.faults + breaches.len() + files.faults.len();
    if faults == 0 {
        print("Sound.");
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{faults} faults."));
    Ok(ExitCode::from(UNSOUND))
}

/// Files whose rows are read at a time.
const PAGE: i64 = 1_000;

/// What was found among the attachments.
#[derive(Default)]
struct Files {
    looked_at: usize,
    faults: Vec<String>,
}

/// Reads every attachment that should be here and compares its hash with its name.
fn files(store: &Store, shelf: &Shelf, bar: &ProgressBar) -> anyhow::Result<Files> {
    let mut files = Files::default();
    bar.set_message("attachments");
    bar.set_length(store.count_blobs()?.unsigned_abs());
    bar.set_position(0);
    let mut last = None;
    loop {
        let page = store.list_blobs(last, PAGE)?;
        let Some(end) = page.last() else { return Ok(files) };
        last = Some(end.sha256);
        for file in &page {
            let name = file.sha256.to_hex();
            let fault = shelf.fault(file.sha256, file.size);
            if let Some(fault) = fault.with_context(|| format!("attachment {name} cannot be read"))? {
                files.faults.push(format!("attachment {name}: it {fault}"));
            }
            files.looked_at += 1;
            bar.inc(1);
        }
    }
}
