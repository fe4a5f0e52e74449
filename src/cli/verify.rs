//! `cartagena verify`

use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{open, print};
use crate::config::Config;
use crate::report::book::{Basis, LiveBooks};

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
    bar.finish_and_clear();
    // The ledger checks every cluster by a second algorithm while it is made.
    let breaches = LiveBooks::default().current(&store, |books| {
        Basis::ALL.iter().flat_map(|basis| books.of(*basis).breaches().to_vec()).collect::<Vec<_>>()
    })?;
    store.shut_down();
    print(&format!(
        "{} entries of the log, {} records at {} versions, {} scopes looked at",
        verdict.entries, verdict.records, verdict.versions, verdict.scopes
    ));
    for fault in verdict.named.iter().chain(&breaches) {
        print(fault);
    }
    let faults = verdict.faults + breaches.len();
    if faults == 0 {
        print("Sound.");
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{faults} faults."));
    Ok(ExitCode::from(UNSOUND))
}
