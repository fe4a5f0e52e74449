//! `cartagena programme …`

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;

use super::{open, print, warn};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Programme {
    /// Print the programme's settings
    Show,
    /// Set the programme from a JSON file: name, country, extent, admin units, treaty dates, date rule, milestones
    Set {
        /// The file
        file: PathBuf,
    },
}

pub(super) fn run(config: &Config, command: Programme) -> anyhow::Result<()> {
    let store = open(config)?;
    match command {
        Programme::Show => print(&serde_json::to_string_pretty(&store.programme()?.0)?),
        Programme::Set { file } => {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            let programme: crate::programme::Programme = serde_json::from_str(&text)
                .with_context(|| format!("{} is not a programme", file.display()))?;
            let faults = programme.deadline_history().map(|history| history.faults()).unwrap_or_default();
            let revision = store.set_programme(programme, None, None)?;
            print(&format!("The programme is set (revision {revision})."));
            for fault in faults {
                warn(&format!("`deadlines`, counted from 1 after the original deadline: {fault}"));
            }
        }
    }
    store.shut_down();
    Ok(())
}
