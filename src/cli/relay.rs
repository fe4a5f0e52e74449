//! `cartagena relay …`, and the relay beside a server that is a camp.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::output::in_seconds;
use super::{open, open_or_begin, print};
use crate::blob::Shelf;
use crate::client::ClientError;
use crate::config::{Config, RelayTo};
use crate::relay::{Passed, Relay, RelayError};
use crate::store::Store;
use crate::store::turn::Work;

/// The camp's session with its nation.
const SESSION: &str = "nation.db";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make this server a camp: enrol it at its national server with a one-time code
    Enrol {
        /// Where the national server is, e.g. <https://imsma.example.org>
        url: String,
        /// The code that `cartagena device offer` printed there for this camp's account (role relay)
        #[arg(long)]
        code: String,
        /// What the national server's people call this camp
        #[arg(long, default_value = "camp")]
        name: String,
    },
    /// Pass on what is here and follow the national server, once, now
    Pass,
    /// Say where this camp stands towards its national server
    Status,
}

pub(super) fn run(config: &Config, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Enrol { url, code, name } => {
            let store = open_or_begin(config)?;
            let records = store.head()?.seq > 0 && store.holds_edits()?;
            if records && store.upstream()?.is_none() {
                bail!(
                    "this server holds edits of people whom the national server does not know: begin a camp with an empty \
                     data folder, and bring them there as an import"
                );
            }
            relay(config, &store)?.enrol(url, code, name)?;
            print(&format!("This server is a camp of {url} now. `cartagena serve` passes on by itself."));
            store.shut_down();
        }
        Command::Pass => {
            let store = open(config)?;
            let Some(turn) = store.take_turn(Work::Relay)? else {
                bail!("a server of this camp is passing on just now: look at `relay status`");
            };
            let passed = relay(config, &store)?.pass();
            drop(turn);
            store.shut_down();
            print(&in_words(&passed?));
        }
        Command::Status => {
            let store = open(config)?;
            let Some(upstream) = store.upstream()? else {
                bail!("this server follows no national server: run `cartagena relay enrol` first");
            };
            let heard = upstream.last_contact.map_or_else(|| "never".to_owned(), in_seconds);
            let files = store.outgoing_files()?;
            print(&format!(
                "National server {}, last heard {heard}, its log followed up to {}; {} edits that it is not known to have, and \
                 {} files of edits that it has, {} bytes.",
                relay(config, &store)?.nation()?,
                upstream.seq,
                upstream.pending,
                files.len(),
                files.iter().map(|file| file.size).sum::<u64>()
            ));
            store.shut_down();
        }
    }
    Ok(())
}

fn session(config: &Config) -> PathBuf {
    config.data.join(SESSION)
}

fn relay(config: &Config, store: &Store) -> anyhow::Result<Relay> {
    let shelf = Shelf::open(&config.blobs_url()).context("`blobs_url`")?;
    Relay::open(&session(config), store.clone(), shelf)
        .context("the session with the national server cannot be opened")
}

fn in_words(passed: &Passed) -> String {
    let mut words = format!(
        "{} edits sent, {} entries of the national log followed, {} edits that it is not known to have.",
        passed.sent, passed.followed, passed.pending
    );
    if passed.files > 0 || passed.files_to_come > 0 {
        words = format!(
            "{words}\n{} files sent, {} go on with the next pass.",
            passed.files, passed.files_to_come
        );
    }
    if passed.renewed {
        words += "\nThe national server was restored from a copy; what it had lost was sent again.";
    }
    if let Some(schema) = &passed.unknown_schema {
        words = format!(
            "{words}\nThe national log goes on in a schema that this program does not know, {schema}: it is followed no \
             further until this camp runs a newer one. What is recorded here is sent all the same."
        );
    }
    if let Some(warning) = &passed.warning {
        words = format!("{words}\nThe people and the programme are as they were: {warning}");
    }
    for stuck in &passed.stuck {
        words = format!("{words}\nNot taken: {stuck}");
    }
    words
}

/// The relay of a running server; it ends with it.
pub(super) struct Worker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Begins to pass on, where this server is a camp or its configuration makes it one.
    ///
    /// # Errors
    /// Where the session's file cannot be opened.
    pub(super) fn start(config: &Config, store: &Store) -> anyhow::Result<Option<Self>> {
        let mut settings = config.relay.clone();
        // A variable that is set to nothing is not set.
        settings.code = settings.code.filter(|code| !code.is_empty());
        if settings.url.is_none() && !session(config).exists() {
            if store.upstream()?.is_some() {
                tracing::warn!(
                    "this server is a camp, and its session with the national server is gone: `cartagena relay enrol` again"
                );
            }
            return Ok(None);
        }
        let mut relay = relay(config, store)?;
        let (stop, stopped) = channel();
        let pause = Duration::from_secs(settings.every_seconds.max(1));
        let store = store.clone();
        let thread = std::thread::Builder::new().name("relay".to_owned()).spawn(move || {
            loop {
                let mut rest = pause;
                match store.take_turn(Work::Relay) {
                    Ok(Some(_turn)) => {
                        enrol(&mut relay, &settings);
                        let passed = relay.pass();
                        // A pass sends only so much of the files.
                        if passed
                            .as_ref()
                            .is_ok_and(|passed| passed.files_to_come > 0 && passed.interrupted.is_none())
                        {
                            rest = Duration::ZERO;
                        }
                        tell(passed);
                    }
                    Ok(None) => tracing::debug!("another process of this camp passes on"),
                    Err(fault) => tracing::warn!(%fault, "nothing was passed on"),
                }
                match stopped.recv_timeout(rest) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Some(Self { stop: Some(stop), thread: Some(thread) }))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the relay had failed before the shut-down");
        }
    }
}

/// Enrols at the nation where the configuration says so and it was not done yet.
fn enrol(relay: &mut Relay, settings: &RelayTo) {
    if let (Some(url), Some(code), Err(_)) = (&settings.url, &settings.code, relay.nation()) {
        match relay.enrol(url, code, &settings.name) {
            Ok(()) => tracing::info!(%url, "enrolled at the national server"),
            Err(fault) => tracing::warn!(%fault, "the national server cannot be enrolled at"),
        }
    }
}

fn tell(passed: Result<Passed, RelayError>) {
    match passed {
        Ok(passed) => {
            metrics::gauge!("cartagena_relay_pending").set(u32::try_from(passed.pending).unwrap_or(u32::MAX));
            if passed.renewed {
                tracing::warn!(
                    "the national server was restored from a copy; what it had lost was sent again"
                );
            }
            if let Some(schema) = &passed.unknown_schema {
                tracing::warn!(%schema, "the national log goes on in a schema that this program does not know: use a newer one");
            }
            if let Some(warning) = &passed.warning {
                tracing::warn!(%warning, "the people and the programme are as they were");
            }
            for stuck in &passed.stuck {
                tracing::error!(%stuck, "the national server cannot take an action");
            }
            if passed.sent > 0 || passed.followed > 0 || passed.files > 0 {
                tracing::info!(
                    sent = passed.sent,
                    files = passed.files,
                    followed = passed.followed,
                    pending = passed.pending,
                    "passed on"
                );
            }
        }
        // A camp is offline most of the time.
        Err(RelayError::Client(ClientError::Transport(fault))) => {
            tracing::debug!(%fault, "the national server cannot be reached");
        }
        Err(fault) => tracing::warn!(%fault, "nothing was passed on"),
    }
}
